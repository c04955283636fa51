//! What is written reads back as the same value, in the same bytes each time, and without a trace of what was replaced.

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PartProvenance, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{DatasetId, Digest, FormatError, Formatter, ObjectRef};
use pantler_objects::{Card, Exposure, Image, Metadata, Wcs};

use super::support::{Counted, class, part, real, real_names};
use crate::fits::contents::Contents;
use crate::fits::{FitsFormatter, provenance};

fn recipe(name: &str) -> WriteOptions {
    WriteOptions {
        recipe: Some(name.to_owned()),
        ..WriteOptions::default()
    }
}

fn written(object: &ObjectRef, options: &WriteOptions) -> Bytes {
    FitsFormatter.write(object, options).unwrap()
}

fn read_back(bytes: &Bytes, request: &ReadRequest) -> ObjectRef {
    FitsFormatter
        .read(&Counted::new("written.fits", bytes.clone()), None, request)
        .unwrap()
}

#[test]
fn every_file_reads_back_as_the_same_value() {
    let mut compared = 0;
    for name in real_names(&["exposures", "catalogs", "misc"]) {
        let source = real(&name).unwrap();
        let object = match FitsFormatter.read(&source, None, &ReadRequest::default()) {
            Ok(object) => object,
            Err(FormatError::Unsupported { why, .. }) if why.contains("not read yet") => continue,
            Err(error) => panic!("{name}: {error}"),
        };
        for recipe in ["none", "lossless"].map(recipe) {
            let bytes = written(&object, &recipe);
            assert_eq!(bytes.len() % 2880, 0, "{name}");
            assert!(bytes == written(&object, &recipe), "{name}: written twice");
            let again = read_back(&bytes, &class(object.class()));
            assert_eq!(object.difference(again.as_ref()), None, "{name} {recipe:?}");
            assert_eq!(object.digest_values(), again.digest_values(), "{name}");
            // Writing what was read from it gives the same file again.
            assert!(
                bytes == written(&again, &recipe),
                "{name}: written from the written one"
            );
        }
        compared += 1;
    }
    if real("exposures/scienceMI.fits").is_some() {
        assert!(compared >= 20, "{compared} files");
    }
}

/// What was not changed is written as it was: ids, rows and arrays of all records, and the cards of the header.
#[test]
fn an_unchanged_exposure_keeps_its_records_and_cards() {
    let Some(source) = real("exposures/hsc_calexp_full.fits") else {
        return;
    };
    let exposure = FitsFormatter
        .read(&source, None, &class("Exposure"))
        .unwrap();
    let file = Counted::new("written.fits", written(&exposure, &WriteOptions::default()));
    let (before, after) = (
        Contents::walk(&source).unwrap(),
        Contents::walk(&file).unwrap(),
    );
    let ids = |contents: &Contents<'_>| contents.components().unwrap().unwrap().clone();
    let (one, other) = (ids(&before), ids(&after));
    assert_eq!(one.ids, other.ids);
    for (id, located) in &one.directory.objects {
        let again = &other.directory.objects[id];
        assert_eq!(
            (&located.class, &located.module),
            (&again.class, &again.module)
        );
    }
    for card in before
        .hdu(0)
        .unwrap()
        .cards
        .iter()
        .filter(|card| !card.keyword().contains("_ID"))
    {
        let kept = after.hdu(0).unwrap();
        let found = kept
            .cards
            .get_all(card.keyword())
            .any(|kept| kept.raw() == card.raw());
        let own = ["SIMPLE", "BITPIX", "NAXIS", "EXTEND", "AR_HDU", "EXPINFO_V"];
        assert!(
            found || own.contains(&card.keyword()) || card.keyword().starts_with("ARCHIVE_ID"),
            "{card:?}"
        );
    }
}

#[test]
fn parts_alone_read_back_as_the_same_value() {
    let Some(source) = real("exposures/hsc_calexp_full.fits") else {
        return;
    };
    for name in [
        "image",
        "mask",
        "wcs",
        "photoCalib",
        "visitInfo",
        "psf",
        "detector",
        "filter",
        "metadata",
    ] {
        let object = FitsFormatter.read(&source, None, &part(name)).unwrap();
        let bytes = written(&object, &WriteOptions::default());
        let again = read_back(&bytes, &class(object.class()));
        assert_eq!(object.difference(again.as_ref()), None, "{name}");
    }
}

