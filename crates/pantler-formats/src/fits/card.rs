//! The 80-byte cards of a FITS header, read with all their traps and written as the standard wants them.
//!
//! [`read_cards`] never fails: a card that breaks the rules becomes commentary or text, and keeps its bytes, so that it can
//! be written back as it was. [`write_card`] writes a card as it was read, or makes it, over several lines where
//! the value is long.
//! What the keywords mean is no matter of this file.

use bytes::Bytes;
use pantler_objects::{Card, CardValue, Metadata};

/// The length of a card.
pub(crate) const CARD: usize = 80;

/// Reads the cards of a header up to `END`. Bytes that are not ASCII are read as Latin-1.
pub(crate) fn read_cards(header: &Bytes) -> Vec<Card> {
    let mut reading = Reading::default();
    for start in (0..header.len() / CARD).map(|n| n * CARD) {
        let image = header.slice(start..start + CARD);
        if image.starts_with(b"END     ") {
            break;
        }
        match reading.open.then(|| continued(&image)).flatten() {
            Some(more) => reading.extend(&more, &image),
            None => {
                reading.close();
                reading.begin(image);
            }
        }
    }
    reading.close();
    reading.cards
}

/// Returns the text of a keyword, without blanks around it; empty if there is none.
pub(crate) fn text_of(cards: &Metadata, keyword: &str) -> String {
    cards
        .get_text(keyword)
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// Returns the whole number of a keyword; `16.` counts as one, because some programs write it.
pub(crate) fn integer_of(cards: &Metadata, keyword: &str) -> Option<i64> {
    match cards.get(keyword)? {
        CardValue::Integer(number) => Some(*number),
        CardValue::Real(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Some(*number as i64)
        }
        _ => None,
    }
}

/// Returns whether a keyword says `T`.
pub(crate) fn flag_of(cards: &Metadata, keyword: &str) -> bool {
    matches!(cards.get(keyword), Some(CardValue::Logical(true)))
}

/// The cards read so far, and the last one, to which a `CONTINUE` card may still belong.
#[derive(Default)]
struct Reading {
    cards: Vec<Card>,
    last: Option<(String, CardValue, String)>,
    images: Vec<Bytes>,
    open: bool,
}

impl Reading {
    fn begin(&mut self, image: Bytes) {
        let (keyword, value, comment) = read_card(&image);
        self.open = matches!(&value, CardValue::Text(text) if text.ends_with('&'));
        self.last = Some((keyword, value, comment));
        self.images = vec![image];
    }

    fn extend(&mut self, more: &More, image: &Bytes) {
        let Some((_, CardValue::Text(text), comment)) = &mut self.last else {
            return;
        };
        text.pop();
        text.push_str(&more.text);
        if !more.comment.is_empty() {
            if !comment.is_empty() {
                comment.push(' ');
            }
            comment.push_str(&more.comment);
        }
        self.images.push(image.clone());
        self.open = more.text.ends_with('&');
    }

    fn close(&mut self) {
        if let Some((keyword, value, comment)) = self.last.take() {
            let image = match self.images.as_slice() {
                [one] => one.clone(),
                many => Bytes::from(many.concat()),
            };
            let comment = (!comment.is_empty()).then_some(comment);
            self.cards
                .push(Card::new(keyword, value, comment).read_from(image));
        }
        self.open = false;
    }
}

struct More {
    text: String,
    comment: String,
}

fn continued(image: &[u8]) -> Option<More> {
    let field = latin(image.strip_prefix(b"CONTINUE")?);
    let trimmed = field.trim_start();
    if !trimmed.starts_with('\'') {
        return None;
    }
    let (text, rest) = read_quoted(trimmed);
    Some(More {
        text,
        comment: comment_of(rest),
    })
}

fn read_card(image: &[u8]) -> (String, CardValue, String) {
    let text = latin(image);
    if let Some(rest) = text.strip_prefix("HIERARCH ")
        && let Some((keyword, field)) = rest.split_once('=')
    {
        let (value, comment) = read_field(field);
        return (keyword.trim().to_owned(), value, comment);
    }
    let end = text.char_indices().nth(8).map_or(text.len(), |(at, _)| at);
    let (head, tail) = text.split_at(end);
    let keyword = head.trim_end().to_owned();
    let commentary = matches!(keyword.as_str(), "COMMENT" | "HISTORY" | "" | "CONTINUE");
    match tail.strip_prefix("= ") {
        Some(field) if !commentary => {
            let (value, comment) = read_field(field);
            (keyword, value, comment)
        }
        _ => {
            let text = CardValue::Commentary(tail.trim_end().to_owned());
            (keyword, text, String::new())
        }
    }
}

fn read_field(field: &str) -> (CardValue, String) {
    let trimmed = field.trim_start();
    if trimmed.starts_with('\'') {
        let (text, rest) = read_quoted(trimmed);
        return (CardValue::Text(text), comment_of(rest));
    }
    let (value, comment) = match trimmed.split_once('/') {
        Some((value, comment)) => (value.trim_end(), comment.trim().to_owned()),
        None => (trimmed.trim_end(), String::new()),
    };
    (read_value(value), comment)
}

fn read_value(text: &str) -> CardValue {
    match text {
        "" => return CardValue::Undefined,
        "T" => return CardValue::Logical(true),
        "F" => return CardValue::Logical(false),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>() {
        return CardValue::Integer(number);
    }
    // `inf`, `nan` and `infinity` are no numbers in FITS, though Rust reads them.
    let numeric = text.bytes().all(|byte| {
        matches!(
            byte,
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' | b'd' | b'D'
        )
    });
    if numeric && let Ok(number) = text.replace(['d', 'D'], "E").parse::<f64>() {
        return CardValue::Real(number);
    }
    if let Some(pair) = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
        && let Some((real, imaginary)) = pair.split_once(',')
        && let (Some(real), Some(imaginary)) = (as_real(real), as_real(imaginary))
    {
        return CardValue::Complex(real, imaginary);
    }
    CardValue::Text(text.to_owned())
}

fn as_real(text: &str) -> Option<f64> {
    match read_value(text.trim()) {
        CardValue::Integer(number) => Some(number as f64),
        CardValue::Real(number) => Some(number),
        _ => None,
    }
}

/// Reads a quoted string: two quotes in it mean one, and blanks at its end mean nothing.
fn read_quoted(field: &str) -> (String, &str) {
    let mut text = String::new();
    let mut rest = &field[1..];
    loop {
        match rest.split_once('\'') {
            Some((before, after)) => {
                text.push_str(before);
                match after.strip_prefix('\'') {
                    Some(more) => {
                        text.push('\'');
                        rest = more;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
            // The closing quote is missing: the rest of the card is the value.
            None => {
                text.push_str(rest);
                rest = "";
                break;
            }
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    (text, rest)
}

fn comment_of(rest: &str) -> String {
    rest.trim_start()
        .strip_prefix('/')
        .map(|comment| comment.trim().to_owned())
        .unwrap_or_default()
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| byte as char).collect()
}

/// Appends a card: as it was read, or else as the standard wants it.
pub(crate) fn write_card(out: &mut Vec<u8>, card: &Card) {
    match card.raw() {
        Some(raw) if !raw.is_empty() && raw.len() % CARD == 0 => out.extend_from_slice(raw),
        _ => write_new(
            out,
            card.keyword(),
            card.value(),
            card.comment().unwrap_or_default(),
        ),
    }
}

/// Appends the cards of one keyword.
///
/// Long keywords become `HIERARCH` cards, long strings go on in `CONTINUE` cards, comments that do not fit are cut. The
/// standard has no card for a number that is not finite: its value is undefined.
pub(crate) fn write_new(out: &mut Vec<u8>, keyword: &str, value: &CardValue, comment: &str) {
    let comment = ascii(comment);
    match value {
        CardValue::Commentary(text) => write_commentary(out, keyword, &ascii(text)),
        CardValue::Text(text) => write_text(out, &head(keyword), &ascii(text), &comment),
        CardValue::Undefined => finish(out, format!("{:<30}", head(keyword)), &comment),
        CardValue::Logical(flag) => {
            write_plain(out, keyword, if *flag { "T" } else { "F" }, &comment);
        }
        CardValue::Integer(number) => write_plain(out, keyword, &number.to_string(), &comment),
        CardValue::Real(number) if number.is_finite() => {
            write_plain(out, keyword, &real(*number), &comment);
        }
        CardValue::Real(_) => finish(out, format!("{:<30}", head(keyword)), &comment),
        CardValue::Complex(a, b) => {
            write_plain(
                out,
                keyword,
                &format!("({}, {})", real(*a), real(*b)),
                &comment,
            );
        }
    }
}

/// Returns the cards of a header as one text, for files that are not FITS.
pub(crate) fn text_of_cards(cards: &Metadata) -> String {
    let mut out = Vec::new();
    for card in cards.iter() {
        write_card(&mut out, card);
    }
    latin(&out)
}

/// Reads what [`text_of_cards`] returned.
pub(crate) fn cards_of_text(text: &str) -> Metadata {
    let bytes = text
        .chars()
        .map(|letter| u8::try_from(letter).unwrap_or(b'?'));
    Metadata::new(read_cards(&bytes.collect::<Vec<u8>>().into()))
}

/// Appends `END` and blanks up to the next block.
pub(crate) fn write_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"END");
    out.resize(out.len().next_multiple_of(2880), b' ');
}

fn write_plain(out: &mut Vec<u8>, keyword: &str, value: &str, comment: &str) {
    let head = head(keyword);
    let width = 30usize.saturating_sub(head.len());
    finish(out, format!("{head}{value:>width$}"), comment);
}

fn head(keyword: &str) -> String {
    if is_standard(keyword) {
        format!("{keyword:<8}= ")
    } else {
        format!("HIERARCH {} = ", ascii(keyword))
    }
}

fn is_standard(keyword: &str) -> bool {
    keyword.len() <= 8
        && keyword
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

/// Writes a number so that it reads back exactly, with the point that makes it a float.
fn real(number: f64) -> String {
    let short = number.to_string();
    let text = if short.len() <= 20 {
        short
    } else {
        format!("{number:E}")
    };
    if text.contains('.') {
        return text;
    }
    match text.split_once('E') {
        Some((mantissa, exponent)) => format!("{mantissa}.0E{exponent}"),
        None => format!("{text}.0"),
    }
}

fn finish(out: &mut Vec<u8>, mut card: String, comment: &str) {
    if !comment.is_empty() && card.len() + 4 <= CARD {
        card.push_str(" / ");
        card.push_str(comment);
    }
    push(out, &card);
}

fn push(out: &mut Vec<u8>, card: &str) {
    let bytes = card.as_bytes();
    let end = bytes.len().min(CARD);
    out.extend_from_slice(&bytes[..end]);
    out.resize(out.len() + (CARD - end), b' ');
}

fn write_commentary(out: &mut Vec<u8>, keyword: &str, text: &str) {
    let mut rest = text;
    loop {
        let (line, more) = rest.split_at(rest.len().min(CARD - 8));
        push(out, &format!("{keyword:<8}{line}"));
        if more.is_empty() {
            return;
        }
        rest = more;
    }
}

fn write_text(out: &mut Vec<u8>, head: &str, text: &str, comment: &str) {
    let quoted = text.replace('\'', "''");
    let room = (CARD - 2).saturating_sub(head.len());
    if quoted.len() <= room {
        finish(
            out,
            format!("{:<30}", format!("{head}'{quoted:<8}'")),
            comment,
        );
        return;
    }
    // A string that goes on ends in `&`; a pair of quotes must not be torn apart.
    let mut rest = quoted.as_str();
    let mut start = head.to_owned();
    loop {
        let room = (CARD - 2).saturating_sub(start.len());
        if rest.len() <= room {
            finish(out, format!("{start}'{rest}'"), comment);
            return;
        }
        let mut cut = room.saturating_sub(1).max(1).min(rest.len());
        let quotes = rest[..cut]
            .bytes()
            .rev()
            .take_while(|&byte| byte == b'\'')
            .count();
        if quotes % 2 == 1 && cut > 1 {
            cut -= 1;
        }
        // A blank before the `&` survives, one before a closing quote would not.
        push(out, &format!("{start}'{}&'", &rest[..cut]));
        rest = &rest[cut..];
        start = "CONTINUE  ".to_owned();
    }
}

/// Cards hold printable ASCII only: what was read as Latin-1 or came from elsewhere is written as `?`.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if (' '..='~').contains(&letter) {
                letter
            } else {
                '?'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(lines: &[&str]) -> Bytes {
        let mut out = Vec::new();
        for line in lines {
            push(&mut out, line);
        }
        write_end(&mut out);
        Bytes::from(out)
    }

    #[test]
    fn the_traps_of_the_standard_are_read() {
        let cards = read_cards(&header(&[
            "SIMPLE  =                    T / fine",
            "A       =           1.5d-03/no blanks",
            "B       = 'it''s a / slash  ' / said",
            "C       =                      / nothing",
            "D       = ''",
            "E       = -32",
            "F       = 18446744073709551615",
            "HIERARCH ESO DET NAME = 'x' / y",
            "HIERARCH has no value",
            "COMMENT = 'not a value'",
            "LOOSE   without an equals sign",
            "        blank = keyword",
            "N       = NaN",
            "OPEN    = 'never closed",
        ]));
        let said: Vec<_> = cards
            .iter()
            .map(|card| (card.keyword(), card.value()))
            .collect();
        assert_eq!(said[0], ("SIMPLE", &CardValue::Logical(true)));
        assert_eq!(said[1], ("A", &CardValue::Real(1.5e-3)));
        assert_eq!(cards[1].comment(), Some("no blanks"));
        assert_eq!(said[2], ("B", &CardValue::Text("it's a / slash".into())));
        assert_eq!(cards[2].comment(), Some("said"));
        assert_eq!(said[3], ("C", &CardValue::Undefined));
        assert_eq!(said[4], ("D", &CardValue::Text(String::new())));
        assert_eq!(said[5], ("E", &CardValue::Integer(-32)));
        assert_eq!(said[6], ("F", &CardValue::Real(18446744073709551615.0)));
        assert_eq!(said[7], ("ESO DET NAME", &CardValue::Text("x".into())));
        assert_eq!(said[8].1, &CardValue::Commentary(" has no value".into()));
        assert_eq!(
            said[9],
            ("COMMENT", &CardValue::Commentary("= 'not a value'".into()))
        );
        assert_eq!(
            said[10],
            (
                "LOOSE",
                &CardValue::Commentary("without an equals sign".into())
            )
        );
        assert_eq!(
            said[11],
            ("", &CardValue::Commentary("blank = keyword".into()))
        );
        assert_eq!(said[12], ("N", &CardValue::Text("NaN".into())));
        assert_eq!(said[13], ("OPEN", &CardValue::Text("never closed".into())));
    }

    #[test]
    fn a_long_string_goes_on_and_keeps_its_bytes() {
        let cards = read_cards(&header(&[
            "LONG    = 'one &' / first",
            "CONTINUE  'two &'",
            "CONTINUE  'three' / last",
            "NEXT    = 'ends in &'",
            "AFTER   = 1",
        ]));
        assert_eq!(cards.len(), 3);
        assert_eq!(cards[0].value(), &CardValue::Text("one two three".into()));
        assert_eq!(cards[0].comment(), Some("first last"));
        assert_eq!(cards[0].raw().unwrap().len(), 3 * CARD);
        assert_eq!(cards[1].value(), &CardValue::Text("ends in &".into()));
    }

    #[test]
    fn bytes_that_are_not_ascii_are_read_as_latin_1() {
        let mut line =
            *b"WHO     = 'J?rg'                                                                ";
        line[12] = 0xf6;
        let mut out = line.to_vec();
        write_end(&mut out);
        let cards = read_cards(&Bytes::from(out));
        assert_eq!(cards[0].value(), &CardValue::Text("Jörg".into()));
        assert_eq!(&cards[0].raw().unwrap()[..], &line[..]);
    }

    fn text(
        letters: &'static str,
        length: std::ops::Range<usize>,
    ) -> impl Strategy<Value = String> {
        let letters: Vec<char> = letters.chars().collect();
        prop::collection::vec(prop::sample::select(letters), length).prop_map(String::from_iter)
    }

    const PRINTABLE: &str = "abcXYZ019 '&/=\"().,;:-_+*#~";
    const KEYWORD: &str = "ABCXYZ019_-";

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            keyword in prop_oneof![
                text(KEYWORD, 1..9),
                text(KEYWORD, 9..30),
                (text(KEYWORD, 1..12), text(KEYWORD, 1..12)).prop_map(|(a, b)| format!("{a} {b}")),
            ],
            value in prop_oneof![
                any::<bool>().prop_map(CardValue::Logical),
                any::<i64>().prop_map(CardValue::Integer),
                proptest::num::f64::NORMAL.prop_map(CardValue::Real),
                text(PRINTABLE, 0..300).prop_map(|text| CardValue::Text(text.trim_end_matches(' ').to_owned())),
                Just(CardValue::Undefined),
            ],
            comment in text(PRINTABLE, 0..60),
        ) {
            let mut out = Vec::new();
            let special = ["COMMENT", "HISTORY", "CONTINUE", "END"];
            prop_assume!(!special.contains(&keyword.as_str()));
            write_new(&mut out, &keyword, &value, &comment);
            prop_assert_eq!(out.len() % CARD, 0);
            write_end(&mut out);
            let cards = read_cards(&Bytes::from(out));
            prop_assert_eq!(cards.len(), 1);
            prop_assert_eq!(cards[0].keyword(), &keyword);
            prop_assert_eq!(cards[0].value(), &value);
        }
    }
}
