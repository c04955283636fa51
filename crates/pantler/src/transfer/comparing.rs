//! Compares what is to travel with what the target holds already: the same is left out, another under the same data ID is a
//! conflict, named before anything is written.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pantler_core::composite_graph::{Definitions, GraphNode};
use pantler_core::plan::{Found as HowFound, Plan, PlanNode};
use pantler_core::policy::Definition;
use pantler_core::registry::{FindRequest, Member, State};
use pantler_core::{DataId, DatasetId, DatasetRecord, ObjectRef, TypeName};

use crate::butler::Butler;
use crate::candidates::Found;
use crate::error::{Asked, Error, Result};
use crate::parameters::Parameters;
use crate::planner::{Composition, locate};
use crate::recorded_definition::RecordedDefinition;
use crate::repository::Repository;
use crate::taken_part;

use super::gathering::{Artifact, Needs, Recorded};
use super::{Target, TransferredKind};

/// What is to be written.
pub(super) struct Compared {
    pub(super) needs: Needs,
    /// How many were there already, by type.
    pub(super) same: BTreeMap<TypeName, (TransferredKind, usize)>,
    /// What the target knows by another identity: a dataset, the way to its part, and the identity there.
    known_as: HashMap<(DatasetId, Vec<String>), DatasetId>,
}

/// So many are asked for together.
const TOGETHER: usize = 1000;

/// Leaves out what is in the target already.
pub(super) fn compare(source: &Butler, there: &Target<'_>, needs: Needs) -> Result<Compared> {
    let mut compared = Compared {
        needs,
        same: BTreeMap::new(),
        known_as: HashMap::new(),
    };
    let Some(target) = there.butler() else {
        return Ok(compared);
    };
    let mut comparer = Comparer {
        source,
        target,
        repository: there.repository()?,
        conflicts: Vec::new(),
    };
    comparer.definitions(&mut compared.needs.definitions)?;
    comparer.aliases(&mut compared.needs.aliases)?;
    comparer.artifacts(&mut compared)?;
    comparer.compositions(&mut compared)?;
    comparer.refuse()?;
    Ok(compared)
}

impl Compared {
    /// Returns a member as the target knows it.
    pub(super) fn member(&self, member: &Member) -> Member {
        let by_content = self.needs.by_content.get(&member.dataset);
        let mut member = Member {
            dataset: by_content.copied().unwrap_or(member.dataset),
            ..member.clone()
        };
        member.dataset = self.id_there(&member).unwrap_or(member.dataset);
        member
    }

    fn id_there(&self, member: &Member) -> Option<DatasetId> {
        let known = |way: Vec<String>| self.known_as.get(&(member.dataset, way)).copied();
        known(Vec::new())
            .or_else(|| known(taken_part::canonical(&member.part)))
            .or_else(|| known(taken_part::way_of_class(&member.dataset_type)))
    }

    fn is_same(&mut self, dataset_type: &TypeName, kind: TransferredKind) {
        let known = self.same.entry(dataset_type.clone());
        known.or_insert((kind, 0)).1 += 1;
    }
}

/// Something that the target holds otherwise.
struct Conflict {
    asked: Asked,
    location: String,
    difference: String,
}

struct Comparer<'a> {
    source: &'a Butler,
    target: &'a Butler,
    repository: &'a Arc<Repository>,
    conflicts: Vec<Conflict>,
}

