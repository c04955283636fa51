//! Takes typed values out of a mapping and reports those of a wrong type, and keys that are not known.

use super::node::{Content, Entry, Node};
use super::spot::{Spot, WithHint, quoted};
use crate::KeyValue;
use crate::problem::Problem;

/// After so many problems nobody reads on, and finding similar words takes time.
pub(crate) const ENOUGH: usize = 1000;

/// The fields of one mapping, and what is wrong with them.
pub(crate) struct Fields<'a, 'p> {
    entries: &'a [Entry],
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Fields<'a, 'p> {
    pub(crate) fn new(entries: &'a [Entry], problems: &'p mut Vec<Problem>) -> Fields<'a, 'p> {
        Fields { entries, problems }
    }

    /// Reports keys that are not among the known ones; `owner` is what the mapping is, as in "a component".
    pub(crate) fn check_known(&mut self, owner: &str, known: &[&str], passed_over: &[&str]) {
        for entry in self.entries {
            if self.problems.len() > ENOUGH {
                return;
            }
            if !known.contains(&&*entry.key) && !passed_over.contains(&&*entry.key) {
                let message = format!("{owner} has no key {}", quoted(&entry.key));
                let problem = entry.spot.error("unknown-key", message);
                self.problems
                    .push(problem.did_you_mean(&entry.key, known.iter().copied()));
            }
        }
    }

    pub(crate) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Finds the entry of a key that has a value.
    pub(crate) fn find(&self, key: &str) -> Option<&'a Entry> {
        let entry = self.entries.iter().find(|entry| &*entry.key == key);
        entry.filter(|entry| !entry.value.is_null())
    }

    pub(crate) fn spot(&self, key: &str) -> Option<&'a Spot> {
        self.find(key).map(|entry| &entry.value.spot)
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        let entry = self.find(key)?;
        match entry.value.as_text() {
            Some(text) => Some(text.trim_end_matches('\n').to_owned()),
            None => {
                self.wrong_type(key, "text", &entry.value);
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, key: &str) -> bool {
        let Some(entry) = self.find(key) else {
            return false;
        };
        entry.value.as_bool().unwrap_or_else(|| {
            let text = entry.value.as_text().unwrap_or_default();
            let problem = entry.value.spot.error(
                "wrong-type",
                format!(
                    "`{key}` is `true` or `false`, and here it is {}",
                    describe(&entry.value)
                ),
            );
            let problem = match text.to_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => problem.hint(format!("write `{key}: true`")),
                "false" | "no" | "off" | "n" => problem.hint(format!("write `{key}: false`")),
                _ => problem,
            };
            self.problems.push(problem);
            false
        })
    }

    /// Takes a list of texts; a single text is a list of one.
    pub(crate) fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        let entry = self.find(key)?;
        let nodes = entry.value.as_list();
        let texts: Option<Vec<String>> = nodes.and_then(|nodes| {
            nodes
                .iter()
                .map(|node| node.as_text().map(str::to_owned))
                .collect()
        });
        if texts.is_none() {
            self.wrong_type(key, "a list of texts", &entry.value);
        }
        texts
    }

    pub(crate) fn mapping(&mut self, key: &str) -> Option<&'a [Entry]> {
        let entry = self.find(key)?;
        let mapping = entry.value.as_mapping();
        if mapping.is_none() {
            self.wrong_type(key, "a mapping", &entry.value);
        }
        mapping
    }

    /// Takes one of a few words.
    pub(crate) fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let entry = self.find(key)?;
        let text = entry.value.as_text().unwrap_or_default();
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let problem = entry.value.spot.error(
                "wrong-value",
                format!(
                    "`{key}` is one of {}, and here it is {}",
                    listed(&known),
                    describe(&entry.value)
                ),
            );
            self.problems.push(problem.did_you_mean(text, known));
        }
        found.map(|(_, value)| *value)
    }

    pub(crate) fn wrong_type(&mut self, key: &str, wanted: &str, value: &Node) {
        self.problems.push(value.spot.error(
            "wrong-type",
            // The key may be one of the user's, with whatever characters.
            format!(
                "{} is {wanted}, and here it is {}",
                quoted(key),
                describe(value)
            ),
        ));
    }

    /// Reads what the values of a header card mean.
    pub(crate) fn value_map(&mut self, key: &str) -> Vec<(String, KeyValue)> {
        let entries = self.mapping(key).unwrap_or_default();
        let mut map = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry.value.as_key_value() {
                Some(value) => map.push((entry.key.to_string(), value)),
                None => self.wrong_type(&entry.key, "a value of a key", &entry.value),
            }
        }
        map
    }
}

/// Returns what a value is, for messages: its text where it has one.
pub(crate) fn describe(node: &Node) -> String {
    match &node.content {
        Content::Scalar(scalar) if !node.is_null() => quoted(&scalar.text),
        _ => node.kind().to_owned(),
    }
}

/// Lists words in backticks, with commas and an `or`.
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [most @ .., last] => format!("`{}` or `{last}`", most.join("`, `")),
    }
}

/// Returns a value as it would stand in braces, for keys that are kept and not understood.
pub(crate) fn flow(node: &Node) -> String {
    match &node.content {
        Content::Scalar(scalar) if scalar.is_plain => scalar.text.to_string(),
        Content::Scalar(scalar) => super::yaml::quoted(&scalar.text),
        Content::Sequence(nodes) => {
            let inner: Vec<String> = nodes.iter().map(flow).collect();
            format!("[{}]", inner.join(", "))
        }
        Content::Mapping(entries) => {
            let inner = entries.iter().map(|entry| {
                format!(
                    "{}: {}",
                    super::yaml::scalar(&entry.key),
                    flow(&entry.value)
                )
            });
            format!("{{{}}}", inner.collect::<Vec<_>>().join(", "))
        }
    }
}
