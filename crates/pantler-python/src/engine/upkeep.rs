//! Taking files in, removing datasets, checking repositories.

use std::path::PathBuf;

use pantler::fsck::{FsckOptions, FsckReport};
use pantler::{IngestMode, IngestOptions, RemoveOptions, data_id_json};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::{Value, json};

use super::Engine;
use crate::call::Progress;
use crate::data_ids::{self, Given};
use crate::failure::Failure;
use crate::plain;

/// A file that could not be taken, and the exception.
type FailedFile<'py> = (PathBuf, Bound<'py, PyAny>);

#[pymethods]
impl Engine {
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
        progress: Option<Py<PyAny>>,
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
        let progress = progress.map(|function| Progress::new(function, files.len() as u64));
        let steps = progress.clone();
        let tell = |done: usize| {
            if let Some(steps) = &steps {
                steps.advance(done as u64);
            }
        };
        let report = self.run_telling(py, progress, |butler| {
            Ok(butler.ingest(name, &files, &data_id.0, &options, &tell)?)
        })?;
        let failed: PyResult<Vec<_>> = report
            .failed
            .into_iter()
            .map(|(file, error)| Ok((file, Failure::from(error).exception(py)?)))
            .collect();
        Ok((report.ingested, report.files, report.same, failed?))
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

    fn fsck<'py>(
        &self,
        py: Python<'py>,
        deep: bool,
        repair: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = FsckOptions { deep, repair };
        let progress = progress.map(|function| Progress::new(function, 0));
        let steps = progress.clone();
        let report = self.run_telling(py, progress, |butler| {
            let tell = steps
                .as_ref()
                .map(|steps| |done: u64, all: u64| steps.set(done, all));
            let tell = tell.as_ref().map(|tell| tell as &dyn Fn(u64, u64));
            Ok(butler.fsck_with_progress(options, tell)?)
        })?;
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
