//! Follows the import paths of policies: hands components over to plug-ins, and what they make back to the engine.

use std::sync::Arc;

use pantler::core::assembler::{Assembler, AssemblyError, ComponentInfo, Disassembler, Slot};
use pantler::core::imports::{PluginError, Raised};
use pantler::core::python_type::{PythonType, python_type};
use pantler::core::report::Permit;
use pantler::core::{Formatter, Import, ImportRole, Imports};
use pantler::{DataId, ObjectRef};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::data_ids::{self, Given};
use crate::plugins::storage::PythonStorage;
use crate::taken;
use crate::wrapped::wrap;

/// The plug-ins of one butler: a `pantler.plugins.Plugins`.
#[derive(Clone)]
pub struct PythonImports(pub Arc<Py<PyAny>>);

/// One plug-in that a policy names.
struct PythonPlugin {
    imports: PythonImports,
    import: Import,
}

/// Keeps an exception for whoever called the engine.
pub fn failed(py: Python<'_>, error: PyErr) -> PluginError {
    let value = error.value(py);
    // An error of pantler's own has its first line apart, and says what would allow it.
    let said = |name: &str| value.getattr(name).ok()?.extract::<String>().ok();
    let is_own = value.hasattr("trail").unwrap_or(false);
    let message = said("message").filter(|_| is_own);
    PluginError {
        message: message.unwrap_or_else(|| value.to_string()),
        permit: said("permit")
            .filter(|permit| is_own && permit == "pickle")
            .map(|_| Permit::Pickle),
        raised: Some(Raised::new(error)),
    }
}

fn assembly_error(py: Python<'_>, error: PyErr) -> AssemblyError {
    let PluginError {
        message, raised, ..
    } = failed(py, error);
    AssemblyError {
        component: None,
        message,
        raised,
    }
}

impl PythonImports {
    /// Calls a method of the plug-ins with who asks for what, and further arguments.
    fn call<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        import: &Import,
        arguments: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asker = (
            import.path.as_str(),
            import.role.key(),
            import.dataset_type.as_str(),
            import.place.as_str(),
        );
        let mut all = vec![asker.into_bound_py_any(py)?];
        all.extend(arguments);
        self.0.bind(py).call_method1(method, PyTuple::new(py, all)?)
    }

    /// Calls a method that makes one object.
    fn made_by(
        &self,
        method: &str,
        import: &Import,
        object: Option<&ObjectRef>,
        data_id: Option<&DataId>,
    ) -> Result<ObjectRef, PluginError> {
        Python::attach(|py| {
            let given = || {
                let mut arguments = Vec::new();
                if let Some(object) = object {
                    arguments.push(wrap(py, object.clone())?);
                }
                if let Some(data_id) = data_id {
                    arguments.push(data_ids::to_python(py, data_id)?.into_any());
                }
                let made = self.call(py, method, import, arguments)?;
                // The very same object keeps where it came from.
                match object {
                    Some(object) if made.is(&wrap(py, object.clone())?) => Ok(object.clone()),
                    _ if import.role == ImportRole::Class => taken::kept(&made),
                    _ => taken::anything(&made),
                }
            };
            given().map_err(|error| failed(py, error))
        })
    }
}

impl Imports for PythonImports {
    fn is_private(&self, path: &str) -> bool {
        Python::attach(|py| {
            let answer = self.0.bind(py).call_method1("is_private", (path,));
            answer.and_then(|answer| answer.extract()).unwrap_or(false)
        })
    }

    fn assembler(&self, import: &Import) -> Arc<dyn Assembler> {
        Arc::new(PythonPlugin {
            imports: self.clone(),
            import: import.clone(),
        })
    }

    fn disassembler(&self, import: &Import) -> Arc<dyn Disassembler> {
        Arc::new(PythonPlugin {
            imports: self.clone(),
            import: import.clone(),
        })
    }

    fn read_as(&self, import: &Import, object: &ObjectRef) -> Result<ObjectRef, PluginError> {
        self.made_by("read_as", import, Some(object), None)
    }

    fn written_as(&self, import: &Import, object: &ObjectRef) -> Result<ObjectRef, PluginError> {
        Python::attach(|py| {
            let given = || {
                let before = wrap(py, object.clone())?;
                let made = self.call(py, "written_as", import, vec![before.clone()])?;
                match made.is(&before) {
                    true => Ok(object.clone()),
                    false => taken::anything(&made),
                }
            };
            given().map_err(|error| failed(py, error))
        })
    }

    fn check_class(&self, import: &Import, object: &ObjectRef) -> Result<(), PluginError> {
        Python::attach(|py| {
            wrap(py, object.clone())
                .and_then(|object| self.call(py, "check_class", import, vec![object]))
                .map(drop)
                .map_err(|error| failed(py, error))
        })
    }

