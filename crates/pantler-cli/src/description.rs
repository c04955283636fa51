//! What `show` says of one object: its components, its header, what its pixels are like.

use pantler::core::object::downcast;
use pantler::formats::FormatterSet;
use pantler::objects::{
    Card, CardValue, Document, Exposure, Image, Mask, MaskedImage, Metadata, Text,
};
use pantler::{DataId, Object, ObjectRef, data_id_json, human_bytes};
use serde_json::{Map, Value, json};

use crate::picture::{Title, plane_colours};
use crate::screen::{Screen, Style};
use crate::table::{Align, table};
use crate::values::object_json;

/// An object, and what is known of where it comes from.
pub struct Description {
    /// The dataset's name, or the file's.
    pub name: String,
    /// The dataset's complete data ID.
    pub data_id: DataId,
    /// The class as the policy writes it.
    pub python: Option<String>,
    /// Its components.
    pub components: Vec<ComponentLine>,
    /// The object itself.
    pub object: ObjectRef,
}

/// One component of an object.
pub struct ComponentLine {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: String,
    /// How many bytes it takes where it lies; `None` where that is not known.
    pub bytes: Option<u64>,
}

impl Description {
    /// Returns the document of it.
    pub fn document(&self, formatters: &FormatterSet) -> Value {
        let components: Map<String, Value> = self
            .components
            .iter()
            .map(|line| {
                (
                    line.name.clone(),
                    json!({ "class": line.class, "bytes": line.bytes }),
                )
            })
            .collect();
        json!({
            "name": self.name,
            "data_id": data_id_json(&self.data_id),
            "class": self.object.class(),
            "python": self.python,
            "components": components,
            "header": self.header().and_then(|header| object_json(formatters, &header)),
            "statistics": statistics_json(self.object.as_ref()),
        })
    }

    /// Returns it for people, with the first cards of the header, or all of them.
    pub fn text(&self, screen: &Screen, all: bool) -> String {
        let mut head = vec![screen.out(Style::Bold, &self.name)];
        head.extend((!self.data_id.is_empty()).then(|| self.data_id.to_string()));
        head.push(self.object.class().to_owned());
        head.extend(self.python.clone());
        let sections = [
            format!("{}\n", head.join("   ")),
            self.component_table(screen),
            plane_table(screen, self.object.as_ref()),
            mask_table(screen, self.object.as_ref()),
            self.header_text(screen, all),
            self.content_text(screen, all),
        ];
        let sections: Vec<String> = sections
            .into_iter()
            .filter(|section| !section.is_empty())
            .collect();
        sections.join("\n")
    }

    /// Returns what stands above its picture.
    pub fn title(&self) -> Title {
        let words = [self.name.clone(), self.data_id.to_string()];
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        Title {
            name: words.join("   "),
            class: self.object.class().to_owned(),
        }
    }

    fn header(&self) -> Option<ObjectRef> {
        if self.object.class() == "Metadata" {
            return Some(self.object.clone());
        }
        self.object.component("metadata")
    }

    fn component_table(&self, screen: &Screen) -> String {
        if self.components.is_empty() {
            return String::new();
        }
        let rows: Vec<Vec<String>> = self
            .components
            .iter()
            .map(|line| {
                vec![
                    line.name.clone(),
                    line.class.clone(),
                    line.bytes.map(human_bytes).unwrap_or_default(),
                ]
            })
            .collect();
        table(
            screen,
            &[
                ("component", Align::Left),
                ("class", Align::Left),
                ("size", Align::Right),
            ],
            &rows,
        )
    }

    /// What a document or a text says.
    fn content_text(&self, screen: &Screen, all: bool) -> String {
        let text = if let Some(document) = downcast::<Document>(self.object.as_ref()) {
            format!("{:#}", document.value())
        } else if let Some(text) = downcast::<Text>(self.object.as_ref()) {
            text.as_str().to_owned()
        } else {
            return String::new();
        };
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        first_lines(screen, "content", &lines, all)
    }

    fn header_text(&self, screen: &Screen, all: bool) -> String {
        let Some(header) = self.header() else {
            return String::new();
        };
        let Some(header) =
            downcast::<Metadata>(header.as_ref()).filter(|header| !header.is_empty())
        else {
            return String::new();
        };
        let lines: Vec<String> = header.iter().map(card_text).collect();
        first_lines(screen, "header", &lines, all)
    }
}

