//! The classes of objects: what each has beside what all have ([`crate::wrapped::DataObject`]).

pub mod bbox;
pub mod container;
pub mod document;
pub mod end_to_end;
pub mod exposure;
pub mod image;
pub mod metadata;
pub mod records;
pub mod table;
pub mod wcs;
