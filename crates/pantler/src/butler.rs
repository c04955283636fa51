//! The one door: opens a chain of repositories and gets, puts, explains, queries. It decides nothing itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pantler_core::formatter::PixelBox;
use pantler_core::plan::Plan;
use pantler_core::policy::PolicyText;
use pantler_core::{DataId, DatasetId, KeyType, ObjectRef, TypeName};
use pantler_formats::FormatterSet;
use pantler_registry::Access;

use crate::assemble::PluginSet;
use crate::cache::{DEFAULT_CACHE_BYTES, ObjectCache};
use crate::chain::Chain;
use crate::error::{Error, Result};
use crate::execute::{Conversions, Executor};
use crate::fsck::{FsckOptions, FsckReport, Watch};
use crate::identity::{self, Recorded};
use crate::ingest::{IngestOptions, IngestReport};
use crate::interrupt::Interrupt;
use crate::parameters::Parameters;
use crate::planner::{Composition, Planner, check_found};
use crate::put::{Batch, PutOptions, PutResult, Putter};
use crate::query::{DatasetRef, Listing, Query};
use crate::remove::{RemoveOptions, RemoveResult};
use crate::repository::{Opener, Repository, open_local};
use crate::resolve::{Resolved, resolve};
use crate::transfer::{Goal, TransferOptions, TransferProgress, TransferReport};
use crate::who::Who;

/// How to open a butler.
pub struct ButlerOptions {
    /// What turns bytes into objects, by storage name.
    pub formatters: FormatterSet,
    /// What turns components into composites, by the names that policies use.
    pub plugins: PluginSet,
    /// Who acts; kept with every put (rule R31).
    pub who: Who,
    /// How much memory cached objects may take.
    pub cache_bytes: u64,
    /// Whether an existing output may get inputs as parents that it does not have yet (rule R7).
    pub add_parents: bool,
    /// Whether the order of the inputs decides where two of them hold different content (rule R17).
    pub inputs_in_order: bool,
    /// Tags for repositories, beside those that they keep themselves: each with the repository's path.
    pub tags: Vec<(PathBuf, String)>,
    /// Policies for this butler alone, over those that repositories keep: each with the repository's path.
    pub policies: Vec<(PathBuf, String)>,
    /// Says whether a work that is going on is still wanted.
    pub interrupt: Interrupt,
    /// Opens local repositories; statistics and tests wrap what it returns.
    pub opener: Arc<Opener>,
}

impl Default for ButlerOptions {
    fn default() -> ButlerOptions {
        ButlerOptions {
            formatters: FormatterSet::standard(),
            plugins: PluginSet::standard(),
            who: Who::default(),
            cache_bytes: DEFAULT_CACHE_BYTES,
            add_parents: false,
            inputs_in_order: false,
            tags: Vec::new(),
            policies: Vec::new(),
            interrupt: Interrupt::default(),
            opener: Arc::new(open_local),
        }
    }
}

/// Gets and puts datasets over a chain of repositories. Cheap to open; safe to use from many threads.
pub struct Butler {
    chain: Chain,
    formatters: FormatterSet,
    /// Those of pantler alone: finding and comparing runs no code of the user's.
    own_formatters: FormatterSet,
    plugins: PluginSet,
    who: Who,
    cache: ObjectCache,
    interrupt: Interrupt,
}

impl Butler {
    /// Makes a repository in a folder.
    ///
    /// `policies` are copied into it; `parents` are recorded, relative to its root where that is possible.
    pub fn init(root: &Path, policies: &[PolicyText], parents: &[PathBuf]) -> Result<()> {
        let mut absolute = Vec::new();
        for parent in parents {
            // Opened once, so that a parent that is none is refused now and not at the first get.
            let parent = Repository::open(parent, Access::ReadOnly, &open_local)?;
            absolute.push(PathBuf::from(parent.root()));
        }
        let chain = parents_chain(parents)?;
        refuse_faulty(policies, chain.as_ref())?;
        Repository::init(root, policies, &absolute)
    }

    /// Opens repositories to read from and to write to. An output that does not exist is made, with the inputs as its parents.
    pub fn open(inputs: &[PathBuf], outputs: &[PathBuf], options: ButlerOptions) -> Result<Butler> {
        for output in outputs {
            adopt_inputs(output, inputs, &options)?;
        }
        let opener = options.opener.as_ref();
        let mut chain = Chain::open_with(outputs, inputs, opener, &options.policies)?;
        for (repository, tag) in &options.tags {
            chain.add_tag(repository, tag)?;
        }
        Ok(Butler::of(chain, options))
    }

