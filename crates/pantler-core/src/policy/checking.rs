//! Checks of a whole policy: what no definition can see by itself.

use std::collections::HashMap;

use super::definition::{Alias, Definition};
use super::reading::ReadDefinition;
use super::spot::{Spot, WithHint, quoted};
use crate::problem::Problem;
use crate::template::Pattern;
use crate::{DatasetName, Stage, TypeName};

/// Enough for any policy of the field, and a bound on what a hostile one costs. Meeting is a warning only.
const MOST_PAIRS: usize = 5_000_000;
const LONGEST_ALIAS_CHAIN: usize = 100;

/// A composite of this many leaves would be planned for minutes; sums of sums get there in few lines.
const MOST_LEAVES: u64 = 100_000;

pub(crate) fn check_bases(read: &[ReadDefinition], problems: &mut Vec<Problem>) {
    for one in read {
        let Some(composite) = &one.definition.composite else {
            continue;
        };
        let pairs = composite.components.iter().zip(&one.components);
        let mut bases = pairs.filter(|(component, _)| component.base);
        if let (Some((first, _)), Some((second, (spot, _)))) = (bases.next(), bases.next()) {
            let message = format!(
                "{} has two bases, `{}` and `{}`",
                quoted(one.definition.name.as_str()),
                first.name,
                second.name
            );
            problems.push(spot.error("two-bases", message));
        }
    }
}

/// Reports types whose artifacts could have one path (rule R8). Types of one template are parts of one another.
pub(crate) fn check_templates_meet(read: &[ReadDefinition], problems: &mut Vec<Problem>) {
    let with_template: Vec<(&ReadDefinition, Pattern)> = read
        .iter()
        .filter_map(|one| Some((one, one.definition.template.as_ref()?.pattern())))
        .collect();
    // Types whose first folders differ cannot meet, which leaves few pairs to look at.
    let mut by_start: HashMap<Option<&str>, Vec<usize>> = HashMap::new();
    for (index, (_, pattern)) in with_template.iter().enumerate() {
        by_start
            .entry(pattern.first_folder())
            .or_default()
            .push(index);
    }
    let open_start: Vec<usize> = by_start.remove(&None).unwrap_or_default();
    let mut pairs = 0;
    for (index, (later, pattern)) in with_template.iter().enumerate() {
        let candidates: Vec<usize> = match pattern.first_folder() {
            None => (0..with_template.len()).collect(),
            start => by_start
                .get(&start)
                .into_iter()
                .flatten()
                .chain(&open_start)
                .copied()
                .collect(),
        };
        pairs += candidates.len();
        if pairs > MOST_PAIRS {
            return;
        }
        let meeting = candidates
            .into_iter()
            .filter(|other| *other < index)
            .map(|other| &with_template[other])
            .find(|(earlier, other)| {
                let same = same_path(&earlier.definition, &later.definition);
                !same && other.can_meet(pattern)
            });
        if let (Some((earlier, _)), Some(node)) = (meeting, &later.template) {
            let place = match &earlier.template {
                Some(node) => node.spot.place(),
                None => earlier.spot.place(),
            };
            let message = format!(
                "datasets of {} ({place}) and of {} could have one path",
                quoted(earlier.definition.name.as_str()),
                quoted(later.definition.name.as_str())
            );
            problems.push(
                node.spot
                    .warning("templates-meet", message)
                    .hint("keep them apart by a folder or an ending of their own"),
            );
        }
    }
}

fn same_path(a: &Definition, b: &Definition) -> bool {
    match (&a.template, &b.template) {
        (Some(a), Some(b)) => a.has_same_path(b),
        _ => false,
    }
}

/// Reports composites that contain themselves, and those that are made of too much.
pub(crate) fn check_circles(read: &[ReadDefinition], problems: &mut Vec<Problem>) {
    let index: HashMap<&TypeName, usize> = read
        .iter()
        .enumerate()
        .map(|(index, one)| (&one.definition.name, index))
        .collect();
    let mut walk = Walk {
        read,
        index,
        leaves: vec![None; read.len()],
    };
    for start in 0..read.len() {
        walk.count(start, problems);
    }
}

struct Walk<'a> {
    read: &'a [ReadDefinition],
    index: HashMap<&'a TypeName, usize>,
    /// How many leaves each type has; 0 while it is being counted.
    leaves: Vec<Option<u64>>,
}

/// A composite on the way down, and which of its components comes next.
struct Step {
    number: usize,
    next: usize,
    leaves: u64,
}