fn card_text(card: &Card) -> String {
    let comment = card.comment().filter(|comment| !comment.is_empty());
    let comment = comment
        .map(|comment| format!(" / {comment}"))
        .unwrap_or_default();
    match card.value() {
        CardValue::Commentary(text) => format!("{:<8}  {text}", card.keyword()),
        value => format!("{:<8}= {value}{comment}", card.keyword()),
    }
}

/// Returns the first lines of a text, or all of them, under a title that says what is left out.
fn first_lines(screen: &Screen, what: &str, lines: &[String], all: bool) -> String {
    const FIRST: usize = 20;
    let shown = if all {
        lines.len()
    } else {
        lines.len().min(FIRST)
    };
    let title = if shown == lines.len() {
        what.to_owned()
    } else {
        format!(
            "{what}, {shown} of {} lines (--all shows the rest)",
            lines.len()
        )
    };
    let mut text = format!("{}\n", screen.out(Style::Dim, &title));
    for line in &lines[..shown] {
        // Control characters in a file must not reach a terminal.
        text.push_str(line.replace(char::is_control, " ").trim_end());
        text.push('\n');
    }
    text
}

/// The planes of numbers that an object has.
fn planes(object: &dyn Object) -> Vec<(&'static str, &Image)> {
    let mut planes = Vec::new();
    if let Some(exposure) = downcast::<Exposure>(object) {
        planes.extend(exposure.image().map(|image| ("image", image.as_ref())));
        planes.extend(
            exposure
                .variance()
                .map(|image| ("variance", image.as_ref())),
        );
    } else if let Some(masked) = downcast::<MaskedImage>(object) {
        planes.extend(masked.image().map(|image| ("image", image.as_ref())));
        planes.extend(masked.variance().map(|image| ("variance", image.as_ref())));
    } else {
        planes.extend(downcast::<Image>(object).map(|image| ("image", image)));
    }
    planes
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

/// How many pixels are NaN.
fn count_nan(image: &Image) -> u64 {
    let pixels = image.pixels();
    let is_nan = |index: &usize| pixels.get_f64(*index).is_some_and(f64::is_nan);
    (0..pixels.len()).filter(is_nan).count() as u64
}

fn statistics_json(object: &dyn Object) -> Value {
    let mut statistics = Map::new();
    for (name, image) in planes(object) {
        let finite = image.statistics();
        statistics.insert(
            name.to_owned(),
            json!({
                "width": image.width(),
                "height": image.height(),
                "type": image.pixels().pixel_type().to_string(),
                "min": finite.map(|finite| finite.min),
                "max": finite.map(|finite| finite.max),
                "mean": finite.map(|finite| finite.mean),
                "finite": finite.map_or(0, |finite| finite.count),
                "nan": count_nan(image),
            }),
        );
    }
    if let Some(mask) = mask(object) {
        let planes: Map<String, Value> = mask
            .planes()
            .keys()
            .map(|plane| (plane.clone(), json!(mask.count(plane))))
            .collect();
        statistics.insert(
            "mask".to_owned(),
            json!({
                "width": mask.width(),
                "height": mask.height(),
                "planes": planes,
            }),
        );
    }
    Value::Object(statistics)
}

fn plane_table(screen: &Screen, object: &dyn Object) -> String {
    let rows: Vec<Vec<String>> = planes(object)
        .into_iter()
        .map(|(name, image)| {
            let finite = image.statistics();
            let number = |number: Option<f64>| number.map(short).unwrap_or_default();
            vec![
                name.to_owned(),
                format!("{} x {}", image.width(), image.height()),
                image.pixels().pixel_type().to_string(),
                number(finite.map(|finite| finite.min)),
                number(finite.map(|finite| finite.max)),
                number(finite.map(|finite| finite.mean)),
                count_nan(image).to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let headings = [
        ("plane", Align::Left),
        ("pixels", Align::Right),
        ("type", Align::Left),
        ("min", Align::Right),
        ("max", Align::Right),
        ("mean", Align::Right),
        ("NaN", Align::Right),
    ];
    table(screen, &headings, &rows)
}

fn mask_table(screen: &Screen, object: &dyn Object) -> String {
    let Some(mask) = mask(object).filter(|mask| !mask.planes().is_empty()) else {
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

/// Returns a number with six digits that count.
fn short(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e6).contains(&size) {
        let digits = (5 - size.log10().floor() as i32).clamp(0, 8) as usize;
        let text = format!("{number:.digits$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    } else {
        format!("{number:.5e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_their_size() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (1234.5678, "1234.57"),
            (123_456.7, "123457"),
            (0.001_234_567, "0.00123457"),
            (1e9, "1.00000e9"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(short(number), text);
        }
    }
}
