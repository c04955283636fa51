//! What an exposure promises: sharing, synonyms, overriding without a trace, origins, comparisons.

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::object::{ComponentError, downcast};
use pantler_core::{DataId, DatasetId, Object, ObjectRef, Origin, TypeName};
use proptest::prelude::*;

use super::Exposure;
use crate::header_wcs::{is_wcs_keyword, sky_wcs_cards};
use crate::real_files::{self, first_of};
use crate::values::downcast_arc;
use crate::{
    Archive, Bbox, Card, CardValue, Carrier, Component, Image, Mask, Metadata, PhotoCalib,
    VisitInfo, Wcs,
};

fn cards(entries: &[(&str, CardValue)]) -> Metadata {
    let card = |(keyword, value): &(&str, CardValue)| Card::new(*keyword, value.clone(), None);
    Metadata::new(entries.iter().map(card))
}

fn wcs_cards(value: f64) -> Vec<(&'static str, CardValue)> {
    vec![
        ("CTYPE1", "RA---TAN-SIP".into()),
        ("CTYPE2", "DEC--TAN-SIP".into()),
        ("CRPIX1", 5.0.into()),
        ("CRPIX2", 5.0.into()),
        ("CRVAL1", value.into()),
        ("CRVAL2", 40.0.into()),
        ("CD1_1", 1e-5.into()),
        ("CD2_2", 1e-5.into()),
        ("A_ORDER", 2_i64.into()),
        ("A_0_2", 1e-9.into()),
        ("AP_ORDER", 2_i64.into()),
        ("RADESYS", "ICRS".into()),
        ("CRVAL1B", value.into()),
        ("CTYPE1B", "RA---TAN".into()),
    ]
}

fn plane_header(value: f64) -> Arc<Metadata> {
    let mut entries = wcs_cards(value);
    entries.extend([
        ("LTV1", (-100.0).into()),
        ("CTYPE1A", "LINEAR".into()),
        ("CTYPE2A", "LINEAR".into()),
        ("CRVAL1A", 100.0.into()),
        ("BUNIT", "adu".into()),
        ("FLUXMAG0", 1e12.into()),
    ]);
    Arc::new(cards(&entries))
}

fn image(value: f32) -> Image {
    let pixels: Vec<f32> = (0..20).map(|index| value + index as f32).collect();
    Image::new(pixels, 5, 4, 100, 200).unwrap()
}

fn mask() -> Mask {
    let planes = BTreeMap::from([("BAD".to_owned(), 0), ("DETECTED".to_owned(), 5)]);
    Mask::new(vec![0; 20], 5, 4, 100, 200, planes).unwrap()
}

fn header_wcs(value: f64) -> ObjectRef {
    Arc::new(Wcs::from_header(cards(&wcs_cards(value)), 100, 200))
}

fn header_calib(counts: f64) -> ObjectRef {
    let header = cards(&[("FLUXMAG0", counts.into()), ("FLUXMAG0ERR", 1e9.into())]);
    Arc::new(PhotoCalib::new(Carrier::Header(header)))
}

/// An exposure as a formatter makes it: headers and components say the same.
fn exposure() -> Exposure {
    let metadata = cards(&[
        ("OBJECT", "M 31".into()),
        ("EXPTIME", 30.0.into()),
        ("FLUXMAG0", 1e12.into()),
        ("MAGZERO", 27.0.into()),
        ("FILTER", "r".into()),
        ("CRVAL1", 30.0.into()),
    ]);
    let exposure = Exposure::new(
        Some(Arc::new(image(1.0).with_header(plane_header(30.0)))),
        Some(Arc::new(mask().with_header(plane_header(30.0)))),
        Some(Arc::new(image(2.0).with_header(plane_header(30.0)))),
        Arc::new(metadata),
    )
    .unwrap();
    let filter = cards(&[("FILTER", "r".into())]);
    let filter: ObjectRef = Arc::new(Component::from_header("filter", filter));
    exposure
        .holding("wcs", &header_wcs(30.0))
        .and_then(|exposure| exposure.holding("calib", &header_calib(1e12)))
        .and_then(|exposure| exposure.holding("filterLabel", &filter))
        .unwrap()
}