#[test]
fn coordinates_in_cards_read_back_alone() {
    let Some(source) = real("raw/obs_test_raw_v1_fg.fits.gz") else {
        return;
    };
    let wcs = FitsFormatter.read(&source, None, &part("wcs")).unwrap();
    let bytes = written(&wcs, &WriteOptions::default());
    assert_eq!(
        wcs.difference(read_back(&bytes, &class("Wcs")).as_ref()),
        None
    );
}

/// A new WCS leaves no trace of the old one: neither a card in any header nor a record.
#[test]
fn r11_the_old_wcs_is_nowhere_in_the_file() {
    let new = "exposures/joint/8766/jointcal_wcs-0011506-049.fits";
    let (Some(source), Some(new)) = (real("exposures/hsc_calexp_full.fits"), real(new)) else {
        return;
    };
    let wcs = FitsFormatter.read(&new, None, &class("Wcs")).unwrap();
    let exposure = FitsFormatter
        .read(&source, None, &class("Exposure"))
        .unwrap();
    let old = downcast::<Exposure>(exposure.as_ref())
        .unwrap()
        .wcs()
        .unwrap()
        .clone();
    let exposure = exposure.with_component("wcs", &wcs).unwrap();
    let bytes = written(&exposure, &WriteOptions::default());
    for digits in ["1201.73728", "320.729416266032", "2.19757392025624E-06"] {
        let found = bytes
            .windows(digits.len())
            .any(|window| window == digits.as_bytes());
        assert!(!found, "{digits} of the old header is still there");
    }
    let dump = |wcs: &Wcs| {
        let record = wcs.carrier().persisted().unwrap();
        String::from_utf8_lossy(&record.object().catalog(0).unwrap().heap()[0]).into_owned()
    };
    let (old, new) = (dump(&old), dump(downcast::<Wcs>(wcs.as_ref()).unwrap()));
    let mut traces = 0;
    for line in old
        .lines()
        .filter(|line| line.len() > 20 && !new.contains(*line))
    {
        let found = bytes
            .windows(line.len())
            .any(|window| window == line.as_bytes());
        // A detector's maps may share a line with any dump, but not the old numbers.
        let number = line
            .split('=')
            .nth(1)
            .is_some_and(|value| value.trim().len() > 12);
        assert!(!(found && number), "`{line}` of the old record is there");
        traces += usize::from(number);
    }
    assert!(traces > 20, "{traces} lines of the old record are its own");
    let image = FitsFormatter
        .read(
            &Counted::new("new.fits", bytes.clone()),
            None,
            &part("image"),
        )
        .unwrap();
    let fitted = image.component("wcs").unwrap();
    let fitted = downcast::<Wcs>(fitted.as_ref()).unwrap();
    let pixels = [(0.0, 0.0), (63.0, 31.0)];
    let expected = downcast::<Wcs>(wcs.as_ref())
        .unwrap()
        .pixel_to_sky(&pixels)
        .unwrap();
    for (a, b) in fitted
        .pixel_to_sky(&pixels)
        .unwrap()
        .into_iter()
        .zip(expected)
    {
        assert!(
            (a.0 - b.0).abs() < 1e-8 && (a.1 - b.1).abs() < 1e-8,
            "{a:?} {b:?}"
        );
    }
    let again = read_back(&bytes, &class("Exposure"));
    assert_eq!(exposure.difference(again.as_ref()), None);
    assert_eq!(
        wcs.difference(again.component("wcs").unwrap().as_ref()),
        None
    );
}

#[test]
fn r11_a_new_calibration_takes_the_old_cards_away() {
    let new = "exposures/components/photoCalib-version1.fits";
    let (Some(source), Some(new)) = (real("exposures/coadd_with_inputs_v1.fits"), real(new)) else {
        return;
    };
    let calib = FitsFormatter
        .read(&new, None, &class("PhotoCalib"))
        .unwrap();
    let exposure = FitsFormatter
        .read(&source, None, &class("Exposure"))
        .unwrap();
    let exposure = exposure.with_component("calib", &calib).unwrap();
    let bytes = written(&exposure, &WriteOptions::default());
    assert!(!bytes.windows(8).any(|window| window == b"FLUXMAG0"));
    let again = read_back(&bytes, &class("Exposure"));
    assert_eq!(exposure.difference(again.as_ref()), None);
    assert_eq!(
        calib.difference(again.component("photoCalib").unwrap().as_ref()),
        None
    );
}

