//! Exposures and masked images: planes of pixels, a header, and the components that say what the pixels mean.

use std::sync::Arc;

use pantler::objects;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::failure::{Failure, Raise};
use crate::objects::image;
use crate::objects::metadata::header;
use crate::taken;
use crate::wrapped::{DataObject, camel_case, wrap, wrap_part};

/// Pixels with all that says what they mean.
///
/// Parameters
/// ----------
/// image, variance : Image or array_like, optional
///     Planes of one size. The first pixel of an array is (0, 0) of the parent.
/// mask : Mask, optional
///     The mask.
/// metadata : optional
///     The header: Metadata, a dictionary, or a header of astropy.
/// **components
///     Further components by name: `wcs=…, photo_calib=…`.
///
/// Examples
/// --------
/// >>> from pantler import Exposure
/// >>> exposure = Exposure(np.zeros((20, 30), "float32"), metadata={"OBSERVER": "Ada"})
/// >>> exposure
/// Exposure(30×20 float32 at (0, 0): image)
/// >>> exposure.image.array.shape, exposure.metadata["OBSERVER"], exposure.wcs
/// ((20, 30), 'Ada', None)
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Exposure {}

/// An image with its mask and its variance, each of which may be absent.
///
/// Parameters
/// ----------
/// image, variance : Image or array_like, optional
///     Planes of one size. The first pixel of an array is (0, 0) of the parent.
/// mask : Mask, optional
///     The mask.
/// metadata : optional
///     The header: Metadata, a dictionary, or a header of astropy.
///
/// Examples
/// --------
/// >>> from pantler import MaskedImage
/// >>> MaskedImage(np.zeros((20, 30), "float32"))
/// MaskedImage(30×20 float32 at (0, 0))
/// >>> butler.get("calexp:sfm", visit=903334, ccd=16).masked_image.variance is None
/// False
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct MaskedImage {}