fn origin() -> Origin {
    Origin {
        dataset: DatasetId::from_bytes([7; 16]),
        dataset_type: TypeName::new("calexp").unwrap(),
        data_id: DataId::parse("visit=1 ccd=2").unwrap(),
        part: Vec::new(),
        whole: true,
        standardized: false,
    }
}

fn typed(object: &ObjectRef) -> &Exposure {
    downcast(object.as_ref()).unwrap()
}

/// A copy with another component holds the very same planes and other components.
#[test]
fn copies_share_what_they_do_not_change() {
    let filter: ObjectRef = Arc::new(Component::from_header("filter", cards(&[])));
    let before = exposure();
    let after = before.with("filter", &filter).unwrap();
    assert!(Arc::ptr_eq(before.image().unwrap(), after.image().unwrap()));
    assert!(Arc::ptr_eq(before.mask().unwrap(), after.mask().unwrap()));
    assert!(Arc::ptr_eq(before.wcs().unwrap(), after.wcs().unwrap()));
    // A new coordinate system changes headers, and still no pixel is copied.
    let after = before.with("wcs", &header_wcs(31.0)).unwrap();
    let (ours, theirs) = (before.image().unwrap(), after.image().unwrap());
    assert!(ours.pixels().shares_buffer(theirs.pixels()));
    let (ours, theirs) = (before.mask().unwrap(), after.mask().unwrap());
    assert!(ours.pixels().ptr_eq(theirs.pixels()));
}

/// R9: a synonym is the same component, not an equal one.
#[test]
fn r9_synonyms_are_one_component() {
    let exposure = exposure();
    for (name, synonym) in [
        ("photoCalib", "calib"),
        ("wcs", "skyWcs"),
        ("metadata", "md"),
        ("filter", "filterLabel"),
        ("variance", "var"),
    ] {
        let one = exposure.component(name).unwrap();
        assert!(
            Arc::ptr_eq(&one, &exposure.component(synonym).unwrap()),
            "{name}"
        );
        assert!(
            Arc::ptr_eq(&one, &exposure.component(name).unwrap()),
            "{name} twice"
        );
    }
    let info: ObjectRef = Arc::new(VisitInfo::new(Carrier::Header(cards(&[]))));
    let with_info = exposure.with("info", &info).unwrap();
    assert!(Arc::ptr_eq(
        &with_info.component("visitInfo").unwrap(),
        &info
    ));
    // Replacing by a synonym replaces: there is never a second one.
    let replaced = exposure.with("calib", &header_calib(2e12)).unwrap();
    let names = replaced.component_names();
    assert_eq!(
        names.iter().filter(|name| name.contains("alib")).count(),
        1,
        "{names:?}"
    );
}

/// R11: after a new coordinate system no header has any card of the old one, distortion and alternates included.
#[test]
fn r11_a_new_wcs_leaves_no_trace_of_the_old() {
    let after = exposure().with("skyWcs", &header_wcs(31.0)).unwrap();
    let headers = [
        after.metadata(),
        after.image().unwrap().header(),
        after.mask().unwrap().header(),
        after.variance().unwrap().header(),
    ];
    for header in headers {
        assert_eq!(sky_wcs_cards(header).len(), 0, "{header:?}");
    }
    // The place in the parent and all else stays.
    let header = after.image().unwrap().header();
    assert_eq!(header.get_text("CTYPE1A"), Some("LINEAR"));
    assert_eq!(header.get_text("BUNIT"), Some("adu"));
    assert_eq!(after.metadata().get_text("OBJECT"), Some("M 31"));
    let image: ObjectRef = Arc::clone(after.image().unwrap()) as ObjectRef;
    assert!(
        image.component("wcs").is_none(),
        "the plane still has coordinates of its own"
    );
}

