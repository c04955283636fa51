//! Which cards of a header describe its coordinates.
//!
//! [`crate::Exposure`] takes them out of every header when the coordinate system is replaced (rule R11), formatters when
//! they make a [`crate::Wcs`] of them. The keywords are those of the FITS standard (version 4.0, table 22 and section 8),
//! and of the conventions that astropy and ds9 follow: SIP, TPV, TNX, the distortion paper, lookup tables of the Hubble
//! telescope, and older forms of the matrix.
//!
//! An alternate description (a letter behind the keyword: `CTYPE1A`) that gives no position on the sky says something else
//! of the pixels: the LSST stack writes their origin in the parent image so (`CTYPE1A = 'LINEAR'`, `CUNIT1A = 'PIXEL'`),
//! raw files where they lie on the detector. A new coordinate system does not override that, so it stays.

use std::collections::BTreeSet;

use crate::metadata::Metadata;

/// A keyword of a coordinate description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WcsKeyword {
    /// The letter of the alternate description; `None` for the primary one.
    pub alternate: Option<char>,
}

/// Keywords that stand alone, with an optional letter.
const PLAIN: [&str; 16] = [
    "WCSAXES", "WCSNAME", "LONPOLE", "LATPOLE", "RADESYS", "EQUINOX", "SPECSYS", "SSYSOBS",
    "SSYSSRC", "VELOSYS", "VSOURCE", "ZSOURCE", "VELANGL", "RESTFRQ", "RESTWAV", "DVERR",
];

/// Keywords that stand alone and have no alternate.
const EXACT: [&str; 17] = [
    "RADECSYS", "EPOCH", "RESTFREQ", "WCSDIM", "D2IMEXT", "A_ORDER", "B_ORDER", "AP_ORDER",
    "BP_ORDER", "A_DMAX", "B_DMAX", "AP_DMAX", "BP_DMAX", "PLTRAH", "PLTRAM", "PLTRAS", "PLTDECSN",
];

/// Keywords with an axis number and an optional letter.
const AXIS: [&str; 15] = [
    "CRPIX", "CRVAL", "CDELT", "CTYPE", "CUNIT", "CROTA", "CNAME", "CRDER", "CSYER", "CZPHS",
    "CPERI", "CPDIS", "CQDIS", "CPERR", "CQERR",
];

/// Keywords with a number and no letter.
const NUMBERED: [&str; 9] = [
    "PROJP", "D2IMDIS", "D2IMERR", "D2IMARR", "AMDX", "AMDY", "PPO", "CNPIX", "PLTDEC",
];

/// Keywords of record-valued cards: an axis number, then perhaps a point and the name of a field.
const RECORD: [&str; 3] = ["DP", "DQ", "D2IM"];

/// Reads a keyword of a coordinate description; `None` if it is none.
///
/// ```
/// use pantler_objects::header_wcs::wcs_keyword;
/// assert_eq!(wcs_keyword("CRVAL1").unwrap().alternate, None);
/// assert_eq!(wcs_keyword("PC1_2B").unwrap().alternate, Some('B'));
/// assert!(wcs_keyword("LTV1").is_none());
/// ```
pub fn wcs_keyword(keyword: &str) -> Option<WcsKeyword> {
    if EXACT.contains(&keyword) || is_sip(keyword) || is_wat(keyword) || is_old_matrix(keyword) {
        return Some(WcsKeyword { alternate: None });
    }
    for root in RECORD {
        if let Some(rest) = keyword.strip_prefix(root) {
            let first = rest.split('.').next().unwrap_or(rest);
            let found = numbers_and_letter(first, 1);
            if found.is_some() {
                return found;
            }
        }
    }
    for root in NUMBERED {
        if let Some(rest) = keyword.strip_prefix(root)
            && is_number(rest)
        {
            return Some(WcsKeyword { alternate: None });
        }
    }
    let plain = PLAIN.iter().filter_map(|root| keyword.strip_prefix(root));
    let axis = AXIS.iter().filter_map(|root| keyword.strip_prefix(root));
    let matrix = ["CD", "PC", "PV", "PS"]
        .iter()
        .filter_map(|root| keyword.strip_prefix(root));
    None.or_else(|| plain.filter_map(|rest| numbers_and_letter(rest, 0)).next())
        .or_else(|| axis.filter_map(|rest| numbers_and_letter(rest, 1)).next())
        .or_else(|| matrix.filter_map(|rest| numbers_and_letter(rest, 2)).next())
}

/// Says whether a keyword belongs to a description of coordinates, whatever that describes; [`sky_wcs_cards`] knows more.
pub fn is_wcs_keyword(keyword: &str) -> bool {
    wcs_keyword(keyword).is_some()
}

/// Returns the cards that describe positions on the sky, distortion and alternates included.
pub fn sky_wcs_cards(header: &Metadata) -> Metadata {
    let kept = kept_alternates(header);
    header.without(|card| !is_sky(card.keyword(), &kept))
}

