//! Tests of the policy as a whole.

use super::*;

/// Loads one text that stands alone.
fn load(text: &str) -> (Policy, Vec<Problem>) {
    load_texts(&[text])
}

fn load_texts(texts: &[&str]) -> (Policy, Vec<Problem>) {
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
    Policy::load(&texts, &mut |_, name| Err(format!("there is no {name}")))
}

#[test]
fn an_empty_file_is_an_empty_policy() {
    for text in ["", "# nothing\n", "---\n", "datasets:\n"] {
        let (policy, problems) = load(text);
        assert!(policy.is_empty() && problems.is_empty(), "{text:?}");
    }
}