/// R11: after a new calibration no header has a calibration card, and an old record is gone.
#[test]
fn r11_a_new_calibration_leaves_no_trace_of_the_old() {
    let after = exposure().with("photoCalib", &header_calib(2e12)).unwrap();
    for header in [after.metadata(), after.image().unwrap().header()] {
        for keyword in ["FLUXMAG0", "FLUXMAG0ERR", "MAGZERO"] {
            assert!(header.get(keyword).is_none(), "{keyword}");
        }
    }
    let calib = after.photo_calib().unwrap();
    assert_eq!(
        calib.carrier().header().unwrap().get_f64("FLUXMAG0"),
        Some(2e12)
    );
    // Coordinates are none of its business.
    assert!(after.image().unwrap().header().get("CRVAL1").is_some());
}

/// R11: a plane or header that is put in cannot bring back what a component overrides.
#[test]
fn r11_new_planes_and_headers_bring_nothing_back() {
    let after = exposure().with("wcs", &header_wcs(31.0)).unwrap();
    let plane: ObjectRef = Arc::new(image(9.0).with_header(plane_header(30.0)));
    let after = after.with("image", &plane).unwrap();
    assert_eq!(sky_wcs_cards(after.image().unwrap().header()).len(), 0);
    let header: ObjectRef = Arc::new(cards(&wcs_cards(30.0)));
    let after = after.with("metadata", &header).unwrap();
    assert!(
        after
            .metadata()
            .iter()
            .all(|card| !is_wcs_keyword(card.keyword()))
    );
    let without = exposure().without("wcs");
    assert!(without.wcs().is_none());
    assert!(without.image().unwrap().header().get("CRVAL1").is_none());
}

/// R13: the engine can put one shared component into two objects, and the origin stays.
#[test]
fn r13_sharing_puts_the_given_components_in() {
    let read = exposure().with_origin(&origin());
    let wcs = header_wcs(30.0);
    let mut seen = Vec::new();
    let shared = read.sharing(&mut |name, mine| {
        seen.push(name.to_owned());
        match name {
            "wcs" => Arc::clone(&wcs),
            _ => mine,
        }
    });
    assert!(Arc::ptr_eq(&shared.component("wcs").unwrap(), &wcs));
    assert!(Arc::ptr_eq(
        &shared.component("image").unwrap(),
        &read.component("image").unwrap()
    ));
    assert_eq!(shared.origin(), Some(&origin()));
    seen.sort();
    let mut names = shared.component_names();
    names.sort();
    assert_eq!(seen, names, "every component is offered once");
}

/// R22: dates, comments, checksums and the layout of the file do not make a difference, and all else does.
#[test]
fn r22_difference_ignores_what_passes() {
    let ours = exposure();
    let passing = ours
        .metadata()
        .with("DATE", "2024-01-01", None)
        .with("CHECKSUM", "abc", None)
        .with("HISTORY", CardValue::Commentary("made".to_owned()), None)
        .with("COMMENT", CardValue::Commentary("hello".to_owned()), None)
        .with("NAXIS", 0_i64, None)
        .with("AR_HDU", 5_i64, None)
        .with("SKYWCS_ID", 5_i64, None)
        .with("OBJECT", "M 31", Some("with a comment"));
    let theirs = ours
        .holding("metadata", &(Arc::new(passing) as ObjectRef))
        .unwrap();
    assert_eq!(ours.difference(&theirs), None);
    assert_eq!(ours.digest_values(), theirs.digest_values());

    let longer = ours.metadata().with("EXPTIME", 31.0, None);
    let theirs = ours
        .holding("metadata", &(Arc::new(longer) as ObjectRef))
        .unwrap();
    assert_eq!(
        ours.difference(&theirs).unwrap(),
        "header card EXPTIME: 30.0 and 31.0"
    );
    assert_ne!(ours.digest_values(), theirs.digest_values());
}

/// R22: the coordinates count once, as the component, whatever the headers repeat of them.
#[test]
fn r22_cards_that_a_component_carries_count_once() {
    let ours = exposure();
    let theirs = exposure().with("wcs", &header_wcs(30.0)).unwrap();
    assert_eq!(ours.difference(&theirs), None);
    assert_eq!(ours.digest_values(), theirs.digest_values());
    let theirs = exposure().with("wcs", &header_wcs(31.0)).unwrap();
    assert_eq!(
        ours.difference(&theirs).unwrap(),
        "wcs: header card CRVAL1: 30.0 and 31.0"
    );
    let theirs = exposure().without("wcs");
    assert_eq!(
        ours.difference(&theirs).unwrap(),
        "wcs is only in the first"
    );
}