impl Comparer<'_> {
    /// Leaves out definitions that the target has; a composite must be made of the same there.
    fn definitions(&self, definitions: &mut Vec<(usize, Arc<Definition>)>) -> Result<()> {
        let there = self.target.chain();
        for (_, definition) in definitions.iter() {
            let Some((_, other)) = there.find_definition(&definition.name) else {
                continue;
            };
            let made_of = |definitions: &dyn Definitions| {
                let graph = GraphNode::build(definitions, &definition.name, &[]);
                graph.ok().map(|graph| RecordedDefinition::of(&graph))
            };
            let differs =
                definition.composite.is_some() && made_of(self.source.chain()) != made_of(there);
            if differs {
                return Err(Error::Request {
                    message: format!(
                        "`{}` is another composite in {}: there it is defined at {}, here at {}",
                        definition.name,
                        self.repository.name(),
                        other.place,
                        definition.place
                    ),
                    hints: vec![
                        "transfer into another repository, or let both definitions say the same"
                            .to_owned(),
                    ],
                });
            }
        }
        definitions.retain(|(_, definition)| there.find_definition(&definition.name).is_none());
        Ok(())
    }

    /// Leaves out aliases that the target has; a name that means something else there keeps that meaning.
    fn aliases(&self, aliases: &mut Vec<(String, TypeName)>) -> Result<()> {
        let there = self.target.chain();
        aliases.retain(|(name, _)| {
            let is_type = TypeName::new(name)
                .ok()
                .and_then(|name| there.find_definition(&name));
            let mut repositories = there.repositories().iter();
            is_type.is_none()
                && repositories.all(|repository| repository.policy().alias(name).is_none())
        });
        Ok(())
    }

    fn artifacts(&mut self, compared: &mut Compared) -> Result<()> {
        let mut left = Vec::new();
        let mut artifacts = std::mem::take(&mut compared.needs.artifacts).into_iter();
        loop {
            let some: Vec<Artifact> = artifacts.by_ref().take(TOGETHER).collect();
            if some.is_empty() {
                break;
            }
            self.source.interrupt().check()?;
            let known = self.known(&some)?;
            let rivals = self.rivals(&some)?;
            for ((artifact, known), rival) in some.into_iter().zip(known).zip(rivals) {
                let kind = kind_of(&artifact);
                if known {
                    compared.is_same(artifact.dataset_type(), kind);
                    continue;
                }
                let Some(rival) = rival else {
                    left.push(artifact);
                    continue;
                };
                match self.difference(&artifact, &rival)? {
                    Some(difference) => self.conflict(artifact.asked(), &rival, difference),
                    None => {
                        let way = artifact.part.as_ref().map(|part| part.way.clone());
                        let whole = artifact.found.record.id;
                        let known_as = &mut compared.known_as;
                        known_as.insert((whole, way.unwrap_or_default()), rival.id);
                        compared.is_same(artifact.dataset_type(), kind);
                    }
                }
            }
        }
        compared.needs.artifacts = left;
        Ok(())
    }

    /// Which of them the target has under their own identity, or under that of their whole.
    fn known(&self, artifacts: &[Artifact]) -> Result<Vec<bool>> {
        let registry = self.repository.registry();
        let ids = artifacts.iter().map(Artifact::id);
        let wholes = artifacts.iter().map(|artifact| artifact.found.record.id);
        let (ids, wholes): (Vec<_>, Vec<_>) = (ids.collect(), wholes.collect());
        let own = registry.find_ids(&ids)?;
        let wholes = registry.find_ids(&wholes)?;
        let pairs = own.iter().zip(&wholes);
        Ok(pairs
            .map(|(own, whole)| own.is_some() || whole.is_some())
            .collect())
    }

    /// What stands under their data IDs: of a part the whole before the part.
    fn rivals(&self, artifacts: &[Artifact]) -> Result<Vec<Option<DatasetRecord>>> {
        let mut requests = Vec::new();
        let mut of = Vec::new();
        for (at, artifact) in artifacts.iter().enumerate() {
            if artifact.state == State::Superseded {
                continue;
            }
            let whole = artifact.found.record.dataset_type();
            let part = artifact.part.as_ref().map(|part| &part.dataset_type);
            for dataset_type in std::iter::once(whole).chain(part) {
                of.push(at);
                requests.push(request(dataset_type, &artifact.found.record.data_id));
            }
        }
        let mut rivals: Vec<Option<DatasetRecord>> = vec![None; artifacts.len()];
        let answers = self.repository.registry().find_many(&requests)?;
        for (at, answer) in of.into_iter().zip(answers) {
            if rivals[at].is_none() {
                rivals[at] = answer.into_iter().next();
            }
        }
        Ok(rivals)
    }

    /// How an artifact differs from what stands under its data ID; `None` if they are the same (rule R22).
    fn difference(&self, artifact: &Artifact, rival: &DatasetRecord) -> Result<Option<String>> {
        let Some(theirs) = &rival.artifact else {
            return Ok(Some("what is there is kept in parts".to_owned()));
        };
        let ours = artifact.found.record.artifact.as_ref();
        let digest = ours.and_then(|ours| ours.digest);
        if artifact.part.is_none() && digest.is_some() && digest == theirs.digest {
            return Ok(None);
        }
        let node = match &artifact.part {
            Some(part) => PlanNode {
                overridden: Vec::new(),
                ..part.node.clone()
            },
            None => node_of(self.source, &artifact.found, artifact.asked())?,
        };
        let found = Found {
            repository: self.target.chain().output("transfer")?.0,
            record: Arc::new(rival.clone()),
        };
        let mut other = node_of(self.target, &found, artifact.asked())?;
        for name in &node.part {
            let planner = self.target.planner(Composition::Recorded);
            other = planner.select(other, name)?;
        }
        let ours = read(self.source, node)?;
        let theirs = read(self.target, other)?;
        Ok(ours.difference(theirs.as_ref()))
    }

    fn conflict(&mut self, asked: Asked, rival: &DatasetRecord, difference: String) {
        let location = locate(rival, &asked).map(|(location, _)| location.to_string());
        self.conflicts.push(Conflict {
            asked,
            location: location.unwrap_or_default(),
            difference,
        });
    }

    fn compositions(&mut self, compared: &mut Compared) -> Result<()> {
        let registry = self.repository.registry();
        let mut left = Vec::new();
        for recorded in std::mem::take(&mut compared.needs.compositions) {
            self.source.interrupt().check()?;
            let record = &recorded.found.record;
            let kind = TransferredKind::Composite;
            let known = registry
                .find_ids(&[record.id])?
                .into_iter()
                .flatten()
                .next();
            if known.is_some() {
                compared.is_same(record.dataset_type(), kind);
                continue;
            }
            let found = match recorded.state {
                State::Current => {
                    let request = request(record.dataset_type(), &record.data_id);
                    registry.find_many(&[request])?.into_iter().flatten().next()
                }
                State::Superseded => None,
            };
            let Some(rival) = found else {
                left.push(recorded);
                continue;
            };
            let ours = record.members.iter().map(|member| compared.member(member));
            if ours.collect::<Vec<_>>() == rival.members {
                let known_as = &mut compared.known_as;
                known_as.insert((record.id, Vec::new()), rival.id);
                compared.is_same(record.dataset_type(), kind);
            } else {
                let asked = Asked::new(record.dataset_type(), &record.data_id);
                self.conflict(asked, &rival, "it is made of other datasets".to_owned());
            }
        }
        compared.needs.compositions = left;
        Ok(())
    }

    fn refuse(self) -> Result<()> {
        let mut conflicts = self.conflicts.into_iter();
        let Some(first) = conflicts.next() else {
            return Ok(());
        };
        let others: Vec<String> = conflicts.map(|other| other.asked.to_string()).collect();
        let named = others
            .iter()
            .take(NAMED)
            .cloned()
            .collect::<Vec<_>>()
            .join("; ");
        let rest = match others.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let others = match others.is_empty() {
            true => String::new(),
            false => format!("; so do {named}{rest}"),
        };
        Err(Error::Conflict {
            asked: first.asked,
            repository: self.repository.name().to_owned(),
            location: first.location,
            difference: format!("{}{others}", first.difference),
        })
    }
}

