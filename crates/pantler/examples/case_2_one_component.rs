//! Use case 2: one component alone, however the exposure is kept.
//!
//! `cargo run --example case_2_one_component FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

const POLICY: &str = include_str!("../../../examples/case_2_one_component.yaml");

fn main() -> sky::Done {
    let survey = sky::simulate()?;
    let butler = sky::over(&survey, "mine", POLICY)?;
    let exposure = sky::get(&butler, "calexp:sfm", "visit=903334 ccd=16")?;
    let done = sky::put(&butler, &exposure, "calexp:parts", "visit=903334 ccd=16")?;
    println!("put: written {}", done.written.join(", "));

    // One file, a type of its own for the part, a file for each part: one call, one answer.
    let one_file = sky::get(&butler, "calexp:sfm.psf", "visit=903334 ccd=16")?;
    for name in ["calexp_psf", "calexp:parts.psf"] {
        let same = sky::get(&butler, name, "visit=903334 ccd=16")?;
        assert_eq!(one_file.difference(same.as_ref()), None);
    }

    // What each costs, where nothing has been read before.
    for name in [
        "calexp:sfm",
        "calexp:sfm.psf",
        "calexp:sfm.wcs",
        "calexp:sfm.mask",
        "calexp:parts.psf",
    ] {
        let bytes = sky::cost(&survey.join("mine"), name, "visit=903334 ccd=16")?;
        println!("{name:17} {bytes:8} bytes read of 1 file");
    }

    // A component that has a file of its own can be put by itself; a piece of a file cannot.
    let psf = sky::get(&butler, "calexp:sfm.psf", "visit=903334 ccd=17")?;
    let done = sky::put(&butler, &psf, "calexp:parts.psf", "visit=903334 ccd=17")?;
    println!("put: written {}", done.written.join(", "));
    if let Err(error) = sky::put(&butler, &psf, "calexp:sfm.psf", "visit=903334 ccd=17") {
        println!("refused: {}", error.report().message);
    }
    Ok(())
}
