//! Use case 9: an exposure with single planes replaced.
//!
//! `cargo run --example case_9_replaced_planes FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

use std::sync::Arc;

use pantler::ObjectRef;
use pantler::core::object::downcast;
use pantler::objects::{Exposure, Image, Mask, Pixels};

const POLICY: &str = include_str!("../../../examples/case_9_replaced_planes.yaml");

fn main() -> sky::Done {
    let survey = sky::simulate()?;
    let butler = sky::over(&survey, "mine", POLICY)?;
    let exposure = sky::get(&butler, "calexp:sfm", "visit=903334 ccd=16")?;
    let (image, mask, variance) = planes(&exposure).ok_or("it has three planes")?;

    // A new mask, in which the bright pixels are flagged, and then a variance twice as large.
    let flags = mask
        .pixels()
        .iter()
        .zip(image)
        .map(|(flags, value)| flags | if *value > 1000.0 { 1 << 8 } else { 0 });
    let mut names = mask.planes().clone();
    names.insert("BRIGHT".to_owned(), 8);
    let new_mask: ObjectRef = Arc::new(Mask::new(
        flags.collect::<Vec<i32>>(),
        512,
        512,
        0,
        0,
        names.clone(),
    )?);
    let masked = exposure.with_component("mask", &new_mask)?;
    sky::say(&sky::put(
        &butler,
        &masked,
        "calexp:masked",
        "visit=903334 ccd=16",
    )?);
    let doubled: Vec<f32> = variance.iter().map(|value| 2.0 * value).collect();
    let new_variance: ObjectRef = Arc::new(Image::new(doubled.clone(), 512, 512, 0, 0)?);
    let weighed = masked.with_component("variance", &new_variance)?;
    sky::say(&sky::put(
        &butler,
        &weighed,
        "calexp:weighed",
        "visit=903334 ccd=16",
    )?);

    let found = sky::get(&butler, "calexp:weighed", "visit=903334 ccd=16")?;
    let (pixels, mask, variance) = planes(&found).ok_or("it has three planes")?;
    println!("pixels shared: {}", pixels.as_ptr() == image.as_ptr());
    println!(
        "bright pixels: {} | before: false",
        mask.count("BRIGHT").unwrap_or(0)
    );
    println!("variance doubled: {}", variance == doubled);
    for (file, bytes) in sky::artifacts(&survey.join("mine"))? {
        println!("{file:27} {bytes:8} bytes");
    }
    let bytes = sky::cost(
        &survey.join("mine"),
        "calexp:masked.mask",
        "visit=903334 ccd=16",
    )?;
    println!("{bytes} bytes read for the new mask");

    // A plane of another shape is refused, and nothing is written.
    let small: ObjectRef = Arc::new(Mask::new(vec![0; 5120], 512, 10, 0, 0, names)?);
    if let Err(error) = sky::put(&butler, &small, "calexp:masked.mask", "visit=903342 ccd=16") {
        println!("refused: {}", error.report().message);
    }
    Ok(())
}

fn planes(object: &ObjectRef) -> Option<(&[f32], &Mask, &[f32])> {
    let exposure = downcast::<Exposure>(object.as_ref())?;
    match (exposure.image()?.pixels(), exposure.variance()?.pixels()) {
        (Pixels::F32(image), Pixels::F32(variance)) => Some((image, exposure.mask()?, variance)),
        _ => None,
    }
}
