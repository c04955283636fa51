//! The engine behind `pantler.Butler`: it takes arguments that Python has sorted, and lets other threads run while it works.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pantler::assemble::PluginSet;
use pantler::core::composite_graph::Definitions;
use pantler::core::expression::Expression;
use pantler::core::policy::PolicyText;
use pantler::core::python_type::{PythonType, python_type};
use pantler::core::{KeyType, RowRanges};
use pantler::fsck::{FsckOptions, FsckReport};
use pantler::{
    Butler, ButlerOptions, Composition, DataId, IngestMode, IngestOptions, InputOnly, ObjectRef,
    OnConflict, Parameters, Plan, PutOptions, PutResult, Query, RemoveOptions, Trust, Who,
    data_id_json, explain_json, explain_tree, export,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::{Value, json};

use crate::batch::Batch;
use crate::data_ids::{self, Given};
use crate::failure::{Failure, Raise};
use crate::objects::records::taken_box;
use crate::plugins::imports::PythonImports;
use crate::rows::Rows;
use crate::wrapped::wrap;
use crate::{plain, process, taken};

/// A file that could not be taken, and the exception.
type FailedFile<'py> = (PathBuf, Bound<'py, PyAny>);

/// How the repositories were opened, so that a child process can open them again.
#[derive(Clone)]
struct Settings {
    inputs: Vec<PathBuf>,
    outputs: Vec<PathBuf>,
    tags: Vec<(PathBuf, String)>,
    who: Who,
    add_parents: bool,
    inputs_in_order: bool,
    cache_bytes: Option<u64>,
    plugins: PythonImports,
    trusted: (Vec<PathBuf>, Vec<String>),
    policies: Vec<(PathBuf, String)>,
}

impl Settings {
    fn open(&self) -> Result<Butler, Failure> {
        process::prepare();
        let standard = ButlerOptions::default();
        let (repositories, modules) = &self.trusted;
        let trust = modules
            .iter()
            .fold(Trust::default(), |trust, module| trust.with_module(module));
        let trust = repositories
            .iter()
            .fold(trust, |trust, root| trust.with_repository(root));
        let options = ButlerOptions {
            who: self.who.clone(),
            tags: self.tags.clone(),
            policies: self.policies.clone(),
            plugins: PluginSet::standard().with_imports(Arc::new(self.plugins.clone()), trust),
            add_parents: self.add_parents,
            inputs_in_order: self.inputs_in_order,
            cache_bytes: self.cache_bytes.unwrap_or(standard.cache_bytes),
            ..standard
        };
        Ok(Butler::open(&self.inputs, &self.outputs, options)?)
    }
}

/// What code of the user's a put of a type could need.
pub enum Uses {
    /// The storage is in Python.
    Storage,
    /// It has a class or an assembler of the user's, or is made of parts.
    Plugins,
    /// Only pantler's own.
    Neither,
}

impl Uses {
    /// Returns the engine's object of what is put.
    pub fn taken(self, object: &Bound<'_, PyAny>) -> PyResult<ObjectRef> {
        match self {
            Uses::Storage => taken::kept(object),
            Uses::Plugins => taken::anything(object),
            Uses::Neither => taken::object(object),
        }
    }

    /// Says what a put under a name needs.
    pub fn of(butler: &Butler, name: &str, data_id: &DataId) -> Uses {
        let found = butler.resolve(name, data_id).ok().and_then(|resolved| {
            let (_, definition) = butler.chain().find_definition(&resolved.dataset_type)?;
            Some((definition, resolved.part.is_empty()))
        });
        let Some((definition, is_whole)) = found else {
            return Uses::Neither;
        };
        let storage = definition.storage.as_deref();
        let known = |storage| butler.formatters().names().any(|known| known == storage);
        let class = definition.python.as_deref().map(python_type);
        if is_whole && storage.is_some_and(|storage| !known(storage)) {
            Uses::Storage
        } else if definition.composite.is_some() || matches!(class, Some(PythonType::Foreign(_))) {
            Uses::Plugins
        } else {
            Uses::Neither
        }
    }
}

