//! A gate that lets one writer of this process through at a time, in the order of arrival.
//!
//! Without it the threads of one process would compete for the file's lock, which has no queue. It knows nothing of other
//! processes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Lets one through at a time.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    taken: bool,
    waiting: VecDeque<u64>,
    next_ticket: u64,
}

impl Gate {
    /// Waits for its turn, at most until `deadline`; says whether it was let through.
    pub(crate) fn enter(&self, deadline: Instant) -> bool {
        let mut queue = unpoisoned(self.state.lock());
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push_back(ticket);
        while queue.taken || queue.waiting.front() != Some(&ticket) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                queue.waiting.retain(|waiting| *waiting != ticket);
                // Whoever stood behind may be first now.
                self.changed.notify_all();
                return false;
            }
            queue = unpoisoned(self.changed.wait_timeout(queue, left)).0;
        }
        queue.waiting.pop_front();
        queue.taken = true;
        true
    }

    /// Lets the next one through.
    pub(crate) fn leave(&self) {
        unpoisoned(self.state.lock()).taken = false;
        self.changed.notify_all();
    }
}

/// Returns the lock although somebody panicked while holding it: what these locks guard is never left half changed.
pub(crate) fn unpoisoned<T>(locked: Result<T, PoisonError<T>>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}

/// Locks a mutex as [`unpoisoned`] does.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    unpoisoned(mutex.lock())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(5)
    }

    #[test]
    fn the_second_waits_until_the_first_has_left() {
        let gate = Gate::default();
        assert!(gate.enter(soon()));
        assert!(!gate.enter(soon()), "it is taken");
        gate.leave();
        assert!(gate.enter(soon()), "who gave up does not stand in the way");
    }

    #[test]
    fn those_who_wait_are_let_through_in_order() {
        let gate = Gate::default();
        let order = Mutex::new(Vec::new());
        let late = Instant::now() + Duration::from_secs(60);
        assert!(gate.enter(late));
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (gate, order) = (&gate, &order);
                scope.spawn(move || {
                    assert!(gate.enter(late));
                    lock(order).push(number);
                    gate.leave();
                });
                while lock(&gate.state).waiting.len() <= number {
                    std::thread::yield_now();
                }
            }
            gate.leave();
        });
        assert_eq!(*lock(&order), [0, 1, 2, 3]);
    }
}
