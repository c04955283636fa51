//! Bringing datasets into another repository.

use std::path::PathBuf;

use pantler::core::Expression;
use pantler::{TransferBy, TransferOptions, TransferReport};
use pyo3::prelude::*;
use serde_json::{Value, json};

use super::Engine;
use crate::call::Progress;
use crate::data_ids::Given;
use crate::failure::{Failure, Raise};
use crate::plain;

/// Where datasets are brought: a folder, or the first output of a butler.
#[derive(FromPyObject)]
enum Goal {
    Butler(Py<Engine>),
    Folder(PathBuf),
}

#[pymethods]
impl Engine {
    /// Transfers, and returns a document.
    #[expect(
        clippy::too_many_arguments,
        reason = "Python hands over what a transfer can be told"
    )]
    fn transfer_to<'py>(
        &self,
        py: Python<'py>,
        target: Goal,
        names: Vec<String>,
        data_id: Given,
        condition: Option<&str>,
        by: &str,
        merge: bool,
        dry_run: bool,
        notes: Vec<(String, String)>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let condition = condition.map(Expression::parse).transpose();
        let options = TransferOptions {
            data_id: data_id.0,
            condition: condition
                .map_err(|error| Failure::request(error.to_string()))
                .or_raise(py)?,
            by: way(by).or_raise(py)?,
            merge,
            dry_run,
            notes,
            ..TransferOptions::default()
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let target = match target {
            Goal::Butler(engine) => Ok(engine.get().butler(py)?),
            Goal::Folder(folder) => Err(folder),
        };
        let progress = progress.map(|function| Progress::new(function, 0));
        let steps = progress.clone();
        let tell = |done: u64, all: u64| {
            if let Some(steps) = &steps {
                steps.set(done, all);
            }
        };
        let report = self.run_telling(py, progress, |butler| {
            Ok(match &target {
                Ok(there) => butler.transfer_into(there, &names, &options, &tell)?,
                Err(folder) => butler.transfer_to(folder, &names, &options, &tell)?,
            })
        })?;
        plain::to_python(py, &document(&report))
    }
}

fn way(word: &str) -> Result<TransferBy, Failure> {
    match word {
        "copy" => Ok(TransferBy::Copy),
        "reference" => Ok(TransferBy::Reference),
        other => Err(
            Failure::request(format!("unknown way `{other}` to transfer"))
                .hint("it is copy or reference"),
        ),
    }
}

fn document(report: &TransferReport) -> Value {
    let types = report.types.iter().map(|each| {
        json!({
            "dataset_type": each.dataset_type.as_str(),
            "kind": each.kind.name(),
            "count": each.count,
            "bytes": each.bytes,
            "same": each.same,
        })
    });
    json!({
        "target": report.target,
        "by": report.by.word(),
        "dry_run": report.dry_run,
        "types": types.collect::<Vec<Value>>(),
        "left_behind": report.left_behind,
    })
}
