//! Sorts datasets that were looked at: new ones, which are to be written, ones that are there already, and ones that cannot be.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pantler_core::composite_graph::GraphNode;
use pantler_core::formatter::ReadRequest;
use pantler_core::registry::{ArtifactRecord, DefinitionVersion, FindRequest, State};
use pantler_core::template::Template;
use pantler_core::{ArtifactPath, DataId, DatasetId, DatasetRecord, Location, TypeName};
use uuid::Uuid;

use crate::artifact_source::ArtifactSource;
use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::interrupt::Interrupt;
use crate::planner::{locate, own_class};
use crate::put::{Content, Write, definition_version, rivals_of};
use crate::repository::Repository;

use super::files::location_of;
use super::looking::{Looked, Looker};
use super::moving::{Copied, refuse_to_move_an_artifact};
use super::{IngestMode, IngestOptions, IngestReport};

/// So many data IDs are looked for in one question.
const QUESTION: usize = 1000;

/// What sorts the datasets of one ingest.
pub(super) struct Sorter<'a> {
    chain: &'a Chain,
    repository: &'a Repository,
    graph: &'a GraphNode,
    looker: &'a Looker<'a>,
    options: &'a IngestOptions,
    interrupt: &'a Interrupt,
    template: &'a Template,
    /// Shared by all of them, so that the registry sees at a glance that it is one.
    definition: Arc<DefinitionVersion>,
    rivals: Vec<(TypeName, Template)>,
}

/// What came of some files.
#[derive(Default)]
pub(super) struct Sorted {
    pub writes: Vec<Write>,
    /// Files whose copies lie in the repository already, or will.
    pub copied: Vec<Copied>,
    pub report: IngestReport,
    /// The data IDs, each with its file.
    pub seen: HashMap<DataId, PathBuf>,
}

