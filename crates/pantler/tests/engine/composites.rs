//! Composites: the base, parts that are not declared, overriding, sharing, plug-ins (rules R10 to R13, R15).

use std::sync::Arc;

use pantler::ButlerOptions;
use pantler::assemble::PluginSet;
use pantler::core::assembler::{Assembler, AssemblyError, ComponentInfo, Slot};
use pantler::core::object::downcast;
use pantler::objects::{Image, Pixels};
use pantler::{Butler, Chain, DataId, ObjectRef};

use super::support::*;

/// Whether two exposures share the buffer of a plane, not only its values.
fn same_pixels(one: &ObjectRef, other: &ObjectRef, plane: &str) -> bool {
    let address = |object: &ObjectRef| {
        let part = object.component(plane).unwrap();
        match downcast::<Image>(part.as_ref()).unwrap().pixels() {
            Pixels::F32(pixels) => pixels.as_ptr() as usize,
            other => panic!("{other:?}"),
        }
    };
    address(one) == address(other)
}

#[test]
fn pixels_are_the_old_ones_and_coordinates_the_new_ones() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    let composite = get(&butler, "calexp:jointcal", DATA_ID);
    let old = get(&butler, "calexp:sfm", "visit=903334 ccd=16");
    for plane in ["image", "variance"] {
        assert!(
            same_pixels(&composite, &old, plane),
            "{plane} has the same buffer"
        );
    }
    assert_eq!(right_ascension(&composite), 150.0);
    assert_eq!(right_ascension(&old), 149.0);
}

#[test]
fn r10_a_part_that_is_not_declared_comes_from_the_base() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    let plan = butler
        .explain("calexp:jointcal.image", &id(DATA_ID), Default::default())
        .unwrap();
    assert_eq!(plan.root.dataset_type.as_str(), "calexp:sfm");
    assert_eq!(plan.root.part, ["image"]);
    let part = get(&butler, "calexp:jointcal.image", DATA_ID);
    let image = downcast::<Image>(part.as_ref()).unwrap();
    let old = exposure(1.0).component("image").unwrap();
    let values = |image: &Image| match image.pixels() {
        Pixels::F32(pixels) => pixels.to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        values(image),
        values(downcast::<Image>(old.as_ref()).unwrap())
    );
    // The new WCS overrides that of the base, so no trace of it is in the header of the plane (rule R11).
    assert!(image.header().get("CRVAL1").is_none());
    let alone = get(&butler, "calexp:sfm.image", "visit=903334 ccd=16");
    assert!(
        downcast::<Image>(alone.as_ref())
            .unwrap()
            .header()
            .get("CRVAL1")
            .is_some()
    );
}

#[test]
fn r10_the_base_may_be_marked() {
    let pair = Pair::new();
    write_policy(
        pair.joint.store.as_ref(),
        &JOINTCAL
            .replace(
                "python: lsst.afw.image.ExposureF\n    composite",
                "composite",
            )
            .replace("inputOnly: true}", "inputOnly: true, base: true}"),
    );
    pair.put_parts(0);
    let composite = get(&pair.butler(), "calexp:jointcal", DATA_ID);
    assert_eq!(composite.class(), "Exposure");
    assert_eq!(right_ascension(&composite), 150.0);
}

#[test]
fn r11_what_is_overridden_is_gone_by_every_name() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    for name in [
        "calexp:jointcal.wcs",
        "calexp:jointcal.skyWcs",
        "calexp_wcs",
    ] {
        assert_eq!(
            right_ascension(&get(&butler, name, DATA_ID)),
            150.0,
            "{name}"
        );
    }
    for name in ["calexp:jointcal.calib", "calexp:jointcal.photoCalib"] {
        let part = get(&butler, name, DATA_ID);
        assert!(part.difference(calib(1e12).as_ref()).is_none(), "{name}");
    }
    let composite = get(&butler, "calexp:jointcal", DATA_ID);
    let metadata = composite.component("metadata").unwrap();
    let metadata =
        pantler::core::object::downcast::<pantler::objects::Metadata>(metadata.as_ref()).unwrap();
    assert!(metadata.get("CRVAL1").is_none() && metadata.get("FLUXMAG0").is_none());
    assert_eq!(metadata.get_text("OBSERVER"), Some("Caroline"));
}

#[test]
fn r12_a_component_may_be_a_part_of_another_type() {
    let pair = Pair::new();
    write_policy(
        pair.joint.store.as_ref(),
        r#"
datasets:
  pointing:
    composite:
      wcs:   {datasetType: "calexp:sfm.wcs"}
      calib: {datasetType: "calexp:sfm.calib"}
"#,
    );
    let butler = pair.butler();
    let container = get(&butler, "pointing", "visit=903334 ccd=16");
    assert_eq!(container.class(), "Container");
    assert_eq!(right_ascension(&container.component("wcs").unwrap()), 149.0);
    // Unchanged, it can be put: recorded, nothing written.
    let result = put(&butler, &container, "pointing", "visit=903334 ccd=16");
    assert!(result.recorded && result.written.is_empty());
    // Changed, it cannot: it has no artifact of its own.
    let changed = container.with_component("wcs", &wcs(1.0)).unwrap();
    let said = said(try_put(
        &butler,
        &changed,
        "pointing",
        "visit=903334 ccd=16",
    ));
    assert!(
        said.contains("lies inside the artifact of `calexp:sfm`"),
        "{said}"
    );
}

