//! What policies say together with those of parents, and names built from a type.

use pantler::objects::{Document, Table};
use pantler::{IngestMode, IngestOptions};
use pantler_testkit::test_data;

use super::support::*;

fn document(object: &pantler::ObjectRef) -> serde_json::Value {
    let document = pantler::core::object::downcast::<Document>(object.as_ref());
    document.unwrap().value().clone()
}

#[test]
fn a_childs_type_inherits_from_its_parents() {
    let pair = Pair::new();
    let child = Place::new(
        "child",
        "datasets:\n  calexp:again(calexp:sfm): {template: 'again/%(visit)d-%(ccd)d.fits'}\n",
    );
    let butler = butler(&[&child, &pair.joint, &pair.single], 1);
    put(&butler, &exposure(4.0), "calexp:again", "visit=1 ccd=2");
    assert_eq!(child.artifacts(), ["again/1-2.fits"]);
    assert_eq!(
        get(&butler, "calexp:again", "visit=1 ccd=2").class(),
        "Exposure"
    );
}

#[test]
fn a_type_that_nobody_above_defines_is_not_inherited_from_beside() {
    let child = Place::new(
        "child",
        "datasets:\n  b(a): {template: 'b/%(visit)d.fits'}\n",
    );
    let chain = pantler::Chain::of(vec![child.open()], 1);
    insta::assert_snapshot!(said(chain.map(|_| ())), @"
    error: `b` inherits `a`, which neither this policy nor a parent's defines
      defined    child/policy.yaml:2:3
                   b(a): {template: 'b/%(visit)d.fits'}
                   ^^^^
    ");
}

#[test]
fn a_key_of_two_types_in_two_repositories_is_an_error_where_it_matters() {
    let old = Place::new(
        "old",
        r#"
datasets:
  calexp: {template: "calexp/%(visit)s.fits", python: ExposureF, storage: FitsStorage}
  notes: {template: "notes/%(night)s.txt", python: str, storage: TextStorage}
"#,
    );
    put(&butler(&[&old], 1), &exposure(1.0), "calexp", "visit=5");
    let new = Place::new(
        "new",
        r#"
datasets:
  warp: {template: "warp/%(visit)d.fits", python: ExposureF, storage: FitsStorage}
"#,
    );
    let both = butler(&[&new, &old], 1);
    insta::assert_snapshot!(said(try_get(&both, "calexp", "visit=5")), @"
    error: the key `visit` of `calexp` has two types in two repositories
      asked for  calexp visit=5
      found      visit is int in new (new/policy.yaml:3)
                 visit is str in old (old/policy.yaml:3)
      why        a data ID is of one type, so datasets of the other repository would not be found

    hint: say in the policy of old what new says of it: `keys: {visit: {type: int}}`
    ");
    // What is only in one of them is not concerned.
    put(&both, &exposure(2.0), "warp", "visit=5");
    get(&both, "warp", "visit=5");
    // The hint helps, and what was written before is found.
    write_policy(
        old.store.as_ref(),
        r#"
keys: {visit: {type: int}}
datasets:
  calexp: {template: "calexp/%(visit)s.fits", python: ExposureF, storage: FitsStorage}
"#,
    );
    let both = butler(&[&new, &old], 1);
    put(&both, &exposure(3.0), "calexp", "visit=6");
    get(&both, "calexp", "visit=6");
}

#[test]
fn names_built_from_a_type_mean_its_parts() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    let data_id = "visit=903334 ccd=16 tract=0";
    for (name, part) in [
        ("calexp_wcs", "calexp.wcs"),
        ("calexp_calib", "calexp.photoCalib"),
        ("calexp_md", "calexp.metadata"),
        ("calexp_bbox", "calexp.bbox"),
        ("calexp_image", "calexp.image"),
        ("calexp_sub", "calexp"),
    ] {
        let built = get(&butler, name, data_id);
        let meant = get(&butler, part, data_id);
        assert_eq!(built.class(), meant.class(), "{name}");
        assert!(built.difference(meant.as_ref()).is_none(), "{name}");
    }
}

#[test]
fn a_built_name_lists_the_files_and_reads_none() {
    let pair = Pair::new();
    pair.put_parts(0);
    let counted = Counted::over(&pair.single);
    let butler = butler(&[&pair.joint, &counted.place], 1);
    let data_id = "visit=903334 ccd=16 tract=0";
    let before = counted.store.counts();
    let names = get(&butler, "calexp_filename:sfm", data_id);
    assert_eq!(
        document(&names),
        serde_json::json!(["single_visit/calexp/0903334/016.fits"])
    );
    // The alias is followed, and a composite has all its files.
    assert_eq!(
        document(&get(&butler, "calexp_filename", data_id)),
        serde_json::json!([
            "single_visit/calexp/0903334/016.fits",
            "jointcal/jointcal/0000/wcs-0903334-016.fits",
            "jointcal/jointcal/0000/calib-0903334-016.fits"
        ])
    );
    assert_eq!(counted.store.counts().bytes_read, before.bytes_read);
}

#[test]
fn a_table_tells_its_length_and_its_columns() {
    let Some(file) = test_data("catalogs/refcat_sdss/903287.fits") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let repository = place.path().join("repo");
    let policy = pantler::core::policy::PolicyText {
        file: "policy.yaml".into(),
        text: "datasets:\n  ref: {template: 'ref/%(htm)d.fits', python: lsst.afw.table.SimpleCatalog, storage: FitsCatalogStorage}\n".into(),
    };
    pantler::Butler::init(&repository, &[policy], &[]).unwrap();
    let butler = pantler::Butler::open(&[], &[repository], options()).unwrap();
    let ingest = IngestOptions {
        mode: IngestMode::Copy,
        ..Default::default()
    };
    butler
        .ingest("ref", &[file], &id("htm=1"), &ingest, &|_| {})
        .unwrap();
    // The file's description: 255 rows of 15 columns.
    assert_eq!(document(&get(&butler, "ref_len", "htm=1")), 255);
    let schema = get(&butler, "ref_schema", "htm=1");
    let schema = pantler::core::object::downcast::<Table>(schema.as_ref()).unwrap();
    assert_eq!(schema.rows(), 0);
    let whole = get(&butler, "ref", "htm=1");
    let whole = pantler::core::object::downcast::<Table>(whole.as_ref()).unwrap();
    assert_eq!(
        schema.column_names().collect::<Vec<_>>(),
        whole.column_names().collect::<Vec<_>>()
    );
    assert_eq!(document(&get(&butler, "ref.len", "htm=1")), 255);
}
