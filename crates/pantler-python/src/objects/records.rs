//! The smaller objects of an exposure: what a visit was, what counts are worth, what a point looks like.

use std::sync::Arc;

use pantler::objects::header_calib::is_calib_card;
use pantler::objects::photo_calib::{Calibration, Counts, Measured};
use pantler::objects::{self, Described};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::coordinates::{numbers, points};
use crate::failure::Raise;
use crate::objects::metadata::header;
use crate::plain;
use crate::wrapped::{DataObject, wrap};

/// When, where and how an exposure was taken; what the file does not say is None.
///
/// Examples
/// --------
/// >>> visit = butler.get("calexp:sfm.visitInfo", visit=903334, ccd=16)
/// >>> visit.exposure_time
/// 30.0
/// >>> "exposure_time" in visit.values
/// True
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct VisitInfo {}

/// What counts are worth, all over an image.
///
/// Examples
/// --------
/// >>> calib = butler.get("calexp:sfm.photoCalib", visit=903334, ccd=16)
/// >>> flux, error = calib.nanojansky(1000.0, 10.0)
/// >>> bool(flux == 1000 * calib.mean)
/// True
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct PhotoCalib {}

/// A point spread function.
///
/// Examples
/// --------
/// >>> psf = butler.get("calexp:sfm.psf", visit=903334, ccd=16)
/// >>> psf
/// Psf(GaussianPsf)
/// >>> psf.is_varying
/// False
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Psf {}

#[pymethods]
impl VisitInfo {
    /// The values by name, in seconds, degrees, metres, pascal: those that the file says.
    #[getter]
    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        let (py, base) = (slf.py(), slf.as_super().get());
        let info = base.as_class::<objects::VisitInfo>()?;
        let dict = PyDict::new(py);
        for line in info.summary().or_raise(py)? {
            let value = plain::to_python(py, &line.value.document())?;
            if !value.is_none() {
                dict.set_item(line.name, value)?;
            }
        }
        Ok(dict)
    }

    /// The number of the exposure of the whole focal plane, or None.
    #[getter]
    fn id(slf: &Bound<'_, Self>) -> PyResult<Option<i64>> {
        Ok(visit(slf)?.id)
    }

    /// How long the shutter was open, in seconds, or None.
    #[getter]
    fn exposure_time(slf: &Bound<'_, Self>) -> PyResult<Option<f64>> {
        Ok(visit(slf)?.exposure_time)
    }

    /// The middle of the exposure as a modified Julian date of TAI, in days, or None.
    #[getter]
    fn mjd(slf: &Bound<'_, Self>) -> PyResult<Option<f64>> {
        Ok(visit(slf)?.date_avg.map(|date| date.mjd()))
    }

    /// ICRS right ascension and declination of the boresight, in degrees, or None.
    #[getter]
    fn boresight_radec(slf: &Bound<'_, Self>) -> PyResult<Option<(f64, f64)>> {
        Ok(visit(slf)?.boresight_radec)
    }

    /// The airmass at the boresight, or None.
    #[getter]
    fn boresight_airmass(slf: &Bound<'_, Self>) -> PyResult<Option<f64>> {
        Ok(visit(slf)?.boresight_airmass)
    }

    /// The short name of the instrument, or None.
    #[getter]
    fn instrument(slf: &Bound<'_, Self>) -> PyResult<Option<String>> {
        Ok(visit(slf)?.instrument)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let Ok(values) = visit(slf) else {
            return Ok("VisitInfo(not decoded)".to_owned());
        };
        let id = values
            .id
            .or(values.exposure_id)
            .map(|id| format!("id {id}"));
        let time = values.exposure_time.map(|time| format!("{time} s"));
        let parts: Vec<String> = [id, time].into_iter().flatten().collect();
        Ok(format!("VisitInfo({})", parts.join(", ")))
    }
}

fn visit(slf: &Bound<'_, VisitInfo>) -> PyResult<objects::VisitValues> {
    let base = slf.as_super().get();
    base.as_class::<objects::VisitInfo>()?
        .values()
        .or_raise(slf.py())
}

