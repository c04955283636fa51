//! Parts: what they are, that the layout finds them, and that they cost their own bytes.

use pantler_core::formatter::{PixelBox, ReadRequest};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, Object};
use pantler_objects::{Bbox, Exposure, Image, Mask, Metadata, Wcs};

use super::support::{Counted, class, part, real, real_names};
use crate::FormatterSet;
use crate::fits::FitsFormatter;

const HSC: &str = "exposures/hsc_calexp_full.fits";

/// The promise of the part index: a component is found and read without the rest of the file.
#[test]
fn a_component_costs_its_own_bytes() {
    let Some(source) = real(HSC) else {
        return;
    };
    let layout = FitsFormatter.index(&source).unwrap().unwrap();
    source.taken();
    for name in [
        "wcs",
        "psf",
        "photoCalib",
        "filter",
        "visitInfo",
        "metadata",
        "bbox",
        "image",
    ] {
        let request = part(name);
        let planned = FitsFormatter.locate(&layout, &request).unwrap();
        let object = FitsFormatter
            .read(&source, Some(&layout), &request)
            .unwrap();
        let (bytes, requests) = source.taken();
        assert!(
            bytes * 20 < source.size(),
            "{name} cost {bytes} of {}",
            source.size()
        );
        assert_eq!(requests, 1, "{name}");
        // Near ranges are fetched as one, so a little more may be read than was planned, and never less.
        assert!(
            bytes >= planned.bytes() && bytes <= planned.bytes() + 4096,
            "{name}: {bytes}, {planned:?}"
        );
        assert_eq!(planned.class, object.class(), "{name}");
    }
    let detector = FitsFormatter
        .read(&source, Some(&layout), &part("detector"))
        .unwrap();
    let (bytes, requests) = source.taken();
    assert!(
        bytes > 1_000_000 && requests == 1,
        "{bytes} bytes, {requests} requests"
    );
    assert_eq!(detector.class(), "Detector");
}

/// Finding the parts reads headers and rows; without a layout a part costs the headers besides.
#[test]
fn finding_a_component_reads_no_data_of_others() {
    let Some(source) = real(HSC) else {
        return;
    };
    FitsFormatter.index(&source).unwrap();
    let (bytes, requests) = source.taken();
    assert!(
        bytes * 6 < source.size() && requests < 40,
        "{bytes} bytes, {requests} requests"
    );
    FitsFormatter.read(&source, None, &part("wcs")).unwrap();
    let (bytes, requests) = source.taken();
    assert!(
        bytes * 6 < source.size() && requests < 40,
        "{bytes} bytes, {requests} requests"
    );
}

#[test]
fn a_layout_is_small() {
    let Some(source) = real(HSC) else {
        return;
    };
    let layout = FitsFormatter.index(&source).unwrap().unwrap();
    assert!(layout.len() < 8000, "{} bytes", layout.len());
}

#[test]
fn files_of_one_shape_have_one_layout() {
    let names = ["exposures/scienceMI.fits", "exposures/templateMI.fits"];
    let [Some(one), Some(other)] = names.map(real) else {
        return;
    };
    let layout = FitsFormatter.index(&one).unwrap().unwrap();
    assert_eq!(layout, FitsFormatter.index(&other).unwrap().unwrap());
}

/// With a layout, without one, and out of the whole, a part is the same (rule R13 rests on it).
#[test]
fn r13_a_part_is_the_same_whichever_way_it_is_read() {
    let mut compared = 0;
    for name in real_names(&["exposures"]) {
        let source = real(&name).unwrap();
        let Ok(whole) = FitsFormatter.read(&source, None, &ReadRequest::default()) else {
            continue;
        };
        let Some(exposure) = downcast::<Exposure>(whole.as_ref()) else {
            continue;
        };
        let layout = FitsFormatter.index(&source).unwrap().unwrap();
        for part_name in exposure.component_names() {
            let expected = exposure.component(&part_name).unwrap();
            for layout in [None, Some(&layout[..])] {
                let read = FitsFormatter
                    .read(&source, layout, &part(&part_name))
                    .unwrap();
                assert_eq!(
                    read.difference(expected.as_ref()),
                    None,
                    "{name} {part_name}"
                );
                assert_eq!(read.class(), expected.class(), "{name} {part_name}");
            }
            let located = FitsFormatter.locate(&layout, &part(&part_name)).unwrap();
            assert_eq!(located.class, expected.class(), "{name} {part_name}");
            compared += 1;
        }
    }
    if test_data_is_here() {
        assert!(compared > 60, "{compared} parts");
    }
}

