//! Reads the artifacts of a plan, each once, in parallel, through the cache.
//!
//! What is wanted of one artifact is asked of its formatter in one call, so that it is opened once, and read in one request
//! where the layout knows the places. Called by the executor; it knows nothing of composites.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pantler_core::formatter::ReadRequest;
use pantler_core::plan::{Plan, PlanNode, Read};
use pantler_core::policy::Place;
use pantler_core::store::Stat;
use pantler_core::{
    ArtifactPath, DatasetId, Digest, Formatter, Location, ObjectRef, Origin, Source, StoreError,
    TypeName,
};
use pantler_formats::fits::inflate;
use rayon::prelude::*;

use crate::artifact_source::{ArtifactSource, MemorySource};
use crate::cache::ObjectKey;
use crate::derived_part::{of_table, part_of};
use crate::error::{Asked, Error, Result};
use crate::planner::node_name;

use super::Executor;
use super::wanted::whole_request;

/// So few bytes, of all artifacts together, are read and decoded within the time that it takes to wake another thread.
const SMALL: u64 = 64 << 10;

/// What was read.
pub(super) type Objects = HashMap<ObjectKey, ObjectRef>;

/// One thing to be read.
pub(super) struct Wanted<'a> {
    /// What it is.
    pub(super) key: ObjectKey,
    /// The plan that wants it.
    pub(super) plan: &'a Plan,
    /// The node of the plan.
    pub(super) node: &'a PlanNode,
    /// The same, as something to be read.
    pub(super) read: &'a Read,
}

impl Wanted<'_> {
    fn asked(&self) -> Asked {
        Asked::new(node_name(self.node), &self.node.data_id)
    }

    fn layout(&self) -> Option<Arc<[u8]>> {
        self.read.record.artifact.as_ref()?.layout.clone()
    }

    fn is_whole(&self) -> bool {
        let request = &self.key.request;
        request.part.is_empty() && !request.is_partial()
    }

    fn origin(&self) -> Origin {
        let record = &self.read.record;
        let mut part = self.key.request.part.clone();
        // What is taken out of a dataset is a part of it as ever.
        let dataset_type = match &self.read.taken {
            Some(taken) => {
                if taken.alone {
                    part.splice(0..0, taken.part.iter().cloned());
                }
                self.node.dataset_type.clone()
            }
            None => record.dataset_type().clone(),
        };
        Origin {
            dataset: record.id,
            dataset_type,
            data_id: record.data_id.clone(),
            part,
            whole: !self.key.request.is_partial(),
            standardized: false,
        }
    }
}

