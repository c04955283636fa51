//! Understands the entries of one dataset type.

use super::definition::{
    Apply, Component, Composite, Definition, HeaderRule, IngestRule, Join, JoinHow, KeyBinding,
    LackingPlanes, MissingRows, RecordedIds, SharedMetadata,
};
use super::fields::{Fields, describe, flow};
use super::inheriting::Said;
use super::layers::RawDefinition;
use super::node::{Entry, Node};
use super::spot::{Spot, WithHint, quoted};
use super::vocabulary;
use crate::data_id::is_key_name;
use crate::problem::Problem;
use crate::template::Template;
use crate::{DatasetName, TypeName};

/// A definition, with the places that checks of the whole policy point at.
pub(crate) struct ReadDefinition {
    pub(crate) definition: Definition,
    /// Where it is named.
    pub(crate) spot: Spot,
    /// The text of its template.
    pub(crate) template: Option<Node>,
    /// The text of its `ingest.path`.
    pub(crate) ingest_path: Option<Node>,
    /// Where each component is named, and where its dataset type is.
    pub(crate) components: Vec<(Spot, Spot)>,
    pub(crate) recipe: Option<Spot>,
}

/// Reads one dataset type out of all that the texts and its parents say of it.
pub(crate) fn read(
    raw: &RawDefinition,
    said: &Said,
    unknown_parent: Option<&TypeName>,
    problems: &mut Vec<Problem>,
) -> ReadDefinition {
    let Said { entries, is_fits } = said;
    let kept: Vec<&str> = vocabulary::names(vocabulary::KEPT).collect();
    let mut fields = Fields::new(entries, problems);
    fields.check_known("a dataset type", vocabulary::DATASET, &kept);
    let (template_node, template) = read_template(&mut fields, &raw.name);
    let is_ignored = matches!(template, ReadTemplate::Ignored);
    let names_folder = matches!(template, ReadTemplate::Folder);
    let template = match template {
        ReadTemplate::Some(template) => Some(template),
        _ => None,
    };
    let storage = fields.text("storage");
    let is_computed = is_ignored || storage.as_deref().is_some_and(means_computed);
    let storage = storage.filter(|storage| !means_computed(storage));
    let mut component_spots = Vec::new();
    let composite = read_composite(&mut fields, &mut component_spots);
    if composite.is_none() {
        warn_of_plug_ins(&mut fields);
    }
    let template = check_whole_or_parts(&mut fields, &raw.name, template, composite.is_some());
    let storage = match storage {
        None if *is_fits && template.is_some() && !is_computed => Some("FitsStorage".to_owned()),
        storage => storage,
    };
    let (ingest, ingest_path) = read_ingest(&mut fields);
    let mut definition = Definition {
        name: raw.name.clone(),
        place: raw.spot.place(),
        template,
        storage,
        python: fields.text("python"),
        persistable: fields.text("persistable"),
        recipe: fields.text("recipe"),
        description: fields.text("description"),
        inherits: raw.inherits.as_ref().map(|(parent, _)| parent.clone()),
        level: fields.text("level"),
        tables: fields.texts("tables").unwrap_or_default(),
        keys: read_keys(&mut fields),
        composite,
        ingest,
        metadata: read_metadata(&mut fields),
        standardize: fields.text("standardize"),
        virtual_reader: fields.text("virtual"),
        join: read_join(&mut fields),
        shared_metadata: fields.word(
            "sharedMetadata",
            &[
                ("error", SharedMetadata::Error),
                ("first", SharedMetadata::First),
                ("column", SharedMetadata::Column),
            ],
        ),
        computed: is_computed,
        kept: entries
            .iter()
            .filter(|entry| kept.contains(&&*entry.key) && !entry.value.is_null())
            .map(|entry| (entry.key.to_string(), flow(&entry.value)))
            .collect(),
        key_places: entries
            .iter()
            .map(|entry| (entry.key.to_string(), entry.spot.place()))
            .collect(),
        complaints: Vec::new(),
        yaml: String::new(),
    };
    definition.complaints = complaints(&definition, unknown_parent, names_folder);
    ReadDefinition {
        definition,
        spot: raw.spot.clone(),
        template: template_node,
        ingest_path,
        components: component_spots,
        recipe: Fields::new(entries, problems).spot("recipe").cloned(),
    }
}