#[test]
fn r25_provenance_is_kept_and_is_no_part_of_the_value() {
    let Some(source) = real("exposures/hsc_calexp_full.fits") else {
        return;
    };
    let exposure = FitsFormatter
        .read(&source, None, &class("Exposure"))
        .unwrap();
    let parts = ["photoCalib", "wcs"].map(origin_of).to_vec();
    let options = WriteOptions {
        provenance: parts.clone(),
        ..WriteOptions::default()
    };
    let bytes = written(&exposure, &options);
    let again = read_back(&bytes, &class("Exposure"));
    let header = downcast::<Exposure>(again.as_ref())
        .unwrap()
        .metadata()
        .clone();
    assert_eq!(provenance(&header), parts);
    assert_eq!(exposure.difference(again.as_ref()), None);
    assert_eq!(exposure.digest_values(), again.digest_values());
    // Written on, it says nothing of where the parts of another file came from.
    let bytes = written(&again, &WriteOptions::default());
    assert!(!bytes.windows(7).any(|window| window == b"PANTLER"));
}

#[test]
fn a_lossy_recipe_stays_within_a_fraction_of_the_noise() {
    let Some(source) = real("exposures/scienceMI.fits") else {
        return;
    };
    let object = FitsFormatter
        .read(&source, None, &class("MaskedImage"))
        .unwrap();
    let plain = written(&object, &WriteOptions::default());
    let lossy = written(&object, &recipe("lossy"));
    assert!(
        lossy.len() < plain.len(),
        "{} and {}",
        lossy.len(),
        plain.len()
    );
    let again = read_back(&lossy, &class("MaskedImage"));
    let mask = |object: &ObjectRef| object.component("mask").unwrap();
    assert_eq!(mask(&object).difference(mask(&again).as_ref()), None);
    let image = |object: &ObjectRef| {
        let image = object.component("image").unwrap();
        downcast::<Image>(image.as_ref()).unwrap().clone()
    };
    let (one, other) = (image(&object), image(&again));
    let spread = one.statistics().unwrap().max - one.statistics().unwrap().min;
    for index in 0..one.pixels().len() {
        let (a, b) = (
            one.pixels().get_f64(index).unwrap(),
            other.pixels().get_f64(index).unwrap(),
        );
        assert!(a.is_nan() == b.is_nan(), "pixel {index}");
        assert!(
            a.is_nan() || (a - b).abs() < 0.01 * spread,
            "pixel {index}: {a} and {b}"
        );
    }
}

/// A recipe of a policy: what its cards say, and that the same object gives the same bytes.
#[test]
fn a_recipe_of_settings_is_followed() {
    let Some(source) = real("exposures/scienceMI.fits") else {
        return;
    };
    let object = FitsFormatter
        .read(&source, None, &class("MaskedImage"))
        .unwrap();
    let settings = [
        ("image.compression.algorithm", "RICE_1"),
        ("image.compression.quantizeLevel", "64"),
        ("image.compression.seed", "42"),
        ("image.compression.tile", "[50, 20]"),
        ("mask.compression.algorithm", "RICE_1"),
        ("variance.compression.algorithm", "GZIP_1"),
    ];
    let options = WriteOptions {
        recipe: Some("mine".to_owned()),
        settings: settings
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        ..WriteOptions::default()
    };
    let bytes = written(&object, &options);
    assert!(bytes == written(&object, &options));
    let file = Counted::new("written.fits", bytes.clone());
    let contents = Contents::walk(&file).unwrap();
    let said = |hdu: usize, keyword: &str| {
        let cards = contents.hdu(hdu).unwrap().cards.clone();
        cards.get(keyword).map(ToString::to_string)
    };
    let tiles = ["ZCMPTYPE", "ZTILE1", "ZTILE2", "ZDITHER0", "ZQUANTIZ"];
    let image = tiles.map(|keyword| said(1, keyword));
    let expected = ["RICE_1", "50", "20", "42", "SUBTRACTIVE_DITHER_1"];
    for (said, expected) in image.iter().zip(expected) {
        assert!(
            said.as_deref().is_some_and(|said| said.contains(expected)),
            "{said:?}"
        );
    }
    assert!(said(2, "ZCMPTYPE").is_some_and(|said| said.contains("RICE_1")));
    assert!(said(3, "ZCMPTYPE").is_some_and(|said| said.contains("GZIP_1")));
    let again = read_back(&bytes, &class("MaskedImage"));
    for name in ["mask", "variance"] {
        let part = |object: &ObjectRef| object.component(name).unwrap();
        assert_eq!(part(&object).difference(part(&again).as_ref()), None);
    }
    let unknown = WriteOptions {
        settings: vec![("image.compresion.algorithm".to_owned(), "RICE".to_owned())],
        ..options
    };
    let error = FitsFormatter.write(&object, &unknown).unwrap_err();
    assert!(
        error.to_string().contains("image.compresion.algorithm"),
        "{error}"
    );
}