#[test]
fn differences_are_said_in_words() {
    let ours = exposure();
    let differ = |name: &str, value: ObjectRef| {
        let theirs = ours.with(name, &value).unwrap();
        assert_ne!(ours.digest_values(), theirs.digest_values(), "{name}");
        ours.difference(&theirs).unwrap()
    };
    let mut pixels: Vec<f32> = (0..20).map(|index| 1.0 + index as f32).collect();
    pixels[7] = 2.5;
    let header = plane_header(30.0);
    let other = Image::new(pixels, 5, 4, 100, 200)
        .unwrap()
        .with_header(Arc::clone(&header));
    assert_eq!(
        differ("image", Arc::new(other)),
        "image differs at pixel (102, 201): 8.0 and 2.5"
    );
    let planes = BTreeMap::from([("BAD".to_owned(), 0), ("DETECTED".to_owned(), 6)]);
    let other = mask().with_header(header);
    let other = other.with_pixels(vec![0; 20], planes).unwrap();
    assert_eq!(
        differ("mask", Arc::new(other)),
        "mask planes differ: DETECTED"
    );
    let mut bits = vec![0; 20];
    bits[3] = 33;
    let other = mask().with_pixels(bits, mask().planes().clone()).unwrap();
    assert_eq!(
        differ("mask", Arc::new(other)),
        "mask differs at pixel (103, 200): 0 and BAD+DETECTED"
    );
}

/// R23: a changed copy forgets where it came from; what it shares remembers.
#[test]
fn r23_a_changed_copy_forgets_its_origin() {
    let read = exposure().with_origin(&origin());
    assert_eq!(read.origin(), Some(&origin()));
    for name in read.component_names() {
        let part = read.component(&name).unwrap();
        assert_eq!(part.origin(), Some(&origin().component(&name)), "{name}");
    }
    let after = typed(&read).with("wcs", &header_wcs(31.0)).unwrap();
    assert_eq!(after.origin(), None);
    assert_eq!(after.wcs().unwrap().origin(), None);
    for name in ["image", "mask", "variance", "photoCalib", "filter"] {
        let part = after.component(name).unwrap();
        assert_eq!(part.origin(), Some(&origin().component(name)), "{name}");
    }
    let plane: ObjectRef = Arc::new(image(3.0));
    let after = typed(&read).with("image", &plane).unwrap();
    assert_eq!(after.image().unwrap().origin(), None);
    assert_eq!(typed(&read).without("psf").origin(), None);
}

/// A component that has an origin keeps it when the whole gets one: it came from elsewhere.
#[test]
fn a_component_keeps_the_origin_that_it_has() {
    let elsewhere = Origin {
        dataset: DatasetId::from_bytes([9; 16]),
        ..origin()
    };
    let wcs = header_wcs(31.0).with_origin(&elsewhere);
    let whole = exposure().with("wcs", &wcs).unwrap().with_origin(&origin());
    assert_eq!(whole.component("wcs").unwrap().origin(), Some(&elsewhere));
    assert!(Arc::ptr_eq(&whole.component("wcs").unwrap(), &wcs));
}

