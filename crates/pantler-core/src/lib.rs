//! The words and contracts of pantler. Nothing here reads a file, a clock or the environment.
//!
//! ```text
//! names and IDs   DatasetName  TypeName  DataId  DatasetId  Location
//! what is meant   Policy ──► CompositeGraph                 (pure functions of text)
//! how it is done  Plan                                      (a value: printed by explain, executed by get)
//! the contracts   Registry   Store   Formatter   Assembler   Object
//! what went wrong Problem (in a policy or a template)   Report (any error, ready to be shown)
//! ```
//!
//! The implementations live in the crates named after what they implement; the crate `pantler` puts them together.

pub mod assembler;
pub mod built_names;
pub mod composite_graph;
pub mod data_id;
pub mod dataset_name;
pub mod digest;
pub mod expression;
pub mod formatter;
pub mod identity;
pub mod imports;
pub mod key_value;
pub mod location;
pub mod object;
pub mod origin;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod python_type;
pub mod registry;
pub mod report;
pub mod row_ranges;
pub mod similar;
pub mod sky;
pub mod store;
pub mod survey;
pub mod synonyms;
pub mod template;
pub mod write_recipe;

pub use data_id::DataId;
pub use dataset_name::{DatasetName, Stage, TypeName};
pub use digest::{Digest, Hasher};
pub use expression::Expression;
pub use formatter::{FormatError, Formatter, Source};
pub use identity::DatasetId;
pub use imports::{Import, ImportRole, Imports};
pub use key_value::{KeyType, KeyValue};
pub use location::{ArtifactPath, Location};
pub use object::{Object, ObjectRef};
pub use origin::Origin;
pub use policy::{Definition, Policy};
pub use registry::{DatasetRecord, Registry, RegistryError};
pub use report::{Kind, Label, Report};
pub use row_ranges::RowRanges;
pub use store::{Store, StoreError};
pub use template::Template;
pub use write_recipe::WriteRecipe;
