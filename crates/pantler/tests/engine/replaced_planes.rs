//! Use case 9 on real files: planes and coordinates of an image replaced; only what is replaced is stored, and the rest is
//! neither read nor written again.

use std::sync::Arc;

use pantler::core::object::downcast;
use pantler::objects::{Image, Mask, MaskedImage};
use pantler::{IngestMode, ObjectRef};
use pantler_testkit::test_data;

use super::support::*;
use super::together::{Here, since};

const POLICY: &str = r#"
datasets:
  science:
    template: "science/%(visit)d.fits"
    python: lsst.afw.image.MaskedImageF
    storage: FitsStorage
  new_mask: {template: "mask/%(visit)d.fits", python: lsst.afw.image.Mask, storage: FitsStorage}
  new_variance: {template: "variance/%(visit)d.fits", python: lsst.afw.image.ImageF, storage: FitsStorage}
  masked:
    python: lsst.afw.image.MaskedImageF
    composite:
      science: {datasetType: science, inputOnly: true}
      mask: {datasetType: new_mask}
  weighted:
    python: lsst.afw.image.MaskedImageF
    composite:
      science: {datasetType: science, inputOnly: true}
      mask: {datasetType: new_mask}
      variance: {datasetType: new_variance}
  nested:
    python: lsst.afw.image.MaskedImageF
    composite:
      masked: {datasetType: masked, inputOnly: true}
      variance: {datasetType: new_variance}
"#;

/// The science image in a repository, and the template image beside it.
fn real() -> Option<(Here, ObjectRef, u64)> {
    let science = test_data("exposures/scienceMI.fits")?;
    let template = test_data("exposures/templateMI.fits")?;
    let here = Here::with(POLICY);
    here.ingest("science", &science, "visit=1", IngestMode::Copy);
    let formatters = pantler::formats::FormatterSet::standard();
    let template = pantler::OutsideFile::open(&formatters, &template).unwrap();
    let template = template.read(Some("MaskedImage")).unwrap();
    let mask = flagged(&part(&template, "mask"));
    let template = template.with_component("mask", &mask).unwrap();
    Some((here, template, science.metadata().unwrap().len()))
}

/// The mask with one more bit in each pixel of its first row: the two files happen to have equal masks.
fn flagged(mask: &ObjectRef) -> ObjectRef {
    let mask: &Mask = downcast(mask.as_ref()).unwrap();
    let width = usize::try_from(mask.width()).unwrap();
    let bits = mask.pixels().iter().enumerate();
    let pixels = bits.map(|(index, bits)| bits | i32::from(index < width));
    Arc::new(
        mask.with_pixels(pixels.collect::<Vec<i32>>(), mask.planes().clone())
            .unwrap(),
    )
}

fn part(object: &ObjectRef, name: &str) -> ObjectRef {
    object.component(name).unwrap()
}

fn is_same(one: &ObjectRef, other: &ObjectRef, name: &str) {
    let (one, other) = (part(one, name), part(other, name));
    assert_eq!(one.difference(other.as_ref()), None, "{name}");
}

