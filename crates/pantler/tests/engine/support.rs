//! Two repositories in memory, as single-visit processing and jointcal leave them, and small exposures to put there.

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler::core::store::{Link, OnExisting, RangeRequest};
use pantler::core::{ArtifactPath, Location, Registry, Store};
use pantler::objects::{Card, Carrier, Exposure, Image, Mask, Metadata, PhotoCalib, Wcs};
use pantler::registry::{CountingRegistry, MemoryRegistry};
use pantler::store::{CountingStore, MemoryStore};
use pantler::{
    Butler, ButlerOptions, Chain, DataId, ObjectRef, Parameters, PutOptions, Repository, Who,
};

pub const SINGLE_VISIT: &str = r#"
datasets:
  calexp:sfm:
    template: "calexp/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
"#;

pub const JOINTCAL: &str = r#"
aliases:
  calexp: calexp:jointcal
datasets:
  jointcal_wcs:
    template: "jointcal/%(tract)04d/wcs-%(visit)07d-%(ccd)03d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
  jointcal_calib:
    template: "jointcal/%(tract)04d/calib-%(visit)07d-%(ccd)03d.fits"
    python: lsst.afw.image.Calib
    storage: FitsStorage
  calexp:jointcal:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
      wcs:    {datasetType: jointcal_wcs}
      calib:  {datasetType: jointcal_calib}
"#;

/// One repository's parts, which outlive any butler that is opened on them.
#[derive(Clone)]
pub struct Place {
    pub name: &'static str,
    pub store: Arc<dyn Store>,
    pub registry: Arc<dyn Registry>,
}

impl Place {
    pub fn new(name: &'static str, policy: &str) -> Place {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(name));
        write_policy(store.as_ref(), policy);
        Place {
            name,
            store,
            registry: Arc::new(MemoryRegistry::new()),
        }
    }

    pub fn open(&self) -> Arc<Repository> {
        let opened =
            Repository::from_parts(self.name, self.store.clone(), self.registry.clone(), true);
        Arc::new(opened.unwrap_or_else(|error| panic!("{}", error.report())))
    }

    /// All artifacts that are neither pantler's own nor the policy.
    pub fn artifacts(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .store
            .list(None)
            .map(|entry| entry.unwrap().0.to_string())
            .filter(|name| name != "policy.yaml")
            .collect();
        names.sort();
        names
    }

    pub fn own_files(&self, folder: &str) -> Vec<String> {
        let folder = ArtifactPath::new(folder).unwrap();
        self.store
            .list(Some(&folder))
            .map(|entry| entry.unwrap().0.to_string())
            .collect()
    }

    pub fn bytes_of(&self, path: &str) -> Vec<u8> {
        let location = Location::parse(path).unwrap();
        let stat = self
            .store
            .stat_many(std::slice::from_ref(&location))
            .unwrap()[0]
            .clone()
            .unwrap();
        let request = RangeRequest {
            location,
            ranges: std::iter::once(0..stat.bytes).collect(),
        };
        self.store.read_ranges(&[request]).unwrap()[0][0].to_vec()
    }
}

pub fn write_policy(store: &dyn Store, policy: &str) {
    write(store, "policy.yaml", policy.as_bytes());
}

pub fn write(store: &dyn Store, path: &str, mut bytes: &[u8]) {
    let staged = ArtifactPath::new(".pantler/staging/written-by-a-test").unwrap();
    let target = ArtifactPath::new(path).unwrap();
    store.stage(&staged, &mut bytes).unwrap();
    store.sync(std::slice::from_ref(&staged)).unwrap();
    let link = Link {
        from: staged.clone(),
        to: target.clone(),
        existing: OnExisting::Replace,
    };
    store.link(&[link]).unwrap();
    store.sync(&[target]).unwrap();
    store.delete(std::slice::from_ref(&staged)).unwrap();
    store.sync(&[staged]).ok();
}

/// A butler over places in search order; the first `outputs` are written to.
pub fn butler(places: &[&Place], outputs: usize) -> Butler {
    let chain = Chain::of(places.iter().map(|place| place.open()).collect(), outputs);
    Butler::of(
        chain.unwrap_or_else(|error| panic!("{}", error.report())),
        options(),
    )
}

pub fn options() -> ButlerOptions {
    ButlerOptions {
        who: Who {
            user: "ada".into(),
            host: "observatory".into(),
        },
        ..ButlerOptions::default()
    }
}

/// single_visit with one exposure, and jointcal over it, empty.
pub struct Pair {
    pub single: Place,
    pub joint: Place,
}

impl Pair {
    pub fn new() -> Pair {
        let pair = Pair {
            single: Place::new("single_visit", SINGLE_VISIT),
            joint: Place::new("jointcal", JOINTCAL),
        };
        put(
            &butler(&[&pair.single], 1),
            &exposure(1.0),
            "calexp:sfm",
            "visit=903334 ccd=16",
        );
        pair
    }

    pub fn butler(&self) -> Butler {
        butler(&[&self.joint, &self.single], 1)
    }

    /// Puts the parts of one tract on their own, as two tasks would.
    pub fn put_parts(&self, tract: i64) {
        let butler = self.butler();
        let data_id = format!("visit=903334 ccd=16 tract={tract}");
        put(
            &butler,
            &wcs(150.0 + tract as f64),
            "jointcal_wcs",
            &data_id,
        );
        put(
            &butler,
            &calib(1e12 + tract as f64),
            "jointcal_calib",
            &data_id,
        );
    }
}

