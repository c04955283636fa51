//! Putting (rules R20 to R24, R26, R31).

use std::sync::Arc;

use pantler::{InputOnly, ObjectRef, PutOptions};

use super::support::*;

fn updated(pair: &Pair, right_ascension: f64) -> ObjectRef {
    get(&pair.butler(), "calexp:sfm", "visit=903334 ccd=16")
        .with_component("wcs", &wcs(right_ascension))
        .unwrap()
        .with_component("calib", &calib(3e12))
        .unwrap()
}

#[test]
fn an_updated_exposure_writes_its_two_new_parts_and_nothing_else() {
    let pair = Pair::new();
    let before = pair.single.bytes_of("calexp/0903334/016.fits");
    let butler = pair.butler();
    let sfm = get(&butler, "calexp:sfm", "visit=903334 ccd=16");
    let changed = sfm
        .with_component("wcs", &wcs(151.0))
        .unwrap()
        .with_component("calib", &calib(3e12))
        .unwrap();
    let result = put(&butler, &changed, "calexp:jointcal", DATA_ID);
    assert_eq!(
        result.written,
        [
            "jointcal/0000/wcs-0903334-016.fits",
            "jointcal/0000/calib-0903334-016.fits"
        ]
    );
    assert_eq!(result.input_only, ["calexp"]);
    assert!(result.recorded && result.unchanged.is_empty());
    assert_eq!(pair.joint.artifacts().len(), 2);
    assert_eq!(pair.single.bytes_of("calexp/0903334/016.fits"), before);
    let back = get(&pair.butler(), "calexp:jointcal", DATA_ID);
    assert!(
        back.difference(changed.as_ref()).is_none(),
        "{:?}",
        back.difference(changed.as_ref())
    );
    let plan = pair
        .butler()
        .explain("calexp:jointcal", &id(DATA_ID), Default::default())
        .unwrap();
    assert_eq!(pantler::explain_json(&plan)["origin"], "recorded");
}

#[test]
fn r20_a_different_dataset_in_an_input_is_shadowed() {
    let pair = Pair::new();
    let butler = pair.butler();
    let result = put(
        &butler,
        &exposure(50.0),
        "calexp:sfm",
        "visit=903334 ccd=16",
    );
    assert_eq!(result.written, ["calexp/0903334/016.fits"]);
    let plan = butler
        .explain_put("calexp:sfm", &id("visit=903334 ccd=16"))
        .unwrap();
    assert!(
        plan.root.action.starts_with("exists here"),
        "{}",
        plan.root.action
    );
    assert!(
        get(&butler, "calexp:sfm", "visit=903334 ccd=16")
            .difference(exposure(50.0).as_ref())
            .is_none()
    );
    assert!(
        get(
            &super::support::butler(&[&pair.single], 0),
            "calexp:sfm",
            "visit=903334 ccd=16"
        )
        .difference(exposure(1.0).as_ref())
        .is_none()
    );
}

#[test]
fn r21_an_equal_dataset_that_is_shadowed_does_not_count() {
    let pair = Pair::new();
    let middle = Place::new("middle", "");
    put(
        &butler(&[&middle, &pair.single], 1),
        &exposure(50.0),
        "calexp:sfm",
        "visit=903334 ccd=16",
    );
    let top = Place::new("top", "");
    // single_visit has exactly this, but a get would find that of middle.
    let result = put(
        &butler(&[&top, &middle, &pair.single], 1),
        &exposure(1.0),
        "calexp:sfm",
        "visit=903334 ccd=16",
    );
    assert_eq!(result.written.len(), 1);
    let found = get(
        &butler(&[&top, &middle, &pair.single], 1),
        "calexp:sfm",
        "visit=903334 ccd=16",
    );
    assert!(found.difference(exposure(1.0).as_ref()).is_none());
}

#[test]
fn r21_what_a_get_would_find_is_not_written_again() {
    let pair = Pair::new();
    let result = put(
        &pair.butler(),
        &exposure(1.0),
        "calexp:sfm",
        "visit=903334 ccd=16",
    );
    assert!(result.written.is_empty());
    assert_eq!(result.unchanged, ["calexp:sfm"]);
    assert!(pair.joint.artifacts().is_empty());
}