enum ReadTemplate {
    None,
    Folder,
    Ignored,
    Some(Template),
}

fn means_computed(text: &str) -> bool {
    text == "ignored" || text.starts_with("ignored:")
}

fn read_template(fields: &mut Fields<'_, '_>, name: &TypeName) -> (Option<Node>, ReadTemplate) {
    let (Some(text), Some(entry)) = (fields.text("template"), fields.find("template")) else {
        return (None, ReadTemplate::None);
    };
    if means_computed(&text) {
        return (None, ReadTemplate::Ignored);
    }
    // The field's shared policies leave templates empty for cameras to fill in.
    if text.is_empty() {
        return (None, ReadTemplate::None);
    }
    // Some of the field's types are folders, for programs that only want to know the path.
    if text.ends_with('/') {
        return (None, ReadTemplate::Folder);
    }
    let what = format!("the template of {}", quoted(name.as_str()));
    match parse_template(fields, &what, &text, &entry.value) {
        Some(template) => (Some(entry.value.clone()), ReadTemplate::Some(template)),
        None => (None, ReadTemplate::None),
    }
}

fn parse_template(
    fields: &mut Fields<'_, '_>,
    what: &str,
    text: &str,
    node: &Node,
) -> Option<Template> {
    match Template::parse(text) {
        Ok(template) => Some(template),
        Err(error) => {
            let spot = node.spot_within(error.column, error.length);
            let message = format!("{what} cannot be used: {}", error.why);
            fields.report(spot.error("bad-template", message));
            None
        }
    }
}

/// A type is kept whole or in parts. Older programs took a composite's template for nothing, and so is it here.
fn check_whole_or_parts(
    fields: &mut Fields<'_, '_>,
    name: &TypeName,
    template: Option<Template>,
    is_composite: bool,
) -> Option<Template> {
    if is_composite
        && template.is_some()
        && let Some(entry) = fields.find("template")
    {
        let message = format!(
            "{} is a composite, so its template is not used",
            quoted(name.as_str())
        );
        fields.report(
            entry
                .spot
                .warning("template-of-composite", message)
                .hint("leave out `template`, or `composite`"),
        );
    }
    template.filter(|_| !is_composite)
}

/// A plug-in for components that are not there is a slip, or a leftover.
fn warn_of_plug_ins(fields: &mut Fields<'_, '_>) {
    for key in ["assembler", "disassembler"] {
        if let Some(entry) = fields.find(key) {
            let message = format!("`{key}` is for composites, and there is no `composite` here");
            fields.report(
                entry
                    .spot
                    .warning("plug-in-without-composite", message)
                    .hint("use `standardize` for a function that changes what is read"),
            );
        }
    }
}

fn complaints(
    definition: &Definition,
    unknown_parent: Option<&TypeName>,
    names_folder: bool,
) -> Vec<String> {
    let mut complaints = Vec::new();
    if let Some(parent) = unknown_parent {
        complaints.push(format!(
            "it inherits `{parent}`, which neither its policy nor a parent's defines"
        ));
    }
    let needs_file = definition.composite.is_none()
        && definition.virtual_reader.is_none()
        && !definition.computed;
    if needs_file && names_folder {
        complaints.push("its template names a folder, and a dataset is a file".to_owned());
    } else if needs_file && definition.template.is_none() {
        complaints.push("it has no template, so nothing says where its datasets lie".to_owned());
    }
    if needs_file && definition.storage.is_none() {
        complaints.push("it has no storage, so nothing says what format it has".to_owned());
    }
    complaints
}

fn read_composite(fields: &mut Fields<'_, '_>, spots: &mut Vec<(Spot, Spot)>) -> Option<Composite> {
    let entries = fields.mapping("composite")?;
    let mut components = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut problems = Vec::new();
        if let Some((component, type_spot)) = read_component(entry, &mut problems) {
            components.push(component);
            spots.push((entry.spot.clone(), type_spot));
        }
        for problem in problems {
            fields.report(problem);
        }
    }
    if entries.is_empty()
        && let Some(entry) = fields.find("composite")
    {
        let message = "a composite has at least one component";
        fields.report(entry.spot.error("empty-composite", message));
    }
    Some(Composite {
        components,
        assembler: fields.text("assembler"),
        disassembler: fields.text("disassembler"),
        assembler_place: fields.spot("assembler").map(Spot::place),
    })
}

