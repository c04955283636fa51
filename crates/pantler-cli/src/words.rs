//! The words behind a command's name: data-ID keys and files, told apart by their form alone.
//!
//! A word is a key with a value if it matches `^[A-Za-z_]\w*=`. Everything else is a file, and so is all that stands behind
//! `--`; a file whose name looks like a key is written `./visit=1.fits`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use pantler::core::formatter::PixelBox;
use pantler::core::report::{Kind, Label};
use pantler::core::{DataId, Expression, Report};

/// Splits `key=value`; `None` for anything else.
pub fn key_value(word: &OsStr) -> Option<(String, String)> {
    let (key, value) = word.to_str()?.split_once('=')?;
    let mut characters = key.chars();
    let first = characters.next()?;
    let is_key = (first.is_ascii_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_');
    is_key.then(|| (key.to_owned(), value.to_owned()))
}

/// Parses `key=value` for options that take one.
pub fn note(text: &str) -> Result<(String, String), String> {
    key_value(OsStr::new(text)).ok_or_else(|| "it must be key=value".to_owned())
}

/// Sorts words into data-ID keys and files.
pub fn split(words: &[OsString], files: &[PathBuf]) -> Result<(DataId, Vec<PathBuf>), Report> {
    let mut keys: Vec<(String, String)> = Vec::new();
    let mut all = Vec::new();
    for word in words {
        match key_value(word) {
            None => all.push(PathBuf::from(word)),
            Some((key, _)) if keys.iter().any(|(known, _)| *known == key) => {
                return Err(Report::new(
                    Kind::Request,
                    format!("the key `{key}` is given twice"),
                ));
            }
            Some(pair) => keys.push(pair),
        }
    }
    all.extend(files.iter().cloned());
    Ok((pantler::parse_words(&keys), all))
}

/// Reads words that can only be data-ID keys.
pub fn data_id(words: &[OsString]) -> Result<DataId, Report> {
    let (data_id, files) = split(words, &[])?;
    match files.first() {
        None => Ok(data_id),
        Some(word) => Err(Report::new(
            Kind::Request,
            format!("`{}` is not key=value", word.display()),
        )
        .hint("a data ID is written like visit=903334 ccd=16")),
    }
}

/// Reads the name and the data ID of one dataset, such as `calexp visit=1 ccd=2`.
pub fn dataset(words: &[OsString]) -> Result<Option<(String, DataId)>, Report> {
    let Some((name, keys)) = words.split_first() else {
        return Ok(None);
    };
    if key_value(name).is_some() {
        let message = format!(
            "`{}` is a key, and a dataset begins with its name",
            name.display()
        );
        return Err(
            Report::new(Kind::Request, message).hint("write for instance calexp visit=1 ccd=2")
        );
    }
    Ok(Some((name.to_string_lossy().into_owned(), data_id(keys)?)))
}

/// Reads several datasets behind each other: each begins with its name.
pub fn datasets(words: &[OsString]) -> Result<Vec<(String, DataId)>, Report> {
    let mut datasets = Vec::new();
    let mut start = 0;
    for end in 1..=words.len() {
        if end == words.len() || key_value(&words[end]).is_none() {
            datasets.extend(dataset(&words[start..end])?);
            start = end;
        }
    }
    Ok(datasets)
}

/// Reads the expression of `--where`, and shows what is wrong in its place.
pub fn expression(text: Option<&str>) -> Result<Option<Expression>, Report> {
    let Some(text) = text else {
        return Ok(None);
    };
    Expression::parse(text).map(Some).map_err(|error| {
        let report = Report::new(
            Kind::Request,
            format!("cannot read the expression: {}", error.why),
        )
        .fact(Label::AskedFor, error.text.replace(char::is_control, " "))
        .fact(
            Label::AskedFor,
            format!(
                "{}{}",
                " ".repeat(error.column),
                "^".repeat(error.length.max(1))
            ),
        );
        match error.hint {
            Some(hint) => report.hint(hint),
            None => report,
        }
    })
}

/// Reads `--order-by K,-K`: each key, and whether it descends.
pub fn order_by(keys: &[String]) -> Vec<(String, bool)> {
    keys.iter()
        .map(|key| match key.strip_prefix('-') {
            Some(key) => (key.to_owned(), true),
            None => (key.trim_start_matches('+').to_owned(), false),
        })
        .collect()
}

/// Reads `X0,Y0,W,H`.
pub fn pixel_box(text: &str) -> Result<PixelBox, String> {
    let wanted = || "it must be four whole numbers, X0,Y0,WIDTH,HEIGHT".to_owned();
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let [x0, y0, width, height] = parts.as_slice() else {
        return Err(wanted());
    };
    let corner = |text: &str| text.parse::<i64>().map_err(|_| wanted());
    let size = |text: &str| text.parse::<u64>().map_err(|_| wanted());
    let pixels = PixelBox {
        x0: corner(x0)?,
        y0: corner(y0)?,
        width: size(width)?,
        height: size(height)?,
    };
    if pixels.width == 0 || pixels.height == 0 {
        return Err("it has no pixels: width and height must be at least 1".to_owned());
    }
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_word_is_a_key_only_by_its_form() {
        for (word, key) in [
            ("visit=1", Some(("visit", "1"))),
            ("_a1=x=y", Some(("_a1", "x=y"))),
            ("filter=", Some(("filter", ""))),
            ("./a=b.fits", None),
            ("a/b=c", None),
            ("1a=b", None),
            ("a-b=c", None),
            ("=b", None),
            ("file.fits", None),
        ] {
            let read = key_value(OsStr::new(word));
            let expected = key.map(|(key, value): (&str, &str)| (key.to_owned(), value.to_owned()));
            assert_eq!(read, expected, "{word}");
        }
    }

    #[test]
    fn all_behind_the_dashes_are_files() {
        let (data_id, files) =
            split(&words(&["visit=1", "a.fits"]), &["b=c".into()]).expect("sound words");
        assert_eq!(data_id.to_string(), "visit=1");
        assert_eq!(files, [PathBuf::from("a.fits"), PathBuf::from("b=c")]);
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        let report = split(&words(&["visit=1", "visit=2"]), &[]).expect_err("it is given twice");
        assert_eq!(report.message, "the key `visit` is given twice");
    }

    #[test]
    fn a_file_is_no_data_id() {
        let report = data_id(&words(&["visit=1", "ccd"])).expect_err("it has no value");
        assert_eq!(report.message, "`ccd` is not key=value");
    }

    #[test]
    fn boxes_have_pixels() {
        let read = pixel_box("-3, 4,5,6").expect("a box");
        assert_eq!((read.x0, read.y0, read.width, read.height), (-3, 4, 5, 6));
        for text in [
            "1,2,3",
            "1,2,3,4,5",
            "a,b,c,d",
            "1,2,-3,4",
            "0,0,0,1",
            "1.5,2,3,4",
        ] {
            assert!(pixel_box(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_order_can_descend() {
        let keys = ["visit", "-ccd", "+filter"].map(str::to_owned);
        let expected = [("visit", false), ("ccd", true), ("filter", false)];
        let expected = expected.map(|(key, descending)| (key.to_owned(), descending));
        assert_eq!(order_by(&keys), expected);
    }
}
