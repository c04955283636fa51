//! Use case 1, an exposure with an updated WCS and calibration, on real files and from the command line alone.
//!
//! Two calibrated exposures (HSC and CFHT) stand for two ccds of one visit; the coordinates and calibrations of a joint fit
//! are those of two ccds of an HSC visit.

mod support;

use std::path::{Path, PathBuf};

use pantler::formats::FormatterSet;
use pantler::objects::Image;
use pantler::{ObjectRef, OutsideFile};
use serde_json::{Value, json};

use support::{Place, typed};

const SINGLE_VISIT: &str = "\
stages: [sfm]
keys:
  visit: {type: int}
  ccd: {type: int}
aliases:
  calexp: calexp:sfm
datasets:
  calexp:sfm:
    template: 'calexp/%(visit)07d/%(ccd)03d.fits'
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
";

const JOINTCAL: &str = "\
stages: [sfm, jointcal]
keys:
  tract: {type: int}
aliases:
  calexp: calexp:jointcal
datasets:
  jointcal_wcs:
    template: 'jointcal/%(tract)04d/wcs-%(visit)07d-%(ccd)03d.fits'
    python: lsst.afw.geom.SkyWcs
    storage: FitsStorage
    ingest: {path: '%(tract)d/jointcal_wcs-%(visit)07d-%(ccd)03d.fits'}
  jointcal_calib:
    template: 'jointcal/%(tract)04d/calib-%(visit)07d-%(ccd)03d.fits'
    python: lsst.afw.image.PhotoCalib
    storage: FitsStorage
    ingest: {path: '%(tract)d/jointcal_photoCalib-%(visit)07d-%(ccd)03d.fits'}
  calexp:jointcal:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: 'calexp:sfm', inputOnly: true}
      wcs: {datasetType: jointcal_wcs}
      calib: {datasetType: jointcal_calib}
";

/// One WCS for all ccds of a visit; and exposures of ccd 50 with its own WCS, and with that of ccd 49.
const SHARED: &str = "\
stages: [sfm, jointcal, shared]
datasets:
  visit_wcs:
    template: 'visit/%(tract)04d/wcs-%(visit)07d.fits'
    python: lsst.afw.geom.SkyWcs
    storage: FitsStorage
  calexp:shared:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: 'calexp:sfm', inputOnly: true}
      wcs: {datasetType: visit_wcs}
  calexp:own:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: 'calexp:sfm', inputOnly: true}
      wcs: {datasetType: jointcal_wcs}
  calexp:swapped:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: 'calexp:sfm', inputOnly: true}
      wcs: {datasetType: jointcal_wcs, dataId: {ccd: 49}}
";

/// Returns the real files, or nothing where they are absent.
fn real_files() -> Option<Vec<PathBuf>> {
    [
        "exposures/hsc_calexp_full.fits",
        "exposures/cfht/calexp-849375-12.fits.fz",
        "exposures/joint/8766/jointcal_wcs-0011506-049.fits",
        "exposures/joint/8766/jointcal_wcs-0011506-050.fits",
        "exposures/joint/8766/jointcal_photoCalib-0011506-049.fits",
        "exposures/joint/8766/jointcal_photoCalib-0011506-050.fits",
    ]
    .into_iter()
    .map(pantler_testkit::test_data)
    .collect()
}

