//! Use case 1: exposures with the coordinates and the calibration of a later processing step.
//!
//! `cargo run --example case_1_updated_wcs FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

use std::sync::Arc;

use pantler::ObjectRef;
use pantler::core::object::downcast;
use pantler::objects::Exposure;
use pantler::simulate::Sky;

const POLICY: &str = include_str!("../../../examples/case_1_updated_wcs.yaml");

fn main() -> sky::Done {
    let survey = sky::simulate()?;
    let fits = Sky::new(1); // where the simulated joint fit is taken from

    // The later step writes into a repository of its own, which builds on the first step's.
    let butler = sky::over(&survey, "mine", POLICY)?;
    for tract in [0, 1] {
        let exposure = sky::get(&butler, "calexp:sfm", "visit=903334 ccd=16")?;
        let wcs: ObjectRef = Arc::new(fits.jointcal_wcs(903_334, 16, tract));
        let calib: ObjectRef = Arc::new(fits.jointcal_calib(903_334, 16, tract));
        let updated = exposure
            .with_component("wcs", &wcs)?
            .with_component("calib", &calib)?;
        let done = sky::put(
            &butler,
            &updated,
            "calexp:jointcal",
            &format!("visit=903334 ccd=16 tract={tract}"),
        )?;
        sky::say(&done);
    }

    // Whoever opens that repository needs to know no other.
    let butler = sky::open(&survey.join("mine"))?;
    let old = sky::get(&butler, "calexp:sfm", "visit=903334 ccd=16")?;
    let new = sky::get(&butler, "calexp:jointcal", "visit=903334 ccd=16 tract=0")?;
    let pixels = |object: &ObjectRef| {
        let exposure = downcast::<Exposure>(object.as_ref());
        exposure
            .and_then(Exposure::image)
            .map(|image| image.pixels().clone())
    };
    // They are more than equal: it is the same memory.
    let same = pixels(&new)
        .zip(pixels(&old))
        .is_some_and(|(new, old)| new.shares_buffer(&old));
    println!("pixels are those of calexp:sfm: {same}");
    let part =
        |object: &ObjectRef, name: &str| object.component(name).ok_or(format!("it has no {name}"));
    let wcs = part(&new, "wcs")?
        .difference(&fits.jointcal_wcs(903_334, 16, 0))
        .is_none();
    let calib = part(&new, "calib")?
        .difference(&fits.jointcal_calib(903_334, 16, 0))
        .is_none();
    println!("wcs and calib are those of the fit: {wcs}, {calib}");

    // By the stage as a key, or by what `calexp` means here: the same parts.
    let by_key = sky::get(
        &butler,
        "calexp",
        "visit=903334 ccd=16 tract=0 version=jointcal",
    )?;
    println!(
        "by version: {}",
        Arc::ptr_eq(&part(&by_key, "wcs")?, &part(&new, "wcs")?)
    );

    // It lies in two tracts, and nobody said which is meant.
    if let Err(error) = sky::get(&butler, "calexp", "visit=903334 ccd=16") {
        println!("without tract: {}", error.report().message);
    }
    // The fit of this one is missing. The coordinates of the first step are never taken instead.
    if let Err(error) = sky::get(&butler, "calexp:jointcal", "visit=903342 ccd=15 tract=0") {
        println!("not fitted: {}", error.report().message);
    }

    let files = sky::artifacts(&survey.join("mine"))?;
    println!(
        "on disk: {} bytes in {} files",
        files.values().sum::<u64>(),
        files.len()
    );
    let old = sky::artifacts(&survey.join("single_visit"))?;
    println!("one exposure: {} bytes", old["calexp/0903334/016.fits"]);
    Ok(())
}
