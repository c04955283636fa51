//! A second resolver, slow and obvious: it walks lists, and follows the settled rules sentence by sentence.
//!
//! It shares no code with the planner and asks no registry. Each step names the rule that it is.

use std::collections::BTreeSet;

use pantler::core::DatasetId;

use super::world::{
    COMPOSITES, FILES, Keys, Question, Record, Row, Source, Target, World, artifacts_of,
};

/// What a get finds: for each part, by its path of component names, which dataset of which repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub path: String,
    pub found: Found,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An artifact: the repository, and how it was found.
    Artifact(usize, DatasetId, How),
    /// A composition that was recorded, and whether lookup would find another.
    Composition(usize, DatasetId, bool),
    Absent,
}

/// How an artifact was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Lookup,
    /// A composition names it; whether lookup would find another.
    Recorded {
        newer: bool,
    },
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Alias,
    TwoStages,
    UnknownType,
    UnknownTag,
    NoValue(String),
    Several(String, Vec<i64>),
    Siblings,
    NotFound,
    Gone(DatasetId),
    Disagrees(String),
}

type Answer<T> = Result<T, Refusal>;

/// A type with what it is made of, seen from the root.
#[derive(Debug, Clone)]
struct Node {
    name: String,
    target: Target,
    /// Its own keys; for each, where the value comes from, seen from what was asked for.
    keys: Vec<(&'static str, Source)>,
    /// Keys that only its lists have.
    of_lists: Vec<(&'static str, Source)>,
    parts: Vec<Node>,
    subset: bool,
    optional: bool,
    allow_empty: bool,
}

/// What a node turned out to be.
enum Bound {
    Row(usize, Row, How),
    Composite(Option<(usize, DatasetId, bool)>, Vec<(Node, Bound)>),
    List(Vec<Bound>),
    Missing,
    Gone(DatasetId),
}

/// The repositories in search order: depth first, in the order given, parents after their children.
pub fn search_order(world: &World) -> Vec<usize> {
    let mut reached = world.named.clone();
    let mut index = 0;
    while index < reached.len() {
        for parent in &world.repos[reached[index]].parents {
            if !reached.contains(parent) {
                reached.push(*parent);
            }
        }
        index += 1;
    }
    fn place(world: &World, reached: &[usize], one: usize, order: &mut Vec<usize>) {
        let waits = reached
            .iter()
            .any(|child| world.repos[*child].parents.contains(&one) && !order.contains(child));
        if waits || order.contains(&one) {
            return;
        }
        order.push(one);
        for parent in &world.repos[one].parents {
            place(world, reached, *parent, order);
        }
    }
    let mut order = Vec::new();
    for one in &world.named {
        place(world, &reached, *one, &mut order);
    }
    order
}

fn is_ancestor(world: &World, ancestor: usize, child: usize) -> bool {
    let parents = &world.repos[child].parents;
    parents.contains(&ancestor)
        || parents
            .iter()
            .any(|parent| is_ancestor(world, ancestor, *parent))
}

/// The keys that a composite cannot do without: those of its parts, lists aside (rule R16).
pub fn required_keys(
    world: &World,
    variant: &dyn Fn(usize) -> Option<usize>,
    composite: usize,
) -> Vec<&'static str> {
    let mut keys = Vec::new();
    let Some(variant_of_this) = variant(composite) else {
        return keys;
    };
    for component in &world.composites[composite][variant_of_this] {
        let own: Vec<&'static str> = match component.target {
            _ if component.subset => continue,
            Target::File(file) => FILES[file].1.to_vec(),
            Target::Composite(lower) => required_keys(world, variant, lower),
        };
        for key in own {
            let key = match component.bind {
                Some((bound, Source::Pinned(_))) if bound == key => continue,
                Some((bound, Source::Key(other))) if bound == key => other,
                _ => key,
            };
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

pub struct Resolver<'a> {
    world: &'a World,
    order: Vec<usize>,
    searched: Vec<usize>,
    question: &'a Question,
}

/// Answers a question, or says why there is no answer.
pub fn answer(world: &World, question: &Question) -> Answer<Vec<Part>> {
    let order = search_order(world);
    let mut resolver = Resolver {
        world,
        searched: order.clone(),
        order,
        question,
    };
    let target = resolver.meaning()?;
    let mut root = resolver.node(String::new(), target)?;
    take_keys(
        &mut root,
        &question.given.keys().copied().collect::<Vec<_>>(),
    );
    resolver.narrow_search()?;
    let data_id = resolver.complete(&root)?;
    resolver.check_unused(&root, &data_id)?;
    let bound = resolver.bind(&root, &data_id, &root)?;
    if let Some(refusal) = refusal(&bound, false) {
        return Err(refusal);
    }
    let mut parts = Vec::new();
    list(&bound, "", &mut parts);
    Ok(parts)
}

/// The keys of what was asked for that the type, or anything that it is made of, takes a value from.
fn used_keys(node: &Node, used: &mut BTreeSet<&'static str>) {
    used.extend(node.keys.iter().filter_map(|(_, source)| from_key(*source)));
    node.parts.iter().for_each(|part| used_keys(part, used));
}

fn from_key(source: Source) -> Option<&'static str> {
    match source {
        Source::Key(key) => Some(key),
        Source::Pinned(_) => None,
    }
}

impl Resolver<'_> {
    /// R2, R3: what the name means.
    fn meaning(&self) -> Answer<Target> {
        let mut name = self.question.name.clone();
        if let Some(version) = self.question.version {
            let stage = COMPOSITES[version].split(':').nth(1).unwrap();
            match name.split_once(':') {
                Some((_, own)) if own != stage => return Err(Refusal::TwoStages),
                Some(_) => {}
                None => name = format!("{name}:{stage}"),
            }
        }
        if name == "x" {
            let mut having = self
                .order
                .iter()
                .filter(|one| self.world.repos[**one].alias.is_some());
            let Some(first) = having.next() else {
                return Err(Refusal::UnknownType);
            };
            let meant = self.world.repos[*first].alias;
            let decides = self.world.has_output && *first == self.world.named[0];
            let differs = having.any(|other| {
                self.world.repos[*other].alias != meant && !is_ancestor(self.world, *other, *first)
            });
            if differs && !decides {
                return Err(Refusal::Alias);
            }
            return Ok(Target::Composite(meant.unwrap()));
        }
        let file = FILES.iter().position(|(known, _)| *known == name);
        let composite = COMPOSITES.iter().position(|known| *known == name);
        match (file, composite) {
            (Some(file), _) => Ok(Target::File(file)),
            (None, Some(composite)) => Ok(Target::Composite(composite)),
            (None, None) => Err(Refusal::UnknownType),
        }
    }

