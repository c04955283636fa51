//! Writes what travels into the target: staged a few hundred at a time, made durable together, committed in one transaction.
//!
//! Each row keeps the record of who made it, with a note of where it came from, when and by whom (rule R31).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use pantler_core::registry::{DefinitionVersion, Member, Provenance, State};
use pantler_core::template::Template;
use pantler_core::{ArtifactPath, DataId, DatasetId, Location, TypeName};

use crate::butler::Butler;
use crate::candidates::Found;
use crate::error::{Asked, Error, Result};
use crate::own_names::superseded_path;
use crate::parsed_template::parsed;
use crate::planner::locate;
use crate::put::{Brought, Content, Prepared, Write};
use crate::repository::Repository;
use crate::sky_facts::Facts;
use crate::taken_part;

use super::comparing::{Compared, composition_of, kind_of};
use super::gathering::Artifact;
use super::parts::{self, Alone};
use super::{
    Target, TransferBy, TransferOptions, TransferProgress, TransferReport, TransferredKind,
    TransferredType,
};

/// So many artifacts are taken at a time: parts are in memory until they are staged.
const AT_ONCE: usize = 256;

/// The note that says from which repository a dataset was transferred.
const FROM: &str = "transferred from";
/// The note that says which members of a composition stayed there.
pub(crate) const LEFT_BEHIND: &str = "left behind";

/// Writes what was found to be new.
pub(super) fn write(
    source: &Butler,
    there: &Target<'_>,
    compared: &mut Compared,
    options: &TransferOptions,
    progress: TransferProgress<'_>,
) -> Result<TransferReport> {
    let mut report = TransferReport {
        target: there.name(),
        by: options.by,
        dry_run: options.dry_run,
        types: Vec::new(),
        left_behind: 0,
    };
    let definitions = definitions_to_bring(source, compared)?;
    let mut prepared = match options.dry_run {
        true => None,
        false => Some(Prepared::new(there.repository()?, source.interrupt())),
    };
    let outcome = Writer {
        source,
        options,
        there,
        places: HashMap::new(),
        versions: HashMap::new(),
        rivals: HashMap::new(),
        acts: Acts::default(),
    }
    .write_all(compared, prepared.as_mut(), &mut report, progress)
    .and_then(|acts| match (&mut prepared, there.repository()) {
        (Some(prepared), Ok(repository)) => {
            repository.add_definitions(&definitions)?;
            for (name, target) in &compared.needs.aliases {
                crate::alias::set_unchecked(repository, name, target.as_str())?;
            }
            prepared.sync()?;
            match prepared.is_empty() {
                true => Ok(()),
                false => prepared.commit(&acts),
            }
        }
        _ => Ok(()),
    });
    if let Some(mut prepared) = prepared {
        prepared.clear();
    }
    outcome.map(|()| report)
}

/// The definitions that the target lacks, each with the recipe that it is written by (rule R7).
fn definitions_to_bring(source: &Butler, compared: &Compared) -> Result<Vec<Brought>> {
    let (chain, plugins) = (source.chain(), source.plugins());
    let definitions = compared.needs.definitions.iter();
    definitions
        .map(|(from, definition)| {
            // Code that a stranger names must not come to stand in a repository of the user's.
            for import in crate::imported::imports_of(definition) {
                plugins.check_trusted(chain, *from, definition, &import)?;
            }
            plugins.check_lasting(definition)?;
            let recipe = crate::export::recipe_of(chain, definition);
            Ok((Arc::clone(definition), recipe.cloned()))
        })
        .collect()
}

struct Writer<'a> {
    source: &'a Butler,
    options: &'a TransferOptions,
    there: &'a Target<'a>,
    /// What was given which path, and from where.
    places: HashMap<ArtifactPath, (usize, Location, Asked)>,
    /// One value for all rows of a definition.
    versions: HashMap<DefinitionVersion, Arc<DefinitionVersion>>,
    /// The types whose artifacts could lie where those of a template do.
    rivals: HashMap<String, Vec<(TypeName, Template)>>,
    acts: Acts,
}

