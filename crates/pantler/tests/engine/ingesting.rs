//! Ingest: where data-ID values come from, modes, digests, what is refused (rule R30).

use std::path::{Path, PathBuf};

use pantler::{Butler, DataId, IngestMode, IngestOptions, IngestReport};
use pantler_testkit::test_data;

use super::support::*;

const POLICY: &str = r#"
keys:
  filter: {type: str, header: FILTER, map: {HSC-I: i}}
datasets:
  calexp:sfm:
    template: "calexp/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
    ingest: {path: "CORR-%(visit)d-%(ccd)d.fits"}
  note:
    template: "notes/%(visit)04d.json"
    python: dict
    storage: JsonStorage
"#;

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Folder {
        let folder = tempfile::tempdir().unwrap();
        let policy = pantler::core::policy::PolicyText {
            file: "policy.yaml".into(),
            text: POLICY.into(),
        };
        Butler::init(&folder.path().join("repo"), &[policy], &[]).unwrap();
        Folder { folder }
    }

    fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn butler(&self) -> Butler {
        Butler::open(&[], &[self.repo()], options())
            .unwrap_or_else(|error| panic!("{}", error.report()))
    }

    fn ingest(&self, files: &[PathBuf], data_id: &str, mode: IngestMode) -> IngestReport {
        let options = IngestOptions {
            mode,
            ..Default::default()
        };
        self.butler()
            .ingest(
                "note",
                files,
                &DataId::parse(data_id).unwrap(),
                &options,
                &|_| {},
            )
            .unwrap()
    }

    fn digest(&self, data_id: &str) -> Option<pantler::core::Digest> {
        let plan = self
            .butler()
            .explain("note", &id(data_id), Default::default())
            .unwrap();
        let pantler::core::plan::PlanKind::Read(read) = plan.root.kind else {
            panic!("not an artifact")
        };
        read.record.artifact.as_ref().unwrap().digest
    }
}

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn values_come_from_the_template_at_the_end_of_the_path() {
    let folder = Folder::new();
    let file = folder.file("elsewhere/notes/0012.json", "{\"seeing\": 0.7}");
    let report = folder.ingest(std::slice::from_ref(&file), "", IngestMode::Copy);
    assert_eq!(
        (report.ingested, report.same, report.failed.len()),
        (1, 0, 0)
    );
    assert!(exists(&folder.repo().join("notes/0012.json")) && exists(&file));
    assert_eq!(
        get(&folder.butler(), "note", "visit=12").class(),
        "Document"
    );
}

#[test]
fn the_callers_values_come_first() {
    let folder = Folder::new();
    let file = folder.file("notes/0012.json", "{}");
    folder.ingest(&[file], "visit=99", IngestMode::Copy);
    assert!(exists(&folder.repo().join("notes/0099.json")));
}

#[test]
fn the_same_file_twice_is_the_same_and_another_is_a_conflict() {
    let folder = Folder::new();
    let file = folder.file("a.json", "{\"seeing\": 0.7}");
    folder.ingest(std::slice::from_ref(&file), "visit=1", IngestMode::Copy);
    let again = folder.ingest(&[file], "visit=1", IngestMode::Copy);
    assert_eq!((again.ingested, again.same), (0, 1));
    let other = folder.file("b.json", "{\"seeing\": 0.8}");
    let refused = folder.ingest(&[other], "visit=1", IngestMode::Copy);
    assert_eq!(refused.failed.len(), 1);
    assert!(
        refused.failed[0]
            .1
            .report()
            .message
            .contains("exists already")
    );
}

#[test]
fn a_broken_file_keeps_no_other_out() {
    let folder = Folder::new();
    let good = folder.folder.path().join("calexp/0000001/001.fits");
    std::fs::create_dir_all(good.parent().unwrap()).unwrap();
    let whole = {
        let place = Place::new("elsewhere", SINGLE_VISIT);
        put(
            &butler(&[&place], 1),
            &exposure(1.0),
            "calexp:sfm",
            "visit=1 ccd=1",
        );
        place.bytes_of("calexp/0000001/001.fits")
    };
    std::fs::write(&good, &whole).unwrap();
    let broken = folder.folder.path().join("calexp/0000001/002.fits");
    std::fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    let unknown = folder.folder.path().join("what.fits");
    std::fs::write(&unknown, &whole).unwrap();
    let report = folder
        .butler()
        .ingest(
            "calexp:sfm",
            &[good, broken, unknown],
            &DataId::default(),
            &IngestOptions::default(),
            &|_| {},
        )
        .unwrap();
    assert_eq!(report.ingested, 1);
    let said: Vec<String> = report
        .failed
        .iter()
        .map(|(_, error)| error.report().message)
        .collect();
    assert!(
        said.iter()
            .any(|message| message.contains("002.fits is damaged")),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|message| message.contains("no value for the key `visit`")),
        "{said:?}"
    );
}

