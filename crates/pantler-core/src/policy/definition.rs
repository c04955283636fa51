//! What a policy says of one dataset type, checked and with its place in the file.
//!
//! A definition is what was meant, not how it was spelt: inheritance is resolved, both spellings of `assembler` are one.

use std::fmt;
use std::sync::Arc;

use crate::template::Template;
use crate::{DatasetName, KeyType, KeyValue, TypeName};

/// A place in a policy file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file, self.line)
    }
}

/// A dataset type.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its name.
    pub name: TypeName,
    /// Where it is defined.
    pub place: Place,
    /// Where its artifacts lie; `None` for composites, and for types that are computed (`template: ignored`).
    pub template: Option<Template>,
    /// The name of its format; `None` for composites and computed types.
    pub storage: Option<String>,
    /// The in-memory type, as written.
    pub python: Option<String>,
    /// The field's older name of the persisted type; kept and shown.
    pub persistable: Option<String>,
    /// The write recipe.
    pub recipe: Option<String>,
    /// What it is for, in the author's words.
    pub description: Option<String>,
    /// The type that it inherits from.
    pub inherits: Option<TypeName>,
    /// Kept and shown, not used.
    pub level: Option<String>,
    /// Kept and shown, not used.
    pub tables: Vec<String>,
    /// The keys that a composite declares its data IDs by (rule R16).
    pub keys: Option<Vec<String>>,
    /// What it is made of, if it is a composite.
    pub composite: Option<Composite>,
    /// How ingest finds data-ID values.
    pub ingest: IngestRule,
    /// Header values kept as queryable columns: column name and header card.
    pub metadata: Vec<(String, String)>,
    /// The function that every object read goes through.
    pub standardize: Option<String>,
    /// The function that makes the object from the data ID alone.
    pub virtual_reader: Option<String>,
    /// How tables are put side by side.
    pub join: Option<Join>,
    /// What happens where tables that are put end to end disagree in their metadata.
    pub shared_metadata: Option<SharedMetadata>,
    /// Whether it has no file: `template: ignored` or `storage: ignored`.
    pub computed: bool,
    /// Keys of older policies that are kept and shown, not used.
    pub kept: Vec<(String, String)>,
    /// Where each key stands that the policies give, by the key's name.
    pub key_places: Vec<(String, Place)>,
    /// What is missing; said only when the type is used.
    pub complaints: Vec<String>,
    /// The definition as YAML, one mapping under its name, for writing it into another policy (rule R7).
    pub yaml: String,
}

/// What a composite is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Composite {
    /// Its components, in policy order.
    pub components: Vec<Component>,
    /// The plug-in that puts it together; `None` for the generic one.
    pub assembler: Option<String>,
    /// The plug-in that takes it apart.
    pub disassembler: Option<String>,
    /// Where the assembler is named.
    pub assembler_place: Option<Place>,
}

/// One component of a composite.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Its name in the composite.
    pub name: String,
    /// Where it is defined.
    pub place: Place,
    /// The dataset type that it comes from; may be a part of one (rule R12). Aliases do not apply (rule R3).
    pub dataset_type: DatasetName,
    /// The setter to use.
    pub setter: Option<String>,
    /// The getter to use.
    pub getter: Option<String>,
    /// Whether it is the list of all datasets that match.
    pub subset: bool,
    /// Whether it is read and never written.
    pub input_only: bool,
    /// Whether it may be absent.
    pub optional: bool,
    /// Whether it is marked as the base (rule R10).
    pub base: bool,
    /// Whether a subset that matches nothing exists all the same.
    pub allow_empty: bool,
    /// Keys that it gets from elsewhere than the same key of the composite.
    pub data_id: Vec<(String, KeyBinding)>,
    /// Where its data IDs are recorded, if they are not derived.
    pub data_ids: Option<RecordedIds>,
    /// The operation on another component that it stands for (rule R32), as written: `subtract` to `image`.
    pub apply: Option<Apply>,
}

/// Where a component's key takes its value from.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyBinding {
    /// A fixed value: `{filter: b}`.
    Pinned(KeyValue),
    /// Another key of the composite: `{visit: "%(exposure)d"}`.
    Renamed(String),
}

/// Where a component's data IDs come from when the composite's own does not give them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedIds {
    /// From the composition recorded at put.
    AtPut,
    /// From this metadata entry of the object.
    Metadata(String),
}

/// An operation on another component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apply {
    /// `add`, `subtract`, `and`, `or`, `andNot`, `replace`.
    pub operation: String,
    /// `image`, `variance`, `mask`, `mask.PLANE`.
    pub to: String,
    /// What happens to mask planes that one side lacks (rule R33).
    pub planes: LackingPlanes,
}

/// What an operation on masks does with a plane that one side lacks (rule R33).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LackingPlanes {
    /// `error`: it is an error that names the plane.
    #[default]
    Error,
    /// `add`: the side that lacks it gets it, with no pixel set.
    Add,
    /// `ignore`: it takes no part in the operation.
    Ignore,
}

impl LackingPlanes {
    /// Returns the word for it in a policy.
    pub fn word(self) -> &'static str {
        match self {
            LackingPlanes::Error => "error",
            LackingPlanes::Add => "add",
            LackingPlanes::Ignore => "ignore",
        }
    }
}

/// How ingest finds data-ID values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IngestRule {
    /// A template matched against the end of the path.
    pub path: Option<Template>,
    /// Key, header card, and what the card's values mean.
    pub headers: Vec<(String, HeaderRule)>,
}

/// Which header card gives a key's value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeaderRule {
    /// The card.
    pub card: String,
    /// What the card's values mean, where they are not the key's own.
    pub map: Vec<(String, KeyValue)>,
}

/// How tables are put side by side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Join {
    /// The columns that rows are matched by.
    pub on: Vec<String>,
    /// Which rows stay.
    pub how: JoinHow,
    /// What is put before the columns' names: `None` for the component's name, `Some("")` for nothing.
    pub prefix: Option<String>,
    /// What happens to rows that one of the tables lacks.
    pub missing: MissingRows,
}

/// Which rows of joined tables stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum JoinHow {
    /// `inner`: those that all tables have.
    Inner,
    /// `left`: those that the first table has.
    Left,
    /// `outer`: all.
    #[default]
    Outer,
}

/// What happens to rows that one of the joined tables lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MissingRows {
    /// `null`: its columns are null.
    #[default]
    Null,
    /// `error`: the join fails and names them.
    Error,
}

/// What happens where tables that are put end to end disagree in their metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SharedMetadata {
    /// `error`: it fails and names the entry.
    Error,
    /// `first`: the first table's value stays.
    First,
    /// `column`: the values become a column.
    Column,
}

/// What an unqualified name means in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name that it stands for.
    pub target: DatasetName,
    /// Where it is given.
    pub place: Place,
}

/// What a policy says of one data-ID key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyDefinition {
    /// The key.
    pub name: String,
    /// Its type, if declared; [`Policy::key_type`](super::Policy::key_type) also looks at templates.
    pub key_type: Option<KeyType>,
    /// The header card that ingest takes its value from.
    pub header: Option<String>,
    /// What the card's values mean, where they are not the key's own.
    pub map: Vec<(String, KeyValue)>,
    /// What on the sky it names: `skymap`.
    pub spatial: Option<String>,
    /// Where it is declared.
    pub place: Place,
}

/// A way of writing that a policy defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// Its settings, nested keys joined by dots: `image.compression.algorithm` and `RICE`.
    pub settings: Vec<(String, String)>,
    /// Where each setting stands, in their order.
    pub setting_places: Vec<Place>,
    /// Where it is defined.
    pub place: Place,
}