fn test_data_is_here() -> bool {
    real(HSC).is_some()
}

#[test]
fn r09_synonyms_name_the_same_part() {
    let Some(source) = real(HSC) else {
        return;
    };
    for (name, synonym) in [
        ("photoCalib", "calib"),
        ("wcs", "skyWcs"),
        ("metadata", "md"),
    ] {
        let one = FitsFormatter.read(&source, None, &part(name)).unwrap();
        let other = FitsFormatter.read(&source, None, &part(synonym)).unwrap();
        assert_eq!(one.difference(other.as_ref()), None, "{name}");
    }
}

#[test]
fn an_unknown_part_is_answered_with_those_there_are() {
    let Some(source) = real(HSC) else {
        return;
    };
    let error = FitsFormatter.read(&source, None, &part("wsc")).unwrap_err();
    let FormatError::NoSuchPart { part, known, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(part, "wsc");
    for name in [
        "image",
        "wcs",
        "psf",
        "summaryStats",
        "validPolygon",
        "bbox",
    ] {
        assert!(
            known.iter().any(|known| known == name),
            "{name} in {known:?}"
        );
    }
}

#[test]
fn a_cutout_reads_only_its_rows() {
    let Some(source) = real("exposures/scienceMI.fits") else {
        return;
    };
    let whole = FitsFormatter.read(&source, None, &part("image")).unwrap();
    let whole = downcast::<Image>(whole.as_ref()).unwrap();
    let layout = FitsFormatter.index(&source).unwrap().unwrap();
    source.taken();
    let full = whole.pixel_box();
    let bbox = PixelBox {
        x0: full.x0 + 10,
        y0: full.y0 + 20,
        width: 7,
        height: 5,
    };
    let request = ReadRequest {
        bbox: Some(bbox),
        ..part("image")
    };
    let cut = FitsFormatter
        .read(&source, Some(&layout), &request)
        .unwrap();
    let cut = downcast::<Image>(cut.as_ref()).unwrap();
    let (bytes, _) = source.taken();
    assert!(bytes < 5 * 193 * 4 + 12_000, "{bytes}");
    assert_eq!(cut.pixel_box(), bbox);
    let expected = whole.section(bbox).unwrap();
    assert_eq!(cut.pixels().memory(), expected.pixels().memory());
    for index in 0..35 {
        assert_eq!(
            cut.pixels().get_f64(index),
            expected.pixels().get_f64(index)
        );
    }
}

#[test]
fn a_cutout_outside_the_image_is_refused() {
    let Some(source) = real("exposures/scienceMI.fits") else {
        return;
    };
    for (x0, width) in [
        (-1, 5),
        (190, 5),
        (0, u64::MAX),
        (i64::MAX, 1),
        (i64::MIN, u64::MAX),
    ] {
        let bbox = PixelBox {
            x0,
            y0: 0,
            width,
            height: 1,
        };
        let request = ReadRequest {
            bbox: Some(bbox),
            ..part("image")
        };
        let error = FitsFormatter.read(&source, None, &request).unwrap_err();
        assert!(
            error.to_string().contains("does not lie in the image"),
            "{error}"
        );
    }
}

/// The pixel origin of a subimage is honoured: array pixel = parent pixel + LTV.
#[test]
fn a_subimage_knows_its_place_in_the_parent() {
    let Some(source) = real("exposures/HSC-0908120-056-small.fits") else {
        return;
    };
    let bbox = FitsFormatter.read(&source, None, &part("bbox")).unwrap();
    let pixels = downcast::<Bbox>(bbox.as_ref()).unwrap().pixels();
    assert_eq!(
        (pixels.x0, pixels.y0, pixels.width, pixels.height),
        (100, 100, 200, 200)
    );
}

#[test]
fn a_part_under_a_type_of_its_own_is_read_by_its_class() {
    let Some(source) = real(HSC) else {
        return;
    };
    for name in [
        "Wcs",
        "PhotoCalib",
        "Psf",
        "VisitInfo",
        "Detector",
        "Mask",
        "Image",
        "Bbox",
        "Metadata",
        "MaskedImage",
    ] {
        let object = FitsFormatter.read(&source, None, &class(name)).unwrap();
        assert_eq!(object.class(), name);
    }
}

#[test]
fn files_of_a_single_object_are_that_object() {
    let cases = [
        ("exposures/joint/8766/jointcal_wcs-0011506-049.fits", "Wcs"),
        (
            "exposures/joint/8766/jointcal_photoCalib-0011506-049.fits",
            "PhotoCalib",
        ),
        ("exposures/components/oldTanSipWcs.fits", "Wcs"),
        ("exposures/components/visitInfo-version-5.fits", "VisitInfo"),
    ];
    for (name, expected) in cases {
        let Some(source) = real(name) else {
            return;
        };
        let layout = FitsFormatter.index(&source).unwrap();
        for request in [class(expected), ReadRequest::default()] {
            for layout in [None, layout.as_deref()] {
                let object = FitsFormatter.read(&source, layout, &request).unwrap();
                assert_eq!(object.class(), expected, "{name}");
            }
        }
    }
}

#[test]
fn the_archive_wins_over_the_header() {
    let Some(source) = real(HSC) else {
        return;
    };
    let wcs = FitsFormatter.read(&source, None, &part("wcs")).unwrap();
    let wcs = downcast::<Wcs>(wcs.as_ref()).unwrap();
    assert_eq!(wcs.carrier().persisted().unwrap().class(), "SkyWcs");
}

#[test]
fn old_files_carry_components_in_their_headers() {
    let Some(source) = real("exposures/coadd_with_inputs_v1.fits") else {
        return;
    };
    let object = FitsFormatter
        .read(&source, None, &class("Exposure"))
        .unwrap();
    let exposure = downcast::<Exposure>(object.as_ref()).unwrap();
    assert!(exposure.photo_calib().unwrap().carrier().header().is_some());
    assert!(exposure.wcs().unwrap().carrier().persisted().is_some());
    assert!(exposure.others().contains_key("coaddInputs"));
}

#[test]
fn a_raw_file_of_any_observatory_is_read_by_hdu() {
    let cases = [
        ("raw/hst_stis_o4sp040b0_raw.fits", 1, 62, 44),
        ("raw/comcam_3019053000001-R22-S00-det000.fits", 3, 576, 2048),
        ("raw/obs_test_raw_v1_fg.fits.gz", 0, 1026, 2000),
    ];
    for (name, hdu, width, height) in cases {
        let Some(source) = real(name) else {
            return;
        };
        for class_name in ["Image", "Exposure"] {
            let request = ReadRequest {
                hdu: Some(hdu),
                ..class(class_name)
            };
            let object = FitsFormatter.read(&source, None, &request).unwrap();
            assert_eq!(object.class(), class_name, "{name}");
            let bbox = object.component("bbox").unwrap();
            let pixels = downcast::<Bbox>(bbox.as_ref()).unwrap().pixels();
            assert_eq!((pixels.width, pixels.height), (width, height), "{name}");
        }
    }
}

#[test]
fn gzip_under_any_name_is_read_and_has_no_ranges() {
    let Some(source) = real("misc/ticketdm26260.fits") else {
        return;
    };
    assert!(source.all().starts_with(&[0x1f, 0x8b]));
    let layout = FitsFormatter.index(&source).unwrap().unwrap();
    assert!(
        FitsFormatter
            .locate(&layout, &ReadRequest::default())
            .is_none()
    );
    assert!(
        FitsFormatter
            .read(&source, None, &ReadRequest::default())
            .is_ok()
    );
}

/// Of a file that is wrapped in gzip, a header near the front costs the front.
#[test]
fn a_gzip_is_inflated_only_as_far_as_is_needed() {
    let mut inflated_less = 0;
    for name in real_names(&["raw", "misc"]) {
        let source = real(&name).unwrap();
        if !source.all().starts_with(&[0x1f, 0x8b]) || source.size() < 100_000 {
            continue;
        }
        let Ok(layout) = FitsFormatter.index(&source) else {
            continue;
        };
        source.taken();
        let first = ReadRequest {
            hdu: Some(0),
            ..part("metadata")
        };
        let with = FitsFormatter.read(&source, layout.as_deref(), &first);
        let (bytes, requests) = source.taken();
        let without = FitsFormatter.read(&source, None, &first);
        assert_eq!(with.is_ok(), without.is_ok(), "{name}");
        if let (Ok(with), Ok(without)) = (with, without) {
            assert_eq!(with.difference(without.as_ref()), None, "{name}");
        }
        println!("{name}: {bytes} of {} in {requests}", source.size());
        assert!(bytes <= 64 << 10, "{name}: {bytes} of {}", source.size());
        inflated_less += 1;
        // What lies behind is there as well, in any order.
        source.taken();
        let numbers = FitsFormatter
            .hdus(&source, layout.as_deref(), None)
            .unwrap();
        let requests: Vec<ReadRequest> = numbers
            .iter()
            .rev()
            .map(|&hdu| ReadRequest {
                hdu: Some(hdu),
                ..ReadRequest::default()
            })
            .collect();
        let with = FitsFormatter
            .read_many(&source, layout.as_deref(), &requests)
            .unwrap();
        assert!(source.taken().0 <= source.size(), "{name}");
        let without = FitsFormatter.read_many(&source, None, &requests).unwrap();
        for (with, without) in with.iter().zip(&without) {
            assert_eq!(with.difference(without.as_ref()), None, "{name}");
        }
    }
    assert!(inflated_less > 1 || real_names(&["raw"]).is_empty());
}

#[test]
fn a_header_is_merged_with_what_it_inherits() {
    let Some(source) = real(HSC) else {
        return;
    };
    let merged = FitsFormatter
        .read(&source, None, &class("Metadata"))
        .unwrap();
    let merged = downcast::<Metadata>(merged.as_ref()).unwrap();
    assert_eq!(merged.get_text("TELESCOP"), Some("Subaru"));
    assert_eq!(merged.get_text("CTYPE1"), Some("RA---TAN-SIP"));
    assert!(merged.get("AR_HDU").is_none() && merged.get("NAXIS").is_none());
}

#[test]
fn a_mask_with_a_null_value_stays_a_mask() {
    let Some(source) = real("exposures/small_gaussianpsf.fits") else {
        return;
    };
    let mask = FitsFormatter.read(&source, None, &part("mask")).unwrap();
    let mask = downcast::<Mask>(mask.as_ref()).unwrap();
    assert!(mask.planes().contains_key("DETECTED"));
}

#[test]
fn a_layout_of_another_file_is_not_believed() {
    let (Some(source), Some(other)) = (real(HSC), real("exposures/scienceMI.fits")) else {
        return;
    };
    let layout = FitsFormatter.index(&other).unwrap().unwrap();
    let wcs = FitsFormatter
        .read(&source, Some(&layout), &part("wcs"))
        .unwrap();
    assert_eq!(wcs.class(), "Wcs");
    // A file of the same size that is something else is an error, never other pixels.
    let mut bytes = other.all().to_vec();
    bytes[5 * 2880..6 * 2880].fill(b' ');
    let changed = Counted::new("changed", bytes);
    assert!(
        FitsFormatter
            .read(&changed, Some(&layout), &part("mask"))
            .is_err()
            || layout_holds(&changed, &layout)
    );
}

fn layout_holds(source: &Counted, layout: &[u8]) -> bool {
    FitsFormatter
        .index(source)
        .is_ok_and(|own| own.as_deref() == Some(layout))
}

#[test]
fn a_file_that_is_cut_off_names_the_hdu_and_the_reason() {
    let Some(source) = real(HSC) else {
        return;
    };
    let cut = Counted::new("cut.fits", source.all().slice(..40_000));
    let error = FitsFormatter
        .read(&cut, None, &class("Exposure"))
        .unwrap_err();
    let FormatError::Corrupt { file, unit, why } = &error else {
        panic!("{error}");
    };
    assert_eq!(file, "cut.fits");
    assert!(unit.as_deref().unwrap().starts_with("HDU "), "{error}");
    assert!(why.contains("cut off"), "{error}");
    assert!(FitsFormatter.index(&cut).is_err());
    // What comes before the damage can still be had.
    assert!(FitsFormatter.read(&cut, None, &part("metadata")).is_ok());
}

#[test]
fn the_set_finds_formatters_by_storage_and_by_ending() {
    let set = FormatterSet::standard();
    assert_eq!(set.get("FitsStorage").unwrap().name(), "FITS");
    assert!(set.get("PickleStorage").is_none());
    assert_eq!(set.by_extension("a/b.FITS.fz").unwrap().name(), "FITS");
    assert_eq!(set.by_extension("x.yml").unwrap().name(), "YAML");
    assert_eq!(set.by_extension("x.parq").unwrap().name(), "Parquet");
    assert!(set.by_extension("x.parts").is_none());
}
