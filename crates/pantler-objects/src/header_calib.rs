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
/// | `MAGZP`, `MAGZPT`, `MAGZPERR`, `ZEROPT`, `PHOT_C`, `PHOT_CS`, `PHOT_K` | survey pipelines; CFHT |
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
            | "PHOT_C"
            | "PHOT_CS"
            | "PHOT_K"
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
