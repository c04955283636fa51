//! Puts the texts of a policy together: includes first, then each text over what came before it, key by key.
//!
//! Nothing is understood here beyond which mapping is a dataset type; that is for `fields` and `reading`.

use std::collections::HashMap;
use std::sync::Arc;

use super::document;
use super::node::{Content, Entry, Node};
use super::spot::{SourceText, Spot, WithHint, quoted};
use super::vocabulary;
use super::{IncludeFile, PolicyText};
use crate::TypeName;
use crate::problem::Problem;

/// An include of an include of an include is common; more than this is a circle through changing names.
const DEEPEST_INCLUDE: usize = 16;
/// How many files one policy may be spread over.
const MOST_FILES: usize = 1000;

/// All texts as one, not yet understood.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) stages: Option<Node>,
    pub(crate) keys: Vec<Entry>,
    pub(crate) aliases: Vec<Entry>,
    pub(crate) recipes: Vec<Entry>,
    pub(crate) definitions: Vec<RawDefinition>,
    by_name: HashMap<TypeName, usize>,
    /// Whether it has sections or keys of the field's older policies.
    pub(crate) is_older: bool,
    pub(crate) problems: Vec<Problem>,
    /// The files read, in order.
    pub(crate) files: Vec<Arc<str>>,
}

/// What all texts together say of one dataset type.
#[derive(Debug, Clone)]
pub(crate) struct RawDefinition {
    pub(crate) name: TypeName,
    /// Where it is named, in the last text that does.
    pub(crate) spot: Spot,
    pub(crate) entries: Vec<Entry>,
    pub(crate) inherits: Option<(TypeName, Spot)>,
    /// Whether it stands in a section whose types are FITS files unless they say otherwise.
    pub(crate) is_fits: bool,
}

impl Layers {
    /// Adds a text over those that are there.
    pub(crate) fn add(&mut self, text: &PolicyText, include: &mut IncludeFile<'_>) {
        let mut trail = Vec::new();
        if let Some(root) = self.read(text, None, &mut trail, include) {
            self.add_root(&root, &mut trail, include);
        }
    }

    /// Parses a text and puts in what `!include` stands for.
    fn read(
        &mut self,
        text: &PolicyText,
        asked_by: Option<&Spot>,
        trail: &mut Vec<Arc<str>>,
        include: &mut IncludeFile<'_>,
    ) -> Option<Node> {
        self.files.push(Arc::clone(&text.file));
        if let Some(spot) = asked_by {
            let why = if trail.contains(&text.file) {
                let files: Vec<&str> = trail.iter().map(|file| &**file).collect();
                Some(format!(
                    "the file {} includes itself, by way of {}",
                    quoted(&text.file),
                    files.join(", ")
                ))
            } else if trail.len() >= DEEPEST_INCLUDE || self.files.len() > MOST_FILES {
                Some("too many files include each other".to_owned())
            } else {
                None
            };
            if let Some(message) = why {
                self.problems.push(spot.error("include-circle", message));
                return None;
            }
        }
        let source = Arc::new(SourceText::new(Arc::clone(&text.file), text.text.clone()));
        let parsed = document::parse(&source);
        self.problems.extend(parsed.problems);
        trail.push(Arc::clone(&text.file));
        let root = parsed.root?;
        Some(self.with_included(root, trail, include))
    }

    fn fetch(
        &mut self,
        node: &Node,
        trail: &mut Vec<Arc<str>>,
        include: &mut IncludeFile<'_>,
    ) -> Option<Node> {
        let Some(name) = node.as_text() else {
            let message = format!("`include` takes names of files, not {}", node.kind());
            self.problems.push(node.spot.error("wrong-type", message));
            return None;
        };
        match include(&node.spot.source.file, name) {
            Ok(text) => {
                let depth = trail.len();
                let root = self.read(&text, Some(&node.spot), trail, include);
                trail.truncate(depth);
                root
            }
            Err(why) => {
                let message = format!("the file {} cannot be included: {why}", quoted(name));
                self.problems
                    .push(node.spot.error("include-failed", message));
                None
            }
        }
    }

    fn with_included(
        &mut self,
        node: Node,
        trail: &mut Vec<Arc<str>>,
        include: &mut IncludeFile<'_>,
    ) -> Node {
        if node.tag.is_some() {
            return match self.fetch(&node, trail, include) {
                Some(root) => root,
                None => Node { tag: None, ..node },
            };
        }
        let Content::Mapping(entries) = &node.content else {
            return node;
        };
        // Only mappings can hold an include: a list of types would have no names.
        if !has_tags(&node) {
            return node;
        }
        let entries = entries
            .iter()
            .map(|entry| Entry {
                value: self.with_included(entry.value.clone(), trail, include),
                ..entry.clone()
            })
            .collect();
        Node {
            content: Content::Mapping(Arc::new(entries)),
            ..node
        }
    }