    /// Makes a butler over a chain that is open already.
    pub fn of(mut chain: Chain, options: ButlerOptions) -> Butler {
        if options.inputs_in_order {
            chain.set_inputs_in_order(true);
        }
        Butler {
            chain,
            own_formatters: options.formatters.clone(),
            formatters: match options.plugins.imports().cloned() {
                Some(imports) => options
                    .formatters
                    .with_others(Arc::new(move |storage| imports.formatter(storage))),
                None => options.formatters,
            },
            plugins: options.plugins,
            who: options.who,
            cache: ObjectCache::new(options.cache_bytes),
            interrupt: options.interrupt,
        }
    }

    /// Returns the repositories in search order.
    pub fn repositories(&self) -> &[Arc<Repository>] {
        self.chain.repositories()
    }

    /// Returns the chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Returns what turns bytes into objects.
    pub fn formatters(&self) -> &FormatterSet {
        &self.formatters
    }

    /// Says what a name means in this chain, and gives the data ID's values their types.
    pub fn resolve(&self, name: &str, data_id: &DataId) -> Result<Resolved> {
        resolve(&self.chain, name, data_id)
    }

    /// Returns the keys of what a name means, each with its type.
    pub fn keys(&self, name: &str) -> Result<Vec<(String, KeyType)>> {
        let resolved = self.resolve(name, &DataId::default())?;
        Ok(self.planner(Composition::Recorded).graph(&resolved)?.keys)
    }

    /// Returns what a get would do. Reads no artifact.
    pub fn explain(&self, name: &str, data_id: &DataId, composition: Composition) -> Result<Plan> {
        let resolved = self.resolve(name, data_id)?;
        let plan = self.planner(composition).plan(&resolved)?;
        check_found(&plan, &resolved, &self.chain)?;
        Ok(plan)
    }

    /// As [`Butler::explain`], of a composite of which recorded parts are gone: the plan that says which, and the error that a get
    /// would be. Everything else that a get would fail for is an error here as well.
    pub fn explain_what_is_left(
        &self,
        name: &str,
        data_id: &DataId,
        composition: Composition,
    ) -> Result<(Plan, Option<Error>)> {
        let resolved = self.resolve(name, data_id)?;
        let plan = self.planner(composition).plan(&resolved)?;
        match check_found(&plan, &resolved, &self.chain) {
            Ok(()) => Ok((plan, None)),
            Err(error @ Error::RecordedGone { .. }) => Ok((plan, Some(error))),
            Err(error) => Err(error),
        }
    }

    /// Returns an object.
    pub fn get(&self, name: &str, data_id: &DataId, parameters: &Parameters) -> Result<ObjectRef> {
        self.get_composed(name, data_id, parameters, Composition::Recorded)
    }

    /// Returns an object, with recorded compositions heeded or not.
    pub fn get_composed(
        &self,
        name: &str,
        data_id: &DataId,
        parameters: &Parameters,
        composition: Composition,
    ) -> Result<ObjectRef> {
        // A plan may be overtaken by a replacement; the next one knows of it.
        crate::put::again_if_raced(|| {
            let plan = self.explain(name, data_id, composition)?;
            self.execute(&plan, parameters)
        })
    }

    /// Carries out a plan that this butler made.
    pub fn execute(&self, plan: &Plan, parameters: &Parameters) -> Result<ObjectRef> {
        self.executor().execute(plan, parameters)
    }

    /// Returns several cutouts of one image or exposure, in the order of the boxes (parent pixels): it is opened once, and what
    /// the boxes need is read in one request where the part index knows the file.
    pub fn get_cutouts(
        &self,
        name: &str,
        data_id: &DataId,
        boxes: &[PixelBox],
    ) -> Result<Vec<ObjectRef>> {
        let parameters: Vec<Parameters> = boxes
            .iter()
            .map(|bbox| Parameters {
                bbox: Some(*bbox),
                ..Parameters::default()
            })
            .collect();
        crate::put::again_if_raced(|| {
            let plan = self.explain(name, data_id, Composition::Recorded)?;
            let wanted: Vec<_> = parameters.iter().map(|each| (&plan, each)).collect();
            self.execute_together(&wanted)
        })
    }

    /// Returns several components of one dataset, in their order: every registry is asked once, every artifact that they lie
    /// in is opened once. Components inside components are written with dots (`detector.wcs`); a component that the dataset
    /// does not need is not looked for.
    pub fn get_components(
        &self,
        name: &str,
        data_id: &DataId,
        components: &[&str],
    ) -> Result<Vec<ObjectRef>> {
        crate::put::again_if_raced(|| {
            let plans =
                self.explain_components(name, data_id, components, Composition::Recorded)?;
            let parameters = Parameters::default();
            let wanted: Vec<_> = plans.iter().map(|plan| (plan, &parameters)).collect();
            self.execute_together(&wanted)
        })
    }

