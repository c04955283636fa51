//! Use case 5: a table of objects out of one catalog for each filter.
//!
//! `cargo run --example case_5_object_table FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use pantler::assemble::PluginSet;
use pantler::core::assembler::{Assembler, AssemblyError, ComponentInfo, Slot};
use pantler::core::object::downcast;
use pantler::objects::{Metadata, Table};
use pantler::{DataId, ObjectRef, Query};

const POLICY: &str = include_str!("../../../examples/case_5_object_table.yaml");

/// Joins catalogs on their `id`: a column `NAME_flux` for each of them, NaN where one lacks an object.
struct SideBySide;

impl Assembler for SideBySide {
    fn assemble(
        &self,
        _: &DataId,
        components: &[ComponentInfo],
        _: &str,
    ) -> Result<ObjectRef, AssemblyError> {
        let mut rows: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (number, component) in components.iter().enumerate() {
            let Slot::One(object) = &component.slot else {
                continue;
            };
            for (id, flux) in fluxes(object)
                .ok_or_else(|| AssemblyError::new(Some(&component.name), "it has no id and flux"))?
            {
                rows.entry(id)
                    .or_insert_with(|| vec![f64::NAN; components.len()])[number] = flux;
            }
        }
        let ids: Int64Array = rows.keys().copied().collect();
        let mut columns: Vec<(String, ArrayRef)> = vec![("id".to_owned(), Arc::new(ids))];
        for (number, component) in components.iter().enumerate() {
            let flux: Float64Array = rows.values().map(|row| Some(row[number])).collect();
            columns.push((format!("{}_flux", component.name), Arc::new(flux)));
        }
        table(columns).map_err(|error| AssemblyError::new(None, error.to_string()))
    }
}

fn main() -> sky::Done {
    let root = sky::folder()?.join("catalogs");
    let plugins =
        PluginSet::standard().with_assembler("catalogs.side_by_side", Arc::new(SideBySide));
    let butler = sky::make(&root, POLICY, &[], plugins)?;
    sky::put(
        &butler,
        &catalog([11, 12, 13], [5.0, 6.0, 7.0])?,
        "src",
        "filter=g tract=0",
    )?;
    sky::put(
        &butler,
        &catalog([13, 11, 14], [1.5, 2.5, 3.5])?,
        "src",
        "filter=r tract=0",
    )?;

    // No `filter` in the data ID: the policy pins it for each component.
    let objects = sky::get(&butler, "objects", "tract=0")?;
    let batch = downcast::<Table>(objects.as_ref())
        .ok_or("it is a table")?
        .batch();
    let fluxes = |column: usize| batch.column(column).as_primitive::<Float64Type>();
    for row in 0..batch.num_rows() {
        let id = batch.column(0).as_primitive::<Int64Type>().value(row);
        println!("{id} {:?} {:?}", fluxes(1).value(row), fluxes(2).value(row));
    }

    // Nothing says how to take it apart, so it is read only. It can be put whole, as a type of its own.
    if let Err(error) = sky::put(&butler, &objects, "objects", "tract=0") {
        println!("refused: {}", error.report().message);
    }
    let done = sky::put(&butler, &objects, "object_table", "tract=0")?;
    println!("put: written {}", done.written.join(", "));
    let query = Query {
        name: Some("src".to_owned()),
        ..Query::default()
    };
    assert_eq!(butler.query(&query)?.len(), 2);
    Ok(())
}

fn catalog(ids: [i64; 3], fluxes: [f64; 3]) -> sky::Done<ObjectRef> {
    let (ids, fluxes) = (
        Int64Array::from(ids.to_vec()),
        Float64Array::from(fluxes.to_vec()),
    );
    table(vec![
        ("id".to_owned(), Arc::new(ids)),
        ("flux".to_owned(), Arc::new(fluxes)),
    ])
}

fn table(columns: Vec<(String, ArrayRef)>) -> sky::Done<ObjectRef> {
    Ok(Arc::new(Table::new(
        RecordBatch::try_from_iter(columns)?,
        Metadata::default(),
    )?))
}

/// The ids of a catalog with their fluxes.
fn fluxes(object: &ObjectRef) -> Option<Vec<(i64, f64)>> {
    let batch = downcast::<Table>(object.as_ref())?.batch();
    let ids = batch
        .column_by_name("id")?
        .as_primitive_opt::<Int64Type>()?;
    let fluxes = batch
        .column_by_name("flux")?
        .as_primitive_opt::<Float64Type>()?;
    Some(
        ids.values()
            .iter()
            .copied()
            .zip(fluxes.values().iter().copied())
            .collect(),
    )
}
