//! Use case 4: an exposure before and after detection, with one set of pixels on disk.
//!
//! `cargo run --example case_4_before_and_after_detection FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler::ObjectRef;
use pantler::assemble::PluginSet;
use pantler::core::object::downcast;
use pantler::objects::{Exposure, Image, Mask, Pixels};

const POLICY: &str = include_str!("../../../examples/case_4_before_and_after_detection.yaml");

fn main() -> sky::Done {
    let survey = sky::simulate()?;
    let single_visit = sky::open(&survey.join("single_visit"))?;
    let coadd = sky::get(&single_visit, "calexp:sfm", "visit=903334 ccd=16")?;
    let pixels = pixels(&coadd)?;

    let butler = sky::make(&survey.join("coadds"), POLICY, &[], PluginSet::standard())?;
    sky::put(&butler, &coadd, "coadd", "patch=1")?;
    let sky_level = 3.5_f32;
    let bright = pixels
        .iter()
        .map(|value| i32::from(value - sky_level > 200.0));
    let planes = BTreeMap::from([("BRIGHT".to_owned(), 0)]);
    let detection: ObjectRef = Arc::new(Mask::new(
        bright.collect::<Vec<i32>>(),
        512,
        512,
        0,
        0,
        planes,
    )?);
    let background: ObjectRef =
        Arc::new(Image::new(vec![sky_level; pixels.len()], 512, 512, 0, 0)?);
    sky::put(&butler, &background, "background", "patch=1")?;
    sky::put(&butler, &detection, "detection", "patch=1")?;

    // Both are exposures to whoever gets them.
    let after = sky::get(&butler, "coadd:detected", "patch=1")?;
    let by_hand: Vec<f32> = pixels.iter().map(|value| value - sky_level).collect();
    let same = self::pixels(&after)? == by_hand;
    let is_flagged = downcast::<Exposure>(after.as_ref())
        .and_then(Exposure::mask)
        .is_some_and(|mask| {
            mask.count("BRIGHT")
                == downcast::<Mask>(detection.as_ref()).and_then(|mask| mask.count("BRIGHT"))
        });
    println!("after is the operation by hand: {same}, {is_flagged}");

    // The composition is recorded without writing a file.
    let done = sky::put(&butler, &after, "coadd:detected", "patch=1")?;
    println!(
        "put: written {} | recorded {}",
        done.written.len(),
        done.recorded
    );

    // Changed pixels would be lost, which is said before anything is written.
    let doubled: Vec<f32> = by_hand.iter().map(|value| 2.0 * value).collect();
    let doubled: ObjectRef = Arc::new(Image::new(doubled, 512, 512, 0, 0)?);
    if let Err(error) = sky::put(
        &butler,
        &after.with_component("image", &doubled)?,
        "coadd:detected",
        "patch=1",
    ) {
        println!("refused: {}", error.report().message);
    }
    for (file, bytes) in sky::artifacts(&survey.join("coadds"))? {
        println!("{file:20} {bytes:8} bytes");
    }
    Ok(())
}

fn pixels(exposure: &ObjectRef) -> sky::Done<Vec<f32>> {
    let image = downcast::<Exposure>(exposure.as_ref()).and_then(Exposure::image);
    match image.map(|image| image.pixels()) {
        Some(Pixels::F32(values)) => Ok(values.to_vec()),
        _ => Err("it has no pixels of 32 bits".into()),
    }
}