#[test]
fn only_the_planes_that_are_replaced_are_stored() {
    let Some((here, template, size)) = real() else {
        return;
    };
    let science = get(&here.butler(), "science", "visit=1");
    assert!(
        part(&science, "mask")
            .difference(part(&template, "mask").as_ref())
            .is_some()
    );
    for (name, planes) in [
        ("masked", &["mask"][..]),
        ("weighted", &["mask", "variance"]),
    ] {
        let here = Here::with(POLICY);
        here.ingest(
            "science",
            &test_data("exposures/scienceMI.fits").unwrap(),
            "visit=1",
            IngestMode::Copy,
        );
        let science = get(&here.butler(), "science", "visit=1");
        let updated = planes.iter().fold(science.clone(), |object, plane| {
            object
                .with_component(plane, &part(&template, plane))
                .unwrap()
        });
        let counted = here.counted();
        let writing = butler(&[&counted.place], 1);
        let before = counted.store.counts();
        let result = put(&writing, &updated, name, "visit=1");
        let counts = since(&counted, before);
        let written: Vec<String> = planes
            .iter()
            .map(|plane| format!("{plane}/1.fits"))
            .collect();
        assert_eq!(result.written, written);
        assert_eq!(result.input_only, ["science"]);
        let stored: u64 = written
            .iter()
            .map(|path| here.repo().join(path).metadata().unwrap().len())
            .sum();
        assert_eq!(counts.bytes_written, stored, "{name}");
        assert!(
            counts.bytes_read < size / 20,
            "{name}: {} bytes of the old planes read",
            counts.bytes_read
        );
        let back = get(&here.butler(), name, "visit=1");
        for plane in ["image", "mask", "variance"] {
            let from = if planes.contains(&plane) {
                &template
            } else {
                &science
            };
            is_same(&back, from, plane);
            let alone = get(&here.butler(), &format!("{name}.{plane}"), "visit=1");
            assert_eq!(
                alone.difference(part(from, plane).as_ref()),
                None,
                "{name}.{plane}"
            );
        }
        // The old plane is where it was.
        is_same(&get(&here.butler(), "science", "visit=1"), &science, "mask");
    }
}

#[test]
fn a_plane_alone_costs_its_own_artifact() {
    let Some((here, template, size)) = real() else {
        return;
    };
    let science = get(&here.butler(), "science", "visit=1");
    let updated = science
        .with_component("mask", &part(&template, "mask"))
        .unwrap();
    put(&here.butler(), &updated, "masked", "visit=1");
    std::fs::remove_file(here.repo().join("science/1.fits")).unwrap();
    let mask = get(&here.butler(), "masked.mask", "visit=1");
    assert_eq!(mask.difference(part(&template, "mask").as_ref()), None);
    assert!(size > 0 && try_get(&here.butler(), "masked.image", "visit=1").is_err());
}

#[test]
fn a_composite_over_a_composite_replaces_one_plane_more() {
    let Some((here, template, _)) = real() else {
        return;
    };
    let science = get(&here.butler(), "science", "visit=1");
    let masked = science
        .with_component("mask", &part(&template, "mask"))
        .unwrap();
    put(&here.butler(), &masked, "masked", "visit=1");
    let masked = get(&here.butler(), "masked", "visit=1");
    let nested = masked
        .with_component("variance", &part(&template, "variance"))
        .unwrap();
    let result = put(&here.butler(), &nested, "nested", "visit=1");
    assert_eq!(result.written, ["variance/1.fits"]);
    let back = get(&here.butler(), "nested", "visit=1");
    is_same(&back, &science, "image");
    is_same(&back, &template, "mask");
    is_same(&back, &template, "variance");
}

#[test]
fn a_plane_of_the_wrong_shape_or_type_is_refused() {
    let Some((here, template, _)) = real() else {
        return;
    };
    let science = get(&here.butler(), "science", "visit=1");
    let small: ObjectRef =
        std::sync::Arc::new(Mask::new(vec![0; 12], 4, 3, 0, 0, Default::default()).unwrap());
    // In memory, before any put.
    assert!(science.with_component("mask", &small).is_err());
    assert!(
        science
            .with_component("mask", &part(&template, "image"))
            .is_err()
    );
    // A component put alone is another plane's file: what disagrees with the base is refused when both are read.
    put(&here.butler(), &small, "new_mask", "visit=1");
    let message = said(try_get(&here.butler(), "masked", "visit=1"));
    assert!(
        message.contains("mask") && message.contains("193x193"),
        "{message}"
    );
    assert!(downcast::<MaskedImage>(science.as_ref()).is_some());
    assert!(downcast::<Image>(part(&template, "variance").as_ref()).is_some());
}
