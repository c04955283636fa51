//! Images and masks: planes of pixels.

use std::collections::BTreeMap;

use pantler::core::formatter::PixelBox;
use pantler::objects::{self, Pixels};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::failure::{Failure, Raise};
use crate::objects::bbox::{box_tuple, taken_box};
use crate::view;
use crate::wrapped::{DataObject, wrap, wrap_part};

/// A two-dimensional image, whose first pixel has a place in its parent.
///
/// Parameters
/// ----------
/// array : array_like
///     The pixels (rows, columns); they are copied.
/// x0, y0 : int
///     The place of the first pixel in the parent.
/// metadata : optional
///     The header: Metadata, a dictionary, or a header of astropy.
///
/// Examples
/// --------
/// >>> from pantler import Image
/// >>> image = Image(np.zeros((20, 30), "float32"), x0=100)
/// >>> image.bbox
/// Bbox(100, 0, 30, 20)
/// >>> image.array.shape, image.array.flags.writeable
/// ((20, 30), False)
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Image {}

/// A mask: 32 bits for each pixel, and the planes' names.
///
/// Parameters
/// ----------
/// array : array_like
///     The bits (rows, columns), as integers of 32 bits.
/// planes : dict
///     The bit of each plane, from 0, by name.
/// x0, y0 : int
///     The place of the first pixel in the parent.
///
/// Examples
/// --------
/// >>> from pantler import Mask
/// >>> mask = Mask(np.array([[0, 1], [2, 3]], "int32"), {"BAD": 0, "SAT": 1})
/// >>> mask.plane("SAT")
/// array([[False, False],
///        [ True,  True]])
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Mask {}

/// How large the sides are, as numpy counts them: rows, columns.
fn shape(pixels: PixelBox) -> [usize; 2] {
    // The pixels are in memory, so their numbers fit.
    [pixels.height as usize, pixels.width as usize]
}

/// Describes pixels: `4176×2048 float32 at (0, 0)`.
pub fn described(image: &objects::Image) -> String {
    let pixels = image.pixel_box();
    let kind = image.pixels().pixel_type();
    format!(
        "{}×{} {kind} at ({}, {})",
        pixels.width, pixels.height, pixels.x0, pixels.y0
    )
}

/// Returns an array of two dimensions in rows, in the machine's order of bytes.
fn in_rows<'py>(array: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, [u64; 2])> {
    let py = array.py();
    let array = py
        .import("numpy")?
        .call_method1("ascontiguousarray", (array,))?;
    let native = array
        .getattr("dtype")?
        .call_method1("newbyteorder", ("=",))?;
    let options = PyDict::new(py);
    options.set_item("copy", false)?;
    let array = array.call_method("astype", (native,), Some(&options))?;
    let shape: Vec<u64> = array.getattr("shape")?.extract()?;
    let [height, width] = shape[..] else {
        let message = format!(
            "pixels have two dimensions, and this array has {}",
            shape.len()
        );
        return Err(Failure::request(message).raise(py));
    };
    Ok((array, [height, width]))
}

/// Makes an image of an array, whose pixels are copied.
pub fn of_array(array: &Bound<'_, PyAny>, x0: i64, y0: i64) -> PyResult<objects::Image> {
    let py = array.py();
    let (array, [height, width]) = in_rows(array)?;
    let name: String = array.getattr("dtype")?.getattr("name")?.extract()?;
    macro_rules! copied {
        ($type:ty, $variant:ident) => {
            Pixels::$variant(objects::pixel_buffer::aligned(
                PyBuffer::<$type>::get(&array)?.to_vec(py)?,
            ))
        };
    }
    let pixels = match name.as_str() {
        "uint8" => copied!(u8, U8),
        "int8" => copied!(i8, I8),
        "uint16" => copied!(u16, U16),
        "int16" => copied!(i16, I16),
        "uint32" => copied!(u32, U32),
        "int32" => copied!(i32, I32),
        "uint64" => copied!(u64, U64),
        "int64" => copied!(i64, I64),
        "float32" => copied!(f32, F32),
        "float64" => copied!(f64, F64),
        other => {
            return Err(Failure::request(format!("pixels cannot be {other}"))
                .hint("they are integers of 8 to 64 bits, float32 or float64")
                .raise(py));
        }
    };
    objects::Image::new(pixels, width, height, x0, y0).or_raise(py)
}

