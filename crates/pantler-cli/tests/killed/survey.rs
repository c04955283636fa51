//! What actions are done to: two repositories as two processing steps leave them, files to put and to ingest.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use pantler::objects::{Card, Carrier, Exposure, Image, Mask, Metadata, PhotoCalib, Wcs};
use pantler::{Butler, ButlerOptions, DataId, ObjectRef, Parameters, PutOptions};

use super::support::Place;

const SINGLE_VISIT: &str = r#"
datasets:
  calexp:sfm:
    template: "calexp/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
"#;

const JOINTCAL: &str = r#"
datasets:
  jointcal_wcs:
    template: "wcs/%(visit)07d-%(ccd)03d-%(tract)d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
  jointcal_calib:
    template: "calib/%(visit)07d-%(ccd)03d-%(tract)d.fits"
    python: lsst.afw.image.Calib
    storage: FitsStorage
  calexp:jointcal:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
      wcs:    {datasetType: jointcal_wcs}
      calib:  {datasetType: jointcal_calib}
"#;

/// A type that only this repository defines: whoever puts it elsewhere brings the definition along.
const NOTES: &str = r#"
datasets:
  note: {template: "notes/%(visit)d.json", python: dict, storage: JsonStorage}
"#;

/// `single` and `joint` as two processing steps leave them, files to put and to ingest: made once, copied for each test.
pub static SURVEY: LazyLock<Place> = LazyLock::new(|| {
    let place = Place::new();
    place.write("single.yaml", SINGLE_VISIT);
    place.write("jointcal.yaml", JOINTCAL);
    place.write("notes.yaml", NOTES);
    place.write("note.json", r#"{"seeing": 0.7}"#);
    place.ok("init single --policy single.yaml");
    place.ok("init notes --policy notes.yaml");
    let single = butler(&place, "single");
    put(&single, &exposure(8), "calexp:sfm", "visit=1 ccd=1");
    // The files to put are what the program itself hands out.
    for (name, right_ascension, flux) in [("old", 151.0, 3e12), ("new", 161.0, 4e12)] {
        place.ok("init scratch --policy jointcal.yaml --parent single");
        let object = butler(&place, "single");
        let object = get(&object, "calexp:sfm", "visit=1 ccd=1");
        let object = object.with_component("wcs", &wcs(right_ascension)).unwrap();
        let object = object.with_component("calib", &calib(flux)).unwrap();
        put(
            &butler(&place, "scratch"),
            &object,
            "calexp:jointcal",
            "visit=1 ccd=1 tract=0",
        );
        place.ok(&format!(
            "get scratch calexp:jointcal visit=1 ccd=1 tract=0 --out {name}.fits"
        ));
        place.ok(&format!(
            "get scratch jointcal_wcs visit=1 ccd=1 tract=0 --out {name}-wcs.fits"
        ));
        std::fs::remove_dir_all(place.path("scratch")).unwrap();
    }
    place.ok("init scratch --policy single.yaml");
    let scratch = butler(&place, "scratch");
    put(&scratch, &exposure(160), "calexp:sfm", "visit=9 ccd=9");
    place.ok("get scratch calexp:sfm visit=9 ccd=9 --out large.fits");
    std::fs::create_dir_all(place.path("incoming/calexp/0000007")).unwrap();
    for ccd in ["001", "002"] {
        std::fs::copy(
            place.path("old.fits"),
            place.path(&format!("incoming/calexp/0000007/{ccd}.fits")),
        )
        .unwrap();
    }
    std::fs::remove_dir_all(place.path("scratch")).unwrap();
    place.ok("init joint --policy jointcal.yaml --parent single");
    place
});

/// Returns a copy of the survey.
pub fn survey() -> Place {
    let place = Place::new();
    copy(&SURVEY.path(""), &place.path(""));
    place
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn cards(entries: &[(&str, pantler::objects::CardValue)]) -> Metadata {
    Metadata::new(
        entries
            .iter()
            .map(|(keyword, value)| Card::new(*keyword, value.clone(), None)),
    )
}

pub fn wcs(right_ascension: f64) -> ObjectRef {
    let cards = cards(&[
        ("WCSAXES", 2i64.into()),
        ("CTYPE1", "RA---TAN".into()),
        ("CTYPE2", "DEC--TAN".into()),
        ("CRPIX1", 4.0.into()),
        ("CRPIX2", 3.0.into()),
        ("CRVAL1", right_ascension.into()),
        ("CRVAL2", 2.5.into()),
        ("CUNIT1", "deg".into()),
        ("CUNIT2", "deg".into()),
        ("CD1_1", (-5e-5).into()),
        ("CD1_2", 0.0.into()),
        ("CD2_1", 0.0.into()),
        ("CD2_2", 5e-5.into()),
        ("RADESYS", "ICRS".into()),
    ]);
    Arc::new(Wcs::from_header(cards, 0, 0))
}

pub fn calib(flux_of_magnitude_zero: f64) -> ObjectRef {
    let header = cards(&[("FLUXMAG0", flux_of_magnitude_zero.into())]);
    Arc::new(PhotoCalib::new(Carrier::Header(header)))
}

/// An exposure of `size` by `size` pixels.
fn exposure(size: usize) -> ObjectRef {
    let width = u64::try_from(size).unwrap();
    let pixels: Vec<f32> = (0..size * size).map(|index| index as f32).collect();
    let image = Image::new(pixels, width, width, 0, 0).unwrap();
    let planes = BTreeMap::from([("BAD".into(), 0)]);
    let mask = Mask::new(vec![0; size * size], width, width, 0, 0, planes).unwrap();
    let variance = Image::new(vec![2.0f32; size * size], width, width, 0, 0).unwrap();
    let metadata = cards(&[("OBSERVER", "Caroline".into())]);
    let bare = Exposure::new(
        Some(image.into()),
        Some(mask.into()),
        Some(variance.into()),
        metadata.into(),
    );
    let bare: ObjectRef = Arc::new(bare.unwrap());
    let exposure = bare.with_component("wcs", &wcs(149.0)).unwrap();
    exposure.with_component("calib", &calib(5e11)).unwrap()
}

pub fn butler(place: &Place, repository: &str) -> Butler {
    Butler::open(&[], &[place.path(repository)], ButlerOptions::default())
        .unwrap_or_else(|error| panic!("{}", error.report()))
}

pub fn put(butler: &Butler, object: &ObjectRef, name: &str, data_id: &str) {
    let data_id = DataId::parse(data_id).unwrap();
    let put = butler.put(object, name, &data_id, &PutOptions::default());
    put.unwrap_or_else(|error| panic!("{}", error.report()));
}

pub fn get(butler: &Butler, name: &str, data_id: &str) -> ObjectRef {
    let got = butler.get(
        name,
        &DataId::parse(data_id).unwrap(),
        &Parameters::default(),
    );
    got.unwrap_or_else(|error| panic!("{}", error.report()))
}
