//! Coordinate systems.

use pantler::core::formatter::PixelBox;
use pantler::objects;
use pyo3::prelude::*;

use crate::coordinates::points;
use crate::failure::{Failure, Raise};
use crate::objects::records::{header, taken_box};
use crate::wrapped::{DataObject, wrap};

/// A world coordinate system: pixels of the parent image, counted from 0, and positions on the sky in degrees.
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Wcs {}

/// What a header is asked for where nobody says for which pixels: cards that are exact hold for all.
const ANY_PIXELS: PixelBox = PixelBox {
    x0: 0,
    y0: 0,
    width: 1000,
    height: 1000,
};

#[pymethods]
impl Wcs {
    /// Makes a coordinate system of header cards (Metadata, a dictionary, or a header of astropy) of an array whose first pixel
    /// is (x0, y0) of the parent.
    #[staticmethod]
    #[pyo3(signature = (cards, x0=0, y0=0))]
    fn from_header<'py>(
        cards: &Bound<'py, PyAny>,
        x0: i64,
        y0: i64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = cards.py();
        let wcs =
            objects::Wcs::from_header(objects::header_wcs::sky_wcs_cards(&*header(cards)?), x0, y0);
        // Evaluated once, so that cards that describe no coordinates are refused here.
        wcs.reference_frame().or_raise(py)?;
        wrap(py, std::sync::Arc::new(wcs))
    }

    /// Returns the positions (right ascension, declination) in degrees of pixels; NaN where a pixel has none.
    fn pixel_to_sky<'py>(
        slf: &Bound<'py, Self>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (py, wcs) = (slf.py(), wcs(slf)?);
        let points = points(x, y)?;
        let pixels = &points.pairs;
        let positions = py.detach(|| wcs.pixel_to_sky(pixels)).or_raise(py)?;
        points.shaped_pairs(&positions)
    }

    /// Returns the pixels (x, y) at positions in degrees, the exact inverse of `pixel_to_sky`; NaN where there is none.
    fn sky_to_pixel<'py>(
        slf: &Bound<'py, Self>,
        ra: &Bound<'py, PyAny>,
        dec: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (py, wcs) = (slf.py(), wcs(slf)?);
        let points = points(ra, dec)?;
        let positions = &points.pairs;
        let pixels = py.detach(|| wcs.sky_to_pixel(positions)).or_raise(py)?;
        points.shaped_pairs(&pixels)
    }

    /// Returns how large a pixel is on the sky, in arcseconds.
    fn pixel_scale(slf: &Bound<'_, Self>, x: f64, y: f64) -> PyResult<f64> {
        wcs(slf)?.pixel_scale(x, y).or_raise(slf.py())
    }

    /// Returns the positions in degrees of the four corners of a rectangle (x0, y0, width, height) of pixels.
    fn footprint(slf: &Bound<'_, Self>, bbox: &Bound<'_, PyAny>) -> PyResult<[(f64, f64); 4]> {
        wcs(slf)?.footprint(taken_box(bbox)?).or_raise(slf.py())
    }

    /// The name of the reference frame, `ICRS`, `FK5`; None where it is not said.
    #[getter]
    fn reference_frame(slf: &Bound<'_, Self>) -> PyResult<Option<String>> {
        wcs(slf)?.reference_frame().or_raise(slf.py())
    }

    /// Returns header cards for the array of a rectangle (x0, y0, width, height) of pixels.
    ///
    /// Cards that say the same exactly need no rectangle, and are for an array that starts at (0, 0). Others are a fit over
    /// the rectangle, a gnomonic projection with SIP distortion, and without one they are refused.
    #[pyo3(signature = (bbox=None))]
    fn to_header<'py>(
        slf: &Bound<'py, Self>,
        bbox: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, wcs) = (slf.py(), wcs(slf)?);
        let wanted = bbox.map(taken_box).transpose()?;
        let cards = py
            .detach(|| wcs.header_for(wanted.unwrap_or(ANY_PIXELS)))
            .or_raise(py)?;
        if wanted.is_none() && cards.largest_residual > 0.0 {
            return Err(Failure::request(
                "no header says exactly the same as this coordinate system",
            )
            .because("it has a distortion that cards can only be fitted to, over some pixels")
            .hint("name the pixels: bbox=(x0, y0, width, height), for instance exposure.bbox")
            .raise(py));
        }
        wrap(py, std::sync::Arc::new(cards.cards))
    }

    /// Returns an astropy.wcs.WCS for the array of a rectangle (x0, y0, width, height) of pixels, as `to_header` has it.
    #[pyo3(signature = (bbox=None))]
    fn to_astropy<'py>(
        slf: &Bound<'py, Self>,
        bbox: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let header = Wcs::to_header(slf, bbox)?;
        slf.py()
            .import("pantler.astropy")?
            .call_method1("wcs", (header,))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let at = wcs(slf)?.tangent_point().ok().flatten();
        Ok(match at {
            Some((ra, dec)) => format!("Wcs(tangent point {ra:.5}, {dec:.5})"),
            None => "Wcs()".to_owned(),
        })
    }
}

fn wcs<'a>(slf: &'a Bound<'_, Wcs>) -> PyResult<&'a objects::Wcs> {
    slf.as_super().get().as_class()
}
