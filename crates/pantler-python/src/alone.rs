//! What needs no butler: policies that are checked, files that are read, an index that is brought up to date.

use std::path::PathBuf;

use pantler::core::policy::PolicyText;
use pantler::formats::FormatterSet;
use pantler::{OutsideFile, Repository, check_policies};
use pantler_cli::documents;
use pyo3::prelude::*;
use serde_json::Value;

use crate::call::watched;
use crate::plain;
use crate::wrapped::wrap;

/// Returns what is wrong with policies, which are given as name and text, as documents.
#[pyfunction]
pub fn check_policy<'py>(
    py: Python<'py>,
    policies: Vec<(String, String)>,
    parents: Vec<PathBuf>,
) -> PyResult<Bound<'py, PyAny>> {
    let texts = policies.into_iter().map(|(file, text)| PolicyText {
        file: file.into(),
        text,
    });
    let texts: Vec<PolicyText> = texts.collect();
    let problems = watched(py, None, || Ok(check_policies(&texts, &parents)?))?;
    let documents: Vec<Value> = problems.iter().map(documents::problem_json).collect();
    plain::to_python(py, &Value::Array(documents))
}

/// Returns the JSON schema of policies.
#[pyfunction]
pub fn policy_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    plain::to_python(py, &pantler::core::policy::schema())
}

/// Brings the index of a repository to the schema of this version; returns the versions before and after.
#[pyfunction]
pub fn migrate(py: Python<'_>, root: PathBuf) -> PyResult<(i64, i64)> {
    watched(py, None, || {
        let migration = Repository::migrate(&root)?;
        Ok((migration.from, migration.to))
    })
}

/// Reads a file that need not be in a repository, whole, or an HDU or a component of it.
#[pyfunction]
pub fn read_file<'py>(
    py: Python<'py>,
    file: PathBuf,
    component: Vec<String>,
    hdu: Option<u32>,
    class_name: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let object = watched(py, None, || {
        let file = OutsideFile::open(&FormatterSet::standard(), &file)?;
        Ok(match component.as_slice() {
            [] => file.read_hdu(class_name, hdu)?,
            part => file.read_part(part, hdu)?,
        })
    })?;
    wrap(py, object)
}
