//! Takes files that exist into a repository: reads their headers, finds their data IDs, records them.
//!
//! Data-ID values come, in this order, from the caller, from header cards, from the policy's `ingest.path`, from the
//! template (matched against the end of the path).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pantler_core::composite_graph::GraphNode;
use pantler_core::formatter::ReadRequest;
use pantler_core::policy::HeaderRule;
use pantler_core::registry::FindRequest;
use pantler_core::{DataId, DatasetRecord, Digest, Formatter, KeyValue, Location};
use pantler_objects::{CardValue, Metadata};
use pantler_store::LocalStore;
use rayon::prelude::*;

use crate::artifact_source::ArtifactSource;
use crate::error::{Asked, Error, Result};
use crate::put::{Content, Putter, Write, again_if_raced, formatter_of, new_write, write_all};
use crate::repository::Repository;
use crate::resolve::{Resolved, typed};
use crate::sky_facts::Facts;
use crate::suitable_file::suitable;

/// What happens to the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IngestMode {
    /// They are copied to where the template puts them.
    #[default]
    Copy,
    /// They are copied, and the originals removed once the ingest is durable, also those whose copies are there already.
    Move,
    /// They get a further name (a hard link) where the template puts them.
    Link,
    /// They stay where they are.
    InPlace,
}

/// How to ingest.
#[derive(Debug, Clone, Default)]
pub struct IngestOptions {
    /// What happens to the files.
    pub mode: IngestMode,
    /// Whether digests are computed now, where the mode does not compute them anyway (rule R30).
    pub digest: bool,
    /// Notes to keep.
    pub notes: Vec<(String, String)>,
}

/// What an ingest did.
#[derive(Debug, Default)]
pub struct IngestReport {
    /// How many datasets are new in the repository: one for each file, or one for each HDU where the template picks one.
    pub ingested: usize,
    /// How many files they lie in.
    pub files: usize,
    /// How many datasets were there already, with the same content.
    pub same: usize,
    /// Files that could not be taken, each with the reason.
    pub failed: Vec<(PathBuf, Error)>,
}

/// A file that was looked at.
struct Looked {
    file: PathBuf,
    /// The HDU that the template picks.
    hdu: Option<u32>,
    data_id: DataId,
    layout: Option<Arc<[u8]>>,
    bytes: u64,
    modified: Option<i64>,
    digest: Option<Digest>,
    facts: Facts,
}

/// A file, and where its copy lies or will lie.
type Copied = (PathBuf, Location);