    /// Returns what getting each of several components of one dataset would do. Every registry is asked once.
    pub fn explain_components(
        &self,
        name: &str,
        data_id: &DataId,
        components: &[&str],
        composition: Composition,
    ) -> Result<Vec<Plan>> {
        let resolved = self.resolve(name, data_id)?;
        let searched = self.chain.searched(resolved.tag.as_deref())?;
        let planner = Planner {
            searched: Some(&searched),
            ..self.planner(composition)
        };
        let whole = planner.plan(&resolved)?;
        let mut plans = Vec::new();
        for component in components {
            let mut plan = whole.clone();
            plan.name = format!("{}.{component}", whole.name);
            for part in component.split('.') {
                plan.root = planner.select(plan.root, part)?;
            }
            check_found(&plan, &resolved, &self.chain)?;
            plans.push(plan);
        }
        Ok(plans)
    }

    /// Carries out several plans that this butler made: what they need of one artifact is read together.
    pub fn execute_together(&self, plans: &[(&Plan, &Parameters)]) -> Result<Vec<ObjectRef>> {
        self.executor().execute_together(plans)
    }

    /// Brings datasets of the named types, with all that they need and nothing else, into another repository, all or nothing: a
    /// folder, which is made if it is not there. Identities and names stay; where only a part is needed of a file, that part alone
    /// travels, and the dataset itself does not exist there (rule R35). `progress` is told how many datasets are done, and of how
    /// many.
    ///
    /// A target that holds datasets already is an error unless the options say to merge; another dataset under the same type and
    /// data ID there is [`Error::Conflict`], before anything is written.
    pub fn transfer_to(
        &self,
        target: &Path,
        names: &[&str],
        options: &TransferOptions,
        progress: TransferProgress<'_>,
    ) -> Result<TransferReport> {
        crate::transfer::transfer(self, Goal::Folder(target), names, options, progress)
    }

    /// As [`Butler::transfer_to`], into the first output of another butler.
    pub fn transfer_into(
        &self,
        target: &Butler,
        names: &[&str],
        options: &TransferOptions,
        progress: TransferProgress<'_>,
    ) -> Result<TransferReport> {
        crate::transfer::transfer(self, Goal::Butler(target), names, options, progress)
    }

