//! Coordinate systems.

use pantler::core::formatter::PixelBox;
use pantler::objects;
use pyo3::prelude::*;

use crate::coordinates::points;
use crate::failure::{Failure, Raise};
use crate::objects::bbox::taken_box;
use crate::objects::metadata::header;
use crate::wrapped::{DataObject, wrap};

/// A world coordinate system: pixels of the parent image, counted from 0, and positions on the sky in degrees.
///
/// Examples
/// --------
/// >>> wcs = butler.get("calexp:sfm.wcs", visit=903334, ccd=16)
/// >>> ra, dec = wcs.pixel_to_sky(100, 200)
/// >>> x, y = wcs.sky_to_pixel(ra, dec)
/// >>> round(float(x), 6), round(float(y), 6)
/// (100.0, 200.0)
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
    /// Makes a coordinate system of header cards.
    ///
    /// Parameters
    /// ----------
    /// cards
    ///     Metadata, a dictionary, or a header of astropy.
    /// x0, y0 : int
    ///     The place in the parent of the first pixel of the array that the cards are of.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import Wcs
    /// >>> wcs = Wcs.from_header({
    /// ...     "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 210.0, "CRVAL2": 54.0, "CRPIX1": 32.0, "CRPIX2": 32.0,
    /// ...     "CD1_1": -5e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 5e-5,
    /// ... })
    /// >>> ra, dec = wcs.pixel_to_sky(31, 31)
    /// >>> round(float(ra), 6), round(float(dec), 6)
    /// (210.0, 54.0)
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

    /// Returns the positions (right ascension, declination) of pixels in degrees; NaN where a pixel has none.
    ///
    /// Parameters
    /// ----------
    /// x, y : array_like
    ///     Pixels of the parent image; whole numbers are centres, counted from 0.
    ///
    /// Examples
    /// --------
    /// >>> wcs = butler.get("calexp:sfm.wcs", visit=903334, ccd=16)
    /// >>> ra, dec = wcs.pixel_to_sky([0, 511], [0, 511])
    /// >>> ra.round(3), dec.round(3)
    /// (array([...]), array([...]))
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

    /// Returns the pixels (x, y) at positions, the exact inverse of `pixel_to_sky`; NaN where there is none.
    ///
    /// Parameters
    /// ----------
    /// ra, dec : array_like
    ///     Right ascension and declination in degrees.
    ///
    /// Examples
    /// --------
    /// >>> wcs = butler.get("calexp:sfm.wcs", visit=903334, ccd=16)
    /// >>> x, y = wcs.sky_to_pixel(*wcs.pixel_to_sky(12.5, 30))
    /// >>> round(float(x), 6), round(float(y), 6)
    /// (12.5, 30.0)
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
    ///
    /// Parameters
    /// ----------
    /// x, y : float
    ///     Which pixel.
    ///
    /// Examples
    /// --------
    /// >>> wcs = butler.get("calexp:sfm.wcs", visit=903334, ccd=16)
    /// >>> round(wcs.pixel_scale(100, 200), 3)
    /// 0.2
    fn pixel_scale(slf: &Bound<'_, Self>, x: f64, y: f64) -> PyResult<f64> {
        wcs(slf)?.pixel_scale(x, y).or_raise(slf.py())
    }

    /// Returns the positions of the four corners of a rectangle of pixels, in degrees.
    ///
    /// Parameters
    /// ----------
    /// bbox : (x0, y0, width, height)
    ///     The rectangle.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> corners = exposure.wcs.footprint(exposure.bbox)
    /// >>> len(corners), len(corners[0])
    /// (4, 2)
    fn footprint(slf: &Bound<'_, Self>, bbox: &Bound<'_, PyAny>) -> PyResult<[(f64, f64); 4]> {
        wcs(slf)?.footprint(taken_box(bbox)?).or_raise(slf.py())
    }

    /// The name of the reference frame, `ICRS`, `FK5`; None where it is not said.
    #[getter]
    fn reference_frame(slf: &Bound<'_, Self>) -> PyResult<Option<String>> {
        wcs(slf)?.reference_frame().or_raise(slf.py())
    }

    /// Returns header cards for the array of a rectangle of pixels.
    ///
    /// Cards that say the same exactly need no rectangle, and are for an array that starts at (0, 0). Others are a fit over
    /// the rectangle, a gnomonic projection with SIP distortion, and without one they are refused.
    ///
    /// Parameters
    /// ----------
    /// bbox : (x0, y0, width, height), optional
    ///     The rectangle.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> exposure.wcs.to_header(exposure.bbox)["CTYPE1"]
    /// 'RA---TAN-SIP'
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

    /// Returns an astropy.wcs.WCS for the array of a rectangle of pixels, as `to_header` has it.
    ///
    /// Parameters
    /// ----------
    /// bbox : (x0, y0, width, height), optional
    ///     The rectangle.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> theirs = exposure.wcs.to_astropy(exposure.bbox)
    /// >>> np.allclose(theirs.all_pix2world(100, 200, 0), exposure.wcs.pixel_to_sky(100, 200), rtol=0, atol=1e-8)
    /// True
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
