//! Where pixels lie on the sky.

use pantler_core::{Hasher, Origin};

use crate::archive::Persisted;
use crate::carrier::Carrier;
use crate::metadata::Metadata;
use crate::values::Values;

/// A world coordinate system, from header cards or an archive record.
///
/// An archive record speaks of pixels of the parent image, counted from 0. Header cards speak of the pixels of the array
/// that they stand with, counted from 1, so they come with the place of that array in its parent.
#[derive(Debug, Clone)]
pub struct Wcs {
    carrier: Carrier,
    x0: i64,
    y0: i64,
    origin: Option<Origin>,
}

impl Wcs {
    /// Makes a coordinate system of the cards of an array whose first pixel is (`x0`, `y0`) of its parent.
    pub fn from_header(cards: Metadata, x0: i64, y0: i64) -> Wcs {
        Wcs {
            carrier: Carrier::Header(cards),
            x0,
            y0,
            origin: None,
        }
    }

    /// Makes a coordinate system of an archive record: `SkyWcs`, `TanWcs`.
    pub fn from_archive(persisted: Persisted) -> Wcs {
        Wcs {
            carrier: Carrier::Archive(persisted),
            x0: 0,
            y0: 0,
            origin: None,
        }
    }

    /// Returns what carries it.
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// Returns the place in its parent of the array that the cards are written for; (0, 0) for a record.
    pub fn pixel_origin(&self) -> (i64, i64) {
        (self.x0, self.y0)
    }

    /// Says whether both hold the same values.
    pub fn same(&self, other: &Wcs) -> bool {
        self.differs_from(other).is_none()
    }

    /// Returns its cards for an array whose first pixel is (`x0`, `y0`) of the parent; `None` for a record.
    pub fn header_at(&self, x0: i64, y0: i64) -> Option<Metadata> {
        let cards = self.carrier.header()?;
        let shifts = [
            ("1", self.x0 as f64 - x0 as f64),
            ("2", self.y0 as f64 - y0 as f64),
        ];
        if (self.x0, self.y0) == (x0, y0) {
            return Some(cards.clone());
        }
        let mut moved = cards.clone();
        for card in cards.iter() {
            let Some(axis) = card.keyword().strip_prefix("CRPIX") else {
                continue;
            };
            let shift = shifts.iter().find(|(number, _)| {
                let rest = axis.strip_prefix(number);
                rest.is_some_and(|rest| {
                    rest.len() <= 1 && !rest.starts_with(|c: char| c.is_ascii_digit())
                })
            });
            if let (Some((_, shift)), Some(value)) = (shift, card.value().as_f64()) {
                moved = moved.with(card.keyword(), value + shift, card.comment());
            }
        }
        Some(moved)
    }

    fn class_name(&self) -> &str {
        "Wcs"
    }
}

impl Values for Wcs {
    fn add_values(&self, hasher: &mut Hasher) {
        hasher.update(&self.x0.to_le_bytes());
        hasher.update(&self.y0.to_le_bytes());
        self.carrier.add_values(hasher);
    }

    fn differs_from(&self, other: &Wcs) -> Option<String> {
        if (self.x0, self.y0) != (other.x0, other.y0) {
            return Some(format!(
                "its pixels are counted from ({}, {}) and from ({}, {})",
                self.x0, self.y0, other.x0, other.y0
            ));
        }
        self.carrier.differs_from(&other.carrier)
    }

    fn memory_bytes(&self) -> u64 {
        self.carrier.memory_bytes()
    }
}

leaf_object!(Wcs);