/// Returns `single_visit` with ccds 49 and 50 of visit 11506, and its child `jointcal` with their parts for tract 8766.
fn repositories() -> Option<Place> {
    let files = real_files()?;
    let file = |index: usize| typed(&files[index]);
    let place = Place::new();
    place.write("single_visit.yaml", SINGLE_VISIT);
    place.write("jointcal.yaml", JOINTCAL);
    place.ok("init single_visit --policy single_visit.yaml");
    for (index, ccd) in [(0, 49), (1, 50)] {
        place.ok(&format!(
            "ingest single_visit calexp:sfm {} visit=11506 ccd={ccd}",
            file(index)
        ));
    }
    place.ok("init jointcal --policy jointcal.yaml --parent single_visit");
    // Visit, ccd and tract stand in the files' names, as the policy's rules for ingest say.
    let ingested = place.json(&format!(
        "ingest jointcal jointcal_wcs {} {}",
        file(2),
        file(3)
    ));
    assert_eq!(ingested, json!({ "ingested": 2, "same": 0, "failed": [] }));
    let ingested = place.json(&format!(
        "ingest jointcal jointcal_calib {} {}",
        file(4),
        file(5)
    ));
    assert_eq!(ingested, json!({ "ingested": 2, "same": 0, "failed": [] }));
    Some(place)
}

fn read(path: &Path) -> ObjectRef {
    let file = OutsideFile::open(&FormatterSet::standard(), path);
    let object = file.and_then(|file| file.read(None));
    object.unwrap_or_else(|error| panic!("{}", error.report()))
}

/// Gets a dataset as a file and reads it.
fn get(place: &Place, dataset: &str) -> ObjectRef {
    place.ok(&format!("get {dataset} --out got.fits"));
    read(&place.path("got.fits"))
}

fn same_pixels(one: &ObjectRef, other: &ObjectRef) -> bool {
    let pixels = |object: &ObjectRef| {
        pantler::core::object::downcast::<Image>(object.as_ref())
            .map(|image| image.pixels().clone())
    };
    let (one, other) = (
        pixels(one).expect("an image"),
        pixels(other).expect("an image"),
    );
    let bits = |pixels: &pantler::objects::Pixels| -> Vec<Option<u64>> {
        (0..pixels.len())
            .map(|index| pixels.get_f64(index).map(f64::to_bits))
            .collect()
    };
    one.pixel_type() == other.pixel_type() && bits(&one) == bits(&other)
}

fn has_pixels(bytes: &[u8]) -> bool {
    [&b"XTENSION= 'IMAGE"[..], b"ZIMAGE  ="]
        .iter()
        .any(|mark| bytes.windows(mark.len()).any(|window| window == *mark))
}

/// `calexp:jointcal`, and `calexp` of that version, is one object; the child alone is enough to find it.
#[test]
fn one_object_under_both_names_from_the_child_alone() {
    let Some(place) = repositories() else { return };
    for ccd in [49, 50] {
        let id = format!("visit=11506 ccd={ccd} tract=8766");
        place.ok(&format!(
            "get jointcal calexp:jointcal {id} --out by_name.fits"
        ));
        place.ok(&format!(
            "get jointcal calexp version=jointcal {id} --out by_version.fits"
        ));
        let bytes = |name: &str| std::fs::read(place.path(name)).expect("it is there");
        assert_eq!(bytes("by_name.fits"), bytes("by_version.fits"));
    }
    let explained = place.json("explain jointcal calexp:jointcal visit=11506 ccd=49");
    assert_eq!(
        explained["components"]["calexp"]["repository"],
        "[folder]/single_visit"
    );
    assert_eq!(
        explained["components"]["calexp"]["repository_name"],
        "single_visit"
    );
}

/// Pixels are those of the single visit, bit for bit; coordinates and calibration are those of the joint fit.
#[test]
fn pixels_of_the_visit_and_coordinates_of_the_fit() {
    let Some(place) = repositories() else { return };
    for ccd in [49, 50] {
        let id = format!("visit=11506 ccd={ccd}");
        for plane in ["image", "variance"] {
            let visit = get(&place, &format!("jointcal calexp:sfm.{plane} {id}"));
            let joint = get(&place, &format!("jointcal calexp:jointcal.{plane} {id}"));
            assert!(same_pixels(&visit, &joint), "{plane} of ccd {ccd}");
        }
        for (part, fitted) in [("wcs", "jointcal_wcs"), ("photoCalib", "jointcal_calib")] {
            let joint = get(&place, &format!("jointcal calexp:jointcal.{part} {id}"));
            let fitted = get(&place, &format!("jointcal {fitted} {id}"));
            let visit = get(&place, &format!("jointcal calexp:sfm.{part} {id}"));
            assert_eq!(
                joint.difference(fitted.as_ref()),
                None,
                "{part} of ccd {ccd}"
            );
            assert!(
                joint.difference(visit.as_ref()).is_some(),
                "{part} of ccd {ccd}"
            );
        }
    }
}

