//! Composites with operations on planes: before and after share one set of pixels (rules R32, R33; use case 4).

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler::core::formatter::PixelBox;
use pantler::core::object::downcast;
use pantler::objects::{Background, Exposure, Image, Mask, MaskedImage, Pixels};
use pantler::{Butler, IngestMode, InputOnly, ObjectRef, OnConflict, Parameters, PutOptions};
use pantler_testkit::test_data;

use super::support::*;
use super::together::{Here, since};

const POLICY: &str = r#"
datasets:
  coadd: {template: "coadd/%(patch)d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
  background: {template: "background/%(patch)d.fits", python: lsst.afw.image.ImageF, storage: FitsStorage}
  detection: {template: "detection/%(patch)d.fits", python: lsst.afw.image.Mask, storage: FitsStorage}
  new_wcs: {template: "wcs/%(patch)d.fits", python: lsst.afw.image.Wcs, storage: FitsStorage}
  coadd:detected:
    python: lsst.afw.image.ExposureF
    composite:
      coadd: {datasetType: coadd, inputOnly: true}
      background: {datasetType: background, apply: {op: subtract, to: image}}
      detection: {datasetType: detection, apply: {op: or, to: mask.DETECTED}}
  coadd:moved:
    python: lsst.afw.image.ExposureF
    composite:
      coadd: {datasetType: coadd}
      wcs: {datasetType: new_wcs}
      background: {datasetType: background, optional: true, apply: {op: subtract, to: image}}
  coadd:nested:
    python: lsst.afw.image.ExposureF
    composite:
      detected: {datasetType: "coadd:detected", inputOnly: true}
      again: {datasetType: background, apply: {op: subtract, to: image}}
"#;

fn image(first: f32) -> ObjectRef {
    let pixels: Vec<f32> = (0..48).map(|index| first + 0.1 * index as f32).collect();
    Arc::new(Image::new(pixels, 8, 6, 0, 0).unwrap())
}

/// A mask in which every third pixel is detected; its bits are not those of the exposure.
fn detection() -> ObjectRef {
    let pixels: Vec<i32> = (0..48).map(|index| i32::from(index % 3 == 0)).collect();
    let planes = BTreeMap::from([("DETECTED".to_owned(), 0)]);
    Arc::new(Mask::new(pixels, 8, 6, 0, 0, planes).unwrap())
}

fn floats(object: &ObjectRef) -> Vec<f32> {
    let plane = object.component("image").unwrap_or_else(|| object.clone());
    let image: &Image = downcast(plane.as_ref()).unwrap();
    match image.pixels() {
        Pixels::F32(values) => values.to_vec(),
        other => panic!("{}", other.pixel_type()),
    }
}

fn bits(object: &ObjectRef) -> Vec<i32> {
    let plane = object.component("mask").unwrap_or_else(|| object.clone());
    let mask: &Mask = downcast(plane.as_ref()).unwrap();
    mask.pixels().to_vec()
}

/// The operations done by hand, one number after the other.
fn by_hand(before: &ObjectRef) -> (Vec<f32>, Vec<i32>) {
    let pixels = floats(before);
    let subtracted = pixels.iter().zip(floats(&image(3.0)));
    let detected = bits(before).into_iter().enumerate();
    (
        subtracted.map(|(pixel, level)| pixel - level).collect(),
        // DETECTED is bit 5 of the exposure.
        detected
            .map(|(index, bits)| bits | i32::from(index % 3 == 0) << 5)
            .collect(),
    )
}

fn after(before: &ObjectRef) -> ObjectRef {
    let (pixels, flags) = by_hand(before);
    let old: &Exposure = downcast(before.as_ref()).unwrap();
    let image = Image::new(pixels, 8, 6, 0, 0).unwrap();
    let image = image.with_header(old.image().unwrap().header().clone());
    let mask = old.mask().unwrap();
    let mask = mask.with_pixels(flags, mask.planes().clone()).unwrap();
    before
        .with_component("image", &(Arc::new(image) as ObjectRef))
        .unwrap()
        .with_component("mask", &(Arc::new(mask) as ObjectRef))
        .unwrap()
}

fn with_coadd() -> (Place, ObjectRef) {
    let place = Place::new("coadds", POLICY);
    put(&butler(&[&place], 1), &exposure(7.5), "coadd", "patch=1");
    let before = get(&butler(&[&place], 1), "coadd", "patch=1");
    (place, before)
}

fn given() -> PutOptions {
    PutOptions {
        parts: vec![
            ("background".to_owned(), image(3.0)),
            ("detection".to_owned(), detection()),
        ],
        ..PutOptions::default()
    }
}

fn put_after(butler: &Butler, object: &ObjectRef) -> pantler::Result<pantler::PutResult> {
    butler.put(object, "coadd:detected", &id("patch=1"), &given())
}

#[test]
fn r32_after_is_before_with_the_operations_done_to_it() {
    let (place, before) = with_coadd();
    let open = butler(&[&place], 1);
    put(&open, &image(3.0), "background", "patch=1");
    put(&open, &detection(), "detection", "patch=1");
    let (pixels, flags) = by_hand(&before);
    let assembled = get(&open, "coadd:detected", "patch=1");
    assert_eq!(floats(&assembled), pixels);
    assert_eq!(bits(&assembled), flags);
    // Parts are those of the whole, whoever asks.
    for plane in ["image", "mask", "variance", "wcs", "metadata"] {
        let alone = get(&open, &format!("coadd:detected.{plane}"), "patch=1");
        let inside = assembled.component(plane).unwrap();
        assert_eq!(alone.difference(inside.as_ref()), None, "{plane}");
    }
    // The operations are had by their own names, and what was before is as it was.
    let level = get(&open, "coadd:detected.background", "patch=1");
    assert_eq!(floats(&level), floats(&image(3.0)));
    assert_eq!(
        get(&open, "coadd", "patch=1").difference(before.as_ref()),
        None
    );
    let names = place.artifacts();
    assert_eq!(
        names,
        ["background/1.fits", "coadd/1.fits", "detection/1.fits"],
        "the pixels are stored once"
    );
}

#[test]
fn r32_a_put_takes_the_operations_and_writes_nothing_else() {
    let (place, before) = with_coadd();
    let open = butler(&[&place], 1);
    let object = after(&before);
    let result = put_after(&open, &object).unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(result.written, ["background/1.fits", "detection/1.fits"]);
    assert_eq!(result.input_only, ["coadd"]);
    assert!(result.recorded);
    let back = get(&butler(&[&place], 1), "coadd:detected", "patch=1");
    assert_eq!(back.difference(object.as_ref()), None);
    // What came from there is put back without its operations being given again.
    let again = put(&open, &back, "coadd:detected", "patch=1");
    assert!(again.written.is_empty() && !again.recorded);
    assert_eq!(again.id, result.id);
}

#[test]
fn r32_operations_that_exist_need_not_be_given() {
    let (place, before) = with_coadd();
    let open = butler(&[&place], 1);
    let said = said(try_put(&open, &after(&before), "coadd:detected", "patch=1"));
    assert!(said.contains("`background` of `coadd:detected`"), "{said}");
    assert!(said.contains("--with background=FILE"), "{said}");
    assert_eq!(place.artifacts(), ["coadd/1.fits"]);
    put(&open, &image(3.0), "background", "patch=1");
    put(&open, &detection(), "detection", "patch=1");
    let result = put(&open, &after(&before), "coadd:detected", "patch=1");
    assert!(result.written.is_empty() && result.recorded);
    assert_eq!(result.unchanged, ["background", "detection"]);
}

#[test]
fn r32_a_put_is_refused_if_base_and_operations_do_not_give_its_pixels() {
    let (place, before) = with_coadd();
    let open = butler(&[&place], 1);
    // The object before the operations is not the object after them.
    let message = said(put_after(&open, &before));
    assert!(
        message
            .contains("the image of `coadd:detected` is not what its base and its operations give"),
        "{message}"
    );
    assert!(message.contains("differs at pixel (0, 0)"), "{message}");
    // One flag too many.
    let object = after(&before);
    let old: &Exposure = downcast(object.as_ref()).unwrap();
    let mask = old.mask().unwrap();
    let mut flags = mask.pixels().to_vec();
    flags[1] |= 1;
    let mask = mask.with_pixels(flags, mask.planes().clone()).unwrap();
    let object = object
        .with_component("mask", &(Arc::new(mask) as ObjectRef))
        .unwrap();
    let message = said(put_after(&open, &object));
    assert!(message.contains("the mask of"), "{message}");
    // Another part of the base is looked after as ever.
    let object = after(&before).with_component("wcs", &wcs(10.0)).unwrap();
    let message = said(put_after(&open, &object));
    assert!(message.contains("is only read"), "{message}");
    assert_eq!(place.artifacts(), ["coadd/1.fits"], "nothing was written");
    // Whoever says so loses the change.
    let options = PutOptions {
        input_only: InputOnly::Drop,
        ..given()
    };
    open.put(&before, "coadd:detected", &id("patch=1"), &options)
        .unwrap();
    let back = get(&open, "coadd:detected", "patch=1");
    assert_eq!(back.difference(after(&before).as_ref()), None);
}

#[test]
fn r32_only_operations_are_given_beside_the_object() {
    let (place, before) = with_coadd();
    let options = PutOptions {
        parts: vec![("coadd".to_owned(), before.clone())],
        ..PutOptions::default()
    };
    let outcome = butler(&[&place], 1).put(&before, "coadd:detected", &id("patch=1"), &options);
    let message = said(outcome);
    assert!(
        message.contains("those are background, detection"),
        "{message}"
    );
}

/// The base is only read even where the policy does not say so: what is after cannot be put in the place of what was before.
#[test]
fn r32_the_base_is_never_written_from_what_is_after_the_operation() {
    let (place, before) = with_coadd();
    let open = butler(&[&place], 1);
    let changed = after(&before);
    let old: &Exposure = downcast(before.as_ref()).unwrap();
    let object = changed
        .with_component("mask", &(old.mask().unwrap().clone() as ObjectRef))
        .unwrap()
        .with_component("wcs", &wcs(12.0))
        .unwrap();
    let options = PutOptions {
        parts: vec![("background".to_owned(), image(3.0))],
        ..PutOptions::default()
    };
    let result = open
        .put(&object, "coadd:moved", &id("patch=1"), &options)
        .unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(result.written, ["wcs/1.fits", "background/1.fits"]);
    assert_eq!(
        get(&open, "coadd", "patch=1").difference(before.as_ref()),
        None
    );
    let back = get(&open, "coadd:moved", "patch=1");
    assert_eq!(right_ascension(&back), 12.0);
    assert_eq!(floats(&back), by_hand(&before).0);
    // The header of the changed plane alone says nothing of the old coordinates either (rule R11).
    let alone = get(&open, "coadd:moved.image", "patch=1");
    let header = alone.component("metadata").unwrap();
    let header: &pantler::objects::Metadata = downcast(header.as_ref()).unwrap();
    assert_ne!(header.get_f64("CRVAL1"), Some(149.0));
}

#[test]
fn r32_an_operation_that_may_be_lacking_changes_nothing() {
    let (place, before) = with_coadd();
    let open = butler(&[&place], 1);
    put(&open, &wcs(12.0), "new_wcs", "patch=1");
    let assembled = get(&open, "coadd:moved", "patch=1");
    assert_eq!(floats(&assembled), floats(&before));
    put(&open, &image(3.0), "background", "patch=1");
    let assembled = get(&open, "coadd:moved", "patch=1");
    assert_eq!(floats(&assembled), by_hand(&before).0);
}

#[test]
fn r32_operations_on_operations_are_done_one_after_the_other() {
    let (place, before) = with_coadd();
    let open = butler(&[&place], 1);
    put_after(&open, &after(&before)).unwrap();
    let twice: Vec<f32> = by_hand(&before)
        .0
        .into_iter()
        .zip(floats(&image(3.0)))
        .map(|(pixel, level)| pixel - level)
        .collect();
    let nested = get(&open, "coadd:nested", "patch=1");
    assert_eq!(floats(&nested), twice);
    assert_eq!(bits(&nested), by_hand(&before).1);
    let alone = get(&open, "coadd:nested.image", "patch=1");
    assert_eq!(floats(&alone), twice);
    let alone = get(&open, "coadd:nested.mask", "patch=1");
    assert_eq!(bits(&alone), by_hand(&before).1);
}

#[test]
fn r32_a_recorded_operation_stays_when_another_takes_its_place() {
    let (place, before) = with_coadd();
    let open = butler(&[&place], 1);
    let object = after(&before);
    put_after(&open, &object).unwrap();
    let options = PutOptions {
        on_conflict: OnConflict::Replace,
        ..PutOptions::default()
    };
    open.put(&image(99.0), "background", &id("patch=1"), &options)
        .unwrap();
    // A policy that says something else of the operation does not change what was put with it (rule R6).
    let changed = POLICY.replace(
        "op: subtract, to: image}}\n      detection",
        "op: add, to: image}}\n      detection",
    );
    assert_ne!(changed, POLICY);
    write_policy(place.store.as_ref(), &changed);
    let back = get(&butler(&[&place], 1), "coadd:detected", "patch=1");
    assert_eq!(back.difference(object.as_ref()), None);
    let alone = get(&butler(&[&place], 1), "coadd:detected.image", "patch=1");
    assert_eq!(floats(&alone), by_hand(&before).0);
}

#[test]
fn r32_explain_says_what_is_done() {
    let (place, before) = with_coadd();
    let open = butler(&[&place], 1);
    put_after(&open, &after(&before)).unwrap();
    let plan = open
        .explain("coadd:detected", &id("patch=1"), Default::default())
        .unwrap();
    let notes: Vec<Vec<String>> = pantler::explain_tree(&plan)
        .into_iter()
        .map(|line| line.notes)
        .collect();
    assert!(
        notes[2].contains(&"subtracted from the image".to_owned()),
        "{notes:?}"
    );
    assert!(
        notes[3].contains(&"`or` on the mask plane DETECTED".to_owned()),
        "{notes:?}"
    );
    let document = pantler::explain_json(&plan);
    assert_eq!(
        document["components"]["background"]["apply"],
        serde_json::json!({"op": "subtract", "to": "image"})
    );
    assert!(document["components"]["coadd"].get("apply").is_none());
}

/// Two images and masks of 1000 x 1000 pixels, and a cutout of 20 rows.
#[test]
fn r32_a_cutout_reads_only_the_cutout_of_the_base_and_of_the_operations() {
    let place = Place::new("coadds", POLICY);
    let open = butler(&[&place], 1);
    let size = 1000u64;
    let pixels =
        |scale: f32| -> Vec<f32> { (0..size * size).map(|index| scale * index as f32).collect() };
    let plane = |scale: f32| Image::new(pixels(scale), size, size, 0, 0).unwrap();
    let mask = |bit: u8| {
        let flags: Vec<i32> = (0..size * size)
            .map(|i| i32::from(i % 7 == 0) << bit)
            .collect();
        let planes = BTreeMap::from([("DETECTED".to_owned(), bit)]);
        Mask::new(flags, size, size, 0, 0, planes).unwrap()
    };
    let coadd = Exposure::new(
        Some(plane(1.0).into()),
        Some(mask(5).into()),
        Some(plane(2.0).into()),
        Default::default(),
    );
    put(
        &open,
        &(Arc::new(coadd.unwrap()) as ObjectRef),
        "coadd",
        "patch=1",
    );
    put(
        &open,
        &(Arc::new(plane(0.25)) as ObjectRef),
        "background",
        "patch=1",
    );
    put(
        &open,
        &(Arc::new(mask(2)) as ObjectRef),
        "detection",
        "patch=1",
    );
    let all: u64 = place
        .artifacts()
        .iter()
        .map(|name| place.bytes_of(name).len() as u64)
        .sum();
    let bbox = PixelBox {
        x0: 100,
        y0: 500,
        width: 300,
        height: 20,
    };
    let parameters = Parameters {
        bbox: Some(bbox),
        ..Parameters::default()
    };
    let cut = |butler: &Butler, name: &str| butler.get(name, &id("patch=1"), &parameters).unwrap();
    let counted = Counted::over(&place);
    let reading = butler(&[&counted.place], 0);
    let before = counted.store.counts();
    let cutout = cut(&reading, "coadd:detected");
    let read = since(&counted, before).bytes_read;
    assert!(read < all / 20, "{read} of {all} bytes were read");
    let whole = get(&butler(&[&place], 0), "coadd:detected", "patch=1");
    let whole: &Exposure = downcast(whole.as_ref()).unwrap();
    let expected = whole.image().unwrap().section(bbox).unwrap();
    assert_eq!(floats(&cutout), floats(&(Arc::new(expected) as ObjectRef)));
    let expected = whole.mask().unwrap().section(bbox).unwrap();
    assert_eq!(bits(&cutout), bits(&(Arc::new(expected) as ObjectRef)));
    // A plane alone, too, costs only its cutout.
    let before = counted.store.counts();
    let alone = cut(&butler(&[&counted.place], 0), "coadd:detected.image");
    let read = since(&counted, before).bytes_read;
    assert!(read < all / 20, "{read} of {all} bytes were read");
    assert_eq!(floats(&alone), floats(&cutout));
}

const REAL: &str = r#"
datasets:
  calexp: {template: "calexp/%(visit)d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
  calexpBackground: {template: "bkgd/%(visit)d.fits", python: lsst.afw.math.BackgroundList, storage: FitsStorage}
  mi: {template: "mi/%(visit)d.fits", python: lsst.afw.image.MaskedImageF, storage: FitsStorage}
  other: {template: "other/%(visit)d.fits", python: lsst.afw.image.MaskedImageF, storage: FitsStorage}
  restored:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: calexp, inputOnly: true}
      background: {datasetType: calexpBackground, apply: {op: add, to: image}}
  difference:
    python: lsst.afw.image.MaskedImageF
    composite:
      science: {datasetType: mi, inputOnly: true, base: true}
      template: {datasetType: other, apply: {op: subtract, to: image}}
      mask: {datasetType: other, apply: {op: or, to: mask}}
"#;

/// A background that was subtracted is added again: real layers, as a cutout too, which reads no more pixels than it shows.
#[test]
fn r32_a_real_background_is_added_to_the_exposure_that_it_was_taken_from() {
    let Some(file) = test_data("exposures/cfht/bkgd-849375-12.fits") else {
        return;
    };
    let Some(calexp) = test_data("exposures/cfht/calexp-849375-12.fits.fz") else {
        return;
    };
    let here = Here::with(REAL);
    here.ingest("calexp", &calexp, "visit=1", IngestMode::Copy);
    here.ingest("calexpBackground", &file, "visit=1", IngestMode::Copy);
    let open = here.butler();
    let before = get(&open, "calexp", "visit=1");
    let level = get(&open, "calexpBackground", "visit=1");
    let level: &Background = downcast(level.as_ref()).unwrap();
    let old: &Exposure = downcast(before.as_ref()).unwrap();
    let bbox = old.pixel_box().unwrap();
    let level = level.image(bbox).unwrap();
    let restored = get(&open, "restored", "visit=1");
    let expected: Vec<u32> = floats(&before)
        .iter()
        .zip(floats(&(Arc::new(level) as ObjectRef)))
        .map(|(pixel, level)| (pixel + level).to_bits())
        .collect();
    let bits: Vec<u32> = floats(&restored)
        .iter()
        .map(|pixel| pixel.to_bits())
        .collect();
    assert_eq!(bits, expected);
    let small = PixelBox {
        x0: bbox.x0 + 30,
        y0: bbox.y0 + 40,
        width: 50,
        height: 20,
    };
    let parameters = Parameters {
        bbox: Some(small),
        ..Parameters::default()
    };
    let cut = open.get("restored", &id("visit=1"), &parameters).unwrap();
    let whole: &Exposure = downcast(restored.as_ref()).unwrap();
    let section = whole.image().unwrap().section(small).unwrap();
    assert_eq!(floats(&cut), floats(&(Arc::new(section) as ObjectRef)));
}

#[test]
fn r32_a_difference_of_two_real_images_is_kept_as_their_operation() {
    let (Some(science), Some(template)) = (
        test_data("exposures/scienceMI.fits"),
        test_data("exposures/templateMI.fits"),
    ) else {
        return;
    };
    let here = Here::with(REAL);
    here.ingest("mi", &science, "visit=1", IngestMode::Copy);
    here.ingest("other", &template, "visit=1", IngestMode::Copy);
    let open = here.butler();
    let (a, b) = (get(&open, "mi", "visit=1"), get(&open, "other", "visit=1"));
    let difference = get(&open, "difference", "visit=1");
    assert!(downcast::<MaskedImage>(difference.as_ref()).is_some());
    let by_hand: Vec<u32> = floats(&a)
        .iter()
        .zip(floats(&b))
        .map(|(a, b)| (a - b).to_bits())
        .collect();
    let found: Vec<u32> = floats(&difference)
        .iter()
        .map(|pixel| pixel.to_bits())
        .collect();
    assert_eq!(found, by_hand);
    let by_hand: Vec<i32> = bits(&a).iter().zip(bits(&b)).map(|(a, b)| a | b).collect();
    assert_eq!(bits(&difference), by_hand);
    // `mask` is the plane of the difference, not what was laid over it.
    assert_eq!(bits(&get(&open, "difference.mask", "visit=1")), by_hand);
}