fn read_component(entry: &Entry, problems: &mut Vec<Problem>) -> Option<(Component, Spot)> {
    if !is_key_name(&entry.key) {
        let message = format!("{} cannot be the name of a component", quoted(&entry.key));
        problems.push(entry.spot.error("bad-name", message));
        return None;
    }
    let Some(entries) = entry.value.as_mapping() else {
        let problem = entry.value.spot.error(
            "wrong-type",
            format!(
                "the component `{}` is a mapping, and here it is {}",
                entry.key,
                describe(&entry.value)
            ),
        );
        problems.push(match entry.value.as_text() {
            Some(text) => problem.hint(format!("write `{}: {{datasetType: {text}}}`", entry.key)),
            None => problem,
        });
        return None;
    };
    let mut fields = Fields::new(entries, problems);
    let (dataset_type, type_spot) = read_component_type(&mut fields, entry, entries)?;
    let component = Component {
        name: entry.key.to_string(),
        place: entry.spot.place(),
        dataset_type,
        setter: fields.text("setter"),
        getter: fields.text("getter"),
        subset: fields.boolean("subset"),
        input_only: fields.boolean("inputOnly"),
        optional: fields.boolean("optional"),
        base: fields.boolean("base"),
        allow_empty: fields.boolean("allowEmpty"),
        data_id: read_bindings(&mut fields),
        data_ids: read_recorded_ids(&mut fields),
        apply: read_apply(&mut fields),
    };
    Some((component, type_spot))
}

/// Reads a component's type, and what was meant as one: `datasettype: wcs`, `calib: calib`.
fn read_component_type(
    fields: &mut Fields<'_, '_>,
    component: &Entry,
    entries: &[Entry],
) -> Option<(DatasetName, Spot)> {
    let unknown = entries
        .iter()
        .find(|entry| !vocabulary::COMPONENT.contains(&&*entry.key));
    let given = fields.find("datasetType");
    let meant = match (given, unknown) {
        (None, Some(unknown)) if unknown.key.eq_ignore_ascii_case("datasetType") => {
            fields.check_known("a component", vocabulary::COMPONENT, &[]);
            unknown
        }
        (None, Some(unknown)) if unknown.value.as_text().is_some() => {
            let text = unknown.value.as_text().unwrap_or_default();
            let message = format!(
                "the component `{}` has no key {}, and no `datasetType`",
                component.key,
                quoted(&unknown.key)
            );
            fields.report(
                unknown
                    .spot
                    .error("unknown-key", message)
                    .hint(format!("write `datasetType: {text}`")),
            );
            unknown
        }
        (None, _) => {
            let message = format!("the component `{}` has no `datasetType`", component.key);
            fields.report(
                component
                    .spot
                    .error("component-without-type", message)
                    .hint("name the dataset type that it comes from: `datasetType: …`"),
            );
            return None;
        }
        (Some(given), _) => {
            fields.check_known("a component", vocabulary::COMPONENT, &[]);
            given
        }
    };
    let Some(text) = meant.value.as_text() else {
        fields.wrong_type("datasetType", "the name of a dataset type", &meant.value);
        return None;
    };
    match DatasetName::parse(text) {
        Ok(name) => Some((name, meant.value.spot.clone())),
        Err(error) => {
            let message = format!(
                "{} is no name of a dataset type: {}",
                quoted(text),
                error.why
            );
            fields.report(meant.value.spot.error("bad-name", message));
            None
        }
    }
}

fn read_bindings(fields: &mut Fields<'_, '_>) -> Vec<(String, KeyBinding)> {
    let mut bindings = Vec::new();
    for entry in fields.mapping("dataId").unwrap_or_default() {
        if !is_key_name(&entry.key) {
            let message = format!("{} cannot be a key", quoted(&entry.key));
            fields.report(entry.spot.error("bad-name", message));
            continue;
        }
        let Some(value) = entry.value.as_key_value() else {
            let problem = entry.value.spot.error(
                "wrong-type",
                format!(
                    "the key `{}` is bound to a value or to another key, and here to {}",
                    entry.key,
                    describe(&entry.value)
                ),
            );
            fields.report(problem.hint("put it in quotes if it is meant as text"));
            continue;
        };
        let text = entry.value.as_text().unwrap_or_default();
        let binding = match renamed_from(text) {
            Some(Ok(from)) => KeyBinding::Renamed(from),
            Some(Err(())) => {
                let problem = entry.value.spot.error(
                    "bad-binding",
                    format!(
                        "{} binds a key to something that is no other key",
                        quoted(text)
                    ),
                );
                fields.report(problem.hint("write `%(exposure)d` alone, or a value"));
                continue;
            }
            None => KeyBinding::Pinned(value),
        };
        bindings.push((entry.key.to_string(), binding));
    }
    bindings
}