/// Returns the header without the cards that [`sky_wcs_cards`] returns.
pub fn without_sky_wcs(header: &Metadata) -> Metadata {
    let kept = kept_alternates(header);
    header.without(|card| is_sky(card.keyword(), &kept))
}

/// Says whether a header has a primary description of coordinates: a `CTYPE1` or a `CRVAL1`.
pub fn has_wcs(header: &Metadata) -> bool {
    header.get("CTYPE1").is_some() || header.get("CRVAL1").is_some()
}

/// Says whether a card gives the origin of the pixels in their parent image: `LTV1`, and the alternate description by
/// which the LSST stack says the same.
///
/// An image carries its origin itself, so these cards count for nothing when images are compared.
pub fn is_pixel_origin_card(header: &Metadata, keyword: &str) -> bool {
    matches!(keyword, "LTV1" | "LTV2")
        || wcs_keyword(keyword)
            .and_then(|known| known.alternate)
            .is_some_and(|letter| is_pixel_origin(header, letter))
}

fn is_pixel_origin(header: &Metadata, letter: char) -> bool {
    let linear = |axis: u8| {
        let kind = header.get_text(&format!("CTYPE{axis}{letter}"));
        let unit = header.get_text(&format!("CUNIT{axis}{letter}"));
        kind.is_some_and(|kind| kind.trim() == "LINEAR")
            && unit.is_none_or(|unit| unit.trim().eq_ignore_ascii_case("pixel"))
    };
    linear(1) && linear(2)
}

fn is_sky(keyword: &str, kept: &BTreeSet<char>) -> bool {
    match wcs_keyword(keyword) {
        Some(WcsKeyword {
            alternate: Some(letter),
        }) => !kept.contains(&letter),
        known => known.is_some(),
    }
}

/// Returns the letters of the alternate descriptions that have axis types, none of which is one of the sky.
fn kept_alternates(header: &Metadata) -> BTreeSet<char> {
    let mut all = BTreeSet::new();
    let mut sky = BTreeSet::new();
    for card in header.iter() {
        let axis = card.keyword().strip_prefix("CTYPE");
        let letter = axis.and_then(|rest| numbers_and_letter(rest, 1)?.alternate);
        if let (Some(letter), Some(kind)) = (letter, card.value().as_text()) {
            all.insert(letter);
            if is_sky_axis(kind) {
                sky.insert(letter);
            }
        }
    }
    all.difference(&sky).copied().collect()
}

/// Says whether an axis type is one of the sky: four characters, `-`, a projection (`RA---TAN`), or a bare name.
fn is_sky_axis(kind: &str) -> bool {
    let kind = kind.trim();
    let name = kind.split('-').next().unwrap_or(kind);
    let known = matches!(name, "RA" | "DEC") || name.ends_with("LON") || name.ends_with("LAT");
    known || kind.as_bytes().get(4) == Some(&b'-')
}

/// Reads `numbers` numbers with `_` between them, then an optional letter.
fn numbers_and_letter(rest: &str, numbers: usize) -> Option<WcsKeyword> {
    let (rest, alternate) = match rest.chars().next_back() {
        Some(letter) if letter.is_ascii_uppercase() => (&rest[..rest.len() - 1], Some(letter)),
        _ => (rest, None),
    };
    let fits = match numbers {
        0 => rest.is_empty(),
        1 => is_number(rest),
        _ => matches!(rest.split_once('_'), Some((a, b)) if is_number(a) && is_number(b)),
    };
    fits.then_some(WcsKeyword { alternate })
}