#[test]
fn r22_the_same_object_gives_the_same_bytes() {
    let one = Place::new("one", SINGLE_VISIT);
    let other = Place::new("other", SINGLE_VISIT);
    for place in [&one, &other] {
        put(
            &butler(&[place], 1),
            &exposure(1.0),
            "calexp:sfm",
            "visit=1 ccd=1",
        );
    }
    let path = "calexp/0000001/001.fits";
    assert_eq!(one.bytes_of(path), other.bytes_of(path));
}

#[test]
fn r22_other_bytes_with_equal_values_are_the_same() {
    let place = Place::new("repo", SINGLE_VISIT);
    put(
        &butler(&[&place], 1),
        &exposure(1.0),
        "calexp:sfm",
        "visit=1 ccd=1",
    );
    // The recipe changes, so that the bytes would be others.
    write_policy(
        place.store.as_ref(),
        &(SINGLE_VISIT.to_owned() + "    recipe: lossless\n"),
    );
    let result = put(
        &butler(&[&place], 1),
        &exposure(1.0),
        "calexp:sfm",
        "visit=1 ccd=1",
    );
    assert_eq!(result.unchanged, ["calexp:sfm"]);
    let result = put(
        &butler(&[&place], 1),
        &exposure(1.0),
        "calexp:sfm",
        "visit=2 ccd=1",
    );
    assert_eq!(result.written.len(), 1);
    assert_ne!(
        place.bytes_of("calexp/0000001/001.fits"),
        place.bytes_of("calexp/0000002/001.fits")
    );
}

#[test]
fn r22_a_header_that_differs_in_a_date_is_the_same_and_in_a_value_is_not() {
    let place = Place::new("repo", SINGLE_VISIT);
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(1.0), "calexp:sfm", "visit=1 ccd=1");
    let with = |keyword: &str, value: &str| -> ObjectRef {
        let old = exposure(1.0);
        let metadata = old.component("metadata").unwrap();
        let metadata =
            pantler::core::object::downcast::<pantler::objects::Metadata>(metadata.as_ref())
                .unwrap();
        let new: ObjectRef = Arc::new(metadata.with(keyword, value, None));
        old.with_component("metadata", &new).unwrap()
    };
    let result = put(
        &butler,
        &with("DATE", "2026-01-01"),
        "calexp:sfm",
        "visit=1 ccd=1",
    );
    assert_eq!(result.unchanged, ["calexp:sfm"]);
    let said = said(try_put(
        &butler,
        &with("OBSERVER", "William"),
        "calexp:sfm",
        "visit=1 ccd=1",
    ));
    assert!(said.contains("OBSERVER"), "{said}");
}

#[test]
fn putting_something_else_under_the_same_data_id_is_refused_and_nothing_remains() {
    let pair = Pair::new();
    put(
        &pair.butler(),
        &updated(&pair, 151.0),
        "calexp:jointcal",
        DATA_ID,
    );
    let before = (
        pair.joint.artifacts(),
        pair.joint.bytes_of("jointcal/0000/wcs-0903334-016.fits"),
    );
    let said = said(try_put(
        &pair.butler(),
        &updated(&pair, 152.0),
        "calexp:jointcal",
        DATA_ID,
    ));
    assert!(
        said.starts_with("error: `jointcal_wcs` exists already, with other content"),
        "{said}"
    );
    assert!(said.contains("written    nothing"), "{said}");
    assert_eq!(
        before,
        (
            pair.joint.artifacts(),
            pair.joint.bytes_of("jointcal/0000/wcs-0903334-016.fits")
        )
    );
    assert!(pair.joint.own_files(".pantler/staging").is_empty());
}

#[test]
fn r23_an_unchanged_component_is_recorded_without_being_written() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    let composite = get(&butler, "calexp:jointcal", DATA_ID);
    let result = put(&butler, &composite, "calexp:jointcal", DATA_ID);
    assert!(result.written.is_empty() && result.recorded);
    assert_eq!(result.unchanged, ["wcs", "calib"]);
    // Putting it once more is nothing at all.
    let again = put(
        &pair.butler(),
        &get(&pair.butler(), "calexp:jointcal", DATA_ID),
        "calexp:jointcal",
        DATA_ID,
    );
    assert!(!again.recorded && again.id == result.id);
}

