//! Taking files in, removing datasets, checking repositories.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pantler::fsck::{FsckOptions, FsckReport};
use pantler::gc::GcOptions;
use pantler::{Butler, IngestMode, IngestOptions, RemoveOptions, ValueTable, data_id_json};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::{Value, json};

use super::Engine;
use crate::call::Progress;
use crate::data_ids::{self, Given};
use crate::failure::{Failure, Raise};
use crate::plain;

/// A file that could not be taken, and the exception.
type FailedFile<'py> = (PathBuf, Bound<'py, PyAny>);

/// A table of data IDs: a file, or its rows.
#[derive(FromPyObject)]
enum Values {
    File(PathBuf),
    Rows(Vec<(PathBuf, Vec<(String, String)>)>),
}

impl Values {
    fn read(self, butler: &Butler) -> Result<Arc<ValueTable>, Failure> {
        let table = match self {
            Values::File(file) => ValueTable::read(butler.formatters(), &file)?,
            Values::Rows(rows) => ValueTable::of(rows)?,
        };
        Ok(Arc::new(table))
    }
}

/// The files that are named; else those of the table; else, in place, those that lie where the template puts them.
fn all_files(
    butler: &Butler,
    name: &str,
    mut files: Vec<PathBuf>,
    options: &IngestOptions,
) -> Result<Vec<PathBuf>, Failure> {
    if let (true, Some(table)) = (files.is_empty(), &options.table) {
        files = table.files().to_vec();
    }
    if files.is_empty() && options.mode == IngestMode::InPlace {
        files = butler.files_in_place(name)?;
    }
    match files.is_empty() {
        true => Err(Failure::request("no file to ingest is named")
            .hint("name files, or a table that names them; mode=\"in-place\" without files takes in what lies where the template puts it")),
        false => Ok(files),
    }
}

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
        table: Option<Values>,
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
        let mut options = IngestOptions {
            mode,
            digest,
            notes,
            ..IngestOptions::default()
        };
        let progress = progress.map(|function| Progress::new(function, 0));
        let steps = progress.clone();
        let tell = |done: usize| {
            if let Some(steps) = &steps {
                steps.advance(done as u64);
            }
        };
        let report = self.run_telling(py, progress, |butler| {
            options.table = table.map(|table| table.read(butler)).transpose()?;
            let files = all_files(butler, name, files, &options)?;
            if let Some(steps) = &steps {
                steps.set(0, files.len() as u64);
            }
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

    /// Clears what nobody needs any more, and returns a document.
    fn gc<'py>(
        &self,
        py: Python<'py>,
        dry_run: bool,
        grace_seconds: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let grace = Duration::try_from_secs_f64(grace_seconds);
        let grace = grace
            .map_err(|error| Failure::request(format!("grace: {error}")))
            .or_raise(py)?;
        let options = GcOptions { dry_run, grace };
        let report = self.run(py, |butler| Ok(butler.gc(&options)?))?;
        let document = json!({
            "removed": report.removed,
            "bytes": report.bytes,
            "kept": report.kept,
        });
        plain::to_python(py, &document)
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
        "left_behind": report.left_behind,
    })
}