#[pymethods]
impl Image {
    /// Makes an image of an array (rows, columns), whose first pixel is (x0, y0) of the parent; the pixels are copied.
    #[new]
    #[pyo3(signature = (array, x0=0, y0=0, *, metadata=None))]
    fn new(
        array: &Bound<'_, PyAny>,
        x0: i64,
        y0: i64,
        metadata: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Image>> {
        let mut image = of_array(array, x0, y0)?;
        if let Some(metadata) = metadata {
            image = image.with_header(crate::objects::metadata::header(metadata)?);
        }
        Ok(DataObject::started(Image {}, image))
    }

    /// The pixels (rows, columns): a view on the engine's memory that cannot be written; `.copy()` gives one to change.
    #[getter]
    fn array<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, base) = (slf.py(), slf.as_super().get());
        let image = base.as_class::<objects::Image>()?;
        let shape = shape(image.pixel_box());
        match image.pixels() {
            Pixels::U8(pixels) => view::array(py, pixels, &shape),
            Pixels::I8(pixels) => view::array(py, pixels, &shape),
            Pixels::U16(pixels) => view::array(py, pixels, &shape),
            Pixels::I16(pixels) => view::array(py, pixels, &shape),
            Pixels::U32(pixels) => view::array(py, pixels, &shape),
            Pixels::I32(pixels) => view::array(py, pixels, &shape),
            Pixels::U64(pixels) => view::array(py, pixels, &shape),
            Pixels::I64(pixels) => view::array(py, pixels, &shape),
            Pixels::F32(pixels) => view::array(py, pixels, &shape),
            Pixels::F64(pixels) => view::array(py, pixels, &shape),
        }
    }

    /// The header of its plane or file.
    #[getter]
    fn metadata<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let base = slf.as_super().get();
        wrap_part(slf.py(), Some(base.as_class::<objects::Image>()?.header()))
    }

    /// The coordinate system, where the header describes one; else None.
    #[getter]
    fn wcs<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let base = slf.as_super().get();
        wrap_part(slf.py(), base.as_class::<objects::Image>()?.wcs())
    }

    /// Returns a copy with other pixels, in the same place and under the same header.
    ///
    /// Parameters
    /// ----------
    /// array : array_like
    ///     The pixels (rows, columns).
    ///
    /// Examples
    /// --------
    /// >>> image = butler.get("calexp:sfm.image", visit=903334, ccd=16)
    /// >>> brighter = image.with_array(image.array + 5)
    /// >>> brighter.bbox == image.bbox
    /// True
    fn with_array<'py>(
        slf: &Bound<'py, Self>,
        array: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let base = slf.as_super().get();
        let image = base.as_class::<objects::Image>()?;
        let PixelBox { x0, y0, .. } = image.pixel_box();
        let copy = of_array(array, x0, y0)?.with_header(image.header().clone());
        wrap(slf.py(), std::sync::Arc::new(copy))
    }

    /// Returns some of the pixels, which keep their place in the parent.
    ///
    /// Parameters
    /// ----------
    /// bbox : (x0, y0, width, height)
    ///     Which pixels, as the parent counts them.
    ///
    /// Examples
    /// --------
    /// >>> image = butler.get("calexp:sfm.image", visit=903334, ccd=16)
    /// >>> image.cutout((100, 200, 3, 2)).bbox
    /// Bbox(100, 200, 3, 2)
    fn cutout<'py>(
        slf: &Bound<'py, Self>,
        bbox: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, base) = (slf.py(), slf.as_super().get());
        let image = base.as_class::<objects::Image>()?;
        let wanted = taken_box(bbox)?;
        let section = py.detach(|| image.section(wanted)).or_raise(py)?;
        wrap(py, std::sync::Arc::new(section))
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        converted(Image::array(slf)?, dtype, copy)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let base = slf.as_super().get();
        Ok(format!(
            "Image({})",
            described(base.as_class::<objects::Image>()?)
        ))
    }
}

/// What `numpy.asarray` asks for beside the array itself.
pub fn converted<'py>(
    array: Bound<'py, PyAny>,
    dtype: Option<Bound<'py, PyAny>>,
    copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    let dtype = match dtype {
        Some(dtype) if !dtype.is_none() => dtype,
        _ => array.getattr("dtype")?,
    };
    let options = PyDict::new(array.py());
    options.set_item("copy", copy.unwrap_or(false))?;
    array.call_method("astype", (dtype,), Some(&options))
}

fn mask_array(array: &Bound<'_, PyAny>) -> PyResult<(Vec<i32>, [u64; 2])> {
    let py = array.py();
    let (array, shape) = in_rows(array)?;
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    if !matches!(kind.as_str(), "i" | "u" | "b") {
        let name = array.getattr("dtype")?.str()?;
        return Err(Failure::request(format!("a mask holds bits, and cannot be {name}")).raise(py));
    }
    let cast = array.call_method1("astype", ("int32",))?;
    let back = cast.call_method1("astype", (array.getattr("dtype")?,))?;
    let same = py
        .import("numpy")?
        .call_method1("array_equal", (&array, back))?;
    if !same.is_truthy()? {
        return Err(
            Failure::request("a mask has 32 bits, and some of these values have more").raise(py),
        );
    }
    Ok((PyBuffer::<i32>::get(&cast)?.to_vec(py)?, shape))
}

