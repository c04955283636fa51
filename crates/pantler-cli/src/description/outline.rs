//! The HDUs of a FITS file.

use pantler::formats::fits::{HduOutline, Outline};
use pantler::human_bytes;
use serde_json::{Value, json};

use crate::screen::Screen;
use crate::table::{Align, table};

/// Returns the document of it.
pub fn outline_json(outline: &Outline) -> Value {
    let hdus: Vec<Value> = outline
        .hdus
        .iter()
        .map(|hdu| {
            json!({
                "number": hdu.number,
                "name": hdu.name,
                "version": hdu.version,
                "kind": hdu.kind,
                "shape": hdu.shape,
                "type": hdu.pixel_type,
                "compression": hdu.compression,
                "ratio": ratio(hdu),
                "cards": hdu.cards,
                "header_bytes": hdu.header_bytes,
                "data_bytes": hdu.data_bytes,
                "taken_for": hdu.taken_for,
                "classes": hdu.classes,
            })
        })
        .collect();
    json!({ "hdus": hdus, "gzip": outline.gzip, "damage": outline.damage })
}

fn ratio(hdu: &HduOutline) -> Option<f64> {
    let decoded = hdu.decoded_bytes?;
    (hdu.data_bytes > 0).then(|| decoded as f64 / hdu.data_bytes as f64)
}

/// Returns the lines of it.
pub fn outline_text(screen: &Screen, outline: &Outline) -> String {
    let rows: Vec<Vec<String>> = outline
        .hdus
        .iter()
        .map(|hdu| {
            let name = match hdu.version {
                Some(version) if version != 1 => format!("{}, {version}", hdu.name),
                _ => hdu.name.clone(),
            };
            vec![
                hdu.number.to_string(),
                name.replace(char::is_control, " "),
                hdu.kind.to_owned(),
                shape(hdu),
                hdu.pixel_type.clone().unwrap_or_default(),
                match (&hdu.compression, ratio(hdu)) {
                    (Some(name), Some(ratio)) => format!("{name}, {ratio:.1} to 1"),
                    (Some(name), None) => name.clone(),
                    (None, _) => String::new(),
                },
                human_bytes(hdu.header_bytes + hdu.data_bytes),
                taken_for(hdu),
            ]
        })
        .collect();
    let headings = [
        ("HDU", Align::Right),
        ("name", Align::Left),
        ("kind", Align::Left),
        ("shape", Align::Right),
        ("type", Align::Left),
        ("compression", Align::Left),
        ("size", Align::Right),
        ("taken for", Align::Left),
    ];
    let mut text = table(screen, &headings, &rows);
    if outline.gzip {
        text.push_str("the whole file is wrapped in gzip; sizes are those inside\n");
    }
    if let Some(damage) = &outline.damage {
        text.push_str(&format!(
            "damaged: {}\n",
            damage.replace(char::is_control, " ")
        ));
    }
    text
}

fn shape(hdu: &HduOutline) -> String {
    match hdu.shape[..] {
        [rows, columns] if hdu.kind.ends_with("table") => format!("{rows} r x {columns} c"),
        _ => {
            let axes: Vec<String> = hdu.shape.iter().map(ToString::to_string).collect();
            axes.join(" x ")
        }
    }
}

fn taken_for(hdu: &HduOutline) -> String {
    const FIRST: usize = 3;
    let classes = &hdu.classes;
    let text = match classes.len() {
        0 => hdu.taken_for.to_owned(),
        1..=FIRST => format!("{} of {}", hdu.taken_for, classes.join(", ")),
        all => format!("{} of {all} classes", hdu.taken_for),
    };
    text.replace(char::is_control, " ")
}