/// Reads `%(exposure)d`; `None` if it is a value.
fn renamed_from(text: &str) -> Option<Result<String, ()>> {
    if !text.contains("%(") {
        return None;
    }
    let inside = text
        .strip_prefix("%(")
        .and_then(|rest| rest.split_once(')'));
    Some(match inside {
        Some((key, conversion))
            if is_key_name(key) && Template::parse(text).is_ok() && conversion.len() == 1 =>
        {
            Ok(key.to_owned())
        }
        _ => Err(()),
    })
}

fn read_recorded_ids(fields: &mut Fields<'_, '_>) -> Option<RecordedIds> {
    let entry = fields.find("dataIds")?;
    if let Some(entries) = entry.value.as_mapping() {
        let mut problems = Vec::new();
        let mut inner = Fields::new(entries, &mut problems);
        inner.check_known("`dataIds`", vocabulary::RECORDED, &[]);
        let card = inner.text("metadata");
        if card.is_none() && problems.is_empty() {
            let message = "`dataIds` names no metadata entry";
            problems.push(entry.value.spot.error("wrong-value", message));
        }
        for problem in problems {
            fields.report(problem);
        }
        return card.map(RecordedIds::Metadata);
    }
    let recorded = fields.word("dataIds", &[("recorded", ())]);
    recorded.map(|()| RecordedIds::AtPut)
}

fn read_apply(fields: &mut Fields<'_, '_>) -> Option<Apply> {
    let entry = fields.find("apply")?;
    let Some(entries) = entry.value.as_mapping() else {
        let problem = entry.value.spot.error(
            "wrong-type",
            format!(
                "`apply` is a mapping, and here it is {}",
                describe(&entry.value)
            ),
        );
        fields.report(problem.hint("write `apply: {op: subtract, to: image}`"));
        return None;
    };
    let mut problems = Vec::new();
    let mut inner = Fields::new(entries, &mut problems);
    inner.check_known("`apply`", vocabulary::APPLY, &[]);
    let words: Vec<(&str, &str)> = vocabulary::OPERATIONS
        .iter()
        .map(|word| (*word, *word))
        .collect();
    let operation = inner.word("op", &words);
    let to = inner.text("to");
    for (key, is_missing) in [("op", inner.find("op").is_none()), ("to", to.is_none())] {
        if is_missing {
            let message = format!("`apply` has no `{key}`");
            inner.report(entry.spot.error("wrong-value", message));
        }
    }
    let is_plane = |to: &str| {
        matches!(to, "image" | "variance" | "mask")
            || to.strip_prefix("mask.").is_some_and(is_key_name)
    };
    if let (Some(to), Some(spot)) = (&to, inner.spot("to"))
        && !is_plane(to)
    {
        let message = format!(
            "`to` is `image`, `variance`, `mask` or `mask.PLANE`, and here it is {}",
            quoted(to)
        );
        inner.report(spot.error("wrong-value", message));
    }
    if let (Some(operation), Some(to), Some(spot)) = (operation, &to, inner.spot("op"))
        && is_plane(to)
        && !has_meaning(operation, to)
    {
        let message = format!("{} is no operation on {}", quoted(operation), quoted(to));
        inner.report(spot.error("wrong-value", message).hint(
            "images are added and subtracted, masks take `and`, `or` and `andNot`, and both are replaced",
        ));
    }
    let planes = inner.word(
        "planes",
        &[
            ("error", LackingPlanes::Error),
            ("add", LackingPlanes::Add),
            ("ignore", LackingPlanes::Ignore),
        ],
    );
    for problem in problems {
        fields.report(problem);
    }
    Some(Apply {
        operation: operation?.to_owned(),
        to: to?,
        planes: planes.unwrap_or_default(),
    })
}

/// Whether an operation of the policy's words can be done to a plane.
fn has_meaning(operation: &str, to: &str) -> bool {
    let of_mask = to.starts_with("mask");
    match operation {
        "add" | "subtract" => !of_mask,
        "and" | "or" | "andNot" => of_mask,
        _ => true,
    }
}