fn is_number(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Says whether it is a coefficient of the SIP convention: `A_0_2`, `BP_1_1`.
fn is_sip(keyword: &str) -> bool {
    ["A_", "B_", "AP_", "BP_"].iter().any(|root| {
        let powers = keyword
            .strip_prefix(root)
            .and_then(|rest| rest.split_once('_'));
        matches!(powers, Some((p, q)) if is_number(p) && is_number(q))
    })
}

/// Says whether it is a card of the TNX and ZPX conventions: `WAT1_001`.
fn is_wat(keyword: &str) -> bool {
    let parts = keyword
        .strip_prefix("WAT")
        .and_then(|rest| rest.split_once('_'));
    matches!(parts, Some((axis, number)) if is_number(axis) && is_number(number))
}

/// Says whether it is an element of the matrix in the form of old files: `CD001002`.
fn is_old_matrix(keyword: &str) -> bool {
    let digits = keyword.strip_prefix("CD").or(keyword.strip_prefix("PC"));
    digits.is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metadata::Card;
    use crate::real_files;

    #[test]
    fn keywords_of_coordinates_are_told_from_others() {
        let primary = "WCSAXES CRPIX1 CRVAL2 CDELT1 CTYPE1 CUNIT2 CROTA2 CD1_1 CD2_1 PC1_2 PV2_5 PS1_0 LONPOLE \
                       LATPOLE RADESYS RADECSYS EQUINOX EPOCH SPECSYS A_ORDER B_ORDER AP_ORDER BP_ORDER A_0_2 \
                       B_3_0 AP_1_1 BP_0_0 A_DMAX B_DMAX WAT0_001 WAT1_002 WCSDIM D2IM1 D2IM1.EXTVER D2IMDIS1 \
                       D2IMERR1 D2IMEXT CPDIS1 CPERR1 CQDIS2 DP1 DP1.NAXES DQ2.AXIS.1 CRDER1 CSYER2 CD001002 \
                       PROJP1 RESTFRQ VELOSYS WCSNAME CNAME1";
        for keyword in primary.split_whitespace() {
            let known = wcs_keyword(keyword);
            assert_eq!(known, Some(WcsKeyword { alternate: None }), "{keyword}");
        }
        for keyword in [
            "CTYPE1A", "CD1_1Z", "PV2_15B", "WCSNAMEQ", "EQUINOXC", "CPDIS1D",
        ] {
            let letter = keyword.chars().next_back();
            assert_eq!(wcs_keyword(keyword).unwrap().alternate, letter, "{keyword}");
        }
        let others = "LTV1 LTM1_1 DTV1 DTM1_1 EXPTIME A_B A_1 MP_BAD CD CD1 CDX_1 PSFSIG PC BPMASK A_ORDERS \
                      DATE-OBS MJD-OBS CCD CRVAL CTYPE DETSEC OBSGEO-X C_3_4 CRUNID EXPINFO_V PV PS1 D2 DPX \
                      CRPIX1AA CRVAL1_2 WATER";
        for keyword in others.split_whitespace() {
            assert_eq!(wcs_keyword(keyword), None, "{keyword}");
        }
    }

    fn text_cards(cards: &[(&str, &str)]) -> Metadata {
        Metadata::new(
            cards
                .iter()
                .map(|(keyword, text)| Card::new(*keyword, *text, None)),
        )
    }

    /// R11: alternates that describe the sky go, those that describe pixels stay.
    #[test]
    fn r11_alternates_go_only_if_they_describe_the_sky() {
        let header = text_cards(&[
            ("CTYPE1", "LINEAR"),
            ("CTYPE1A", "LINEAR"),
            ("CTYPE2A", "LINEAR"),
            ("CRVAL1A", "0"),
            ("CTYPE1B", "GLON-CAR"),
            ("CTYPE2B", "GLAT-CAR"),
            ("CRVAL1B", "0"),
            ("CTYPE1C", "CCD_X"),
            ("CRVAL1C", "0"),
            ("CRVAL1D", "0"),
            ("CTYPE1E", "RA"),
        ]);
        let sky: Vec<String> = sky_wcs_cards(&header)
            .iter()
            .map(|card| card.keyword().to_owned())
            .collect();
        assert_eq!(
            sky,
            [
                "CTYPE1", "CTYPE1B", "CTYPE2B", "CRVAL1B", "CRVAL1D", "CTYPE1E"
            ]
        );
        assert_eq!(without_sky_wcs(&header).len(), header.len() - sky.len());
        assert!(is_pixel_origin_card(&header, "CRVAL1A"));
        assert!(!is_pixel_origin_card(&header, "CRVAL1B"));
        assert!(!is_pixel_origin_card(&header, "CRVAL1C"));
    }

    /// In the real files, what is left of a plane's header says nothing of the sky, and nothing else is gone.
    #[test]
    fn real_headers_are_taken_apart_cleanly() {
        for file in [
            "exposures/hsc_calexp_full.fits",
            "exposures/HSC-0908120-056-small.fits",
        ] {
            let Some(hdus) = real_files::read(file) else {
                return;
            };
            for hdu in &hdus[1..4] {
                let (sky, rest) = (sky_wcs_cards(&hdu.header), without_sky_wcs(&hdu.header));
                assert_eq!(sky.len() + rest.len(), hdu.header.len());
                assert!(sky.get("CRVAL1").is_some() && sky.get("AP_0_0").is_some());
                assert!(rest.get("CTYPE1A").is_some() && rest.get("LTV1").is_some());
                for card in rest.iter() {
                    let keyword = card.keyword();
                    assert!(
                        !keyword.starts_with("A_") && !keyword.starts_with("CD"),
                        "{keyword}"
                    );
                }
            }
        }
    }

    proptest! {
        /// No keyword makes it panic, and taking apart never loses a card.
        #[test]
        fn any_keyword_is_answered(keywords in proptest::collection::vec("[A-Z_0-9.é]{0,8}", 0..12)) {
            let header = Metadata::new(keywords.iter().map(|keyword| Card::new(keyword.as_str(), 1_i64, None)));
            prop_assert_eq!(sky_wcs_cards(&header).len() + without_sky_wcs(&header).len(), header.len());
        }
    }
}