    /// Says whether a get would find the dataset and all its required parts. Reads no artifact.
    pub fn exists(&self, name: &str, data_id: &DataId) -> Result<bool> {
        match self.explain(name, data_id, Composition::Recorded) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. } | Error::MissingKey { .. } | Error::RecordedGone { .. }) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Puts an object into every output, into each all or nothing (rule R28).
    pub fn put(
        &self,
        object: &ObjectRef,
        name: &str,
        data_id: &DataId,
        options: &PutOptions,
    ) -> Result<PutResult> {
        self.putter()
            .put(object, &self.resolve(name, data_id)?, options)
    }

    /// Returns what a put would do, without an object: where it would go and what would be refused (`explain --put`).
    pub fn explain_put(&self, name: &str, data_id: &DataId) -> Result<crate::put::PutPlan> {
        self.putter().explain(&self.resolve(name, data_id)?)
    }

    /// Records parts that were put one by one as a composite, in every output.
    pub fn link(&self, name: &str, data_id: &DataId, options: &PutOptions) -> Result<PutResult> {
        self.putter().link(&self.resolve(name, data_id)?, options)
    }

    /// Begins a batch: many puts and links into the outputs that become durable and visible together.
    pub fn batch(&self) -> Batch {
        Batch::begin(self)
    }

    /// Returns a butler over another chain, which shares what this one keeps in memory.
    pub(crate) fn over(&self, chain: Chain) -> Butler {
        Butler {
            chain,
            formatters: self.formatters.clone(),
            own_formatters: self.own_formatters.clone(),
            plugins: self.plugins.clone(),
            who: self.who.clone(),
            cache: self.cache.clone(),
            interrupt: self.interrupt.clone(),
        }
    }

    /// Returns what says whether a work is still wanted.
    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Returns what turns components into composites.
    pub(crate) fn plugins(&self) -> &PluginSet {
        &self.plugins
    }

    /// Returns what turns bytes into objects without code of the user's.
    pub(crate) fn own_formatters(&self) -> &FormatterSet {
        &self.own_formatters
    }

    /// Returns who acts.
    pub(crate) fn who(&self) -> &Who {
        &self.who
    }

    /// Ingests files into the one output as datasets of one type; `progress` is told of every file that was looked at.
    pub fn ingest(
        &self,
        name: &str,
        files: &[PathBuf],
        data_id: &DataId,
        options: &IngestOptions,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<IngestReport> {
        let outputs = self.chain.outputs();
        if outputs.len() > 1 {
            let names = outputs
                .iter()
                .map(|output| self.chain.repository(*output).name());
            let names: Vec<&str> = names.collect();
            return Err(Error::Unsupported {
                message: format!(
                    "files are ingested into one repository, and {} are named",
                    names.len()
                ),
                hints: vec![format!("ingest into each alone: {}", names.join(", "))],
            });
        }
        self.putter()
            .ingest(&self.resolve(name, data_id)?, files, options, progress)
    }

    /// Returns the datasets that fit, in the order asked for.
    pub fn query(&self, query: &Query) -> Result<Vec<DatasetRef>> {
        self.listing(query)?.collect()
    }

    /// Returns the datasets that fit one after the other, without holding them in memory.
    pub fn listing(&self, query: &Query) -> Result<Listing<'_>> {
        Listing::start(
            self.executor(),
            self.planner(Composition::Recorded),
            query.clone(),
        )
    }

    /// Returns the identities of listed datasets. In a row, what lies in a folder without an index has a stand-in for its identity
    /// ([`DatasetId::is_stamp`]); finding out the identity takes reading the file, once for as long as the butler is open.
    pub fn identities(&self, rows: &[DatasetRef]) -> Result<Vec<Option<DatasetId>>> {
        identity::of_listed(&self.chain, rows, &self.interrupt)
    }

    /// Returns the files below the root of the one output that lie where its template puts datasets of a type.
    pub fn files_in_place(&self, name: &str) -> Result<Vec<PathBuf>> {
        let (_, output) = self.chain.output("ingest")?;
        let resolved = self.resolve(name, &DataId::default())?;
        let graph = self.planner(Composition::Recorded).graph(&resolved)?;
        crate::scanned::files(output, &graph.definition)
    }

    /// Returns the types of which files lie where the first repository's templates put them and none is in its index, each with
    /// how many there are.
    pub fn types_without_index(&self) -> Result<Vec<(TypeName, u64)>> {
        let first = self.repositories().first();
        first.map_or_else(
            || Ok(Vec::new()),
            |first| crate::scanned::not_in_index(first),
        )
    }

    /// Compares what two names mean under one data ID, component by component.
    pub fn diff(
        &self,
        first: &str,
        second: &str,
        data_id: &DataId,
    ) -> Result<Vec<crate::diff::DiffEntry>> {
        crate::diff::diff(self, first, second, data_id)
    }

    /// Gives the first output tags that it keeps.
    pub fn add_tags(&self, tags: &[String]) -> Result<()> {
        self.chain.output("tag")?.1.add_tags(tags)
    }

    /// Returns the aliases of the first repository.
    pub fn aliases(&self) -> Result<Vec<crate::alias::AliasInfo>> {
        let first = self.repositories().first();
        Ok(first.map_or_else(Vec::new, |first| crate::alias::list(first)))
    }

    /// Gives an unqualified name a meaning in the first output; this butler does not see it yet.
    pub fn set_alias(&self, name: &str, target: &str) -> Result<()> {
        let (_, output) = self.chain.output("alias")?;
        crate::alias::set(&self.chain, output, name, target)
    }

    /// Takes back what [`Butler::set_alias`] gave; an alias of a policy of the user's own is refused.
    pub fn remove_alias(&self, name: &str) -> Result<()> {
        let (_, output) = self.chain.output("alias")?;
        crate::alias::remove(output, name)
    }

    /// Removes a dataset from the first output.
    pub fn remove(
        &self,
        name: &str,
        data_id: &DataId,
        options: &RemoveOptions,
    ) -> Result<RemoveResult> {
        crate::remove::remove(&self.planner(Composition::Recorded), name, data_id, options)
    }

    /// Clears what nobody needs any more in the first output.
    pub fn gc(&self, options: &crate::gc::GcOptions) -> Result<crate::gc::GcReport> {
        crate::gc::collect(self.chain.output("gc")?.1, options, &self.interrupt)
    }

    /// Checks the first repository of the chain against its artifacts.
    pub fn fsck(&self, options: FsckOptions) -> Result<FsckReport> {
        self.fsck_with_progress(options, None)
    }

    /// As [`Butler::fsck`]; `progress` is told of every dataset how many are checked, and how many there are.
    pub fn fsck_with_progress(
        &self,
        options: FsckOptions,
        progress: Option<&dyn Fn(u64, u64)>,
    ) -> Result<FsckReport> {
        let repository = self
            .repositories()
            .first()
            .ok_or_else(|| Error::request("no repository was named"))?;
        let watch = Watch::new(repository, &self.interrupt, progress)?;
        crate::fsck::check(repository, &self.formatters, options, watch, &|recorded| {
            self.known(recorded, options.deep)
        })
    }

    /// Returns an object as one self-contained file, with what each component was.
    pub fn export(&self, name: &str, data_id: &DataId) -> Result<crate::export::Export> {
        let plan = self.explain(name, data_id, Composition::Recorded)?;
        crate::export::export(&self.executor(), &plan)
    }

    /// Says which of several recorded datasets the chain has. One whose identity was derived is looked at by its content only
    /// if the check is deep; else there must be one of its type and data ID.
    fn known(&self, recorded: &[Recorded], deep: bool) -> Result<Vec<bool>> {
        let ids: Vec<DatasetId> = recorded.iter().map(|recorded| recorded.id).collect();
        let mut known = vec![false; ids.len()];
        for repository in self.repositories() {
            for (known, found) in known.iter_mut().zip(repository.registry().find_ids(&ids)?) {
                *known |= found.is_some();
            }
        }
        let left = recorded
            .iter()
            .zip(&mut known)
            .filter(|(_, known)| !**known);
        let (left, places): (Vec<Recorded>, Vec<&mut bool>) = left
            .map(|(recorded, known)| (recorded.clone(), known))
            .unzip();
        let found: Vec<bool> = match deep {
            true => {
                let found = identity::find(&self.chain, &left, &self.interrupt)?;
                found.iter().map(Option::is_some).collect()
            }
            false => {
                let found = identity::candidates(&self.chain, &left)?;
                found.iter().map(|found| !found.is_empty()).collect()
            }
        };
        for (place, found) in places.into_iter().zip(found) {
            *place = found;
        }
        Ok(known)
    }

    pub(crate) fn planner(&self, composition: Composition) -> Planner<'_> {
        Planner {
            chain: &self.chain,
            formatters: &self.own_formatters,
            composition,
            searched: None,
        }
    }

    fn executor(&self) -> Executor<'_> {
        Executor {
            chain: &self.chain,
            formatters: &self.formatters,
            plugins: &self.plugins,
            cache: &self.cache,
            interrupt: &self.interrupt,
            conversions: Conversions::All,
        }
    }

    pub(crate) fn putter(&self) -> Putter<'_> {
        Putter {
            planner: self.planner(Composition::Recorded),
            executor: self.executor(),
            who: &self.who,
        }
    }
}

