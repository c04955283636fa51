//! Damaged and hostile files: whatever is flipped, cut or lied about, there is an error or a value, never a panic.

use std::sync::Arc;

use pantler_core::formatter::{PixelBox, ReadRequest};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, ObjectRef};
use pantler_objects::summary::summary_of;
use pantler_objects::{Background, Component, Psf, Wcs};

use super::support::{Counted, class, part, real};
use crate::fits::FitsFormatter;
use crate::fits::layout::Layout;

/// Small numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
}

const FILES: &[&str] = &[
    "exposures/coadd_with_inputs_v1.fits",
    "exposures/exposure-version-2.fits",
    "exposures/small_gaussianpsf.fits",
    "exposures/joint/8766/jointcal_photoCalib-0011506-049.fits",
    "exposures/components/oldTanSipWcs.fits",
    "exposures/cfht/visitSummary-849375.fits",
    "exposures/cfht/bkgd-849375-12.fits",
    "misc/m13_rice.fits",
    "misc/m13_gzip.fits",
    "misc/comp.fits",
    "misc/ticketdm26260.fits",
    "misc/variable_length_table.fits",
    "misc/ticket20143_latiss_header.fits",
    "misc/tdim.fits",
    "misc/ascii.fits",
    "catalogs/sourceTable-v2.fits",
    "catalogs/chandra_region.fits",
    "raw/hst_stis_o4sp040b0_raw.fits",
];

const LIES: &[&str] = &[
    "-1",
    "0",
    "1",
    "999",
    "1000",
    "65536",
    "2147483647",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "1.5",
    "T",
    "''",
];

const KEYWORDS: &[&str] = &[
    "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "TFIELDS", "THEAP", "ZNAXIS",
    "ZNAXIS1", "ZNAXIS2", "ZTILE1", "ZTILE2", "ZVAL1", "ZVAL2", "ZBITPIX", "AR_HDU", "BZERO",
    "BSCALE", "LTV1", "AR_CATN", "TDIM1", "TDIM2", "TNULL2", "TZERO3", "TSCAL4", "TBCOL1",
    "FLAGCOL",
];

const FORMS: &[&str] = &[
    "'1J'",
    "'999999999D'",
    "'3C'",
    "'1PA(9)'",
    "'E99.999'",
    "'I3'",
    "'1PB(0)'",
    "'1QE(9)'",
    "'0A'",
    "'-1J'",
    "'18446744073709551615X'",
    "'Z'",
    "''",
];

fn mutate(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match dice.throw(5) {
        0 => {
            for _ in 0..=dice.throw(8) {
                let at = dice.throw(bytes.len());
                bytes[at] = dice.throw(256) as u8;
            }
        }
        1 => bytes.truncate(dice.throw(bytes.len())),
        2 => {
            let header = dice.throw(bytes.len().min(30_000));
            bytes[header] ^= 1 << dice.throw(8);
        }
        3 => lie(
            &mut bytes,
            KEYWORDS[dice.throw(KEYWORDS.len())],
            LIES[dice.throw(LIES.len())],
            dice,
        ),
        _ => {
            let keyword = format!("TFORM{}", dice.throw(6) + 1);
            lie(&mut bytes, &keyword, FORMS[dice.throw(FORMS.len())], dice);
        }
    }
    bytes
}

/// Gives one of the cards of a keyword another value.
fn lie(bytes: &mut [u8], keyword: &str, value: &str, dice: &mut Dice) {
    let start = format!("{keyword:<8}= ");
    let cards: Vec<usize> = (0..bytes.len() / 80)
        .map(|n| n * 80)
        .filter(|&at| bytes[at..].starts_with(start.as_bytes()))
        .collect();
    if let Some(&at) = cards.get(dice.throw(cards.len())) {
        let card = format!("{start}{value:<70}");
        bytes[at..at + 80].copy_from_slice(&card.as_bytes()[..80]);
    }
}

/// A cutout that many of the images hold.
const SMALL: PixelBox = PixelBox {
    x0: 3,
    y0: 5,
    width: 20,
    height: 7,
};

/// Computes with what was read, for records that are sound as tables may hold any numbers.
fn compute(object: &ObjectRef) {
    let names = object.component_names();
    let components = names.iter().filter_map(|name| object.component(name));
    for object in components.chain([Arc::clone(object)]) {
        let _ = summary_of(object.as_ref());
        if let Some(component) = downcast::<Component>(object.as_ref()) {
            let _ = Psf::of(component).and_then(|psf| psf.image_at(12.25, 30.5));
        }
        if let Some(background) = downcast::<Background>(object.as_ref()) {
            let _ = background.image(SMALL);
        }
        if let Some(wcs) = downcast::<Wcs>(object.as_ref()) {
            let _ = wcs.footprint(SMALL);
        }
    }
}

