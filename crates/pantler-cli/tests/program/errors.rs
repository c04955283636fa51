//! Each kind of error as people read it, on one page, and every hint of it followed.
//!
//! The cases make `docs/errors.md`: the page is what the program printed, and is compared with what it prints now.

mod data_ids;
mod files;
mod finding;
mod policies;
mod writing;

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::support::Place;

/// A command that is refused, what it says, and what comes of each of its hints.
struct Case {
    /// What happened, as a heading.
    title: &'static str,
    /// When it happens and what to know about it.
    about: &'static str,
    /// Makes the folder in which the command is typed.
    place: fn() -> Place,
    /// The command.
    line: &'static str,
    /// What a person does who believes a hint, for each hint in its order.
    follow: &'static [Follow],
}

/// What a person does with a hint; each time it must work.
enum Follow {
    /// Pastes the command that it names; `fsck` may then find what it is told to look for.
    Paste,
    /// Types this instead.
    Type(&'static str),
    /// Does something first, and types the command again.
    Again(fn(&Place)),
    /// Does something first, and types this.
    Then(fn(&Place), &'static str),
    /// Nothing that a test could do; the reason.
    Not(&'static str),
}

/// The headings of the page, each with what belongs under it.
fn sections() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("Names and data IDs", data_ids::cases()),
        ("Finding", finding::cases()),
        ("Writing", writing::cases()),
        ("Policies", policies::cases()),
        ("Files and folders", files::cases()),
    ]
}

/// Splits what the program printed into the hints; the rest is not needed here.
fn hints(error: &str) -> Vec<&str> {
    error
        .lines()
        .filter_map(|line| line.strip_prefix("hint: "))
        .collect()
}

/// The words that a person types, and the pieces of names with dots and colons.
fn typed(line: &str) -> BTreeSet<&str> {
    line.split(' ')
        .chain(line.split([' ', '.', ':']))
        .map(|word| word.trim_matches(['\'', '-']))
        .collect()
}

/// Tells whether a line differs from the first one in something that the hint speaks of.
fn does_what_is_hinted(first: &str, hint: &str, line: &str) -> bool {
    let (before, after) = (typed(first), typed(line));
    before.symmetric_difference(&after).any(|word| {
        let key = word.split_once('=').map(|(key, _)| key);
        hint.contains(word)
            || key.is_some_and(|key| {
                hint.contains(&format!("{key}=")) || hint.contains(&format!("`{key}`"))
            })
    })
}

/// Does what a hint says, in a place where the error has just happened; returns what came of it instead of the promised.
fn followed(case: &Case, hint: &str, follow: &Follow) -> Result<(), String> {
    let place = (case.place)();
    let _ = place.run(case.line);
    let does = |line: &str, status: i32| {
        let ran = place.run(line);
        if ran.status == status {
            Ok(())
        } else {
            Err(format!(
                "`{line}` ends with {}\n{}{}",
                ran.status, ran.out, ran.error
            ))
        }
    };
    match follow {
        Follow::Paste => {
            let (_, rest) = hint.split_once("`pantler ").ok_or("no command in it")?;
            let (line, _) = rest.split_once('`').ok_or("the quote does not end")?;
            let finds = line.starts_with("fsck ") || line.starts_with("policy check ");
            does(line, i32::from(finds))
        }
        Follow::Type(line) if !does_what_is_hinted(case.line, hint, line) => {
            Err(format!("`{line}` does something else"))
        }
        Follow::Type(line) => does(line, 0),
        Follow::Again(arrange) => {
            arrange(&place);
            does(case.line, 0)
        }
        Follow::Then(arrange, line) => {
            arrange(&place);
            does(line, 0)
        }
        Follow::Not("") => Err("why not?".to_owned()),
        Follow::Not(_) => Ok(()),
    }
}

const HEAD: &str = "\
# What goes wrong, and what to do

<!-- made by the tests: PANTLER_WRITE_DOCS=1 cargo test -p pantler-cli --test program errors -->

Every error says what was wanted, where it was looked for, and what to do next. The page shows each kind once, as the
program prints it; with `--json` the same stands in one object on standard error. Every hint on it is followed by a test.
The exit status is 2 where the request was wrong, and 3 where the world failed.
";

/// Replaces identities of datasets, which are others in each run.
fn without_identities(text: &str) -> String {
    let is_identity = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let bare = word.trim_end();
        if is_identity(bare) {
            word.replace(bare, "01a2…")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

/// Makes the page out of what the program prints now.
fn page() -> String {
    let mut page = HEAD.to_owned();
    for (heading, cases) in sections() {
        let _ = write!(page, "\n## {heading}\n");
        for case in cases {
            let place = (case.place)();
            let ran = place.run(case.line);
            let _ = write!(
                page,
                "\n### {}\n\n{} Exit status {}.\n\n```text\n$ pantler {}\n{}\n```\n",
                case.title,
                case.about,
                ran.status,
                case.line,
                without_identities(ran.error.trim_end())
            );
        }
    }
    page
}

#[test]
fn the_page_of_errors_is_what_the_program_prints() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let made = page();
    assert!(
        !made.contains("Exit status 0") && !made.contains("Exit status 1"),
        "something works:\n{made}"
    );
    if std::env::var_os("PANTLER_WRITE_DOCS").is_some() {
        std::fs::write(&path, &made).expect("the page can be written");
    }
    let kept = std::fs::read_to_string(&path).expect("the page is there");
    for (line, (kept, made)) in kept.lines().zip(made.lines()).enumerate() {
        assert_eq!(
            kept,
            made,
            "line {} of docs/errors.md; PANTLER_WRITE_DOCS=1 writes it anew",
            line + 1
        );
    }
    assert_eq!(
        kept.len(),
        made.len(),
        "docs/errors.md is of another length"
    );
}

#[test]
fn each_hint_of_the_page_works() {
    let mut complaints = Vec::new();
    for case in sections().into_iter().flat_map(|(_, cases)| cases) {
        let error = (case.place)().run(case.line).error;
        let hints = hints(&error);
        if hints.len() != case.follow.len() {
            complaints.push(format!(
                "{}: {} hints are followed of\n{error}",
                case.title,
                case.follow.len()
            ));
        }
        for (hint, follow) in hints.iter().zip(case.follow) {
            if let Err(complaint) = followed(&case, hint, follow) {
                complaints.push(format!("{}: hint: {hint}: {complaint}", case.title));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn the_page_shows_every_kind_of_error() {
    let mut shown = BTreeSet::new();
    for (_, section) in sections() {
        for case in section {
            let ran = (case.place)().run(&format!("{} --json", case.line));
            if case.line.starts_with("ingest ") {
                // What failed is told file by file, in the document on standard output.
                assert_eq!(ran.document()["failed"].as_array().map(Vec::len), Some(1));
                continue;
            }
            let kind = ran.failure()["kind"].clone();
            shown.insert(kind.as_str().expect("a kind is a word").to_owned());
        }
    }
    // `untrusted` is about code that a policy names, and this program runs none.
    let all = [
        "ambiguous",
        "conflict",
        "corrupt",
        "data_id",
        "io",
        "not_found",
        "policy",
        "read_only",
        "request",
        "unsupported",
    ];
    assert_eq!(shown.iter().map(String::as_str).collect::<Vec<_>>(), all);
}
