//! A policy may come from a repository that is not the user's: whatever it says, loading ends soon and without a crash.

use proptest::prelude::*;

use super::*;

fn single_code(text: &str) -> &'static str {
    let (_, problems) = load(text);
    assert_eq!(problems.len(), 1);
    problems[0].code
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let above = format!("*a{}", level - 1);
        text.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![above; 10].join(", ")
        ));
    }
    assert_eq!(single_code(&text), "too-large");
}

#[test]
fn deep_nesting_is_refused() {
    assert!(!load(&format!("a: {}", "[".repeat(60))).1.is_empty());
    assert_eq!(
        single_code(&format!("a: {}{}", "[".repeat(60), "]".repeat(60))),
        "too-large"
    );
    let blocks: String = (0..60)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert_eq!(single_code(&blocks), "too-large");
    // Aliases can be deeper than what is written.
    let mut text = String::from("a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n");
    for level in 1..8 {
        text.push_str(&format!(
            "a{level}: &a{level} [[[[[[[[[[*a{}]]]]]]]]]]\n",
            level - 1
        ));
    }
    assert_eq!(single_code(&text), "too-large");
    assert!(!load(&format!("a: {}", "{".repeat(100_000))).1.is_empty());
}

#[test]
fn huge_texts_are_refused_unread() {
    assert_eq!(single_code(&"#".repeat(17 << 20)), "too-large");
    let many = format!("a: [{}]", "x,".repeat(600_000));
    assert_eq!(single_code(&many), "too-large");
}

#[test]
fn composites_that_multiply_are_refused() {
    let mut text = String::from("datasets:\n  c0: {template: c, storage: s}\n");
    for level in 1..30 {
        let below = level - 1;
        text.push_str(&format!(
            "  c{level}: {{composite: {{x: {{datasetType: c{below}}}, y: {{datasetType: c{below}}}}}}}\n"
        ));
    }
    // The smallest that is too large is named, and not what contains it.
    assert_eq!(codes(&text), [("too-large", 19)]);
}

#[test]
fn long_chains_do_not_fill_the_call_stack() {
    let mut text = String::from(
        "datasets:\n  c0: {template: c, storage: s}\n  h0: {template: h, storage: s}\n",
    );
    for level in 1..20_000 {
        let below = level - 1;
        text.push_str(&format!(
            "  c{level}: {{composite: {{x: {{datasetType: c{below}}}}}}}\n"
        ));
    }
    for level in (1..3_000).rev() {
        text.push_str(&format!("  h{level}(h{}): {{recipe: lossy}}\n", level - 1));
    }
    let (policy, problems) = load(&text);
    assert_eq!(shown(&problems), "");
    assert_eq!(find(&policy, "h2999").storage.as_deref(), Some("s"));
}

#[test]
fn what_is_multiplied_by_heirs_aliases_and_merges_is_bounded() {
    // A large parent of many heirs.
    let mut heirs =
        String::from("datasets:\n  parent:\n    template: p\n    storage: s\n    metadata:\n");
    for number in 0..2_000 {
        heirs.push_str(&format!("      c{number}: C\n"));
    }
    for number in 0..2_000 {
        heirs.push_str(&format!("  h{number}(parent): {{}}\n"));
    }
    assert!(load(&heirs).1.iter().any(|one| one.code == "too-large"));
    // A long text, many times.
    let long = format!(
        "a: &a {}\nb: [{}]",
        "x".repeat(1_000_000),
        "*a, ".repeat(1_000)
    );
    assert_eq!(single_code(&long), "too-large");
    // Mappings merged into each other, each a key longer.
    let mut merged = String::from("m0: &m0 {k: 1}\n");
    for level in 1..2_000 {
        merged.push_str(&format!(
            "m{level}: &m{level} {{<<: *m{}, k{level}: 1}}\n",
            level - 1
        ));
    }
    assert_eq!(single_code(&merged), "too-large");
    // Many repeated tables, many problems.
    let tables = "    tables: raw\n".repeat(20_000);
    let (policy, _) = load(&format!("datasets:\n  a:\n{tables}"));
    assert_eq!(find(&policy, "a").tables.len(), 20_000);
    let unknown: String = (0..20_000)
        .map(|n| format!("    unknown{n}: 1\n"))
        .collect();
    assert!(!load(&format!("datasets:\n  a:\n{unknown}")).1.is_empty());
}

#[test]
fn long_words_are_cut_in_messages() {
    let long = "x".repeat(1_000_000);
    let (_, problems) = load(&format!("datasets: {{a: {{{long}: 1}}}}"));
    assert!(problems[0].message.len() < 200);
    assert!(problems[0].to_string().len() < 10_000);
}

#[test]
fn control_characters_do_not_reach_messages() {
    let (_, problems) = load("datasets: {a: {\"\\e[31mred\": 1}}");
    assert!(!shown(&problems).contains('\u{1b}'));
}

proptest! {
    /// Whatever the text: problems have places inside it, and nothing falls over.
    #[test]
    fn any_text_is_loaded_or_refused(
        words in prop::collection::vec(
            proptest::sample::select(vec![
                "datasets", "exposures", "calexp", "calexp:sfm", "a.b", "a(b)", "template", "composite", "datasetType",
                "storage", "inherits", "keys", "aliases", "stages", "recipes", "ingest", "dataId", "apply", "join",
                "'%(visit)07d.fits'", "\"%(x\"", ": ", ": ", ":\n  ", ":\n    ", "\n", "\n  ", "\n    ", "\n\t", "{", "}",
                "[", "]", ", ", "- ", "&a ", "*a", "<<", "!include ", "!!str ", "# ", "'", "\"", "|", ">", "?", "%", " = ",
                "true", "null", "1", "é", "\u{a0}", "\0",
            ]),
            0..40,
        ),
    ) {
        let text = words.concat();
        let (policy, mut problems) = load(&text);
        problems.extend(policy.check_references(&|_| false));
        for problem in &problems {
            prop_assert!(problem.place.line >= 1 && problem.place.column >= 1 && problem.length >= 1);
            prop_assert!(problem.place.line as usize <= text.lines().count().max(1), "{}", problem);
            let _ = problem.to_string();
        }
    }
}
