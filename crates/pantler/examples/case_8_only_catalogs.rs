//! Use case 8: a repository with catalogs and what they need, the images left behind.
//!
//! `cargo run --example case_8_only_catalogs FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

use std::sync::Arc;

use arrow_array::{Float64Array, RecordBatch};
use pantler::objects::{Metadata, Table};
use pantler::{ObjectRef, PutOptions, TransferBy, TransferOptions};

const POLICY: &str = include_str!("../../../examples/case_8_only_catalogs.yaml");

fn main() -> sky::Done {
    let survey = sky::simulate()?;
    let butler = sky::over(&survey, "mine", POLICY)?;
    for ccd in [15, 16] {
        let data_id = format!("visit=903334 ccd={ccd}");
        sky::put(&butler, &sources()?, "icSrc", &data_id)?;
        butler.link("src", &sky::id(&data_id), &PutOptions::default())?;
    }

    // The catalogs are named; what they need comes along. First it is only said.
    let laptop = survey.join("laptop");
    let dry_run = TransferOptions {
        dry_run: true,
        ..TransferOptions::default()
    };
    let report = butler.transfer_to(&laptop, &["src"], &dry_run, &|_, _| ())?;
    for each in &report.types {
        let (name, kind) = (each.dataset_type.to_string(), each.kind.name());
        println!("{name:21} {kind:9} {}", each.count);
    }
    let done = butler.transfer_to(&laptop, &["src"], &TransferOptions::default(), &|_, _| ())?;
    println!("brought as was said: {}", done.types == report.types);
    let files: Vec<String> = sky::artifacts(&laptop)?.into_keys().collect();
    println!("files: {}", files.join(", "));

    // The laptop stands alone. It has the catalogs and their calibrations under the names that they always had.
    let laptop = sky::open(&laptop)?;
    let calib = sky::get(&butler, "calexp:sfm.photoCalib", "visit=903334 ccd=16")?;
    let src = sky::get(&laptop, "src", "visit=903334 ccd=16")?;
    let is_same = |other: Option<ObjectRef>| {
        other.is_some_and(|other| other.difference(calib.as_ref()).is_none())
    };
    println!(
        "the same calibration: {}",
        is_same(src.component("photoCalib"))
    );
    let alone = sky::get(&laptop, "calexp:sfm.photoCalib", "visit=903334 ccd=16")?;
    println!("by its own name: {}", is_same(Some(alone)));
    for name in ["calexp:sfm", "calexp:sfm.wcs"] {
        let is_there = laptop.exists(name, &sky::id("visit=903334 ccd=16"))?;
        println!("{name} is there: {is_there}");
    }

    // By reference the artifacts stay where they are, and nothing of them is read or written.
    let by_reference = TransferOptions {
        by: TransferBy::Reference,
        data_id: sky::id("ccd=16"),
        ..TransferOptions::default()
    };
    let view = survey.join("view");
    let done = butler.transfer_to(&view, &["src"], &by_reference, &|_, _| ())?;
    println!(
        "by reference: {} datasets, {} bytes",
        done.count(),
        done.bytes()
    );
    let src = sky::get(&sky::open(&view)?, "src", "visit=903334 ccd=16")?;
    println!(
        "read where it lies: {}",
        is_same(src.component("photoCalib"))
    );
    Ok(())
}

fn sources() -> sky::Done<ObjectRef> {
    let column = |values: [f64; 3]| Arc::new(Float64Array::from(values.to_vec())) as _;
    let batch = RecordBatch::try_from_iter([
        ("x", column([100.0, 250.0, 400.0])),
        ("flux", column([5e3, 7e3, 9e3])),
    ])?;
    Ok(Arc::new(Table::new(batch, Metadata::default())?))
}