/// A put writes the two small artifacts and the composition, and no pixel; the single visit is untouched.
#[test]
fn a_put_writes_two_artifacts_and_no_pixel() {
    let Some(place) = repositories() else { return };
    let (visit, before) = (place.artifacts("single_visit"), place.artifacts("jointcal"));
    place.ok("get jointcal calexp:jointcal visit=11506 ccd=49 --out updated.fits");
    let ran = place.run(
        "put jointcal calexp:jointcal updated.fits visit=11506 ccd=49 tract=8767 --json --stats",
    );
    assert_eq!(ran.status, 0, "{}", ran.error);
    let put = ran.document();
    let locations = [
        "jointcal/8767/wcs-0011506-049.fits",
        "jointcal/8767/calib-0011506-049.fits",
    ];
    assert_eq!(put["written"], json!(locations));
    assert_eq!(put["input_only"], json!(["calexp"]));
    assert_eq!(put["recorded"], true);
    let after = place.artifacts("jointcal");
    let new: Vec<&(String, Vec<u8>)> = after.iter().filter(|file| !before.contains(file)).collect();
    assert_eq!(new.len(), 2);
    assert_eq!(after.len(), before.len() + 2);
    for (name, bytes) in &new {
        assert!(locations.contains(&name.as_str()), "{name}");
        assert!(!has_pixels(bytes), "{name}");
    }
    let written: u64 = new.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    assert_eq!(ran.stat("bytes_written"), written);
    assert_eq!(place.artifacts("single_visit"), visit);
    // The composition is recorded, and stands in front of lookup.
    let explained = place.json("explain jointcal calexp:jointcal visit=11506 ccd=49 tract=8767");
    assert_eq!(explained["origin"], "recorded");
    // The same again writes nothing.
    let again =
        place.json("put jointcal calexp:jointcal updated.fits visit=11506 ccd=49 tract=8767");
    assert_eq!(again["written"], json!([]));
    assert_eq!(again["id"], put["id"]);
    assert_eq!(place.json("fsck jointcal --deep")["clean"], true);
}

/// One component costs its own bytes.
#[test]
fn a_component_costs_its_own_bytes() {
    let Some(place) = repositories() else { return };
    let explained = place.json("explain jointcal calexp:jointcal.wcs visit=11506 ccd=49");
    let ran =
        place.run("get jointcal calexp:jointcal.wcs visit=11506 ccd=49 --out wcs.fits --stats");
    assert_eq!(ran.stat("artifacts_opened"), 1);
    assert!(
        Some(ran.stat("bytes_read")) <= explained["bytes"].as_u64(),
        "{}",
        ran.error
    );
    assert!(ran.stat("bytes_read") < 50_000, "{}", ran.error);
}

/// A tract that is left out is completed where one exists, and is an error that lists them where several do.
#[test]
fn the_tract_is_completed_or_listed() {
    let Some(place) = repositories() else { return };
    let explained = place.json("explain jointcal calexp:jointcal visit=11506 ccd=49");
    assert_eq!(
        explained["data_id"],
        json!({ "visit": 11506, "ccd": 49, "tract": 8766 })
    );
    place.ok("get jointcal calexp:jointcal visit=11506 ccd=49 --out updated.fits");
    place.ok("put jointcal calexp:jointcal updated.fits visit=11506 ccd=49 tract=8767");
    let ran = place.run("get jointcal calexp:jointcal visit=11506 ccd=49 --out again.fits --json");
    assert_eq!(ran.status, 2);
    let error = ran.failure();
    assert_eq!(error["kind"], "ambiguous");
    assert_eq!(
        error["message"],
        "`calexp:jointcal` needs the key `tract`, and 2 values match"
    );
    assert_eq!(
        error["facts"]["found"],
        json!(["tract=8766 (jointcal), tract=8767 (jointcal)"])
    );
    assert!(!place.path("again.fits").exists());
    // The other ccd still has one.
    place.ok("get jointcal calexp:jointcal visit=11506 ccd=50 --out again.fits");
}

