//! Objects of the engine as objects of Python: one for each, as long as anybody holds it.

use std::any::Any;
use std::sync::Arc;

use pantler::assemble::{Attached, Container as Entries};
use pantler::core::object::ComponentError;
use pantler::core::synonyms::canonical;
use pantler::objects::{self, summary_of};
use pantler::{Object, ObjectRef};
use pyo3::IntoPyObjectExt;
use pyo3::PyClass;
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict};
use serde_json::{Map, Value};

use crate::failure::{Failure, Raise};
use crate::objects::bbox::Bbox;
use crate::objects::container::{Container, Subset};
use crate::objects::document::Document;
use crate::objects::exposure::{Exposure, MaskedImage};
use crate::objects::image::{Image, Mask};
use crate::objects::metadata::Metadata;
use crate::objects::records::{PhotoCalib, Psf, VisitInfo};
use crate::objects::table::Table;
use crate::objects::wcs::Wcs;
use crate::plugins::foreign::Foreign;
use crate::{by_value, data_ids, plain, taken};

/// An immutable object with named components; the base of all classes.
///
/// Two objects are equal if their values are. Objects of classes that pantler has no class for are of this one.
///
/// Examples
/// --------
/// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
/// >>> exposure.component_names
/// ['image', 'mask', 'variance', 'metadata', 'bbox', 'wcs', 'photoCalib', 'visitInfo', 'filter', 'psf']
/// >>> exposure.origin["dataset_type"], exposure.origin["data_id"]
/// ('calexp:sfm', {'visit': 903334, 'ccd': 16})
#[pyclass(frozen, weakref, subclass, module = "pantler")]
pub struct DataObject {
    object: ObjectRef,
    /// The same with the objects that an assembler attached to it.
    attached: Option<ObjectRef>,
}

/// Python's objects by the address of the engine's. An entry lives as long as Python's object, which keeps the engine's, so
/// that no address is used twice meanwhile.
static KNOWN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn known<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyAny>> {
    let map = KNOWN.get_or_try_init(py, || {
        let map = py
            .import("weakref")?
            .getattr("WeakValueDictionary")?
            .call0()?;
        PyResult::Ok(map.unbind())
    })?;
    Ok(map.bind(py))
}

fn address(object: &ObjectRef) -> usize {
    Arc::as_ptr(object).cast::<()>().addr()
}

/// Returns the Python object of an object of the engine; text and bytes are Python's own.
pub fn wrap<'py>(py: Python<'py>, object: ObjectRef) -> PyResult<Bound<'py, PyAny>> {
    let any: &dyn Any = object.as_any();
    if let Some(text) = any.downcast_ref::<objects::Text>() {
        return text.as_str().into_bound_py_any(py);
    }
    if let Some(blob) = any.downcast_ref::<objects::Blob>() {
        return Ok(PyBytes::new(py, blob.bytes()).into_any());
    }
    if let Some(foreign) = any.downcast_ref::<Foreign>() {
        return Ok(foreign.object(py));
    }
    let known = known(py)?;
    let address = address(&object);
    let found = known.call_method1("get", (address,))?;
    if !found.is_none() {
        return Ok(found);
    }
    let made = made(py, object)?;
    known.set_item(address, &made)?;
    Ok(made)
}

fn made<'py>(py: Python<'py>, object: ObjectRef) -> PyResult<Bound<'py, PyAny>> {
    let bare = Attached::bare(&object);
    let attached = (!Arc::ptr_eq(&bare, &object)).then_some(object);
    let object = bare;
    macro_rules! class {
        ($class:ident) => {
            Bound::new(
                py,
                PyClassInitializer::from(DataObject { object, attached }).add_subclass($class {}),
            )?
            .into_any()
        };
    }
    let any: &dyn Any = object.as_any();
    Ok(if any.is::<objects::Exposure>() {
        class!(Exposure)
    } else if any.is::<objects::MaskedImage>() {
        class!(MaskedImage)
    } else if any.is::<objects::Image>() {
        class!(Image)
    } else if any.is::<objects::Mask>() {
        class!(Mask)
    } else if any.is::<objects::Wcs>() {
        class!(Wcs)
    } else if any.is::<objects::PhotoCalib>() {
        class!(PhotoCalib)
    } else if any.is::<objects::VisitInfo>() {
        class!(VisitInfo)
    } else if any.is::<objects::Metadata>() {
        class!(Metadata)
    } else if any.is::<objects::Bbox>() {
        class!(Bbox)
    } else if any.is::<objects::Table>() {
        class!(Table)
    } else if let Some(entries) = any.downcast_ref::<Entries>() {
        match entries.subset() {
            Some(_) => class!(Subset),
            None => class!(Container),
        }
    } else if any.is::<objects::Document>() {
        class!(Document)
    } else if any.is::<objects::Component>() && object.class() == "Psf" {
        class!(Psf)
    } else {
        Bound::new(py, DataObject { object, attached })?.into_any()
    })
}

