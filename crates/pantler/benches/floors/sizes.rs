//! How large an index is.

use pantler::core::DatasetRecord;

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
