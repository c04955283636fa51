//! Getting: objects, several together, components, self-contained files.

use std::path::PathBuf;

use pantler::core::RowRanges;
use pantler::{ObjectRef, Parameters, Plan, export};
use pyo3::prelude::*;

use super::Engine;
use super::asking::composition;
use crate::data_ids::Given;
use crate::failure::{Failure, Raise};
use crate::objects::bbox::taken_box;
use crate::wrapped::wrap;

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

#[pymethods]
impl Engine {
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

    /// Gets several cutouts of one dataset, which is opened once.
    fn get_cutouts<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        boxes: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let boxes: Vec<_> = boxes.iter().map(taken_box).collect::<PyResult<_>>()?;
        let objects = self.run(py, |butler| {
            Ok(butler.get_cutouts(name, &data_id.0, &boxes)?)
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
}