impl Writer<'_> {
    fn write_all(
        mut self,
        compared: &Compared,
        mut prepared: Option<&mut Prepared>,
        report: &mut TransferReport,
        progress: TransferProgress<'_>,
    ) -> Result<Vec<Provenance>> {
        let needs = &compared.needs;
        let all = (needs.artifacts.len() + needs.compositions.len()) as u64;
        let mut counts = Counts::default();
        let mut done = 0;
        for some in needs.artifacts.chunks(AT_ONCE) {
            let writes = self.artifacts(some)?;
            for (artifact, (write, _)) in some.iter().zip(&writes) {
                let bytes = match write.content {
                    Content::InPlace { .. } | Content::Beside => 0,
                    _ => write.bytes,
                };
                counts.brought(artifact.dataset_type(), kind_of(artifact), bytes);
            }
            if let Some(prepared) = prepared.as_deref_mut() {
                prepared.add_each(writes, Vec::new())?;
            }
            done += some.len() as u64;
            progress(done, all);
        }
        for some in needs.compositions.chunks(AT_ONCE) {
            let left = self.left_behind(compared, some.iter().map(|each| &each.found))?;
            let founds: Vec<&Found> = some.iter().map(|each| &each.found).collect();
            let made_by = self.provenance(&founds)?;
            let mut compositions = Vec::new();
            for ((recorded, left), made_by) in some.iter().zip(left).zip(made_by) {
                report.left_behind += left.len();
                let act = self
                    .acts
                    .number(self.brought_from(&recorded.found, made_by, &left));
                let record = &recorded.found.record;
                counts.brought(record.dataset_type(), TransferredKind::Composite, 0);
                compositions.push((composition_of(compared, recorded), act));
            }
            if let Some(prepared) = prepared.as_deref_mut() {
                prepared.add_each(Vec::new(), compositions)?;
            }
            done += some.len() as u64;
            progress(done, all);
        }
        report.types = counts.with_same(compared);
        Ok(self.acts.all)
    }

    /// What is to be written of some artifacts, each with the number of its act.
    fn artifacts(&mut self, some: &[Artifact]) -> Result<Vec<(Write, usize)>> {
        self.source.interrupt().check()?;
        let wanted: Vec<_> = some
            .iter()
            .filter(|_| self.options.by == TransferBy::Copy)
            .filter_map(|each| Some((each.found.record.as_ref(), each.part.as_ref()?)))
            .collect();
        let mut alone = parts::alone(self.source, &wanted)?.into_iter();
        let founds: Vec<&Found> = some.iter().map(|each| &each.found).collect();
        let made_by = self.provenance(&founds)?;
        let mut writes = Vec::new();
        for (artifact, made_by) in some.iter().zip(made_by) {
            let alone = match (&artifact.part, self.options.by) {
                (Some(_), TransferBy::Copy) => alone.next().flatten(),
                _ => None,
            };
            let write = self.artifact(artifact, alone)?;
            let act = self
                .acts
                .number(self.brought_from(&artifact.found, made_by, &[]));
            writes.push((write, act));
        }
        Ok(writes)
    }

    fn artifact(&mut self, artifact: &Artifact, alone: Option<Alone>) -> Result<Write> {
        let record = &artifact.found.record;
        let asked = artifact.asked();
        let there = record.artifact.as_ref();
        let (location, _) = locate(record, &asked)?;
        let definition = self.version(artifact, alone.as_ref());
        let path = self.path(&definition, artifact)?;
        let id = artifact.id();
        let path = match artifact.state {
            State::Current => path,
            State::Superseded => superseded_path(id, &path)?,
        };
        let (bytes, digest) = match &alone {
            Some(alone) => (alone.bytes.len() as u64, None),
            None => (
                there.map_or(0, |there| there.bytes),
                there.and_then(|there| there.digest),
            ),
        };
        let layout = match &alone {
            Some(alone) => alone.layout.clone(),
            None => there.and_then(|there| there.layout.clone()),
        };
        Ok(Write {
            id,
            content: self.content(artifact, alone, location, &path)?,
            rivals: self.rivals_of(&definition)?,
            definition,
            data_id: record.data_id.clone(),
            path,
            bytes,
            modified: there.and_then(|there| there.modified),
            digest,
            layout,
            facts: Facts {
                metadata: record.metadata.clone(),
                footprint: record.footprint.clone(),
            },
            precursors: match &artifact.part {
                Some(part) => vec![taken_part::made_from(record, &part.way)],
                None => record.precursors.clone(),
            },
            replaces: None,
            state: artifact.state,
        })
    }

    fn content(
        &mut self,
        artifact: &Artifact,
        alone: Option<Alone>,
        location: Location,
        path: &ArtifactPath,
    ) -> Result<Content> {
        let number = artifact.found.repository;
        let repository = self.source.chain().repository(number);
        if self.options.by == TransferBy::Reference {
            return Ok(Content::InPlace {
                location: Some(outside(repository, &location)?),
            });
        }
        let is_alone = alone.is_some();
        match self.places.get(path) {
            // Several datasets lie in one file, each in an HDU of its own.
            Some((from, at, _)) if (*from, at) == (number, &location) && !is_alone => {
                return Ok(Content::Beside);
            }
            Some((.., owner)) => {
                return Err(Error::PathTaken {
                    asked: artifact.asked(),
                    repository: self.there.name(),
                    location: path.to_string(),
                    owner: Some(owner.to_string()),
                });
            }
            None => {
                let place = (number, location.clone(), artifact.asked());
                self.places.insert(path.clone(), place);
            }
        }
        Ok(match alone {
            Some(alone) => Content::Memory(alone.bytes),
            None => Content::From(Arc::clone(repository), location),
        })
    }

    fn version(&mut self, artifact: &Artifact, alone: Option<&Alone>) -> Arc<DefinitionVersion> {
        let record = &artifact.found.record;
        let moved = self.options.by == TransferBy::Copy;
        let version = match &artifact.part {
            Some(part) => parts::definition_of(record, part, alone, moved),
            None => record.definition.as_ref().clone(),
        };
        let known = self.versions.entry(version);
        let shared = Arc::new(known.key().clone());
        Arc::clone(known.or_insert(shared))
    }

    fn path(&self, definition: &DefinitionVersion, artifact: &Artifact) -> Result<ArtifactPath> {
        let template = definition.template.as_deref().unwrap_or_default();
        let refuse = |why: String| Error::NoPath {
            asked: artifact.asked(),
            template: template.to_owned(),
            why,
        };
        let template = parsed(template).map_err(|error| refuse(error.to_string()))?;
        let filled = template.fill(&artifact.found.record.data_id);
        Ok(filled.map_err(|error| refuse(error.to_string()))?.path)
    }

    /// The target's types whose artifacts could lie where those of a template do (rule R8).
    fn rivals_of(&mut self, definition: &DefinitionVersion) -> Result<Vec<(TypeName, Template)>> {
        let (Some(text), Some(target)) = (definition.template.as_deref(), self.there.butler())
        else {
            return Ok(Vec::new());
        };
        if let Some(known) = self.rivals.get(text) {
            return Ok(known.clone());
        }
        let Ok(template) = parsed(text) else {
            return Ok(Vec::new());
        };
        let others = target.chain().definitions();
        let rivals: Vec<(TypeName, Template)> = others
            .filter(|(_, other)| other.name != definition.dataset_type)
            .filter_map(|(_, other)| Some((other.name.clone(), other.template.clone()?)))
            .filter(|(_, other)| other.can_meet(&template))
            .collect();
        self.rivals.insert(text.to_owned(), rivals.clone());
        Ok(rivals)
    }

    /// Who made them, in their order.
    fn provenance(&self, founds: &[&Found]) -> Result<Vec<Option<Provenance>>> {
        let mut all: Vec<Option<Provenance>> = vec![None; founds.len()];
        let mut by_repository: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, found) in founds.iter().enumerate() {
            by_repository.entry(found.repository).or_default().push(at);
        }
        for (repository, places) in by_repository {
            let ids: Vec<DatasetId> = places.iter().map(|at| founds[*at].record.id).collect();
            let registry = self.source.chain().repository(repository).registry();
            for (at, known) in places.into_iter().zip(registry.provenance(&ids)?) {
                all[at] = known;
            }
        }
        Ok(all)
    }

    fn brought_from(
        &self,
        found: &Found,
        made_by: Option<Provenance>,
        left: &[DatasetId],
    ) -> Provenance {
        let repository = self.source.chain().repository(found.repository);
        let now = self.source.who().did("transfer", &self.options.notes);
        let mut provenance = made_by.unwrap_or_else(|| Provenance {
            notes: Vec::new(),
            ..now.clone()
        });
        let notes = &mut provenance.notes;
        notes.retain(|(key, _)| key != LEFT_BEHIND);
        notes.push((FROM.to_owned(), repository.root().to_owned()));
        let by = format!("{}@{}, pantler {}", now.user, now.host, now.version);
        notes.push(("transferred by".to_owned(), by));
        if !left.is_empty() {
            let ids: Vec<String> = left.iter().map(DatasetId::to_string).collect();
            notes.push((LEFT_BEHIND.to_owned(), ids.join(" ")));
        }
        notes.extend(now.notes);
        provenance
    }

    /// The members of compositions that will not be in the target.
    fn left_behind<'b>(
        &self,
        compared: &Compared,
        founds: impl Iterator<Item = &'b Found>,
    ) -> Result<Vec<Vec<DatasetId>>> {
        let needs = &compared.needs;
        let artifacts = needs.artifacts.iter();
        let compositions = needs.compositions.iter();
        let mut there: HashSet<DatasetId> = artifacts.clone().map(Artifact::id).collect();
        there.extend(compositions.map(|each| each.found.record.id));
        let named: HashSet<(&TypeName, &DataId)> = artifacts
            .map(|each| (each.dataset_type(), &each.found.record.data_id))
            .collect();
        let mut left = Vec::new();
        for found in founds {
            let members = found.record.members.iter();
            let members: Vec<Member> = members.map(|member| compared.member(member)).collect();
            let mut lacking = Vec::new();
            for member in &members {
                // What a folder without an index had is known again by its content.
                let by_content = member.dataset.is_derived()
                    && named.contains(&(&member.dataset_type, &member.data_id));
                let is_there =
                    by_content || taken_part::ids_of_member(member).any(|id| there.contains(&id));
                if !is_there && !lacking.contains(&member.dataset) {
                    lacking.push(member.dataset);
                }
            }
            left.push(self.not_known(&members, lacking)?);
        }
        Ok(left)
    }

    /// Those of them that the target does not have from earlier.
    fn not_known(&self, members: &[Member], mut lacking: Vec<DatasetId>) -> Result<Vec<DatasetId>> {
        if lacking.is_empty() || self.there.butler().is_none() {
            return Ok(lacking);
        }
        let repository = self.there.repository()?;
        for member in members {
            if lacking.contains(&member.dataset) {
                let ids: Vec<DatasetId> = taken_part::ids_of_member(member).collect();
                let found = repository.registry().find_ids(&ids)?;
                if found.iter().any(Option::is_some) {
                    lacking.retain(|id| *id != member.dataset);
                }
            }
        }
        Ok(lacking)
    }
}

