//! Places where a test can kill the program, to prove that every instant leaves the old state or the new one.
//!
//! Compiled in only with the feature `fail-points`; otherwise nothing.

/// Ends the process without any clean-up if the environment's `PANTLER_FAIL_POINT` names this place.
#[cfg(feature = "fail-points")]
pub(crate) fn reach(name: &str) {
    if std::env::var("PANTLER_FAIL_POINT").is_ok_and(|wanted| wanted == name) {
        std::process::abort();
    }
}

/// Does nothing.
#[cfg(not(feature = "fail-points"))]
pub(crate) fn reach(_name: &str) {}
