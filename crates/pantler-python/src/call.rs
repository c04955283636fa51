//! One call from Python into the engine: other threads run meanwhile, Ctrl-C ends it, and whoever wants to knows how far it is.
//!
//! Python's signals are handled by its main thread alone, which is here for as long as the call takes. So the engine asks from
//! time to time, on the thread that called it, whether it shall go on (`pantler::Interrupt`), and that looks after signals
//! and tells the progress. A call of less than 100 ms never does: it costs two looks at the clock, where a thread to do the work
//! in and one to listen would cost more than a small get. The interpreter is taken at most twenty times in a second, however
//! many files there are.
//!
//! What a signal's handler or a progress function raises ends the call, and arrives as it was raised. Either may use the butler.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::failure::{Failure, Raise};
use crate::process;

/// No call is asked before.
const SHORT: Duration = Duration::from_millis(100);

/// How long it is between two looks.
const PAUSE: Duration = Duration::from_millis(50);

thread_local! {
    /// The call that this thread is in.
    static CALL: RefCell<Option<Call>> = const { RefCell::new(None) };
    /// Whether this thread has left its call to run code of Python's.
    static IS_ASIDE: Cell<bool> = const { Cell::new(false) };
}

struct Call {
    next: Instant,
    raised: Option<PyErr>,
    progress: Option<Progress>,
}

/// How far a call is, and the function of Python's that is told: `progress(done, all)`.
#[derive(Clone)]
pub struct Progress {
    function: Arc<Py<PyAny>>,
    steps: Arc<Steps>,
}

#[derive(Default)]
struct Steps {
    done: AtomicU64,
    all: AtomicU64,
    told: AtomicU64,
}

impl Progress {
    /// Begins with nothing done.
    pub fn new(function: Py<PyAny>, all: u64) -> Progress {
        let steps = Steps {
            told: AtomicU64::new(u64::MAX),
            ..Steps::default()
        };
        steps.all.store(all, Ordering::Relaxed);
        Progress {
            function: Arc::new(function),
            steps: Arc::new(steps),
        }
    }

    /// Goes on by some steps, on any thread.
    pub fn advance(&self, steps: u64) {
        self.steps.done.fetch_add(steps, Ordering::Relaxed);
    }

    /// Says where it is, on any thread.
    pub fn set(&self, done: u64, all: u64) {
        self.steps.done.store(done, Ordering::Relaxed);
        self.steps.all.store(all, Ordering::Relaxed);
    }

    /// Tells the function, unless it knows.
    fn tell(&self, py: Python<'_>) -> PyResult<()> {
        let all = self.steps.all.load(Ordering::Relaxed);
        // What is done once more, because another process was faster, counts once.
        let done = self.steps.done.load(Ordering::Relaxed).min(all);
        if self.steps.told.swap(done, Ordering::Relaxed) != done {
            self.function.call1(py, (done, all))?;
        }
        Ok(())
    }
}

/// Says whether the call that this thread is in shall end; on threads that are in no call of Python's, never.
pub fn is_unwanted() -> bool {
    let now = Instant::now();
    let due = CALL.with_borrow_mut(|held| match held {
        Some(call) if call.raised.is_none() && now < call.next => None,
        held => held.take(),
    });
    let Some(mut call) = due else {
        return false;
    };
    if call.raised.is_none() {
        // The call is put aside meanwhile: what runs now may call the butler itself.
        let before = IS_ASIDE.replace(true);
        call.raised = Python::attach(|py| {
            py.check_signals()?;
            call.progress.as_ref().map_or(Ok(()), |each| each.tell(py))
        })
        .err();
        IS_ASIDE.set(before);
        call.next = Instant::now() + PAUSE;
    }
    let is_unwanted = call.raised.is_some();
    CALL.set(Some(call));
    is_unwanted
}

/// Says whether code of Python's runs in the middle of a call on this thread.
pub fn is_aside() -> bool {
    IS_ASIDE.get()
}

/// Does some work of the engine's, while other threads run.
pub fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<Progress>,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> PyResult<T> {
    let call = Call {
        next: Instant::now() + SHORT,
        raised: None,
        progress: progress.clone(),
    };
    let around = Around(CALL.replace(Some(call)));
    let outcome = py.detach(|| {
        process::prepare();
        work()
    });
    let call = CALL.take();
    drop(around);
    if let Some(raised) = call.and_then(|call| call.raised) {
        return Err(raised);
    }
    let outcome = outcome.or_raise(py)?;
    if let Some(progress) = progress {
        progress.tell(py)?;
    }
    Ok(outcome)
}

/// The call that another one was made in, which goes on afterwards, also where this one panics.
struct Around(Option<Call>);

impl Drop for Around {
    fn drop(&mut self) {
        CALL.set(self.0.take());
    }
}
