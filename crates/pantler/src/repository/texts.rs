//! Small texts of a repository's own: read whole, written in one step and durably.

use pantler_core::store::{Link, OnExisting};
use pantler_core::{ArtifactPath, Location, Store, StoreError};

use crate::error::{Error, Result};
use crate::own_names::text_path;

/// No text of a repository's own is larger than this; a larger file is a mistake.
const LARGEST: u64 = 64 << 20;

pub(crate) fn joined(folder: &str, file: &str) -> String {
    format!("{}/{file}", folder.trim_end_matches('/'))
}

/// Reads a small text of the repository's own; `None` if it does not exist.
pub(crate) fn read_text(store: &dyn Store, path: &str) -> Result<Option<String>> {
    let location = Location::Inside(ArtifactPath::new(path)?);
    let bytes = match store.read_whole(&location, LARGEST) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            return Err(Error::request(format!(
                "{} has more than {LARGEST} bytes, which is no policy",
                joined(store.root(), path)
            )));
        }
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    String::from_utf8(bytes.to_vec())
        .map(Some)
        .map_err(|_| Error::request(format!("{} is not UTF-8 text", joined(store.root(), path))))
}

/// Writes a small text of the repository's own in one step, durably.
pub(crate) fn write_text(
    store: &dyn Store,
    path: &str,
    text: &str,
    existing: OnExisting,
) -> Result<()> {
    let target = ArtifactPath::new(path)?;
    let staged = text_path()?;
    let written = (|| {
        store.stage(&staged, &mut text.as_bytes())?;
        store.sync(std::slice::from_ref(&staged))?;
        crate::fail_point::reach("text-staged");
        store.link(&[Link {
            from: staged.clone(),
            to: target.clone(),
            existing,
        }])?;
        crate::fail_point::reach("text-linked");
        store.sync(&[target])
    })();
    // If it is written, a staged name that stays is a leftover and no failure.
    let _ = store.delete(&[staged]);
    Ok(written?)
}
