//! Parses YAML into nodes, within limits: a policy may come from a repository that is not the user's own.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use super::node::{Content, Entry, Node, Scalar};
use super::slips;
use super::spot::{SourceText, Spot, WithHint, quoted};
use crate::problem::Problem;

/// The largest policies of the field have half a megabyte.
const MOST_BYTES: usize = 16 << 20;
/// As many nodes as a policy of ten thousand types has, aliases counted as what they stand for.
const MOST_NODES: usize = 200_000;
/// A text of so many bytes counts as one more node, so that aliases cannot multiply long texts either.
const BYTES_PER_NODE: usize = 64;
const LONGEST_KEY: usize = 1000;
/// A composition is at most six levels deep in a file.
const DEEPEST: usize = 48;

/// A parsed file, and what is wrong with it. Where it cannot be parsed there is no node.
pub(crate) struct Document {
    pub(crate) root: Option<Node>,
    pub(crate) problems: Vec<Problem>,
}

pub(crate) fn parse(source: &Arc<SourceText>) -> Document {
    let start = Spot::new(source, 1, 1, 1);
    if source.text.len() > MOST_BYTES {
        let message = format!(
            "the file has {} bytes, and a policy at most {MOST_BYTES}",
            source.text.len()
        );
        return Document::failed(vec![start.error("too-large", message)]);
    }
    let mut warnings = Vec::new();
    let mut text = Cow::Borrowed(&*source.text);
    if let Some((mended, line, column)) = slips::without_hard_spaces(&text) {
        warnings.push(slips::hard_space(source, line, column));
        text = Cow::Owned(mended);
    }
    let mut parsed = Builder::new(source, &text).build();
    if matches!(parsed, Err(Failure::Syntax(_)))
        && let Some((mended, line)) = slips::with_commas(&text)
    {
        warnings.push(slips::missing_commas(source, line));
        parsed = Builder::new(source, &mended).build();
    }
    match parsed {
        Ok(mut document) => {
            warnings.extend(slips::tabs_in_braces(source));
            document.problems.append(&mut warnings);
            document
        }
        Err(Failure::Limit(problem)) => Document::failed(vec![*problem]),
        Err(Failure::Syntax(error)) => Document::failed(explain(source, &error)),
    }
}

impl Document {
    fn failed(problems: Vec<Problem>) -> Document {
        Document {
            root: None,
            problems,
        }
    }
}

enum Failure {
    Syntax(ScanError),
    Limit(Box<Problem>),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure::Limit(Box::new(problem))
    }
}

/// Turns a syntax error into problems that name the slip where it is a known one.
fn explain(source: &Arc<SourceText>, error: &ScanError) -> Vec<Problem> {
    let text = &source.text;
    let mark = error.marker();
    let known = slips::find(source, mark.line());
    if !known.is_empty() {
        return known;
    }
    // An error at the end of the file is marked behind its last line.
    let lines = text.lines().count().max(1);
    if mark.line() >= lines
        && let Some(problem) = slips::unclosed(source)
    {
        return vec![problem];
    }
    let (line, column) = if mark.line() > lines {
        let last = text.lines().last().unwrap_or("");
        (lines, last.chars().count().max(1))
    } else {
        (mark.line().max(1), mark.col() + 1)
    };
    let spot = Spot::new(source, line, column, 1);
    let message = format!("this is not YAML: {}", error.info());
    let problem = spot.error("yaml-syntax", message);
    let at = text
        .lines()
        .nth(line - 1)
        .and_then(|text| text.chars().nth(column - 1));
    vec![match at {
        Some('%') => {
            problem.hint("put the template in quotes: YAML keeps `%` at the start for itself")
        }
        _ => problem,
    }]
}

struct Builder<'a> {
    source: &'a Arc<SourceText>,
    text: &'a str,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    problems: Vec<Problem>,
    nodes: usize,
}

struct Frame {
    spot: Spot,
    anchor: usize,
    tag: Option<String>,
    collected: Collected,
}

enum Collected {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        key: Option<Node>,
    },
}

