//! A component of an exposure that pantler keeps and moves, and does not interpret.
//!
//! Point spread functions, detectors, filters, aperture corrections, polygons, transmission curves, summary statistics,
//! coadd inputs, and whatever classes the future has: all are archive records (or, in old files, header cards) with a name.

use std::sync::Arc;

use pantler_core::{Hasher, Origin};

use crate::archive::Persisted;
use crate::carrier::Carrier;
use crate::metadata::Metadata;
use crate::values::Values;

/// A component that is kept as it was read.
#[derive(Debug, Clone)]
pub struct Component {
    class: Arc<str>,
    carrier: Carrier,
    origin: Option<Origin>,
}

impl Component {
    /// Makes a component of class `class` (`Detector`, `FilterLabel`, `Psf`) out of what a file holds of it.
    pub fn new(class: impl Into<Arc<str>>, carrier: Carrier) -> Component {
        Component {
            class: class.into(),
            carrier,
            origin: None,
        }
    }

    /// Makes a component of an archive record, under the class that the component's name has in pantler: every point
    /// spread function is a `Psf`, whatever the class of its record; what has no such name has its record's.
    pub fn from_archive(component: &str, persisted: Persisted) -> Component {
        let class = crate::synonyms::class_of(component).unwrap_or(persisted.class());
        Component::new(class.to_owned(), Carrier::Archive(persisted))
    }

    /// Makes a component of header cards.
    pub fn from_header(component: &str, cards: Metadata) -> Component {
        let class = crate::synonyms::class_of(component).unwrap_or(component);
        Component::new(class.to_owned(), Carrier::Header(cards))
    }

    /// Returns what carries it.
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    fn class_name(&self) -> &str {
        &self.class
    }
}

impl Values for Component {
    fn add_values(&self, hasher: &mut Hasher) {
        self.carrier.add_values(hasher);
    }

    fn differs_from(&self, other: &Component) -> Option<String> {
        self.carrier.differs_from(&other.carrier)
    }

    fn memory_bytes(&self) -> u64 {
        self.carrier.memory_bytes()
    }
}

leaf_object!(Component);
