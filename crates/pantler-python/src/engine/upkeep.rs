//! Taking files in, removing datasets, checking repositories.

use std::path::PathBuf;

use pantler::fsck::{FsckOptions, FsckReport};
use pantler::{IngestMode, IngestOptions, RemoveOptions, data_id_json};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::{Value, json};

use super::Engine;
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
