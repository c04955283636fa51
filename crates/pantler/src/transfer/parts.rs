//! Takes parts out of their files: as artifacts of their own where a format can hold them, else in a copy of the whole file that
//! is found as the part alone.
//!
//! A format can hold a part if it gives back an equal object; nothing is taken for granted.

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::composite_graph::Definitions;
use pantler_core::formatter::{ReadRequest, WriteOptions};
use pantler_core::plan::{Plan, PlanNode};
use pantler_core::registry::DefinitionVersion;
use pantler_core::{DatasetRecord, Formatter, ObjectRef};

use crate::artifact_source::MemorySource;
use crate::butler::Butler;
use crate::error::Result;
use crate::execute::format_error;
use crate::parameters::Parameters;
use crate::parsed_template::parsed;
use crate::planner::node_name;
use crate::taken_part::PartDefinition;

use super::gathering::Part;

/// A part as an artifact of its own.
pub(super) struct Alone {
    /// How it is read.
    pub(super) storage: String,
    pub(super) class: String,
    pub(super) bytes: Bytes,
    pub(super) layout: Option<Arc<[u8]>>,
    extension: String,
}

/// Formats that hold many sorts of parts, beside the one that the part came in.
const STORAGES: [&str; 2] = ["FitsStorage", "JsonStorage"];

/// Reads parts, each file once, and writes each as an artifact of its own; `None` for one that no format holds.
pub(super) fn alone(
    source: &Butler,
    parts: &[(&DatasetRecord, &Part)],
) -> Result<Vec<Option<Alone>>> {
    // A part of what goes through a function of the user's is one of the whole after it.
    let is_standardized = |node: &PlanNode| {
        let found = source.chain().find_definition(&node.dataset_type);
        found.is_some_and(|(_, definition)| definition.standardize.is_some())
    };
    let plan_of = |(_, part): &(&DatasetRecord, &Part)| {
        let node = PlanNode {
            component: None,
            overridden: Vec::new(),
            ..part.node.clone()
        };
        (!is_standardized(&node)).then(|| Plan {
            name: node_name(&node),
            repositories: source.chain().plan_repositories(),
            root: node,
        })
    };
    let plans: Vec<Option<Plan>> = parts.iter().map(plan_of).collect();
    let parameters = Parameters::default();
    let wanted: Vec<(&Plan, &Parameters)> = plans
        .iter()
        .flatten()
        .map(|plan| (plan, &parameters))
        .collect();
    let mut objects = source.execute_together(&wanted)?.into_iter();
    let mut taken = Vec::new();
    for ((record, part), plan) in parts.iter().zip(&plans) {
        source.interrupt().check()?;
        let object = plan.as_ref().and_then(|_| objects.next());
        taken.push(object.and_then(|object| written(source, record, part, &object)));
    }
    Ok(taken)
}

fn written(
    source: &Butler,
    record: &DatasetRecord,
    part: &Part,
    object: &ObjectRef,
) -> Option<Alone> {
    let own = record.definition.storage.as_deref();
    let others = STORAGES.into_iter().filter(|other| Some(*other) != own);
    let mut storages = own.into_iter().chain(others);
    storages.find_map(|storage| {
        let formatter = source.own_formatters().get(storage)?;
        by_format(&formatter, storage, part, object).ok().flatten()
    })
}

fn by_format(
    formatter: &Arc<dyn Formatter>,
    storage: &str,
    part: &Part,
    object: &ObjectRef,
) -> Result<Option<Alone>> {
    let asked = crate::error::Asked::new(&part.dataset_type, &part.node.data_id);
    let failed = |source| format_error(&asked, source);
    let bytes = formatter
        .write(object, &WriteOptions::default())
        .map_err(failed)?;
    let memory = MemorySource::new(&asked.to_string(), bytes.clone());
    let request = ReadRequest {
        class: Some(object.class().to_owned()),
        ..ReadRequest::default()
    };
    let again = formatter.read(&memory, None, &request).map_err(failed)?;
    if again.class() != object.class() || object.difference(again.as_ref()).is_some() {
        return Ok(None);
    }
    Ok(Some(Alone {
        storage: storage.to_owned(),
        class: object.class().to_owned(),
        layout: formatter.index(&memory).map_err(failed)?,
        bytes,
        extension: formatter
            .extensions()
            .first()
            .map_or_else(String::new, |extension| (*extension).to_owned()),
    }))
}

