//! Arrays on the engine's memory, which cannot be written through.
//!
//! numpy takes memory by its *array interface*, version 3 (numpy's manual, "The array interface protocol"): an attribute with
//! address, shape and type. It keeps the object that has the attribute, and this object keeps the memory.

use std::sync::Arc;

use arrow_buffer::ArrowNativeType;
use pantler::objects::PixelBuffer;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Keeps memory of the engine for a numpy array.
#[pyclass(frozen, module = "pantler._pantler")]
pub struct View {
    address: usize,
    shape: Vec<usize>,
    type_string: String,
    /// What the address points into.
    _kept: Arc<dyn std::any::Any + Send + Sync>,
}

#[pymethods]
impl View {
    /// What numpy asks for.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("data", (self.address, true))?;
        interface.set_item("shape", pyo3::types::PyTuple::new(py, &self.shape)?)?;
        interface.set_item("typestr", &self.type_string)?;
        Ok(interface)
    }
}

/// Numbers that numpy has a type for.
pub trait Numeric: ArrowNativeType {
    /// The letter of the kind in numpy's notation: `i`, `u`, `f`.
    const KIND: char;
}

macro_rules! numeric {
    ($($type:ty => $kind:literal),+) => {
        $(impl Numeric for $type { const KIND: char = $kind; })+
    };
}

numeric!(u8 => 'u', i8 => 'i', u16 => 'u', i16 => 'i', u32 => 'u', i32 => 'i', u64 => 'u', i64 => 'i', f32 => 'f', f64 => 'f');

/// Returns a numpy array of this shape on a buffer, which is shared and cannot be written through it.
pub fn array<'py, T: Numeric>(
    py: Python<'py>,
    buffer: &PixelBuffer<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    debug_assert_eq!(shape.iter().product::<usize>(), buffer.len());
    let order = match size_of::<T>() {
        1 => '|',
        _ if cfg!(target_endian = "big") => '>',
        _ => '<',
    };
    let view = View {
        address: buffer.as_ptr().addr(),
        shape: shape.to_vec(),
        type_string: format!("{order}{}{}", T::KIND, size_of::<T>()),
        _kept: Arc::new(buffer.clone()),
    };
    py.import("numpy")?.call_method1("asarray", (view,))
}
