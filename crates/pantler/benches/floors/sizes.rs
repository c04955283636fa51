//! How large an index is.

use std::sync::Arc;

use pantler::core::DatasetRecord;
use pantler::core::sky::Footprint;

use super::place::{Place, data_id, identity};

/// Prints bytes per dataset of indexes of so many.
pub fn report(count: i64) {
    println!("| index of {count} datasets | bytes each |");
    println!("| --- | --- |");
    let place = Place::new();
    let pattern = place.pattern("note");
    let plain = size_of(count, &|_| pattern.clone());
    println!("| JSON, four whole numbers, put | {plain:.1} |");
    let mut in_place = pattern.clone();
    if let Some(artifact) = &mut in_place.artifact {
        artifact.digest = None;
        artifact.modified = Some(1_790_000_000_000_000_000);
    }
    println!(
        "| JSON, four whole numbers, ingested in place | {:.1} |",
        size_of(count, &|_| in_place.clone())
    );
    let exposure = |number: i64| DatasetRecord {
        footprint: Some(footprint(number)),
        ..pattern.clone()
    };
    println!(
        "| the same with a footprint of its own each | {:.1} |",
        size_of(count, &exposure)
    );
    println!(
        "| and a layout of 200 bytes for two | {:.1} |",
        size_of(count, &|number| with_layout(exposure(number), number / 2))
    );
}

/// Returns the footprint of a detector of 0.2 by 0.1 degrees, somewhere in a survey of 100 by 50 degrees.
fn footprint(number: i64) -> Footprint {
    // Steps of the golden ratio and of the root of two: no two fall together, and none is a multiple of another.
    let part = |step: f64| (number as f64 * step).fract();
    let (ra, dec) = (
        30.0 + 100.0 * part(0.618_033_988_749_895),
        -25.0 + 50.0 * part(0.414_213_562_373_095),
    );
    let width = 0.2 / dec.to_radians().cos();
    let corners = [
        (ra, dec),
        (ra + width, dec),
        (ra + width, dec + 0.1),
        (ra, dec + 0.1),
    ];
    Footprint::new(&corners).expect("it is convex")
}

fn with_layout(mut record: DatasetRecord, layout: i64) -> DatasetRecord {
    let mut bytes = [0u8; 200];
    bytes[..8].copy_from_slice(&layout.to_le_bytes());
    if let Some(artifact) = &mut record.artifact {
        artifact.layout = Some(Arc::from(&bytes[..]));
    }
    record
}

/// Returns the bytes of each dataset in an index.
fn size_of(count: i64, record: &dyn Fn(i64) -> DatasetRecord) -> f64 {
    let place = Place::new();
    drop(place.pattern("note"));
    let empty = place.index_bytes();
    place.insert((0..count).map(|number| DatasetRecord {
        id: identity(),
        data_id: data_id(number),
        ..record(number)
    }));
    (place.index_bytes() - empty) as f64 / count as f64
}
