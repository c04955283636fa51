//! Where an object lies on the sky.

use pantler::Object;
use pantler::core::formatter::PixelBox;
use pantler::core::object::downcast;
use pantler::objects::{Exposure, Image, MaskedImage, Wcs, WcsError};
use pantler::show::sky::{OnSky, on_sky};
use serde_json::{Value, json};

use super::numbers::{angle, degrees, hours};
use crate::screen::Screen;
use crate::table::{Align, table};

/// Returns where an object lies; `None` if it says nothing of the sky.
pub fn place_on_sky(object: &dyn Object) -> Option<Result<OnSky, WcsError>> {
    let (wcs, pixels) = wcs(object)?;
    Some(on_sky(wcs, pixels))
}

fn wcs(object: &dyn Object) -> Option<(&Wcs, PixelBox)> {
    if let Some(exposure) = downcast::<Exposure>(object) {
        let own = || exposure.image().and_then(|image| image.wcs());
        let wcs = exposure.wcs().or_else(own)?;
        return Some((wcs, exposure.pixel_box()?));
    }
    let image = match downcast::<MaskedImage>(object) {
        Some(masked) => masked.image()?,
        None => downcast::<Image>(object)?,
    };
    Some((image.wcs()?, image.pixel_box()))
}

/// Returns the document of it.
pub fn sky_json(found: &Result<OnSky, WcsError>) -> Value {
    let sky = match found {
        Ok(sky) => sky,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    json!({
        "form": sky.form,
        "frame": sky.frame,
        "centre_deg": [sky.centre.0, sky.centre.1],
        "centre": [hours(sky.centre.0), degrees(sky.centre.1)],
        "pixel_scale_arcsec": sky.orientation.scale,
        "size_arcsec": [sky.size.0, sky.size.1],
        "position_angle_deg": sky.orientation.position_angle,
        "mirrored": sky.orientation.is_mirrored(),
        "corners_deg": sky.corners.map(|corners| corners.map(|(ra, dec)| [ra, dec])),
    })
}

/// Returns the lines of it.
pub fn sky_text(screen: &Screen, found: &Result<OnSky, WcsError>) -> String {
    let sky = match found {
        Ok(sky) => sky,
        Err(error) => {
            let rows = [vec!["coordinates".to_owned(), error.to_string()]];
            return table(screen, &[("sky", Align::Left), ("", Align::Left)], &rows);
        }
    };
    let frame = sky
        .frame
        .clone()
        .unwrap_or_else(|| "no frame named".to_owned());
    let position = |(ra, dec): (f64, f64)| {
        let (h, d) = (hours(ra), degrees(dec));
        format!("{ra:.6} {dec:+.6} deg   {h} {d}")
    };
    let handed = match sky.orientation.is_mirrored() {
        true => "mirrored: east is to the right of north",
        false => "east is to the left of north",
    };
    let mut rows = vec![
        ("coordinates", format!("{}, {frame}", sky.form)),
        ("centre", position(sky.centre)),
        (
            "pixel scale",
            format!("{:.5} arcsec", sky.orientation.scale),
        ),
        (
            "size",
            format!("{} x {}", angle(sky.size.0), angle(sky.size.1)),
        ),
        (
            "position angle",
            format!(
                "{:.3} deg from north to upwards, {handed}",
                sky.orientation.position_angle
            ),
        ),
    ];
    match sky.corners {
        Some(corners) => {
            let names = ["lower left", "lower right", "upper right", "upper left"];
            rows.extend(names.into_iter().zip(corners.map(position)));
        }
        None => rows.push(("corners", "not all have a position on the sky".to_owned())),
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    table(screen, &[("sky", Align::Left), ("", Align::Left)], &rows)
}