impl<'a> Sorter<'a> {
    pub fn new(
        chain: &'a Chain,
        repository: &'a Repository,
        graph: &'a GraphNode,
        looker: &'a Looker<'a>,
        options: &'a IngestOptions,
        interrupt: &'a Interrupt,
    ) -> Result<Sorter<'a>> {
        let template = graph.definition.template.as_ref();
        let template = template
            .ok_or_else(|| Error::request("a type without a template cannot be written"))?;
        Ok(Sorter {
            chain,
            repository,
            graph,
            looker,
            options,
            interrupt,
            template,
            definition: definition_version(graph),
            rivals: rivals_of(chain, graph),
        })
    }

    /// Sorts datasets; `before` are the data IDs of earlier files of the same ingest.
    pub fn sort(&self, looked: Vec<Looked>, before: &HashMap<DataId, PathBuf>) -> Result<Sorted> {
        let existing = self.existing(&looked)?;
        let mut sorted = Sorted::default();
        let mut files: HashSet<PathBuf> = HashSet::new();
        let mut homes: HashMap<ArtifactPath, PathBuf> = HashMap::new();
        for (each, existing) in looked.into_iter().zip(existing) {
            self.interrupt.check()?;
            let file = each.file.clone();
            let earlier = sorted.seen.get(&each.data_id);
            if let Some(other) = earlier.or_else(|| before.get(&each.data_id)) {
                let other = other.display();
                let message = format!("{other} has the same data ID, {}", each.data_id);
                let failed = (file, Error::request(message));
                sorted.report.failed.push(failed);
                continue;
            }
            sorted.seen.insert(each.data_id.clone(), file.clone());
            let outcome = match existing {
                Some(record) => self.compare(&each, &record).map(|copy| {
                    let copy = copy.map(|location| (file.clone(), location));
                    sorted.copied.extend(copy);
                    None
                }),
                None => {
                    let path = each.path.clone();
                    self.new_file(each).map(|write| Some((write, path)))
                }
            };
            match outcome {
                Ok(Some((mut write, path))) => {
                    if self.template.has_hdu() {
                        beside_another(&mut write, &mut homes);
                    }
                    files.insert(path);
                    sorted.copied.extend(original(&write));
                    sorted.writes.push(write);
                }
                Ok(None) => sorted.report.same += 1,
                Err(error @ Error::Interrupted) => return Err(error),
                Err(error) => sorted.report.failed.push((file, error)),
            }
        }
        sorted.report.ingested = sorted.writes.len();
        sorted.report.files = files.len();
        Ok(sorted)
    }

    fn existing(&self, looked: &[Looked]) -> Result<Vec<Option<DatasetRecord>>> {
        let mut existing = Vec::with_capacity(looked.len());
        for batch in looked.chunks(QUESTION) {
            let requests: Vec<FindRequest> = batch
                .iter()
                .map(|each| FindRequest {
                    dataset_type: self.graph.dataset_type.clone(),
                    data_id: each.data_id.clone(),
                    limit: 1,
                })
                .collect();
            let answers = self.repository.registry().find_many(&requests)?;
            existing.extend(answers.into_iter().map(|answer| answer.into_iter().next()));
        }
        Ok(existing)
    }

    fn new_file(&self, looked: Looked) -> Result<Write> {
        let filled = self.template.fill(&looked.data_id);
        let path = filled.map_err(|error| Error::NoPath {
            asked: Asked::new(&self.graph.dataset_type, &looked.data_id),
            template: self.template.text().to_owned(),
            why: error.to_string(),
        })?;
        let path = path.path;
        let content = self.content(&looked.path, &path)?;
        Ok(Write {
            id: DatasetId::new(Uuid::now_v7()),
            definition: Arc::clone(&self.definition),
            data_id: looked.data_id,
            path,
            content,
            bytes: looked.bytes,
            // Of a copy it is the original's: a file that still has it need not be read to be known again.
            modified: looked.modified,
            digest: looked.digest,
            layout: looked.layout,
            facts: looked.facts,
            precursors: Vec::new(),
            replaces: None,
            rivals: self.rivals.clone(),
            state: State::Current,
        })
    }

    fn content(&self, file: &Path, path: &ArtifactPath) -> Result<Content> {
        let inside = file.strip_prefix(self.repository.root()).ok();
        let inside = inside.map(|path| path.to_string_lossy().into_owned());
        let at_home = inside.as_deref() == Some(path.as_str());
        if self.options.mode == IngestMode::Move
            && let Some(inside) = &inside
            && !at_home
        {
            refuse_to_move_an_artifact(self.chain, self.repository, inside)?;
        }
        Ok(match self.options.mode {
            // A file that lies where the template puts it needs no copy.
            _ if at_home => Content::InPlace { location: None },
            IngestMode::Copy | IngestMode::Move => Content::Copy(file.to_path_buf()),
            IngestMode::Link => Content::Link(file.to_path_buf()),
            IngestMode::InPlace => Content::InPlace {
                location: Some(match &inside {
                    Some(path) => Location::Inside(ArtifactPath::new(path)?),
                    None => location_of(file),
                }),
            },
        })
    }

    /// Accepts a file whose dataset exists already if its content is the same (rule R22); returns where the artifact lies
    /// if it has the very same bytes.
    fn compare(&self, looked: &Looked, existing: &DatasetRecord) -> Result<Option<Location>> {
        let asked = Asked::new(&self.graph.dataset_type, &looked.data_id);
        let (there, hdu) = locate(existing, &asked)?;
        let artifact = existing.artifact.as_ref();
        if !self.options.digest
            && artifact.is_some_and(|artifact| is_as_it_was(looked, artifact))
            && hdu == looked.hdu
        {
            return Ok(Some(there));
        }
        let location = location_of(&looked.path);
        let store = self.looker.files.store();
        let digest = match looked.digest {
            Some(digest) => digest,
            None => crate::fsck::digest_of(store, &location, &|| self.interrupt.check())?,
        };
        if artifact.and_then(|artifact| artifact.digest) == Some(digest) {
            return Ok(Some(there));
        }
        let request = ReadRequest {
            class: own_class(self.graph.definition.python.as_deref()),
            hdu: hdu.or(looked.hdu),
            ..ReadRequest::default()
        };
        let read = |store: &dyn pantler_core::Store, location: &Location, name: &str| {
            let source = ArtifactSource::new(store, location, name);
            let read = self.looker.formatter.read(&source, None, &request);
            read.map_err(|source| Error::Format {
                asked: asked.clone(),
                in_repository: false,
                source,
            })
        };
        let new = read(store, &location, &looked.file.display().to_string())?;
        let shown = self.repository.shown(&there);
        let old = read(self.repository.store(), &there, &shown)?;
        match new.difference(old.as_ref()) {
            None => Ok(None),
            Some(difference) => Err(Error::Conflict {
                asked,
                repository: self.repository.name().to_owned(),
                location: there.to_string(),
                difference,
            }),
        }
    }
}

/// Whether a file has the size and the time of change that were recorded when it was ingested.
fn is_as_it_was(looked: &Looked, artifact: &ArtifactRecord) -> bool {
    looked.bytes == artifact.bytes
        && artifact.modified.is_some()
        && looked.modified == artifact.modified
}

/// Another HDU of a file that is taken already lies in the same copy of it.
fn beside_another(write: &mut Write, homes: &mut HashMap<ArtifactPath, PathBuf>) {
    let (Content::Copy(file) | Content::Link(file)) = &write.content else {
        return;
    };
    match homes.get(&write.path) {
        Some(first) if first == file => write.content = Content::Beside,
        Some(_) => {}
        None => {
            homes.insert(write.path.clone(), file.clone());
        }
    }
}

/// A file that is copied, and where its copy will lie.
fn original(write: &Write) -> Option<Copied> {
    match &write.content {
        Content::Copy(file) => Some((file.clone(), Location::Inside(write.path.clone()))),
        _ => None,
    }
}
