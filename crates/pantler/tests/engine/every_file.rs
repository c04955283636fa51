//! Every file of the real data opens as a user would look at it.

use pantler::OutsideFile;
use pantler_formats::FormatterSet;
use pantler_testkit::test_data;

/// Files that hold no dataset, by the ends of their names, with what people are told and the reason.
const NO_DATASETS: &[(&str, &str, &str)] = &[(
    ".sqlite3",
    "is an SQLite database",
    "registries of the repositories that the other files came from",
)];

#[test]
fn every_file_of_the_data_opens() {
    let Some(manifest) = test_data("MANIFEST.tsv") else {
        return;
    };
    let formatters = FormatterSet::standard();
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let (mut opened, mut refused, mut failures) = (0, 0, Vec::new());
    for line in manifest.lines().skip(1) {
        let name = line.split('\t').next().unwrap();
        let found = looked_at(&formatters, name);
        match NO_DATASETS.iter().find(|(end, ..)| name.ends_with(end)) {
            Some((_, told, _)) => {
                refused += 1;
                assert!(found.unwrap_err().contains(told), "{name}");
            }
            None => match found {
                Ok(()) => opened += 1,
                Err(error) => failures.push(format!("{name}: {error}")),
            },
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!((opened, refused), (107, 5));
}

/// Reads a file, its outline and all its components.
fn looked_at(formatters: &FormatterSet, name: &str) -> Result<(), String> {
    let path = test_data(name).ok_or("it is not there")?;
    let file = OutsideFile::open(formatters, &path).map_err(|error| error.to_string())?;
    file.outline().map_err(|error| error.to_string())?;
    let object = file.read(None).map_err(|error| error.to_string())?;
    for part in object.component_names() {
        object.component(&part).ok_or(part)?;
    }
    Ok(())
}

#[test]
fn what_has_no_format_of_its_own_is_shown_as_text() {
    let place = tempfile::tempdir().unwrap();
    let formatters = FormatterSet::standard();
    for (name, content) in [
        ("list.csv", "a,b\n1,2\n"),
        ("README", "Häuser\n"),
        ("a.txt", "x"),
    ] {
        let path = place.path().join(name);
        std::fs::write(&path, content).unwrap();
        let object = OutsideFile::open(&formatters, &path)
            .unwrap()
            .read(None)
            .unwrap();
        let text = pantler::core::object::downcast::<pantler::objects::Text>(object.as_ref());
        assert_eq!(text.unwrap().as_str(), content);
    }
    let path = place.path().join("unknown");
    std::fs::write(&path, b"\0\x01\x02").unwrap();
    let error = OutsideFile::open(&formatters, &path).err().unwrap();
    assert!(error.to_string().contains("cannot tell the format"));
}
