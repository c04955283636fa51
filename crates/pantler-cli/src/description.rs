//! What `show` says of one object: what its file and its archive are made of, its components and their values, where it
//! lies on the sky, what its pixels or its columns are like, its header.

mod archive;
mod columns;
mod numbers;
mod outline;
mod planes;
mod sky;
mod values;

use pantler::core::object::downcast;
use pantler::formats::FormatterSet;
use pantler::formats::fits::Outline;
use pantler::objects::{Card, CardValue, Document, Metadata, Table, Text};
use pantler::show::archive_tree::archive_tree;
use pantler::{DataId, ObjectRef, data_id_json, human_bytes};
use serde_json::{Map, Value, json};

use crate::picture::Title;
use crate::screen::{Screen, Style};
use crate::table::{Align, table};
use crate::values::object_json;

use archive::{archive_json, archive_text};
use columns::{table_json, table_text};
use outline::{outline_json, outline_text};
use planes::Planes;
use sky::{place_on_sky, sky_json, sky_text};
use values::{values_json, values_text};

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
    /// The HDUs of its file, where it is a file.
    pub outline: Option<Outline>,
    /// The mask planes whose pixels do not count; `None` for those that mark bad pixels.
    pub ignore_mask: Option<Vec<String>>,
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
                let component = self.object.component(&line.name);
                let values = component.as_ref().and_then(values_json);
                (
                    line.name.clone(),
                    json!({ "class": line.class, "bytes": line.bytes, "values": values }),
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
            "statistics": self.statistics(),
            "values": values_json(&self.object),
            "sky": place_on_sky(self.object.as_ref()).as_ref().map(sky_json),
            "archive": archive_json(&archive_tree(&self.object)),
            "file": self.outline.as_ref().map(outline_json),
        })
    }

    fn statistics(&self) -> Value {
        match downcast::<Table>(self.object.as_ref()) {
            Some(table) => table_json(table),
            None => Value::Object(self.planes().document()),
        }
    }

    fn planes(&self) -> Planes<'_> {
        Planes::of(self.object.as_ref(), self.ignore_mask.as_deref())
    }

    /// Returns it for people, with the first cards of the header, or all of them.
    pub fn text(&self, screen: &Screen, all: bool) -> String {
        let mut head = vec![screen.out(Style::Bold, &self.name)];
        head.extend((!self.data_id.is_empty()).then(|| self.data_id.to_string()));
        head.push(self.object.class().to_owned());
        head.extend(self.python.clone());
        let planes = self.planes();
        let outline = self.outline.as_ref();
        let outline = outline.map(|outline| outline_text(screen, outline));
        let sky = place_on_sky(self.object.as_ref()).map(|sky| sky_text(screen, &sky));
        let columns = downcast::<Table>(self.object.as_ref());
        let columns = columns.map(|columns| table_text(screen, columns, all));
        let sections = [
            format!("{}\n", head.join("   ")),
            outline.unwrap_or_default(),
            self.component_table(screen),
            values_text(screen, &self.object, all),
            sky.unwrap_or_default(),
            archive_text(screen, &archive_tree(&self.object), all),
            planes.plane_table(screen),
            planes.mask_table(screen),
            columns.unwrap_or_default(),
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
        value => format!("{:<7} = {value}{comment}", card.keyword()),
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
