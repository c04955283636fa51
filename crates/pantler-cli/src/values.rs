//! Small values as documents: objects that have a JSON form.

use pantler::core::formatter::WriteOptions;
use pantler::formats::FormatterSet;
use pantler::{ObjectRef, core};
use serde_json::Value;

/// Returns an object as the JSON formatter writes it; `None` if its class has no such form.
pub fn object_json(formatters: &FormatterSet, object: &ObjectRef) -> Option<Value> {
    let formatter = formatters.get("JsonStorage")?;
    let bytes = formatter.write(object, &WriteOptions::default()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Returns the class that a policy's `python` stands for, for people: the last word where it is the user's own.
pub fn class_name(python: &str) -> &str {
    match core::python_type::python_type(python) {
        core::python_type::PythonType::Own(class) => class,
        core::python_type::PythonType::Foreign(path) => path.rsplit('.').next().unwrap_or(path),
    }
}
