//! Containers: objects side by side, by name or by data ID.

use pantler::assemble::{Container as Entries, Entry};
use pantler::{DataId, ObjectRef};
use pyo3::exceptions::{PyIndexError, PyKeyError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyMapping, PySlice, PyString, PyTuple};

use crate::data_ids::{self, Given};
use crate::taken;
use crate::wrapped::{DataObject, wrap};

/// Objects by name, in the order of the policy: the composite that needs no class of its own. A mapping.
///
/// Parameters
/// ----------
/// objects : mapping of str to object, optional
///     The objects.
///
/// Examples
/// --------
/// >>> import pantler
/// >>> both = pantler.Container({"note": pantler.Document({"a": 1}), "image": pantler.Image(np.zeros((2, 3), "f4"))})
/// >>> both
/// Container(note: Document, image: Image)
/// >>> list(both), len(both), both["image"] is both.image is both[1]
/// (['note', 'image'], 2, True)
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Container {}

/// The objects of a `subset` component, in the order of their data IDs. A sequence.
///
/// Parameters
/// ----------
/// pairs : list of (dict, object)
///     The objects with their data IDs.
///
/// Examples
/// --------
/// >>> import pantler
/// >>> subset = pantler.Subset([({"n": n}, pantler.Document({"n": n})) for n in (1, 2, 3)])
/// >>> [each["n"] for each in subset], subset[0]["n"], subset[{"n": 3}]["n"]
/// ([1, 2, 3], 1, 3)
/// >>> subset.data_ids[1]
/// {'n': 2}
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Subset {}

impl Container {
    fn names(slf: &Bound<'_, Self>) -> Vec<String> {
        slf.as_super().get().whole().component_names()
    }
}

#[pymethods]
impl Container {
    /// Makes a container of a mapping from names to objects.
    #[new]
    #[pyo3(signature = (objects=None))]
    fn new(objects: Option<&Bound<'_, PyMapping>>) -> PyResult<PyClassInitializer<Container>> {
        let mut entries = Vec::new();
        for item in objects.map(|objects| objects.items()).into_iter() {
            for pair in item? {
                let (name, object): (String, Bound<'_, PyAny>) = pair.extract()?;
                entries.push((name, Entry::One(taken::anything(&object)?)));
            }
        }
        Ok(DataObject::started(Container {}, Entries::new(entries)))
    }

    /// Returns the names.
    ///
    /// Examples
    /// --------
    /// >>> import pantler
    /// >>> pantler.Container({"note": pantler.Document({})}).keys()
    /// ['note']
    fn keys(slf: &Bound<'_, Self>) -> Vec<String> {
        Container::names(slf)
    }

    /// Returns the objects, in the order of the names.
    ///
    /// Examples
    /// --------
    /// >>> import pantler
    /// >>> pantler.Container({"note": pantler.Document({"a": 1})}).values()
    /// [Document({'a': 1})]
    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let names = Container::names(slf);
        let base = slf.as_super().get();
        names
            .iter()
            .map(|name| base.component(slf.py(), name))
            .collect()
    }

    /// Returns pairs of name and object.
    ///
    /// Examples
    /// --------
    /// >>> import pantler
    /// >>> pantler.Container({"note": pantler.Document({"a": 1})}).items()
    /// [('note', Document({'a': 1}))]
    fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let values = Container::values(slf)?;
        Ok(Container::names(slf).into_iter().zip(values).collect())
    }

    /// Returns the object of a name, or `default`.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The name.
    /// default
    ///     What is returned where there is none.
    ///
    /// Examples
    /// --------
    /// >>> import pantler
    /// >>> pantler.Container({"note": pantler.Document({})}).get("wcs", "none")
    /// 'none'
    #[pyo3(signature = (name, default=None))]
    fn get<'py>(
        slf: &Bound<'py, Self>,
        name: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match Container::names(slf).iter().any(|known| known == name) {
            true => slf.as_super().get().component(slf.py(), name).map(Some),
            false => Ok(default),
        }
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let base = slf.as_super().get();
        if let Ok(name) = key.cast::<PyString>() {
            return base.component(slf.py(), name.to_str()?);
        }
        let names = Container::names(slf);
        let index = index_of(key, names.len())?;
        base.component(slf.py(), &names[index])
    }

    fn __contains__(slf: &Bound<'_, Self>, name: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(name) = name.cast::<PyString>() else {
            return Ok(false);
        };
        let name = name.to_str()?;
        Ok(Container::names(slf).iter().any(|known| known == name))
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(slf.py(), Container::names(slf))?.try_iter()
    }

    fn __len__(slf: &Bound<'_, Self>) -> usize {
        Container::names(slf).len()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let whole = slf.as_super().get().whole();
        let entries = whole.component_names().into_iter().map(|name| {
            let part = whole.component(&name);
            let class = part.map_or_else(String::new, |part| part.class().to_owned());
            format!("{name}: {class}")
        });
        format!("Container({})", entries.collect::<Vec<_>>().join(", "))
    }
}

