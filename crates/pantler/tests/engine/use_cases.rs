//! The policies of the use cases, mended: they load, and do what their text says. What their plug-ins do needs Python; what
//! they are made of is explained without.

use pantler::core::policy::{Policy, PolicyText};
use pantler::core::problem::Problem;

use super::support::*;

const UPDATED_WCS: &str = include_str!("../../../../tests/policies/updated_wcs.yaml");
const COMPONENTS: &str = include_str!("../../../../tests/policies/components.yaml");
const CATALOG: &str = include_str!("../../../../tests/policies/catalog_with_parts.yaml");
const BACKGROUND: &str = include_str!("../../../../tests/policies/background.yaml");
const SIDE_BY_SIDE: &str = include_str!("../../../../tests/policies/side_by_side.yaml");
const AGGREGATE: &str = include_str!("../../../../tests/policies/aggregate.yaml");

const DATA_ID: &str = "run=94 camcol=3 filter=r field=101";
const WITH_TRACT: &str = "run=94 camcol=3 filter=r field=101 tract=5";

/// The policy with plug-ins of pantler's own, for what would need Python.
fn without_python(policy: &str) -> String {
    policy
        .lines()
        .filter(|line| !line.contains("assembler: lsst.mypackage"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Everything of the answer to a name that no plug-in is needed for.
fn explained(butler: &pantler::Butler, name: &str, data_id: &str) -> String {
    let plan = butler
        .explain(name, &id(data_id), pantler::Composition::Recorded)
        .unwrap_or_else(|error| panic!("{}", error.report()));
    plan.root
        .children()
        .iter()
        .map(|node| {
            let component = node.component.as_ref();
            format!(
                "{} {} {}{}\n",
                node.component_name(),
                node.dataset_type,
                node.data_id,
                component
                    .filter(|one| one.input_only)
                    .map_or("", |_| " input only"),
            )
        })
        .collect()
}

#[test]
fn they_load_with_no_more_than_they_mean() {
    for (name, policy, expected) in [
        ("updated_wcs", UPDATED_WCS, 0),
        ("components", COMPONENTS, 0),
        ("catalog_with_parts", CATALOG, 0),
        ("background", BACKGROUND, 0),
        // The place of `srccat` for the filter `b` is that of `srccat_blue`, and so on: three types can meet it.
        ("side_by_side", SIDE_BY_SIDE, 3),
        ("aggregate", AGGREGATE, 0),
    ] {
        let text = PolicyText {
            file: name.into(),
            text: policy.to_owned(),
        };
        let (policy, mut problems) = Policy::load(&[text], &mut |_, _| Err(String::new()));
        problems.extend(policy.check_references(&|_| false));
        let shown: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(problems.len(), expected, "{}", shown.join("\n"));
        assert!(problems.iter().all(|one| one.code == "templates-meet"));
        for definition in policy.definitions() {
            assert!(definition.complaints.is_empty(), "{}", definition.name);
        }
    }
}

#[test]
fn an_exposure_with_updated_coordinates_takes_the_rest_from_before() {
    let place = Place::new("repo", &without_python(UPDATED_WCS));
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(1.0), "calexp", DATA_ID);
    // The getter of a part has the template of the whole, and reads its file.
    assert_eq!(right_ascension(&get(&butler, "calexp_wcs", DATA_ID)), 149.0);
    assert_eq!(get(&butler, "calexp_calib", DATA_ID).class(), "PhotoCalib");
    put(&butler, &wcs(151.0), "jointcal_wcs", WITH_TRACT);
    put(&butler, &calib(2e12), "jointcal_calib", WITH_TRACT);
    let joint = get(&butler, "jointcalexp", WITH_TRACT);
    assert_eq!(right_ascension(&joint), 151.0);
    let before = get(&butler, "calexp", DATA_ID);
    let pixels = |object: &pantler::ObjectRef| {
        let image = object.component("image").unwrap();
        let image: &pantler::objects::Image =
            pantler::core::object::downcast(image.as_ref()).unwrap();
        format!("{:?}", image.pixels())
    };
    assert_eq!(pixels(&joint), pixels(&before));
    // Its put writes the two new parts, and not the pixels again.
    let moved = "run=94 camcol=3 filter=r field=101 tract=6";
    let newer = joint.with_component("wcs", &wcs(152.0)).unwrap();
    put(&butler, &newer, "jointcalexp", moved);
    assert_eq!(place.artifacts().len(), 5, "{:?}", place.artifacts());
}

#[test]
fn what_a_plug_in_in_python_makes_is_explained_and_not_made() {
    let place = Place::new("repo", UPDATED_WCS);
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(1.0), "calexp", DATA_ID);
    put(&butler, &wcs(151.0), "jointcal_wcs", WITH_TRACT);
    put(&butler, &calib(2e12), "jointcal_calib", WITH_TRACT);
    insta::assert_snapshot!(explained(&butler, "jointcalexp", WITH_TRACT), @"
    calexp calexp run=94 camcol=3 filter=r field=101 input only
    wcs jointcal_wcs run=94 camcol=3 filter=r field=101 tract=5
    calib jointcal_calib run=94 camcol=3 filter=r field=101 tract=5
    ");
    insta::assert_snapshot!(said(try_get(&butler, "jointcalexp", WITH_TRACT)), @"
    error: `jointcalexp` needs the plug-in `lsst.mypackage.jointcal.JointcalAssembler`, which this program cannot run
      defined    repo/policy.yaml:37, as its `assembler`
      found      the plug-ins pantler.container, pantler.focalPlane, pantler.overlay

    hint: import paths are followed by the Python package and by the command that it brings: pip install pantler
    hint: `assembler: pantler.overlay` with `disassembler: pantler.overlay` lays components over a base without code
    ");
}

#[test]
fn a_component_is_had_without_the_others() {
    for policy in [COMPONENTS, &without_python(COMPONENTS)] {
        let place = Place::new("repo", policy);
        let butler = butler(&[&place], 1);
        put(&butler, &calib(3e12), "calib_psf", DATA_ID);
        // The part that is asked for is there; that the PSF is not does not matter.
        assert_eq!(get(&butler, "calexp.calib", DATA_ID).class(), "PhotoCalib");
        assert!(!butler.exists("calexp", &id(DATA_ID)).unwrap());
    }
}

#[test]
fn a_catalogue_shares_the_parts_that_stand_by_themselves() {
    let policy = without_python(CATALOG)
        .replace("lsst.afw.table.SourceCatalogWithInfo", "Container")
        .replace("python: lsst.afw.table.SourceCatalog", "python: dict")
        .replace("FitsCatalogStorage", "YamlStorage");
    let place = Place::new("repo", &policy);
    let butler = butler(&[&place], 1);
    let document: pantler::ObjectRef = std::sync::Arc::new(pantler::objects::Document::new(
        serde_json::json!({"id": [1, 2]}),
    ));
    put(&butler, &document, "icSrc", DATA_ID);
    put(&butler, &wcs(151.0), "wcs", DATA_ID);
    put(&butler, &calib(2e12), "calib", DATA_ID);
    let whole = get(&butler, "extended_icSrc", DATA_ID);
    let alone = get(&butler, "wcs", DATA_ID);
    let inside = whole.component("wcs").unwrap();
    assert!(std::sync::Arc::ptr_eq(&inside, &alone));
    // With its class and its plug-ins, the text is explained.
    let place = Place {
        name: "repo",
        ..place
    };
    write_policy(
        place.store.as_ref(),
        &policy.replace("python: Container", "python: my.SourceCatalogWithInfo"),
    );
    let butler = super::support::butler(&[&place], 1);
    insta::assert_snapshot!(explained(&butler, "extended_icSrc", DATA_ID), @"
    icSrc icSrc run=94 camcol=3 filter=r field=101
    wcs wcs run=94 camcol=3 filter=r field=101
    calib calib run=94 camcol=3 filter=r field=101
    ");
}

#[test]
fn before_and_after_detection_share_the_exposure() {
    let place = Place::new("repo", BACKGROUND);
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(1.0), "calexp", DATA_ID);
    insta::assert_snapshot!(said(butler.explain("coadd_postdetect", &id(DATA_ID), pantler::Composition::Recorded)), @"
    error: component `background` of `coadd_postdetect` was not found in any repository
      asked for  coadd_postdetect run=94 camcol=3 filter=r field=101
      needed by  component `background`, which is calexpBackground run=94 camcol=3 filter=r field=101 (repo/policy.yaml:26)
      looked in  1. repo  not in its registry
      found      exposure in repo

    hint: `pantler query repo calexpBackground` lists what there is
    ");
    insta::assert_snapshot!(said(try_put(&butler, &exposure(1.0), "coadd_detection", DATA_ID)), @"
    error: `coadd_detection` needs the plug-in `lsst.mypackage.ExposureWithBackgroundDisassembler`, which this program cannot run
      defined    repo/policy.yaml:22, as its `disassembler`
      found      the plug-ins pantler.container, pantler.focalPlane, pantler.overlay

    hint: import paths are followed by the Python package and by the command that it brings: pip install pantler
    hint: `assembler: pantler.overlay` with `disassembler: pantler.overlay` lays components over a base without code
    ");
}

#[test]
fn catalogues_side_by_side_inherit_all_but_their_place() {
    let place = Place::new("repo", SIDE_BY_SIDE);
    let butler = butler(&[&place], 1);
    for name in ["srccat_blue", "srccat_green"] {
        let (_, definition) = butler
            .chain()
            .definitions()
            .find(|(_, definition)| definition.name.as_str() == name)
            .unwrap();
        assert_eq!(definition.storage.as_deref(), Some("FitsCatalogStorage"));
        assert_eq!(definition.tables, ["raw", "raw_skyTile"]);
    }
}

#[test]
fn r16_an_aggregate_needs_the_keys_that_it_is_asked_by_alone() {
    let policy = AGGREGATE
        .replace("python: lsst.afw.table.SourceCatalog", "python: dict")
        .replace("FitsCatalogStorage", "YamlStorage");
    let place = Place::new("repo", &policy);
    let butler = butler(&[&place], 1);
    for patch in [
        "tract=0 patch=1,1",
        "tract=0 patch=1,2",
        "tract=3 patch=0,0",
    ] {
        let document: pantler::ObjectRef = std::sync::Arc::new(pantler::objects::Document::new(
            serde_json::json!({"patch": patch}),
        ));
        put(
            &butler,
            &document,
            "deepCoadd_src",
            &format!("filter=g {patch}"),
        );
        put(
            &butler,
            &document,
            "deepCoadd_src",
            &format!("filter=r {patch}"),
        );
    }
    let plan = butler
        .explain(
            "deepCoadd_src_aggregate",
            &id("filter=g"),
            pantler::Composition::Recorded,
        )
        .unwrap_or_else(|error| panic!("{}", error.report()));
    let parts: Vec<String> = plan.root.children()[0]
        .children()
        .iter()
        .map(|node| node.data_id.to_string())
        .collect();
    assert_eq!(
        parts,
        [
            "filter=g tract=0 patch=1,1",
            "filter=g tract=0 patch=1,2",
            "filter=g tract=3 patch=0,0"
        ]
    );
}
