//! The planner against an oracle: over random repositories, policies, parents, tags, aliases and records both must give the
//! same answer, or refuse for the same reason.
//!
//! What once differed is kept in `oracle.regressions`, and tried first.

mod resolver;
mod world;

use pantler::core::plan::{Found as HowFound, PlanKind, PlanNode};
use pantler::{Butler, Composition, Error, KeyValue};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use resolver::{Found, How, Part, Refusal, answer};
use world::{COMPOSITES, Question, TAGS, World, data_id, open, questions, worlds};

/// What the planner says, in the oracle's words.
fn planned(butler: &Butler, question: &Question) -> Result<Vec<Part>, Refusal> {
    let mut keys = data_id(&question.given);
    if let Some(tag) = question.tag {
        keys.insert("tag", KeyValue::Str(TAGS[tag].to_owned()));
    }
    if let Some(version) = question.version {
        let stage = COMPOSITES[version].split(':').nth(1).unwrap();
        keys.insert("version", KeyValue::Str(stage.to_owned()));
    }
    let composition = match question.lookup {
        true => Composition::Lookup,
        false => Composition::Recorded,
    };
    let plan = butler
        .explain(&question.name, &keys, composition)
        .map_err(|error| refusal(&error))?;
    let numbers: Vec<usize> = plan
        .repositories
        .iter()
        .map(|repository| {
            repository
                .name
                .rsplit("/r")
                .next()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    let mut parts = Vec::new();
    list(&plan.root, &numbers, "", &mut parts);
    Ok(parts)
}

fn list(node: &PlanNode, numbers: &[usize], path: &str, parts: &mut Vec<Part>) {
    let mut add = |found| {
        parts.push(Part {
            path: path.to_owned(),
            found,
        });
    };
    match &node.kind {
        PlanKind::Read(read) => {
            let how = match &read.found {
                HowFound::Recorded { newer } => How::Recorded {
                    newer: newer.is_some(),
                },
                _ => How::Lookup,
            };
            add(Found::Artifact(
                numbers[read.repository],
                read.record.id,
                how,
            ));
        }
        PlanKind::Missing(_) => add(Found::Absent),
        PlanKind::Subset(nodes) => {
            for (number, node) in nodes.iter().enumerate() {
                list(node, numbers, &format!("{path}[{number}]"), parts);
            }
        }
        PlanKind::Assemble(assemble) => {
            if let Some(record) = &assemble.record {
                let newer = matches!(&assemble.found, HowFound::Recorded { newer: Some(_) });
                add(Found::Composition(
                    numbers[assemble.repository],
                    record.id,
                    newer,
                ));
            }
            for node in &assemble.components {
                let path = format!("{path}.{}", node.component_name());
                list(node, numbers, &path, parts);
            }
        }
    }
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::AliasConflict { .. } => Refusal::Alias,
        Error::TwoStages { .. } => Refusal::TwoStages,
        Error::UnknownType { .. } => Refusal::UnknownType,
        Error::UnknownTag { .. } => Refusal::UnknownTag,
        Error::MissingKey { key, .. } => Refusal::NoValue(key.clone()),
        Error::AmbiguousKey {
            key, candidates, ..
        } => Refusal::Several(
            key.clone(),
            candidates
                .iter()
                .map(|candidate| match candidate.value {
                    KeyValue::Int(value) => value,
                    ref other => panic!("{other:?}"),
                })
                .collect(),
        ),
        Error::Siblings { .. } => Refusal::Siblings,
        Error::NotFound { .. } => Refusal::NotFound,
        Error::RecordedGone { id, .. } => Refusal::Gone(*id),
        Error::KeyDisagrees { key, .. } => Refusal::Disagrees(key.clone()),
        other => panic!("{}", other.report()),
    }
}

/// With a tag, a recorded part may be taken from a repository that is searched or from one that is not: it is one dataset.
fn comparable(mut parts: Vec<Part>, question: &Question) -> Vec<Part> {
    for part in &mut parts {
        if let (
            Found::Artifact(one, _, How::Recorded { .. }) | Found::Composition(one, ..),
            Some(_),
        ) = (&mut part.found, question.tag)
        {
            *one = 0;
        }
    }
    parts
}

fn compare(world: &World, question: &Question) -> Result<(), TestCaseError> {
    let butler = match open(world) {
        Ok(butler) => butler,
        // A composite of a type that no policy of the chain defines is no world to ask questions in.
        Err(Error::Policy { .. }) => return Ok(()),
        Err(error) => panic!("{}", error.report()),
    };
    let names: Vec<String> = butler.chain().names();
    let order: Vec<usize> = names
        .iter()
        .map(|name| name.rsplit("/r").next().unwrap().parse().unwrap())
        .collect();
    prop_assert_eq!(&order, &resolver::search_order(world), "search order");
    prop_assert_eq!(
        planned(&butler, question).map(|parts| comparable(parts, question)),
        answer(world, question).map(|parts| comparable(parts, question))
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(600),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/engine/oracle.regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_planner_agrees_with_the_rules_read_one_by_one(
        world in worlds(),
        asked in prop::collection::vec(questions(), 6),
    ) {
        for question in &asked {
            compare(&world, question)?;
        }
    }
}

/// Of what is compared, enough are answers, and each refusal occurs: otherwise the comparison would prove nothing.
#[test]
fn the_worlds_of_the_oracle_hold_answers_and_refusals_of_every_kind() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut met = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..1500 {
        let world = worlds().new_tree(&mut runner).unwrap().current();
        if open(&world).is_err() {
            continue;
        }
        for _ in 0..6 {
            let question = questions().new_tree(&mut runner).unwrap().current();
            let kind = match answer(&world, &question) {
                Ok(parts)
                    if parts
                        .iter()
                        .any(|part| matches!(part.found, Found::Composition(..))) =>
                {
                    "recorded".to_owned()
                }
                Ok(parts) if parts.len() > 1 => "composite".to_owned(),
                Ok(_) => "one".to_owned(),
                Err(refusal) => {
                    let words = format!("{refusal:?}");
                    words.split('(').next().unwrap().to_owned()
                }
            };
            *met.entry(kind).or_default() += 1;
        }
    }
    let rare: Vec<&str> = [
        "recorded",
        "composite",
        "one",
        "Alias",
        "TwoStages",
        "UnknownType",
        "UnknownTag",
        "NoValue",
        "Several",
        "Siblings",
        "NotFound",
        "Gone",
        "Disagrees",
    ]
    .into_iter()
    .filter(|kind| met.get(*kind).copied().unwrap_or_default() < 4)
    .collect();
    assert!(rare.is_empty(), "{rare:?} are rare: {met:?}");
}