fn read_keys(fields: &mut Fields<'_, '_>) -> Option<Vec<String>> {
    let keys = fields.texts("keys")?;
    for key in &keys {
        if !is_key_name(key)
            && let Some(spot) = fields.spot("keys")
        {
            fields.report(spot.error("bad-name", format!("{} cannot be a key", quoted(key))));
        }
    }
    Some(keys)
}

fn read_metadata(fields: &mut Fields<'_, '_>) -> Vec<(String, String)> {
    let mut columns = Vec::new();
    for entry in fields.mapping("metadata").unwrap_or_default() {
        if !is_key_name(&entry.key) {
            let message = format!("{} cannot be the name of a column", quoted(&entry.key));
            fields.report(entry.spot.error("bad-name", message));
        } else if let Some(card) = entry.value.as_text() {
            columns.push((entry.key.to_string(), card.to_owned()));
        } else {
            fields.wrong_type(&entry.key, "the name of a header card", &entry.value);
        }
    }
    columns
}

fn read_ingest(fields: &mut Fields<'_, '_>) -> (IngestRule, Option<Node>) {
    let mut rule = IngestRule::default();
    let mut path_node = None;
    let Some(entries) = fields.mapping("ingest") else {
        return (rule, None);
    };
    let mut problems = Vec::new();
    let mut inner = Fields::new(entries, &mut problems);
    inner.check_known("`ingest`", vocabulary::INGEST, &[]);
    if let (Some(text), Some(entry)) = (inner.text("path"), inner.find("path")) {
        rule.path = parse_template(&mut inner, "`ingest.path`", &text, &entry.value);
        path_node = rule.path.is_some().then(|| entry.value.clone());
    }
    for entry in inner.mapping("headers").unwrap_or_default() {
        if !is_key_name(&entry.key) {
            let message = format!("{} cannot be a key", quoted(&entry.key));
            inner.report(entry.spot.error("bad-name", message));
        } else if let Some(header) = read_header(&mut inner, entry) {
            rule.headers.push((entry.key.to_string(), header));
        }
    }
    for problem in problems {
        fields.report(problem);
    }
    (rule, path_node)
}

fn read_header(fields: &mut Fields<'_, '_>, entry: &Entry) -> Option<HeaderRule> {
    if let Some(card) = entry.value.as_text() {
        return Some(HeaderRule {
            card: card.to_owned(),
            map: Vec::new(),
        });
    }
    let Some(entries) = entry.value.as_mapping() else {
        fields.wrong_type(
            &entry.key,
            "a header card, or a mapping with `card`",
            &entry.value,
        );
        return None;
    };
    let mut problems = Vec::new();
    let mut inner = Fields::new(entries, &mut problems);
    inner.check_known("a header rule", vocabulary::HEADER, &[]);
    let card = inner.text("card");
    let map = inner.value_map("map");
    if card.is_none() {
        let message = format!("the header rule of `{}` has no `card`", entry.key);
        inner.report(entry.spot.error("wrong-value", message));
    }
    for problem in problems {
        fields.report(problem);
    }
    Some(HeaderRule { card: card?, map })
}

fn read_join(fields: &mut Fields<'_, '_>) -> Option<Join> {
    let entries = fields.mapping("join")?;
    let mut problems = Vec::new();
    let mut inner = Fields::new(entries, &mut problems);
    inner.check_known("`join`", vocabulary::JOIN, &[]);
    let prefix = match inner.find("prefix").map(|entry| entry.value.as_bool()) {
        Some(Some(true)) => None,
        Some(Some(false)) => Some(String::new()),
        _ => inner.text("prefix"),
    };
    let how = [
        ("inner", JoinHow::Inner),
        ("left", JoinHow::Left),
        ("outer", JoinHow::Outer),
    ];
    // `missing: null` is YAML's null, which counts as not given, and means the same.
    let missing = [("null", MissingRows::Null), ("error", MissingRows::Error)];
    let join = Join {
        on: inner.texts("on").unwrap_or_default(),
        how: inner.word("how", &how).unwrap_or_default(),
        prefix,
        missing: inner.word("missing", &missing).unwrap_or_default(),
    };
    for problem in problems {
        fields.report(problem);
    }
    Some(join)
}
