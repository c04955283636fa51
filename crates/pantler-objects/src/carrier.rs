//! The two ways in which a file carries a component: as cards of a header, or as a record of an archive.

use pantler_core::Hasher;

use crate::archive::Persisted;
use crate::metadata::Metadata;
use crate::values::Values;

/// What a component was read from, whole.
#[derive(Debug, Clone)]
pub enum Carrier {
    /// The cards that describe it.
    Header(Metadata),
    /// An archive record with all it refers to.
    Archive(Persisted),
}

impl Carrier {
    /// Returns the cards, if cards carry it.
    pub fn header(&self) -> Option<&Metadata> {
        match self {
            Carrier::Header(cards) => Some(cards),
            Carrier::Archive(_) => None,
        }
    }

    /// Returns the record, if a record carries it.
    pub fn persisted(&self) -> Option<&Persisted> {
        match self {
            Carrier::Header(_) => None,
            Carrier::Archive(persisted) => Some(persisted),
        }
    }
}

impl Values for Carrier {
    fn add_values(&self, hasher: &mut Hasher) {
        match self {
            Carrier::Header(cards) => {
                hasher.update(b"header");
                cards.add_values(hasher);
            }
            Carrier::Archive(persisted) => {
                hasher.update(b"archive");
                persisted.add_values(hasher);
            }
        }
    }

    fn differs_from(&self, other: &Carrier) -> Option<String> {
        match (self, other) {
            (Carrier::Header(mine), Carrier::Header(others)) => mine.differs_from(others),
            (Carrier::Archive(mine), Carrier::Archive(others)) => mine.difference(others),
            (Carrier::Header(_), Carrier::Archive(_)) => {
                Some("header cards carry the first and an archive record the second".to_owned())
            }
            (Carrier::Archive(_), Carrier::Header(_)) => {
                Some("an archive record carries the first and header cards the second".to_owned())
            }
        }
    }

    fn memory_bytes(&self) -> u64 {
        match self {
            Carrier::Header(cards) => cards.memory_bytes(),
            Carrier::Archive(persisted) => persisted.memory(),
        }
    }
}