    fn add_root(&mut self, root: &Node, trail: &mut Vec<Arc<str>>, include: &mut IncludeFile<'_>) {
        if root.is_null() {
            return;
        }
        let Some(entries) = root.as_mapping() else {
            let message = format!("a policy is a mapping of sections, not {}", root.kind());
            self.problems
                .push(root.spot.error("not-a-mapping", message));
            return;
        };
        let entries = self.without_repeats(entries);
        for entry in entries.iter().filter(|entry| &*entry.key == "include") {
            let Some(files) = entry.value.as_list() else {
                let message = format!(
                    "`include` is a list of files, and here it is {}",
                    entry.value.kind()
                );
                let spot = &entry.value.spot;
                self.problems.push(spot.error("wrong-type", message));
                continue;
            };
            for file in files {
                let depth = trail.len();
                if let Some(included) = self.fetch_and_enter(file, trail, include) {
                    self.add_root(&included, trail, include);
                }
                trail.truncate(depth);
            }
        }
        for entry in entries {
            self.add_section(&entry);
        }
    }

    /// As `fetch`, but leaves the file on the trail, because what it includes in turn is still to be looked at.
    fn fetch_and_enter(
        &mut self,
        node: &Node,
        trail: &mut Vec<Arc<str>>,
        include: &mut IncludeFile<'_>,
    ) -> Option<Node> {
        let root = self.fetch(node, trail, include)?;
        trail.push(Arc::clone(&root.spot.source.file));
        Some(root)
    }

    fn add_section(&mut self, entry: &Entry) {
        let key = &*entry.key;
        match key {
            "include" | "description" => {}
            "stages" => self.stages = Some(entry.value.clone()),
            "keys" | "aliases" | "recipes" => {
                let given = self.section_entries(entry);
                let (known, depth) = match key {
                    "keys" => (&mut self.keys, 1),
                    "aliases" => (&mut self.aliases, 0),
                    _ => (&mut self.recipes, 0),
                };
                merge(known, &given, &|_| depth);
            }
            _ if vocabulary::SECTIONS.contains(&key) => {
                let is_fits = vocabulary::FITS_SECTIONS.contains(&key);
                self.is_older |= is_fits;
                for definition in self.section_entries(entry) {
                    self.add_definition(&definition, is_fits);
                }
            }
            _ if looks_like_definition(&entry.value) => self.add_definition(entry, false),
            _ if vocabulary::names(vocabulary::PASSED_OVER).any(|name| name == key) => {
                self.is_older = true;
            }
            _ => self.problems.push(unknown_section(entry)),
        }
    }

    fn section_entries(&mut self, section: &Entry) -> Vec<Entry> {
        if section.value.is_null() {
            return Vec::new();
        }
        match section.value.as_mapping() {
            Some(entries) => self.without_repeats(entries),
            None => {
                let message = format!(
                    "`{}` is a mapping, and here it is {}",
                    section.key,
                    section.value.kind()
                );
                self.problems
                    .push(section.value.spot.error("wrong-type", message));
                Vec::new()
            }
        }
    }

    fn add_definition(&mut self, entry: &Entry, is_fits: bool) {
        let (written, parent) = split_inherits(&entry.key);
        let name = match TypeName::new(written) {
            Ok(name) => name,
            Err(error) => {
                let message = format!(
                    "{} is no name of a dataset type: {}",
                    quoted(written),
                    error.why
                );
                self.problems.push(entry.spot.error("bad-name", message));
                return;
            }
        };
        let entries = match entry.value.as_mapping() {
            Some(entries) => self.without_repeats(entries),
            None if entry.value.is_null() => Vec::new(),
            None => {
                let message = format!(
                    "the dataset type {} is a mapping, and here it is {}",
                    quoted(written),
                    entry.value.kind()
                );
                self.problems
                    .push(entry.value.spot.error("wrong-type", message));
                return;
            }
        };
        let entries = self.with_plug_ins_beside(entries);
        let inherits = self.parent(entry, parent, &entries);
        self.check_named_once(&name, entry);
        match self.by_name.get(&name) {
            None => {
                self.by_name.insert(name.clone(), self.definitions.len());
                self.definitions.push(RawDefinition {
                    name,
                    spot: entry.spot.clone(),
                    entries,
                    inherits,
                    is_fits,
                });
            }
            Some(index) => {
                let known = &mut self.definitions[*index];
                known.spot = entry.spot.clone();
                known.is_fits |= is_fits;
                known.inherits = inherits.or(known.inherits.take());
                merge_definition(&mut known.entries, &entries);
            }
        }
    }

