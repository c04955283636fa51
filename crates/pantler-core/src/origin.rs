//! Where an object in memory came from.

use crate::{DataId, DatasetId, TypeName};

/// The dataset, and the part of it, that an object was read from.
///
/// Objects keep it until they are changed (a `with_…` copy of what carries it forgets it), so that a put can recognise
/// what it need not write again (rules R23 and R24).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The dataset's identity.
    pub dataset: DatasetId,
    /// Its type.
    pub dataset_type: TypeName,
    /// Its data ID.
    pub data_id: DataId,
    /// The path of components inside it; empty for the whole.
    pub part: Vec<String>,
    /// Whether all of it was read: `false` for a cutout, some columns, some rows.
    pub whole: bool,
    /// Whether a standardizer ran on it: then it is not what the artifact holds (rule R23).
    pub standardized: bool,
}

impl Origin {
    /// Returns the origin of this object's component `name`.
    pub fn component(&self, name: &str) -> Origin {
        let mut part = self.part.clone();
        part.push(name.to_owned());
        Origin {
            part,
            ..self.clone()
        }
    }
}
