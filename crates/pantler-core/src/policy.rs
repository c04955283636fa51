//! What repositories say about their dataset types: definitions, stages, aliases, keys, recipes.

mod definition;

pub use definition::{
    Apply, Component, Composite, Definition, HeaderRule, IngestRule, KeyBinding, Place, RecordedIds,
};
