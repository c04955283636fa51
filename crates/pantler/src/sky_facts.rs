//! What a registry keeps of a dataset so that it can be found: columns from its header, and its place on the sky.
//!
//! A put takes them from the object, an ingest from the file. Neither fails for the lack of them: a column that the header
//! does not have has no value, and an image whose coordinates cannot be computed has no footprint.

use pantler_core::object::downcast;
use pantler_core::policy::Definition;
use pantler_core::sky::Footprint;
use pantler_core::survey::SurveyedUnit;
use pantler_core::{DataId, KeyValue, ObjectRef};
use pantler_objects::{Bbox, CardValue, Metadata, Wcs};

/// What is known of a dataset beside its data ID.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    /// The values of the columns that the policy's `metadata` names.
    pub metadata: DataId,
    /// Where it lies on the sky.
    pub footprint: Option<Footprint>,
}

impl Facts {
    /// Returns what an object tells of itself.
    pub fn of_object(definition: &Definition, object: &ObjectRef) -> Facts {
        let header = match downcast::<Metadata>(object.as_ref()) {
            Some(header) => Some(header.clone()),
            None => part(object, "metadata", |part| {
                downcast::<Metadata>(part).cloned()
            }),
        };
        let wcs = part(object, "wcs", |part| downcast::<Wcs>(part).cloned());
        let bbox = part(object, "bbox", |part| downcast::<Bbox>(part).cloned());
        Facts {
            metadata: columns(definition, header.as_slice()),
            footprint: footprint(wcs.as_ref(), bbox.as_ref()),
        }
    }

    /// Says whether datasets of a class have pixels with places on the sky.
    pub fn have_place(class: Option<&str>) -> bool {
        class.is_some_and(|class| IMAGES.contains(&class))
    }

    /// Returns what a file, or one HDU of it, tells of itself: of images their coordinates and extent, and columns out of
    /// the headers, the first that has the card.
    pub fn of_survey(definition: &Definition, unit: &SurveyedUnit, headers: &[Metadata]) -> Facts {
        let wcs = unit.wcs.as_ref();
        let bbox = unit.bbox.as_ref();
        Facts {
            metadata: columns(definition, headers),
            footprint: footprint(
                wcs.and_then(|wcs| downcast::<Wcs>(wcs.as_ref())),
                bbox.and_then(|bbox| downcast::<Bbox>(bbox.as_ref())),
            ),
        }
    }
}

/// The classes that have pixels with places on the sky.
const IMAGES: [&str; 4] = ["Exposure", "MaskedImage", "Image", "DecoratedImage"];

fn part<T>(
    object: &ObjectRef,
    name: &str,
    cast: impl Fn(&dyn pantler_core::Object) -> Option<T>,
) -> Option<T> {
    object.component(name).and_then(|part| cast(part.as_ref()))
}

/// Returns the footprint of an image: its four corners, if they have places on the sky.
pub(crate) fn footprint(wcs: Option<&Wcs>, bbox: Option<&Bbox>) -> Option<Footprint> {
    let corners = wcs?.footprint(bbox?.pixels()).ok()?;
    Footprint::new(&corners)
}

/// Returns the columns that a definition names, as far as a header has them; the first that has one decides.
fn columns(definition: &Definition, headers: &[Metadata]) -> DataId {
    let value = |card: &str| match headers.iter().find_map(|header| header.get(card))? {
        CardValue::Integer(value) => Some(KeyValue::Int(*value)),
        CardValue::Real(value) => KeyValue::float(*value),
        CardValue::Text(text) => Some(KeyValue::Str(text.trim_end().to_owned())),
        CardValue::Logical(value) => Some(KeyValue::Int(i64::from(*value))),
        _ => None,
    };
    let columns = definition.metadata.iter();
    DataId::new(columns.filter_map(|(name, card)| Some((name.as_str(), value(card)?))))
}
