//! Coordinates in and out: two array-likes of numbers in, numpy arrays of their common shape out.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict, PyTuple};

/// Two coordinates of some points, and the shape that the arrays had together.
pub struct Points<'py> {
    /// The points.
    pub pairs: Vec<(f64, f64)>,
    shape: Bound<'py, PyAny>,
}

/// Returns an array-like as 64-bit numbers in order.
pub fn numbers(values: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let py = values.py();
    let options = PyDict::new(py);
    options.set_item("dtype", "float64")?;
    let array = py
        .import("numpy")?
        .call_method("ascontiguousarray", (values,), Some(&options))?;
    PyBuffer::<f64>::get(&array)?.to_vec(py)
}

/// Takes two array-likes, which numpy's rules bring to one shape.
pub fn points<'py>(x: &Bound<'py, PyAny>, y: &Bound<'py, PyAny>) -> PyResult<Points<'py>> {
    let arrays = x
        .py()
        .import("numpy")?
        .call_method1("broadcast_arrays", (x, y))?;
    let (x, y) = (arrays.get_item(0)?, arrays.get_item(1)?);
    Ok(Points {
        shape: x.getattr("shape")?,
        pairs: numbers(&x)?.into_iter().zip(numbers(&y)?).collect(),
    })
}

impl<'py> Points<'py> {
    /// Returns values, one for each point, in the shape that came in: an array, or a number for numbers.
    pub fn shaped(&self, values: &[f64]) -> PyResult<Bound<'py, PyAny>> {
        let py = self.shape.py();
        // The array owns this memory, and may be written: it is nobody else's.
        let bytes = PyByteArray::new(py, bytemuck::cast_slice(values));
        let array = py
            .import("numpy")?
            .call_method1("frombuffer", (bytes, "float64"))?;
        array
            .call_method1("reshape", (&self.shape,))?
            .get_item(PyTuple::empty(py))
    }

    /// Returns pairs of values as two arrays.
    pub fn shaped_pairs(
        &self,
        pairs: &[(f64, f64)],
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        Ok((self.shaped(&first)?, self.shaped(&second)?))
    }
}