impl Putter<'_> {
    /// Ingests files as datasets of one type. A file that cannot be taken does not keep the others out.
    pub fn ingest(
        &self,
        resolved: &Resolved,
        files: &[PathBuf],
        options: &IngestOptions,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<IngestReport> {
        again_if_raced(|| self.ingest_once(resolved, files, options, progress))
    }

    fn ingest_once(
        &self,
        resolved: &Resolved,
        files: &[PathBuf],
        options: &IngestOptions,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<IngestReport> {
        let chain = self.planner.chain;
        let (_, repository) = chain.output("ingest")?;
        let graph = self.planner.graph(resolved)?;
        if graph.is_composite() || !resolved.part.is_empty() {
            return Err(Error::request(format!(
                "`{}` is not kept in one file: ingest its components, then link them",
                resolved.asked.name
            )));
        }
        let formatter = formatter_of(self, &graph)?;
        let mut report = IngestReport::default();
        let looked: Vec<Result<Vec<Looked>, (PathBuf, Error)>> = files
            .par_iter()
            .map(|file| {
                let outcome = self.look(&graph, &formatter, resolved, file, options);
                progress(1);
                outcome.map_err(|error| (file.clone(), error))
            })
            .collect();
        let mut new = Vec::new();
        for outcome in looked {
            match outcome {
                Ok(looked) => new.extend(looked),
                Err(failed) => report.failed.push(failed),
            }
        }
        let (writes, mut copied) =
            self.sort_out(&graph, repository, &formatter, new, options, &mut report)?;
        report.ingested = writes.len();
        report.files = writes.iter().filter(|write| is_of_a_file(write)).count();
        copied.extend(writes.iter().filter_map(original));
        if !writes.is_empty() {
            write_all(
                repository,
                writes,
                Vec::new(),
                &self.who.did("ingest", &options.notes),
            )?;
        }
        if options.mode == IngestMode::Move {
            crate::fail_point::reach("recorded");
            for (file, location) in &copied {
                remove_original(repository, file, location)?;
                crate::fail_point::reach("moved");
            }
        }
        Ok(report)
    }

    fn look(
        &self,
        graph: &GraphNode,
        formatter: &Arc<dyn Formatter>,
        resolved: &Resolved,
        file: &Path,
        options: &IngestOptions,
    ) -> Result<Vec<Looked>> {
        let (store, location) = outside(file)?;
        let source = ArtifactSource::new(&store, &location, &file.display().to_string());
        let stat = pantler_core::Store::stat_many(&store, std::slice::from_ref(&location))?
            .pop()
            .flatten()
            .ok_or_else(|| Error::io("read", file, std::io::ErrorKind::NotFound.into()))?;
        let format_error = |source| Error::Format {
            asked: Asked::new(&graph.dataset_type, &resolved.data_id),
            in_repository: false,
            source,
        };
        let layout = formatter.index(&source).map_err(format_error)?;
        let hdus = match self.hdu_key(graph, resolved) {
            None => vec![None],
            Some(key) => {
                let class = crate::planner::own_class(graph.definition.python.as_deref());
                let found = formatter
                    .hdus(&source, layout.as_deref(), class.as_deref())
                    .map_err(format_error)?;
                if found.is_empty() {
                    return Err(Error::request(format!(
                        "{} has no HDU that could be a {}; name one with {key}=…",
                        file.display(),
                        graph.dataset_type
                    )));
                }
                found
                    .into_iter()
                    .map(|hdu| Some((key.clone(), hdu)))
                    .collect()
            }
        };
        let digest = if options.digest {
            Some(crate::fsck::digest_of(&store, &location)?)
        } else {
            None
        };
        let mut looked = Vec::new();
        for hdu in hdus {
            let number = hdu.as_ref().map(|(_, number)| *number);
            let headers = self
                .headers(graph, formatter, &source, layout.as_deref(), number)
                .map_err(format_error)?;
            let mut given = resolved.data_id.clone();
            if let Some((key, number)) = hdu {
                given.insert(key, KeyValue::Int(i64::from(number)));
            }
            let data_id = self.data_id_of(graph, given, file, &headers)?;
            suitable(
                &graph.definition,
                formatter.as_ref(),
                layout.as_deref(),
                &data_id,
                file,
            )?;
            looked.push(Looked {
                file: file.to_path_buf(),
                hdu: number,
                data_id,
                layout: layout.clone(),
                bytes: stat.bytes,
                modified: stat.modified,
                digest,
                facts: Facts::of_file(
                    &graph.definition,
                    formatter.as_ref(),
                    &source,
                    layout.as_deref(),
                    number,
                    &headers,
                ),
            });
        }
        Ok(looked)
    }

    /// The key that picks the HDU, where the caller does not say which: then each HDU that fits is a dataset.
    fn hdu_key(&self, graph: &GraphNode, resolved: &Resolved) -> Option<String> {
        let template = graph.definition.template.as_ref()?;
        let (key, _) = template.keys().get(template.path_keys().len())?;
        resolved.data_id.get(key).is_none().then(|| key.clone())
    }

    /// The headers in which values of keys may stand: that of the HDU, then that of the file. None where no key needs one.
    fn headers(
        &self,
        graph: &GraphNode,
        formatter: &Arc<dyn Formatter>,
        source: &ArtifactSource<'_>,
        layout: Option<&[u8]>,
        hdu: Option<u32>,
    ) -> Result<Vec<Metadata>, pantler_core::FormatError> {
        if graph.definition.ingest.headers.is_empty()
            && graph.definition.metadata.is_empty()
            && self.header_keys(graph).is_empty()
        {
            return Ok(Vec::new());
        }
        let request = |hdu: Option<u32>| ReadRequest {
            part: vec!["metadata".to_owned()],
            hdu,
            ..ReadRequest::default()
        };
        let requests = match hdu {
            None => vec![request(None)],
            Some(_) => vec![request(hdu), request(Some(0))],
        };
        let objects = formatter.read_many(source, layout, &requests)?;
        let header = |object: &pantler_core::ObjectRef| {
            pantler_core::object::downcast::<Metadata>(object.as_ref()).cloned()
        };
        Ok(objects.iter().filter_map(header).collect())
    }

    /// The keys of a type whose values stand in header cards, as the policy's `keys` section says.
    fn header_keys(&self, graph: &GraphNode) -> Vec<(String, HeaderRule)> {
        let chain = self.planner.chain;
        graph
            .keys
            .iter()
            .filter_map(|(key, _)| {
                let definition = chain
                    .repositories()
                    .iter()
                    .find_map(|repository| repository.policy().key(key))?;
                let rule = HeaderRule {
                    card: definition.header.clone()?,
                    map: definition.map.clone(),
                };
                Some((key.clone(), rule))
            })
            .collect()
    }

    fn data_id_of(
        &self,
        graph: &GraphNode,
        given: DataId,
        file: &Path,
        headers: &[Metadata],
    ) -> Result<DataId> {
        let mut data_id = given;
        for header in headers {
            let rules = graph
                .definition
                .ingest
                .headers
                .iter()
                .cloned()
                .chain(self.header_keys(graph));
            for (key, HeaderRule { card, map }) in rules {
                if data_id.get(&key).is_none()
                    && let Some(text) = card_text(header, &card)
                {
                    let mapped = map
                        .iter()
                        .find(|(from, _)| *from == text)
                        .map(|(_, to)| to.clone());
                    data_id.insert(key, mapped.unwrap_or(KeyValue::Str(text)));
                }
            }
        }
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        let path = absolute.to_string_lossy();
        // `x.fits.gz` and `x.fits.fz` are what is meant by `x.fits`.
        let bare = path.strip_suffix(".gz").or(path.strip_suffix(".fz"));
        let template = graph.definition.template.as_ref();
        for pattern in graph.definition.ingest.path.iter().chain(template) {
            let read = pattern.read_suffix(&path);
            if let Some(read) = read.or_else(|| pattern.read_suffix(bare?)) {
                data_id = data_id.union(&read);
            }
        }
        let asked = Asked::new(&graph.dataset_type, &data_id);
        let data_id = typed(self.planner.chain, &asked, &data_id)?;
        let keys: Vec<&str> = graph.keys.iter().map(|(key, _)| key.as_str()).collect();
        match keys.iter().find(|key| data_id.get(key).is_none()) {
            Some(key) => Err(Error::NoValue {
                file: file.display().to_string(),
                key: (*key).to_owned(),
                template: template
                    .map(|template| template.text().to_owned())
                    .unwrap_or_default(),
                keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            }),
            None => Ok(data_id.restricted_to(&keys)),
        }
    }

    /// Sorts files into new ones, ones that are there already (with those that have a copy there), and ones that cannot be.
    fn sort_out(
        &self,
        graph: &GraphNode,
        repository: &Repository,
        formatter: &Arc<dyn Formatter>,
        looked: Vec<Looked>,
        options: &IngestOptions,
        report: &mut IngestReport,
    ) -> Result<(Vec<Write>, Vec<Copied>)> {
        let requests: Vec<FindRequest> = looked
            .iter()
            .map(|each| FindRequest {
                dataset_type: graph.dataset_type.clone(),
                data_id: each.data_id.clone(),
                limit: 1,
            })
            .collect();
        let mut existing: Vec<Option<DatasetRecord>> = Vec::new();
        for batch in requests.chunks(256) {
            let answers = repository.registry().find_many(batch)?;
            existing.extend(answers.into_iter().map(|answer| answer.into_iter().next()));
        }
        let mut writes: Vec<Write> = Vec::new();
        let mut copied = Vec::new();
        let mut seen: std::collections::HashMap<DataId, PathBuf> = std::collections::HashMap::new();
        for (each, existing) in looked.into_iter().zip(existing) {
            let file = each.file.clone();
            if let Some(other) = seen.get(&each.data_id) {
                let error = Error::request(format!(
                    "{} has the same data ID, {}",
                    other.display(),
                    each.data_id
                ));
                report.failed.push((file, error));
                continue;
            }
            seen.insert(each.data_id.clone(), file.clone());
            let outcome = match existing {
                Some(record) => self
                    .compare(graph, repository, formatter, &each, &record)
                    .map(|copy| {
                        copied.extend(copy.map(|location| (file.clone(), location)));
                        None
                    }),
                None => self.new_file(graph, repository, each, options).map(Some),
            };
            match outcome {
                Ok(Some(mut write)) => {
                    beside_another(&mut write, &writes);
                    writes.push(write);
                }
                Ok(None) => report.same += 1,
                Err(error) => report.failed.push((file, error)),
            }
        }
        Ok((writes, copied))
    }

    fn new_file(
        &self,
        graph: &GraphNode,
        repository: &Repository,
        looked: Looked,
        options: &IngestOptions,
    ) -> Result<Write> {
        let file = found(&looked.file)
            .canonicalize()
            .map_err(|source| Error::io("read", &looked.file, source))?;
        let mut write = new_write(
            self,
            graph,
            &looked.data_id,
            Content::Copy(file.clone()),
            looked.bytes,
        )?;
        write.layout = looked.layout;
        write.digest = looked.digest;
        write.facts = looked.facts;
        let inside = file
            .strip_prefix(repository.root())
            .ok()
            .map(|path| path.to_string_lossy().into_owned());
        let at_home = inside.as_deref() == Some(write.path.as_str());
        if options.mode == IngestMode::Move
            && let Some(inside) = &inside
            && !at_home
        {
            self.refuse_to_move_an_artifact(repository, inside)?;
        }
        write.content = match options.mode {
            // A file that lies where the template puts it needs no copy.
            _ if at_home => Content::InPlace { location: None },
            IngestMode::Copy | IngestMode::Move => Content::Copy(file),
            IngestMode::Link => Content::Link(file),
            IngestMode::InPlace => Content::InPlace {
                location: Some(match &inside {
                    Some(path) => Location::Inside(pantler_core::ArtifactPath::new(path)?),
                    None => Location::Outside(file.to_string_lossy().into_owned().into()),
                }),
            },
        };
        if matches!(write.content, Content::InPlace { .. }) {
            write.modified = looked.modified;
        }
        Ok(write)
    }

    /// Moving the artifact of a dataset would take it away from that dataset.
    fn refuse_to_move_an_artifact(&self, repository: &Repository, inside: &str) -> Result<()> {
        let requests: Vec<FindRequest> = self
            .planner
            .chain
            .definitions()
            .filter_map(|(_, definition)| {
                Some(FindRequest {
                    dataset_type: definition.name.clone(),
                    data_id: definition.template.as_ref()?.read(inside)?,
                    limit: 1,
                })
            })
            .collect();
        let owners = repository.registry().find_many(&requests)?;
        for owner in owners.into_iter().flatten() {
            let asked = Asked::new(owner.dataset_type(), &owner.data_id);
            let (location, _) = crate::planner::locate(&owner, &asked)?;
            if location.as_str() == inside {
                return Err(Error::request(format!(
                    "{inside} is the file of {asked}, and would be taken away from it; copy it instead"
                )));
            }
        }
        Ok(())
    }

    /// Accepts a file whose dataset exists already if its content is the same (rule R22); returns where the artifact lies
    /// if it has the very same bytes.
    fn compare(
        &self,
        graph: &GraphNode,
        repository: &Repository,
        formatter: &Arc<dyn Formatter>,
        looked: &Looked,
        existing: &DatasetRecord,
    ) -> Result<Option<Location>> {
        let (store, location) = outside(&looked.file)?;
        let asked = Asked::new(&graph.dataset_type, &looked.data_id);
        let known = existing
            .artifact
            .as_ref()
            .and_then(|artifact| artifact.digest);
        let digest = match looked.digest {
            Some(digest) => digest,
            None => crate::fsck::digest_of(&store, &location)?,
        };
        let (existing_location, hdu) = crate::planner::locate(existing, &asked)?;
        if known == Some(digest) {
            return Ok(Some(existing_location));
        }
        let request = ReadRequest {
            class: crate::planner::own_class(graph.definition.python.as_deref()),
            hdu: hdu.or(looked.hdu),
            ..ReadRequest::default()
        };
        let read = |store: &dyn pantler_core::Store, location: &Location, name: &str| {
            let source = ArtifactSource::new(store, location, name);
            formatter
                .read(&source, None, &request)
                .map_err(|source| Error::Format {
                    asked: asked.clone(),
                    in_repository: false,
                    source,
                })
        };
        let new = read(&store, &location, &looked.file.display().to_string())?;
        let old = read(
            repository.store(),
            &existing_location,
            &repository.shown(&existing_location),
        )?;
        match new.difference(old.as_ref()) {
            None => Ok(None),
            Some(difference) => Err(Error::Conflict {
                asked,
                repository: repository.name().to_owned(),
                location: existing_location.to_string(),
                difference,
            }),
        }
    }
}

/// A card's value as a person would type it as a data-ID value.
fn card_text(header: &Metadata, keyword: &str) -> Option<String> {
    match header.get(keyword)? {
        CardValue::Text(text) => Some(text.trim_end().to_owned()),
        CardValue::Integer(value) => Some(value.to_string()),
        CardValue::Real(value) => Some(value.to_string()),
        CardValue::Logical(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether a dataset is the first, or only one, in its file.
fn is_of_a_file(write: &Write) -> bool {
    !matches!(write.content, Content::Beside)
}

/// Another HDU of a file that is taken already lies in the same copy of it.
fn beside_another(write: &mut Write, others: &[Write]) {
    let (Content::Copy(file) | Content::Link(file)) = &write.content else {
        return;
    };
    let is_first = |other: &&Write| match &other.content {
        Content::Copy(first) | Content::Link(first) => first == file && other.path == write.path,
        _ => false,
    };
    if others.iter().rev().any(|other| is_first(&other)) {
        write.content = Content::Beside;
    }
}

/// A file that is copied, and where its copy will lie.
fn original(write: &Write) -> Option<Copied> {
    match &write.content {
        Content::Copy(file) => Some((file.clone(), Location::Inside(write.path.clone()))),
        _ => None,
    }
}

/// Removes a file whose copy is recorded, after a look at the copy: the file may be the artifact itself under another name,
/// or the only one of the two that is whole.
fn remove_original(repository: &Repository, file: &Path, copy: &Location) -> Result<()> {
    let (store, original) = outside(file)?;
    let stat = |store: &dyn pantler_core::Store, location: &Location| {
        let stats = store.stat_many(std::slice::from_ref(location))?;
        Ok::<_, Error>(stats.into_iter().flatten().next())
    };
    let (Some(here), Some(there)) = (stat(&store, &original)?, stat(repository.store(), copy)?)
    else {
        return Ok(());
    };
    let one_file = here.same.is_some() && here.same == there.same;
    if one_file || here.bytes != there.bytes {
        return Ok(());
    }
    if crate::fsck::digest_of(&store, &original)?
        != crate::fsck::digest_of(repository.store(), copy)?
    {
        return Ok(());
    }
    let file = Path::new(original.as_str());
    std::fs::remove_file(file).map_err(|source| Error::io("remove", file, source))
}

/// The file that a person means: the one of that name, else the same wrapped or compressed.
pub(crate) fn found(file: &Path) -> PathBuf {
    let with = |ending: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    if file.exists() {
        return file.to_path_buf();
    }
    let mut others = [".gz", ".fz"].into_iter().map(with);
    others
        .find(|other| other.is_file())
        .unwrap_or_else(|| file.to_path_buf())
}

/// A file of the user's, seen through a store of its own folder.
///
/// Where there is no such file, `x.fits.gz` and `x.fits.fz` are what is meant by `x.fits`.
pub(crate) fn outside(file: &Path) -> Result<(LocalStore, Location)> {
    let absolute = found(file)
        .canonicalize()
        .map_err(|source| Error::io("read", file, source))?;
    if absolute.is_dir() {
        return Err(Error::io(
            "read",
            file,
            std::io::ErrorKind::IsADirectory.into(),
        ));
    }
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let store = LocalStore::open(folder)?;
    Ok((
        store,
        Location::Outside(absolute.to_string_lossy().into_owned().into()),
    ))
}
