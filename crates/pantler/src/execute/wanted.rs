//! What a plan wants of each artifact: which nodes are read, with which parameters, and under which key the object is shared.

use pantler_core::formatter::ReadRequest;
use pantler_core::plan::{Assemble, PlanKind, PlanNode, Read};

use crate::assemble::generic;
use crate::cache::ObjectKey;
use crate::parameters::Parameters;

/// Whether a component is a list of what the composite was made from, which is not laid over it: it is had by its own name,
/// and the whole needs none of it.
pub(super) fn is_beside(node: &PlanNode, assemble: &Assemble, component: &PlanNode) -> bool {
    let own = component.component.as_ref();
    let listed = own.is_some_and(|own| own.subset && own.data_ids.is_some());
    let assembler = assemble.assembler.as_deref();
    let assembler =
        assembler.unwrap_or_else(|| generic(assemble.base.is_some(), node.python.as_deref()));
    listed && assembler == crate::assemble::OVERLAY
}

/// The parameters of one component: those of the whole are the base's, and a cutout is one of all planes and of what changes
/// them.
pub(super) fn own_parameters(
    assemble: &Assemble,
    index: usize,
    parameters: &Parameters,
) -> Parameters {
    if assemble.base == Some(index) {
        return parameters.clone();
    }
    let node = &assemble.components[index];
    let is_of_plane = crate::planner::operation(node).is_some()
        || matches!(
            crate::planner::laid_over(node),
            "image" | "mask" | "variance"
        );
    let has_pixels = match node.part.last() {
        Some(part) => matches!(
            pantler_core::synonyms::canonical(part),
            "image" | "mask" | "variance"
        ),
        None => matches!(
            crate::planner::own_class(node.python.as_deref()).as_deref(),
            Some("Image" | "Mask" | "MaskedImage" | "Exposure")
        ),
    };
    Parameters {
        bbox: parameters
            .bbox
            .filter(|_| assemble.base.is_some() && is_of_plane && has_pixels),
        ..Parameters::default()
    }
}

/// Visits every artifact to be read, with the parameters that apply to it.
pub(super) fn gather<'a>(
    node: &'a PlanNode,
    parameters: &Parameters,
    visit: &mut dyn FnMut(&'a PlanNode, &'a Read, &Parameters),
) {
    match &node.kind {
        PlanKind::Read(read) => visit(node, read, parameters),
        PlanKind::Missing(_) => {}
        PlanKind::Subset(nodes) => nodes
            .iter()
            .for_each(|node| gather(node, parameters, visit)),
        PlanKind::Assemble(assemble) => {
            for (index, component) in assemble.components.iter().enumerate() {
                if is_beside(node, assemble, component) {
                    continue;
                }
                gather(
                    component,
                    &own_parameters(assemble, index, parameters),
                    visit,
                );
            }
        }
    }
}

/// Says whether a plan is for a component of a table's row, as `visitSummary.wcs` is: there, rows pick the object.
pub(super) fn is_of_a_row(node: &PlanNode, parameters: &Parameters) -> bool {
    let PlanKind::Read(read) = &node.kind else {
        return false;
    };
    let only_rows = parameters.columns.is_none() && parameters.bbox.is_none();
    let of_table = read.class.as_deref() == Some("Table");
    let component = node.part.first().is_some_and(|part| {
        pantler_objects::synonyms::record_of(pantler_core::synonyms::canonical(part)).is_some()
    });
    only_rows && of_table && component
}

pub(super) fn whole_request(read: &Read) -> ReadRequest {
    ReadRequest {
        class: read.class.clone(),
        hdu: read.hdu,
        ..ReadRequest::default()
    }
}

pub(super) fn object_key(node: &PlanNode, read: &Read, parameters: &Parameters) -> ObjectKey {
    let mut request = ReadRequest {
        part: node
            .part_of_artifact()
            .iter()
            .map(|name| pantler_core::synonyms::canonical(name).to_owned())
            .collect(),
        bbox: parameters.bbox,
        columns: parameters.columns.clone(),
        rows: parameters.rows.clone(),
        ..whole_request(read)
    };
    if let Some((part, class)) = part_of_the_whole(node, read) {
        request.part.insert(0, part.to_owned());
        request.class = Some(class);
    }
    ObjectKey {
        dataset: read.record.id,
        request,
    }
}

/// A type that reads only the WCS out of the artifact of an exposure is the part `wcs` of that exposure, and the same object
/// (rules R8 and R13).
fn part_of_the_whole(node: &PlanNode, read: &Read) -> Option<(&'static str, String)> {
    use pantler_objects::synonyms::{class_of, components};
    let whole = crate::planner::own_class(read.record.definition.python.as_deref())?;
    let class = read.class.as_deref()?;
    // The image and the variance are of one class, and the name alone tells which is meant: `calexp_variance`.
    if whole == "Exposure" && class == "Image" && node.dataset_type.base().ends_with("_variance") {
        return Some(("variance", whole));
    }
    // A plane or a header read as an object of its own holds more cards than as a part.
    let differs = matches!(class, "Image" | "Mask" | "Metadata");
    if whole != "Exposure" || class == whole || differs {
        return None;
    }
    let part = components().find(|name| class_of(name) == Some(class))?;
    Some((part, whole))
}
