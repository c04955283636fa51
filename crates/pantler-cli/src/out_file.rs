//! Files that are handed out: which extension fits which object, how a file is named, what is said of it.

use std::path::Path;

use pantler::core::formatter::WriteOptions;
use pantler::core::report::{Kind, Label};
use pantler::formats::FormatterSet;
use pantler::{DataId, KeyValue, Object, ObjectRef, Report, data_id_json, export, human_bytes};
use serde_json::{Value, json};

use crate::failure::Failure;

/// A file to be written, and what it is to hold.
pub struct OutFile<'a> {
    /// The dataset's name as it was asked for.
    pub name: &'a str,
    /// Its complete data ID.
    pub data_id: &'a DataId,
    /// The file.
    pub file: &'a Path,
    /// The command that asks for it, without `--out`, for hints.
    pub command: &'a str,
}

/// A file that was written.
#[derive(Debug)]
pub struct Written {
    name: String,
    data_id: DataId,
    out: String,
    bytes: u64,
    format: String,
}

impl Written {
    /// Returns the document of it.
    pub fn document(&self) -> Value {
        json!({
            "name": self.name,
            "data_id": data_id_json(&self.data_id),
            "out": self.out,
            "bytes": self.bytes,
            "format": self.format,
        })
    }

    /// Returns the line for people.
    pub fn text(&self) -> String {
        format!(
            "{}   {}, {}\n",
            self.out,
            self.format,
            human_bytes(self.bytes)
        )
    }
}

/// The extensions that objects of a class are written with, the usual one first; none where the format alone decides.
fn fitting(class: &str) -> &'static [&'static str] {
    const FITS: &[&str] = &[".fits", ".fits.fz", ".fit", ".fts", ".fz"];
    match class {
        "Metadata" | "Bbox" | "VisitInfo" => &[".json"],
        "Document" => &[".json", ".yaml", ".yml"],
        "Table" => &[".fits", ".parq", ".parquet", ".csv", ".arrow", ".feather"],
        "Image" => &[".fits", ".fits.fz", ".fit", ".fts", ".fz", ".npy"],
        "Text" | "Bytes" => &[],
        _ => FITS,
    }
}

/// Refuses a file whose extension no format has, before anything is read.
pub fn check_extension(formatters: &FormatterSet, file: &Path) -> Result<(), Failure> {
    let name = file.display().to_string();
    if formatters.by_extension(&name).is_some() {
        return Ok(());
    }
    let why = match file.extension() {
        None => "it has no extension, which would decide the format".to_owned(),
        Some(extension) => format!("no format has the extension .{}", extension.display()),
    };
    Err(
        Report::new(Kind::Request, format!("cannot tell the format of {name}"))
            .fact(Label::Why, why)
            .hint(
                "images and what belongs to them are .fits; metadata, bbox and visitInfo are .json",
            )
            .into(),
    )
}

/// Writes an object to a file, whole or not at all.
pub fn write(
    formatters: &FormatterSet,
    out: &OutFile<'_>,
    object: &ObjectRef,
    options: &WriteOptions,
) -> Result<Written, Failure> {
    check_class(out, object.as_ref())?;
    let (bytes, format) = export::to_file_bytes(formatters, object, out.file, options)?;
    export::write_file(out.file, &bytes)?;
    Ok(Written {
        name: out.name.to_owned(),
        data_id: out.data_id.clone(),
        out: out.file.display().to_string(),
        bytes: bytes.len() as u64,
        format,
    })
}

/// Refuses an extension that objects of this class are not written with, and says which they are.
fn check_class(out: &OutFile<'_>, object: &dyn Object) -> Result<(), Failure> {
    let file = out.file.display().to_string();
    let extensions = fitting(object.class());
    let lower = file.to_lowercase();
    if extensions.is_empty()
        || extensions
            .iter()
            .any(|extension| lower.ends_with(extension))
    {
        return Ok(());
    }
    let fitting = out
        .file
        .with_extension(extensions[0].trim_start_matches('.'));
    Err(Report::new(
        Kind::Request,
        format!("`{}` cannot be written to {file}", out.name),
    )
    .fact(
        Label::Why,
        format!(
            "it is of class {}, which is written as {}",
            object.class(),
            extensions.join(", ")
        ),
    )
    .hint(format!(
        "`{} --out {}` writes it",
        out.command,
        quoted(&fitting.display().to_string())
    ))
    .into())
}

/// Returns a word as it is typed to a shell.
pub fn quoted(word: &str) -> String {
    KeyValue::from(word).to_string()
}

/// Returns the name of the file of one dataset among many: the name and the data ID, in characters that every shell and
/// file system takes.
pub fn file_name(name: &str, data_id: &DataId, object: &dyn Object) -> String {
    let mut file = safe(name);
    for (key, value) in data_id.iter() {
        file.push_str(&format!("_{}-{}", safe(key), safe(&value.plain())));
    }
    let extension = fitting(object.class()).first().copied();
    file + extension.unwrap_or(if object.class() == "Text" {
        ".txt"
    } else {
        ".bin"
    })
}

/// Replaces characters that mean something to shells or file systems by their code, so that no two names become one.
fn safe(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            ':' => safe.push('-'),
            '.' | '-' | '+' | '_' => safe.push(character),
            _ if character.is_alphanumeric() => safe.push(character),
            _ => safe.push_str(&format!("%{:02X}", u32::from(character))),
        }
    }
    // A name of dots alone is a folder, and a leading dot hides the file.
    match safe.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pantler::objects::Metadata;

    #[test]
    fn a_file_is_named_from_its_data_id() {
        let data_id = pantler::parse_words(&[
            ("visit".to_owned(), "11506".to_owned()),
            ("object".to_owned(), "../M 13".to_owned()),
        ]);
        let name = file_name("calexp:jointcal.metadata", &data_id, &Metadata::default());
        assert_eq!(
            name,
            "calexp-jointcal.metadata_visit-11506_object-%2E.%2FM%2013.json"
        );
    }

    #[test]
    fn an_extension_that_does_not_fit_is_refused() {
        let formatters = FormatterSet::standard();
        let object: ObjectRef = std::sync::Arc::new(Metadata::default());
        let out = OutFile {
            name: "calexp.metadata",
            data_id: &DataId::default(),
            file: Path::new("folder/m.fits"),
            command: "pantler get out calexp.metadata visit=1",
        };
        let failure =
            write(&formatters, &out, &object, &WriteOptions::default()).expect_err("it is JSON");
        let Failure::Request(report) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(
            report.message,
            "`calexp.metadata` cannot be written to folder/m.fits"
        );
        assert_eq!(
            report.hints,
            ["`pantler get out calexp.metadata visit=1 --out folder/m.json` writes it"]
        );
    }
}