#[test]
fn r13_a_part_is_the_same_object_in_either_order_of_loading() {
    let pair = Pair::new();
    let first = pair.butler();
    let part = get(&first, "calexp:sfm.wcs", "visit=903334 ccd=16");
    let whole = get(&first, "calexp:sfm", "visit=903334 ccd=16");
    assert!(
        Arc::ptr_eq(&part, &whole.component("wcs").unwrap()),
        "part first"
    );
    let second = pair.butler();
    let whole = get(&second, "calexp:sfm", "visit=903334 ccd=16");
    let part = get(&second, "calexp:sfm.wcs", "visit=903334 ccd=16");
    assert!(
        Arc::ptr_eq(&part, &whole.component("wcs").unwrap()),
        "whole first"
    );
}

#[test]
fn two_composites_that_share_a_component_hold_the_same_object() {
    let pair = Pair::new();
    pair.put_parts(0);
    pair.put_parts(1);
    let butler = pair.butler();
    let one = get(&butler, "calexp:jointcal", DATA_ID);
    let other = get(&butler, "calexp:jointcal", "visit=903334 ccd=16 tract=1");
    assert!(same_pixels(&one, &other, "image"));
    assert_ne!(right_ascension(&one), right_ascension(&other));
}

#[test]
fn composites_of_composites_are_assembled_and_parted() {
    let pair = Pair::new();
    let policy = JOINTCAL.to_owned()
        + "  visit_pair:\n    composite:\n      left:  {datasetType: \"calexp:jointcal\", dataId: {ccd: 16}}\n      right: {datasetType: \"calexp:jointcal\", dataId: {ccd: 17}}\n";
    write_policy(pair.joint.store.as_ref(), &policy);
    pair.put_parts(0);
    put(
        &butler(&[&pair.single], 1),
        &exposure(100.0),
        "calexp:sfm",
        "visit=903334 ccd=17",
    );
    let butler = pair.butler();
    put(
        &butler,
        &wcs(170.0),
        "jointcal_wcs",
        "visit=903334 ccd=17 tract=0",
    );
    put(
        &butler,
        &calib(2e12),
        "jointcal_calib",
        "visit=903334 ccd=17 tract=0",
    );
    let both = get(&butler, "visit_pair", "visit=903334 tract=0");
    assert_eq!(both.component_names(), ["left", "right"]);
    assert_eq!(right_ascension(&both.component("left").unwrap()), 150.0);
    assert_eq!(
        right_ascension(&get(
            &butler,
            "visit_pair.right.wcs",
            "visit=903334 tract=0"
        )),
        170.0
    );
}

struct Failing;

impl Assembler for Failing {
    fn assemble(
        &self,
        _: &DataId,
        components: &[ComponentInfo],
        class: &str,
    ) -> Result<ObjectRef, AssemblyError> {
        let filled = components
            .iter()
            .filter(|info| matches!(info.slot, Slot::One(_)))
            .count();
        Err(AssemblyError {
            component: None,
            message: format!("{filled} components for a {class}"),
            raised: None,
        })
    }
}

#[test]
fn a_plug_in_of_the_users_is_called_and_its_error_is_its_own() {
    let pair = Pair::new();
    let policy = JOINTCAL.to_owned() + "    assembler: mine.Assembler\n";
    write_policy(pair.joint.store.as_ref(), &policy);
    pair.put_parts(0);
    let chain = Chain::of(vec![pair.joint.open(), pair.single.open()], 1).unwrap();
    let options = ButlerOptions {
        plugins: PluginSet::standard().with_assembler("mine.Assembler", Arc::new(Failing)),
        ..options()
    };
    let said = said(try_get(
        &Butler::of(chain, options),
        "calexp:jointcal",
        DATA_ID,
    ));
    assert!(
        said.contains("3 components for a lsst.afw.image.ExposureF"),
        "{said}"
    );
}