    /// R5: the first repository in search order that defines a composite says what it is made of.
    fn variant(&self, composite: usize) -> Option<usize> {
        self.order
            .iter()
            .find_map(|one| self.world.repos[*one].variants[composite])
    }

    fn node(&self, name: String, target: Target) -> Answer<Node> {
        let mut node = Node {
            name,
            target,
            keys: Vec::new(),
            of_lists: Vec::new(),
            parts: Vec::new(),
            subset: false,
            optional: false,
            allow_empty: false,
        };
        let composite = match target {
            Target::File(file) => {
                let own = FILES[file].1.iter();
                node.keys = own.map(|key| (*key, Source::Key(key))).collect();
                return Ok(node);
            }
            Target::Composite(composite) => composite,
        };
        let variant = self.variant(composite).ok_or(Refusal::UnknownType)?;
        for (number, component) in self.world.composites[composite][variant].iter().enumerate() {
            let mut part = self.node(format!("c{number}"), component.target)?;
            part.subset = component.subset;
            part.optional = component.optional;
            part.allow_empty = component.subset && component.allow_empty;
            if let Some(bind) = component.bind {
                bind_all(&mut part, bind);
            }
            node.parts.push(part);
        }
        for part in node.parts.iter().filter(|part| !part.subset) {
            for key in part.keys.iter().filter_map(|(_, source)| from_key(*source)) {
                if !node.keys.iter().any(|(known, _)| *known == key) {
                    node.keys.push((key, Source::Key(key)));
                }
            }
        }
        for part in &node.parts {
            let own = part.keys.iter().filter(|_| part.subset);
            for key in own
                .chain(&part.of_lists)
                .filter_map(|(_, source)| from_key(*source))
            {
                let mut known = node.keys.iter().chain(&node.of_lists);
                if !known.any(|(known, _)| *known == key) {
                    node.of_lists.push((key, Source::Key(key)));
                }
            }
        }
        Ok(node)
    }

    /// R17: a tag leaves the repositories that have it, and what they build on.
    fn narrow_search(&mut self) -> Answer<()> {
        let Some(tag) = self.question.tag else {
            return Ok(());
        };
        let world = self.world;
        let tagged: Vec<usize> = self
            .order
            .iter()
            .copied()
            .filter(|one| world.repos[*one].tag == Some(tag))
            .collect();
        if tagged.is_empty() {
            return Err(Refusal::UnknownTag);
        }
        self.searched.retain(|one| {
            tagged
                .iter()
                .any(|tagged| one == tagged || is_ancestor(world, *one, *tagged))
        });
        Ok(())
    }