/// A butler, and the process that opened it.
struct Opened {
    process: u32,
    /// `None` only while it is dropped.
    butler: Option<Arc<Butler>>,
}

impl Opened {
    fn new(butler: Butler) -> Opened {
        Opened {
            process: std::process::id(),
            butler: Some(Arc::new(butler)),
        }
    }
}

/// In another process a butler is forgotten, not closed: to close a database there would disturb the process that opened it.
impl Drop for Opened {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            std::mem::forget(self.butler.take());
        }
    }
}

/// A butler as Python's half of the package uses it.
#[pyclass(frozen, module = "pantler._pantler")]
pub struct Engine {
    settings: Settings,
    /// Held for moments only, and never while the interpreter is let go: so it is free when a process is forked.
    opened: Mutex<Opened>,
}

/// Which piece of a dataset is wanted, as Python's half hands it over.
fn parameters(
    py: Python<'_>,
    bbox: Option<&Bound<'_, PyAny>>,
    columns: Option<Vec<String>>,
    rows: Option<Vec<(u64, u64)>>,
) -> PyResult<Parameters> {
    let rows = rows.map(|ranges| RowRanges::new(ranges.into_iter().map(|(start, end)| start..end)));
    Ok(Parameters {
        bbox: bbox.map(taken_box).transpose()?,
        columns,
        rows: rows
            .transpose()
            .map_err(|error| Failure::request(error.to_string()))
            .or_raise(py)?,
    })
}

fn composition(lookup: bool) -> Composition {
    if lookup {
        Composition::Lookup
    } else {
        Composition::Recorded
    }
}

impl Engine {
    /// Returns the butler of this process, and lets other threads run while `work` uses it.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Butler) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let butler = self.butler(py)?;
        py.detach(|| {
            process::prepare();
            work(&butler)
        })
        .or_raise(py)
    }

    /// Returns the engine's object of what is put. Where no code of the user's takes part in the put, it must be one that pantler
    /// can write; a storage in Python gets what was put as it is.
    fn taken(&self, object: &Bound<'_, PyAny>, name: &str, data_id: &Given) -> PyResult<ObjectRef> {
        let uses = self.run(object.py(), |butler| Ok(Uses::of(butler, name, &data_id.0)))?;
        uses.taken(object)
    }

    fn butler(&self, py: Python<'_>) -> PyResult<Arc<Butler>> {
        let ours = |opened: &Opened| {
            let is_ours = opened.process == std::process::id();
            opened.butler.clone().filter(|_| is_ours)
        };
        let held =
            |mutex: &Mutex<Opened>| ours(&mutex.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(butler) = held(&self.opened) {
            return Ok(butler);
        }
        let settings = &self.settings;
        let opened = Opened::new(py.detach(|| settings.open()).or_raise(py)?);
        let mut known = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been faster.
        if let Some(butler) = ours(&known) {
            return Ok(butler);
        }
        let butler = opened.butler.clone();
        *known = opened;
        butler.ok_or_else(|| Failure::request("the butler is closed").raise(py))
    }
}

/// Makes a repository; policies are given as name and text.
#[pyfunction]
pub fn init(
    py: Python<'_>,
    root: PathBuf,
    policies: Vec<(String, String)>,
    parents: Vec<PathBuf>,
    tags: Vec<String>,
) -> PyResult<()> {
    let texts: Vec<PolicyText> = policies
        .into_iter()
        .map(|(file, text)| PolicyText {
            file: file.into(),
            text,
        })
        .collect();
    py.detach(|| {
        process::prepare();
        Butler::init(&root, &texts, &parents)?;
        if !tags.is_empty() {
            Butler::open(&[], std::slice::from_ref(&root), ButlerOptions::default())?
                .add_tags(&tags)?;
        }
        Ok::<(), Failure>(())
    })
    .or_raise(py)
}

