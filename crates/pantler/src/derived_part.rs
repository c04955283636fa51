//! Parts that no file holds: the names of the files themselves, the number of rows of a table, its columns without rows.
//!
//! The executor asks here before it asks a formatter. People's programs ask for them by names built from a type:
//! `calexp_filename`, `src_len`, `src_schema`.

use pantler_core::built_names::{COLUMNS, FILE_NAME, LENGTH, SCHEMA};
use pantler_core::formatter::ReadRequest;
use pantler_core::plan::{Plan, PlanKind, PlanNode};
use pantler_core::{FormatError, ObjectRef, RowRanges};
use pantler_objects::Document;

use crate::chain::Chain;

/// Marks a planned node as the list of its files, which reads none of them.
pub(crate) fn as_file_names(mut node: PlanNode) -> PlanNode {
    node.part = vec![FILE_NAME.to_owned()];
    forget_bytes(&mut node);
    node
}

fn forget_bytes(node: &mut PlanNode) {
    match &mut node.kind {
        PlanKind::Read(read) => {
            read.bytes = 0;
            read.ranges = None;
        }
        PlanKind::Assemble(assemble) => assemble.components.iter_mut().for_each(forget_bytes),
        PlanKind::Subset(nodes) => nodes.iter_mut().for_each(forget_bytes),
        PlanKind::Missing(_) => {}
    }
}

/// Says whether a plan is for the list of its files.
pub(crate) fn is_of_file_names(plan: &Plan) -> bool {
    plan.root.part.first().map(String::as_str) == Some(FILE_NAME)
}

/// Returns the paths of all files that a plan names, each once, as a person would type them; `None` if they are not what it
/// is for.
pub(crate) fn file_names(plan: &Plan, chain: &Chain) -> Option<ObjectRef> {
    if !is_of_file_names(plan) {
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    plan.root.each_read(&mut |_, read| {
        let name = chain.repository(read.repository).shown(&read.location);
        if !names.contains(&name) {
            names.push(name);
        }
    });
    Some(std::sync::Arc::new(Document::new(names.into())))
}

/// Splits a request for what a table says of itself into a request that formatters know and the part of its answer.
///
/// The number of rows is asked of a table without columns, and the columns of one without rows: formats that say both in
/// headers or footers read no values for them.
pub(crate) fn of_table(request: &ReadRequest) -> Option<(ReadRequest, &'static str)> {
    let part = match request.part.as_slice() {
        [part] if part == LENGTH => LENGTH,
        [part] if part == COLUMNS => COLUMNS,
        [part] if part == SCHEMA => SCHEMA,
        _ => return None,
    };
    let is_table = request
        .class
        .as_deref()
        .is_none_or(|class| class == "Table");
    is_table.then(|| {
        let mut table = ReadRequest {
            part: Vec::new(),
            ..request.clone()
        };
        match part {
            LENGTH => table.columns = Some(Vec::new()),
            _ => table.rows = Some(RowRanges::default()),
        }
        (table, part)
    })
}

/// Takes the part out of the table; an object of another class has no such part.
pub(crate) fn part_of(
    object: &ObjectRef,
    part: &str,
    file: &str,
) -> Result<ObjectRef, FormatError> {
    object
        .component(part)
        .ok_or_else(|| FormatError::NoSuchPart {
            file: file.to_owned(),
            part: part.to_owned(),
            known: object.component_names(),
        })
}
