//! Slips of the pen that are not YAML and that people's policies have: recognised by their lines, so that the message can
//! say what was meant.

use std::sync::Arc;

use super::spot::{SourceText, Spot, WithHint, quoted};
use super::vocabulary;
use crate::problem::{Problem, Severity};

/// Finds the known slips that explain a syntax error in line `error_line`.
pub(crate) fn find(source: &Arc<SourceText>, error_line: usize) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut tabs = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let number = index + 1;
        if let Some(column) = indenting_tab(line) {
            tabs.push((number, column));
        }
        found.extend(missing_colon(source, line, number));
        found.extend(equals_sign(source, line, number));
    }
    let near = |number: usize| number.abs_diff(error_line) <= 1;
    if let Some((line, column)) = tabs.iter().copied().find(|(line, _)| near(*line)) {
        found.insert(0, tab(source, line, column, tabs.len()));
    }
    found
}

/// Finds `key = value` in the lines that a plain scalar goes on over, where it was swallowed as text.
pub(crate) fn equals_sign_within(
    source: &Arc<SourceText>,
    raw: &str,
    first_line: usize,
) -> Option<Problem> {
    let later = raw.lines().enumerate().skip(1);
    later.into_iter().find_map(|(index, _)| {
        let number = first_line + index;
        equals_sign(source, source.line(number), number)
    })
}

/// Warns of tabs that this parser lets pass inside braces.
pub(crate) fn tabs_in_braces(source: &Arc<SourceText>) -> Option<Problem> {
    if !source.text.contains('\t') {
        return None;
    }
    let starts_entry = |line: &str| {
        let content = line.trim_start();
        content.starts_with(['{', '}']) || next_starts_entry(&[content])
    };
    let tabs: Vec<(usize, usize)> = source
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| starts_entry(line))
        .filter_map(|(index, line)| Some((index + 1, indenting_tab(line)?)))
        .collect();
    let (line, column) = *tabs.first()?;
    let problem = tab(source, line, column, tabs.len());
    Some(Problem {
        severity: Severity::Warning,
        ..problem
    })
}

fn tab(source: &Arc<SourceText>, line: usize, column: usize, count: usize) -> Problem {
    let problem = Spot::new(source, line, column, 1).error(
        "tab-indentation",
        "the line is indented with a tab, and YAML allows spaces only",
    );
    match count {
        1 => problem.hint("put spaces in the place of the tab"),
        _ => problem.hint(format!(
            "put spaces in the place of tabs; {count} lines of this file have them"
        )),
    }
}

/// Returns the column, from 1, of a tab that indents something.
fn indenting_tab(line: &str) -> Option<usize> {
    let content = line.find(|c: char| !c.is_whitespace())?;
    if line[content..].starts_with('#') {
        return None;
    }
    line[..content]
        .chars()
        .position(|c| c == '\t')
        .map(|at| at + 1)
}

/// Finds the innermost brace or bracket that is open at the end of a text, for an error that shows only there.
pub(crate) fn unclosed(source: &Arc<SourceText>) -> Option<Problem> {
    let mut open: Vec<(usize, usize, char)> = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let mut quotes = Quotes::default();
        for (column, c) in without_comment(line).chars().enumerate() {
            if !quotes.pass(c) {
                continue;
            }
            if "{[".contains(c) {
                open.push((index + 1, column + 1, c));
            } else if "}]".contains(c) {
                open.pop();
            }
        }
    }
    let (line, column, c) = open.pop()?;
    let message = format!("the `{c}` that opens here is never closed");
    Some(Spot::new(source, line, column, 1).error("yaml-syntax", message))
}

/// Recognises `coadd_postdetect {`.
fn missing_colon(source: &Arc<SourceText>, line: &str, number: usize) -> Option<Problem> {
    let word = without_comment(line).strip_suffix('{')?;
    if !word.ends_with([' ', '\t']) {
        return None;
    }
    let word = word.trim();
    let is_name = !word.is_empty()
        && !word.ends_with(':')
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || "_-.:()".contains(c));
    is_name.then(|| {
        let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
        Spot::new(source, number, column, word.chars().count())
            .error(
                "missing-colon",
                format!("a colon is missing between {} and `{{`", quoted(word)),
            )
            .hint(format!("write `{word}: {{`"))
    })
}

/// Recognises `inputOnly = True`, for the keys of policies only: other texts may well have such lines.
fn equals_sign(source: &Arc<SourceText>, line: &str, number: usize) -> Option<Problem> {
    let content = without_comment(line);
    let (word, value) = content.split_once('=')?;
    let (word, value) = (word.trim(), value.trim().trim_end_matches(','));
    if !vocabulary::is_known_anywhere(word) || value.is_empty() {
        return None;
    }
    let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
    let problem = Spot::new(source, number, column, content.trim().chars().count()).error(
        "equals-sign",
        format!(
            "{} has an equals sign where YAML has a colon",
            quoted(content.trim())
        ),
    );
    Some(problem.hint(format!("write `{word}: {}`", value.trim())))
}

