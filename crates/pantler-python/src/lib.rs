//! The compiled half of the Python package: the engine and its objects as Python classes.
//!
//! The other half, in `python/pantler`, has what is easier said in Python: signatures, exceptions, results. Like the program,
//! this face of the engine takes arguments and hands out results, and decides nothing. It promises that
//!
//! - whatever reads, writes or computes for long lets other Python threads run meanwhile, and Ctrl-C ends it (`call.rs`);
//! - an object of the engine is one object of Python, as long as anybody holds it (`wrapped.rs`);
//! - arrays are views on the engine's memory that cannot be written through (`view.rs`);
//! - code of the user's runs with no lock of the engine held, and what it raises arrives as it was raised (`plugins.rs`);
//! - a child process that was forked goes on with repositories opened anew (`process.rs`).

mod alone;
mod batch;
mod by_value;
mod call;
mod coordinates;
mod data_ids;
mod engine;
mod failure;
mod objects;
mod plain;
mod plugins;
mod process;
mod program;
mod rows;
mod taken;
mod values;
mod view;
mod wrapped;

use pyo3::prelude::*;

/// What `pantler/__init__.py` imports.
#[pymodule(gil_used = true)]
mod _pantler {
    #[pymodule_export]
    use crate::alone::{check_policy, migrate, policy_schema, read_file};
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::by_value::{attached, container, sent};
    #[pymodule_export]
    use crate::engine::{Engine, init};
    #[pymodule_export]
    use crate::objects::bbox::Bbox;
    #[pymodule_export]
    use crate::objects::container::{Container, Subset};
    #[pymodule_export]
    use crate::objects::document::Document;
    #[pymodule_export]
    use crate::objects::exposure::{Exposure, MaskedImage};
    #[pymodule_export]
    use crate::objects::image::{Image, Mask};
    #[pymodule_export]
    use crate::objects::metadata::Metadata;
    #[pymodule_export]
    use crate::objects::records::{PhotoCalib, Psf, VisitInfo};
    #[pymodule_export]
    use crate::objects::table::Table;
    #[pymodule_export]
    use crate::objects::wcs::Wcs;
    #[pymodule_export]
    use crate::program::run_program;
    #[pymodule_export]
    use crate::rows::Rows;
    #[pymodule_export]
    use crate::view::View;
    #[pymodule_export]
    use crate::wrapped::{DataObject, set_component};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn start(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::process::remember();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
