//! Places where a test can kill the program, to prove that every instant leaves the old state or the new one.
//!
//! Compiled in only with the feature `fail-points`; otherwise nothing. The environment's `PANTLER_FAIL_POINT` names a place;
//! `staging:2` is the place `staging` when it is reached for the second time.

/// Ends the process without any clean-up if this is the place.
#[cfg(feature = "fail-points")]
pub(crate) fn reach(name: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static REACHED: AtomicUsize = AtomicUsize::new(0);

    let Ok(wanted) = std::env::var("PANTLER_FAIL_POINT") else {
        return;
    };
    let (place, time) = match wanted.split_once(':') {
        Some((place, time)) => (place, time.parse().unwrap_or(1)),
        None => (wanted.as_str(), 1),
    };
    if place == name && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == time {
        std::process::abort();
    }
}

/// Does nothing.
#[cfg(not(feature = "fail-points"))]
pub(crate) fn reach(_name: &str) {}