/// Returns a line without its comment and the space before it.
fn without_comment(line: &str) -> &str {
    let mut quotes = Quotes::default();
    for (at, c) in line.char_indices() {
        let after_space = quotes.before.is_none_or(char::is_whitespace);
        if quotes.pass(c) && c == '#' && after_space {
            return line[..at].trim_end();
        }
    }
    line.trim_end()
}

/// Follows quotes through a line.
#[derive(Default)]
struct Quotes {
    open: Option<char>,
    before: Option<char>,
}

impl Quotes {
    /// Passes a character and says whether it stands outside quotes.
    fn pass(&mut self, c: char) -> bool {
        let before = self.before.replace(c);
        match self.open {
            Some(open) if c == open && before != Some('\\') => {
                self.open = None;
                false
            }
            Some(_) => false,
            // An apostrophe inside a word is none.
            None if "\"'".contains(c) && !before.is_some_and(char::is_alphanumeric) => {
                self.open = Some(c);
                false
            }
            None => true,
        }
    }
}

pub(crate) fn missing_commas(source: &Arc<SourceText>, line: usize) -> Problem {
    let column = without_comment(source.line(line)).chars().count().max(1);
    Spot::new(source, line, column, 1)
        .warning(
            "missing-commas",
            "entries in braces stand on lines of their own without commas between them",
        )
        .hint("YAML wants a comma after each of them; other programs will not read this file")
}

pub(crate) fn hard_space(source: &Arc<SourceText>, line: usize, column: usize) -> Problem {
    Spot::new(source, line, column, 1)
        .warning(
            "no-break-space",
            "a no-break space stands where YAML has a space, as after copying from a web page",
        )
        .hint("put a space in its place; other programs take it for text")
}

/// Replaces no-break spaces outside quotes by spaces, one character by one; `None` if there are none.
///
/// Returns the text, and the line and column of the first one.
pub(crate) fn without_hard_spaces(text: &str) -> Option<(String, usize, usize)> {
    if !text.contains('\u{a0}') {
        return None;
    }
    let mut first = None;
    let mut mended = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let mut quotes = Quotes::default();
        for (column, c) in line.chars().enumerate() {
            if quotes.pass(c) && c == '\u{a0}' {
                first.get_or_insert((index + 1, column + 1));
                mended.push(' ');
            } else {
                mended.push(c);
            }
        }
    }
    first.map(|(line, column)| (mended, line, column))
}

/// Puts the commas into braces whose entries are separated by line ends only, as the field's older policies have them.
///
/// Returns the text and the line of the first comma; `None` if there is nothing to put in. Commas go to ends of lines, so
/// that all places stay what they were.
pub(crate) fn with_commas(text: &str) -> Option<(String, usize)> {
    let mut mended = String::with_capacity(text.len() + 1024);
    let mut open: Vec<char> = Vec::new();
    let mut first = None;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (index, full) in lines.iter().enumerate() {
        let content = without_comment(full.trim_end_matches(['\n', '\r']));
        track_braces(content, &mut open);
        mended.push_str(content);
        let ends_entry = open.last() == Some(&'{')
            && content
                .trim()
                .chars()
                .last()
                .is_some_and(|c| !"{[,:".contains(c));
        if ends_entry && next_starts_entry(&lines[index + 1..]) {
            mended.push(',');
            first.get_or_insert(index + 1);
        }
        mended.push_str(&full[content.len()..]);
    }
    first.map(|line| (mended, line))
}

fn track_braces(content: &str, open: &mut Vec<char>) {
    let mut quotes = Quotes::default();
    for c in content.chars() {
        if !quotes.pass(c) {
            continue;
        }
        if "{[".contains(c) {
            open.push(c);
        } else if "}]".contains(c) {
            open.pop();
        }
    }
}

/// Says whether the next line with content starts an entry of a mapping: `key:`, `"key":` or `key {`.
fn next_starts_entry(lines: &[&str]) -> bool {
    let next = lines
        .iter()
        .map(|line| without_comment(line).trim())
        .find(|line| !line.is_empty());
    let Some(next) = next else {
        return false;
    };
    let rest = match next.chars().next() {
        Some(quote @ ('"' | '\'')) => next[1..].split_once(quote).map(|(_, rest)| rest),
        _ => next
            .find(|c: char| c.is_whitespace() || "{}[],\"'".contains(c))
            .map(|end| {
                // The colon may be the last sign of the word.
                let word = &next[..end];
                if word.ends_with(':') {
                    ":"
                } else {
                    &next[end..]
                }
            })
            .or(next.ends_with(':').then_some(":")),
    };
    rest.is_some_and(|rest| rest.trim_start().starts_with([':', '{']))
}
