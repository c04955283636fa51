//! Asking what there is, without reading an artifact.

use pantler::core::KeyType;
use pantler::core::expression::Expression;
use pantler::{
    Comparison, Composition, DiffEntry, Query, explain_json, explain_tree, repository_info,
};
use pantler_cli::{documents, plain_tree};
use pyo3::prelude::*;

use super::Engine;
use crate::data_ids::Given;
use crate::failure::{Failure, Raise};
use crate::plain;
use crate::rows::Rows;

pub(super) fn composition(lookup: bool) -> Composition {
    if lookup {
        Composition::Lookup
    } else {
        Composition::Recorded
    }
}

/// A component, what came of comparing it, and where they differ.
type Compared = (String, &'static str, Option<String>);

#[pymethods]
impl Engine {
    fn exists(&self, py: Python<'_>, name: &str, data_id: Given) -> PyResult<bool> {
        self.run(py, |butler| Ok(butler.exists(name, &data_id.0)?))
    }

    /// Returns a plan as a document, and as the text that the program prints.
    fn explain<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        lookup: bool,
    ) -> PyResult<(Bound<'py, PyAny>, String)> {
        let (document, tree) = self.run(py, |butler| {
            let plan = butler.explain(name, &data_id.0, composition(lookup))?;
            let tree = plain_tree(&explain_tree(&plan));
            Ok((explain_json(&plan), tree))
        })?;
        Ok((plain::to_python(py, &document)?, tree))
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

    /// Returns what a put would do as a document.
    fn explain_put<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
    ) -> PyResult<Bound<'py, PyAny>> {
        let plan = self.run(py, |butler| Ok(butler.explain_put(name, &data_id.0)?))?;
        plain::to_python(py, &documents::put_plan_json(&plan))
    }

    /// Returns what is in the first repository as a document.
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let info = self.run(py, |butler| Ok(repository_info(butler)?))?;
        plain::to_python(py, &documents::info_json(&info))
    }

    /// Compares two datasets: for each component its name, what came of it, and where they differ.
    fn diff(
        &self,
        py: Python<'_>,
        first: &str,
        second: &str,
        data_id: Given,
    ) -> PyResult<Vec<Compared>> {
        self.run(py, |butler| {
            let entries = butler.diff(first, second, &data_id.0)?.into_iter();
            let told = |entry: DiffEntry| {
                let (outcome, difference) = match entry.comparison {
                    Comparison::Same => ("same", None),
                    Comparison::Different(difference) => ("different", Some(difference)),
                    Comparison::OnlyFirst => ("only first", None),
                    Comparison::OnlySecond => ("only second", None),
                };
                (entry.component, outcome, difference)
            };
            Ok(entries.map(told).collect())
        })
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
}
