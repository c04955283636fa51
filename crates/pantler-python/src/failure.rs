//! Errors of the engine as Python's exceptions, which are defined in `python/pantler/errors.py`.

use pantler::core::object::ComponentError;
use pantler::core::report::{Kind, Label, Permit};
use pantler::objects::{DecodeError, ImageError, TableError, WcsError};
use pantler::{Error, Report};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// A failure on its way to Python; [`Failure::raise`] makes the exception once the interpreter is held.
#[derive(Debug)]
pub struct Failure {
    report: Box<Report>,
    /// What code of the user's raised: it arrives as it was raised.
    raised: Option<PyErr>,
    /// What could be allowed, of what was raised.
    permits: Vec<Permit>,
}

impl Failure {
    /// Starts a failure of a request that makes no sense.
    pub fn request(message: impl Into<String>) -> Failure {
        Failure::of(Kind::Request, message)
    }

    /// Starts a failure of any kind.
    pub fn of(kind: Kind, message: impl Into<String>) -> Failure {
        Failure::reported(Report::new(kind, message))
    }

    fn reported(report: Report) -> Failure {
        Failure {
            report: Box::new(report),
            raised: None,
            permits: Vec::new(),
        }
    }

    /// Says how a butler is opened that allows what was refused; `opening` makes that line of what is to be allowed.
    pub fn allowed_by(mut self, opening: impl Fn(&Permit) -> String) -> Failure {
        self.report = Box::new(self.report.allowed_by(&opening));
        if let (Some(raised), Some(permit)) = (&self.raised, self.permits.first()) {
            let hint = format!("{}: {}", permit.condition(), opening(permit));
            Python::attach(|py| {
                // An exception that takes no hints goes without.
                let _ = raised.value(py).setattr("hints", vec![hint]);
            });
        }
        self
    }

    /// Adds the reason.
    pub fn because(self, why: impl Into<String>) -> Failure {
        Failure::reported(self.report.fact(Label::Why, why))
    }

    /// Adds what to do.
    pub fn hint(self, hint: impl Into<String>) -> Failure {
        Failure::reported(self.report.hint(hint))
    }

    /// Returns the exception as an object.
    pub fn exception<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(raised) = &self.raised {
            return Ok(raised.value(py).clone().into_any());
        }
        let report = self.report.clone().allowed_by(generally);
        let facts = PyDict::new(py);
        for (label, lines) in &report.facts {
            facts.set_item(label.to_string(), lines)?;
        }
        let trail = PyList::empty(py);
        for step in &report.trail {
            let entry = PyDict::new(py);
            entry.set_item("repository", &step.repository)?;
            entry.set_item("dataset", &step.dataset)?;
            entry.set_item("outcome", &step.outcome)?;
            trail.append(entry)?;
        }
        py.import("pantler.errors")?.call_method1(
            "made",
            (
                report.kind.name(),
                &report.message,
                facts,
                &report.hints,
                trail,
            ),
        )
    }

    /// Returns the exception, to be raised.
    pub fn raise(self, py: Python<'_>) -> PyErr {
        if let Some(raised) = self.raised {
            return raised;
        }
        match self.exception(py) {
            Ok(exception) => PyErr::from_value(exception),
            Err(error) => error,
        }
    }
}

/// How something is allowed, where it is not known how the butler was opened.
fn generally(permit: &Permit) -> String {
    let argument = match permit {
        Permit::Module(name) | Permit::Repository(name) => format!("trust=[{name:?}]"),
        Permit::Pickle => "allow_pickle=True".to_owned(),
    };
    format!("Butler(…, {argument})")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let raised = error
            .raised()
            .and_then(|raised| raised.exception().downcast_ref::<PyErr>());
        Failure {
            permits: error.report().permits,
            report: Box::new(error.report()),
            raised: raised.map(|raised| Python::attach(|py| raised.clone_ref(py))),
        }
    }
}

impl From<ComponentError> for Failure {
    fn from(error: ComponentError) -> Failure {
        Error::from(error).into()
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Failure {
        Failure::request(error.to_string())
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Failure {
        Failure::request(error.to_string())
    }
}

impl From<WcsError> for Failure {
    fn from(error: WcsError) -> Failure {
        let kind = match error {
            WcsError::Unsupported { .. } => Kind::Unsupported,
            WcsError::Damaged { .. } => Kind::Corrupt,
            WcsError::NoInverse | WcsError::OffSky => Kind::Request,
        };
        Failure::of(kind, error.to_string())
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Failure {
        let kind = match error {
            DecodeError::Version { .. } | DecodeError::Unsupported { .. } => Kind::Unsupported,
            _ => Kind::Corrupt,
        };
        Failure::of(kind, error.to_string())
    }
}

/// Raises what went wrong, once the interpreter is held again.
pub trait Raise<T> {
    /// Returns the value, or the exception.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T, E: Into<Failure>> Raise<T> for Result<T, E> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| error.into().raise(py))
    }
}