fn parents_chain(parents: &[PathBuf]) -> Result<Option<Chain>> {
    if parents.is_empty() {
        return Ok(None);
    }
    Chain::open(&[], parents, &open_local).map(Some)
}

/// Refuses a faulty policy before anything is made of it.
fn refuse_faulty(policies: &[PolicyText], parents: Option<&Chain>) -> Result<()> {
    use pantler_core::problem::Severity;
    let problems = crate::policy_check::find_problems(policies, parents);
    if problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Err(Error::Policy { problems });
    }
    Ok(())
}

/// Makes an output that does not exist; gives an existing one the inputs as parents only where that was asked for (rule R7).
fn adopt_inputs(output: &Path, inputs: &[PathBuf], options: &ButlerOptions) -> Result<()> {
    if Repository::is_yet_to_be_made(output) {
        match Butler::init(output, &[], inputs) {
            // Another process was faster.
            Err(Error::RepositoryExists { .. }) => {}
            outcome => return outcome,
        }
    }
    if inputs.is_empty() {
        return Ok(());
    }
    let chain = Chain::open(&[], &[output.to_path_buf()], options.opener.as_ref())?;
    let mut strangers = Vec::new();
    for input in inputs {
        let root = input
            .canonicalize()
            .map_err(|_| Error::NoRepository {
                path: input.display().to_string(),
                why: "there is no such folder".to_owned(),
                child: None,
            })?
            .display()
            .to_string();
        if !chain
            .repositories()
            .iter()
            .any(|repository| repository.root() == root)
        {
            strangers.push(root);
        }
    }
    if strangers.is_empty() {
        return Ok(());
    }
    if !options.add_parents {
        return Err(Error::NotParents {
            output: output.display().to_string(),
            strangers,
        });
    }
    Repository::open(output, Access::ReadWrite, options.opener.as_ref())?.add_parents(&strangers)
}