#[test]
fn r30_copy_and_move_know_the_digest_and_link_and_in_place_learn_it() {
    let folder = Folder::new();
    let text = "{\"seeing\": 0.7}";
    let expected = pantler::core::Digest::of(text.as_bytes());
    for (visit, mode, known) in [
        (1, IngestMode::Copy, true),
        (2, IngestMode::Move, true),
        (3, IngestMode::Link, false),
        (4, IngestMode::InPlace, false),
    ] {
        let file = folder.file(&format!("in/{visit}.json"), text);
        let report = folder.ingest(std::slice::from_ref(&file), &format!("visit={visit}"), mode);
        assert_eq!(report.ingested, 1, "{mode:?}");
        assert_eq!(exists(&file), mode != IngestMode::Move, "{mode:?}");
        assert_eq!(
            exists(&folder.repo().join(format!("notes/000{visit}.json"))),
            mode != IngestMode::InPlace,
            "{mode:?}"
        );
        assert_eq!(
            folder.digest(&format!("visit={visit}")).is_some(),
            known,
            "{mode:?}"
        );
        // The first full read learns it.
        get(&folder.butler(), "note", &format!("visit={visit}"));
        assert_eq!(
            folder.digest(&format!("visit={visit}")),
            Some(expected),
            "{mode:?}"
        );
    }
}

#[test]
fn r30_the_digest_is_computed_at_ingest_when_asked_for_and_by_a_deep_check() {
    let folder = Folder::new();
    let file = folder.file("a.json", "{}");
    let options = IngestOptions {
        mode: IngestMode::InPlace,
        digest: true,
        ..Default::default()
    };
    folder
        .butler()
        .ingest("note", &[file], &id("visit=1"), &options, &|_| {})
        .unwrap();
    assert!(folder.digest("visit=1").is_some());
    let other = folder.file("b.json", "{}");
    folder.ingest(&[other], "visit=2", IngestMode::InPlace);
    assert!(folder.digest("visit=2").is_none());
    folder
        .butler()
        .fsck(pantler::fsck::FsckOptions {
            deep: true,
            repair: false,
        })
        .unwrap();
    assert!(folder.digest("visit=2").is_some());
}

#[test]
fn a_file_in_place_that_was_changed_since_is_noticed() {
    let folder = Folder::new();
    let file = folder.file("a.json", "{\"seeing\": 0.7}");
    folder.ingest(std::slice::from_ref(&file), "visit=1", IngestMode::InPlace);
    // Equal in size, other in content and date.
    std::fs::write(&file, "{\"seeing\": 0.9}").unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    std::fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(later)
        .unwrap();
    let said = said(try_get(&folder.butler(), "note", "visit=1"));
    assert!(
        said.contains("was changed since it was registered"),
        "{said}"
    );
    std::fs::remove_file(&file).unwrap();
    let said = super::support::said(try_get(&folder.butler(), "note", "visit=1"));
    assert!(said.contains("is gone"), "{said}");
}

#[test]
fn a_file_that_lies_where_its_template_puts_it_is_not_copied() {
    let folder = Folder::new();
    let file = folder.file("repo/notes/0007.json", "{}");
    let report = folder.ingest(&[file], "", IngestMode::Copy);
    assert_eq!(report.ingested, 1);
    get(&folder.butler(), "note", "visit=7");
    let report = folder.butler().fsck(Default::default()).unwrap();
    assert!(
        report.is_clean() && report.leftover.is_empty(),
        "{report:?}"
    );
}

const AMPLIFIERS: &str = r#"
keys:
  amp: {type: str}
datasets:
  raw_amp:
    template: "raw/%(exposure)d.fits[%(hdu)d]"
    python: lsst.afw.image.DecoratedImage
    storage: FitsStorage
    metadata: {amp: EXTNAME, exptime: EXPTIME}
  other_amp:
    template: "other/%(exposure)d-%(amp)s.fits[%(hdu)d]"
    python: lsst.afw.image.DecoratedImage
    storage: FitsStorage
    ingest: {headers: {amp: EXTNAME}}
"#;

#[test]
fn the_name_of_an_hdu_is_a_value_of_its_data_id() {
    let Some(file) = test_data("raw/latiss_3018092000065-det000.fits") else {
        return;
    };
    let here = super::together::Here::with(AMPLIFIERS);
    for (name, mode) in [
        ("other_amp", IngestMode::Copy),
        ("raw_amp", IngestMode::InPlace),
    ] {
        let options = IngestOptions {
            mode,
            ..Default::default()
        };
        let files = [file.clone()];
        let butler = here.butler();
        let report = butler
            .ingest(name, &files, &id("exposure=1"), &options, &|_| {})
            .unwrap();
        assert_eq!((report.ingested, report.files), (16, 1), "{name}");
    }
    // The names are those that astropy shows.
    let butler = here.butler();
    assert!(
        butler
            .exists("other_amp", &id("exposure=1 amp=Segment10 hdu=1"))
            .unwrap()
    );
    assert!(
        butler
            .exists("other_amp", &id("exposure=1 amp=Segment17 hdu=8"))
            .unwrap()
    );
    assert!(
        !butler
            .exists("other_amp", &id("exposure=1 amp=Segment17 hdu=1"))
            .unwrap()
    );
}

