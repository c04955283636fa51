//! Rectangles of parent pixels, as they are handed in and out.

use pantler::core::formatter::PixelBox;
use pantler::objects;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::failure::Failure;
use crate::wrapped::DataObject;

/// A rectangle of pixels, as the parent counts them from 0; it unpacks to x0, y0, width, height.
///
/// Parameters
/// ----------
/// x0, y0 : int
///     The first pixel.
/// width, height : int
///     How many columns and rows it has.
///
/// Examples
/// --------
/// >>> from pantler import Bbox
/// >>> x0, y0, width, height = Bbox(100, 200, 64, 32)
/// >>> width
/// 64
/// >>> butler.get("calexp:sfm", visit=903334, ccd=16, bbox=Bbox(100, 200, 64, 32)).bbox
/// Bbox(100, 200, 64, 32)
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Bbox {}
/// Returns x0, y0, width and height.
pub fn box_tuple(pixels: PixelBox) -> (i64, i64, u64, u64) {
    (pixels.x0, pixels.y0, pixels.width, pixels.height)
}

/// Returns a rectangle that was handed in: a Bbox, or x0, y0, width, height.
pub fn taken_box(given: &Bound<'_, PyAny>) -> PyResult<PixelBox> {
    if let Ok(bbox) = given.cast::<Bbox>() {
        let base = bbox.as_super().get();
        return Ok(base.as_class::<objects::Bbox>()?.pixels());
    }
    let numbers: Option<Vec<i64>> = given
        .try_iter()
        .and_then(|values| values.map(|value| value?.extract()).collect())
        .ok();
    let sides =
        |width: i64, height: i64| Some((u64::try_from(width).ok()?, u64::try_from(height).ok()?));
    if let Some(&[x0, y0, width, height]) = numbers.as_deref()
        && let Some((width, height)) = sides(width, height)
    {
        return Ok(PixelBox {
            x0,
            y0,
            width,
            height,
        });
    }
    Err(
        Failure::request(format!("{} is no rectangle of pixels", given.repr()?))
            .hint("it is a Bbox, or four whole numbers: x0, y0, width, height")
            .raise(given.py()),
    )
}

#[pymethods]
impl Bbox {
    /// Makes a rectangle whose first pixel is (x0, y0).
    #[new]
    fn new(x0: i64, y0: i64, width: u64, height: u64) -> PyClassInitializer<Bbox> {
        let pixels = PixelBox {
            x0,
            y0,
            width,
            height,
        };
        DataObject::started(Bbox {}, objects::Bbox::new(pixels))
    }

    /// The first column.
    #[getter]
    fn x0(slf: &Bound<'_, Self>) -> PyResult<i64> {
        Ok(pixels(slf)?.x0)
    }

    /// The first row.
    #[getter]
    fn y0(slf: &Bound<'_, Self>) -> PyResult<i64> {
        Ok(pixels(slf)?.y0)
    }

    /// The number of columns.
    #[getter]
    fn width(slf: &Bound<'_, Self>) -> PyResult<u64> {
        Ok(pixels(slf)?.width)
    }

    /// The number of rows.
    #[getter]
    fn height(slf: &Bound<'_, Self>) -> PyResult<u64> {
        Ok(pixels(slf)?.height)
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        box_tuple(pixels(slf)?)
            .into_bound_py_any(slf.py())?
            .try_iter()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let (x0, y0, width, height) = box_tuple(pixels(slf)?);
        Ok(format!("Bbox({x0}, {y0}, {width}, {height})"))
    }
}

fn pixels(slf: &Bound<'_, Bbox>) -> PyResult<PixelBox> {
    Ok(slf.as_super().get().as_class::<objects::Bbox>()?.pixels())
}
