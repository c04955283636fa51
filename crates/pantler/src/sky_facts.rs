//! What a registry keeps of a dataset so that it can be found: columns from its header, and its place on the sky.
//!
//! A put takes them from the object, an ingest from the file. Neither fails for the lack of them: a column that the header
//! does not have has no value, and an image whose coordinates cannot be computed has no footprint.

use pantler_core::formatter::ReadRequest;
use pantler_core::object::downcast;
use pantler_core::policy::Definition;
use pantler_core::sky::Footprint;
use pantler_core::{DataId, Formatter, KeyValue, ObjectRef, Source};
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

    /// Returns what a file, or one HDU of it, tells of itself: of images their coordinates and extent, and columns out of
    /// the headers that were read already, the first that has the card.
    pub fn of_file(
        definition: &Definition,
        formatter: &dyn Formatter,
        source: &dyn Source,
        layout: Option<&[u8]>,
        hdu: Option<u32>,
        headers: &[Metadata],
    ) -> Facts {
        let class = crate::planner::own_class(definition.python.as_deref());
        let is_image = class
            .as_deref()
            .is_some_and(|class| IMAGES.contains(&class));
        let read = |part: &str| {
            let request = ReadRequest {
                part: vec![part.to_owned()],
                class: class.clone(),
                hdu,
                ..ReadRequest::default()
            };
            formatter.read(source, layout, &request).ok()
        };
        let footprint = is_image
            .then(|| {
                let (wcs, bbox) = (read("wcs")?, read("bbox")?);
                footprint(
                    downcast::<Wcs>(wcs.as_ref()),
                    downcast::<Bbox>(bbox.as_ref()),
                )
            })
            .flatten();
        Facts {
            metadata: columns(definition, headers),
            footprint,
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
