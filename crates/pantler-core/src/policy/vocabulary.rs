//! Every word that a policy may use as a key, in one place.
//!
//! Some words of the field's older policies mean nothing here and are accepted all the same, each for a reason: people's
//! policies load as they are.

/// The keys at the top of a policy.
pub const TOP: &[&str] = &[
    "stages",
    "keys",
    "aliases",
    "datasets",
    "exposures",
    "images",
    "calibrations",
    "recipes",
    "include",
    "description",
];

/// The sections that hold definitions; they are read alike.
pub const SECTIONS: &[&str] = &["exposures", "images", "calibrations", "datasets"];

/// The sections whose types are in FITS files where they do not say otherwise, as the field's mappers had it.
pub const FITS_SECTIONS: &[&str] = &["exposures", "images", "calibrations"];

/// The keys of a dataset type.
pub const DATASET: &[&str] = &[
    "template",
    "python",
    "persistable",
    "storage",
    "recipe",
    "composite",
    "assembler",
    "disassembler",
    "inherits",
    "level",
    "tables",
    "description",
    "keys",
    "standardize",
    "virtual",
    "ingest",
    "metadata",
    "join",
    "sharedMetadata",
];

/// The keys that tell a dataset type from something else that is misspelt.
pub const TELLING: &[&str] = &["template", "python", "persistable", "storage", "composite"];

/// The keys of a component.
pub const COMPONENT: &[&str] = &[
    "datasetType",
    "setter",
    "getter",
    "subset",
    "inputOnly",
    "optional",
    "base",
    "allowEmpty",
    "dataId",
    "dataIds",
    "apply",
];

/// The keys of a data-ID key.
pub const KEY: &[&str] = &["type", "header", "map", "spatial"];

/// The keys of `ingest`.
pub const INGEST: &[&str] = &["path", "headers"];

/// The keys of one entry of `ingest.headers`.
pub const HEADER: &[&str] = &["card", "map"];

/// The keys of `apply`.
pub const APPLY: &[&str] = &["op", "to"];

/// The operations of `apply`.
pub const OPERATIONS: &[&str] = &["add", "subtract", "and", "or", "andNot", "replace"];

/// The keys of `join`.
pub const JOIN: &[&str] = &["on", "how", "prefix", "missing"];

/// The recipes that need no definition.
pub const RECIPES: &[&str] = &[
    "default",
    "lossless",
    "lossy",
    "none",
    "noCompression",
    "lossyBasic",
];

/// Keys at the top of older policies that are passed over, and why.
pub const PASSED_OVER: &[(&str, &str)] = &[
    ("root", "a repository knows where it is"),
    (
        "calibRoot",
        "calibrations are found through the chain of repositories",
    ),
    ("registryPath", "a repository knows its registry"),
    ("calibRegistryPath", "a repository knows its registry"),
    ("skyRegistryPath", "a repository knows its registry"),
    ("defectRegistryPath", "a repository knows its registry"),
    ("needCalibRegistry", "there is one registry per repository"),
    ("needSkyRegistry", "there is one registry per repository"),
    ("camera", "camera geometry is data, not policy"),
    ("defects", "defects are datasets"),
    ("filters", "filters are values of a key"),
    (
        "levels",
        "a data ID needs the keys of its type, at every level",
    ),
    (
        "defaultLevel",
        "a data ID needs the keys of its type, at every level",
    ),
    (
        "defaultSubLevels",
        "a data ID needs the keys of its type, at every level",
    ),
    ("skytiles", "regions are asked for in queries"),
    ("doFootprints", "footprints are always kept"),
    ("storage", "the default of a section, which is built in"),
    ("filter", "the default of a section, which is built in"),
    ("obsTimeName", "the default of a section, which is built in"),
    (
        "validStartName",
        "the default of a section, which is built in",
    ),
    (
        "validEndName",
        "the default of a section, which is built in",
    ),
];

/// Keys of older dataset types that are kept and shown, and why they are not used.
pub const KEPT: &[(&str, &str)] = &[
    (
        "columns",
        "which registry columns a calibration is chosen by",
    ),
    ("reference", "which table a calibration is chosen through"),
    (
        "refCols",
        "which registry columns a calibration is chosen by",
    ),
    (
        "filter",
        "whether a calibration belongs to a filter, which its template says",
    ),
    ("obsTimeName", "where the time of an exposure stands"),
    ("validRange", "whether a calibration holds for a time only"),
    ("validStartName", "where the start of that time stands"),
    ("validEndName", "where the end of that time stands"),
    (
        "table",
        "another spelling of `tables`, which is not used either",
    ),
];

/// Returns the names of a list with reasons.
pub(crate) fn names(
    list: &'static [(&'static str, &'static str)],
) -> impl Iterator<Item = &'static str> {
    list.iter().map(|(name, _)| *name)
}

/// Says whether a word is a key at any place of a policy.
pub(crate) fn is_known_anywhere(word: &str) -> bool {
    let lists = [TOP, DATASET, COMPONENT, KEY, INGEST, HEADER, APPLY, JOIN];
    lists.iter().any(|list| list.contains(&word))
        || names(PASSED_OVER)
            .chain(names(KEPT))
            .any(|name| name == word)
}
