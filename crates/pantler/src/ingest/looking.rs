//! Looks at files: what lies in each, and under which data IDs. Headers only, each read once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pantler_core::composite_graph::GraphNode;
use pantler_core::survey::{SurveyRequest, SurveyedUnit, SurveyedUnits};
use pantler_core::{DataId, Digest, Formatter, KeyValue, Store};
use pantler_objects::Metadata;

use crate::artifact_source::ArtifactSource;
use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::interrupt::Stop;
use crate::planner::own_class;
use crate::resolve::Resolved;
use crate::sky_facts::Facts;
use crate::suitable_file::suitable;

use super::IngestOptions;
use super::files::{Files, location_of};
use super::values::Values;

/// A dataset in a file that was looked at.
pub(super) struct Looked {
    /// The file as it was named.
    pub file: PathBuf,
    /// Its real path.
    pub path: PathBuf,
    /// The HDU that holds the dataset.
    pub hdu: Option<u32>,
    pub data_id: DataId,
    pub layout: Option<Arc<[u8]>>,
    pub bytes: u64,
    pub modified: Option<i64>,
    pub digest: Option<Digest>,
    pub facts: Facts,
}

/// What looks at the files of one ingest; shared by all threads.
pub(super) struct Looker<'a> {
    pub files: Files,
    pub formatter: Arc<dyn Formatter>,
    graph: &'a GraphNode,
    resolved: &'a Resolved,
    digest: bool,
    values: Values<'a>,
    request: SurveyRequest,
    /// The key whose values are the numbers of the HDUs, where every fitting HDU is a dataset.
    hdu_key: Option<String>,
}

impl<'a> Looker<'a> {
    pub fn new(
        chain: &'a Chain,
        graph: &'a GraphNode,
        formatter: Arc<dyn Formatter>,
        resolved: &'a Resolved,
        options: &'a IngestOptions,
    ) -> Result<Looker<'a>> {
        let values = Values::new(chain, graph, options.table.as_ref());
        let hdu_key = hdu_key(graph, resolved);
        let units = match (&hdu_key, picked_hdu(graph, &resolved.data_id)) {
            (Some(_), _) => SurveyedUnits::Every,
            (None, Some(hdu)) => SurveyedUnits::One(hdu),
            (None, None) => SurveyedUnits::Whole,
        };
        let class = own_class(graph.definition.python.as_deref());
        let request = SurveyRequest {
            place: Facts::have_place(class.as_deref()),
            class,
            units,
            headers: values.need_headers(&resolved.data_id)
                || !graph.definition.metadata.is_empty(),
        };
        Ok(Looker {
            files: Files::new()?,
            formatter,
            graph,
            resolved,
            digest: options.digest,
            values,
            request,
            hdu_key,
        })
    }

    /// Looks at one file, and returns the datasets in it.
    pub fn look(&self, file: &Path, stop: &Stop<'_>) -> Result<Vec<Looked>> {
        let path = self.files.find(file)?;
        let location = location_of(&path);
        let store = self.files.store();
        let source = ArtifactSource::new(store, &location, &file.display().to_string());
        let stat = store
            .stat_many(std::slice::from_ref(&location))?
            .pop()
            .flatten()
            .ok_or_else(|| Error::io("read", file, std::io::ErrorKind::NotFound.into()))?;
        let survey = self.formatter.survey(&source, &self.request);
        let survey = survey.map_err(|source| Error::Format {
            asked: Asked::new(&self.graph.dataset_type, &self.resolved.data_id),
            in_repository: false,
            source,
        })?;
        if survey.units.is_empty() {
            return Err(Error::request(format!(
                "{} has no HDU that could be a {}; name one with {}=…",
                file.display(),
                self.graph.dataset_type,
                self.hdu_key.as_deref().unwrap_or("hdu"),
            )));
        }
        let digest = match self.digest {
            true => Some(crate::fsck::digest_of(store, &location, &|| stop.check())?),
            false => None,
        };
        let written = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        let units = survey.units.into_iter().map(|unit| {
            let headers = headers_of(&unit);
            let mut given = self.resolved.data_id.clone();
            if let (Some(key), Some(hdu)) = (&self.hdu_key, unit.hdu) {
                given.insert(key.clone(), KeyValue::Int(i64::from(hdu)));
            }
            let data_id = self.values.data_id(given, file, &written, &headers)?;
            suitable(
                &self.graph.definition,
                self.formatter.as_ref(),
                survey.layout.as_deref(),
                &data_id,
                file,
            )?;
            Ok(Looked {
                file: file.to_path_buf(),
                path: path.clone(),
                hdu: unit.hdu,
                data_id,
                layout: survey.layout.clone(),
                bytes: stat.bytes,
                modified: stat.modified,
                digest,
                facts: Facts::of_survey(&self.graph.definition, &unit, &headers),
            })
        });
        units.collect()
    }
}

fn headers_of(unit: &SurveyedUnit) -> Vec<Metadata> {
    let header = |object: &pantler_core::ObjectRef| {
        pantler_core::object::downcast::<Metadata>(object.as_ref()).cloned()
    };
    unit.headers.iter().filter_map(header).collect()
}

/// The key that picks the HDU, where the caller does not say which: then each HDU that fits is a dataset.
fn hdu_key(graph: &GraphNode, resolved: &Resolved) -> Option<String> {
    let template = graph.definition.template.as_ref()?;
    let (key, _) = template.keys().get(template.path_keys().len())?;
    resolved.data_id.get(key).is_none().then(|| key.clone())
}

/// The HDU that the template picks, by itself or with what the caller gives.
fn picked_hdu(graph: &GraphNode, given: &DataId) -> Option<u32> {
    let template = graph.definition.template.as_ref()?;
    if !template.has_hdu() {
        return None;
    }
    template.hdu(given)
}