    /// R18: a missing key counts every value for which a record, or a component that needs the key, exists.
    fn complete(&self, root: &Node) -> Answer<Keys> {
        let mut known: Keys = Keys::new();
        for (key, _) in &root.keys {
            if let Some(value) = self.question.given.get(key) {
                known.insert(key, *value);
            }
        }
        for (key, _) in &root.keys {
            if known.contains_key(key) {
                continue;
            }
            let mut values = BTreeSet::new();
            self.values(root, &known, key, &mut values);
            let values: Vec<i64> = values.into_iter().collect();
            match values.as_slice() {
                [] => return Err(Refusal::NoValue((*key).to_owned())),
                [only] => {
                    known.insert(key, *only);
                }
                _ => return Err(Refusal::Several((*key).to_owned(), values)),
            }
        }
        Ok(known)
    }

    fn values(&self, node: &Node, known: &Keys, key: &str, values: &mut BTreeSet<i64>) {
        // A list needs no key.
        if node.subset {
            return;
        }
        for one in &self.searched {
            let repo = &self.world.repos[*one];
            let of_rows = repo
                .rows
                .iter()
                .filter(|row| match node.target {
                    Target::File(file) => row.file == artifacts_of(file),
                    Target::Composite(_) => false,
                })
                .map(|row| &row.data_id);
            let of_records = repo
                .records
                .iter()
                .filter(|record| Target::Composite(record.composite) == node.target)
                .map(|record| &record.data_id);
            for data_id in of_rows.chain(of_records) {
                if let Some(seen) = self.seen_from_root(node, data_id)
                    && seen
                        .iter()
                        .all(|(name, value)| known.get(name).is_none_or(|known| known == value))
                {
                    values.extend(seen.get(key));
                }
            }
        }
        for part in &node.parts {
            self.values(part, known, key, values);
        }
    }

    /// What a dataset of a node says of the keys that were asked for; nothing where it says two things of one, or lacks a key
    /// that was given: what was recorded without a key is no record of one of its values.
    fn seen_from_root(&self, node: &Node, data_id: &Keys) -> Option<Keys> {
        let mut seen = Keys::new();
        for (name, source) in &node.keys {
            match (data_id.get(name), source) {
                (Some(value), Source::Pinned(pin)) if value == pin => {}
                (_, Source::Pinned(_)) => return None,
                (Some(value), Source::Key(from)) => {
                    if seen
                        .insert(from, *value)
                        .is_some_and(|other| other != *value)
                    {
                        return None;
                    }
                }
                (None, Source::Key(from)) => {
                    if self.question.given.contains_key(from) {
                        return None;
                    }
                }
            }
        }
        Some(seen)
    }

    /// R27: a known key that the type does not use must agree with what is known of it: in the data IDs of types that have it
    /// and all keys that pick the dataset.
    fn check_unused(&self, root: &Node, complete: &Keys) -> Answer<()> {
        let mut used = BTreeSet::new();
        used_keys(root, &mut used);
        for (key, given) in &self.question.given {
            if used.contains(key) || complete.is_empty() {
                continue;
            }
            let known: Vec<i64> = self
                .order
                .iter()
                .flat_map(|one| &self.world.repos[*one].rows)
                .filter(|row| {
                    let mut picked = complete.iter();
                    picked.all(|(key, value)| row.data_id.get(key) == Some(value))
                })
                .filter_map(|row| row.data_id.get(key).copied())
                .collect();
            if !known.is_empty() && !known.contains(given) {
                return Err(Refusal::Disagrees((*key).to_owned()));
            }
        }
        Ok(())
    }

    fn rows(&self, file: usize, data_id: &Keys) -> Vec<(usize, Row)> {
        let mut found = Vec::new();
        for one in &self.searched {
            let rows = self.world.repos[*one].rows.iter();
            found.extend(
                rows.filter(|row| row.file == artifacts_of(file) && row.data_id == *data_id)
                    .map(|row| (*one, row.clone())),
            );
        }
        found
    }

    fn records(&self, composite: usize, data_id: &Keys) -> Vec<(usize, Record)> {
        let mut found = Vec::new();
        for one in &self.searched {
            let records = self.world.repos[*one].records.iter();
            found.extend(
                records
                    .filter(|record| record.composite == composite && record.data_id == *data_id)
                    .map(|record| (*one, record.clone())),
            );
        }
        found
    }

