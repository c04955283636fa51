//! Inputs that know nothing of each other and hold different content under one type and data ID (rule R17).
//!
//! Search order decides between a child and its parents, and for what is asked for by its own name. It must not decide,
//! without anybody noticing, from which of two siblings a composite takes a component.

use pantler_core::formatter::ReadRequest;
use pantler_core::{DataId, ObjectRef};

use crate::artifact_source::ArtifactSource;
use crate::candidates::Found;
use crate::error::{Asked, Error, Result};
use crate::planner::{Planner, locate, own_class};
use crate::taken_part::is_part_of;

/// Chooses among the datasets that a component could be, given in search order, all of one type and data ID.
///
/// A child's dataset hides those of its ancestors. If more than one is left, they must be the same, unless the first is in an
/// output, or the inputs were said to be in order.
pub(crate) fn choose(
    planner: &Planner<'_>,
    asked: &Asked,
    component: Option<&str>,
    found: &[Found],
) -> Result<Option<Found>> {
    let chain = planner.chain;
    let hidden = |one: &Found| {
        found
            .iter()
            .any(|other| chain.is_ancestor(one.repository, other.repository))
    };
    let mut left = found.iter().filter(|one| !hidden(one));
    let Some(first) = left.next() else {
        return Ok(found.first().cloned());
    };
    if chain.inputs_in_order() || chain.outputs().contains(&first.repository) {
        return Ok(Some(first.clone()));
    }
    for other in left {
        if !is_same(planner, first, other) {
            return Err(Error::Siblings {
                asked: asked.clone(),
                component: component.map(str::to_owned),
                dataset: Asked::new(first.record.dataset_type(), &first.record.data_id),
                places: vec![place(planner, first), place(planner, other)],
                tags: chain.tags(),
            });
        }
    }
    Ok(Some(first.clone()))
}

/// The repository and, if it has one, the place of a dataset in it.
fn place(planner: &Planner<'_>, found: &Found) -> (String, Option<String>) {
    let repository = planner.chain.repository(found.repository);
    let asked = Asked::new(found.record.dataset_type(), &DataId::default());
    let location = found
        .record
        .artifact
        .as_ref()
        .and_then(|_| locate(&found.record, &asked).ok());
    (
        repository.name().to_owned(),
        location.map(|(location, _)| location.to_string()),
    )
}

/// Whether two datasets are one in content: by identity, by digest, by what they are made of, else by their values (rules R17
/// and R22). What cannot be read is not the same.
fn is_same(planner: &Planner<'_>, a: &Found, b: &Found) -> bool {
    if a.record.id == b.record.id || is_part_of(&a.record, &b.record) {
        return true;
    }
    match (&a.record.artifact, &b.record.artifact) {
        (Some(of_a), Some(of_b)) => {
            if of_a.digest.is_some() && of_a.digest == of_b.digest {
                return true;
            }
            match (read(planner, a), read(planner, b)) {
                (Some(a), Some(b)) => a.difference(b.as_ref()).is_none(),
                _ => false,
            }
        }
        (None, None) => {
            let members = |found: &Found| -> Vec<_> {
                let members = found.record.members.iter();
                members
                    .map(|member| {
                        (
                            member.component.clone(),
                            member.dataset,
                            member.part.clone(),
                        )
                    })
                    .collect()
            };
            members(a) == members(b)
        }
        _ => false,
    }
}

fn read(planner: &Planner<'_>, found: &Found) -> Option<ObjectRef> {
    let record = &found.record;
    let formatter = planner
        .formatters
        .get(record.definition.storage.as_deref()?)?;
    let asked = Asked::new(record.dataset_type(), &record.data_id);
    let (location, hdu) = locate(record, &asked).ok()?;
    let repository = planner.chain.repository(found.repository);
    let source = ArtifactSource::new(repository.store(), &location, &repository.shown(&location));
    let request = ReadRequest {
        class: own_class(record.definition.python.as_deref()),
        hdu,
        ..ReadRequest::default()
    };
    let layout = record.artifact.as_ref()?.layout.as_deref();
    formatter.read(&source, layout, &request).ok()
}
