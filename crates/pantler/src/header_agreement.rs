//! Notices a header WCS that was edited beside the archive record that carries the same WCS.
//!
//! A file of the LSST stack, or an export of ours, says its WCS twice: as a record, which is exact and is what is read, and
//! as header cards, which other programs read and people edit. Where the two have come to differ, a put would take the
//! record, and the edit would be lost without a word.

use pantler_core::ObjectRef;
use pantler_core::object::downcast;
use pantler_objects::header_wcs::sky_wcs_cards;
use pantler_objects::{Exposure, Wcs};

/// The farthest that header cards may be from the record that they were fitted to; the fits of real files miss by less
/// than a thousandth of an arcsecond.
const TOLERANCE_ARCSECONDS: f64 = 0.01;

/// Returns how far, in arcseconds, an exposure's header WCS is from its record, if that is more than a fit's error; `None` where
/// there are not both, or where one of them cannot be evaluated.
pub(crate) fn disagreement(object: &ObjectRef) -> Option<f64> {
    let exposure = downcast::<Exposure>(object.as_ref())?;
    let record = exposure.wcs()?;
    record.carrier().persisted()?;
    let image = exposure.image()?;
    let pixels = image.pixel_box();
    let header = Wcs::from_header(sky_wcs_cards(image.header()), pixels.x0, pixels.y0);
    let (x0, y0) = (pixels.x0 as f64, pixels.y0 as f64);
    let (x1, y1) = (
        x0 + pixels.width as f64 - 1.0,
        y0 + pixels.height as f64 - 1.0,
    );
    let places = [
        (x0, y0),
        (x1, y0),
        (x0, y1),
        (x1, y1),
        ((x0 + x1) / 2.0, (y0 + y1) / 2.0),
    ];
    let (mine, theirs) = (
        record.pixel_to_sky(&places).ok()?,
        header.pixel_to_sky(&places).ok()?,
    );
    let farthest = mine
        .iter()
        .zip(&theirs)
        .map(|(a, b)| separation_arcseconds(*a, *b))
        .fold(0.0, f64::max);
    (farthest > TOLERANCE_ARCSECONDS).then_some(farthest)
}

/// The angle between two places on the sky, given in degrees: the haversine formula, exact for small angles.
fn separation_arcseconds(a: (f64, f64), b: (f64, f64)) -> f64 {
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let haversine =
        half(a.1, b.1) + a.1.to_radians().cos() * b.1.to_radians().cos() * half(a.0, b.0);
    2.0 * haversine.sqrt().min(1.0).asin().to_degrees() * 3600.0
}

#[cfg(test)]
mod tests {
    use super::separation_arcseconds;

    #[test]
    fn angles_are_small_and_large() {
        assert!((separation_arcseconds((10.0, 0.0), (10.0, 1.0 / 3600.0)) - 1.0).abs() < 1e-9);
        assert!((separation_arcseconds((359.9, 0.0), (0.1, 0.0)) - 720.0).abs() < 1e-6);
        assert!((separation_arcseconds((0.0, 90.0), (180.0, 90.0))).abs() < 1e-6);
    }
}