#[pymethods]
impl Mask {
    /// Makes a mask of an array of integers (rows, columns) and the planes' names with their bits, 0 to 31.
    #[new]
    #[pyo3(signature = (array, planes, x0=0, y0=0))]
    fn new(
        array: &Bound<'_, PyAny>,
        planes: BTreeMap<String, u8>,
        x0: i64,
        y0: i64,
    ) -> PyResult<PyClassInitializer<Mask>> {
        let (pixels, [height, width]) = mask_array(array)?;
        let mask =
            objects::Mask::new(pixels, width, height, x0, y0, planes).or_raise(array.py())?;
        Ok(DataObject::started(Mask {}, mask))
    }

    /// The bits (rows, columns): a view on the engine's memory that cannot be written; `.copy()` gives one to change.
    #[getter]
    fn array<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let base = slf.as_super().get();
        let mask = base.as_class::<objects::Mask>()?;
        view::array(slf.py(), mask.pixels(), &shape(mask.pixel_box()))
    }

    /// The planes' names, each with the number of its bit.
    #[getter]
    fn planes(slf: &Bound<'_, Self>) -> PyResult<BTreeMap<String, u8>> {
        let base = slf.as_super().get();
        Ok(base.as_class::<objects::Mask>()?.planes().clone())
    }

    /// The header of its plane or file.
    #[getter]
    fn metadata<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let base = slf.as_super().get();
        wrap_part(slf.py(), Some(base.as_class::<objects::Mask>()?.header()))
    }

    /// Returns where one plane is set, as an array of True and False.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The plane's name.
    ///
    /// Examples
    /// --------
    /// >>> mask = butler.get("calexp:sfm.mask", visit=903334, ccd=16)
    /// >>> "EDGE" in mask.planes
    /// True
    /// >>> bool(mask.plane("EDGE")[0].all())
    /// True
    fn plane<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let (py, base) = (slf.py(), slf.as_super().get());
        let mask = base.as_class::<objects::Mask>()?;
        let Some(bit) = mask.planes().get(name) else {
            let names: Vec<&str> = mask.planes().keys().map(String::as_str).collect();
            return Err(Failure::of(
                pantler::core::report::Kind::NotFound,
                format!("this mask has no plane `{name}`"),
            )
            .hint(format!("it has {}", names.join(", ")))
            .raise(py));
        };
        // As the bit that it is: the highest one makes the number negative.
        let bits =
            Mask::array(slf)?.call_method1("__and__", (1_i32.wrapping_shl((*bit).into()),))?;
        bits.call_method1("__ne__", (0,))
    }

    /// Returns a copy with other bits, in the same place.
    ///
    /// Parameters
    /// ----------
    /// array : array_like
    ///     The bits (rows, columns).
    /// planes : dict, optional
    ///     The bit of each plane by name; those of this mask if nothing is said.
    ///
    /// Examples
    /// --------
    /// >>> mask = butler.get("calexp:sfm.mask", visit=903334, ccd=16)
    /// >>> clean = mask.with_array(np.zeros_like(mask.array))
    /// >>> clean.planes == mask.planes, int(clean.array.sum())
    /// (True, 0)
    #[pyo3(signature = (array, planes=None))]
    fn with_array<'py>(
        slf: &Bound<'py, Self>,
        array: &Bound<'py, PyAny>,
        planes: Option<BTreeMap<String, u8>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, base) = (slf.py(), slf.as_super().get());
        let mask = base.as_class::<objects::Mask>()?;
        let (pixels, [height, width]) = mask_array(array)?;
        let old = mask.pixel_box();
        if (old.width, old.height) != (width, height) {
            let message = format!(
                "the mask has {} rows of {} pixels, and the array {height} of {width}",
                old.height, old.width
            );
            return Err(Failure::request(message).raise(py));
        }
        let planes = planes.unwrap_or_else(|| mask.planes().clone());
        let copy = mask.with_pixels(pixels, planes).or_raise(py)?;
        wrap(py, std::sync::Arc::new(copy))
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        converted(Mask::array(slf)?, dtype, copy)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let base = slf.as_super().get();
        let mask = base.as_class::<objects::Mask>()?;
        let (x0, y0, width, height) = box_tuple(mask.pixel_box());
        let planes = mask.planes().len();
        Ok(format!(
            "Mask({width}×{height} at ({x0}, {y0}), {planes} planes)"
        ))
    }
}
