//! A batch of puts and links behind `pantler.batch.Batch`, which sorts arguments as the butler's own methods do.
//!
//! It belongs to the process that began it: a forked child neither goes on with it nor clears what it has staged.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use pyo3::prelude::*;

use crate::data_ids::Given;
use crate::engine::{Uses, put_document, put_options, taken_parts};
use crate::failure::{Failure, Raise};
use crate::wrapped::wrap;
use crate::{call, plain};

/// A batch as Python's half of the package uses it.
#[pyclass(frozen, module = "pantler._pantler")]
pub struct Batch {
    process: u32,
    /// `None` once it was committed or given up.
    batch: Mutex<Option<pantler::Batch>>,
}

impl Batch {
    pub(crate) fn new(batch: pantler::Batch) -> Batch {
        Batch {
            process: std::process::id(),
            batch: Mutex::new(Some(batch)),
        }
    }

    fn batch(&self) -> Result<MutexGuard<'_, Option<pantler::Batch>>, Failure> {
        if self.process != std::process::id() {
            return Err(Failure::request(
                "the batch belongs to the process that began it; a child process begins its own",
            ));
        }
        match self.batch.try_lock() {
            Ok(held) => Ok(held),
            // This very thread has it.
            Err(TryLockError::WouldBlock) if call::is_aside() => Err(Failure::request(
                "the batch is in the middle of a put, which a signal's handler cannot add to",
            )),
            Err(_) => Ok(self.batch.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Adds something, and lets other threads run meanwhile.
    fn add<'py>(
        &self,
        py: Python<'py>,
        add: impl FnOnce(&mut pantler::Batch) -> Result<pantler::PutResult, pantler::Error> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        let result = call::watched(py, None, || {
            let mut held = self.batch()?;
            let batch = held.as_mut().ok_or_else(|| Failure::request(ENDED))?;
            Ok::<_, Failure>(add(batch)?)
        });
        plain::to_python(py, &put_document(&result?))
    }
}

const ENDED: &str = "the batch has ended: begin another one";

/// In another process it is forgotten, not dropped: what is staged is the other's.
impl Drop for Batch {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            let held = self.batch.get_mut();
            std::mem::forget(held.unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

#[pymethods]
impl Batch {
    #[expect(
        clippy::too_many_arguments,
        reason = "Python hands over what a put can be told"
    )]
    fn put<'py>(
        &self,
        py: Python<'py>,
        object: &Bound<'py, PyAny>,
        name: &str,
        data_id: Given,
        replace: bool,
        drop_input_only: bool,
        inputs: Vec<(String, Given)>,
        notes: Vec<(String, String)>,
        parts: Vec<(String, Bound<'py, PyAny>)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let uses = py.detach(|| {
            let held = self.batch()?;
            let batch = held.as_ref().ok_or_else(|| Failure::request(ENDED))?;
            Ok::<_, Failure>(Uses::of(batch.butler(), name, &data_id.0))
        });
        let object = uses.or_raise(py)?.taken(object)?;
        let mut options = put_options(replace, drop_input_only, inputs, notes);
        options.parts = taken_parts(&parts)?;
        self.add(py, |batch| batch.put(&object, name, &data_id.0, &options))
    }

    /// Reads a file of the user's as an object that can be put under a name.
    fn read_file<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        file: PathBuf,
    ) -> PyResult<Bound<'py, PyAny>> {
        let object = call::watched(py, None, || {
            let held = self.batch()?;
            let batch = held.as_ref().ok_or_else(|| Failure::request(ENDED))?;
            Ok(batch.butler().read_file(name, &data_id.0, &file)?)
        });
        wrap(py, object?)
    }

    fn link<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        notes: Vec<(String, String)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = put_options(false, false, Vec::new(), notes);
        self.add(py, |batch| batch.link(name, &data_id.0, &options))
    }

    /// Makes all of it durable and visible; returns what each put and link has done.
    fn commit<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let results = call::watched(py, None, || {
            let batch = self.batch()?.take();
            let batch = batch.ok_or_else(|| Failure::request(ENDED))?;
            Ok::<_, Failure>(batch.commit()?)
        });
        let results = results?;
        let documents = results.iter().map(put_document);
        documents
            .map(|document| plain::to_python(py, &document))
            .collect()
    }

    /// Gives it up: nothing of it stays.
    fn discard(&self, py: Python<'_>) {
        py.detach(|| {
            if let Ok(mut held) = self.batch() {
                drop(held.take());
            }
        });
    }
}