/// Where the joint fit has no WCS for an exposure, that is said; the single visit's is never used instead.
#[test]
fn a_missing_wcs_is_an_error() {
    let Some(place) = repositories() else { return };
    place.ok("rm jointcal jointcal_wcs visit=11506 ccd=50 tract=8766");
    let ran = place
        .run("get jointcal calexp:jointcal visit=11506 ccd=50 tract=8766 --out never.fits --json");
    assert_eq!(ran.status, 2);
    let error = ran.failure();
    assert_eq!(error["kind"], "not_found");
    assert_eq!(
        error["message"],
        "component `wcs` of `calexp:jointcal` was not found in any repository"
    );
    let why = "a component is never taken from another stage, so wcs of calexp:sfm was not used";
    assert_eq!(error["facts"]["why"], json!([why]));
    let searched: Vec<&Value> = error["trail"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|step| &step["repository"])
        .collect();
    assert_eq!(searched, ["jointcal", "single_visit"]);
    place.refused(
        "get jointcal calexp:jointcal.wcs visit=11506 ccd=50 tract=8766 --out never.fits",
        2,
    );
    assert!(!place.path("never.fits").exists());
    // The other exposure is as it was.
    place.ok("get jointcal calexp:jointcal visit=11506 ccd=49 --out updated.fits");
}

/// The same exposure in two tracts: two composites, one set of pixels on disk.
#[test]
fn two_tracts_share_the_pixels() {
    let Some(place) = repositories() else { return };
    place.ok("link jointcal calexp:jointcal visit=11506 ccd=49 tract=8766");
    place.ok("get jointcal calexp:jointcal visit=11506 ccd=49 --out updated.fits");
    place.ok("put jointcal calexp:jointcal updated.fits visit=11506 ccd=49 tract=8767");
    let found = place.json("query jointcal calexp:jointcal ccd=49");
    let tracts: Vec<&Value> = found
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| &each["data_id"]["tract"])
        .collect();
    assert_eq!(tracts, [8766, 8767]);
    let pixels = |tract: u64| {
        let line = format!("explain jointcal calexp:jointcal visit=11506 ccd=49 tract={tract}");
        let calexp = place.json(&line)["components"]["calexp"].clone();
        (calexp["repository"].clone(), calexp["location"].clone())
    };
    assert_eq!(pixels(8766), pixels(8767));
    let with_pixels: Vec<String> = ["single_visit", "jointcal"]
        .into_iter()
        .flat_map(|repository| place.artifacts(repository))
        .filter(|(_, bytes)| has_pixels(bytes))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        with_pixels,
        ["calexp/0011506/049.fits", "calexp/0011506/050.fits"]
    );
}

