//! What the pixels of an object are like: a line for each plane, and one for each plane of its mask.

use pantler::Object;
use pantler::core::object::downcast;
use pantler::objects::{Exposure, Image, Mask, MaskedImage};
use pantler::show::pixel_statistics::{
    BAD_PLANES, PixelStatistics, PlaneStatistics, ignored, plane_statistics,
};
use serde_json::{Map, Value, json};

use super::numbers::short;
use crate::picture::plane_colours;
use crate::screen::{Screen, Style};
use crate::table::{Align, table};

/// The planes of an object with their statistics.
pub struct Planes<'a> {
    images: Vec<(&'static str, &'a Image, PlaneStatistics)>,
    mask: Option<&'a Mask>,
    /// The mask planes whose pixels do not count, and which the mask has.
    ignored: Vec<&'a str>,
}

impl<'a> Planes<'a> {
    /// Looks at all pixels; those of the named mask planes do not count, by default those that mark bad pixels.
    pub fn of(object: &'a dyn Object, ignore: Option<&[String]>) -> Planes<'a> {
        let mask = mask(object);
        let usual = BAD_PLANES.map(str::to_owned);
        let (bits, ignored) = mask.map_or((0, Vec::new()), |mask| {
            ignored(mask, ignore.unwrap_or(&usual))
        });
        let images = images(object).into_iter();
        Planes {
            images: images
                .map(|(name, image)| {
                    let masked = mask.map(|mask| (mask, bits));
                    (name, image, plane_statistics(image, masked))
                })
                .collect(),
            mask,
            ignored,
        }
    }

    /// Returns the documents of the planes, by name.
    pub fn document(&self) -> Map<String, Value> {
        let mut statistics = Map::new();
        for (name, image, found) in &self.images {
            let mut document = numbers_json(found.finite);
            document.insert("width".to_owned(), json!(image.width()));
            document.insert("height".to_owned(), json!(image.height()));
            let kind = image.pixels().pixel_type().to_string();
            document.insert("type".to_owned(), json!(kind));
            document.insert("nan".to_owned(), json!(found.nan));
            document.insert("infinite".to_owned(), json!(found.infinite));
            let unmasked = found
                .unmasked
                .map(|good| Value::Object(numbers_json(Some(good))));
            document.insert("unmasked".to_owned(), json!(unmasked));
            document.insert("ignored_planes".to_owned(), json!(self.ignored));
            statistics.insert((*name).to_owned(), Value::Object(document));
        }
        if let Some(mask) = self.mask {
            let planes: Map<String, Value> = mask
                .planes()
                .keys()
                .map(|plane| (plane.clone(), json!(mask.count(plane))))
                .collect();
            let document = json!({
                "width": mask.width(),
                "height": mask.height(),
                "planes": planes,
                "bits": mask.planes(),
            });
            statistics.insert("mask".to_owned(), document);
        }
        statistics
    }

    /// Returns the lines of the planes.
    pub fn plane_table(&self, screen: &Screen) -> String {
        let mut rows = Vec::new();
        for (name, image, found) in &self.images {
            let size = format!("{} x {}", image.width(), image.height());
            let kind = image.pixels().pixel_type().to_string();
            let mut row = vec![(*name).to_owned(), size, kind];
            row.extend(cells(found.finite));
            row.push(found.nan.to_string());
            row.push(match found.infinite {
                0 => String::new(),
                number => number.to_string(),
            });
            rows.push(row);
            if found.unmasked != found.finite
                && let Some(good) = found.unmasked
            {
                let mut row = vec!["  not masked".to_owned(), String::new(), String::new()];
                row.extend(cells(Some(good)));
                rows.push(row);
            }
        }
        if rows.is_empty() {
            return String::new();
        }
        let headings = [
            ("plane", Align::Left),
            ("shape", Align::Right),
            ("type", Align::Left),
            ("pixels", Align::Right),
            ("min", Align::Right),
            ("max", Align::Right),
            ("mean", Align::Right),
            ("median", Align::Right),
            ("std", Align::Right),
            ("robust std", Align::Right),
            ("NaN", Align::Right),
            ("infinite", Align::Right),
        ];
        let shown = rows.iter().any(|row| row[0].starts_with(' '));
        let mut text = table(screen, &headings, &rows);
        if shown {
            let note = format!("not masked: without {}", self.ignored.join(", "));
            text.push_str(&screen.out(Style::Dim, &note));
            text.push('\n');
        }
        text
    }

    /// Returns the lines of the mask's planes.
    pub fn mask_table(&self, screen: &Screen) -> String {
        let Some(mask) = self.mask.filter(|mask| !mask.planes().is_empty()) else {
            return String::new();
        };
        let pixels = mask.pixels().len().max(1) as f64;
        let mut planes: Vec<(&String, u8)> = mask
            .planes()
            .iter()
            .map(|(name, bit)| (name, *bit))
            .collect();
        planes.sort_by_key(|(_, bit)| *bit);
        let colours = plane_colours(mask.planes());
        let rows: Vec<Vec<String>> = planes
            .into_iter()
            .map(|(name, bit)| {
                let set = mask.count(name).unwrap_or(0);
                vec![
                    name.clone(),
                    bit.to_string(),
                    set.to_string(),
                    format!("{:.2} %", 100.0 * set as f64 / pixels),
                    colours.get(name).map_or("", |colour| colour.0).to_owned(),
                ]
            })
            .collect();
        let headings = [
            ("mask plane", Align::Left),
            ("bit", Align::Right),
            ("pixels", Align::Right),
            ("share", Align::Right),
            ("in pictures", Align::Left),
        ];
        table(screen, &headings, &rows)
    }
}

fn numbers_json(found: Option<PixelStatistics>) -> Map<String, Value> {
    let number = |take: fn(&PixelStatistics) -> f64| json!(found.as_ref().map(take));
    [
        ("min", number(|found| found.min)),
        ("max", number(|found| found.max)),
        ("mean", number(|found| found.mean)),
        ("median", number(|found| found.median)),
        ("std", number(|found| found.std)),
        ("robust_std", number(|found| found.robust_std)),
        ("finite", json!(found.map_or(0, |found| found.count))),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn cells(found: Option<PixelStatistics>) -> Vec<String> {
    let Some(found) = found else {
        return vec![String::new(); 7];
    };
    let numbers = [
        found.min,
        found.max,
        found.mean,
        found.median,
        found.std,
        found.robust_std,
    ];
    std::iter::once(found.count.to_string())
        .chain(numbers.map(short))
        .collect()
}

/// The planes of numbers that an object has.
fn images(object: &dyn Object) -> Vec<(&'static str, &Image)> {
    let (image, variance) = if let Some(exposure) = downcast::<Exposure>(object) {
        (exposure.image(), exposure.variance())
    } else if let Some(masked) = downcast::<MaskedImage>(object) {
        (masked.image(), masked.variance())
    } else {
        return downcast::<Image>(object)
            .map(|image| ("image", image))
            .into_iter()
            .collect();
    };
    let named = [("image", image), ("variance", variance)];
    let there = named
        .into_iter()
        .filter_map(|(name, plane)| Some((name, plane?.as_ref())));
    there.collect()
}

/// The mask that an object has.
fn mask(object: &dyn Object) -> Option<&Mask> {
    if let Some(exposure) = downcast::<Exposure>(object) {
        exposure.mask().map(AsRef::as_ref)
    } else if let Some(masked) = downcast::<MaskedImage>(object) {
        masked.mask().map(AsRef::as_ref)
    } else {
        downcast::<Mask>(object)
    }
}
