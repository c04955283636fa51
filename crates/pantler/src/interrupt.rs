//! Lets whoever asked for a long work end it: from time to time the work asks whether it is still wanted.
//!
//! It asks between files, rows and pieces of files, never while a transaction of a registry is open and never after a commit,
//! so that what was not committed is undone like after any other error. Work that all cores share goes on in rayon's pool
//! while the thread that asked for it waits and listens: a person's Ctrl-C in Python is known to one thread alone. Whoever has
//! nothing to say costs nothing: the work is then done as if there were no such thing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::error::{Error, Result};

/// How often the waiting thread listens.
const PAUSE: Duration = Duration::from_millis(50);

type Wish = dyn Fn() -> bool + Send + Sync;

/// Says whether a butler's caller wants it to stop.
///
/// What it is made of is called on the thread that called the butler, at any rate every 50 ms in works that all cores share, and
/// on threads of rayon's pool. It may be called many thousand times in a second.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
/// use pantler::{Butler, ButlerOptions, Error, Interrupt};
///
/// let stop = Arc::new(AtomicBool::new(false));
/// let heard = stop.clone();
/// let interrupt = Interrupt::when(move || heard.load(Ordering::Relaxed));
/// assert!(interrupt.check().is_ok());
/// stop.store(true, Ordering::Relaxed);
/// assert!(matches!(interrupt.check(), Err(Error::Interrupted)));
/// let options = ButlerOptions { interrupt, ..ButlerOptions::default() };
/// # let _ = options;
/// ```
#[derive(Clone, Default)]
pub struct Interrupt(Option<Arc<Wish>>);

impl Interrupt {
    /// Stops works for which `wanted` returns true.
    pub fn when(wanted: impl Fn() -> bool + Send + Sync + 'static) -> Interrupt {
        Interrupt(Some(Arc::new(wanted)))
    }

    /// Fails with [`Error::Interrupted`] if the caller wants it to stop.
    pub fn check(&self) -> Result<()> {
        match &self.0 {
            Some(wanted) if wanted() => Err(Error::Interrupted),
            _ => Ok(()),
        }
    }

    /// Does work that all cores share: it runs in the pool, and asks `Stop` between its pieces, while this thread listens.
    pub(crate) fn while_working<T: Send>(
        &self,
        work: impl FnOnce(&Stop<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let stop = Stop {
            interrupt: self,
            wanted: AtomicBool::new(false),
        };
        // A thread of the pool does not wait for another one, which may be waiting for it: the work itself asks.
        let outcome = match self.0.is_none() || rayon::current_thread_index().is_some() {
            true => work(&stop),
            false => listening(work, &stop),
        };
        match stop.wanted.load(Ordering::Relaxed) {
            true => Err(Error::Interrupted),
            false => outcome,
        }
    }
}

fn listening<T: Send>(
    work: impl FnOnce(&Stop<'_>) -> Result<T> + Send,
    stop: &Stop<'_>,
) -> Result<T> {
    let (sender, receiver) = channel();
    rayon::in_place_scope(|scope| {
        scope.spawn(move |_| {
            // The receiver outlives the scope.
            let _ = sender.send(work(stop));
        });
        loop {
            match receiver.recv_timeout(PAUSE) {
                Ok(outcome) => break outcome,
                Err(RecvTimeoutError::Timeout) => drop(stop.check()),
                // The work panicked, and the scope goes on with that.
                Err(RecvTimeoutError::Disconnected) => break Err(Error::Interrupted),
            }
        }
    })
}

/// Tells the pieces of one work whether it is still wanted.
pub(crate) struct Stop<'a> {
    interrupt: &'a Interrupt,
    wanted: AtomicBool,
}

impl Stop<'_> {
    /// Fails with [`Error::Interrupted`] once the caller wants it to stop.
    pub(crate) fn check(&self) -> Result<()> {
        if self.wanted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let asked = self.interrupt.check();
        if asked.is_err() {
            self.wanted.store(true, Ordering::Relaxed);
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn shared_work_ends_at_the_next_piece() {
        let caller = std::thread::current().id();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        // Only the calling thread knows of the wish, as in Python.
        let interrupt = Interrupt::when(move || {
            std::thread::current().id() == caller && counter.fetch_add(1, Ordering::Relaxed) == 0
        });
        let begun = AtomicUsize::new(0);
        // The work never ends by itself.
        let outcome: Result<()> = interrupt.while_working(|stop| {
            rayon::iter::repeat(()).try_for_each(|()| {
                begun.fetch_add(1, Ordering::Relaxed);
                stop.check()
            })
        });
        assert!(matches!(outcome, Err(Error::Interrupted)));
        assert!(begun.load(Ordering::Relaxed) > 0);
        assert_eq!(asked.load(Ordering::Relaxed), 1, "a wish is heard once");
    }

    #[test]
    fn work_that_nobody_interrupts_gives_what_it_makes() {
        for interrupt in [Interrupt::default(), Interrupt::when(|| false)] {
            let sum = interrupt.while_working(|stop| {
                stop.check()?;
                Ok((0..1000_u64).into_par_iter().sum::<u64>())
            });
            assert_eq!(sum.ok(), Some(499_500));
            let nested = interrupt.while_working(|_| interrupt.while_working(|_| Ok(7)));
            assert_eq!(nested.ok(), Some(7));
        }
    }

    #[test]
    fn what_came_too_late_is_still_an_interrupt() {
        let interrupt = Interrupt::when(|| true);
        let outcome = interrupt.while_working(|stop| {
            drop(stop.check());
            Ok(1)
        });
        assert!(matches!(outcome, Err(Error::Interrupted)));
    }
}