#[pymethods]
impl Engine {
    #[new]
    #[expect(
        clippy::too_many_arguments,
        reason = "Python hands over what a butler is opened with"
    )]
    fn new(
        py: Python<'_>,
        inputs: Vec<PathBuf>,
        outputs: Vec<PathBuf>,
        tags: Vec<(PathBuf, String)>,
        who: (String, String),
        add_parents: bool,
        inputs_in_order: bool,
        cache_bytes: Option<u64>,
        plugins: Py<PyAny>,
        trusted: (Vec<PathBuf>, Vec<String>),
        policies: Vec<(PathBuf, String)>,
    ) -> PyResult<Engine> {
        let settings = Settings {
            inputs,
            outputs,
            tags,
            who: Who {
                user: who.0,
                host: who.1,
            },
            add_parents,
            inputs_in_order,
            cache_bytes,
            plugins: PythonImports(Arc::new(plugins)),
            trusted,
            policies,
        };
        let opening = &settings;
        let butler = py.detach(|| opening.open()).or_raise(py)?;
        Ok(Engine {
            settings,
            opened: Mutex::new(Opened::new(butler)),
        })
    }

    /// The repositories in search order: root, and the name that was used.
    fn repositories(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        self.run(py, |butler| {
            let repositories = butler.repositories().iter();
            let named = repositories.map(|each| (each.root().to_owned(), each.name().to_owned()));
            Ok(named.collect())
        })
    }

    /// Everything that is probably not meant as a policy of the chain has it.
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.run(py, |butler| {
            let repositories = butler.repositories().iter();
            let warnings = repositories.flat_map(|each| each.warnings());
            Ok(warnings
                .map(|warning| format!("{} ({})", warning.message, warning.place))
                .collect())
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "Python hands over what a get can be asked for"
    )]
    fn get<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        bbox: Option<&Bound<'py, PyAny>>,
        columns: Option<Vec<String>>,
        rows: Option<Vec<(u64, u64)>>,
        lookup: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let parameters = parameters(py, bbox, columns, rows)?;
        let object = self.run(py, |butler| {
            Ok(butler.get_composed(name, &data_id.0, &parameters, composition(lookup))?)
        })?;
        wrap(py, object)
    }

    /// Gets one dataset for each data ID, read together.
    #[expect(
        clippy::too_many_arguments,
        reason = "Python hands over what a get can be asked for"
    )]
    fn get_together<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_ids: Vec<Given>,
        bbox: Option<&Bound<'py, PyAny>>,
        columns: Option<Vec<String>>,
        rows: Option<Vec<(u64, u64)>>,
        lookup: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let parameters = parameters(py, bbox, columns, rows)?;
        let objects = self.run(py, |butler| {
            let plans: Result<Vec<Plan>, _> = data_ids
                .iter()
                .map(|data_id| butler.explain(name, &data_id.0, composition(lookup)))
                .collect();
            let plans = plans?;
            let wanted: Vec<(&Plan, &Parameters)> =
                plans.iter().map(|plan| (plan, &parameters)).collect();
            Ok(butler.execute_together(&wanted)?)
        })?;
        objects.into_iter().map(|object| wrap(py, object)).collect()
    }

    fn get_components<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        components: Vec<String>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let objects: Vec<ObjectRef> = self.run(py, |butler| {
            let names: Vec<&str> = components.iter().map(String::as_str).collect();
            Ok(butler.get_components(name, &data_id.0, &names)?)
        })?;
        objects.into_iter().map(|object| wrap(py, object)).collect()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "Python hands over what a put can be told"
    )]
    fn put<'py>(
        &self,
        py: Python<'py>,
        object: &Bound<'py, PyAny>,
        name: &str,
        data_id: Given,
        replace: bool,
        drop_input_only: bool,
        inputs: Vec<(String, Given)>,
        notes: Vec<(String, String)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let object = self.taken(object, name, &data_id)?;
        let options = put_options(replace, drop_input_only, inputs, notes);
        let result = self.run(py, |butler| {
            Ok(butler.put(&object, name, &data_id.0, &options)?)
        })?;
        plain::to_python(py, &put_document(&result))
    }

    fn link<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        notes: Vec<(String, String)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = put_options(false, false, Vec::new(), notes);
        let result = self.run(py, |butler| Ok(butler.link(name, &data_id.0, &options)?))?;
        plain::to_python(py, &put_document(&result))
    }

    /// Begins a batch of puts and links.
    fn batch(&self, py: Python<'_>) -> PyResult<Batch> {
        self.run(py, |butler| Ok(Batch::new(butler.batch())))
    }

    fn exists(&self, py: Python<'_>, name: &str, data_id: Given) -> PyResult<bool> {
        self.run(py, |butler| Ok(butler.exists(name, &data_id.0)?))
    }

    /// Returns a plan as a document, and as lines of a tree.
    fn explain<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        lookup: bool,
    ) -> PyResult<(Bound<'py, PyAny>, Vec<String>)> {
        let (document, lines) = self.run(py, |butler| {
            let plan = butler.explain(name, &data_id.0, composition(lookup))?;
            let lines = explain_tree(&plan).into_iter().map(|line| {
                let first = format!("{}{}", line.branches, line.name);
                let rest = [
                    line.dataset,
                    line.data_id,
                    line.bytes,
                    line.repository,
                    line.place,
                ];
                let words = std::iter::once(first).chain(rest).chain(line.notes);
                let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
                words.join("   ")
            });
            Ok((explain_json(&plan), lines.collect()))
        })?;
        Ok((plain::to_python(py, &document)?, lines))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "Python hands over what a query can be asked for"
    )]
    fn query(
        &self,
        py: Python<'_>,
        name: Option<String>,
        data_id: Given,
        condition: Option<&str>,
        order_by: Vec<(String, bool)>,
        limit: Option<usize>,
        made_from: Option<(String, Given)>,
        used_by: Option<(String, Given)>,
    ) -> PyResult<Rows> {
        let condition = condition.map(Expression::parse).transpose();
        let condition = condition
            .map_err(|error| Failure::request(error.to_string()))
            .or_raise(py)?;
        let query = Query {
            name,
            data_id: data_id.0,
            condition,
            order_by,
            limit,
            made_from: made_from.map(|(name, data_id)| (name, data_id.0)),
            used_by: used_by.map(|(name, data_id)| (name, data_id.0)),
        };
        self.run(py, |butler| Ok(Rows::of(butler.listing(&query)?)?))
    }

    /// Returns how many datasets are new, how many files they lie in, how many were there, and for each file that could not be
    /// taken its name and the exception.
    #[expect(
        clippy::too_many_arguments,
        reason = "Python hands over what an ingest can be told"
    )]
    fn ingest<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        files: Vec<PathBuf>,
        data_id: Given,
        mode: &str,
        digest: bool,
        notes: Vec<(String, String)>,
    ) -> PyResult<(usize, usize, usize, Vec<FailedFile<'py>>)> {
        let mode = match mode {
            "copy" => IngestMode::Copy,
            "move" => IngestMode::Move,
            "link" => IngestMode::Link,
            "in-place" => IngestMode::InPlace,
            other => {
                return Err(Failure::request(format!("unknown mode `{other}`"))
                    .hint("modes are copy, move, link, in-place")
                    .raise(py));
            }
        };
        let options = IngestOptions {
            mode,
            digest,
            notes,
            ..IngestOptions::default()
        };
        let report = self.run(py, |butler| {
            Ok(butler.ingest(name, &files, &data_id.0, &options, &|_| ())?)
        })?;
        let failed: PyResult<Vec<_>> = report
            .failed
            .into_iter()
            .map(|(file, error)| Ok((file, Failure::from(error).exception(py)?)))
            .collect();
        Ok((report.ingested, report.files, report.same, failed?))
    }

    /// Returns the aliases of the first repository: name and meaning.
    fn aliases(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        self.run(py, |butler| {
            let aliases = butler.aliases()?.into_iter();
            Ok(aliases.map(|alias| (alias.name, alias.target)).collect())
        })
    }

    /// Gives a name a meaning, or takes it back; the repositories are opened anew, so that this butler knows of it.
    fn set_alias(&self, py: Python<'_>, name: &str, target: Option<&str>) -> PyResult<()> {
        self.run(py, |butler| match target {
            Some(target) => Ok(butler.set_alias(name, target)?),
            None => Ok(butler.remove_alias(name)?),
        })?;
        let settings = &self.settings;
        let opened = Opened::new(py.detach(|| settings.open()).or_raise(py)?);
        let before = std::mem::replace(
            &mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner),
            opened,
        );
        py.detach(|| drop(before));
        Ok(())
    }

    /// Returns the keys of a type, each with the name of its type.
    fn keys(&self, py: Python<'_>, name: &str) -> PyResult<Vec<(String, &'static str)>> {
        self.run(py, |butler| {
            let named = |key_type: KeyType| match key_type {
                KeyType::Int => "int",
                KeyType::Float => "float",
                KeyType::Str => "str",
            };
            let keys = butler.keys(name)?.into_iter();
            Ok(keys.map(|(key, key_type)| (key, named(key_type))).collect())
        })
    }

    /// Writes a dataset as one self-contained file; returns its size.
    fn export(&self, py: Python<'_>, name: &str, data_id: Given, file: PathBuf) -> PyResult<usize> {
        self.run(py, |butler| {
            let made = butler.export(name, &data_id.0)?;
            let (bytes, _) =
                export::to_file_bytes(butler.formatters(), &made.object, &file, &made.options)?;
            export::write_file(&file, &bytes)?;
            Ok(bytes.len())
        })
    }

    fn rm<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        force: bool,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let options = RemoveOptions { force, dry_run };
        let result = self.run(py, |butler| Ok(butler.remove(name, &data_id.0, &options)?))?;
        let dict = PyDict::new(py);
        dict.set_item("name", result.removed.name)?;
        dict.set_item("data_id", data_ids::to_python(py, &result.removed.data_id)?)?;
        dict.set_item("location", result.location)?;
        dict.set_item("bytes", result.bytes)?;
        let users = PyList::empty(py);
        for user in result.users {
            users.append((user.name, data_ids::to_python(py, &user.data_id)?))?;
        }
        dict.set_item("users", users)?;
        Ok(dict)
    }

    fn fsck<'py>(&self, py: Python<'py>, deep: bool, repair: bool) -> PyResult<Bound<'py, PyAny>> {
        let options = FsckOptions { deep, repair };
        let report = self.run(py, |butler| Ok(butler.fsck(options)?))?;
        plain::to_python(py, &fsck_document(&report))
    }
}