#[pymethods]
impl PhotoCalib {
    /// Makes a calibration of header cards.
    ///
    /// Parameters
    /// ----------
    /// cards
    ///     Metadata, a dictionary or a header of astropy with FLUXMAG0, the counts of a source of AB magnitude 0, and FLUXMAG0ERR, their
    ///     error.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import PhotoCalib
    /// >>> calib = PhotoCalib.from_header({"FLUXMAG0": 1e12, "FLUXMAG0ERR": 1e9})
    /// >>> magnitude, error = calib.magnitudes(1e4, 10.0)
    /// >>> round(float(magnitude), 3)
    /// 20.0
    #[staticmethod]
    fn from_header<'py>(cards: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = cards.py();
        let cards = header(cards)?.without(|card| !is_calib_card(card.keyword()));
        let calib = objects::PhotoCalib::new(objects::Carrier::Header(cards));
        // Evaluated once, so that cards that describe no calibration are refused here.
        calib.calibration().or_raise(py)?;
        wrap(py, Arc::new(calib))
    }

    /// The mean scale over the image, in nanojansky per count.
    #[getter]
    fn mean(slf: &Bound<'_, Self>) -> PyResult<f64> {
        Ok(calibration(slf)?.mean())
    }

    /// The standard deviation of the mean scale, in nanojansky per count; NaN where it is not known.
    #[getter]
    fn error(slf: &Bound<'_, Self>) -> PyResult<f64> {
        Ok(calibration(slf)?.error())
    }

    /// Returns the scale at pixels of the parent image, in nanojansky per count.
    ///
    /// Parameters
    /// ----------
    /// x, y : array_like
    ///     The pixels.
    ///
    /// Examples
    /// --------
    /// >>> calib = butler.get("calexp:sfm.photoCalib", visit=903334, ccd=16)
    /// >>> bool((calib.scale([0, 100], [0, 100]) == calib.mean).all())
    /// True
    fn scale<'py>(
        slf: &Bound<'py, Self>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let calibration = calibration(slf)?;
        let points = points(x, y)?;
        let pixels = &points.pairs;
        let scale = slf.py().detach(|| calibration.scale(pixels));
        points.shaped(&scale)
    }

    /// Returns fluxes in nanojansky, and their standard deviations.
    ///
    /// Parameters
    /// ----------
    /// counts, errors : array_like
    ///     The counts of sources, and their standard deviations.
    /// x, y : array_like, optional
    ///     Where they are in the parent image; (0, 0) where nothing is said.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import PhotoCalib
    /// >>> calib = PhotoCalib.from_header({"FLUXMAG0": 1e12, "FLUXMAG0ERR": 0.0})
    /// >>> flux, error = calib.nanojansky([1e3, 2e3], [10.0, 10.0])
    /// >>> flux.round(1)
    /// array([3630.8, 7261.6])
    #[pyo3(signature = (counts, errors, x=None, y=None))]
    fn nanojansky<'py>(
        slf: &Bound<'py, Self>,
        counts: &Bound<'py, PyAny>,
        errors: &Bound<'py, PyAny>,
        x: Option<&Bound<'py, PyAny>>,
        y: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        measured(
            slf,
            [Some(counts), Some(errors), x, y],
            Calibration::nanojansky,
        )
    }

    /// Returns AB magnitudes, and their standard deviations.
    ///
    /// Parameters
    /// ----------
    /// counts, errors : array_like
    ///     The counts of sources, and their standard deviations.
    /// x, y : array_like, optional
    ///     Where they are in the parent image; (0, 0) where nothing is said.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import PhotoCalib
    /// >>> calib = PhotoCalib.from_header({"FLUXMAG0": 1e12, "FLUXMAG0ERR": 0.0})
    /// >>> magnitude, error = calib.magnitudes([1e4, 1e2], [10.0, 10.0])
    /// >>> magnitude.round(3)
    /// array([20., 25.])
    #[pyo3(signature = (counts, errors, x=None, y=None))]
    fn magnitudes<'py>(
        slf: &Bound<'py, Self>,
        counts: &Bound<'py, PyAny>,
        errors: &Bound<'py, PyAny>,
        x: Option<&Bound<'py, PyAny>>,
        y: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        measured(
            slf,
            [Some(counts), Some(errors), x, y],
            Calibration::magnitudes,
        )
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        // An image that is not calibrated has one, too, and is shown all the same.
        Ok(match calibration(slf) {
            Ok(calibration) => format!("PhotoCalib({} nJy per count)", calibration.mean()),
            Err(_) => "PhotoCalib(not decoded)".to_owned(),
        })
    }
}

fn calibration(slf: &Bound<'_, PhotoCalib>) -> PyResult<Calibration> {
    let base = slf.as_super().get();
    base.as_class::<objects::PhotoCalib>()?
        .calibration()
        .or_raise(slf.py())
}

