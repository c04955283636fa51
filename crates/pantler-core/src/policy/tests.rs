//! What the tests of policies share.

use super::*;

mod checks;
mod definitions;
mod hostile;
mod inheriting;
mod merging;
mod names;
mod slips;
mod writing;

/// Loads one text that stands alone.
fn load(text: &str) -> (Policy, Vec<Problem>) {
    load_all(&[text])
}

/// Loads texts as policy.yaml, policy2.yaml, …
fn load_all(texts: &[&str]) -> (Policy, Vec<Problem>) {
    let texts: Vec<PolicyText> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| PolicyText {
            file: match index {
                0 => "policy.yaml".into(),
                _ => format!("policy{}.yaml", index + 1).into(),
            },
            text: (*text).to_owned(),
        })
        .collect();
    Policy::load(&texts, &mut |_, _| {
        Err("there are no other files".to_owned())
    })
}

/// Loads a text in which nothing may be wrong.
fn sound(text: &str) -> Policy {
    let (policy, mut problems) = load(text);
    problems.extend(policy.check_references(&|_| false));
    assert!(problems.is_empty(), "{}", shown(&problems));
    policy
}

/// Returns the problems as people see them.
fn shown(problems: &[Problem]) -> String {
    let all: Vec<String> = problems.iter().map(Problem::to_string).collect();
    all.join("\n\n")
}

/// Returns all that is wrong with a text that stands alone, as people see it.
fn complaints(text: &str) -> String {
    let (policy, mut problems) = load(text);
    problems.extend(policy.check_references(&|_| false));
    problems.extend(policy.check_recipes(&|_| false));
    problems.extend(policy.check_built_names(&|_| None));
    shown(&problems)
}

/// Returns codes and lines.
fn codes(text: &str) -> Vec<(&'static str, u32)> {
    let (policy, mut problems) = load(text);
    problems.extend(policy.check_references(&|_| false));
    problems
        .iter()
        .map(|one| (one.code, one.place.line))
        .collect()
}

fn type_name(text: &str) -> TypeName {
    TypeName::new(text).unwrap()
}

fn find<'a>(policy: &'a Policy, name: &str) -> &'a Definition {
    policy.definition(&type_name(name)).unwrap()
}
