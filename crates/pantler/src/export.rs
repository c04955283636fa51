//! Gives out objects as files: one self-contained file with what each component was, or any object in a format that fits.

use bytes::Bytes;
use pantler_core::composite_graph::Definitions;
use pantler_core::formatter::{PartProvenance, WriteOptions};
use pantler_core::plan::{Plan, PlanKind, PlanNode};
use pantler_core::policy::{Definition, Recipe};
use pantler_core::{DatasetId, ObjectRef};

use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::execute::{Executor, format_error};
use crate::identity;
use crate::parameters::Parameters;
use crate::planner::node_name;

/// A file to be handed out.
#[derive(Debug)]
pub struct Export {
    /// The object that it holds.
    pub object: ObjectRef,
    /// What each component was.
    pub provenance: Vec<PartProvenance>,
    /// How it is written: the recipe of its type, and the provenance.
    pub options: WriteOptions,
}

/// Returns how objects of a type are written: by the recipe that its definition names, as the chain's policies describe it.
pub(crate) fn write_options(chain: &Chain, definition: &Definition) -> WriteOptions {
    let described = recipe_of(chain, definition);
    WriteOptions {
        recipe: definition.recipe.clone(),
        settings: described.map_or_else(Vec::new, |recipe| recipe.settings.clone()),
        ..WriteOptions::default()
    }
}

/// Returns the recipe that a definition names, as the first policy of the chain that has it describes it; `None` for one that
/// needs no description.
pub fn recipe_of<'a>(chain: &'a Chain, definition: &Definition) -> Option<&'a Recipe> {
    let name = definition.recipe.as_ref()?;
    let mut repositories = chain.repositories().iter();
    repositories.find_map(|repository| repository.policy().recipe(name))
}

/// Gets the whole object and says what each of its components was (rule R25).
pub(crate) fn export(executor: &Executor<'_>, plan: &Plan) -> Result<Export> {
    let object = executor.execute(plan, &Parameters::default())?;
    let mut provenance = Vec::new();
    for component in plan.root.children() {
        add_provenance(executor, component, &object, &mut provenance)?;
    }
    if provenance.is_empty()
        && let Some(id) = identity::of_node(executor.chain, &plan.root)?
    {
        provenance.push(part(&plan.root, id, "dataset", &object));
    }
    // An exported composite is written as its base is.
    let base = match &plan.root.kind {
        PlanKind::Assemble(assemble) => assemble.base.and_then(|at| assemble.components.get(at)),
        _ => None,
    };
    let types = [Some(&plan.root), base];
    let recipe = types.into_iter().flatten().find_map(|node| {
        let (_, definition) = executor.chain.find_definition(&node.dataset_type)?;
        definition.recipe.is_some().then_some(definition)
    });
    let options = recipe.map(|definition| write_options(executor.chain, &definition));
    let options = WriteOptions {
        provenance: provenance.clone(),
        ..options.unwrap_or_default()
    };
    Ok(Export {
        object,
        provenance,
        options,
    })
}

fn add_provenance(
    executor: &Executor<'_>,
    node: &PlanNode,
    whole: &ObjectRef,
    provenance: &mut Vec<PartProvenance>,
) -> Result<()> {
    let (Some(id), PlanKind::Read(_)) = (identity::of_node(executor.chain, node)?, &node.kind)
    else {
        return Ok(());
    };
    // From memory: the component was read for the whole a moment ago.
    let object = match whole.component(node.component_name()) {
        Some(object) => object,
        None => {
            let plan = Plan {
                name: node_name(node),
                repositories: Vec::new(),
                root: node.clone(),
            };
            executor.execute(&plan, &Parameters::default())?
        }
    };
    provenance.push(part(node, id, node.component_name(), &object));
    Ok(())
}

fn part(node: &PlanNode, id: DatasetId, component: &str, object: &ObjectRef) -> PartProvenance {
    PartProvenance {
        component: component.to_owned(),
        dataset: Asked::new(node_name(node), &node.data_id).to_string(),
        id,
        digest: object.digest_values(),
    }
}

/// Returns an object as the bytes of a file of this name: its extension decides the format.
pub fn to_file_bytes(
    formatters: &pantler_formats::FormatterSet,
    object: &ObjectRef,
    file: &std::path::Path,
    options: &WriteOptions,
) -> Result<(Bytes, String)> {
    let name = file.display().to_string();
    let formatter = formatters
        .by_extension(&name)
        .ok_or_else(|| Error::Request {
            message: format!("the extension of {name} names no format that pantler writes"),
            hints: vec![format!(
                "formats are known by these extensions: {}",
                extensions(formatters).join(", ")
            )],
        })?;
    // A name that ends so promises compressed tiles.
    let compressed = name.to_lowercase().ends_with(".fz");
    let mut options = options.clone();
    if compressed && options.recipe.is_none() {
        options.recipe = Some("lossless".to_owned());
    }
    let asked = Asked::new(object.class(), &pantler_core::DataId::default());
    let bytes = formatter
        .write(object, &options)
        .map_err(|source| format_error(&asked, source))?;
    Ok((bytes, formatter.name().to_owned()))
}

fn extensions(formatters: &pantler_formats::FormatterSet) -> Vec<String> {
    let mut extensions: Vec<String> = formatters
        .names()
        .filter_map(|storage| formatters.get(storage))
        .flat_map(|formatter| {
            formatter
                .extensions()
                .iter()
                .map(|extension| (*extension).to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    extensions.sort();
    extensions.dedup();
    extensions
}

/// Writes bytes to a file of the user's, whole or not at all: a reader never sees half of it.
pub fn write_file(file: &std::path::Path, bytes: &[u8]) -> Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(std::path::Path::new("."));
    if !folder.is_dir() {
        let why = format!("there is no folder {}", folder.display());
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, why);
        return Err(Error::io("write", file, source));
    }
    let refuse = |source| Error::io("write", file, source);
    let mut temporary = tempfile::NamedTempFile::new_in(folder)
        // Without the name that was tried, which tells nobody anything.
        .map_err(|error| refuse(error.kind().into()))?;
    std::io::Write::write_all(&mut temporary, bytes).map_err(refuse)?;
    temporary.as_file().sync_all().map_err(refuse)?;
    // A temporary file is private; what is handed out has the usual permissions.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    temporary.as_file().set_permissions(mode).map_err(refuse)?;
    temporary
        .persist(file)
        .map_err(|error| refuse(error.error))?;
    Ok(())
}
