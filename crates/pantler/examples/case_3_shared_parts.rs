//! Use case 3: a catalog and its exposure, which share their coordinates and calibration in memory.
//!
//! `cargo run --example case_3_shared_parts FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

use std::sync::Arc;

use arrow_array::{Float64Array, RecordBatch};
use pantler::ObjectRef;
use pantler::objects::{Metadata, Table};

const POLICY: &str = include_str!("../../../examples/case_3_shared_parts.yaml");

fn main() -> sky::Done {
    let survey = sky::simulate()?;
    // The policy's class is one of Python. Without a class the parts stand side by side in a container.
    let policy = POLICY.replace("    python: catalogs.CatalogOfExposure\n", "");
    let butler = sky::over(&survey, "mine", &policy)?;
    sky::put(&butler, &sources(5e3)?, "icSrc", "visit=903334 ccd=16")?;
    let extended = sky::get(&butler, "extended_icSrc", "visit=903334 ccd=16")?;

    // The exposure, loaded afterwards, holds the same objects.
    let exposure = sky::get(&butler, "calexp:sfm", "visit=903334 ccd=16")?;
    let is_shared = |name: &str| match (extended.component(name), exposure.component(name)) {
        (Some(one), Some(other)) => Arc::ptr_eq(&one, &other),
        _ => false,
    };
    println!("one wcs in memory: {}", is_shared("wcs"));
    println!("one calib in memory: {}", is_shared("photoCalib"));

    // Until then no pixel had been read: this is what the exposure's two parts cost, and what the exposure costs.
    for name in ["calexp:sfm.wcs", "calexp:sfm.photoCalib", "calexp:sfm"] {
        let bytes = sky::cost(&survey.join("mine"), name, "visit=903334 ccd=16")?;
        println!("{name:21} {bytes:8} bytes read");
    }

    // A put writes what is new. Nothing is here, so the composition is recorded, and no file is written.
    let done = sky::put(&butler, &extended, "extended_icSrc", "visit=903334 ccd=16")?;
    let (written, unchanged) = (done.written.len(), done.unchanged.join(", "));
    println!(
        "put: written {written} | unchanged {unchanged} | input only {}",
        done.input_only.join(", ")
    );
    Ok(())
}

fn sources(flux: f64) -> sky::Done<ObjectRef> {
    let column = |values: [f64; 3]| Arc::new(Float64Array::from(values.to_vec())) as _;
    let batch = RecordBatch::try_from_iter([
        ("x", column([100.0, 250.0, 400.0])),
        ("y", column([80.0, 300.0, 20.0])),
        ("flux", column([flux, flux + 2e3, flux + 4e3])),
    ])?;
    Ok(Arc::new(Table::new(batch, Metadata::default())?))
}
