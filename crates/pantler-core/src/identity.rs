//! The identity of one dataset: a UUID given when it is put or ingested, and kept for ever; derived from what it is where nobody
//! gave one.
//!
//! In a folder without an index nothing keeps an identity, so it is computed from type, data ID and digest (rule R19). The digest
//! takes reading the whole file. Until somebody has to know the identity, a stamp stands in for it, which never leaves the
//! process.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{DataId, Digest, Hasher, TypeName};

/// The version digit of derived identities: custom, as RFC 9562 says.
const DERIVED: u8 = 8;

/// The version digit of stamps: one that RFC 9562 leaves undefined.
const STAMP: u8 = 15;

/// Which dataset it is, wherever copies of it lie (rule R19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatasetId(Uuid);

impl DatasetId {
    /// Wraps a UUID. New ones are time-ordered (version 7), so that an index grows at its end.
    pub fn new(uuid: Uuid) -> DatasetId {
        DatasetId(uuid)
    }

    /// Reads an identity as it is printed.
    pub fn parse(text: &str) -> Option<DatasetId> {
        Uuid::parse_str(text).ok().map(DatasetId)
    }

    /// Returns the identity with these 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> DatasetId {
        DatasetId(Uuid::from_bytes(bytes))
    }

    /// Derives the identity of a dataset in a folder without an index: equal types, data IDs and contents give equal ones,
    /// wherever they lie (rule R19). The order of the keys does not matter.
    pub fn derived(dataset_type: &TypeName, data_id: &DataId, digest: &Digest) -> DatasetId {
        let mut hasher = Hasher::default();
        hasher.field(b"pantler identity");
        add_name(&mut hasher, dataset_type, data_id);
        hasher.field(digest.as_bytes());
        of_version(DERIVED, &hasher)
    }

    /// Returns the identity of a part of a dataset that is in a repository without the rest of it (rule R35): the same wherever it
    /// was taken out. It is a name-based UUID (version 5, RFC 9562) whose namespace is the dataset's identity.
    ///
    /// ```
    /// use pantler_core::DatasetId;
    /// let whole = DatasetId::from_bytes([1; 16]);
    /// let wcs = DatasetId::of_part(whole, &["wcs"]);
    /// assert_eq!(wcs, DatasetId::of_part(whole, &["wcs"]));
    /// assert_ne!(wcs, DatasetId::of_part(whole, &["psf"]));
    /// ```
    pub fn of_part(whole: DatasetId, part: &[impl AsRef<str>]) -> DatasetId {
        let names: Vec<&str> = part.iter().map(AsRef::as_ref).collect();
        DatasetId(Uuid::new_v5(&whole.0, names.join(".").as_bytes()))
    }

    /// Returns what stands in for an identity until the digest is known: another one whenever the file's size or time of change
    /// is another. It means something in this process only.
    pub fn stamp(
        root: &str,
        dataset_type: &TypeName,
        data_id: &DataId,
        bytes: u64,
        modified: Option<i64>,
    ) -> DatasetId {
        let mut hasher = Hasher::default();
        hasher.field(b"pantler stamp");
        hasher.field(root.as_bytes());
        add_name(&mut hasher, dataset_type, data_id);
        hasher.field(&bytes.to_le_bytes());
        hasher.field(&modified.unwrap_or(i64::MIN).to_le_bytes());
        of_version(STAMP, &hasher)
    }

    /// Says whether it was derived from a content.
    pub fn is_derived(&self) -> bool {
        self.0.get_version_num() == usize::from(DERIVED)
    }

    /// Says whether it only stands in for an identity, so that it must not be recorded or shown.
    pub fn is_stamp(&self) -> bool {
        self.0.get_version_num() == usize::from(STAMP)
    }

    /// Returns the 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for DatasetId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

fn add_name(hasher: &mut Hasher, dataset_type: &TypeName, data_id: &DataId) {
    hasher.field(dataset_type.as_str().as_bytes());
    let mut keys: Vec<_> = data_id.iter().collect();
    keys.sort_by_key(|(key, _)| *key);
    for (key, value) in keys {
        hasher.field(key.as_bytes());
        hasher.field(value.plain().as_bytes());
    }
}

fn of_version(version: u8, hasher: &Hasher) -> DatasetId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finish().as_bytes()[..16]);
    // Of RFC 9562, section 4: the version is the upper half of byte 6, the variant `10` the two upper bits of byte 8.
    bytes[6] = bytes[6] & 0x0F | version << 4;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    DatasetId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calexp() -> TypeName {
        TypeName::new("calexp").unwrap()
    }

    #[test]
    fn r19_a_derived_identity_says_type_data_id_and_content() {
        let data_id = DataId::parse("visit=1 ccd=2").unwrap();
        let digest = Digest::of(b"pixels");
        let id = DatasetId::derived(&calexp(), &data_id, &digest);
        assert!(id.is_derived() && !id.is_stamp());
        let turned = DataId::parse("ccd=2 visit=1").unwrap();
        assert_eq!(DatasetId::derived(&calexp(), &turned, &digest), id);
        let others = [
            DatasetId::derived(&TypeName::new("src").unwrap(), &data_id, &digest),
            DatasetId::derived(&calexp(), &data_id.with("ccd", 3.into()), &digest),
            DatasetId::derived(&calexp(), &data_id, &Digest::of(b"other pixels")),
        ];
        assert!(others.iter().all(|other| *other != id));
        assert_eq!(DatasetId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn a_stamp_changes_with_size_and_time_and_is_no_identity() {
        let data_id = DataId::parse("visit=1").unwrap();
        let stamp = |bytes, modified| DatasetId::stamp("/a", &calexp(), &data_id, bytes, modified);
        assert!(stamp(1, None).is_stamp() && !stamp(1, None).is_derived());
        assert_eq!(stamp(1, Some(5)), stamp(1, Some(5)));
        assert_ne!(stamp(1, Some(5)), stamp(2, Some(5)));
        assert_ne!(stamp(1, Some(5)), stamp(1, Some(6)));
        assert_ne!(stamp(1, None), stamp(1, Some(6)));
        let given = DatasetId::new(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000));
        assert!(!given.is_derived() && !given.is_stamp());
    }
}
