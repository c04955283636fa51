//! Two renderings of a plan: a tree for people, a document for programs. Neither reads anything.

use pantler_core::plan::{Found, Plan, PlanKind, PlanNode};
use pantler_core::{DataId, KeyValue};
use serde_json::{Map, Value, json};

use crate::planner::node_name;

/// One line of an explanation, in columns; how wide they are and how they are coloured is for the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeLine {
    /// The branches before the name: `├─ `.
    pub branches: String,
    /// The component's name; the name as asked for at the root.
    pub name: String,
    /// The dataset type and part; empty at the root.
    pub dataset: String,
    /// The data ID.
    pub data_id: String,
    /// The size, for people.
    pub bytes: String,
    /// The repository.
    pub repository: String,
    /// Where it lies, or how it is made.
    pub place: String,
    /// What else is to say: `input only`, `recorded`, `newer: …`.
    pub notes: Vec<String>,
}

/// Renders a plan as lines of a tree.
pub fn explain_tree(plan: &Plan) -> Vec<TreeLine> {
    let mut lines = Vec::new();
    add_lines(plan, &plan.root, "", "", &[], &mut lines);
    lines
}

fn add_lines(
    plan: &Plan,
    node: &PlanNode,
    branches: &str,
    below: &str,
    shared: &[&str],
    lines: &mut Vec<TreeLine>,
) {
    lines.push(line(plan, node, branches, shared));
    let children = node.children();
    for (index, child) in children.iter().enumerate() {
        let last = index + 1 == children.len();
        let (branch, more) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let above = if index == 0 {
            Vec::new()
        } else {
            shared_keys(&children[0], child)
        };
        let (branches, below) = (format!("{below}{branch}"), format!("{below}{more}"));
        add_lines(plan, child, &branches, &below, &above, lines);
    }
}

/// The keys that two data IDs have in common with the same values.
fn shared_keys<'a>(first: &'a PlanNode, other: &PlanNode) -> Vec<&'a str> {
    first
        .data_id
        .iter()
        .filter(|(key, value)| other.data_id.get(key) == Some(value))
        .map(|(key, _)| key)
        .collect()
}

fn line(plan: &Plan, node: &PlanNode, branches: &str, shared: &[&str]) -> TreeLine {
    let root = branches.is_empty();
    let mut notes = Vec::new();
    if node
        .component
        .as_ref()
        .is_some_and(|component| component.input_only)
    {
        notes.push("input only".to_owned());
    }
    notes.extend(operation_of(node));
    match node.found() {
        Found::Recorded { newer } => {
            if root || newer.is_some() {
                notes.push("recorded".to_owned());
            }
            notes.extend(newer.as_ref().map(|newer| format!("newer: {newer}")));
        }
        Found::Lookup if root => notes.push("by lookup".to_owned()),
        Found::Lookup | Found::Directly => {}
    }
    let repository = |index: usize| plan.repositories[index].name.clone();
    let (repository, place) = match &node.kind {
        PlanKind::Read(read) => (repository(read.repository), read.location.to_string()),
        PlanKind::Assemble(assemble) => {
            let by = assemble.assembler.clone().unwrap_or_else(|| {
                crate::assemble::generic(assemble.base.is_some(), node.python.as_deref()).to_owned()
            });
            let class = node.python.as_deref().map_or("", short_class);
            let by = by.rsplit('.').next().unwrap_or_default().to_owned();
            (
                String::new(),
                format!("{class}, assembled by {by}")
                    .trim_start_matches(", ")
                    .to_owned(),
            )
        }
        PlanKind::Subset(nodes) => (String::new(), format!("{} datasets", nodes.len())),
        PlanKind::Missing(missing) => (
            String::new(),
            match missing.recorded {
                Some(id) => format!("gone: {id}"),
                None => "not there".to_owned(),
            },
        ),
    };
    TreeLine {
        branches: branches.to_owned(),
        name: match (&node.component, root) {
            (Some(component), false) => component.name.clone(),
            (None, false) => node_name(node),
            (_, true) => plan.name.clone(),
        },
        dataset: if root || node.component.is_none() {
            String::new()
        } else {
            node_name(node)
        },
        data_id: if root {
            node.data_id.to_string()
        } else {
            abbreviated(&node.data_id, shared)
        },
        bytes: match node.kind {
            PlanKind::Read(_) => human_bytes(node.bytes()),
            _ => String::new(),
        },
        repository,
        place,
        notes,
    }
}