    fn standardized(
        &self,
        import: &Import,
        object: &ObjectRef,
        data_id: &DataId,
    ) -> Result<ObjectRef, PluginError> {
        self.made_by("standardized", import, Some(object), Some(data_id))
    }

    fn made(&self, import: &Import, data_id: &DataId) -> Result<ObjectRef, PluginError> {
        self.made_by("made", import, None, Some(data_id))
    }

    fn formatter(&self, storage: &str) -> Option<Arc<dyn Formatter>> {
        let known = Python::attach(|py| {
            let answer = self.0.bind(py).call_method1("knows_storage", (storage,));
            answer.and_then(|answer| answer.extract()).unwrap_or(false)
        });
        known.then(|| Arc::new(PythonStorage::new(self.0.clone(), storage)) as Arc<dyn Formatter>)
    }
}

/// Returns a component as `pantler.plugins` takes it.
fn component<'py>(py: Python<'py>, info: &ComponentInfo) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("name", &info.name)?;
    fields.set_item("dataset_type", info.dataset_type.as_str())?;
    fields.set_item("setter", &info.setter)?;
    fields.set_item("getter", &info.getter)?;
    fields.set_item("subset", info.subset)?;
    fields.set_item("input_only", info.input_only)?;
    fields.set_item("data_id", data_ids::to_python(py, &info.data_id)?)?;
    match &info.slot {
        Slot::Empty => {}
        Slot::One(object) => fields.set_item("obj", wrap(py, object.clone())?)?,
        Slot::Many(many) => {
            let (objects, ids) = (PyList::empty(py), PyList::empty(py));
            for (data_id, object) in many {
                objects.append(wrap(py, object.clone())?)?;
                ids.append(data_ids::to_python(py, data_id)?)?;
            }
            fields.set_item("obj", objects)?;
            fields.set_item("data_ids", ids)?;
        }
    }
    Ok(fields)
}

fn components<'py>(py: Python<'py>, infos: &[ComponentInfo]) -> PyResult<Bound<'py, PyAny>> {
    let list = PyList::empty(py);
    for info in infos {
        list.append(component(py, info)?)?;
    }
    Ok(list.into_any())
}

impl Assembler for PythonPlugin {
    fn assemble(
        &self,
        data_id: &DataId,
        infos: &[ComponentInfo],
        class: &str,
    ) -> Result<ObjectRef, AssemblyError> {
        Python::attach(|py| {
            let own = match python_type(class) {
                PythonType::Own(own) => Some(own),
                PythonType::Foreign(_) => None,
            };
            let assembled = || {
                let arguments = vec![
                    data_ids::to_python(py, data_id)?.into_any(),
                    components(py, infos)?,
                    class.into_bound_py_any(py)?,
                    own.into_bound_py_any(py)?,
                ];
                let made = self
                    .imports
                    .call(py, "assembled", &self.import, arguments)?;
                match own {
                    Some(_) => taken::anything(&made),
                    None => taken::kept(&made),
                }
            };
            assembled().map_err(|error| assembly_error(py, error))
        })
    }
}

impl Disassembler for PythonPlugin {
    fn disassemble(
        &self,
        object: &ObjectRef,
        data_id: &DataId,
        infos: &mut [ComponentInfo],
    ) -> Result<(), AssemblyError> {
        Python::attach(|py| {
            let mut taken_apart = || {
                let arguments = vec![
                    wrap(py, object.clone())?,
                    data_ids::to_python(py, data_id)?.into_any(),
                    components(py, infos)?,
                ];
                let found = self
                    .imports
                    .call(py, "taken_apart", &self.import, arguments)?;
                let found = found.cast::<PyDict>()?;
                for info in infos.iter_mut() {
                    let value = found.get_item(&info.name)?.filter(|value| !value.is_none());
                    info.slot = match value {
                        None => Slot::Empty,
                        Some(many) if info.subset => Slot::Many(pairs(&many)?),
                        Some(value) => Slot::One(taken::anything(&value)?),
                    };
                }
                Ok(())
            };
            taken_apart().map_err(|error| assembly_error(py, error))
        })
    }
}

/// A subset component as its disassembler gives it: pairs of data ID and object.
fn pairs(many: &Bound<'_, PyAny>) -> PyResult<Vec<(DataId, ObjectRef)>> {
    many.try_iter()?
        .map(|pair| {
            let (data_id, object): (Given, Bound<'_, PyAny>) = pair?.extract()?;
            Ok((data_id.0, taken::anything(&object)?))
        })
        .collect()
}
