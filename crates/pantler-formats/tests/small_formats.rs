//! Documents, text and bytes: what is written reads back as the same value, and damage is named with its place.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PixelBox, ReadRequest, WriteOptions};
use pantler_core::{FormatError, Formatter, ObjectRef, Source, StoreError};
use pantler_formats::FormatterSet;
use pantler_objects::{Bbox, Blob, Card, CardValue, Document, Metadata, Text};
use pantler_testkit::test_data;
use serde_json::json;

struct File(Bytes);

impl Source for File {
    fn name(&self) -> &str {
        "folder/file"
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.0.len() as u64)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        let slice = |range: &Range<u64>| self.0.slice(range.start as usize..range.end as usize);
        Ok(ranges.iter().map(slice).collect())
    }
}

fn formatter(storage: &str) -> Arc<dyn Formatter> {
    FormatterSet::standard().get(storage).unwrap()
}

fn read(storage: &str, bytes: impl Into<Bytes>) -> Result<ObjectRef, FormatError> {
    formatter(storage).read(&File(bytes.into()), None, &ReadRequest::default())
}

fn write(storage: &str, object: &ObjectRef) -> Result<Bytes, FormatError> {
    formatter(storage).write(object, &WriteOptions::default())
}

#[test]
fn what_is_written_reads_back() {
    let document = json!({
        "z": [1, -2, 3.5, 1e300, null, true, "no", "y", "1", "", " blank ", "two\nlines"],
        "a": {"nested": {"empty": {}, "list": []}, "ünï": "☃"},
    });
    let cases: [(&str, ObjectRef); 4] = [
        ("JsonStorage", Arc::new(Document::new(document.clone()))),
        ("YamlStorage", Arc::new(Document::new(document))),
        ("TextStorage", Arc::new(Text::new("one\ntwo ☃\n"))),
        (
            "BytesStorage",
            Arc::new(Blob::new(Bytes::from_static(&[0, 255, 10, 0]))),
        ),
    ];
    for (storage, object) in cases {
        let bytes = write(storage, &object).unwrap();
        assert_eq!(bytes, write(storage, &object).unwrap(), "{storage}");
        let again = read(storage, bytes).unwrap();
        assert_eq!(object.difference(again.as_ref()), None, "{storage}");
    }
}

#[test]
fn damage_is_named_with_its_place() {
    let cases = [
        (
            "JsonStorage",
            &b"{\"a\": 1,\n \"b\" 2}"[..],
            "folder/file, line 2",
        ),
        ("YamlStorage", b"a: 1\nb: [1, 2\n", "folder/file, line"),
        ("TextStorage", b"ab\xff", "byte 2"),
    ];
    for (storage, bytes, expected) in cases {
        let error = read(storage, bytes).unwrap_err();
        assert!(matches!(error, FormatError::Corrupt { .. }), "{storage}");
        assert!(error.to_string().contains(expected), "{storage}: {error}");
    }
}

/// Documents in YAML follow YAML 1.2: `y` and `no` are text.
#[test]
fn yaml_has_only_two_words_for_a_truth_value() {
    let object = read("YamlStorage", "filter: y\nflag: true\nword: no\n").unwrap();
    let expected = Document::new(json!({"filter": "y", "flag": true, "word": "no"}));
    assert_eq!(object.difference(&expected), None);
}

#[test]
fn a_header_is_written_as_a_document() {
    let header: ObjectRef = Arc::new(Metadata::new([
        Card::new("EXPTIME", 30.0, None),
        Card::new("HISTORY", CardValue::Commentary("one".into()), None),
        Card::new("HISTORY", CardValue::Commentary("two".into()), None),
        Card::new("EMPTY", CardValue::Undefined, None),
    ]));
    let bytes = write("JsonStorage", &header).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        value,
        json!({"EXPTIME": 30.0, "HISTORY": ["one", "two"], "EMPTY": null})
    );
}

#[test]
fn a_box_is_read_back_from_json() {
    let pixels = PixelBox {
        x0: -3,
        y0: 7,
        width: 20,
        height: 10,
    };
    let object: ObjectRef = Arc::new(Bbox::new(pixels));
    let bytes = write("JsonStorage", &object).unwrap();
    let as_box = ReadRequest {
        class: Some("Bbox".to_owned()),
        ..ReadRequest::default()
    };
    let read = |bytes: &[u8]| {
        let file = File(Bytes::copy_from_slice(bytes));
        formatter("JsonStorage").read(&file, None, &as_box)
    };
    assert_eq!(read(&bytes).unwrap().difference(object.as_ref()), None);
    for other in [
        "{}",
        "[1]",
        r#"{"x0": 0, "y0": 0, "width": -1, "height": 1}"#,
    ] {
        let error = read(other.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("it is no rectangle"), "{error}");
    }
}

