//! Use case 7: a coadd that knows the exposures it was made from.
//!
//! `cargo run --example case_7_precursors FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

use pantler::{PutOptions, Query, RemoveOptions};

const POLICY: &str = include_str!("../../../examples/case_7_precursors.yaml");

fn main() -> sky::Done {
    let survey = sky::simulate()?;
    let butler = sky::over(&survey, "coadds", POLICY)?;
    let query = Query {
        name: Some("calexp:sfm".to_owned()),
        data_id: sky::id("ccd=16"),
        ..Query::default()
    };
    let inputs = butler.query(&query)?;
    // The first exposure stands for the coadd.
    let coadd = sky::get(&butler, "calexp:sfm", &inputs[0].data_id.to_string())?;
    let options = PutOptions {
        inputs: inputs
            .iter()
            .map(|input| ("inputs".to_owned(), input.data_id.clone()))
            .collect(),
        ..PutOptions::default()
    };
    sky::say(&butler.put(&coadd, "deepCoadd", &sky::id("tract=0"), &options)?);

    // No visit stands in the data ID.
    let all = sky::get(&butler, "deepCoadd.inputs.wcs", "tract=0")?;
    assert_eq!(all.component_names().len(), 2);

    // Both ways: what it was made from, and what was made from one of them.
    let used = Query {
        name: query.name.clone(),
        used_by: Some(("deepCoadd".to_owned(), sky::id("tract=0"))),
        ..Query::default()
    };
    assert_eq!(butler.query(&used)?.len(), 2);
    let made = Query {
        name: Some("deepCoadd".to_owned()),
        made_from: Some(("calexp:sfm".to_owned(), sky::id("visit=903342 ccd=16"))),
        ..Query::default()
    };
    assert_eq!(butler.query(&made)?.len(), 1);
    let bytes = sky::cost(&survey.join("coadds"), "deepCoadd.inputs.wcs", "tract=0")?;
    println!(
        "{bytes} bytes read for the coordinates of {} exposures",
        inputs.len()
    );

    // One that has been removed since is missed by its name.
    let options = RemoveOptions {
        force: true,
        ..RemoveOptions::default()
    };
    let single_visit =
        pantler::Butler::open(&[], &[survey.join("single_visit")], Default::default())?;
    single_visit.remove("calexp:sfm", &sky::id("visit=903342 ccd=16"), &options)?;
    if let Err(error) = sky::get(
        &sky::open(&survey.join("coadds"))?,
        "deepCoadd.inputs.wcs",
        "tract=0",
    ) {
        println!("removed: {}", error.report().message);
    }
    Ok(())
}