/// Reads a file in every way there is.
fn exercise(source: &Counted) -> Vec<Result<ObjectRef, FormatError>> {
    let layout = FitsFormatter.index(source).ok().flatten();
    let requests = [
        ReadRequest::default(),
        class("Exposure"),
        class("Metadata"),
        class("PhotoCalib"),
        part("wcs"),
        part("mask"),
        part("detector"),
        part("psf"),
        part("apCorrMap"),
        part("coaddInputs"),
        part("validPolygon"),
        class("Background"),
        ReadRequest {
            bbox: Some(SMALL),
            ..part("image")
        },
        ReadRequest {
            hdu: Some(1),
            ..class("Image")
        },
        class("Table"),
        ReadRequest {
            hdu: Some(1),
            columns: Some(vec!["id".to_owned(), "var".to_owned(), "R".to_owned()]),
            ..class("Table")
        },
    ];
    let mut read = Vec::new();
    for request in requests {
        read.push(FitsFormatter.read(source, layout.as_deref(), &request));
        if let Some(layout) = &layout {
            FitsFormatter.locate(layout, &request);
        }
    }
    read
}

/// 1500 seeded mutations (`PANTLER_MUTATIONS` says how many instead, `PANTLER_MUTATIONS_FROM` where they start), each read in
/// every way and computed with. Some of what is read is also written, so that the writer meets odd values.
#[test]
fn damaged_files_never_panic() {
    let files: Vec<Counted> = FILES.iter().filter_map(|name| real(name)).collect();
    if files.is_empty() {
        return;
    }
    let more = std::env::var("PANTLER_MUTATIONS");
    let runs = more.map_or(1500, |runs| runs.parse().unwrap());
    let from = std::env::var("PANTLER_MUTATIONS_FROM");
    let from = from.map_or(0, |from| from.parse().unwrap());
    let (mut sound, mut damaged) = (0, 0);
    for run in from..from + runs {
        let mut dice =
            Dice(0x9e37_79b9_7f4a_7c15 ^ (run as u64 + 1).wrapping_mul(0x2545_f491_4f6c_dd1d));
        let file = &files[run % files.len()];
        let source = Counted::new("mutated.fits", mutate(file.all(), &mut dice));
        for outcome in exercise(&source) {
            match outcome {
                Ok(object) => {
                    sound += 1;
                    compute(&object);
                    if run % 10 == 0 {
                        let _ = FitsFormatter.write(&object, &Default::default());
                    }
                }
                Err(error) => {
                    damaged += 1;
                    assert!(error.to_string().contains("mutated.fits"), "{error}");
                }
            }
        }
    }
    assert!(
        sound > 1000 && damaged > 1000,
        "{sound} read, {damaged} refused"
    );
}

#[test]
fn damaged_layouts_are_refused_or_harmless() {
    let Some(source) = real("exposures/exposure-version-2.fits") else {
        return;
    };
    let layout = FitsFormatter.index(&source).unwrap().unwrap();
    let expected = FitsFormatter.read(&source, None, &part("wcs")).unwrap();
    for run in 0..2000 {
        let mut dice =
            Dice(0x1234_5678_9abc_def1 ^ (run as u64 + 1).wrapping_mul(0x2545_f491_4f6c_dd1d));
        let mut bytes = layout.to_vec();
        match dice.throw(2) {
            0 => bytes.truncate(dice.throw(bytes.len())),
            _ => {
                for _ in 0..=dice.throw(3) {
                    let at = dice.throw(bytes.len());
                    bytes[at] = dice.throw(256) as u8;
                }
            }
        }
        FitsFormatter.locate(&bytes, &part("wcs"));
        // A layout that still parses may name another record; it must not name anything outside of the file.
        if let Ok(object) = FitsFormatter.read(&source, Some(&bytes), &part("wcs")) {
            assert_eq!(object.class(), expected.class());
        }
    }
}

#[test]
fn a_layout_is_read_back_as_it_was_written() {
    let Some(source) = real("exposures/hsc_calexp_full.fits") else {
        return;
    };
    let bytes = FitsFormatter.index(&source).unwrap().unwrap();
    assert_eq!(Layout::parse(&bytes).unwrap().to_bytes(), bytes.to_vec());
    assert!(Layout::parse(b"").is_none());
}

#[test]
fn filling_behind_the_last_hdu_is_tolerated_and_rubbish_is_not() {
    let Some(source) = real("exposures/scienceMI.fits") else {
        return;
    };
    for (filling, fine) in [(0u8, true), (b' ', true), (b'x', false)] {
        let mut bytes = source.all().to_vec();
        bytes.extend([filling; 2880]);
        let read = FitsFormatter.read(
            &Counted::new("longer.fits", bytes),
            None,
            &class("Exposure"),
        );
        assert_eq!(read.is_ok(), fine, "{filling}");
    }
}
