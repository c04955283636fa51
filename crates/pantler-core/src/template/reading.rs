//! Reads paths back into data IDs by trying all ways of cutting a path up, in a bounded number of steps.
//!
//! A reading is exact if printing its values gives the path again. Since every conversion prints by itself, that is
//! checked piece by piece, which leaves few branches.

use super::conversion::Conversion;
use super::{Segment, Template};
use crate::{DataId, KeyValue};

/// More pieces than any honest path asks for; a template of many `%s` in a row could ask for exponentially many.
const MOST_STEPS: usize = 20_000;

/// What a path means to a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It does not fit.
    None,
    /// One data ID.
    One(DataId),
    /// These two at least.
    Several(DataId, DataId),
    /// More ways of reading than could be tried.
    TooMany,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Padding {
    AsPrinted,
    Any,
}

/// Reads a path: exactly if it can be, else whatever its padding.
pub(super) fn read(template: &Template, path: &str) -> Reading {
    match search(template, path, Padding::AsPrinted) {
        Reading::None => search(template, path, Padding::Any),
        reading => reading,
    }
}

/// Reads a path only as the template would print it.
pub(super) fn read_exactly(template: &Template, path: &str) -> Reading {
    search(template, path, Padding::AsPrinted)
}

fn search(template: &Template, path: &str, padding: Padding) -> Reading {
    let ends_alike = match template.segments.last() {
        Some(Segment::Literal(end)) => path.ends_with(end.as_str()),
        _ => true,
    };
    if !ends_alike || path.len() > 4096 {
        return Reading::None;
    }
    let mut search = Search {
        template,
        path,
        padding,
        steps_left: MOST_STEPS,
        bound: vec![None; template.path_keys().len()],
        found: Vec::new(),
    };
    search.advance(0, 0);
    let too_many = search.steps_left == 0;
    let mut found = search.found.into_iter();
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Reading::Several(first, second),
        _ if too_many => Reading::TooMany,
        (Some(only), None) => Reading::One(only),
        (None, _) => Reading::None,
    }
}

struct Search<'a> {
    template: &'a Template,
    path: &'a str,
    padding: Padding,
    steps_left: usize,
    bound: Vec<Option<KeyValue>>,
    found: Vec<DataId>,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.steps_left == 0 || self.found.len() > 1
    }

    /// Matches the segments from `segment` on with the path from byte `at` on.
    fn advance(&mut self, segment: usize, at: usize) {
        let (template, path) = (self.template, self.path);
        match template.segments.get(segment) {
            None => {
                if at == path.len() {
                    self.note();
                }
            }
            Some(Segment::Literal(text)) => {
                if path[at..].starts_with(text.as_str()) {
                    self.advance(segment + 1, at + text.len());
                }
            }
            Some(Segment::Conversion(conversion)) => match self.printed_again(conversion) {
                Some(text) => {
                    if path[at..].starts_with(&text) {
                        self.advance(segment + 1, at + text.len());
                    }
                }
                None => self.try_ends(conversion, segment, at),
            },
        }
    }

    /// Returns what a key that has its value already must look like here.
    fn printed_again(&self, conversion: &Conversion) -> Option<String> {
        let value = self.bound[conversion.key_index].as_ref()?;
        match self.padding {
            Padding::AsPrinted => conversion.print(value).ok(),
            Padding::Any => None,
        }
    }

    fn try_ends(&mut self, conversion: &Conversion, segment: usize, at: usize) {
        let rest = &self.path[at..];
        let starts_hidden = rest.starts_with('.') && (at == 0 || self.path[..at].ends_with('/'));
        if starts_hidden {
            return;
        }
        let next = self.template.segments.get(segment + 1);
        for (start, c) in rest.char_indices() {
            if !conversion.allows(c) || self.is_over() {
                return;
            }
            let end = start + c.len_utf8();
            let can_go_on = match next {
                None => end == rest.len(),
                Some(Segment::Literal(text)) => rest[end..].starts_with(text.as_str()),
                Some(Segment::Conversion(_)) => true,
            };
            if can_go_on {
                self.steps_left -= 1;
                self.try_piece(conversion, segment, at, at + end);
            }
        }
    }

    fn try_piece(&mut self, conversion: &Conversion, segment: usize, start: usize, end: usize) {
        let piece = &self.path[start..end];
        let index = conversion.key_index;
        let key_type = self.template.keys[index].1;
        let Some(value) = conversion.read(piece, key_type) else {
            return;
        };
        let exact = || {
            conversion
                .print(&value)
                .is_ok_and(|printed| printed == piece)
        };
        if self.padding == Padding::AsPrinted && !exact() {
            return;
        }
        match &self.bound[index] {
            Some(known) if *known != value => {}
            Some(_) => self.advance(segment + 1, end),
            None => {
                self.bound[index] = Some(value);
                self.advance(segment + 1, end);
                self.bound[index] = None;
            }
        }
    }

    fn note(&mut self) {
        let keys = self.template.path_keys().iter().map(|(key, _)| key.clone());
        let values = self.bound.iter().flatten().cloned();
        let data_id = DataId::new(keys.zip(values));
        if !self.found.contains(&data_id) {
            self.found.push(data_id);
        }
    }
}
