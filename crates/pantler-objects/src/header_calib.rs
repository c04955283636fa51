//! The header cards that carry a photometric calibration, a filter or a detector, and not the coordinates.
//!
//! [`crate::Exposure`] takes them out of a header when the component is replaced (rule R11); formatters, when they make
//! the component of them.

/// Says whether a card carries a photometric calibration.
///
/// | cards | written by |
/// | --- | --- |
/// | `FLUXMAG0`, `FLUXMAG0ERR`, `CALIB_ID` | LSST exposures before they had a `PhotoCalib` record |
/// | `MAGZERO`, `MAGZERO_RMS`, `MAGZERO_NOBJ`, `COLORTERM1` … `COLORTERM3` | LSST single-frame processing |
/// | `PHOTZP`, `PHOTZPER`, `PHOTSYS`, `PHOTMODE`, `PHOTFLAM`, `PHOTPLAM`, `PHOTFNU`, `PHOTBW` | many archives, HST |
/// | `MAGZP`, `MAGZPT`, `MAGZPERR`, `ZEROPT` | survey pipelines |
///
/// What an observatory says of its raw images (`PHOT_C` and its like) is history, as its exposure time is, and stays.
///
/// ```
/// use pantler_objects::header_calib::is_calib_card;
/// assert!(is_calib_card("FLUXMAG0"));
/// assert!(!is_calib_card("EXPTIME"));
/// ```
pub fn is_calib_card(keyword: &str) -> bool {
    matches!(
        keyword,
        "FLUXMAG0"
            | "FLUXMAG0ERR"
            | "CALIB_ID"
            | "MAGZERO"
            | "MAGZERO_RMS"
            | "MAGZERO_NOBJ"
            | "COLORTERM1"
            | "COLORTERM2"
            | "COLORTERM3"
            | "PHOTZP"
            | "PHOTZPER"
            | "PHOTSYS"
            | "PHOTMODE"
            | "PHOTFLAM"
            | "PHOTPLAM"
            | "PHOTFNU"
            | "PHOTBW"
            | "MAGZP"
            | "MAGZPT"
            | "MAGZPERR"
            | "ZEROPT"
    )
}

/// Says whether a card names the filter.
pub fn is_filter_card(keyword: &str) -> bool {
    matches!(keyword, "FILTER" | "FILTERLABEL")
}

/// Says whether a card names the detector, as LSST exposures before they had a `Detector` record do.
pub fn is_detector_card(keyword: &str) -> bool {
    matches!(keyword, "DETNAME" | "DETSER")
}

/// Says whether a card says where in the file something is, and would be wrong in any other file: the archive's place,
/// the ids of its records, the version of the layout.
pub fn is_archive_card(keyword: &str) -> bool {
    matches!(
        keyword,
        "AR_HDU" | "EXPINFO_V" | "AR_CATN" | "AR_NCAT" | "AR_NAME"
    ) || crate::synonyms::component_of_id_card(keyword).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_cards_are_told_from_others() {
        for keyword in ["FLUXMAG0", "FLUXMAG0ERR", "MAGZERO", "COLORTERM2", "PHOTZP"] {
            assert!(is_calib_card(keyword), "{keyword}");
        }
        for keyword in ["EXPTIME", "PHOT_C", "CRVAL1", "COLORTERM4", "FLUXMAG"] {
            assert!(!is_calib_card(keyword), "{keyword}");
        }
    }

    /// Other people's cards may end in `_ID`; only known names are archive ids.
    #[test]
    fn archive_cards_are_told_from_others() {
        for keyword in [
            "AR_HDU",
            "EXPINFO_V",
            "SKYWCS_ID",
            "WCS_ID",
            "ARCHIVE_ID_PSF",
            "ARCHIVE_ID_X",
        ] {
            assert!(is_archive_card(keyword), "{keyword}");
        }
        for keyword in ["OBJECT_ID", "_ID", "ARCHIVE_ID_", "EXPID", "PSF"] {
            assert!(!is_archive_card(keyword), "{keyword}");
        }
    }
}
