//! What the examples share: a simulated survey, the calls of a butler in short, and what things cost.
//!
//! The survey is that of `pantler demo`: in `single_visit`, exposures of two visits.

#![allow(dead_code, reason = "each example uses some of it")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pantler::assemble::PluginSet;
use pantler::core::policy::PolicyText;
use pantler::core::{Registry, Store};
use pantler::simulate::Sky;
use pantler::store::CountingStore;
use pantler::{
    Butler, ButlerOptions, DataId, ObjectRef, Parameters, PutOptions, PutResult, open_local,
};

type Counting = CountingStore<Arc<dyn Store>>;

pub type Done<T = ()> = Result<T, Box<dyn Error>>;

const SINGLE_VISIT: &str = r#"
datasets:
  calexp:sfm: {template: "calexp/%(visit)07d/%(ccd)03d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
"#;

/// Returns the folder that the command line names.
pub fn folder() -> Done<PathBuf> {
    let named = std::env::args_os().nth(1);
    Ok(named
        .ok_or("name a folder that does not exist: cargo run --example NAME FOLDER")?
        .into())
}

/// Simulates the survey in a new folder, and returns the folder.
pub fn simulate() -> Done<PathBuf> {
    let folder = folder()?;
    let butler = make(
        &folder.join("single_visit"),
        SINGLE_VISIT,
        &[],
        PluginSet::standard(),
    )?;
    let sky = Sky::new(1);
    for (visit, ccd) in [903_334, 903_342]
        .into_iter()
        .flat_map(|visit| [15, 16, 17].map(|ccd| (visit, ccd)))
    {
        let exposure: ObjectRef = Arc::new(sky.single_visit(visit, ccd, (512, 512)));
        put(
            &butler,
            &exposure,
            "calexp:sfm",
            &format!("visit={visit} ccd={ccd}"),
        )?;
    }
    Ok(folder)
}

/// Makes a repository of a policy, over parents, and opens it to read and to write.
pub fn make(root: &Path, policy: &str, parents: &[PathBuf], plugins: PluginSet) -> Done<Butler> {
    let policy = PolicyText {
        file: "policy.yaml".into(),
        text: policy.to_owned(),
    };
    Butler::init(root, &[policy], parents)?;
    let options = ButlerOptions {
        plugins,
        ..ButlerOptions::default()
    };
    Ok(Butler::open(&[], &[root.to_path_buf()], options)?)
}

/// Makes `mine`, a repository that builds on the survey's `single_visit`, and opens it.
pub fn over(survey: &Path, name: &str, policy: &str) -> Done<Butler> {
    make(
        &survey.join(name),
        policy,
        &[survey.join("single_visit")],
        PluginSet::standard(),
    )
}

/// Opens a repository to read from.
pub fn open(root: &Path) -> Done<Butler> {
    Ok(Butler::open(
        &[root.to_path_buf()],
        &[],
        ButlerOptions::default(),
    )?)
}

/// Reads a data ID as it is printed: `visit=903334 ccd=16`.
pub fn id(text: &str) -> DataId {
    DataId::parse(text).expect("the examples write data IDs as they are printed")
}

pub fn get(butler: &Butler, name: &str, data_id: &str) -> pantler::Result<ObjectRef> {
    butler.get(name, &id(data_id), &Parameters::default())
}

pub fn put(
    butler: &Butler,
    object: &ObjectRef,
    name: &str,
    data_id: &str,
) -> pantler::Result<PutResult> {
    butler.put(object, name, &id(data_id), &PutOptions::default())
}

/// Prints what a put did.
pub fn say(done: &PutResult) {
    println!(
        "put: written {} | input only {}",
        done.written.join(", "),
        done.input_only.join(", ")
    );
}

/// Returns how many bytes are read to get one thing where nothing was read before.
pub fn cost(root: &Path, name: &str, data_id: &str) -> Done<u64> {
    let stores: Arc<Mutex<Vec<Arc<Counting>>>> = Arc::default();
    let opened = Arc::clone(&stores);
    let options = ButlerOptions {
        opener: Arc::new(move |root, access| {
            let (store, registry) = open_local(root, access)?;
            let store = Arc::new(CountingStore::new(store));
            opened
                .lock()
                .expect("nobody panics while it is held")
                .push(Arc::clone(&store));
            Ok((store as Arc<dyn Store>, registry as Arc<dyn Registry>))
        }),
        ..ButlerOptions::default()
    };
    let butler = Butler::open(&[root.to_path_buf()], &[], options)?;
    let read = || -> u64 {
        let stores = stores.lock().expect("nobody panics while it is held");
        stores.iter().map(|store| store.counts().bytes_read).sum()
    };
    // What it takes to open a repository is the same for everything.
    let before = read();
    get(&butler, name, data_id)?;
    Ok(read() - before)
}

/// Returns the files of a repository, each with its bytes; what is pantler's own does not count.
pub fn artifacts(root: &Path) -> Done<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let is_own = path.ends_with(".pantler") || path.ends_with("policy.yaml");
            if entry.file_type()?.is_dir() && !is_own {
                folders.push(path);
            } else if !is_own {
                let below = path.strip_prefix(root)?.to_string_lossy().into_owned();
                found.insert(below, entry.metadata()?.len());
            }
        }
    }
    Ok(found)
}