    /// Two spellings of one name in one file are two definitions, of which one would be lost.
    fn check_named_once(&mut self, name: &TypeName, entry: &Entry) {
        let known = self
            .by_name
            .get(name)
            .map(|index| &self.definitions[*index]);
        if let Some(known) = known
            && Arc::ptr_eq(&known.spot.source, &entry.spot.source)
            && known.spot.line != entry.spot.line
            && spelt(&known.spot) != spelt(&entry.spot)
        {
            let message = format!(
                "{} is defined twice, in the lines {} and {}",
                quoted(name.as_str()),
                known.spot.line,
                entry.spot.line
            );
            self.problems
                .push(entry.spot.error("repeated-key", message));
        }
    }

    fn parent(
        &mut self,
        entry: &Entry,
        in_name: Option<&str>,
        entries: &[Entry],
    ) -> Option<(TypeName, Spot)> {
        let given = entries.iter().find(|entry| &*entry.key == "inherits");
        let given = given.filter(|given| !given.value.is_null());
        let (text, spot) = match (in_name, given) {
            (None, None) => return None,
            (Some(text), None) => (text, &entry.spot),
            (in_name, Some(given)) => {
                let Some(text) = given.value.as_text() else {
                    let message = format!("`inherits` is a name, not {}", given.value.kind());
                    self.problems
                        .push(given.value.spot.error("wrong-type", message));
                    return None;
                };
                if in_name.is_some_and(|other| other != text) {
                    self.problems.push(given.value.spot.error(
                        "two-parents",
                        format!(
                            "the name says that it inherits {}, and `inherits` says {}",
                            quoted(in_name.unwrap_or_default()),
                            quoted(text)
                        ),
                    ));
                }
                (text, &given.value.spot)
            }
        };
        match TypeName::new(text) {
            Ok(name) => Some((name, spot.clone())),
            Err(error) => {
                let message = format!(
                    "{} is no name of a dataset type: {}",
                    quoted(text),
                    error.why
                );
                self.problems.push(spot.error("bad-name", message));
                None
            }
        }
    }

    /// Takes `assembler` and `disassembler` out of `composite`, so that both spellings are one from here on.
    fn with_plug_ins_beside(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let is_plug_in = |entry: &Entry| {
            matches!(&*entry.key, "assembler" | "disassembler") && entry.value.as_text().is_some()
        };
        let mut beside = Vec::with_capacity(entries.len() + 2);
        let mut inside = Vec::new();
        for mut entry in entries {
            if &*entry.key == "composite"
                && let Some(composite) = entry.value.as_mapping()
            {
                let (plug_ins, components) = self
                    .without_repeats(composite)
                    .into_iter()
                    .partition(is_plug_in);
                inside = plug_ins;
                entry.value.content = Content::Mapping(Arc::new(components));
            }
            beside.push(entry);
        }
        for entry in inside {
            let other = beside.iter().find(|other| other.key == entry.key);
            match other {
                None => beside.push(entry),
                Some(other) if other.value.as_text() == entry.value.as_text() => {}
                Some(other) => {
                    let message = format!(
                        "`{}` is named beside `composite` in line {} and otherwise inside it",
                        entry.key, other.spot.line
                    );
                    self.problems
                        .push(entry.spot.error("two-plug-ins", message));
                }
            }
        }
        beside
    }

    /// Returns the entries with each key once: a repeated `tables` is a list, anything else a mistake.
    fn without_repeats(&mut self, entries: &[Entry]) -> Vec<Entry> {
        let mut once: Vec<Entry> = Vec::with_capacity(entries.len());
        let mut places = HashMap::with_capacity(entries.len());
        for entry in entries {
            match places.get(&entry.key).copied() {
                None => {
                    places.insert(Arc::clone(&entry.key), once.len());
                    once.push(entry.clone());
                }
                Some(index) => {
                    let first: &mut Entry = &mut once[index];
                    let lines = format!(
                        "{} is given twice, in the lines {} and {}",
                        quoted(&entry.key),
                        first.spot.line,
                        entry.spot.line
                    );
                    if matches!(&*entry.key, "tables" | "table") {
                        extend_list(&mut first.value, &entry.value);
                        self.problems.push(
                            entry
                                .spot
                                .warning("repeated-key", format!("{lines}, and read as a list"))
                                .hint("write the values as a list: `[raw, raw_skyTile]`"),
                        );
                    } else {
                        first.value = entry.value.clone();
                        self.problems.push(entry.spot.error("repeated-key", lines));
                    }
                }
            }
        }
        once
    }
}