#[test]
fn r23_one_changed_component_is_written_and_the_other_recorded() {
    let pair = Pair::new();
    pair.put_parts(0);
    let near = Place::new("near", "");
    let butler = butler(&[&near, &pair.joint, &pair.single], 1);
    let changed = get(&butler, "calexp:jointcal", DATA_ID)
        .with_component("wcs", &wcs(155.0))
        .unwrap();
    let result = put(&butler, &changed, "calexp:jointcal", DATA_ID);
    assert_eq!(result.written, ["jointcal/0000/wcs-0903334-016.fits"]);
    assert_eq!(result.unchanged, ["calib"]);
    assert_eq!(near.artifacts(), ["jointcal/0000/wcs-0903334-016.fits"]);
}

#[test]
fn r23_an_object_of_another_data_id_is_no_unchanged_one() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    let borrowed = get(&butler, "jointcal_wcs", DATA_ID);
    let result = put(
        &butler,
        &borrowed,
        "jointcal_wcs",
        "visit=903334 ccd=16 tract=7",
    );
    assert_eq!(result.written, ["jointcal/0007/wcs-0903334-016.fits"]);
}

#[test]
fn r24_changed_pixels_of_an_input_only_component_are_refused_unless_dropped() {
    let pair = Pair::new();
    let changed = exposure(77.0).with_component("wcs", &wcs(151.0)).unwrap();
    let said = said(try_put(
        &pair.butler(),
        &changed,
        "calexp:jointcal",
        DATA_ID,
    ));
    insta::assert_snapshot!(said, @"
    error: component `calexp` of `calexp:jointcal` is only read, and it is not as stored
      asked for  calexp:jointcal visit=903334 ccd=16 tract=0
      needed by  component `calexp`, which is calexp:sfm visit=903334 ccd=16
      why        image differs at pixel (0, 0): 77.0 and 1.0
      written    nothing

    hint: `--drop-input-only` puts the rest and lets this change go
    ");
    assert!(pair.joint.artifacts().is_empty());
    let options = PutOptions {
        input_only: InputOnly::Drop,
        ..Default::default()
    };
    let result = pair
        .butler()
        .put(&changed, "calexp:jointcal", &id(DATA_ID), &options)
        .unwrap();
    assert_eq!(result.input_only, ["calexp"]);
    let back = get(&pair.butler(), "calexp:jointcal", DATA_ID);
    assert!(
        back.component("image")
            .unwrap()
            .difference(exposure(1.0).component("image").unwrap().as_ref())
            .is_none()
    );
}

#[test]
fn r24_equal_content_without_a_known_origin_is_recorded() {
    let pair = Pair::new();
    // A card that is read back as a component of its own, which an exposure made in memory does not have.
    let timed = |object: ObjectRef| {
        let metadata = object.component("metadata").unwrap();
        let metadata =
            pantler::core::object::downcast::<pantler::objects::Metadata>(metadata.as_ref())
                .unwrap();
        let metadata: ObjectRef = Arc::new(metadata.with("EXPTIME", 30.0, None));
        object.with_component("metadata", &metadata).unwrap()
    };
    put(
        &butler(&[&pair.single], 1),
        &timed(exposure(1.0)),
        "calexp:sfm",
        "visit=7 ccd=1",
    );
    // Made anew, pixel for pixel the stored one; it says nothing of where it came from.
    let changed = timed(exposure(1.0))
        .with_component("wcs", &wcs(151.0))
        .unwrap();
    let result = put(
        &pair.butler(),
        &changed,
        "calexp:jointcal",
        "visit=7 ccd=1 tract=0",
    );
    assert_eq!(result.input_only, ["calexp"]);
    assert_eq!(result.written.len(), 2);
}

/// A component that is a part of a dataset is compared with that part, whatever the part is called.
#[test]
fn r24_a_part_that_is_only_read_is_compared_with_that_part() {
    const CATALOG: &str = r#"
datasets:
  calexp:sfm: {template: "calexp/%(visit)07d/%(ccd)03d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
  head: {template: "head/%(visit)d.json", python: dict, storage: JsonStorage}
  with_parts:
    composite:
      head:  {datasetType: head}
      wcs:   {datasetType: "calexp:sfm.wcs", inputOnly: true}
      calib: {datasetType: "calexp:sfm.calib", inputOnly: true}
"#;
    let place = Place::new("repo", CATALOG);
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(1.0), "calexp:sfm", "visit=7 ccd=1");
    let head: ObjectRef = Arc::new(pantler::objects::Document::new(serde_json::json!({"n": 1})));
    put(&butler, &head, "head", "visit=7");
    // As it was read.
    let read = get(&butler, "with_parts", "visit=7 ccd=1");
    let done = put(&butler, &read, "with_parts", "visit=7 ccd=1");
    assert_eq!(done.input_only, ["wcs", "calib"]);
    // Another one is refused by what differs in it.
    let other = read.with_component("wcs", &wcs(151.0)).unwrap();
    let why = said(try_put(&butler, &other, "with_parts", "visit=7 ccd=1"));
    assert!(
        why.contains("component `wcs`") && !why.contains("Exposure"),
        "{why}"
    );
}

#[test]
fn r24_an_origin_with_another_data_id_is_refused() {
    let pair = Pair::new();
    put(
        &butler(&[&pair.single], 1),
        &exposure(1.0),
        "calexp:sfm",
        "visit=903334 ccd=17",
    );
    let other = get(&pair.butler(), "calexp:sfm", "visit=903334 ccd=17")
        .with_component("wcs", &wcs(1.0))
        .unwrap();
    let said = said(try_put(&pair.butler(), &other, "calexp:jointcal", DATA_ID));
    assert!(
        said.contains("its origin is calexp:sfm visit=903334 ccd=17"),
        "{said}"
    );
}

#[test]
fn r24_a_cutout_is_refused() {
    let pair = Pair::new();
    let butler = pair.butler();
    let parameters = pantler::Parameters {
        bbox: Some(pantler::core::formatter::PixelBox {
            x0: 1,
            y0: 1,
            width: 4,
            height: 3,
        }),
        ..pantler::Parameters::default()
    };
    let cutout = butler
        .get("calexp:sfm", &id("visit=903334 ccd=16"), &parameters)
        .unwrap();
    let cutout = cutout.with_component("wcs", &wcs(151.0)).unwrap();
    let said = said(try_put(&butler, &cutout, "calexp:jointcal", DATA_ID));
    assert!(said.contains("only a piece of it was read"), "{said}");
}

#[test]
fn r24_an_input_only_component_that_does_not_exist_is_refused() {
    let pair = Pair::new();
    let said = said(try_put(
        &pair.butler(),
        &exposure(1.0),
        "calexp:jointcal",
        "visit=1 ccd=1 tract=0",
    ));
    assert!(said.contains("component `calexp`"), "{said}");
    assert!(pair.joint.artifacts().is_empty());
}

#[test]
fn a_part_without_an_object_and_an_object_of_another_class_are_refused() {
    let pair = Pair::new();
    let said_of_wcs = said(try_put(
        &pair.butler(),
        &wcs(1.0),
        "calexp:jointcal",
        DATA_ID,
    ));
    assert!(
        said_of_wcs.contains("objects of `calexp:jointcal` are of class Exposure")
            || said_of_wcs.contains("is an Exposure"),
        "{said_of_wcs}"
    );
    let bare = exposure(1.0);
    let bare = pantler::core::object::downcast::<pantler::objects::Exposure>(bare.as_ref())
        .unwrap()
        .without("photoCalib");
    let bare: ObjectRef = Arc::new(bare);
    let said = said(try_put(&pair.butler(), &bare, "calexp:jointcal", DATA_ID));
    assert!(
        said.starts_with("error: the object to put as `calexp:jointcal` has no `calib`"),
        "{said}"
    );
}

#[test]
fn r15_an_assembler_without_a_disassembler_is_read_only() {
    let pair = Pair::new();
    write_policy(
        pair.joint.store.as_ref(),
        &(JOINTCAL.to_owned() + "    assembler: pantler.overlay\n"),
    );
    pair.put_parts(0);
    let composite = get(&pair.butler(), "calexp:jointcal", DATA_ID);
    insta::assert_snapshot!(said(try_put(&pair.butler(), &composite, "calexp:jointcal", DATA_ID)), @"
    error: cannot put `calexp:jointcal`, it can only be read
      defined    jointcal/policy.yaml:13, a composite of `calexp`, `wcs` and `calib`
      why        it has the assembler `pantler.overlay` and no disassembler, so pantler cannot tell which piece of it belongs to which part
      written    nothing

    hint: or give `calexp:jointcal` a `disassembler`
    ");
}

#[test]
fn r26_replace_gives_a_new_identity_and_records_keep_the_old_one() {
    let pair = Pair::new();
    let first = put(
        &pair.butler(),
        &updated(&pair, 151.0),
        "calexp:jointcal",
        DATA_ID,
    );
    let new = pair
        .butler()
        .put(&wcs(160.0), "jointcal_wcs", &id(DATA_ID), &replacing())
        .unwrap();
    assert_eq!(new.written, ["jointcal/0000/wcs-0903334-016.fits"]);
    // The template's path holds the newest, the composition keeps what it was made of.
    assert_eq!(
        right_ascension(&get(&pair.butler(), "jointcal_wcs", DATA_ID)),
        160.0
    );
    assert_eq!(
        right_ascension(&get(&pair.butler(), "calexp:jointcal", DATA_ID)),
        151.0
    );
    assert_eq!(pair.joint.own_files(".pantler/superseded").len(), 1);
    assert!(pair.joint.own_files(".pantler/staging").is_empty());
    assert!(pair.butler().fsck(Default::default()).unwrap().is_clean());
    let plan = pair
        .butler()
        .explain("calexp:jointcal", &id(DATA_ID), Default::default())
        .unwrap();
    assert_eq!(plan.root.id(), Some(first.id));
    assert_eq!(
        pantler::explain_json(&plan)["components"]["wcs"]["newer"],
        "jointcal/jointcal/0000/wcs-0903334-016.fits"
    );
}

#[test]
fn r26_a_replaced_dataset_that_nobody_uses_is_removed() {
    let pair = Pair::new();
    pair.put_parts(0);
    pair.butler()
        .put(&wcs(160.0), "jointcal_wcs", &id(DATA_ID), &replacing())
        .unwrap();
    assert!(pair.joint.own_files(".pantler/superseded").is_empty());
    assert_eq!(
        right_ascension(&get(&pair.butler(), "jointcal_wcs", DATA_ID)),
        160.0
    );
    let report = pair.butler().fsck(Default::default()).unwrap();
    assert!(
        report.is_clean() && report.leftover.is_empty(),
        "{report:?}"
    );
}

#[test]
fn r26_replacing_a_composite_replaces_its_own_parts_and_not_shared_ones() {
    let pair = Pair::new();
    put(
        &pair.butler(),
        &updated(&pair, 151.0),
        "calexp:jointcal",
        DATA_ID,
    );
    pair.butler()
        .put(
            &updated(&pair, 161.0),
            "calexp:jointcal",
            &id(DATA_ID),
            &replacing(),
        )
        .unwrap();
    assert_eq!(
        right_ascension(&get(&pair.butler(), "calexp:jointcal", DATA_ID)),
        161.0
    );
    // A WCS that is shared by several composites has fewer keys, and needs its own put.
    let shared = Place::new(
        "shared",
        &JOINTCAL.replace(
            "jointcal/%(tract)04d/wcs-%(visit)07d-%(ccd)03d.fits",
            "wcs/%(tract)04d.fits",
        ),
    );
    let butler = butler(&[&shared, &pair.single], 1);
    put(&butler, &updated(&pair, 151.0), "calexp:jointcal", DATA_ID);
    let outcome = butler.put(
        &updated(&pair, 161.0),
        "calexp:jointcal",
        &id(DATA_ID),
        &replacing(),
    );
    assert!(said(outcome).contains("`wcs` is shared by several data IDs"));
}

#[test]
fn a_shared_component_is_stored_once_for_many_exposures() {
    let pair = Pair::new();
    put(
        &butler(&[&pair.single], 1),
        &exposure(1.0),
        "calexp:sfm",
        "visit=903334 ccd=17",
    );
    let shared = Place::new(
        "shared",
        &JOINTCAL.replace(
            "jointcal/%(tract)04d/wcs-%(visit)07d-%(ccd)03d.fits",
            "wcs/%(tract)04d.fits",
        ),
    );
    let butler = butler(&[&shared, &pair.single], 1);
    for ccd in [16, 17] {
        let sfm = get(&butler, "calexp:sfm", &format!("visit=903334 ccd={ccd}"));
        let changed = sfm
            .with_component("wcs", &wcs(151.0))
            .unwrap()
            .with_component("calib", &calib(ccd as f64))
            .unwrap();
        put(
            &butler,
            &changed,
            "calexp:jointcal",
            &format!("visit=903334 ccd={ccd} tract=0"),
        );
    }
    assert_eq!(
        shared.artifacts(),
        [
            "jointcal/0000/calib-0903334-016.fits",
            "jointcal/0000/calib-0903334-017.fits",
            "wcs/0000.fits"
        ]
    );
    let sfm = get(&butler, "calexp:sfm", "visit=903334 ccd=16");
    let other = sfm
        .with_component("wcs", &wcs(199.0))
        .unwrap()
        .with_component("calib", &calib(1.0))
        .unwrap();
    let before = shared.artifacts();
    assert!(
        try_put(
            &butler,
            &other,
            "calexp:jointcal",
            "visit=903334 ccd=16 tract=0"
        )
        .is_err()
    );
    assert_eq!(shared.artifacts(), before);
}

#[test]
fn r26_a_recorded_component_is_removed_only_by_force() {
    let pair = Pair::new();
    put(
        &pair.butler(),
        &updated(&pair, 151.0),
        "calexp:jointcal",
        DATA_ID,
    );
    let refused = pair
        .butler()
        .remove("jointcal_wcs", &id(DATA_ID), &Default::default());
    insta::assert_snapshot!(said(refused), @"
    error: `jointcal_wcs` is part of 1 recorded composite
      asked for  jointcal_wcs visit=903334 ccd=16 tract=0
      needed by  calexp:jointcal visit=903334 ccd=16 tract=0
      written    nothing

    hint: remove those first
    hint: `--force` removes it all the same; a get of those then fails and names it
    ");
    let force = pantler::RemoveOptions {
        force: true,
        dry_run: false,
    };
    pair.butler()
        .remove("jointcal_wcs", &id(DATA_ID), &force)
        .unwrap();
    let said = said(try_get(&pair.butler(), "calexp:jointcal", DATA_ID));
    assert!(
        said.contains("the recorded component `wcs` of `calexp:jointcal` is gone"),
        "{said}"
    );
}

#[test]
fn r27_an_unknown_key_is_refused_and_a_missing_one_completed() {
    let pair = Pair::new();
    pair.put_parts(0);
    let said = said(try_put(
        &pair.butler(),
        &wcs(1.0),
        "jointcal_wcs",
        "visit=903334 ccd=16 trakt=0",
    ));
    assert!(said.contains("did you mean `tract`?"), "{said}");
    let result = put(
        &pair.butler(),
        &wcs(150.0),
        "jointcal_wcs",
        "visit=903334 ccd=16",
    );
    assert_eq!(result.data_id, id(DATA_ID));
    assert_eq!(result.unchanged, ["jointcal_wcs"]);
}

#[test]
fn r31_a_put_records_who_when_and_with_what() {
    let pair = Pair::new();
    let options = PutOptions {
        notes: vec![("run".into(), "weekly 42".into())],
        ..Default::default()
    };
    let result = pair
        .butler()
        .put(&wcs(1.0), "jointcal_wcs", &id(DATA_ID), &options)
        .unwrap();
    let provenance = pair.joint.registry.provenance(&[result.id]).unwrap()[0]
        .clone()
        .unwrap();
    assert_eq!(
        (
            provenance.action.as_str(),
            provenance.user.as_str(),
            provenance.host.as_str()
        ),
        ("put", "ada", "observatory")
    );
    assert_eq!(provenance.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(
        provenance.notes,
        [("run".to_owned(), "weekly 42".to_owned())]
    );
    assert!(
        provenance.time.ends_with('Z') && provenance.time.starts_with("20"),
        "{}",
        provenance.time
    );
}