fn fsck_document(report: &FsckReport) -> Value {
    let problems = report.problems.iter().map(|problem| {
        json!({
            "kind": problem.kind.name(),
            "dataset_type": problem.dataset_type.as_str(),
            "data_id": data_id_json(&problem.data_id),
            "location": problem.location,
        })
    });
    json!({
        "clean": report.is_clean(),
        "checked": report.checked,
        "problems": problems.collect::<Vec<Value>>(),
        "leftover": report.leftover,
    })
}

/// What a put can be told, as Python's half hands it over.
pub(crate) fn put_options(
    replace: bool,
    drop_input_only: bool,
    inputs: Vec<(String, Given)>,
    notes: Vec<(String, String)>,
) -> PutOptions {
    let inputs = inputs.into_iter();
    PutOptions {
        on_conflict: if replace {
            OnConflict::Replace
        } else {
            OnConflict::Refuse
        },
        input_only: if drop_input_only {
            InputOnly::Drop
        } else {
            InputOnly::Refuse
        },
        notes,
        inputs: inputs.map(|(name, data_id)| (name, data_id.0)).collect(),
        ..PutOptions::default()
    }
}

pub(crate) fn put_document(result: &PutResult) -> Value {
    json!({
        "name": result.name,
        "data_id": data_id_json(&result.data_id),
        "written": result.written,
        "unchanged": result.unchanged,
        "input_only": result.input_only,
        "recorded": result.recorded,
        "id": result.id.to_string(),
    })
}