/// A part of an object that is there already, for a class that knows its parts.
pub fn wrap_part<'py, T: Object>(
    py: Python<'py>,
    part: Option<&Arc<T>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    part.map(|part| wrap(py, Arc::<T>::clone(part))).transpose()
}

impl DataObject {
    /// Starts a new object of a class.
    pub fn started<C>(class: C, object: impl Object) -> PyClassInitializer<C>
    where
        C: PyClass<BaseType = DataObject>,
    {
        let object = Arc::new(object);
        PyClassInitializer::from(DataObject {
            object,
            attached: None,
        })
        .add_subclass(class)
    }

    /// Returns the engine's object, with all that is attached to it.
    pub fn whole(&self) -> &ObjectRef {
        self.attached.as_ref().unwrap_or(&self.object)
    }

    /// Returns the engine's object as the class that the Python class stands for.
    pub fn as_class<T: Object>(&self) -> PyResult<&T> {
        self.object.as_any().downcast_ref().ok_or_else(|| {
            pyo3::exceptions::PyTypeError::new_err(format!(
                "a {} was expected",
                self.object.class()
            ))
        })
    }

    /// Returns the engine's object, shared, as the class that the Python class stands for.
    pub fn shared<T: Object>(&self) -> PyResult<Arc<T>> {
        let any: Arc<dyn Any + Send + Sync> = Arc::<dyn Object>::clone(&self.object);
        any.downcast().map_err(|_| {
            pyo3::exceptions::PyTypeError::new_err(format!(
                "it is of class {}",
                self.object.class()
            ))
        })
    }

    fn part(&self, name: &str) -> Option<ObjectRef> {
        let camel = camel_case(name);
        let whole = self.whole();
        whole.component(name).or_else(|| whole.component(&camel))
    }

    fn replaced(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<ObjectRef> {
        let py = value.py();
        let value = taken::object(value)?;
        let name = if self.whole().component(name).is_some() {
            name.to_owned()
        } else {
            camel_case(name)
        };
        self.whole()
            .with_component(canonical(&name), &value)
            .or_raise(py)
    }
}

/// Returns a copy of an object with one component replaced, as drafts do it; what its class has no component for is attached.
#[pyfunction]
pub fn set_component<'py>(
    py: Python<'py>,
    object: &Bound<'py, DataObject>,
    name: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let whole = object.get().whole();
    let part = taken::anything(value)?;
    let camel = camel_case(name);
    match whole.with_component(canonical(&camel), &part) {
        Ok(changed) => wrap(py, changed),
        Err(ComponentError::Unknown { .. }) => {
            let attached = Attached::to(whole, name, taken::kept(value)?);
            wrap(py, Arc::new(attached))
        }
        Err(error) => Err(error).or_raise(py),
    }
}

/// `photo_calib` for `photoCalib`: Python's names of the components.
pub fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.extend(letters);
        name
    })
}

#[pymethods]
impl DataObject {
    /// The name of the class in policies and messages: `Exposure`, `Detector`.
    #[getter]
    fn class_name(&self) -> &str {
        self.object.class()
    }

    /// The names of the components that the object has.
    #[getter]
    fn component_names(&self) -> Vec<String> {
        self.whole().component_names()
    }

    /// About how many bytes of memory the object holds, shared parts included.
    #[getter]
    fn nbytes(&self) -> u64 {
        self.whole().memory()
    }

