//! Everything that can go wrong in a get, a put or a look around: data, not sentences.
//!
//! The sentences are made in one place, [`Error::report`].

use pantler_core::assembler::AssemblyError;
use pantler_core::composite_graph::GraphError;
use pantler_core::dataset_name::NameError;
use pantler_core::imports::{Import, PluginError, Raised};
use pantler_core::location::PathRefused;
use pantler_core::object::ComponentError;
use pantler_core::plan::Missing;
use pantler_core::policy::Place;
use pantler_core::problem::Problem;
use pantler_core::{
    DataId, DatasetId, FormatError, KeyType, KeyValue, RegistryError, StoreError, TypeName,
};

/// The result of everything that can go wrong here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One value that would complete a key, where it was seen, and what is missing for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The value.
    pub value: KeyValue,
    /// The repository that has it.
    pub repository: String,
    /// Components that do not exist for this value.
    pub incomplete: Vec<String>,
}

/// A dataset as an error names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The name.
    pub name: String,
    /// The data ID.
    pub data_id: DataId,
}

/// What one policy says of a key's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySide {
    /// The repository, as it was named.
    pub repository: String,
    /// Where the key gets its type.
    pub place: Option<Place>,
    /// The type.
    pub key_type: KeyType,
}

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No policy of the chain defines the type.
    #[error("unknown dataset type `{name}`")]
    UnknownType {
        /// What was asked for.
        asked: Asked,
        /// The type.
        name: String,
        /// The repositories' names, with how many types each defines.
        looked_in: Vec<(String, usize)>,
        /// The name that was probably meant, and where it is defined.
        similar: Option<(String, Option<Place>)>,
        /// The stages that the type has, if only the stage is missing (rule R4).
        stages: Vec<String>,
        /// The component that names it.
        needed_by: Option<(String, TypeName, Place)>,
    },
    /// The definition cannot be used.
    #[error("{error}")]
    Graph {
        /// What was asked for.
        asked: Asked,
        /// What is wrong with it.
        error: GraphError,
    },
    /// A policy is wrong.
    #[error("the policy has errors")]
    Policy {
        /// What is wrong, errors and warnings.
        problems: Vec<Problem>,
    },
    /// Two repositories give one name different meanings.
    #[error("`{name}` means different things in two inputs")]
    AliasConflict {
        /// The name.
        name: String,
        /// Repository and meaning, for each.
        meanings: Vec<(String, String)>,
    },
    /// Two inputs that know nothing of each other hold different content under one type and data ID (rule R17).
    #[error("{dataset} differs in two inputs")]
    Siblings {
        /// What was asked for.
        asked: Asked,
        /// The component that it is.
        component: Option<String>,
        /// The dataset.
        dataset: Asked,
        /// Repository and location, for each.
        places: Vec<(String, Option<String>)>,
        /// The tags that repositories have.
        tags: Vec<String>,
    },
    /// No repository has the tag.
    #[error("no repository is tagged `{tag}`")]
    UnknownTag {
        /// The tag.
        tag: String,
        /// The tags that there are.
        known: Vec<String>,
        /// The repositories that were looked at.
        repositories: Vec<String>,
    },
    /// A key that the type does not use contradicts what the registries know (rule R27).
    #[error("`{key}` is not `{value}`")]
    KeyDisagrees {
        /// What was asked for.
        asked: Asked,
        /// The key.
        key: String,
        /// The value that was given.
        value: KeyValue,
        /// What is known.
        known: Vec<crate::unused_keys::Known>,
    },
    /// Name and data ID ask for two stages (rule R2).
    #[error("two stages are asked for")]
    TwoStages {
        /// What was asked for.
        asked: Asked,
        /// The stage in the name; empty for the plain type, `calexp:`.
        in_name: String,
        /// The stage in the data ID.
        in_data_id: String,
    },
    /// A key that nobody knows.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// What was asked for.
        asked: Asked,
        /// The key.
        key: String,
        /// The keys that the type has.
        keys: Vec<String>,
        /// The key that was probably meant.
        similar: Option<String>,
    },
    /// A value of the wrong type.
    #[error("`{key}` cannot be `{value}`")]
    KeyType {
        /// What was asked for.
        asked: Asked,
        /// The key.
        key: String,
        /// The value.
        value: KeyValue,
        /// The type that the key has.
        wanted: KeyType,
    },
    /// Two policies of the chain give a key two types, and the dataset type has datasets of both.
    #[error("the key `{key}` is of two types")]
    KeyClash {
        /// What was asked for.
        asked: Asked,
        /// The dataset type.
        dataset_type: TypeName,
        /// The key.
        key: String,
        /// The policy that decides: the first one in search order.
        decided: KeySide,
        /// The policy that says otherwise.
        other: KeySide,
    },
    /// A key is missing, and several values would do (rule R18).
    #[error("`{}` needs the key `{key}`", asked.name)]
    AmbiguousKey {
        /// What was asked for.
        asked: Asked,
        /// The key.
        key: String,
        /// The components that need it: name and type.
        needed_by: Vec<(String, String)>,
        /// The values.
        candidates: Vec<Candidate>,
        /// The repository to ask, as the user named it.
        repository: String,
    },
    /// A key is missing, and nothing in the chain tells its value.
    #[error("`{}` needs the key `{key}`", asked.name)]
    MissingKey {
        /// What was asked for.
        asked: Asked,
        /// The key.
        key: String,
        /// The components that need it: name and type.
        needed_by: Vec<(String, String)>,
        /// The repositories searched.
        looked_in: Vec<String>,
    },
    /// A dataset, or a component of one, was not found.
    #[error("`{}` was not found", asked.name)]
    NotFound {
        /// What was asked for.
        asked: Asked,
        /// The component that is missing: name, dataset name, data ID and place of its definition.
        component: Option<(String, String, DataId, Place)>,
        /// The composite that needs it.
        composite: Option<TypeName>,
        /// Where was looked.
        missing: Missing,
        /// What was found of the composite: component and repository.
        found: Vec<(String, String)>,
        /// The dataset types of another stage that have this component, and were not used.
        other_stage: Option<String>,
    },
    /// An artifact that the registry knows is gone.
    #[error("{location} of {repository} is gone")]
    ArtifactGone {
        /// What was asked for.
        asked: Asked,
        /// The dataset that it holds.
        dataset: Asked,
        /// The component that it is, of which composite, and where that is said.
        component: Option<(String, TypeName, Place)>,
        /// The repositories searched before it, each with its outcome.
        before: Vec<(String, String)>,
        /// The repository as the user named it.
        repository: String,
        /// Where it should be.
        location: String,
    },
    /// An artifact is not as it was when it was registered.
    #[error("{location} of {repository} was changed behind the registry's back")]
    ArtifactChanged {
        /// The repository as the user named it.
        repository: String,
        /// The artifact.
        location: String,
        /// What differs.
        why: String,
    },
    /// A format error while reading or writing a dataset.
    #[error("{source}")]
    Format {
        /// What was being read or written.
        asked: Asked,
        /// Whether the file belongs to a repository, rather than to the user.
        in_repository: bool,
        /// The cause.
        source: FormatError,
    },
    /// The storage is not known.
    #[error("unknown storage `{storage}`")]
    UnknownStorage {
        /// The dataset type.
        dataset_type: TypeName,
        /// The storage.
        storage: String,
        /// The storages that there are.
        known: Vec<String>,
        /// Where the type is defined.
        place: Option<Place>,
    },
    /// A type that needs Python, or a plug-in that nobody registered.
    #[error("`{dataset_type}` needs `{import_path}`")]
    NeedsPlugin {
        /// The dataset type.
        dataset_type: TypeName,
        /// What it is for: `assembler`, `python`.
        role: &'static str,
        /// The import path.
        import_path: String,
        /// Where it is named.
        place: String,
        /// The plug-ins that are registered.
        known: Vec<String>,
    },
    /// Code that a repository asks for which is not the user's.
    #[error("`{}` asks for `{}`, and {repository} is not yours", import.dataset_type, import.path)]
    Untrusted {
        /// What is asked for, and where.
        import: Import,
        /// The repository's root.
        repository: String,
        /// The file or folder that belongs to somebody else.
        stranger: String,
    },
    /// A class, a standardizer or a virtual reader failed.
    #[error("{source}")]
    Plugin {
        /// What it is, and where it is named.
        import: Import,
        /// The cause.
        source: PluginError,
    },
    /// A plug-in failed.
    #[error("{source}")]
    Assembly {
        /// What was asked for.
        asked: Asked,
        /// The composite.
        composite: String,
        /// The cause.
        source: AssemblyError,
    },
    /// A component that an object cannot take or give.
    #[error("{0}")]
    Component(#[from] ComponentError),
    /// Something else stands under the same data ID.
    #[error("`{}` exists already, with other content", asked.name)]
    Conflict {
        /// What was to be put.
        asked: Asked,
        /// Where the existing one lies.
        repository: String,
        /// Its location.
        location: String,
        /// How it differs.
        difference: String,
    },
    /// A batch already has the dataset, with other content.
    #[error("`{}` was put earlier in this batch, with other content", asked.name)]
    InBatch {
        /// What was to be put.
        asked: Asked,
        /// How it differs.
        difference: String,
    },
    /// Another process put something else under the same data ID in the same moment.
    #[error("`{}` was put by another process in the meantime", asked.name)]
    Raced {
        /// What was to be put.
        asked: Asked,
        /// The repository.
        repository: String,
    },
    /// An operation on a plane that is neither given nor there.
    #[error("`{component}` of `{}` is an operation, and there is none", .asked.name)]
    NoDelta {
        /// What was to be put.
        asked: Asked,
        /// The component.
        component: String,
        /// The dataset that it would be.
        dataset: Asked,
        /// Where the component is defined.
        place: Option<Place>,
    },
    /// An object that is not what its base and its operations give (rule R32).
    #[error("the {plane} of `{}` is not what its base and its operations give", .asked.name)]
    DeltaDiffers {
        /// What was to be put.
        asked: Asked,
        /// The plane.
        plane: &'static str,
        /// What the operations change.
        base: Asked,
        /// The components that are operations on it, in their order.
        operations: Vec<String>,
        /// How it differs.
        difference: String,
    },
    /// A put into several repositories failed after some of them had it (rule R28).
    #[error("`{}` was put into some repositories only", .asked.name)]
    PartlyPut {
        /// What was to be put.
        asked: Asked,
        /// The repositories that have it.
        done: Vec<String>,
        /// The repository whose commit failed.
        failed: String,
        /// The repositories whose turn had not come.
        waiting: Vec<String>,
        /// Why it failed.
        source: Box<Error>,
    },
    /// A file whose data ID is not known whole.
    #[error("no value for the key `{key}` of {file}")]
    NoValue {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// The type's template.
        template: String,
        /// All keys of the type.
        keys: Vec<String>,
    },
    /// The path belongs to another type or to nobody.
    #[error("{location} is taken")]
    PathTaken {
        /// What was to be put.
        asked: Asked,
        /// The repository.
        repository: String,
        /// The path.
        location: String,
        /// Who owns it; `None` for a file that the registry does not know.
        owner: Option<String>,
    },
    /// A composite that can only be read.
    #[error("cannot put `{name}`, it can only be read")]
    ReadOnly {
        /// The type.
        name: String,
        /// Where it is defined.
        place: Option<Place>,
        /// Its components.
        components: Vec<String>,
        /// Why.
        why: String,
        /// Types with the same Python type that it could be put as.
        instead: Vec<String>,
    },
    /// A component that has no object at put.
    #[error("the object has no `{component}`")]
    NoComponent {
        /// What was to be put.
        asked: Asked,
        /// The component.
        component: String,
        /// The object's class.
        class: String,
        /// The components that it has.
        known: Vec<String>,
    },
    /// An input-only component that the put would lose or mix up (rule R24).
    #[error("input-only component `{component}` is not what it should be")]
    InputOnly {
        /// What was to be put.
        asked: Asked,
        /// The component.
        component: String,
        /// The dataset that it should be: name and data ID.
        expected: Asked,
        /// What is wrong.
        why: String,
        /// Whether saying so would let the put go on without it.
        can_drop: bool,
    },
    /// A dataset that compositions are made of (rule R26).
    #[error("`{}` is used by {} composite datasets", asked.name, users.len())]
    InUse {
        /// What was to be removed.
        asked: Asked,
        /// Who uses it.
        users: Vec<Asked>,
    },
    /// Nothing in the output to remove.
    #[error("`{}` is not in {repository}", asked.name)]
    NothingToRemove {
        /// What was to be removed.
        asked: Asked,
        /// The repository.
        repository: String,
        /// Another repository of the chain that has it.
        elsewhere: Option<String>,
        /// Whether it is a composite that was never recorded.
        composite: bool,
    },
    /// An output that has other parents than the inputs it is opened with (rule R7).
    #[error("{output} does not have these inputs as its parents")]
    NotParents {
        /// The output.
        output: String,
        /// The inputs.
        strangers: Vec<String>,
    },
    /// There is no repository.
    #[error("{path} is not a repository")]
    NoRepository {
        /// The path as given.
        path: String,
        /// What is there instead.
        why: String,
        /// The repository that names it as its parent.
        child: Option<String>,
    },
    /// A folder without an index was to be changed.
    #[error("{path} has no index, so it can only be read")]
    NoIndex {
        /// The path as given.
        path: String,
        /// The first type of which files are there.
        dataset_type: Option<TypeName>,
    },
    /// There is a repository already.
    #[error("{path} is a repository already")]
    RepositoryExists {
        /// The path as given.
        path: String,
    },
    /// Nothing to write to.
    #[error("no repository to write to")]
    NoOutput {
        /// What was to be done.
        operation: &'static str,
    },
    /// A repository that cannot be written.
    #[error("{repository} cannot be written")]
    NotWritable {
        /// The repository.
        repository: String,
        /// Why not.
        why: String,
    },
    /// The request makes no sense.
    #[error("{message}")]
    Request {
        /// What is wrong with it.
        message: String,
        /// What to do.
        hints: Vec<String>,
    },
    /// This version cannot do it.
    #[error("{message}")]
    Unsupported {
        /// What cannot be done.
        message: String,
        /// What to do instead.
        hints: Vec<String>,
    },
    /// A data ID gives no usable path.
    #[error("no path for {}: {why}", asked.name)]
    NoPath {
        /// What was asked for.
        asked: Asked,
        /// The template.
        template: String,
        /// What is wrong.
        why: String,
    },
    /// A recorded dataset is gone (rules R19, R34).
    #[error("a recorded component is gone")]
    RecordedGone {
        /// What was asked for.
        asked: Asked,
        /// The component.
        component: String,
        /// The dataset: name and data ID.
        dataset: Asked,
        /// Its identity.
        id: DatasetId,
        /// The repositories searched.
        looked_in: Vec<String>,
        /// The repository in which it stayed when the composition was transferred, if it did (rule R35).
        stayed_in: Option<String>,
    },
    /// The caller wanted it to stop ([`Interrupt`](crate::Interrupt)); what was not committed is undone.
    #[error("interrupted")]
    Interrupted,
    /// A store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A registry failed.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// A path that cannot be used.
    #[error("{0}")]
    Path(#[from] PathRefused),
    /// The operating system refused.
    #[error("cannot {operation} {path}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// The path.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
}

impl Error {
    /// Returns what a plug-in of another language raised, if that is what went wrong.
    pub fn raised(&self) -> Option<&Raised> {
        match self.innermost() {
            Error::Assembly { source, .. } => source.raised.as_ref(),
            Error::Plugin { source, .. } => source.raised.as_ref(),
            Error::Format {
                source: FormatError::Plugin { source, .. },
                ..
            } => source.raised.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn innermost(&self) -> &Error {
        match self {
            Error::PartlyPut { source, .. } => source.innermost(),
            error => error,
        }
    }

    pub(crate) fn request(message: impl Into<String>) -> Error {
        Error::Request {
            message: message.into(),
            hints: Vec::new(),
        }
    }

    pub(crate) fn io(
        operation: &'static str,
        path: &std::path::Path,
        source: std::io::Error,
    ) -> Error {
        Error::Io {
            operation,
            path: path.display().to_string(),
            source,
        }
    }
}

impl Asked {
    pub(crate) fn new(name: impl ToString, data_id: &DataId) -> Asked {
        Asked {
            name: name.to_string(),
            data_id: data_id.clone(),
        }
    }
}

impl std::fmt::Display for Asked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.name)?;
        if !self.data_id.is_empty() {
            write!(out, " {}", self.data_id)?;
        }
        Ok(())
    }
}