fn spelt(spot: &Spot) -> String {
    let line = spot.source.line(spot.line as usize).chars();
    let start = spot.column as usize - 1;
    line.skip(start).take(spot.length as usize).collect()
}

fn has_tags(node: &Node) -> bool {
    node.tag.is_some()
        || node
            .as_mapping()
            .is_some_and(|entries| entries.iter().any(|entry| has_tags(&entry.value)))
}

fn extend_list(list: &mut Node, more: &Node) {
    let more = more.as_list().unwrap_or_default();
    if let Content::Sequence(nodes) = &mut list.content {
        Arc::make_mut(nodes).extend_from_slice(more);
    } else {
        let nodes = list.as_list().unwrap_or_default().iter().chain(more);
        list.content = Content::Sequence(Arc::new(nodes.cloned().collect()));
    }
}

/// Reads `srccat_blue(srccat)`.
fn split_inherits(key: &str) -> (&str, Option<&str>) {
    let inside = key.strip_suffix(')').and_then(|rest| rest.split_once('('));
    match inside {
        Some((name, parent)) => (name.trim(), Some(parent.trim())),
        None => (key, None),
    }
}

/// Says whether a mapping at the top of a file is a dataset type: some files of the field hold nothing else.
fn looks_like_definition(node: &Node) -> bool {
    node.as_mapping().is_some_and(|entries| {
        let mut keys = entries.iter().map(|entry| &*entry.key);
        keys.any(|key| vocabulary::TELLING.contains(&key))
    })
}

fn unknown_section(entry: &Entry) -> Problem {
    let problem = entry.spot.error(
        "unknown-key",
        format!("a policy has no section {}", quoted(&entry.key)),
    );
    let known = vocabulary::TOP
        .iter()
        .copied()
        .chain(vocabulary::names(vocabulary::PASSED_OVER));
    let problem = problem.did_you_mean(&entry.key, known);
    if problem.hints.is_empty() && entry.value.as_mapping().is_some() {
        problem.hint("definitions of dataset types stand under `datasets`")
    } else {
        problem
    }
}

/// Puts entries over others. `depth` says of a key how many levels of mappings are merged before values are replaced whole.
fn merge(below: &mut Vec<Entry>, over: &[Entry], depth: &dyn Fn(&str) -> usize) {
    let mut places: HashMap<Arc<str>, usize> = below
        .iter()
        .enumerate()
        .map(|(index, entry)| (Arc::clone(&entry.key), index))
        .collect();
    for entry in over {
        match places.get(&entry.key).copied() {
            None => {
                places.insert(Arc::clone(&entry.key), below.len());
                below.push(entry.clone());
            }
            Some(index) => {
                let known = &mut below[index];
                known.spot = entry.spot.clone();
                known.value = merged_value(&known.value, &entry.value, depth(&entry.key));
            }
        }
    }
}

fn merged_value(below: &Node, over: &Node, depth: usize) -> Node {
    match (below.as_mapping(), over.as_mapping()) {
        (Some(mine), Some(theirs)) if depth > 0 => {
            let mut entries = mine.to_vec();
            merge(&mut entries, theirs, &|_| depth - 1);
            Node {
                size: 1 + entries
                    .iter()
                    .map(|entry| entry.value.size + 1)
                    .sum::<usize>(),
                content: Content::Mapping(Arc::new(entries)),
                ..over.clone()
            }
        }
        _ => over.clone(),
    }
}

/// Puts what a later text, or an heir, says of a dataset type over what is known of it.
pub(crate) fn merge_definition(below: &mut Vec<Entry>, over: &[Entry]) {
    let gives = |key: &str| {
        let entry = over.iter().find(|entry| &*entry.key == key);
        entry.is_some_and(|entry| !entry.value.is_null())
    };
    // How a type is kept, whole or in parts, is one decision: the later text makes it.
    if gives("composite") && !gives("template") {
        below.retain(|entry| !matches!(&*entry.key, "template" | "storage"));
    }
    if gives("template") && !gives("composite") {
        below.retain(|entry| !matches!(&*entry.key, "composite" | "assembler" | "disassembler"));
    }
    merge(below, over, &|key| match key {
        "composite" | "ingest" => 2,
        "metadata" | "join" => 1,
        _ => 0,
    });
}
