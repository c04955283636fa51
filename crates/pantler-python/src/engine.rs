//! The engine behind `pantler.Butler`: it takes arguments that Python has sorted, and lets other threads run while it works.
//!
//! Here is what every call goes through; what can be called lies below, by what it is for.

mod asking;
mod opened;
mod reading;
mod transferring;
mod upkeep;
mod writing;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pantler::core::policy::PolicyText;
use pantler::{Butler, ButlerOptions};
use pyo3::prelude::*;

use crate::call::{self, Progress};
use crate::failure::{Failure, Raise};
use crate::plugins::imports::PythonImports;
use crate::process;

use opened::{Opened, Settings};
pub(crate) use writing::{Uses, put_document, put_options, taken_parts};

/// A butler as Python's half of the package uses it.
#[pyclass(frozen, module = "pantler._pantler")]
pub struct Engine {
    settings: Settings,
    /// Held for moments only, and never while the interpreter is let go: so it is free when a process is forked.
    opened: Mutex<Opened>,
}

impl Engine {
    /// Returns the butler of this process, and lets other threads run while `work` uses it.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Butler) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        self.run_telling(py, None, work)
    }

    /// As [`Engine::run`], and says how far it is.
    fn run_telling<T: Send>(
        &self,
        py: Python<'_>,
        progress: Option<Progress>,
        work: impl FnOnce(&Butler) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let butler = self.butler(py)?;
        call::watched(py, progress, || {
            work(&butler).map_err(|failure| {
                failure.allowed_by(|permit| self.settings.opened_allowing(permit))
            })
        })
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
}