impl<'a> Builder<'a> {
    fn new(source: &'a Arc<SourceText>, text: &'a str) -> Builder<'a> {
        Builder {
            source,
            text,
            stack: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            problems: Vec::new(),
            nodes: 0,
        }
    }

    fn build(mut self) -> Result<Document, Failure> {
        let options = granit_parser::options! { emit_comments: false };
        let mut documents = 0;
        for next in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = next.map_err(Failure::Syntax)?;
            if matches!(event, Event::DocumentStart(..)) {
                documents += 1;
                if documents > 1 {
                    let spot = self.spot(span.start, span.end);
                    self.problems.push(spot.error(
                        "several-documents",
                        "a policy is one YAML document, and here a second one starts",
                    ));
                    break;
                }
            }
            self.take(event, span)?;
        }
        Ok(Document {
            root: self.root,
            problems: self.problems,
        })
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Failure> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = self.tag(tag.as_deref(), &span);
                let node = self.scalar(&text, style, tag, &span);
                self.complete(node, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => self.open(
                Collected::Sequence(Vec::new()),
                anchor,
                tag.as_deref(),
                &span,
            ),
            Event::MappingStart(_, anchor, tag) => {
                let collected = Collected::Mapping {
                    entries: Vec::new(),
                    key: None,
                };
                self.open(collected, anchor, tag.as_deref(), &span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(id) => {
                let spot = self.spot(span.start, span.end);
                match self.anchors.get(&id) {
                    // What an alias stands for keeps its own place: that is where it is to be mended.
                    Some(node) => {
                        let node = node.clone();
                        self.complete(node, 0)
                    }
                    None => Err(spot
                        .error("yaml-syntax", "an alias stands inside what it stands for")
                        .into()),
                }
            }
            _ => Ok(()),
        }
    }

    fn spot(&self, start: Marker, end: Marker) -> Spot {
        let length = if start.line() == end.line() {
            end.col().saturating_sub(start.col())
        } else {
            // To the end of the line, which is where a problem clips it.
            usize::MAX
        };
        Spot::new(self.source, start.line(), start.col() + 1, length)
    }

    fn tag(&mut self, tag: Option<&Tag>, span: &Span) -> Option<String> {
        let tag = tag?;
        if tag.is_yaml_core_schema() || matches!(tag.suffix(), "include" | "") {
            return Some(tag.suffix().to_owned());
        }
        let spot = self.spot(span.start, span.end);
        self.problems.push(spot.error(
            "unknown-tag",
            format!(
                "the tag {} means nothing in a policy",
                quoted(&tag.original())
            ),
        ));
        None
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<String>, span: &Span) -> Node {
        let raw = span
            .byte_range()
            .and_then(|range| self.text.get(range))
            .unwrap_or("");
        let is_plain = style == ScalarStyle::Plain && tag.as_deref() != Some("str");
        let mut text = text;
        if style == ScalarStyle::Plain && span.start.line() < span.end.line() {
            let first_line = span.start.line();
            if let Some(problem) = slips::equals_sign_within(self.source, raw, first_line) {
                self.problems.push(problem);
                text = raw.lines().next().unwrap_or("").trim_end();
            }
        }
        let offset = match style {
            ScalarStyle::Plain => (raw == text).then_some(0),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let inside = raw.get(1..raw.len().saturating_sub(1));
                (inside == Some(text)).then_some(1)
            }
            _ => None,
        };
        Node {
            spot: self.spot(span.start, span.end),
            content: Content::Scalar(Scalar {
                text: text.into(),
                is_plain,
                offset,
            }),
            tag: tag.filter(|tag| tag == "include"),
            size: 1 + text.len() / BYTES_PER_NODE,
            height: 1,
        }
    }

    fn open(
        &mut self,
        collected: Collected,
        anchor: usize,
        tag: Option<&Tag>,
        span: &Span,
    ) -> Result<(), Failure> {
        let spot = self.spot(span.start, span.end);
        if self.stack.len() >= DEEPEST {
            return Err(too_deep(&spot));
        }
        let tag = self.tag(tag, span);
        self.stack.push(Frame {
            spot,
            anchor,
            tag,
            collected,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let (content, size, height) = match frame.collected {
            Collected::Sequence(nodes) => {
                let size = nodes.iter().map(|node| node.size).sum::<usize>();
                let height = nodes.iter().map(|node| node.height).max().unwrap_or(0);
                (Content::Sequence(Arc::new(nodes)), size, height)
            }
            Collected::Mapping { entries, .. } => {
                let written = entries.len();
                let entries = with_merged(entries);
                // What is merged is copied, so it counts here and not only where it is written.
                self.nodes += entries.len().saturating_sub(written);
                let size = entries
                    .iter()
                    .map(|entry| entry.value.size + 1 + entry.key.len() / BYTES_PER_NODE)
                    .sum::<usize>();
                let height = entries.iter().map(|entry| entry.value.height).max();
                (
                    Content::Mapping(Arc::new(entries)),
                    size,
                    height.unwrap_or(0),
                )
            }
        };
        let node = Node {
            spot: frame.spot,
            content,
            tag: frame.tag.filter(|tag| tag == "include"),
            size: size + 1,
            height: height + 1,
        };
        self.complete(node, frame.anchor)
    }

    /// Puts a finished node where it belongs.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Failure> {
        self.nodes += 1;
        if node.size > MOST_NODES || self.nodes > MOST_NODES {
            return Err(node
                .spot
                .error(
                    "too-large",
                    format!("the policy has more than {MOST_NODES} values, aliases included"),
                )
                .into());
        }
        if self.stack.len() + node.height > DEEPEST {
            return Err(too_deep(&node.spot));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|frame| &mut frame.collected) {
            None => self.root = Some(node),
            Some(Collected::Sequence(nodes)) => nodes.push(node),
            Some(Collected::Mapping { entries, key }) => match key.take() {
                None => *key = Some(node),
                Some(key) => match &key.content {
                    Content::Scalar(scalar) if scalar.text.len() > LONGEST_KEY => {
                        let message = format!("a key has at most {LONGEST_KEY} characters");
                        self.problems.push(key.spot.error("too-large", message));
                    }
                    Content::Scalar(scalar) => entries.push(Entry {
                        key: Arc::clone(&scalar.text),
                        spot: key.spot,
                        value: node,
                    }),
                    _ => self.problems.push(
                        key.spot
                            .error("wrong-type", format!("a key is text, not {}", key.kind())),
                    ),
                },
            },
        }
        Ok(())
    }
}

fn too_deep(spot: &Spot) -> Failure {
    spot.error(
        "too-large",
        format!("the policy is nested more than {DEEPEST} levels deep"),
    )
    .into()
}

/// Puts in what `<<: *other` stands for; a key that is given beside it wins.
fn with_merged(entries: Vec<Entry>) -> Vec<Entry> {
    if !entries.iter().any(|entry| &*entry.key == "<<") {
        return entries;
    }
    let (merges, mut own): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| &*entry.key == "<<");
    let mut known: HashSet<Arc<str>> = own.iter().map(|entry| Arc::clone(&entry.key)).collect();
    for merge in merges {
        let sources = merge
            .value
            .as_list()
            .unwrap_or(std::slice::from_ref(&merge.value));
        for source in sources {
            for entry in source.as_mapping().unwrap_or(&[]) {
                if known.insert(Arc::clone(&entry.key)) {
                    own.push(entry.clone());
                }
            }
        }
    }
    own
}