/// What an operation does, in words: `subtracted from the image`.
fn operation_of(node: &PlanNode) -> Option<String> {
    let apply = node.component.as_ref()?.apply.as_ref()?;
    let to = match apply.to.strip_prefix("mask.") {
        Some(plane) => format!("mask plane {plane}"),
        None => apply.to.clone(),
    };
    Some(match apply.operation.as_str() {
        "add" => format!("added to the {to}"),
        "subtract" => format!("subtracted from the {to}"),
        "replace" => format!("replaces the {to}"),
        operation => format!("`{operation}` on the {to}"),
    })
}

/// A data ID below another: what both have stands as `…`, if something is left that tells them apart.
fn abbreviated(own: &DataId, shared: &[&str]) -> String {
    let rest: Vec<&str> = own.keys().filter(|key| !shared.contains(key)).collect();
    if shared.is_empty() || rest.is_empty() {
        return own.to_string();
    }
    format!("… {}", own.restricted_to(&rest))
}

fn short_class(python: &str) -> &str {
    match pantler_core::python_type::python_type(python) {
        pantler_core::python_type::PythonType::Own(class) => class,
        pantler_core::python_type::PythonType::Foreign(path) => {
            path.rsplit('.').next().unwrap_or(path)
        }
    }
}

/// Returns a size as people read it: `12.1 MB`.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// Renders a plan as a JSON document.
pub fn explain_json(plan: &Plan) -> Value {
    node_json(plan, &plan.root, &plan.name)
}

fn node_json(plan: &Plan, node: &PlanNode, name: &str) -> Value {
    let mut components = Map::new();
    for (index, child) in node.children().iter().enumerate() {
        let name = if child.component.is_some() {
            child.component_name().to_owned()
        } else {
            index.to_string()
        };
        let document = node_json(plan, child, &node_name(child));
        components.insert(name, document);
    }
    let (kind, repository, location, assembler) = match &node.kind {
        PlanKind::Read(read) => {
            let kind = if node.part.is_empty() { "file" } else { "part" };
            (
                kind,
                Some(read.repository),
                Some(read.location.to_string()),
                None,
            )
        }
        PlanKind::Assemble(assemble) => {
            let assembler = assemble.assembler.clone().unwrap_or_else(|| {
                crate::assemble::generic(assemble.base.is_some(), node.python.as_deref()).to_owned()
            });
            (
                "composite",
                Some(assemble.repository),
                None,
                Some(assembler),
            )
        }
        PlanKind::Subset(_) => ("subset", None, None, None),
        PlanKind::Missing(_) => ("missing", None, None, None),
    };
    let repository = repository.map(|index| &plan.repositories[index]);
    let (origin, newer) = match node.found() {
        Found::Directly => (Value::Null, Value::Null),
        Found::Lookup => (json!("lookup"), Value::Null),
        Found::Recorded { newer } => (json!("recorded"), json!(newer)),
    };
    let mut document = json!({
        "name": name,
        "dataset_type": node.dataset_type.to_string(),
        "data_id": data_id_json(&node.data_id),
        "kind": kind,
        "python": node.python,
        "assembler": assembler,
        "repository": repository.map(|repository| &repository.root),
        "repository_name": repository.map(|repository| &repository.name),
        "location": location,
        "bytes": node.bytes(),
        "input_only": node.component.as_ref().is_some_and(|component| component.input_only),
        "origin": origin,
        "newer": newer,
        "components": components,
    });
    if let Some(apply) = node.component.as_ref().and_then(|own| own.apply.as_ref()) {
        document["apply"] = json!({"op": apply.operation, "to": apply.to});
    }
    document
}

/// Returns a data ID as a JSON object, numbers as numbers.
pub fn data_id_json(data_id: &DataId) -> Value {
    let entries = data_id.iter().map(|(key, value)| {
        let value = match value {
            KeyValue::Int(value) => json!(value),
            KeyValue::Float(value) => json!(value),
            KeyValue::Str(text) => json!(text),
        };
        (key.to_owned(), value)
    });
    Value::Object(entries.collect())
}
