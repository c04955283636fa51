//! The cards of a plane when it is written: its header, coordinates, place in the parent image, mask planes, and name.
//!
//! Coordinates that the header itself has stay as they are. Where they were taken out of it, because another component
//! overrides them (rule R11), the planes get the cards of that component, so that every viewer sees the new ones.

use pantler_core::formatter::PixelBox;
use pantler_objects::header_wcs::{has_wcs, is_pixel_origin_card, wcs_keyword};
use pantler_objects::metadata::{Card, is_structural_keyword};
use pantler_objects::{CardValue, Exposure, Mask, Metadata};

use super::mask_planes::{ROOT, without_names};

/// The coordinates that the planes get where their headers have none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described {
    /// The cards for the planes' first pixel.
    pub(crate) wcs: Option<Metadata>,
}

impl Described {
    /// Returns the coordinates of an exposure as cards, if a plane needs them; for an archive record the best that cards
    /// can say, with the largest error in a comment.
    pub(crate) fn of(exposure: &Exposure) -> Described {
        let images = [exposure.image(), exposure.variance()]
            .into_iter()
            .flatten();
        let headers = images
            .map(|image| image.header())
            .chain(exposure.mask().map(|mask| mask.header()));
        let needed = headers.into_iter().any(|header| !has_wcs(header));
        let (Some(wcs), Some(pixels)) = (exposure.wcs(), exposure.pixel_box()) else {
            return Described::default();
        };
        if !needed {
            return Described::default();
        }
        Described {
            wcs: Some(match wcs.header_for(pixels) {
                Ok(fitted) if fitted.largest_residual > 0.0 => {
                    let error = fitted.largest_residual;
                    let text =
                        format!("coordinates fitted to those of the archive to {error:.1e} arcsec");
                    fitted.cards.followed_by(&comment(text))
                }
                Ok(exact) => exact.cards,
                // The archive has them all the same, so a file without cards is complete.
                Err(error) => comment(format!("coordinates are in the archive only: {error}")),
            }),
        }
    }

    /// Returns the cards of coordinates without pixels, with the place that they count from.
    pub(crate) fn alone(cards: &Metadata, (x0, y0): (i64, i64)) -> Described {
        let mut cards = cards.clone();
        if (x0, y0) != (0, 0) {
            cards = cards.followed_by(&Metadata::new([shift(1, x0), shift(2, y0)]));
        }
        Described { wcs: Some(cards) }
    }
}

/// Returns the cards of a plane; a name makes it an extension.
pub(crate) fn plane_cards(
    header: &Metadata,
    bbox: PixelBox,
    name: Option<&str>,
    described: &Described,
) -> Vec<Card> {
    let own = |card: &&Card| {
        let keyword = card.keyword();
        !is_structural_keyword(keyword)
            && !is_pixel_origin_card(header, keyword)
            && !matches!(keyword, "CHECKSUM" | "DATASUM")
    };
    let mut cards: Vec<Card> = header.iter().filter(own).cloned().collect();
    if let (false, Some(wcs)) = (has_wcs(header), &described.wcs) {
        cards.extend(wcs.iter().cloned());
    }
    let told = header
        .iter()
        .any(|card| is_pixel_origin_card(header, card.keyword()));
    if told || (bbox.x0, bbox.y0) != (0, 0) {
        let taken = cards.iter().any(|card| {
            wcs_keyword(card.keyword()).is_some_and(|known| known.alternate == Some('A'))
        });
        cards.extend(origin_cards(bbox, !taken));
    }
    if let Some(name) = name {
        cards.push(Card::new("INHERIT", true, None));
        cards.push(Card::new("EXTTYPE", name, None));
        cards.push(Card::new("EXTNAME", name, None));
    }
    cards
}

/// Returns the cards of a mask.
pub(crate) fn mask_cards(mask: &Mask, name: Option<&str>, described: &Described) -> Vec<Card> {
    let header = without_names(mask.header());
    let mut cards = plane_cards(&header, mask.pixel_box(), name, described);
    for (plane, bit) in mask.planes() {
        cards.push(Card::new(format!("{ROOT}{plane}"), i64::from(*bit), None));
    }
    cards
}

/// Returns the cards that give the place of the first pixel in the parent image: as IRAF says it, and as an alternate
/// description of coordinates, which viewers show.
fn origin_cards(bbox: PixelBox, alternate: bool) -> Vec<Card> {
    let mut cards = vec![shift(1, bbox.x0), shift(2, bbox.y0)];
    if !alternate {
        return cards;
    }
    for (axis, start) in [(1, bbox.x0), (2, bbox.y0)] {
        cards.push(Card::new(format!("CTYPE{axis}A"), "LINEAR", None));
        cards.push(Card::new(format!("CRPIX{axis}A"), 1.0, None));
        cards.push(Card::new(format!("CRVAL{axis}A"), start as f64, None));
        cards.push(Card::new(format!("CUNIT{axis}A"), "PIXEL", None));
    }
    cards
}

fn comment(text: String) -> Metadata {
    Metadata::new([Card::new(
        "COMMENT",
        CardValue::Commentary(format!("  {text}")),
        None,
    )])
}

fn shift(axis: u8, start: i64) -> Card {
    let comment = "array pixel = parent pixel + LTV".to_owned();
    Card::new(
        format!("LTV{axis}"),
        start.saturating_neg() as f64,
        Some(comment),
    )
}