/// The absolute place of an artifact that stays where it is.
fn outside(repository: &Repository, location: &Location) -> Result<Location> {
    let root = repository.root();
    match location {
        Location::Outside(_) => Ok(location.clone()),
        Location::Inside(path) if root.starts_with('/') => {
            let place = format!("{}/{path}", root.trim_end_matches('/'));
            Ok(Location::Outside(place.into()))
        }
        Location::Inside(_) => Err(Error::Unsupported {
            message: format!("artifacts of {root} cannot be named by reference"),
            hints: vec!["transfer them by copy".to_owned()],
        }),
    }
}

/// The different records of who made what, each once.
#[derive(Default)]
struct Acts {
    all: Vec<Provenance>,
    known: HashMap<String, usize>,
}

impl Acts {
    fn number(&mut self, provenance: Provenance) -> usize {
        let text = serde_json::to_string(&provenance).unwrap_or_default();
        *self.known.entry(text).or_insert_with(|| {
            self.all.push(provenance);
            self.all.len() - 1
        })
    }
}

/// What was brought so far, by type, in the order in which it was met.
#[derive(Default)]
struct Counts(Vec<TransferredType>);

impl Counts {
    fn of(&mut self, dataset_type: &TypeName, kind: TransferredKind) -> &mut TransferredType {
        let mut known = self.0.iter();
        let at = known.position(|each| each.dataset_type == *dataset_type && each.kind == kind);
        let at = at.unwrap_or_else(|| {
            self.0.push(TransferredType {
                dataset_type: dataset_type.clone(),
                kind,
                count: 0,
                bytes: 0,
                same: 0,
            });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    fn brought(&mut self, dataset_type: &TypeName, kind: TransferredKind, bytes: u64) {
        let counted = self.of(dataset_type, kind);
        counted.count += 1;
        counted.bytes += bytes;
    }

    fn with_same(mut self, compared: &Compared) -> Vec<TransferredType> {
        for (dataset_type, (kind, same)) in &compared.same {
            self.of(dataset_type, *kind).same += same;
        }
        self.0
    }
}

/// Says which members of a recorded composition stayed where it was transferred from, and where that is.
pub(crate) fn what_stayed(provenance: &Provenance) -> Option<(Vec<DatasetId>, String)> {
    let note = |wanted: &str| {
        let mut notes = provenance.notes.iter().rev();
        notes.find(|(key, _)| key == wanted).map(|(_, value)| value)
    };
    let ids = note(LEFT_BEHIND)?.split(' ').filter_map(DatasetId::parse);
    Some((ids.collect(), note(FROM)?.clone()))
}