    /// R17: for what is asked for by its own name search order decides; a component must be the same in siblings.
    fn choose<T: Clone>(
        &self,
        found: &[(usize, T)],
        is_root: bool,
        same: &dyn Fn(&T, &T) -> bool,
    ) -> Answer<Option<(usize, T)>> {
        if is_root {
            return Ok(found.first().cloned());
        }
        let hidden = |one: usize| {
            found
                .iter()
                .any(|(other, _)| is_ancestor(self.world, one, *other))
        };
        let left: Vec<&(usize, T)> = found.iter().filter(|(one, _)| !hidden(*one)).collect();
        let Some(first) = left.first() else {
            return Ok(None);
        };
        let of_output = self.world.has_output && first.0 == self.world.named[0];
        if !of_output && !self.world.in_order && left.iter().any(|other| !same(&first.1, &other.1))
        {
            return Err(Refusal::Siblings);
        }
        Ok(Some((**first).clone()))
    }

    fn bind(&self, node: &Node, root: &Keys, asked: &Node) -> Answer<Bound> {
        let is_root = std::ptr::eq(node, asked);
        let own: Keys = node
            .keys
            .iter()
            .filter_map(|(key, source)| match source {
                Source::Pinned(value) => Some((*key, *value)),
                Source::Key(from) => Some((*key, *root.get(from)?)),
            })
            .collect();
        let same_row = |a: &Row, b: &Row| a.id == b.id || a.content == b.content;
        match node.target {
            Target::File(file) if node.subset => {
                // R16: all that match, one for each data ID, in their order.
                let mut data_ids: Vec<Keys> = Vec::new();
                for one in &self.searched {
                    for row in &self.world.repos[*one].rows {
                        let fits = own
                            .iter()
                            .all(|(key, value)| row.data_id.get(key) == Some(value));
                        if row.file == artifacts_of(file)
                            && fits
                            && !data_ids.contains(&row.data_id)
                        {
                            data_ids.push(row.data_id.clone());
                        }
                    }
                }
                data_ids.sort_by_key(|data_id| {
                    let keys = FILES[file].1.iter();
                    keys.map(|key| data_id[key]).collect::<Vec<_>>()
                });
                let mut entries = Vec::new();
                for data_id in data_ids {
                    let rows = self.rows(file, &data_id);
                    if let Some((one, row)) = self.choose(&rows, false, &same_row)? {
                        entries.push(Bound::Row(one, row, How::Lookup));
                    }
                }
                if entries.is_empty() && !node.allow_empty {
                    return Ok(Bound::Missing);
                }
                Ok(Bound::List(entries))
            }
            Target::File(file) => {
                let rows = self.rows(file, &own);
                let chosen = self.choose(&rows, is_root, &same_row)?;
                Ok(chosen.map_or(Bound::Missing, |(one, row)| {
                    Bound::Row(one, row, How::Lookup)
                }))
            }
            Target::Composite(composite) => {
                // R19: a composition record wins over lookup, unless records are to be ignored.
                if !self.question.lookup {
                    let same = |a: &Record, b: &Record| {
                        let members = |record: &Record| -> Vec<(String, DatasetId)> {
                            let members = record.members.iter();
                            members.map(|(name, id, ..)| (name.clone(), *id)).collect()
                        };
                        a.id == b.id || members(a) == members(b)
                    };
                    let records = self.records(composite, &own);
                    if let Some((one, record)) = self.choose(&records, is_root, &same)? {
                        return Ok(self.recorded((one, &record, false), Some(node), asked));
                    }
                }
                let mut parts = Vec::new();
                for part in &node.parts {
                    parts.push((part.clone(), self.bind(part, root, asked)?));
                }
                let bound = Bound::Composite(None, parts);
                // What may be lacking is absent as a whole, not put together from the rest.
                if node.optional && refusal(&bound, false) == Some(Refusal::NotFound) {
                    return Ok(Bound::Missing);
                }
                Ok(bound)
            }
        }
    }

    /// What search order finds first of a component under the data ID that was recorded, if lookup would look for it at all.
    fn first_of(&self, today: &Node, keys: &Keys, asked: &Node) -> Option<DatasetId> {
        if !self.is_looked_for(asked, today.target, keys) {
            return None;
        }
        match today.target {
            Target::File(file) => self.rows(file, keys).first().map(|(_, row)| row.id),
            Target::Composite(lower) => {
                let records = self.records(lower, keys);
                records.first().map(|(_, record)| record.id)
            }
        }
    }

