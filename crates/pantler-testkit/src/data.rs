//! Finds the real files that tests use where they are present.

use std::path::PathBuf;

/// Returns a real file below the test-data folder, or prints what is missing and returns `None`.
///
/// The folder is named by `PANTLER_TEST_DATA`; else it is `../shared/data` beside the repository. A test that gets `None`
/// returns at once. Where `PANTLER_TEST_DATA_REQUIRED` is set, a missing file is a failure, so that nobody takes a skipped
/// test for a passed one.
#[expect(
    clippy::print_stderr,
    reason = "a test that skips must say so where its output is read"
)]
pub fn test_data(relative: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PANTLER_TEST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let path = folder.join(relative);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var_os("PANTLER_TEST_DATA_REQUIRED").is_none(),
        "the real file {relative} is required here and is missing"
    );
    eprintln!(
        "skipped: the real file {relative} is not here (set PANTLER_TEST_DATA to the folder that has it)"
    );
    None
}