pub fn id(text: &str) -> DataId {
    DataId::parse(text).unwrap()
}

pub fn put(butler: &Butler, object: &ObjectRef, name: &str, data_id: &str) -> pantler::PutResult {
    try_put(butler, object, name, data_id).unwrap_or_else(|error| panic!("{}", error.report()))
}

pub fn try_put(
    butler: &Butler,
    object: &ObjectRef,
    name: &str,
    data_id: &str,
) -> pantler::Result<pantler::PutResult> {
    butler.put(object, name, &id(data_id), &PutOptions::default())
}

pub fn get(butler: &Butler, name: &str, data_id: &str) -> ObjectRef {
    try_get(butler, name, data_id).unwrap_or_else(|error| panic!("{}", error.report()))
}

pub fn try_get(butler: &Butler, name: &str, data_id: &str) -> pantler::Result<ObjectRef> {
    butler.get(name, &id(data_id), &Parameters::default())
}

/// What an error says to a person.
pub fn said<T>(outcome: pantler::Result<T>) -> String {
    match outcome {
        Ok(_) => panic!("this was to fail"),
        Err(error) => error.report().to_string(),
    }
}

fn cards(entries: &[(&str, pantler::objects::CardValue)]) -> Metadata {
    Metadata::new(
        entries
            .iter()
            .map(|(keyword, value)| Card::new(*keyword, value.clone(), None)),
    )
}

/// A tangent-plane WCS around a right ascension.
pub fn header_wcs(right_ascension: f64) -> Wcs {
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
    Wcs::from_header(cards, 0, 0)
}

pub fn wcs(right_ascension: f64) -> ObjectRef {
    Arc::new(header_wcs(right_ascension))
}

pub fn calib(flux_of_magnitude_zero: f64) -> ObjectRef {
    Arc::new(PhotoCalib::new(Carrier::Header(cards(&[(
        "FLUXMAG0",
        flux_of_magnitude_zero.into(),
    )]))))
}

/// A small exposure whose pixels start at `first`.
pub fn exposure(first: f32) -> ObjectRef {
    let pixels: Vec<f32> = (0..48).map(|index| first + index as f32).collect();
    let image = Image::new(pixels, 8, 6, 0, 0).unwrap();
    let mask = Mask::new(
        vec![0; 48],
        8,
        6,
        0,
        0,
        BTreeMap::from([("BAD".into(), 0), ("DETECTED".into(), 5)]),
    )
    .unwrap();
    let variance = Image::new(vec![2.0f32; 48], 8, 6, 0, 0).unwrap();
    let metadata = cards(&[("OBSERVER", "Caroline".into())]);
    let bare = Exposure::new(
        Some(image.into()),
        Some(mask.into()),
        Some(variance.into()),
        metadata.into(),
    )
    .unwrap();
    let bare: ObjectRef = Arc::new(bare);
    bare.with_component("wcs", &wcs(149.0))
        .unwrap()
        .with_component("calib", &calib(5e11))
        .unwrap()
}

/// The right ascension that an object's WCS is centred on.
pub fn right_ascension(object: &ObjectRef) -> f64 {
    let wcs = if object.class() == "Wcs" {
        object.clone()
    } else {
        object.component("wcs").unwrap()
    };
    let wcs = pantler::core::object::downcast::<Wcs>(wcs.as_ref()).unwrap();
    wcs.carrier().header().unwrap().get_f64("CRVAL1").unwrap()
}

/// Counts what goes through a place's store and registry.
pub struct Counted {
    pub place: Place,
    pub store: Arc<CountingStore<Arc<dyn Store>>>,
    pub registry: Arc<CountingRegistry<Arc<dyn Registry>>>,
}

impl Counted {
    pub fn over(place: &Place) -> Counted {
        let store = Arc::new(CountingStore::new(place.store.clone()));
        let registry = Arc::new(CountingRegistry::new(place.registry.clone()));
        Counted {
            place: Place {
                name: place.name,
                store: store.clone(),
                registry: registry.clone(),
            },
            store,
            registry,
        }
    }
}

pub const SFM_ID: &str = "visit=903334 ccd=16";
pub const DATA_ID: &str = "visit=903334 ccd=16 tract=0";

pub fn replacing() -> PutOptions {
    PutOptions {
        on_conflict: pantler::OnConflict::Replace,
        ..PutOptions::default()
    }
}

pub fn note(value: serde_json::Value) -> ObjectRef {
    Arc::new(pantler::objects::Document::new(value))
}

pub fn without(object: &ObjectRef, name: &str) -> ObjectRef {
    let exposure = pantler::core::object::downcast::<Exposure>(object.as_ref());
    Arc::new(exposure.unwrap().without(name))
}

/// A pair whose jointcal policy has further lines.
pub fn pair_with(more: &str) -> Pair {
    let pair = Pair::new();
    write_policy(pair.joint.store.as_ref(), &(JOINTCAL.to_owned() + more));
    pair
}

pub fn rewritten(pair: &Pair, policy: &str) {
    write_policy(pair.joint.store.as_ref(), policy);
}