/// Calibrates sources: their counts, the errors of these, and their places, brought to one shape.
fn measured<'py>(
    slf: &Bound<'py, PhotoCalib>,
    given: [Option<&Bound<'py, PyAny>>; 4],
    what: fn(&Calibration, &[Counts]) -> Vec<Measured>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let (py, calibration) = (slf.py(), calibration(slf)?);
    let nought = 0.0_f64.into_bound_py_any(py)?;
    let [counts, errors, x, y] = given.map(|values| values.unwrap_or(&nought));
    let arrays = py
        .import("numpy")?
        .call_method1("broadcast_arrays", (counts, errors, x, y))?;
    let [counts, errors] = [arrays.get_item(0)?, arrays.get_item(1)?];
    let shape = points(&counts, &errors)?;
    let places = numbers(&arrays.get_item(2)?)?
        .into_iter()
        .zip(numbers(&arrays.get_item(3)?)?);
    let sources: Vec<Counts> = shape
        .pairs
        .iter()
        .zip(places)
        .map(|(&(value, error), (x, y))| Counts { value, error, x, y })
        .collect();
    let found = py.detach(|| what(&calibration, &sources));
    let pairs: Vec<(f64, f64)> = found.iter().map(|each| (each.value, each.error)).collect();
    shape.shaped_pairs(&pairs)
}

#[pymethods]
impl Psf {
    /// Returns the image of a point source, whose pixels add up to 1.
    ///
    /// Parameters
    /// ----------
    /// x, y : float
    ///     Where the source is, in pixels of the parent image.
    ///
    /// Examples
    /// --------
    /// >>> psf = butler.get("calexp:sfm.psf", visit=903334, ccd=16)
    /// >>> round(float(psf.image_at(100, 200).array.sum()), 6)
    /// 1.0
    fn image_at<'py>(slf: &Bound<'py, Self>, x: f64, y: f64) -> PyResult<Bound<'py, PyAny>> {
        let (py, psf) = (slf.py(), psf(slf)?);
        let image = py.detach(|| psf.image_at(x, y)).or_raise(py)?;
        wrap(py, Arc::new(image))
    }

    /// Returns the adaptive moments, in pixels: x, y, xx, yy, xy.
    ///
    /// Parameters
    /// ----------
    /// x, y : float
    ///     Where the source is, in pixels of the parent image.
    ///
    /// Examples
    /// --------
    /// >>> moments = butler.get("calexp:sfm.psf", visit=903334, ccd=16).moments_at(100, 200)
    /// >>> 1.5 < moments["xx"] ** 0.5 < 2.5
    /// True
    fn moments_at<'py>(slf: &Bound<'py, Self>, x: f64, y: f64) -> PyResult<Bound<'py, PyDict>> {
        let (py, psf) = (slf.py(), psf(slf)?);
        let moments = py.detach(|| psf.moments_at(x, y)).or_raise(py)?;
        let dict = PyDict::new(py);
        for (name, value) in [
            ("x", moments.x),
            ("y", moments.y),
            ("xx", moments.xx),
            ("yy", moments.yy),
            ("xy", moments.xy),
        ] {
            dict.set_item(name, value)?;
        }
        Ok(dict)
    }

    /// Returns which part of the flux of a point source lies within a radius.
    ///
    /// Parameters
    /// ----------
    /// x, y : float
    ///     Where the source is, in pixels of the parent image.
    /// radius : float
    ///     The radius in pixels.
    ///
    /// Examples
    /// --------
    /// >>> psf = butler.get("calexp:sfm.psf", visit=903334, ccd=16)
    /// >>> psf.aperture_flux(100, 200, 2.0) < psf.aperture_flux(100, 200, 6.0)
    /// True
    fn aperture_flux(slf: &Bound<'_, Self>, x: f64, y: f64, radius: f64) -> PyResult<f64> {
        let (py, psf) = (slf.py(), psf(slf)?);
        py.detach(|| psf.aperture_flux(x, y, radius)).or_raise(py)
    }

    /// The mean of the positions that it was measured at, or None.
    #[getter]
    fn average_position(slf: &Bound<'_, Self>) -> PyResult<Option<(f64, f64)>> {
        Ok(psf(slf)?.average_position())
    }

    /// Whether it is another one at another place.
    #[getter]
    fn is_varying(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(psf(slf)?.is_varying())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(match psf(slf) {
            Ok(psf) => format!("Psf({})", psf.class()),
            // A class that is kept and not decoded is shown all the same.
            Err(_) => "Psf(not decoded)".to_owned(),
        })
    }
}

fn psf(slf: &Bound<'_, Psf>) -> PyResult<objects::Psf> {
    let base = slf.as_super().get();
    objects::Psf::of(base.as_class::<objects::Component>()?).or_raise(slf.py())
}