#[test]
fn a_recipe_that_there_is_not_is_refused() {
    let image: ObjectRef = Arc::new(Image::new(vec![0f32; 4], 2, 2, 0, 0).unwrap());
    let error = FitsFormatter
        .write(&image, &recipe("losless"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("losless") && error.contains("lossless"),
        "{error}"
    );
}

/// A card that cannot be written as it is stops the put; it is never cut or changed.
#[test]
fn a_header_that_cards_cannot_hold_is_refused() {
    let cards = [
        Card::new("WHO", "Jörg", None),
        Card::new("A=B", 1, None),
        Card::new("a keyword that is much longer than any card", 1, None),
        Card::new("TWO\nLINES", 1, None),
    ];
    for card in cards {
        let header: ObjectRef = Arc::new(Metadata::new([card.clone()]));
        let error = FitsFormatter
            .write(&header, &WriteOptions::default())
            .unwrap_err();
        assert!(error.to_string().contains("card can"), "{card:?}: {error}");
    }
}

#[test]
fn a_written_file_has_a_layout_and_sound_structure() {
    let Some(source) = real("exposures/hsc_calexp_full.fits") else {
        return;
    };
    let exposure = FitsFormatter
        .read(&source, None, &class("Exposure"))
        .unwrap();
    let file = Counted::new("written.fits", written(&exposure, &recipe("lossless")));
    Contents::walk(&file).unwrap().check_whole().unwrap();
    let layout = FitsFormatter.index(&file).unwrap().unwrap();
    file.taken();
    FitsFormatter
        .read(&file, Some(&layout), &part("wcs"))
        .unwrap();
    let (bytes, requests) = file.taken();
    assert!(
        bytes * 20 < file.size() && requests == 1,
        "{bytes} bytes, {requests} requests"
    );
}

/// Leaves written files where `PANTLER_WRITE_TO` says, for other programs to look at.
#[test]
fn written_files_can_be_looked_at() {
    let Some(folder) = std::env::var_os("PANTLER_WRITE_TO") else {
        return;
    };
    for name in real_names(&["exposures"]) {
        let source = real(&name).unwrap();
        let Ok(object) = FitsFormatter.read(&source, None, &ReadRequest::default()) else {
            continue;
        };
        for how in ["none", "lossless", "lossy"] {
            let path = std::path::Path::new(&folder)
                .join(format!("{how}-{}.fits", name.replace('/', "_")));
            std::fs::write(path, written(&object, &recipe(how))).unwrap();
        }
    }
    let new = "exposures/joint/8766/jointcal_wcs-0011506-049.fits";
    let (source, new) = (
        real("exposures/hsc_calexp_full.fits").unwrap(),
        real(new).unwrap(),
    );
    let wcs = FitsFormatter.read(&new, None, &class("Wcs")).unwrap();
    let exposure = FitsFormatter
        .read(&source, None, &class("Exposure"))
        .unwrap();
    let exposure = exposure.with_component("wcs", &wcs).unwrap();
    let options = WriteOptions {
        recipe: Some("lossless".to_owned()),
        provenance: vec![origin_of("wcs"), origin_of("photoCalib")],
        ..WriteOptions::default()
    };
    let path = std::path::Path::new(&folder).join("export.fits");
    std::fs::write(path, written(&exposure, &options)).unwrap();
}

fn origin_of(component: &str) -> PartProvenance {
    PartProvenance {
        component: component.to_owned(),
        dataset: format!(
            "jointcal_{component} visit=11506 ccd=49 tract=8766 filter='it''s a long name of a filter'"
        ),
        id: DatasetId::from_bytes([7; 16]),
        digest: Digest::of(component.as_bytes()),
    }
}
