//! Small values: rectangles, headers, visits, calibrations, point spread functions.

use std::sync::Arc;

use pantler::core::formatter::PixelBox;
use pantler::objects::header_calib::is_calib_card;
use pantler::objects::photo_calib::{Calibration, Counts, Measured};
use pantler::objects::{self, Card, Described};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::coordinates::{numbers, points};
use crate::failure::{Failure, Raise};
use crate::plain;
use crate::wrapped::{DataObject, wrap};

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

/// Header cards in order; a keyword may stand several times.
///
/// Parameters
/// ----------
/// cards
///     A dictionary, or a header of astropy.
///
/// Examples
/// --------
/// >>> from pantler import Metadata
/// >>> cards = Metadata({"OBSERVER": "Ada", "EXPTIME": 30.0})
/// >>> cards["EXPTIME"], "AIRMASS" in cards, len(cards)
/// (30.0, False, 2)
#[pyclass(frozen, extends = DataObject, module = "pantler", mapping)]
pub struct Metadata {}

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

/// Returns a header that was handed in: Metadata, a dictionary, or a header of astropy.
pub fn header(given: &Bound<'_, PyAny>) -> PyResult<Arc<objects::Metadata>> {
    if let Ok(metadata) = given.cast::<Metadata>() {
        return metadata.as_super().get().shared();
    }
    let mut cards = Vec::new();
    if let Ok(dict) = given.cast::<PyDict>() {
        for (keyword, value) in dict.iter() {
            let keyword: String = keyword.extract()?;
            cards.push(Card::new(
                keyword.clone(),
                plain::to_card_value(&keyword, &value)?,
                None,
            ));
        }
    } else if given.hasattr("cards")? {
        let undefined = given
            .py()
            .import("astropy.io.fits")?
            .getattr("card")?
            .getattr("Undefined")?;
        for card in given.getattr("cards")?.try_iter()? {
            let card = card?;
            let keyword: String = card.getattr("keyword")?.extract()?;
            let mut value = card.getattr("value")?;
            if value.is_instance(&undefined)? {
                value = given.py().None().into_bound(given.py());
            }
            let comment: String = card.getattr("comment")?.extract()?;
            let value = plain::to_card_value(&keyword, &value)?;
            cards.push(Card::new(
                keyword,
                value,
                Some(comment).filter(|text| !text.is_empty()),
            ));
        }
    } else {
        let class = given.get_type().name()?;
        return Err(Failure::request(format!("a {class} is no header"))
            .hint("a header is Metadata, a dictionary, or an astropy.io.fits.Header")
            .raise(given.py()));
    }
    Ok(Arc::new(objects::Metadata::new(cards)))
}

fn metadata<'a>(slf: &'a Bound<'_, Metadata>) -> PyResult<&'a objects::Metadata> {
    slf.as_super().get().as_class()
}

