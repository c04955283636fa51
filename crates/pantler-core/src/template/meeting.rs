//! Tells whether two templates can give one path, for the warning of rule R8.
//!
//! Each template is seen as a row of character sets, some of them repeated; the two rows are walked together. That two
//! conversions of one key have one value is not looked at, so the answer errs on the side of yes.

use super::Segment;
use super::conversion::{Conversion, Kind};
use crate::KeyType;

/// A template as a row of character sets.
pub(crate) struct Pattern {
    atoms: Vec<Atom>,
    first_folder: Option<String>,
}

impl Pattern {
    pub(super) fn new(segments: &[Segment]) -> Pattern {
        let first_folder = match segments.first() {
            Some(Segment::Literal(text)) => {
                text.split_once('/').map(|(folder, _)| folder.to_owned())
            }
            _ => None,
        };
        Pattern {
            atoms: atoms(segments),
            first_folder,
        }
    }

    /// Returns the folder that all paths start with, if it is a constant one.
    pub(crate) fn first_folder(&self) -> Option<&str> {
        self.first_folder.as_deref()
    }

    /// Says whether both can give one path.
    pub(crate) fn can_meet(&self, other: &Pattern) -> bool {
        let (a, b) = (&self.atoms[..], &other.atoms[..]);
        // Most pairs differ in their constant starts or ends, which costs no table.
        let start = constant_pairs(a.iter().zip(b));
        let end = constant_pairs(a.iter().rev().zip(b.iter().rev()));
        match (start, end) {
            (Some(start), Some(_)) => rows_meet(&a[start..], &b[start..]),
            _ => false,
        }
    }
}

/// Returns how many pairs of equal characters there are before something else; `None` if two characters differ there.
fn constant_pairs<'a>(pairs: impl Iterator<Item = (&'a Atom, &'a Atom)>) -> Option<usize> {
    let mut count = 0;
    for (a, b) in pairs {
        match (a.symbols, b.symbols) {
            (Symbols::One(a), Symbols::One(b)) if a == b => count += 1,
            (Symbols::One(_), Symbols::One(_)) => return None,
            _ => break,
        }
    }
    Some(count)
}

fn rows_meet(a: &[Atom], b: &[Atom]) -> bool {
    let width = b.len() + 1;
    let mut seen = vec![false; (a.len() + 1) * width];
    let mut open = vec![(0, 0)];
    while let Some((i, j)) = open.pop() {
        if std::mem::replace(&mut seen[i * width + j], true) {
            continue;
        }
        let (left, right) = (a.get(i), b.get(j));
        if left.is_none() && right.is_none() {
            return true;
        }
        if left.is_some_and(Atom::can_be_absent) {
            open.push((i + 1, j));
        }
        if right.is_some_and(Atom::can_be_absent) {
            open.push((i, j + 1));
        }
        if let (Some(left), Some(right)) = (left, right)
            && left.symbols.meet(right.symbols)
        {
            open.push((i + 1, j + 1));
            if left.times == Times::Any {
                open.push((i, j + 1));
            }
            if right.times == Times::Any {
                open.push((i + 1, j));
            }
        }
    }
    false
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    AtMostOnce,
    Any,
}

#[derive(Clone, Copy)]
struct Atom {
    symbols: Symbols,
    times: Times,
}

impl Atom {
    fn can_be_absent(&self) -> bool {
        self.times != Times::Once
    }
}

#[derive(Clone, Copy)]
enum Symbols {
    One(char),
    /// These ASCII characters, one bit each.
    Ascii(u128),
    /// Whatever a value may have: no slash.
    Value,
}

impl Symbols {
    fn of(characters: &str) -> Symbols {
        let bits = characters
            .chars()
            .filter(char::is_ascii)
            .fold(0, |bits, c| bits | (1_u128 << (c as u32)));
        Symbols::Ascii(bits)
    }

    fn meet(self, other: Symbols) -> bool {
        match (self, other) {
            (Symbols::One(a), Symbols::One(b)) => a == b,
            (Symbols::Ascii(a), Symbols::Ascii(b)) => a & b != 0,
            (Symbols::One(c), Symbols::Ascii(bits)) | (Symbols::Ascii(bits), Symbols::One(c)) => {
                c.is_ascii() && bits & (1_u128 << (c as u32)) != 0
            }
            (Symbols::One(c), Symbols::Value) | (Symbols::Value, Symbols::One(c)) => {
                c != '/' && !c.is_control()
            }
            _ => true,
        }
    }
}

fn atoms(segments: &[Segment]) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for segment in segments {
        match segment {
            Segment::Literal(text) => atoms.extend(text.chars().map(|c| Atom {
                symbols: Symbols::One(c),
                times: Times::Once,
            })),
            Segment::Conversion(conversion) => add_conversion(&mut atoms, conversion),
        }
    }
    atoms
}

fn add_conversion(atoms: &mut Vec<Atom>, conversion: &Conversion) {
    let flags = conversion.flags;
    let mut add = |symbols, times, count: usize| {
        atoms.extend(std::iter::repeat_n(Atom { symbols, times }, count));
    };
    let space = Symbols::of(" ");
    let is_padded = conversion.width > 1 && (flags.left || !flags.zero);
    match conversion.own_type() {
        KeyType::Str if conversion.kind == Kind::Character => {
            add(Symbols::Value, Times::Once, conversion.width.max(1));
        }
        KeyType::Str => {
            add(Symbols::Value, Times::Once, conversion.width.max(1));
            add(Symbols::Value, Times::Any, 1);
        }
        KeyType::Float => {
            let symbols = Symbols::of("0123456789+- .eE");
            add(symbols, Times::Once, conversion.width.max(1));
            add(symbols, Times::Any, 1);
        }
        KeyType::Int => {
            if is_padded {
                add(space, Times::Any, 1);
            }
            add(Symbols::of("+- "), Times::AtMostOnce, 1);
            let digits = Symbols::of(match conversion.kind {
                Kind::Octal => "01234567o",
                Kind::Hexadecimal { .. } => "0123456789abcdefABCDEFxX",
                _ => "0123456789",
            });
            let zeros = if is_padded {
                0
            } else {
                conversion.width.saturating_sub(1)
            };
            let least = conversion.precision.unwrap_or(0).max(zeros).max(1);
            add(digits, Times::Once, least);
            add(digits, Times::Any, 1);
            if is_padded {
                add(space, Times::Any, 1);
            }
        }
    }
}