#[test]
fn an_object_of_another_class_is_refused() {
    let text: ObjectRef = Arc::new(Text::new("x"));
    for storage in ["JsonStorage", "YamlStorage", "BytesStorage", "FitsStorage"] {
        let error = write(storage, &text).unwrap_err().to_string();
        assert!(error.contains("Text"), "{storage}: {error}");
    }
}

/// An outsider's formatter serves the set that it was added to, and no other.
#[test]
fn a_plug_in_is_seen_by_its_own_set_only() {
    let set = FormatterSet::standard().with("OddStorage", formatter("TextStorage"));
    assert!(set.get("OddStorage").is_some());
    assert!(FormatterSet::standard().get("OddStorage").is_none());
    assert!(set.names().any(|name| name == "OddStorage"));
}

/// What Python's `json` and `yaml` write opens, and is the same document again after it is written.
#[test]
fn what_json_has_no_word_for_is_text() {
    let expected = Document::new(json!({
        "numbers": ["NaN", "Infinity", "-Infinity", 1.5],
        "text": "NaN, \\\"NaN",
    }));
    let in_json = br#"{"numbers": [NaN, Infinity,-Infinity, 1.5], "text": "NaN, \\\"NaN"}"#;
    let in_yaml = "numbers: [.nan, .inf, -.inf, 1.5]\ntext: 'NaN, \\\"NaN'\n";
    for (storage, bytes) in [
        ("JsonStorage", &in_json[..]),
        ("YamlStorage", in_yaml.as_bytes()),
    ] {
        let object = read(storage, bytes).unwrap();
        assert_eq!(object.difference(&expected), None, "{storage}");
        let written = write(storage, &object).unwrap();
        let again = read(storage, written.clone()).unwrap();
        assert_eq!(again.difference(&expected), None, "{storage}");
        if storage == "JsonStorage" {
            serde_json::from_slice::<serde_json::Value>(&written).unwrap();
        }
    }
}

#[test]
fn yaml_of_other_programs_opens() {
    let text = "hash: !!binary |\n  TWztoiJ7Aou3y13xBmuGsp03j2k=\nid: !uuid 4b8f\nshape: !<lsst.Box> {x: 1}\n\
                at: 2020-01-21T00:00:45\nfirst: &one {a: 1}\nsecond: *one\n7: seven\n";
    let object = read("YamlStorage", text).unwrap();
    let expected = Document::new(json!({
        "hash": "TWztoiJ7Aou3y13xBmuGsp03j2k=\n", "id": "4b8f", "shape": {"x": 1},
        "at": "2020-01-21T00:00:45", "first": {"a": 1}, "second": {"a": 1}, "7": "seven",
    }));
    assert_eq!(object.difference(&expected), None);
}

/// Depth and expanded aliases are bounded, whatever words the file has.
#[test]
fn hostile_documents_are_refused() {
    let deep = format!("{}NaN{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    for (storage, text) in [
        ("JsonStorage", deep.clone()),
        ("YamlStorage", deep),
        ("YamlStorage", bomb),
    ] {
        let error = read(storage, text).unwrap_err();
        assert!(matches!(error, FormatError::Corrupt { .. }), "{error}");
    }
    let error = read("JsonStorage", "[NaN,\n NaNs]")
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 2"), "{error}");
}

/// Files of the real data that hold no dataset, by the ends of their names, each with the reason.
const NO_DATASETS: &[(&str, &str)] = &[(
    ".sqlite3",
    "registries of the repositories that the other files came from",
)];

/// Every file of the real data is read whole, by the format that its name tells.
#[test]
fn every_file_of_the_data_opens() {
    let Some(manifest) = test_data("MANIFEST.tsv") else {
        return;
    };
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let (mut opened, mut refused, mut failures) = (0, 0, Vec::new());
    for line in manifest.lines().skip(1) {
        let name = line.split('\t').next().unwrap();
        let formatter = FormatterSet::standard().by_extension(name);
        if NO_DATASETS.iter().any(|(end, _)| name.ends_with(end)) {
            assert!(formatter.is_none(), "{name}");
            refused += 1;
            continue;
        }
        let file = File(std::fs::read(test_data(name).unwrap()).unwrap().into());
        let formatter = formatter.unwrap();
        let read = formatter
            .index(&file)
            .and_then(|layout| formatter.read(&file, layout.as_deref(), &ReadRequest::default()));
        match read {
            Ok(_) => opened += 1,
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!((opened, refused), (107, 5), "files opened and refused");
}