impl Executor<'_> {
    /// Reads all that is wanted: each artifact once, several artifacts side by side.
    pub(super) fn read_each_artifact_once(&self, wanted: &[Wanted<'_>]) -> Result<Objects> {
        let groups = by_artifact(wanted);
        let objects: Result<Vec<_>> = if self.is_soon_read(&groups) {
            let each = groups.iter().map(|group| {
                self.interrupt.check()?;
                self.of_one_artifact(group)
            });
            each.collect()
        } else {
            self.interrupt.while_working(|stop| {
                let each = groups.par_iter().map(|group| {
                    stop.check()?;
                    self.of_one_artifact(group)
                });
                each.collect()
            })
        };
        let objects = objects?;
        Ok(objects.into_iter().flatten().collect())
    }

    /// Says whether one thread has read all of it before others would have begun.
    fn is_soon_read(&self, groups: &[Vec<&Wanted<'_>>]) -> bool {
        let is_small = |group: &Vec<&Wanted<'_>>| {
            let first = group.first()?;
            let store = self.chain.repository(first.read.repository).store();
            let artifact = first.read.record.artifact.as_ref()?;
            store.is_near().then_some(artifact.bytes)
        };
        let bytes: Option<u64> = groups.iter().map(is_small).sum();
        groups.len() < 2 || bytes.is_some_and(|bytes| bytes <= SMALL)
    }

    fn of_one_artifact(&self, group: &[&Wanted<'_>]) -> Result<Vec<(ObjectKey, ObjectRef)>> {
        let mut objects = Vec::new();
        let mut unknown = Vec::new();
        for &wanted in group {
            match self.cache.known(&wanted.key) {
                Some(object) => objects.push((wanted.key.clone(), object)),
                None => unknown.push(wanted),
            }
        }
        match unknown.as_slice() {
            [] => {}
            [wanted] => objects.push((wanted.key.clone(), self.alone(wanted)?)),
            several => objects.extend(self.together(several)?),
        }
        Ok(objects)
    }

    /// Reads one object; of several threads that want it, one reads.
    fn alone(&self, wanted: &Wanted<'_>) -> Result<ObjectRef> {
        let read = || {
            let object = self.objects_of(&[wanted])?.pop();
            let object = object.ok_or_else(|| Error::request("a format gave no object"))?;
            Ok(self.shared(wanted, object))
        };
        let storage = wanted.read.record.definition.storage.as_deref();
        let is_own = self.formatters.names().any(|known| Some(known) == storage);
        let object = match is_own {
            true => self.cache.get_or_read(&wanted.key, read),
            // Code of the user's may itself get something, so nobody waits for it here.
            false => read().map(|object| self.cache.share(wanted.key.clone(), object)),
        };
        object.map_err(|error| self.explained(wanted, error))
    }

    fn together(&self, group: &[&Wanted<'_>]) -> Result<Vec<(ObjectKey, ObjectRef)>> {
        let objects = self
            .objects_of(group)
            .map_err(|error| self.explained(group[0], error))?;
        let shared = group.iter().zip(objects).map(|(wanted, object)| {
            let object = self.shared(wanted, object);
            let object = self.cache.share(wanted.key.clone(), object);
            (wanted.key.clone(), object)
        });
        Ok(shared.collect())
    }

    /// Parts that are in memory already are the same objects from now on, and the others become known (rule R13).
    fn shared(&self, wanted: &Wanted<'_>, object: ObjectRef) -> ObjectRef {
        if wanted.is_whole() {
            object.sharing(&mut |name, part| self.cache.share(wanted.key.part(name), part))
        } else {
            object
        }
    }

    /// Says what an artifact that is gone was needed for.
    fn explained(&self, wanted: &Wanted<'_>, error: Error) -> Error {
        let plan = wanted.plan;
        match error.innermost() {
            Error::ArtifactGone {
                dataset,
                repository,
                location,
                ..
            } => Error::ArtifactGone {
                asked: Asked::new(&plan.name, &plan.root.data_id),
                dataset: dataset.clone(),
                component: component_of(plan, wanted.node),
                before: self.searched_before(wanted.node, wanted.read.repository),
                repository: repository.clone(),
                location: location.clone(),
            },
            _ => error,
        }
    }

    /// The repositories that were searched before the one that was to have the artifact.
    fn searched_before(&self, node: &PlanNode, repository: usize) -> Vec<(String, String)> {
        self.chain.repositories()[..repository]
            .iter()
            .map(|earlier| {
                let defines = earlier.policy().definition(&node.dataset_type).is_some();
                let outcome = if defines {
                    "not in its registry".to_owned()
                } else {
                    format!("its policy does not define {}", node.dataset_type)
                };
                (earlier.name().to_owned(), outcome)
            })
            .collect()
    }

    /// Reads several things of one artifact, in their order.
    fn objects_of(&self, group: &[&Wanted<'_>]) -> Result<Vec<ObjectRef>> {
        let [first, ..] = group else {
            return Ok(Vec::new());
        };
        let repository = self.chain.repository(first.read.repository);
        let storage = first.read.record.definition.storage.as_deref();
        let storage = storage.unwrap_or_default();
        let formatter = self
            .formatters
            .get(storage)
            .ok_or_else(|| self.unknown_storage(first.node, storage))?;
        let location = &first.read.location;
        let objects = match self.read_in_place(group, &formatter) {
            Err(Error::Store(error @ StoreError::NotFound { .. })) => {
                match self.wrapped_since(first.read)? {
                    Some(memory) => read_many(&formatter, &memory, group),
                    None => Err(error.into()),
                }
            }
            outcome => outcome,
        };
        let objects = objects.map_err(|error| {
            gone(
                error,
                &first.asked(),
                repository.name(),
                &location.to_string(),
            )
        })?;
        let known = group.iter().zip(objects);
        Ok(known
            .map(|(wanted, object)| object.with_origin(&wanted.origin()))
            .collect())
    }

    fn read_in_place(
        &self,
        group: &[&Wanted<'_>],
        formatter: &Arc<dyn Formatter>,
    ) -> Result<Vec<ObjectRef>> {
        let first = group[0];
        let repository = self.chain.repository(first.read.repository);
        let name = repository.shown(&first.read.location);
        let mut source = ArtifactSource::new(repository.store(), &first.read.location, &name);
        let mut to_be_digested = Vec::new();
        let mut checked: HashSet<DatasetId> = HashSet::new();
        for wanted in group {
            let read = wanted.read;
            if checked.insert(read.record.id)
                && !self.check_unchanged(read, &name)?
                // In a folder without an index there is nobody to tell the digest.
                && !read.record.id.is_stamp()
                && group.iter().any(|other| {
                    other.read.record.id == read.record.id
                        && other.key.request == whole_request(read)
                })
            {
                to_be_digested.push(read.record.id);
            }
        }
        if !to_be_digested.is_empty() {
            let memory = self.read_all_and_digest(first.read, &source, &to_be_digested)?;
            return read_many(formatter, &memory, group);
        }
        // The plan's ranges are those of all of it; the formatter knows which of them a piece needs.
        if let [Wanted { key, read, .. }] = group
            && let (Some(ranges), false) = (&read.ranges, key.request.is_partial())
        {
            source.prefetch(ranges)?;
        }
        read_many(formatter, &source, group)
    }

    /// Says whether the artifact's digest is known; where it is not, its size and date must be those that were ingested
    /// (rule R30).
    fn check_unchanged(&self, read: &Read, name: &str) -> Result<bool> {
        let Some(artifact) = &read.record.artifact else {
            return Ok(true);
        };
        if artifact.digest.is_some() {
            return Ok(true);
        }
        let repository = self.chain.repository(read.repository);
        let Some(stat) = self.stat(read, &read.location)? else {
            return Err(Error::Store(StoreError::NotFound {
                root: repository.root().to_owned(),
                location: read.location.to_string(),
            }));
        };
        let why = if read.record.id.is_stamp() && stat.bytes != artifact.bytes {
            "it was changed after it was found".to_owned()
        } else if stat.bytes != artifact.bytes {
            format!(
                "it had {} bytes when it was ingested, and has {} now",
                artifact.bytes, stat.bytes
            )
        } else if read.record.id.is_stamp() && stat.modified != artifact.modified {
            "it was changed after it was found".to_owned()
        } else if stat.modified != artifact.modified {
            "its modification time is not that of the ingest".to_owned()
        } else {
            return Ok(false);
        };
        Err(Error::ArtifactChanged {
            repository: repository.name().to_owned(),
            location: name.to_owned(),
            why,
        })
    }

    fn stat(&self, read: &Read, location: &Location) -> Result<Option<Stat>> {
        let store = self.chain.repository(read.repository).store();
        let mut stats = store.stat_many(std::slice::from_ref(location))?;
        Ok(stats.pop().flatten())
    }

    fn read_all_and_digest(
        &self,
        read: &Read,
        source: &ArtifactSource<'_>,
        datasets: &[DatasetId],
    ) -> Result<MemorySource> {
        let whole = 0..source.bytes()?;
        let bytes = source.read_ranges(&[whole])?.pop().unwrap_or_default();
        let digest = Digest::of(&bytes);
        let repository = self.chain.repository(read.repository);
        if repository.writable() {
            // Only a saving for later: a get must not fail because its repository is busy.
            let _ = repository.registry().begin().and_then(|mut transaction| {
                for dataset in datasets {
                    transaction.set_digest(*dataset, digest)?;
                }
                transaction.commit()
            });
        }
        Ok(MemorySource::new(source.name(), bytes))
    }

    /// Finds an artifact that somebody has wrapped in gzip since it was recorded: `x.fits.gz` where `x.fits` was. It counts
    /// only if what it wraps is what was recorded: the size, and the digest where one is known.
    fn wrapped_since(&self, read: &Read) -> Result<Option<MemorySource>> {
        let Some(artifact) = &read.record.artifact else {
            return Ok(None);
        };
        let wrapped = format!("{}.gz", read.location);
        let location = match &read.location {
            Location::Inside(_) => match ArtifactPath::new(&wrapped) {
                Ok(path) => Location::Inside(path),
                Err(_) => return Ok(None),
            },
            Location::Outside(_) => Location::Outside(wrapped.into()),
        };
        if self.stat(read, &location)?.is_none() {
            return Ok(None);
        }
        let repository = self.chain.repository(read.repository);
        let name = repository.shown(&location);
        let source = ArtifactSource::new(repository.store(), &location, &name);
        let changed = |why: String| Error::ArtifactChanged {
            repository: repository.name().to_owned(),
            location: name.clone(),
            why,
        };
        let bytes = inflate(&source, artifact.bytes).map_err(|error| match error {
            pantler_core::FormatError::Store(error) => Error::Store(error),
            error => changed(format!("it is not the file that was recorded: {error}")),
        })?;
        let same = bytes.len() as u64 == artifact.bytes
            && artifact
                .digest
                .is_none_or(|known| known == Digest::of(&bytes));
        if !same {
            return Err(changed(
                "what it wraps is not the file that was recorded".to_owned(),
            ));
        }
        Ok(Some(MemorySource::new(&name, bytes)))
    }
}

fn read_many(
    formatter: &Arc<dyn Formatter>,
    source: &dyn Source,
    group: &[&Wanted<'_>],
) -> Result<Vec<ObjectRef>> {
    let layout = group.first().and_then(|wanted| wanted.layout());
    // What a table says of itself is asked of the table.
    let derived: Vec<_> = group
        .iter()
        .map(|wanted| of_table(&wanted.key.request))
        .collect();
    let requests: Vec<ReadRequest> = group
        .iter()
        .zip(&derived)
        .map(|(wanted, derived)| match derived {
            Some((request, _)) => request.clone(),
            None => wanted.key.request.clone(),
        })
        .collect();
    let read = formatter
        .read_many(source, layout.as_deref(), &requests)
        .and_then(|objects| {
            let parts = objects.into_iter().zip(&derived);
            parts
                .map(|(object, derived)| match derived {
                    Some((_, part)) => part_of(&object, part, source.name()),
                    None => Ok(object),
                })
                .collect()
        });
    match (read, group) {
        (Ok(objects), _) => Ok(objects),
        (Err(error), [first, ..]) => Err(format_error(&first.asked(), error)),
        (Err(pantler_core::FormatError::Store(error)), []) => Err(error.into()),
        (Err(error), []) => Err(Error::request(error.to_string())),
    }
}

/// Puts together what is wanted of one artifact. Datasets that share a file, as HDUs of it do, share its layout too.
fn by_artifact<'a, 'b>(wanted: &'b [Wanted<'a>]) -> Vec<Vec<&'b Wanted<'a>>> {
    let mut groups: Vec<Vec<&Wanted<'a>>> = Vec::new();
    let mut known = HashMap::new();
    for each in wanted {
        let read = each.read;
        let storage = read.record.definition.storage.as_deref();
        let artifact = (read.repository, &read.location, storage, each.layout());
        let index = *known.entry(artifact).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(each);
    }
    groups
}

/// The component that a node of a plan is, with its composite.
fn component_of(plan: &Plan, node: &PlanNode) -> Option<(String, TypeName, Place)> {
    let component = node.component.as_ref()?;
    let composite = crate::planner::parent_of(&plan.root, node)?;
    Some((
        component.name.clone(),
        composite.clone(),
        component.place.clone(),
    ))
}

pub(crate) fn format_error(asked: &Asked, source: pantler_core::FormatError) -> Error {
    match source {
        pantler_core::FormatError::Store(error) => Error::Store(error),
        source => Error::Format {
            asked: asked.clone(),
            in_repository: true,
            source,
        },
    }
}

/// An artifact that the registry knows and the store does not is gone, not merely "not found".
fn gone(error: Error, asked: &Asked, repository: &str, location: &str) -> Error {
    match error {
        Error::Store(StoreError::NotFound { .. }) => Error::ArtifactGone {
            asked: asked.clone(),
            dataset: asked.clone(),
            component: None,
            before: Vec::new(),
            repository: repository.to_owned(),
            location: location.to_owned(),
        },
        Error::Store(StoreError::OutOfRange { bytes, end, .. }) => Error::ArtifactChanged {
            repository: repository.to_owned(),
            location: location.to_owned(),
            why: format!("it ends after {bytes} bytes, and its registry knows of {end}"),
        },
        other => other,
    }
}
