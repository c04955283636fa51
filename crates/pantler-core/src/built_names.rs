//! Names built from a type, which people's programs rely on: `calexp_wcs`, `calexp_md`, `src_schema`.
//!
//! Where nobody defines such a name, it means a part of the type before the underscore, and follows its alias (rule R3).
//! The engine resolves them, `policy check` warns of definitions that stand in their way. Whether the part exists is not
//! known here.
//!
//! | name | part |
//! | --- | --- |
//! | `calexp_wcs`, `_psf`, `_calib`, `_photoCalib`, `_image`, `_mask`, `_variance`, `_visitInfo`, `_detector`, `_filter`, `_apCorrMap`, `_validPolygon` | the component |
//! | `calexp_md` | `metadata` |
//! | `calexp_bbox` | `bbox` |
//! | `calexp_sub` | the whole, of which a `bbox` is asked for |
//! | `calexp_filename` | `filename`: the paths of all files that a get would read |
//! | `src_len` | `len`: the number of rows |
//! | `src_schema` | `schema`: the columns, without rows |

/// The words after the underscore, and the part that each means; `None` for the whole.
const BUILT_NAMES: &[(&str, Option<&str>)] = &[
    ("wcs", Some("wcs")),
    ("psf", Some("psf")),
    ("calib", Some("photoCalib")),
    ("photoCalib", Some("photoCalib")),
    ("md", Some("metadata")),
    ("bbox", Some("bbox")),
    ("sub", None),
    ("filename", Some(FILE_NAME)),
    ("len", Some(LENGTH)),
    ("schema", Some(SCHEMA)),
    ("image", Some("image")),
    ("mask", Some("mask")),
    ("variance", Some("variance")),
    ("visitInfo", Some("visitInfo")),
    ("detector", Some("detector")),
    ("filter", Some("filter")),
    ("apCorrMap", Some("apCorrMap")),
    ("validPolygon", Some("validPolygon")),
];

/// The part that is the list of the files that a dataset is read from.
pub const FILE_NAME: &str = "filename";
/// The part of a table that is the number of its rows.
pub const LENGTH: &str = "len";
/// The part of a table that is the names of its columns.
pub const COLUMNS: &str = "columns";
/// The part of a table that is its columns without rows.
pub const SCHEMA: &str = "schema";

/// Splits a built name into the type that it is built from and the part that it means; `None` if it is no such name.
///
/// ```
/// use pantler_core::built_names::split;
/// assert_eq!(split("calexp_md"), Some(("calexp", Some("metadata"))));
/// assert_eq!(split("calexp_sub"), Some(("calexp", None)));
/// assert_eq!(split("jointcal_results"), None);
/// ```
pub fn split(name: &str) -> Option<(&str, Option<&'static str>)> {
    let (base, word) = name.rsplit_once('_')?;
    let (_, part) = BUILT_NAMES.iter().find(|(known, _)| *known == word)?;
    (!base.is_empty()).then_some((base, *part))
}

/// Returns the words that names are built with.
pub fn words() -> impl Iterator<Item = &'static str> {
    BUILT_NAMES.iter().map(|(word, _)| *word)
}