#[test]
fn an_hdu_that_the_caller_picks_has_its_own_header() {
    let Some(file) = test_data("raw/latiss_3018092000065-det000.fits") else {
        return;
    };
    let here = super::together::Here::with(AMPLIFIERS);
    here.ingest("other_amp", &file, "exposure=1 hdu=8", IngestMode::InPlace);
    assert!(
        here.butler()
            .exists("other_amp", &id("exposure=1 amp=Segment17 hdu=8"))
            .unwrap()
    );
}

#[test]
fn values_stand_in_a_table_after_the_callers_and_before_the_path() {
    let folder = Folder::new();
    folder.file("in/notes/0012.json", "{}");
    folder.file("in/b.json", "{}");
    let table = folder.file(
        "in/files.csv",
        "# what the night log says\nvisit,file\n7,notes/0012.json\n 8 , b.json\n",
    );
    let table = pantler::ValueTable::read(&options().formatters, &table).unwrap();
    assert_eq!(table.files().len(), 2);
    let files = table.files().to_vec();
    let options = IngestOptions {
        table: Some(std::sync::Arc::new(table)),
        ..Default::default()
    };
    let ingest = |files: &[PathBuf], given: &str| {
        let butler = folder.butler();
        butler
            .ingest(
                "note",
                files,
                &DataId::parse(given).unwrap(),
                &options,
                &|_| {},
            )
            .unwrap()
    };
    assert_eq!(ingest(&files, "").ingested, 2);
    assert_eq!(ingest(&files[1..], "visit=9").ingested, 1);
    for visit in ["0007", "0008", "0009"] {
        assert!(
            exists(&folder.repo().join(format!("notes/{visit}.json"))),
            "{visit}"
        );
    }
}

#[test]
fn a_table_that_names_a_file_twice_or_not_at_all_is_refused() {
    let folder = Folder::new();
    for (text, wanted) in [
        (
            "file,visit\na.json,1\na.json,2\n",
            "row 2: a.json stands in an earlier row",
        ),
        ("file,visit\na.json,1\n,2\n", "row 2: it names no file"),
        ("file,visit\na.json\n", "is no CSV table"),
    ] {
        let table = folder.file("files.csv", text);
        let error = pantler::ValueTable::read(&options().formatters, &table).unwrap_err();
        let said = error.report().to_string();
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn a_file_that_is_there_already_is_not_read_again() {
    let folder = Folder::new();
    for (visit, mode) in [
        (1, IngestMode::Copy),
        (2, IngestMode::Link),
        (3, IngestMode::InPlace),
    ] {
        let file = folder.file(&format!("in/{visit}.json"), "{\"seeing\": 0.7}");
        let data_id = format!("visit={visit}");
        folder.ingest(std::slice::from_ref(&file), &data_id, mode);
        // Not even its owner could tell the difference: so nothing was read but its size and time.
        let times = std::fs::metadata(&file).unwrap().modified().unwrap();
        std::fs::write(&file, "{\"seeing\": 0.9}").unwrap();
        let open = std::fs::File::options().write(true).open(&file).unwrap();
        open.set_modified(times).unwrap();
        let again = folder.ingest(std::slice::from_ref(&file), &data_id, mode);
        assert_eq!((again.same, again.failed.len()), (1, 0), "{mode:?}");
        // With a digest it is read.
        let options = IngestOptions {
            mode,
            digest: true,
            ..Default::default()
        };
        if mode == IngestMode::Copy {
            let report = folder
                .butler()
                .ingest("note", &[file], &id(&data_id), &options, &|_| {})
                .unwrap();
            assert_eq!(report.failed.len(), 1);
        }
    }
}

#[test]
fn more_files_than_fit_one_batch_are_taken_and_a_data_id_counts_once() {
    let folder = Folder::new();
    let many = 10_050;
    let mut files: Vec<PathBuf> = (0..many)
        .map(|visit| {
            folder
                .folder
                .path()
                .join(format!("in/notes/{visit:04}.json"))
        })
        .collect();
    std::fs::create_dir_all(folder.folder.path().join("in/notes")).unwrap();
    for file in &files {
        std::fs::write(file, "{}").unwrap();
    }
    let twice = folder.file("elsewhere/notes/0003.json", "{}");
    files.push(twice.clone());
    let report = folder.ingest(&files, "", IngestMode::InPlace);
    assert_eq!((report.ingested, report.files), (many, many));
    let failed: Vec<_> = report.failed.iter().map(|(file, _)| file).collect();
    assert_eq!(failed, [&twice]);
    let again = folder.ingest(&files[..many], "", IngestMode::InPlace);
    assert_eq!((again.ingested, again.same), (0, many));
}