/// Returns a plane that was handed in: an image, or an array, whose first pixel is then (0, 0) of the parent.
fn image_plane(given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Arc<objects::Image>>> {
    let Some(given) = given.filter(|given| !given.is_none()) else {
        return Ok(None);
    };
    match given.cast::<image::Image>() {
        Ok(image) => image.as_super().get().shared().map(Some),
        Err(_) => image::of_array(given, 0, 0).map(|image| Some(Arc::new(image))),
    }
}

fn mask_plane(given: Option<&Bound<'_, image::Mask>>) -> PyResult<Option<Arc<objects::Mask>>> {
    given.map(|mask| mask.as_super().get().shared()).transpose()
}

/// Describes planes: `image, mask, variance of 4176×2048 float32 at (0, 0)`.
fn planes(
    image: Option<&Arc<objects::Image>>,
    mask: Option<&Arc<objects::Mask>>,
    variance: Option<&Arc<objects::Image>>,
) -> String {
    match (image.or(variance), mask) {
        (Some(image), _) => image::described(image),
        (None, Some(mask)) => format!("mask of {}×{}", mask.width(), mask.height()),
        (None, None) => "no planes".to_owned(),
    }
}

#[pymethods]
impl Exposure {
    /// Puts planes of one size together with a header and further components, by name: `wcs=…, photo_calib=…`.
    #[new]
    #[pyo3(signature = (image=None, mask=None, variance=None, metadata=None, **components))]
    fn new(
        py: Python<'_>,
        image: Option<&Bound<'_, PyAny>>,
        mask: Option<&Bound<'_, image::Mask>>,
        variance: Option<&Bound<'_, PyAny>>,
        metadata: Option<&Bound<'_, PyAny>>,
        components: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Exposure>> {
        let metadata = metadata.map(header).transpose()?.unwrap_or_default();
        let mut exposure = objects::Exposure::new(
            image_plane(image)?,
            mask_plane(mask)?,
            image_plane(variance)?,
            metadata,
        )
        .or_raise(py)?;
        for (name, value) in components.iter().flat_map(|components| components.iter()) {
            let name = camel_case(name.extract::<&str>()?);
            exposure = exposure.with(&name, &taken::object(&value)?).or_raise(py)?;
        }
        Ok(DataObject::started(Exposure {}, exposure))
    }

    /// The pixels, or None.
    #[getter]
    fn image<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), exposure(slf)?.image())
    }

    /// The mask, or None.
    #[getter]
    fn mask<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), exposure(slf)?.mask())
    }

    /// The variance, or None.
    #[getter]
    fn variance<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), exposure(slf)?.variance())
    }

    /// The primary header.
    #[getter]
    fn metadata<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), Some(exposure(slf)?.metadata()))
    }

    /// The coordinate system, or None.
    #[getter]
    fn wcs<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), exposure(slf)?.wcs())
    }

    /// The photometric calibration, or None.
    #[getter]
    fn photo_calib<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), exposure(slf)?.photo_calib())
    }

    /// When, where and how it was taken, or None.
    #[getter]
    fn visit_info<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), exposure(slf)?.visit_info())
    }

    /// The point spread function, or None.
    #[getter]
    fn psf<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), exposure(slf)?.others().get("psf"))
    }

    /// The planes and the header alone.
    #[getter]
    fn masked_image<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        wrap(slf.py(), Arc::new(exposure(slf)?.masked_image()))
    }

    /// Returns a copy with another image, which shares the rest.
    ///
    /// Parameters
    /// ----------
    /// image : Image or array_like
    ///     The image, of the same size.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> brighter = exposure.with_image(exposure.image.array * 2)
    /// >>> np.shares_memory(brighter.mask.array, exposure.mask.array)
    /// True
    fn with_image<'py>(
        slf: &Bound<'py, Self>,
        image: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with_plane(slf, "image", image)
    }

    /// Returns a copy with another mask.
    ///
    /// Parameters
    /// ----------
    /// mask : Mask
    ///     The mask, of the same size.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> clean = exposure.mask.with_array(np.zeros_like(exposure.mask.array))
    /// >>> int(exposure.with_mask(clean).mask.array.sum())
    /// 0
    fn with_mask<'py>(
        slf: &Bound<'py, Self>,
        mask: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with(slf, "mask", mask)
    }

    /// Returns a copy with another variance.
    ///
    /// Parameters
    /// ----------
    /// variance : Image or array_like
    ///     The variance, of the same size.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> noisier = exposure.with_variance(exposure.variance.array * 4)
    /// >>> np.shares_memory(noisier.image.array, exposure.image.array)
    /// True
    fn with_variance<'py>(
        slf: &Bound<'py, Self>,
        variance: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with_plane(slf, "variance", variance)
    }

    /// Returns a copy with another header.
    ///
    /// Parameters
    /// ----------
    /// metadata
    ///     Metadata, a dictionary, or a header of astropy.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> cards = exposure.metadata.with_card("OBSERVER", "Ada")
    /// >>> exposure.with_metadata(cards).metadata["OBSERVER"]
    /// 'Ada'
    fn with_metadata<'py>(
        slf: &Bound<'py, Self>,
        metadata: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let object: pantler::ObjectRef = header(metadata)?;
        let copy = exposure(slf)?
            .with("metadata", &object)
            .or_raise(slf.py())?;
        wrap(slf.py(), Arc::new(copy))
    }

    /// Returns a copy with another coordinate system; every trace of the old one is gone.
    ///
    /// Parameters
    /// ----------
    /// wcs : Wcs
    ///     The coordinate system.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> wcs = butler.get("jointcal_wcs", visit=903334, ccd=16, tract=0)
    /// >>> exposure.with_wcs(wcs).wcs == wcs
    /// True
    fn with_wcs<'py>(
        slf: &Bound<'py, Self>,
        wcs: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with(slf, "wcs", wcs)
    }

    /// Returns a copy with another photometric calibration; every trace of the old one is gone.
    ///
    /// Parameters
    /// ----------
    /// photo_calib : PhotoCalib
    ///     The calibration.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> calib = butler.get("jointcal_calib", visit=903334, ccd=16, tract=0)
    /// >>> exposure.with_photo_calib(calib).photo_calib == calib
    /// True
    fn with_photo_calib<'py>(
        slf: &Bound<'py, Self>,
        photo_calib: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        with(slf, "photoCalib", photo_calib)
    }

    /// Returns a copy without a component, and without all that said the same.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The component's name.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> exposure.without("psf").psf is None
    /// True
    fn without<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        wrap(
            slf.py(),
            Arc::new(exposure(slf)?.without(&camel_case(name))),
        )
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let exposure = exposure(slf)?;
        let planes = planes(exposure.image(), exposure.mask(), exposure.variance());
        let mut names = slf.as_super().get().whole().component_names();
        names.retain(|name| !matches!(name.as_str(), "bbox" | "metadata"));
        Ok(format!("Exposure({planes}: {})", names.join(", ")))
    }
}