#[test]
fn an_import_path_is_explained_and_refused_with_its_line() {
    let pair = Pair::new();
    write_policy(
        pair.joint.store.as_ref(),
        &(JOINTCAL.to_owned() + "    assembler: lsst.mypackage.jointcal.JointcalAssembler\n"),
    );
    pair.put_parts(0);
    let butler = pair.butler();
    butler
        .explain("calexp:jointcal", &id(DATA_ID), Default::default())
        .unwrap();
    insta::assert_snapshot!(said(try_get(&butler, "calexp:jointcal", DATA_ID)), @"
    error: `calexp:jointcal` needs the plug-in `lsst.mypackage.jointcal.JointcalAssembler`, which this program cannot run
      defined    jointcal/policy.yaml:19, as its `assembler`
      found      the plug-ins pantler.container, pantler.focalPlane, pantler.overlay

    hint: import paths are followed by the Python package and by the command that it brings: pip install pantler
    hint: `assembler: pantler.overlay` with `disassembler: pantler.overlay` lays components over a base without code
    ");
    insta::assert_snapshot!(said(try_put(&butler, &exposure(1.0), "calexp:jointcal", DATA_ID)), @"
    error: cannot put `calexp:jointcal`, it can only be read
      defined    jointcal/policy.yaml:13, a composite of `calexp`, `wcs` and `calib`
      why        it has the assembler `lsst.mypackage.jointcal.JointcalAssembler` and no disassembler, so pantler cannot tell which piece of it belongs to which part
      written    nothing

    hint: or give `calexp:jointcal` a `disassembler`
    ");
}

#[test]
fn an_optional_component_may_be_absent() {
    let pair = Pair::new();
    write_policy(
        pair.joint.store.as_ref(),
        &JOINTCAL.replace(
            "{datasetType: jointcal_calib}",
            "{datasetType: jointcal_calib, optional: true}",
        ),
    );
    let butler = pair.butler();
    put(&butler, &wcs(150.0), "jointcal_wcs", DATA_ID);
    let composite = get(&butler, "calexp:jointcal", DATA_ID);
    assert_eq!(right_ascension(&composite), 150.0);
    // Absent is nothing: never the calibration of another stage.
    assert!(composite.component("calib").is_none());
}

#[test]
fn r16_a_subset_component_is_all_that_matches_in_order() {
    let place = Place::new(
        "repo",
        r#"
datasets:
  note: {template: "notes/%(visit)d/%(ccd)d.json", python: dict, storage: JsonStorage}
  notes: {composite: {all: {datasetType: note, subset: true}}}
"#,
    );
    let butler = butler(&[&place], 1);
    for ccd in [10, 2, 7] {
        let note: ObjectRef = Arc::new(pantler::objects::Document::new(
            serde_json::json!({"ccd": ccd}),
        ));
        put(&butler, &note, "note", &format!("visit=1 ccd={ccd}"));
    }
    let plan = butler
        .explain("notes", &id("visit=1"), Default::default())
        .unwrap();
    let ccds: Vec<String> = plan.root.children()[0]
        .children()
        .iter()
        .map(|node| node.data_id.to_string())
        .collect();
    assert_eq!(ccds, ["visit=1 ccd=2", "visit=1 ccd=7", "visit=1 ccd=10"]);
    assert_eq!(get(&butler, "notes", "visit=1").class(), "Container");
    let said = said(try_get(&butler, "notes", "visit=2"));
    assert!(
        said.contains("component `all` of `notes` was not found"),
        "{said}"
    );
}

#[test]
fn what_needs_python_is_refused_and_never_left_out_silently() {
    let pair = Pair::new();
    let with = |from: &str, to: &str| {
        write_policy(pair.joint.store.as_ref(), &JOINTCAL.replace(from, to));
        pair.butler()
    };
    pair.put_parts(0);
    let standardized = with(
        "storage: FitsStorage\n  calexp:",
        "storage: FitsStorage\n    standardize: mine.check\n  calexp:",
    );
    let said_of_part = said(try_get(&standardized, "jointcal_calib", DATA_ID));
    assert!(said_of_part.contains("its `standardize`"), "{said_of_part}");
}

#[test]
fn an_exposure_of_separate_files_is_put_together_and_taken_apart() {
    let place = Place::new(
        "apart",
        r#"
datasets:
  image: {template: "image/%(visit)d.fits", python: lsst.afw.image.ImageF, storage: FitsStorage}
  mask: {template: "mask/%(visit)d.fits", python: lsst.afw.image.MaskX, storage: FitsStorage}
  variance: {template: "variance/%(visit)d.fits", python: lsst.afw.image.ImageF, storage: FitsStorage}
  wcs: {template: "wcs/%(visit)d.fits", python: lsst.afw.image.Wcs, storage: FitsStorage}
  calexp:
    python: lsst.afw.image.ExposureF
    composite:
      wcs: {datasetType: wcs}
      image: {datasetType: image}
      mask: {datasetType: mask}
      variance: {datasetType: variance}
"#,
    );
    let butler = butler(&[&place], 1);
    let result = put(&butler, &exposure(1.0), "calexp", "visit=1");
    assert_eq!(result.written.len(), 4);
    let back = get(&super::support::butler(&[&place], 0), "calexp", "visit=1");
    assert_eq!(back.class(), "Exposure");
    assert_eq!(right_ascension(&back), 149.0);
    for plane in ["image", "mask", "variance"] {
        let (new, old) = (
            back.component(plane).unwrap(),
            exposure(1.0).component(plane).unwrap(),
        );
        assert!(
            new.difference(old.as_ref()).is_none(),
            "{plane}: {:?}",
            new.difference(old.as_ref())
        );
    }
    let alone = get(&butler, "calexp.wcs", "visit=1");
    assert_eq!(right_ascension(&alone), 149.0);
}