#[pymethods]
impl Metadata {
    /// Makes cards of a dictionary or of a header of astropy.
    #[new]
    fn new(cards: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Metadata>> {
        let cards = header(cards)?;
        Ok(DataObject::started(Metadata {}, (*cards).clone()))
    }

    fn __getitem__<'py>(slf: &Bound<'py, Self>, keyword: &str) -> PyResult<Bound<'py, PyAny>> {
        match metadata(slf)?.get(keyword) {
            Some(value) => plain::card_value(slf.py(), value),
            None => Err(PyKeyError::new_err(keyword.to_owned())),
        }
    }

    /// Returns the value of the first card with this keyword.
    ///
    /// Parameters
    /// ----------
    /// keyword : str
    ///     The keyword.
    /// default
    ///     What is returned where there is none.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import Metadata
    /// >>> Metadata({"EXPTIME": 30.0}).get("AIRMASS", 1.0)
    /// 1.0
    #[pyo3(signature = (keyword, default=None))]
    fn get<'py>(
        slf: &Bound<'py, Self>,
        keyword: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match metadata(slf)?.get(keyword) {
            Some(value) => plain::card_value(slf.py(), value).map(Some),
            None => Ok(default),
        }
    }

    /// Returns the values of all cards with this keyword, in order.
    ///
    /// Parameters
    /// ----------
    /// keyword : str
    ///     The keyword.
    ///
    /// Examples
    /// --------
    /// >>> from astropy.io import fits
    /// >>> from pantler import Metadata
    /// >>> header = fits.Header()
    /// >>> header["HISTORY"] = "bias subtracted"
    /// >>> header["HISTORY"] = "flat fielded"
    /// >>> Metadata(header).get_all("HISTORY")
    /// ['bias subtracted', 'flat fielded']
    fn get_all<'py>(slf: &Bound<'py, Self>, keyword: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
        metadata(slf)?
            .get_all(keyword)
            .map(|card| plain::card_value(slf.py(), card.value()))
            .collect()
    }

    /// Returns the keywords in order, each once.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import Metadata
    /// >>> Metadata({"OBSERVER": "Ada", "EXPTIME": 30.0}).keys()
    /// ['OBSERVER', 'EXPTIME']
    fn keys(slf: &Bound<'_, Self>) -> PyResult<Vec<String>> {
        let mut keys: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for card in metadata(slf)?.iter() {
            if seen.insert(card.keyword()) {
                keys.push(card.keyword().to_owned());
            }
        }
        Ok(keys)
    }

    /// Returns all cards in order: keyword, value, comment.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import Metadata
    /// >>> Metadata({"EXPTIME": 30.0}).with_card("FILTER", "r", "as mounted").cards()
    /// [('EXPTIME', 30.0, ''), ('FILTER', 'r', 'as mounted')]
    fn cards<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let py = slf.py();
        let list = PyList::empty(py);
        for card in metadata(slf)?.iter() {
            let value = plain::card_value(py, card.value())?;
            list.append((card.keyword(), value, card.comment().unwrap_or_default()))?;
        }
        Ok(list)
    }

    /// Returns a copy in which the keyword stands once, with this value.
    ///
    /// Parameters
    /// ----------
    /// keyword : str
    ///     The keyword.
    /// value
    ///     Text, a number, True, False or None.
    /// comment : str, optional
    ///     What stands behind it.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import Metadata
    /// >>> cards = Metadata({"EXPTIME": 30.0})
    /// >>> cards.with_card("EXPTIME", 31.5)["EXPTIME"], cards["EXPTIME"]
    /// (31.5, 30.0)
    #[pyo3(signature = (keyword, value, comment=None))]
    fn with_card<'py>(
        slf: &Bound<'py, Self>,
        keyword: &str,
        value: &Bound<'py, PyAny>,
        comment: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let value = plain::to_card_value(keyword, value)?;
        wrap(
            slf.py(),
            Arc::new(metadata(slf)?.with(keyword, value, comment)),
        )
    }

    /// Returns a copy without the cards of this keyword.
    ///
    /// Parameters
    /// ----------
    /// keyword : str
    ///     The keyword.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import Metadata
    /// >>> Metadata({"OBSERVER": "Ada", "EXPTIME": 30.0}).without("OBSERVER").keys()
    /// ['EXPTIME']
    fn without<'py>(slf: &Bound<'py, Self>, keyword: &str) -> PyResult<Bound<'py, PyAny>> {
        let less = metadata(slf)?.without(|card| card.keyword() == keyword);
        wrap(slf.py(), Arc::new(less))
    }

    /// Returns an astropy.io.fits.Header of the cards.
    ///
    /// Examples
    /// --------
    /// >>> from pantler import Metadata
    /// >>> Metadata({"EXPTIME": 30.0}).to_astropy()["EXPTIME"]
    /// 30.0
    fn to_astropy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("pantler.astropy")?
            .call_method1("header", (slf,))
    }

    fn __contains__(slf: &Bound<'_, Self>, keyword: &str) -> PyResult<bool> {
        Ok(metadata(slf)?.get(keyword).is_some())
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        Metadata::keys(slf)?.into_bound_py_any(slf.py())?.try_iter()
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Ok(Metadata::keys(slf)?.len())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("Metadata({} cards)", metadata(slf)?.len()))
    }
}

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