    /// The dataset that the object was read from, if it is unchanged since: type, data ID, identity, part, whole.
    #[getter]
    fn origin<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(origin) = self.whole().origin() else {
            return Ok(None);
        };
        let dict = PyDict::new(py);
        dict.set_item("dataset_type", origin.dataset_type.as_str())?;
        dict.set_item("data_id", data_ids::to_python(py, &origin.data_id)?)?;
        // In a folder without an index nothing has an identity until it is recorded.
        let id = Some(origin.dataset).filter(|id| !id.is_stamp());
        dict.set_item("id", id.map(|id| id.to_string()))?;
        dict.set_item("part", origin.part.join("."))?;
        dict.set_item("whole", origin.whole)?;
        Ok(Some(dict))
    }

    /// The object without what an assembler attached to it.
    #[getter]
    fn bare<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        wrap(py, self.object.clone())
    }

    /// Returns a component; synonyms are understood.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The component's name.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     The object does not have it.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> exposure.component("photoCalib") is exposure.component("calib")
    /// True
    pub(crate) fn component<'py>(
        &self,
        py: Python<'py>,
        name: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.part(name) {
            Some(part) => wrap(py, part),
            None => {
                let names = self.whole().component_names();
                let class = self.object.class();
                Err(Failure::of(
                    pantler::core::report::Kind::NotFound,
                    format!("this {class} has no component `{name}`"),
                )
                .hint(format!("it has {}", names.join(", ")))
                .raise(py))
            }
        }
    }

    /// Returns a copy with one component replaced, and everything that said the same gone.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The component's name.
    /// value
    ///     What it is to be.
    ///
    /// Examples
    /// --------
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> wcs = butler.get("jointcal_wcs", visit=903334, ccd=16, tract=0)
    /// >>> updated = exposure.with_component("wcs", wcs)
    /// >>> updated.wcs == wcs, exposure.wcs == wcs
    /// (True, False)
    fn with_component<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        wrap(py, self.replaced(name, value)?)
    }

    /// Returns what the object says, decoded: names with units, and values; None where its class has no summary.
    ///
    /// Examples
    /// --------
    /// >>> butler.get("calexp:sfm.visitInfo", visit=903334, ccd=16).summary() is None
    /// False
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let object = &self.object;
        let Some(lines) = py.detach(|| summary_of(object.as_ref())) else {
            return Ok(None);
        };
        let lines = lines.or_raise(py)?;
        let entries = lines.iter().map(|line| (line.key(), line.value.document()));
        let document = Value::Object(entries.collect::<Map<String, Value>>());
        plain::to_python(py, &document).map(Some)
    }

    /// Returns the first difference in values from another object, in words; None if they are the same.
    ///
    /// Parameters
    /// ----------
    /// other : DataObject
    ///     The other one.
    ///
    /// Examples
    /// --------
    /// >>> one = butler.get("calexp:sfm.bbox", visit=903334, ccd=16)
    /// >>> one.difference(butler.get("calexp:sfm.bbox", visit=903334, ccd=17)) is None
    /// True
    /// >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    /// >>> exposure.difference(exposure.with_image(exposure.image.array + 1))
    /// 'image ...'
    fn difference(&self, py: Python<'_>, other: &Bound<'_, DataObject>) -> Option<String> {
        let (mine, other) = (self.whole(), other.get().whole());
        py.detach(|| mine.difference(other.as_ref()))
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        match other.cast::<DataObject>() {
            Ok(other) => self.difference(py, other).is_none().into_py_any(py),
            Err(_) => Ok(py.NotImplemented()),
        }
    }

    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match self.part(name) {
            Some(part) if !name.starts_with('_') => wrap(py, part),
            _ => Err(PyAttributeError::new_err(format!(
                "{} has no attribute or component '{name}'",
                self.object.class()
            ))),
        }
    }

    fn __dir__<'py>(slf: &Bound<'py, Self>) -> PyResult<Vec<String>> {
        let mut names: Vec<String> = slf.get_type().dir()?.extract()?;
        names.extend(slf.get().whole().component_names());
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Pickles the object by value: as what a storage would write, or part by part.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        by_value::reduced(slf)
    }

    fn __repr__(&self) -> String {
        let names = self.whole().component_names();
        match names.is_empty() {
            true => format!("{}()", self.object.class()),
            false => format!("{}({})", self.object.class(), names.join(", ")),
        }
    }
}
