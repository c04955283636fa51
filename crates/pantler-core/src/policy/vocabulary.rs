//! Every word that a policy may use as a key, in one place: what it takes, what it is for, and an example.
//!
//! The loader takes the names from here, the JSON Schema and the users' reference (`docs/policy.md`) are made from it, so
//! that none of them can know a word that the others do not.
//!
//! Some words of the field's older policies mean nothing here and are accepted all the same, each for a reason: people's
//! policies load as they are.

/// A word that a policy may use as a key.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// What may stand behind it.
    pub shape: Shape,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// The key with a value, as it may stand in a policy.
    pub example: &'static str,
}

/// What may stand behind a key. Nothing at all (YAML's null) may stand behind any, and is as if the key were not there.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Any text.
    Text,
    /// `true` or `false`, as YAML 1.2 has them.
    Boolean,
    /// A text, or a list of texts.
    Texts,
    /// A value of a data-ID key: a number or a text.
    Value,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A mapping with these keys.
    Keys(&'static [Word]),
    /// A mapping with names of the user's, each with this behind it.
    Map(&'static Shape),
    /// A mapping of dataset types.
    Types,
    /// The components of a composite, and its plug-ins.
    Components,
    /// One of two.
    Either(&'static Shape, &'static Shape),
    /// Whatever the format that writes it understands.
    Settings,
}

macro_rules! words {
    ($(#[$doc:meta])* $names:ident, $(#[$table_doc:meta])* $table:ident: $($name:literal, $shape:expr, $about:literal, $example:literal;)*) => {
        $(#[$doc])*
        pub const $names: &[&str] = &[$($name),*];
        $(#[$table_doc])*
        pub const $table: &[Word] = &[$(Word { name: $name, shape: $shape, about: $about, example: $example }),*];
    };
}

words! {
    /// The keys at the top of a policy.
    TOP,
    /// The same with what they take and mean.
    TOP_WORDS:
    "description", Shape::Text,
        "What the policy is for.",
        "description: what single-visit processing leaves";
    "include", Shape::Texts,
        "Policies that come below this one, in this order, relative to its file; the last one that says something wins.",
        "include: [shared.yaml]";
    "stages", Shape::Texts,
        "The processing stages in their order, for display and aliases; never for falling back.",
        "stages: [sfm, jointcal]";
    "keys", Shape::Map(&Shape::Either(&Shape::OneOf(KEY_TYPES), &Shape::Keys(KEY_WORDS))),
        "The data-ID keys; what is not said is read off the templates. `visit: int` is short for `visit: {type: int}`.",
        "keys: {visit: {type: int, header: EXPID}, filter: str}";
    "aliases", Shape::Map(&Shape::Text),
        "What an unqualified name means to callers; never inside definitions. `calexp:`, with the colon, is the type that an alias hides.",
        "aliases: {calexp: \"calexp:jointcal\"}";
    "recipes", Shape::Map(&Shape::Settings),
        "Ways of writing that dataset types name by `recipe`.",
        "recipes: {small: {image: {compression: {algorithm: RICE_1}}}}";
    "datasets", Shape::Types,
        "The dataset types.",
        "datasets: {src: {template: \"src/%(visit)d.fits\", storage: FitsCatalogStorage}}";
    "exposures", Shape::Types,
        "As `datasets`; the storage is FitsStorage where nothing else is said.",
        "exposures: {raw: {template: \"raw/%(visit)d.fits\"}}";
    "images", Shape::Types,
        "As `exposures`.",
        "images: {psf_image: {template: \"psf/%(visit)d.fits\"}}";
    "calibrations", Shape::Types,
        "As `exposures`.",
        "calibrations: {flat: {template: \"flat/%(filter)s.fits\"}}";
}

words! {
    /// The keys of a dataset type.
    DATASET,
    /// The same with what they take and mean.
    DATASET_WORDS:
    "template", Shape::Text,
        "Where its datasets lie below the root. Printf conversions, which work both ways; `[0]` or `[%(hdu)d]` at the end picks an HDU; `ignored` means that it has no file.",
        "template: \"calexp/%(visit)07d/%(ccd)03d.fits\"";
    "python", Shape::Text,
        "The in-memory type. Known names of the field mean pantler's own types; any other import path needs the Python package.",
        "python: lsst.afw.image.ExposureF";
    "persistable", Shape::Text,
        "The older name of the persisted type; kept and shown, not used.",
        "persistable: ExposureF";
    "storage", Shape::Text,
        "The format; `ignored` means that it has no file.",
        "storage: FitsStorage";
    "recipe", Shape::Text,
        "How it is written: `lossless`, `lossy`, `none`, or one of `recipes`.",
        "recipe: lossless";
    "composite", Shape::Components,
        "What it is made of: a name for each component. It has no template then.",
        "composite: {wcs: {datasetType: jointcal_wcs}}";
    "assembler", Shape::Text,
        "The plug-in that puts it together; beside `composite` or inside it. Without one the generic one does.",
        "assembler: pantler.overlay";
    "disassembler", Shape::Text,
        "The plug-in that takes it apart. With an assembler and no disassembler it can only be read.",
        "disassembler: pantler.overlay";
    "inherits", Shape::Text,
        "The type whose keys it has where it does not say otherwise, here or in the policy of a parent repository. `srccat_blue(srccat):` says the same.",
        "inherits: srccat";
    "description", Shape::Text,
        "What it is for; not inherited.",
        "description: a calibrated exposure";
    "keys", Shape::Texts,
        "The keys that query and exists list a composite by that has a `subset` component.",
        "keys: [filter]";
    "standardize", Shape::Text,
        "A function that every object read goes through.",
        "standardize: mypackage.standardize_raw";
    "virtual", Shape::Text,
        "A function that makes the object from the data ID alone.",
        "virtual: mypackage.make_flat";
    "ingest", Shape::Keys(INGEST_WORDS),
        "Where ingest finds values of keys that are not given: headers, then the path, then the template.",
        "ingest: {path: \"wcs-%(visit)d.fits\", headers: {visit: EXPID}}";
    "metadata", Shape::Map(&Shape::Text),
        "Header cards that are kept as columns for queries.",
        "metadata: {exptime: EXPTIME}";
    "join", Shape::Keys(JOIN_WORDS),
        "How tables are put side by side by `pantler.join`.",
        "join: {on: [id], how: inner}";
    "sharedMetadata", Shape::OneOf(&["error", "first", "column"]),
        "What happens where tables that are put end to end disagree in their metadata.",
        "sharedMetadata: first";
    "level", Shape::Text,
        "Kept and shown, not used.",
        "level: Ccd";
    "tables", Shape::Texts,
        "Kept and shown, not used. Given twice, it is a list.",
        "tables: [raw, raw_visit]";
}

words! {
    /// The keys of a component.
    COMPONENT,
    /// The same with what they take and mean.
    COMPONENT_WORDS:
    "datasetType", Shape::Text,
        "The dataset type that it comes from, or a part of one (`calexp:sfm.wcs`). Aliases do not apply.",
        "datasetType: jointcal_wcs";
    "setter", Shape::Text,
        "The setter that the generic assembler uses.",
        "setter: setWcs";
    "getter", Shape::Text,
        "The getter that the generic disassembler uses.",
        "getter: getWcs";
    "subset", Shape::Boolean,
        "It is the list of all datasets of the type that match.",
        "subset: true";
    "allowEmpty", Shape::Boolean,
        "A subset that matches nothing exists all the same.",
        "allowEmpty: true";
    "inputOnly", Shape::Boolean,
        "It is read and never written.",
        "inputOnly: true";
    "optional", Shape::Boolean,
        "Absent, it is nothing instead of an error.",
        "optional: true";
    "base", Shape::Boolean,
        "The others are laid over it.",
        "base: true";
    "dataId", Shape::Map(&Shape::Value),
        "Pins keys to values, or takes them from another key of the composite.",
        "dataId: {filter: b, visit: \"%(exposure)d\"}";
    "dataIds", Shape::Either(&Shape::OneOf(&["recorded"]), &Shape::Keys(RECORDED_WORDS)),
        "Its data IDs were recorded at put, or stand in the object's own metadata.",
        "dataIds: recorded";
    "apply", Shape::Keys(APPLY_WORDS),
        "It is an operation on a plane of the base.",
        "apply: {op: subtract, to: image}";
}

words! {
    /// The keys of a data-ID key.
    KEY,
    /// The same with what they take and mean.
    KEY_WORDS:
    "type", Shape::OneOf(KEY_TYPES),
        "Its type; where nothing is said, that of the templates' conversions.",
        "type: int";
    "header", Shape::Text,
        "The header card that ingest takes its value from.",
        "header: EXPID";
    "map", Shape::Map(&Shape::Value),
        "What the card's values mean.",
        "map: {HSC-I: i}";
    "spatial", Shape::Text,
        "What it names on the sky.",
        "spatial: skymap";
}

words! {
    /// The keys of `ingest`.
    INGEST,
    /// The same with what they take and mean.
    INGEST_WORDS:
    "path", Shape::Text,
        "A template that is matched against the end of the file's path.",
        "path: \"wcs-%(visit)d.fits\"";
    "headers", Shape::Map(&Shape::Either(&Shape::Text, &Shape::Keys(HEADER_WORDS))),
        "Header cards that give values, by key.",
        "headers: {visit: EXPID, filter: {card: FILTER, map: {HSC-I: i}}}";
}

words! {
    /// The keys of one entry of `ingest.headers`.
    HEADER,
    /// The same with what they take and mean.
    HEADER_WORDS:
    "card", Shape::Text,
        "The header card.",
        "card: FILTER";
    "map", Shape::Map(&Shape::Value),
        "What the card's values mean.",
        "map: {HSC-I: i}";
}

words! {
    /// The keys of `apply`.
    APPLY,
    /// The same with what they take and mean.
    APPLY_WORDS:
    "op", Shape::OneOf(OPERATIONS),
        "The operation.",
        "op: subtract";
    "to", Shape::Text,
        "What it changes: `image`, `variance`, `mask` or `mask.PLANE`.",
        "to: mask.DETECTED";
    "planes", Shape::OneOf(&["error", "add", "ignore"]),
        "What happens to mask planes that only one of the two masks has: an error, the other gets them empty, or they take no part.",
        "planes: add";
}

words! {
    /// The keys of `dataIds`, where it is a mapping.
    RECORDED,
    /// The same with what they take and mean.
    RECORDED_WORDS:
    "metadata", Shape::Text,
        "The metadata entry that lists the data IDs.",
        "metadata: INPUTS";
}

words! {
    /// The keys of `join`.
    JOIN,
    /// The same with what they take and mean.
    JOIN_WORDS:
    "on", Shape::Texts,
        "The columns that rows are matched by.",
        "on: [id]";
    "how", Shape::OneOf(&["inner", "left", "outer"]),
        "Which rows stay: those of all tables, of the first, or of any.",
        "how: inner";
    "prefix", Shape::Either(&Shape::Boolean, &Shape::Text),
        "What is put before the columns' names: the component's name if nothing is said, nothing if `false`.",
        "prefix: g_";
    "missing", Shape::OneOf(&["null", "error"]),
        "What happens to rows that one of the tables lacks.",
        "missing: error";
}

/// The recipes that need no definition.
pub const RECIPES: &[&str] = &[
    "default",
    "lossless",
    "lossy",
    "none",
    "noCompression",
    "lossyBasic",
];

/// The sections that hold definitions; they are read alike.
pub const SECTIONS: &[&str] = &["exposures", "images", "calibrations", "datasets"];

/// The sections whose types are in FITS files where they do not say otherwise, as the field's mappers had it.
pub const FITS_SECTIONS: &[&str] = &["exposures", "images", "calibrations"];

/// The keys that tell a dataset type from something else that is misspelt.
pub const TELLING: &[&str] = &["template", "python", "persistable", "storage", "composite"];

/// The operations of `apply`.
pub const OPERATIONS: &[&str] = &["add", "subtract", "and", "or", "andNot", "replace"];

/// The types of data-ID keys, with the other names that each goes by.
pub const KEY_TYPES: &[&str] = &[
    "int", "integer", "long", "float", "double", "str", "string", "text",
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
    let lists = [
        TOP, DATASET, COMPONENT, KEY, INGEST, HEADER, APPLY, RECORDED, JOIN,
    ];
    lists.iter().any(|list| list.contains(&word))
        || names(PASSED_OVER)
            .chain(names(KEPT))
            .any(|name| name == word)
}