fn exposure<'a>(slf: &'a Bound<'_, Exposure>) -> PyResult<&'a objects::Exposure> {
    slf.as_super().get().as_class()
}

fn with<'py>(
    slf: &Bound<'py, Exposure>,
    name: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let value = taken::object(value)?;
    let copy = exposure(slf)?.with(name, &value).or_raise(slf.py())?;
    wrap(slf.py(), Arc::new(copy))
}

/// Pixels as they are handed in: an array has the place of the plane that it stands for.
fn with_plane<'py>(
    slf: &Bound<'py, Exposure>,
    name: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if value.is_instance_of::<DataObject>() {
        return with(slf, name, value);
    }
    let old = exposure(slf)?;
    let Some(pixels) = old.pixel_box() else {
        return Err(
            Failure::request("the exposure has no planes, so an array has no place in it")
                .hint("hand in an Image")
                .raise(slf.py()),
        );
    };
    let plane = image::of_array(value, pixels.x0, pixels.y0)?;
    let before = if name == "image" {
        old.image()
    } else {
        old.variance()
    };
    let plane = match before {
        Some(before) => plane.with_header(before.header().clone()),
        None => plane,
    };
    let plane: pantler::ObjectRef = Arc::new(plane);
    let copy = old.with(name, &plane).or_raise(slf.py())?;
    wrap(slf.py(), Arc::new(copy))
}

#[pymethods]
impl MaskedImage {
    /// Puts planes of one size together, with a header.
    #[new]
    #[pyo3(signature = (image=None, mask=None, variance=None, metadata=None))]
    fn new(
        py: Python<'_>,
        image: Option<&Bound<'_, PyAny>>,
        mask: Option<&Bound<'_, image::Mask>>,
        variance: Option<&Bound<'_, PyAny>>,
        metadata: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<MaskedImage>> {
        let metadata = metadata.map(header).transpose()?.unwrap_or_default();
        let whole = objects::MaskedImage::new(
            image_plane(image)?,
            mask_plane(mask)?,
            image_plane(variance)?,
            metadata,
        )
        .or_raise(py)?;
        Ok(DataObject::started(MaskedImage {}, whole))
    }

    /// The pixels, or None.
    #[getter]
    fn image<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), masked_image(slf)?.image())
    }

    /// The mask, or None.
    #[getter]
    fn mask<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), masked_image(slf)?.mask())
    }

    /// The variance, or None.
    #[getter]
    fn variance<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), masked_image(slf)?.variance())
    }

    /// The header of the whole.
    #[getter]
    fn metadata<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), Some(masked_image(slf)?.metadata()))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let whole = masked_image(slf)?;
        let planes = planes(whole.image(), whole.mask(), whole.variance());
        Ok(format!("MaskedImage({planes})"))
    }
}

fn masked_image<'a>(slf: &'a Bound<'_, MaskedImage>) -> PyResult<&'a objects::MaskedImage> {
    slf.as_super().get().as_class()
}