impl Subset {
    fn pairs<'a>(slf: &'a Bound<'_, Self>) -> PyResult<Vec<(&'a DataId, &'a ObjectRef)>> {
        let entries = slf.as_super().get().as_class::<Entries>()?;
        Ok(entries.subset().unwrap_or_default())
    }
}

#[pymethods]
impl Subset {
    /// Makes a subset of pairs of data ID and object.
    #[new]
    fn new(pairs: Vec<(Given, Bound<'_, PyAny>)>) -> PyResult<PyClassInitializer<Subset>> {
        let pairs = pairs
            .into_iter()
            .map(|(data_id, object)| Ok((data_id.0, taken::anything(&object)?)));
        let pairs: Vec<(DataId, ObjectRef)> = pairs.collect::<PyResult<_>>()?;
        Ok(DataObject::started(Subset {}, Entries::of_subset(pairs)))
    }

    /// The data IDs of the objects.
    #[getter]
    fn data_ids<'py>(slf: &Bound<'py, Self>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let pairs = Subset::pairs(slf)?.into_iter();
        pairs
            .map(|(data_id, _)| data_ids::to_python(slf.py(), data_id))
            .collect()
    }

    /// Returns pairs of data ID and object.
    ///
    /// Examples
    /// --------
    /// >>> import pantler
    /// >>> pantler.Subset([({"n": 1}, pantler.Document({"a": 1}))]).items()
    /// [({'n': 1}, Document({'a': 1}))]
    fn items<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<Vec<(Bound<'py, PyDict>, Bound<'py, PyAny>)>> {
        let pairs = Subset::pairs(slf)?.into_iter();
        pairs
            .map(|(data_id, object)| {
                let data_id = data_ids::to_python(slf.py(), data_id)?;
                Ok((data_id, wrap(slf.py(), object.clone())?))
            })
            .collect()
    }

    /// An index, a slice, or a data ID, whole or as far as it takes to tell the object from the others.
    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let pairs = Subset::pairs(slf)?;
        if key.is_instance_of::<PySlice>() {
            return Subset::listed(slf)?.as_any().get_item(key);
        }
        if let Ok(wanted) = key.extract::<Given>() {
            let fits = |data_id: &DataId| {
                let mut wanted = wanted.0.iter();
                wanted.all(|(key, value)| data_id.get(key) == Some(value))
            };
            let mut fitting = pairs.iter().filter(|(data_id, _)| fits(data_id));
            return match (fitting.next(), fitting.next()) {
                (Some((_, object)), None) => wrap(py, (*object).clone()),
                (None, _) => Err(PyKeyError::new_err(format!("no object of {}", wanted.0))),
                (Some(_), Some(_)) => Err(PyKeyError::new_err(format!(
                    "more than one object of {}",
                    wanted.0
                ))),
            };
        }
        let index = index_of(key, pairs.len())?;
        wrap(py, pairs[index].1.clone())
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyIterator>> {
        Subset::listed(slf)?.try_iter()
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Ok(Subset::pairs(slf)?.len())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let arguments = PyTuple::new(slf.py(), [Subset::items(slf)?])?;
        Ok((slf.get_type().into_any(), arguments))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let pairs = Subset::pairs(slf)?;
        let mut shown: Vec<String> = pairs
            .iter()
            .take(SHOWN)
            .map(|(data_id, object)| format!("{} {data_id}", object.class()))
            .collect();
        if pairs.len() > SHOWN {
            shown.push(format!("… {} more", pairs.len() - SHOWN));
        }
        Ok(format!("Subset({})", shown.join(", ")))
    }
}

/// So many objects are named in a line.
const SHOWN: usize = 4;

impl Subset {
    fn listed<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let objects: Vec<Bound<'py, PyAny>> = Subset::pairs(slf)?
            .into_iter()
            .map(|(_, object)| wrap(slf.py(), object.clone()))
            .collect::<PyResult<_>>()?;
        PyList::new(slf.py(), objects)
    }
}

/// Counts from the end where an index is negative.
fn index_of(key: &Bound<'_, PyAny>, length: usize) -> PyResult<usize> {
    let index: isize = key.extract()?;
    let index = match index {
        0.. => usize::try_from(index).ok(),
        _ => length.checked_sub(index.unsigned_abs()),
    };
    index
        .filter(|index| *index < length)
        .ok_or_else(|| PyIndexError::new_err(format!("there are {length} objects")))
}
