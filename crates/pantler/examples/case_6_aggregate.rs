//! Use case 6: all catalogs of a filter as one table, from a data ID that says no more than the filter.
//!
//! `cargo run --example case_6_aggregate FOLDER` (a folder that does not exist)

#![allow(clippy::print_stdout)]

mod sky;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_select::concat::concat_batches;
use pantler::assemble::PluginSet;
use pantler::core::assembler::{Assembler, AssemblyError, ComponentInfo, Slot};
use pantler::core::object::downcast;
use pantler::objects::{Metadata, Table};
use pantler::{Composition, DataId, ObjectRef, Query};

const POLICY: &str = include_str!("../../../examples/case_6_aggregate.yaml");

/// Puts the catalogs of a subset below each other, in the order of their data IDs.
struct EndToEnd;

impl Assembler for EndToEnd {
    fn assemble(
        &self,
        _: &DataId,
        components: &[ComponentInfo],
        _: &str,
    ) -> Result<ObjectRef, AssemblyError> {
        let wrong = |message: String| AssemblyError::new(None, message);
        let [
            ComponentInfo {
                slot: Slot::Many(parts),
                ..
            },
        ] = components
        else {
            return Err(wrong(
                "one component is expected, which is a list".to_owned(),
            ));
        };
        let tables = parts
            .iter()
            .filter_map(|(_, part)| downcast::<Table>(part.as_ref()));
        let batches: Vec<RecordBatch> = tables.map(|table| table.batch().clone()).collect();
        let first = batches
            .first()
            .ok_or_else(|| wrong("there is no catalog".to_owned()))?;
        let whole =
            concat_batches(&first.schema(), &batches).map_err(|error| wrong(error.to_string()))?;
        let table =
            Table::new(whole, Metadata::default()).map_err(|error| wrong(error.to_string()))?;
        Ok(Arc::new(table))
    }
}

fn main() -> sky::Done {
    let plugins = PluginSet::standard().with_assembler("catalogs.end_to_end", Arc::new(EndToEnd));
    let butler = sky::make(&sky::folder()?.join("catalogs"), POLICY, &[], plugins)?;
    for (tract, patch) in [(2, "0,0"), (1, "1,0"), (1, "0,0")] {
        for filter in ["g", "r"] {
            sky::put(
                &butler,
                &catalog(tract, patch)?,
                "src",
                &format!("filter={filter} tract={tract} patch={patch}"),
            )?;
        }
    }

    // The order is that of the data IDs, whatever the order of the puts.
    let every = sky::get(&butler, "src_aggregate", "filter=g")?;
    let batch = downcast::<Table>(every.as_ref())
        .ok_or("it is a table")?
        .batch();
    for row in (0..batch.num_rows()).step_by(3) {
        let tract = batch.column(0).as_primitive::<Int64Type>().value(row);
        println!("{tract} {}", batch.column(1).as_string::<i32>().value(row));
    }

    // A further key makes it fewer.
    let some = sky::get(&butler, "src_aggregate", "filter=g tract=1")?;
    let rows = downcast::<Table>(some.as_ref()).map_or(0, Table::rows);
    println!("{rows} rows of tract 1");

    // The plan names every part; what a query finds is read part by part, in the memory of one.
    let plan = butler.explain("src_aggregate", &sky::id("filter=g"), Composition::Recorded)?;
    assert_eq!(plan.root.children()[0].children().len(), 3);
    let query = Query {
        name: Some("src".to_owned()),
        data_id: sky::id("filter=g"),
        ..Query::default()
    };
    let mut total = 0.0;
    for found in butler.query(&query)? {
        let catalog = sky::get(&butler, "src", &found.data_id.to_string())?;
        let batch = downcast::<Table>(catalog.as_ref())
            .ok_or("it is a table")?
            .batch();
        total += batch
            .column(2)
            .as_primitive::<Float64Type>()
            .values()
            .iter()
            .sum::<f64>();
    }
    println!("all fluxes: {total:?}");
    Ok(())
}

fn catalog(tract: i64, patch: &str) -> sky::Done<ObjectRef> {
    let batch = RecordBatch::try_from_iter([
        ("tract", Arc::new(Int64Array::from(vec![tract; 3])) as _),
        ("patch", Arc::new(StringArray::from(vec![patch; 3])) as _),
        (
            "flux",
            Arc::new(Float64Array::from(vec![0.0, 1.0, 2.0])) as _,
        ),
    ])?;
    Ok(Arc::new(Table::new(batch, Metadata::default())?))
}
