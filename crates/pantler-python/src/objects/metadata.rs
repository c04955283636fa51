//! Header cards, and whatever stands for them when it is handed in.

use std::sync::Arc;

use pantler::objects::{self, Card};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::failure::Failure;
use crate::plain;
use crate::wrapped::{DataObject, wrap};

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