/// One WCS for many exposures is stored once; another one under the same data ID is refused, and nothing of that put stays.
#[test]
fn a_shared_component_is_stored_once() {
    let Some(place) = repositories() else { return };
    place.write("shared.yaml", SHARED);
    place.ok("init shared --policy shared.yaml --parent jointcal");
    place.ok("get shared calexp:swapped visit=11506 ccd=49 tract=8766 --out 49.fits");
    place.ok("get shared calexp:swapped visit=11506 ccd=50 tract=8766 --out 50.fits");
    let put = place.json("put shared calexp:shared 49.fits visit=11506 ccd=49 tract=8766");
    assert_eq!(put["written"], json!(["visit/8766/wcs-0011506.fits"]));
    let put = place.json("put shared calexp:shared 50.fits visit=11506 ccd=50 tract=8766");
    assert_eq!(
        (put["written"].clone(), put["unchanged"].clone()),
        (json!([]), json!(["wcs"]))
    );
    let artifacts = place.artifacts("shared");
    assert_eq!(artifacts.len(), 1);
    let datasets = place.json("query shared");
    // The coordinates of its own, under the data ID of the shared ones.
    place.ok("get shared calexp:own visit=11506 ccd=50 tract=8766 --out own.fits");
    place.ok("rm shared calexp:shared visit=11506 ccd=50 tract=8766");
    let before = place.json("query shared");
    assert_ne!(before, datasets);
    let ran = place.run("put shared calexp:shared own.fits visit=11506 ccd=50 tract=8766 --json");
    assert_eq!(
        (ran.status, ran.failure()["kind"].clone()),
        (2, json!("conflict")),
        "{}",
        ran.error
    );
    assert_eq!(place.artifacts("shared"), artifacts);
    assert_eq!(place.json("query shared"), before);
    assert_eq!(
        place.json("fsck shared --deep"),
        json!({ "clean": true, "problems": [], "leftover": [] })
    );
}

/// The child's policy says what `calexp` means there; in its parent it means what it did.
#[test]
fn an_unqualified_name_means_what_the_repository_says() {
    let Some(place) = repositories() else { return };
    let meant = |repository: &str| {
        place.json(&format!("explain {repository} calexp visit=11506 ccd=49"))["dataset_type"]
            .clone()
    };
    assert_eq!(meant("jointcal"), "calexp:jointcal");
    assert_eq!(meant("single_visit"), "calexp:sfm");
}

/// Files that lie as a template says are taken where they are, the filter and the tract read off their folders.
#[test]
fn files_are_taken_where_they_lie() {
    let Some(folder) = pantler_testkit::test_data("exposures/joint/HSC-R/9615") else {
        return;
    };
    let place = Place::new();
    place.write(
        "fit.yaml",
        "datasets:\n  jointcal_wcs:\n    template: '%(filter)s/%(tract)04d/jointcal_wcs-%(visit)07d-%(ccd)03d.fits'\n    python: lsst.afw.geom.SkyWcs\n    storage: FitsStorage\n",
    );
    place.ok("init fit --policy fit.yaml");
    let mut line = "ingest fit jointcal_wcs".to_owned();
    for entry in std::fs::read_dir(&folder).expect("it can be read") {
        let from = entry.expect("it can be read").path();
        let name = format!(
            "fit/HSC-R/9615/{}",
            from.file_name().expect("it has a name").display()
        );
        std::fs::create_dir_all(place.path("fit/HSC-R/9615")).expect("a folder can be made");
        std::fs::copy(&from, place.path(&name)).expect("it can be copied");
        line.push_str(&format!(" {name}"));
    }
    let ran = place.run(&format!("{line} --json --stats"));
    assert_eq!(
        ran.document(),
        json!({ "ingested": 4, "same": 0, "failed": [] })
    );
    assert_eq!(ran.stat("bytes_written"), 0);
    let found = place.json("query fit --order-by visit,ccd");
    let ids: Vec<&Value> = found
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| &each["data_id"])
        .collect();
    let id = |visit: u64, ccd: u64| json!({ "filter": "HSC-R", "tract": 9615, "visit": visit, "ccd": ccd });
    assert_eq!(
        ids,
        [
            &id(23900, 37),
            &id(23900, 49),
            &id(23924, 37),
            &id(23924, 49)
        ]
    );
    assert_eq!(
        found[0]["location"],
        "HSC-R/9615/jointcal_wcs-0023900-037.fits"
    );
    place.ok("get fit jointcal_wcs visit=23924 ccd=37 --out wcs.fits");
    assert_eq!(place.json("fsck fit --deep")["clean"], true);
}