impl Walk<'_> {
    /// Counts without recursion: a hostile policy nests a hundred thousand types.
    fn count(&mut self, start: usize, problems: &mut Vec<Problem>) {
        if self.leaves[start].is_some() {
            return;
        }
        let mut path = vec![Step {
            number: start,
            next: 0,
            leaves: 0,
        }];
        self.leaves[start] = Some(0);
        while let Some(step) = path.last_mut() {
            let one = &self.read[step.number];
            let components = one.definition.composite.as_ref().map(|c| &c.components);
            let Some(component) = components.and_then(|all| all.get(step.next)) else {
                let total = step.leaves.max(1);
                // Said once, of the smallest: what contains it is too large as well, and is told by the mark.
                let marked = if total > MOST_LEAVES { u64::MAX } else { total };
                self.leaves[step.number] = Some(marked);
                if total > MOST_LEAVES && step.leaves != u64::MAX {
                    let message = format!(
                        "{} is made of more than {MOST_LEAVES} datasets",
                        quoted(one.definition.name.as_str())
                    );
                    problems.push(one.spot.error("too-large", message));
                }
                path.pop();
                if let Some(above) = path.last_mut() {
                    above.leaves = above.leaves.saturating_add(marked);
                }
                continue;
            };
            step.next += 1;
            let position = step.next - 1;
            let Some(next) = self.target(&component.dataset_type) else {
                step.leaves = step.leaves.saturating_add(1);
                continue;
            };
            match self.leaves[next] {
                Some(0) => {
                    step.leaves = step.leaves.saturating_add(1);
                    let spot = &one.components[position].1;
                    problems.push(self.circle(&path, next, spot));
                }
                Some(count) => step.leaves = step.leaves.saturating_add(count),
                None => {
                    self.leaves[next] = Some(0);
                    path.push(Step {
                        number: next,
                        next: 0,
                        leaves: 0,
                    });
                }
            }
        }
    }

    /// Returns the definition that a component comes from; a part of a composite comes from that component of it.
    fn target(&self, name: &DatasetName) -> Option<usize> {
        let mut name = name.clone();
        // Each turn follows one declared component; more of them than types would be a circle, found elsewhere.
        for _ in 0..=self.read.len().min(1000) {
            if let Some(index) = self.index.get(&name.full_type_name()) {
                return Some(*index);
            }
            let whole = *self.index.get(&name.type_name())?;
            let composite = self.read[whole].definition.composite.as_ref();
            let declared = composite.and_then(|composite| {
                let part = name.components.first()?;
                composite.components.iter().find(|one| one.name == *part)
            });
            let Some(declared) = declared else {
                return Some(whole);
            };
            let mut next = declared.dataset_type.clone();
            next.components.extend(name.components.drain(1..));
            name = next;
        }
        None
    }

    fn circle(&self, path: &[Step], back_to: usize, spot: &Spot) -> Problem {
        let start = path.iter().position(|step| step.number == back_to);
        let names: Vec<String> = path[start.unwrap_or(0)..]
            .iter()
            .map(|step| step.number)
            .chain([back_to])
            .map(|number| quoted(self.read[number].definition.name.as_str()))
            .collect();
        spot.error(
            "composition-circle",
            format!(
                "a composite contains itself: {}",
                chained(&names, " contains ")
            ),
        )
    }
}

/// Replaces each alias of an alias by what it means in the end, and reports circles.
pub(crate) fn resolve_aliases(
    aliases: &mut [(String, Alias)],
    spots: &[Spot],
    problems: &mut Vec<Problem>,
) {
    let given: HashMap<String, DatasetName> = aliases
        .iter()
        .map(|(name, alias)| (name.clone(), alias.target.clone()))
        .collect();
    for ((name, alias), spot) in aliases.iter_mut().zip(spots) {
        let mut seen = vec![name.clone()];
        while alias.target.stage == Stage::Unqualified {
            let base = alias.target.base.clone();
            let Some(next) = given.get(&base) else {
                break;
            };
            let is_circle = seen.contains(&base) || seen.len() > LONGEST_ALIAS_CHAIN;
            seen.push(base);
            if is_circle {
                let names: Vec<String> = seen.iter().map(|name| quoted(name)).collect();
                let message = format!("an alias means itself: {}", chained(&names, " means "));
                problems.push(spot.error("alias-circle", message).hint(format!(
                    "for the plain type write `{name}:`, with a colon at its end"
                )));
                break;
            }
            let mut target = next.clone();
            target.components.append(&mut alias.target.components);
            alias.target = target;
        }
    }
}

/// Joins the names of a circle, leaving out the middle of a long one.
pub(crate) fn chained(names: &[String], word: &str) -> String {
    match names {
        [first, second, .., last] if names.len() > 10 => {
            format!("{first}{word}{second}{word}… {last}")
        }
        _ => names.join(word),
    }
}