/// So many conflicts are named beside the first.
const NAMED: usize = 10;

/// Returns what an artifact is in the target.
pub(super) fn kind_of(artifact: &Artifact) -> TransferredKind {
    let is_part = artifact.part.is_some()
        || taken_part::PartDefinition::of_record(&artifact.found.record).is_some();
    match is_part {
        true => TransferredKind::Part,
        false => TransferredKind::File,
    }
}

fn request(dataset_type: &TypeName, data_id: &DataId) -> FindRequest {
    FindRequest {
        dataset_type: dataset_type.clone(),
        data_id: data_id.clone(),
        limit: 1,
    }
}

fn node_of(butler: &Butler, found: &Found, asked: Asked) -> Result<PlanNode> {
    let planner = butler.planner(Composition::Recorded);
    planner.read_node(&asked, None, None, found, HowFound::Directly)
}

fn read(butler: &Butler, root: PlanNode) -> Result<ObjectRef> {
    let plan = Plan {
        name: crate::planner::node_name(&root),
        repositories: butler.chain().plan_repositories(),
        root,
    };
    butler.execute(&plan, &Parameters::default())
}

/// Returns a composition's row as it travels.
pub(super) fn composition_of(compared: &Compared, recorded: &Recorded) -> crate::put::Composition {
    let record = &recorded.found.record;
    crate::put::Composition {
        id: record.id,
        definition: record.definition.clone(),
        data_id: record.data_id.clone(),
        members: record
            .members
            .iter()
            .map(|member| compared.member(member))
            .collect(),
        facts: crate::sky_facts::Facts {
            metadata: record.metadata.clone(),
            footprint: record.footprint.clone(),
        },
        precursors: record.precursors.clone(),
        here: Vec::new(),
        replaces: None,
        state: recorded.state,
    }
}