#[test]
fn components_that_do_not_fit_are_refused() {
    let exposure = exposure();
    let why = |name: &str, value: ObjectRef| match exposure.with(name, &value) {
        Err(ComponentError::Unsuitable { why, .. }) => why,
        other => panic!("{name}: {other:?}"),
    };
    let smaller = Image::new(vec![0.0_f32; 12], 4, 3, 100, 200).unwrap();
    assert_eq!(
        why("image", Arc::new(smaller)),
        "it covers 4x3 at (100, 200) and must cover 5x4 at (100, 200)"
    );
    let doubles = Image::new(vec![0.0_f64; 20], 5, 4, 100, 200).unwrap();
    assert_eq!(
        why("variance", Arc::new(doubles)),
        "its pixels are float64 and must be float32"
    );
    assert_eq!(why("mask", Arc::new(image(1.0))), "it must be a Mask");
    assert_eq!(why("wcs", Arc::new(image(1.0))), "it must be Wcs");
    assert_eq!(why("psf", Arc::new(image(1.0))), "it must be Psf");
    let bbox = Bbox::new(exposure.pixel_box().unwrap());
    assert_eq!(why("bbox", Arc::new(bbox)), "it follows from the planes");
    let filter: ObjectRef = Arc::new(Component::from_header("filter", cards(&[])));
    assert_eq!(why("detector", Arc::clone(&filter)), "it must be Detector");
    let unknown = exposure.with("flavour", &(Arc::new(image(1.0)) as ObjectRef));
    assert!(
        matches!(unknown, Err(ComponentError::Unknown { .. })),
        "{unknown:?}"
    );
    // A record of a name that pantler does not know is kept under that name.
    let other: ObjectRef = Arc::new(Component::from_header("FLAVOUR", cards(&[])));
    assert!(
        exposure
            .with("FLAVOUR", &other)
            .unwrap()
            .component("FLAVOUR")
            .is_some()
    );
}

/// An exposure may lack planes: its first plane then decides what the others must cover.
#[test]
fn planes_may_be_absent() {
    let empty = Exposure::new(None, None, None, Arc::default()).unwrap();
    assert_eq!(empty.component_names(), ["metadata"]);
    assert!(empty.component("image").is_none() && empty.component("bbox").is_none());
    let one = empty
        .with("mask", &(Arc::new(mask()) as ObjectRef))
        .unwrap();
    assert!(one.component("bbox").is_some());
    let small = Image::new(vec![0_u16; 1], 1, 1, 0, 0).unwrap();
    assert!(one.with("image", &(Arc::new(small) as ObjectRef)).is_err());
    assert_eq!(
        empty.difference(&one).unwrap(),
        "mask is only in the second"
    );
}

#[test]
fn archive_components_of_real_files_compare_by_value() {
    let version = |file: &str| real_files::archive(file);
    let (Some(one), Some(two)) = (
        version("exposures/exposure-version-1.fits"),
        version("exposures/exposure-version-2.fits"),
    ) else {
        return;
    };
    let hold = |archive: &Archive| {
        let wcs: ObjectRef = Arc::new(Wcs::from_archive(first_of(archive, "SkyWcs")));
        let calib = Carrier::Archive(first_of(archive, "PhotoCalib"));
        let detector = Component::from_archive("detector", first_of(archive, "Detector"));
        exposure()
            .with("wcs", &wcs)
            .and_then(|exposure| {
                exposure.with("calib", &(Arc::new(PhotoCalib::new(calib)) as ObjectRef))
            })
            .and_then(|exposure| exposure.with("detector", &(Arc::new(detector) as ObjectRef)))
            .unwrap()
    };
    let (one, again, two) = (hold(&one), hold(&one), hold(&two));
    assert_eq!(one.difference(&again), None);
    assert_eq!(one.digest_values(), again.digest_values());
    let why = one.difference(&two).unwrap();
    assert!(
        why.starts_with("wcs: SkyWcs differs in column `wcs`"),
        "{why}"
    );
    assert_ne!(one.digest_values(), two.digest_values());
    assert!(downcast_arc::<Wcs>(&one.component("wcs").unwrap()).is_some());
}

proptest! {
    /// Digest and difference agree: two images are the same by one if and only if by the other.
    #[test]
    fn digest_and_difference_agree(
        ours in proptest::collection::vec(-2_i16..2, 6),
        theirs in proptest::collection::vec(-2_i16..2, 6),
        keyword in "(EXPTIME|DATE|BZERO)",
        values in (0_i64..2, 0_i64..2),
    ) {
        let make = |pixels: Vec<i16>, value: i64| {
            let header = Metadata::default().with(&keyword, value, None);
            Image::new(pixels, 3, 2, 0, 0).unwrap().with_header(Arc::new(header))
        };
        let (a, b) = (make(ours, values.0), make(theirs, values.1));
        prop_assert_eq!(a.difference(&b).is_none(), a.digest_values() == b.digest_values());
    }
}
