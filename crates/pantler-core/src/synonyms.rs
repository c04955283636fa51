//! Names that mean the same component (rule R9).
//!
//! | canonical | also |
//! | --- | --- |
//! | `photoCalib` | `calib`, `photocalib` |
//! | `visitInfo` | `info`, `visitinfo` |
//! | `metadata` | `md`, `header` |
//! | `variance` | `var` |
//! | `filter` | `filterLabel` |
//! | `wcs` | `skyWcs` |
//! | `bbox` | `boundingBox` |
//! | `apCorrMap` | `apCorr` |
//! | `validPolygon` | `polygon` |
//! | `transmissionCurve` | `transmission` |

/// Each component with the other names that it goes by.
pub const SYNONYMS: &[(&str, &[&str])] = &[
    ("photoCalib", &["calib", "photocalib"]),
    ("visitInfo", &["info", "visitinfo"]),
    ("metadata", &["md", "header"]),
    ("variance", &["var"]),
    ("filter", &["filterLabel"]),
    ("wcs", &["skyWcs"]),
    ("bbox", &["boundingBox"]),
    ("apCorrMap", &["apCorr"]),
    ("validPolygon", &["polygon"]),
    ("transmissionCurve", &["transmission"]),
];

/// Returns the one name for a component that all its synonyms share.
///
/// ```
/// use pantler_core::synonyms::canonical;
/// assert_eq!(canonical("calib"), "photoCalib");
/// assert_eq!(canonical("psf"), "psf");
/// ```
pub fn canonical(name: &str) -> &str {
    SYNONYMS
        .iter()
        .find(|(_, others)| others.contains(&name))
        .map_or(name, |(canonical, _)| canonical)
}
