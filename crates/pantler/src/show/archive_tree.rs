//! The persisted objects that the components of an object are made of, as a tree: which refers to which.

use std::collections::BTreeSet;
use std::sync::Arc;

use pantler_core::object::downcast;
use pantler_core::{Object, ObjectRef};
use pantler_objects::archive::ArchiveObject;
use pantler_objects::{Archive, Carrier, Component, Persisted, PhotoCalib, VisitInfo, Wcs};

/// Deeper trees are cut off, so that no file can make one that does not end.
const DEEPEST: usize = 32;

/// One persisted object, and those that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveNode {
    /// The component that it is; `None` for what others refer to, and for a lone object.
    pub component: Option<String>,
    /// Its id in its file.
    pub id: i32,
    /// The name of its class.
    pub class: String,
    /// The number of its rows.
    pub rows: u64,
    /// The bytes of its rows and of what they have in the heap.
    pub bytes: u64,
    /// Whether it stands in the tree before, with what it refers to.
    pub repeated: bool,
    /// The objects that it refers to.
    pub children: Vec<ArchiveNode>,
}

/// Returns the persisted objects behind an object: its own, else those of its components, in their order.
pub fn archive_tree(object: &ObjectRef) -> Vec<ArchiveNode> {
    let mut tree = Tree::default();
    if let Some(persisted) = persisted(object.as_ref()) {
        return tree.root(None, persisted).into_iter().collect();
    }
    let mut roots = Vec::new();
    for name in object.component_names() {
        if let Some(component) = object.component(&name)
            && let Some(persisted) = persisted(component.as_ref())
        {
            roots.extend(tree.root(Some(name), persisted));
        }
    }
    roots
}

/// Returns the record that carries an object.
fn persisted(object: &dyn Object) -> Option<&Persisted> {
    let carrier: &Carrier = if let Some(component) = downcast::<Component>(object) {
        component.carrier()
    } else if let Some(wcs) = downcast::<Wcs>(object) {
        wcs.carrier()
    } else if let Some(calib) = downcast::<PhotoCalib>(object) {
        calib.carrier()
    } else {
        downcast::<VisitInfo>(object)?.carrier()
    };
    carrier.persisted()
}

#[derive(Default)]
struct Tree {
    /// The objects that stand in the tree, by where they are in memory: components of one file share them.
    seen: BTreeSet<*const ArchiveObject>,
}

impl Tree {
    fn root(&mut self, component: Option<String>, persisted: &Persisted) -> Option<ArchiveNode> {
        let object = persisted.archive().get(persisted.root())?;
        let mut node = self.node(persisted.archive(), object, 0);
        node.component = component;
        Some(node)
    }

    fn node(
        &mut self,
        archive: &Archive,
        object: &Arc<ArchiveObject>,
        depth: usize,
    ) -> ArchiveNode {
        let repeated = !self.seen.insert(Arc::as_ptr(object));
        let mut children = Vec::new();
        if !repeated && depth < DEEPEST {
            for id in archive.references(object).ids() {
                if let Some(referred) = archive.get(*id) {
                    children.push(self.node(archive, referred, depth + 1));
                }
            }
        }
        let rows = object.catalogs().iter().map(|catalog| &catalog.rows);
        let (mut number, mut bytes) = (0, 0);
        for rows in rows {
            number += rows.len() as u64;
            bytes += rows.bytes().len() as u64;
            bytes += rows
                .heap()
                .iter()
                .map(|entry| entry.len() as u64)
                .sum::<u64>();
        }
        ArchiveNode {
            component: None,
            id: object.id(),
            class: object.class().to_owned(),
            rows: number,
            bytes,
            repeated,
            children,
        }
    }
}