    /// Whether what is asked for, or something that it is made of, could be a dataset of this type and data ID.
    fn is_looked_for(&self, node: &Node, target: Target, keys: &Keys) -> bool {
        let given = &self.question.given;
        let fits = node.keys.iter().all(|(key, source)| match source {
            Source::Pinned(value) => keys.get(key) == Some(value),
            Source::Key(from) => given
                .get(from)
                .is_none_or(|value| keys.get(key) == Some(value)),
        });
        let is_same = match (node.target, target) {
            (Target::File(one), Target::File(other)) => artifacts_of(one) == artifacts_of(other),
            (one, other) => one == other,
        };
        let mut parts = node.parts.iter();
        fits && is_same || parts.any(|part| self.is_looked_for(part, target, keys))
    }

    /// R19: exactly the members, by identity, wherever they are; with a word where lookup would find another.
    fn recorded(
        &self,
        (one, record, is_old): (usize, &Record, bool),
        node: Option<&Node>,
        asked: &Node,
    ) -> Bound {
        let mut parts = Vec::new();
        for (name, id, target, keys, subset) in &record.members {
            let today = node.and_then(|node| node.parts.iter().find(|part| part.name == *name));
            let newer = today.is_some_and(|today| {
                let first = self.first_of(today, keys, asked);
                first.is_some_and(|first| first != *id)
            });
            let rebuilt = self.node(name.clone(), *target).ok();
            let inner = today.filter(|today| today.target == *target);
            let mut found = Bound::Gone(*id);
            for other in &self.order {
                let repo = &self.world.repos[*other];
                if let Some(row) = repo.rows.iter().find(|row| row.id == *id) {
                    found = Bound::Row(*other, row.clone(), How::Recorded { newer });
                    break;
                }
                if let Some(record) = repo.records.iter().find(|record| record.id == *id) {
                    let node = inner.or(rebuilt.as_ref());
                    found = self.recorded((*other, record, newer), node, asked);
                    break;
                }
            }
            if *subset {
                found = Bound::List(vec![found]);
            }
            let node = Node {
                name: name.clone(),
                target: *target,
                keys: Vec::new(),
                of_lists: Vec::new(),
                parts: Vec::new(),
                subset: false,
                optional: false,
                allow_empty: false,
            };
            parts.push((node, found));
        }
        Bound::Composite(Some((one, record.id, is_old)), parts)
    }
}

/// Takes a key of a component, and of all below it, from elsewhere.
fn bind_all(node: &mut Node, (key, to): (&'static str, Source)) {
    for (_, source) in node.keys.iter_mut().chain(&mut node.of_lists) {
        if *source == Source::Key(key) {
            *source = to;
        }
    }
    for part in &mut node.parts {
        bind_all(part, (key, to));
    }
}

/// R16: given keys that only lists have are keys of the composite.
fn take_keys(node: &mut Node, given: &[&'static str]) {
    for (key, source) in std::mem::take(&mut node.of_lists) {
        // A pinned key of a list is no question to the caller any more.
        if from_key(source).is_none_or(|from| given.contains(&from)) {
            node.keys.push((key, source));
        }
    }
    let known: Vec<&'static str> = if node.name.is_empty() {
        node.keys.iter().map(|(key, _)| *key).collect()
    } else {
        given.to_vec()
    };
    for part in &mut node.parts {
        take_keys(part, &known);
    }
}

/// The first part that is needed and not there, in policy order.
fn refusal(bound: &Bound, optional: bool) -> Option<Refusal> {
    match bound {
        Bound::Row(..) => None,
        Bound::Missing => (!optional).then_some(Refusal::NotFound),
        Bound::Gone(id) => Some(Refusal::Gone(*id)),
        Bound::List(entries) => entries.iter().find_map(|entry| refusal(entry, false)),
        Bound::Composite(_, parts) => parts
            .iter()
            .find_map(|(node, part)| refusal(part, node.optional)),
    }
}

fn list(bound: &Bound, path: &str, parts: &mut Vec<Part>) {
    let mut add = |found| {
        parts.push(Part {
            path: path.to_owned(),
            found,
        });
    };
    match bound {
        Bound::Row(one, row, recorded) => add(Found::Artifact(*one, row.id, *recorded)),
        Bound::Missing | Bound::Gone(_) => add(Found::Absent),
        Bound::List(entries) => {
            for (number, entry) in entries.iter().enumerate() {
                list(entry, &format!("{path}[{number}]"), parts);
            }
        }
        Bound::Composite(record, inner) => {
            if let Some((one, id, newer)) = record {
                add(Found::Composition(*one, *id, *newer));
            }
            for (node, part) in inner {
                list(part, &format!("{path}.{}", node.name), parts);
            }
        }
    }
}
