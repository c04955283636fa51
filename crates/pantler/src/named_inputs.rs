//! Data IDs that stand in an object's own metadata: a coadd's header lists the exposures that it was made of (rule R34).
//!
//! An entry holds data IDs as people type them, `visit=903334 ccd=16`, separated by `;`; an entry that occurs several times
//! is one list. The put records what it finds by them; a composite that was never put is looked up by them, for which its
//! plan reads the header of the base, and nothing else of it.

use pantler_core::object::downcast;
use pantler_core::{DataId, ObjectRef};
use pantler_objects::{CardValue, Metadata};

use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::resolve::typed;

/// No list is longer, whatever a header says.
const MOST: usize = 100_000;

/// Returns the data IDs that an entry lists, in their order and each once; `None` if there is no such entry.
pub(crate) fn listed(
    chain: &Chain,
    asked: &Asked,
    metadata: &ObjectRef,
    entry: &str,
) -> Result<Option<Vec<DataId>>> {
    let Some(metadata) = downcast::<Metadata>(metadata.as_ref()) else {
        return Ok(None);
    };
    let mut found: Option<Vec<DataId>> = None;
    for card in metadata.iter() {
        if !card.keyword().eq_ignore_ascii_case(entry) {
            continue;
        }
        let list = found.get_or_insert_default();
        let CardValue::Text(text) = card.value() else {
            return Err(no_list(asked, entry, &card.value().to_string()));
        };
        let pieces = text.split([';', '\n']).map(str::trim);
        for piece in pieces.filter(|piece| !piece.is_empty()) {
            let data_id = DataId::parse(piece).ok_or_else(|| no_list(asked, entry, piece))?;
            let data_id = typed(chain, asked, &data_id)?;
            if !list.contains(&data_id) {
                list.push(data_id);
            }
            if list.len() > MOST {
                return Err(no_list(asked, entry, "more than 100000 data IDs"));
            }
        }
    }
    Ok(found)
}

fn no_list(asked: &Asked, entry: &str, text: &str) -> Error {
    let shown: String = text.chars().take(60).collect();
    Error::Request {
        message: format!(
            "{entry} of `{}` is no list of data IDs: {shown}",
            asked.name
        ),
        hints: vec![
            "data IDs are written as visit=903334 ccd=16, and separated by a semicolon".to_owned(),
        ],
    }
}
