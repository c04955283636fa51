//! A small simulated survey in two repositories, made through the library, for what needs exposures.

use std::sync::Arc;

use pantler::core::policy::PolicyText;
use pantler::simulate::Sky;
use pantler::{Butler, ButlerOptions, DataId, KeyValue, ObjectRef, PutOptions};

use crate::support::Place;

const SINGLE_VISIT: &str = "\
stages: [sfm]
keys:
  visit: {type: int}
  ccd: {type: int}
datasets:
  calexp:sfm:
    template: 'calexp/%(visit)07d/%(ccd)03d.fits'
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
    description: a calibrated exposure
";

pub const JOINTCAL: &str = "\
stages: [sfm, jointcal]
keys:
  tract: {type: int}
datasets:
  jointcal_wcs:
    template: 'jointcal/%(tract)04d/wcs-%(visit)07d-%(ccd)03d.fits'
    python: lsst.afw.geom.SkyWcs
    storage: FitsStorage
  jointcal_calib:
    template: 'jointcal/%(tract)04d/calib-%(visit)07d-%(ccd)03d.fits'
    python: lsst.afw.image.PhotoCalib
    storage: FitsStorage
  calexp:jointcal:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: 'calexp:sfm', inputOnly: true}
      wcs: {datasetType: jointcal_wcs}
      calib: {datasetType: jointcal_calib}
  calexp_wcs:
    template: 'calexp/%(visit)07d/%(ccd)03d.fits'
    python: lsst.afw.geom.SkyWcs
    storage: FitsStorage
  post_calexp:
    template: 'post/%(visit)07d/%(ccd)03d.fits'
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
  calexp:shown:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: 'calexp:sfm', inputOnly: true}
      wcs: {datasetType: jointcal_wcs}
      assembler: pantler.overlay
";

/// Makes `single_visit` with ccds 16 and 17 of visit 903334, and `jointcal` with two tracts for ccd 16 and none for 17.
pub fn survey() -> Place {
    let place = Place::new();
    let sky = Sky::new(1);
    let (base, child) = (place.path("single_visit"), place.path("jointcal"));
    init(&base, SINGLE_VISIT, &[]);
    let butler = Butler::open(&[], std::slice::from_ref(&base), ButlerOptions::default())
        .expect("it can be opened");
    let put = |butler: &Butler, object: ObjectRef, name: &str, data_id: &DataId| {
        let put = butler.put(&object, name, data_id, &PutOptions::default());
        put.unwrap_or_else(|error| panic!("{}", error.report()));
    };
    let data_id = |ccd: i64| {
        DataId::new([
            ("visit", KeyValue::Int(903_334)),
            ("ccd", KeyValue::Int(ccd)),
        ])
    };
    for ccd in [16, 17] {
        put(
            &butler,
            Arc::new(sky.single_visit(903_334, ccd, (64, 64))),
            "calexp:sfm",
            &data_id(ccd),
        );
    }
    init(&child, JOINTCAL, &[base]);
    let butler = Butler::open(&[], &[child], ButlerOptions::default()).expect("it can be opened");
    for tract in [0, 1] {
        let data_id = data_id(16).with("tract", KeyValue::Int(tract));
        put(
            &butler,
            Arc::new(sky.jointcal_wcs(903_334, 16, tract)),
            "jointcal_wcs",
            &data_id,
        );
        put(
            &butler,
            Arc::new(sky.jointcal_calib(903_334, 16, tract)),
            "jointcal_calib",
            &data_id,
        );
    }
    place
}

fn init(root: &std::path::Path, policy: &str, parents: &[std::path::PathBuf]) {
    let policy = PolicyText {
        file: "policy.yaml".into(),
        text: policy.to_owned(),
    };
    Butler::init(root, &[policy], parents).unwrap_or_else(|error| panic!("{}", error.report()));
}
