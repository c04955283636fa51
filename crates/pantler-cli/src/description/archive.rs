//! The persisted objects behind an object, as a tree.

use pantler::human_bytes;
use pantler::show::archive_tree::ArchiveNode;
use serde_json::{Value, json};

use crate::screen::Screen;
use crate::table::{Align, table};

/// More objects of one class in a row are one line.
const ALIKE: usize = 4;

/// Returns the document of it.
pub fn archive_json(nodes: &[ArchiveNode]) -> Value {
    let node = |node: &ArchiveNode| {
        json!({
            "component": node.component,
            "id": node.id,
            "class": node.class,
            "rows": node.rows,
            "bytes": node.bytes,
            "repeated": node.repeated,
            "objects": archive_json(&node.children),
        })
    };
    nodes.iter().map(node).collect()
}

/// Returns the lines of it; `all` spells out objects of one class that stand in a row.
pub fn archive_text(screen: &Screen, nodes: &[ArchiveNode], all: bool) -> String {
    let mut rows = Vec::new();
    for node in nodes {
        let name = node
            .component
            .clone()
            .unwrap_or_else(|| "(file)".to_owned());
        rows.push(row(&name, node));
        add_children(&node.children, "", all, &mut rows);
    }
    if rows.is_empty() {
        return String::new();
    }
    let headings = [
        ("archive", Align::Left),
        ("class", Align::Left),
        ("id", Align::Right),
        ("rows", Align::Right),
        ("size", Align::Right),
        ("", Align::Left),
    ];
    table(screen, &headings, &rows)
}

fn row(branches: &str, node: &ArchiveNode) -> Vec<String> {
    let class = node.class.replace(char::is_control, " ");
    let mut row = vec![branches.to_owned(), class, node.id.to_string()];
    row.extend(match node.repeated {
        true => [String::new(), String::new(), "see above".to_owned()],
        false => [
            node.rows.to_string(),
            human_bytes(node.bytes),
            String::new(),
        ],
    });
    row
}

fn add_children(nodes: &[ArchiveNode], below: &str, all: bool, rows: &mut Vec<Vec<String>>) {
    let mut rest = nodes;
    while let Some(first) = rest.first() {
        let alike = rest
            .iter()
            .take_while(|node| {
                node.class == first.class && node.children.is_empty() && !node.repeated
            })
            .count();
        let taken = if alike > ALIKE && !all { alike } else { 1 };
        let (these, others) = rest.split_at(taken);
        let (branch, more) = if others.is_empty() {
            ("└─", "   ")
        } else {
            ("├─", "│  ")
        };
        let branches = format!("{below}{branch}");
        match these {
            [node] => {
                rows.push(row(&branches, node));
                add_children(&node.children, &format!("{below}{more}"), all, rows);
            }
            many => rows.push(vec![
                branches,
                format!(
                    "{} x {}",
                    many.len(),
                    first.class.replace(char::is_control, " ")
                ),
                ids(many),
                many.iter().map(|node| node.rows).sum::<u64>().to_string(),
                human_bytes(many.iter().map(|node| node.bytes).sum()),
                String::new(),
            ]),
        }
        rest = others;
    }
}

fn ids(nodes: &[ArchiveNode]) -> String {
    let ids = nodes.iter().map(|node| node.id);
    match (ids.clone().min(), ids.max()) {
        (Some(low), Some(high)) => format!("{low}…{high}"),
        _ => String::new(),
    }
}