/// Returns how a part's row in the target is to be read; `alone` if it has an artifact of its own, and `moved` if it does not lie
/// where its whole does.
pub(super) fn definition_of(
    record: &DatasetRecord,
    part: &Part,
    alone: Option<&Alone>,
    moved: bool,
) -> DefinitionVersion {
    let whole = &record.definition;
    let name = part.way.join(".");
    let template = whole.template.as_deref().map(|template| match alone {
        Some(alone) => apart(
            template,
            template_of(template, &name, Some(&alone.extension)),
        ),
        None if moved => apart(template, template_of(template, &name, None)),
        None => template.to_owned(),
    });
    // A type that reads another's artifact as a class of its own is all of that type.
    let is_part = !part.node.part.is_empty();
    let extra = PartDefinition {
        part_of: part.node.dataset_type.clone(),
        part: match is_part {
            true => part.way.clone(),
            false => Vec::new(),
        },
        alone: alone.is_some(),
    };
    DefinitionVersion {
        dataset_type: part.dataset_type.clone(),
        keys: whole.keys.clone(),
        template,
        storage: match alone {
            Some(alone) => Some(alone.storage.clone()),
            None => whole.storage.clone(),
        },
        python: match alone {
            Some(alone) => Some(alone.class.clone()),
            None if is_part => whole.python.clone(),
            None => part.node.python.clone().or_else(|| whole.python.clone()),
        },
        assembler: None,
        extra: extra.to_text(),
    }
}

/// Keeps a part where its path cannot be read as that of another whole: `%(filter)s.fits` would read `g.wcs.fits` as one.
fn apart(whole: &str, part: String) -> String {
    let (Ok(of_whole), Ok(of_part)) = (parsed(whole), parsed(&part)) else {
        return part;
    };
    match of_whole.can_meet(&of_part) {
        true => format!("parts/{part}"),
        false => part,
    }
}

/// Where a part lies: beside where its whole would, the part's name before the ending.
///
/// The ending is the given one, else the whole's, with the HDU that it picks.
fn template_of(whole: &str, part: &str, extension: Option<&str>) -> String {
    let (folders, name) = match whole.rsplit_once('/') {
        Some((folders, name)) => (format!("{folders}/"), name),
        None => (String::new(), whole),
    };
    // Conversions may have dots of their own, before the letter that ends them.
    let after = name.rfind(')').map_or(0, |end| {
        let letter = name[end..].find(|sign: char| sign.is_ascii_alphabetic());
        letter.map_or(name.len(), |letter| end + letter)
    });
    let dot = name[after..]
        .find('.')
        .map_or(name.len(), |dot| after + dot);
    let hdu = name[dot..].find('[').map_or(name.len(), |hdu| dot + hdu);
    let stem = &name[..dot];
    match extension {
        Some(extension) => format!("{folders}{stem}.{part}{extension}"),
        None => format!("{folders}{stem}.{part}{}{}", &name[dot..hdu], &name[hdu..]),
    }
}

#[cfg(test)]
mod tests {
    use super::{apart, template_of};

    #[test]
    fn r35_a_part_lies_beside_its_whole() {
        let all = [
            (
                "calexp/%(visit)07d/%(ccd)03d.fits",
                "calexp/%(visit)07d/%(ccd)03d.wcs.fits",
            ),
            ("%(visit)d.fits.gz", "%(visit)d.wcs.fits"),
            ("%(visit)d.fits[1]", "%(visit)d.wcs.fits"),
            ("a.b/%(visit)d", "a.b/%(visit)d.wcs.fits"),
            ("flat.fits", "flat.wcs.fits"),
            ("%(mjd)5.2f.fits", "%(mjd)5.2f.wcs.fits"),
        ];
        for (whole, part) in all {
            assert_eq!(template_of(whole, "wcs", Some(".fits")), part);
        }
        assert_eq!(
            template_of("x/%(ccd)d.fits.fz[1]", "wcs", None),
            "x/%(ccd)d.wcs.fits.fz[1]"
        );
    }

    #[test]
    fn r35_the_path_of_a_part_is_that_of_no_other_whole() {
        for (whole, part) in [
            ("flat/%(filter)s.fits", "parts/flat/%(filter)s.wcs.fits"),
            ("flat/%(ccd)03d.fits", "flat/%(ccd)03d.wcs.fits"),
        ] {
            let beside = template_of(whole, "wcs", Some(".fits"));
            assert_eq!(apart(whole, beside), part);
        }
    }
}
