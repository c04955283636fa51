//! Transfer: what is named arrives with all that it needs and nothing else, copied or by reference (rule R35).

use std::slice::from_ref;
use std::sync::Arc;

use pantler::core::Registry;
use pantler::core::plan::Plan;
use pantler::core::registry::State;
use pantler::fsck::FsckOptions;
use pantler::objects::{Metadata, Table};
use pantler::registry::{Fault as RegistryFault, FaultyRegistry, MemoryRegistry};
use pantler::store::{AfterCrash, Fault, FaultyStore, ForgetfulStore};
use pantler::{
    Butler, Composition, Error, ObjectRef, OnConflict, PutOptions, Query, TransferBy,
    TransferOptions, TransferReport, TransferredKind,
};

use super::support::*;

/// Catalogs beside their exposures, of which they need the calibration; `described` needs the exposure itself.
const CATALOGS: &str = r#"
datasets:
  catalog:
    template: "cat/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.table.SourceCatalog
    storage: FitsStorage
  src:
    composite:
      catalog: {datasetType: catalog}
      calib:   {datasetType: "calexp:sfm.calib", inputOnly: true}
  described:
    composite:
      exposure: {datasetType: "calexp:sfm", inputOnly: true}
      note:     {datasetType: note}
  note:
    template: "notes/%(visit)07d/%(ccd)03d.json"
    python: Document
    storage: JsonStorage
"#;

fn table(flux: f64) -> ObjectRef {
    let column = arrow_array::Float64Array::from(vec![flux, flux + 1.0]);
    let batch = arrow_array::RecordBatch::try_from_iter([("flux", Arc::new(column) as _)]).unwrap();
    Arc::new(Table::new(batch, Metadata::default()).unwrap())
}

fn policy() -> String {
    let types = SINGLE_VISIT.trim_start().strip_prefix("datasets:").unwrap();
    format!("{CATALOGS}{types}")
}

/// Two exposures with their catalogs, the first of them linked.
fn survey() -> Place {
    filled(Place::new("survey", &policy()))
}

/// The same in a folder.
fn survey_in(folder: &std::path::Path) -> Place {
    let store = pantler::store::LocalStore::open(folder).unwrap();
    write_policy(&store, &policy());
    filled(Place {
        store: Arc::new(store),
        ..Place::new("survey", "")
    })
}

fn filled(place: Place) -> Place {
    let survey = butler(&[&place], 1);
    for (ccd, flux) in [(16, 1.0), (17, 10.0)] {
        let data_id = format!("visit=903334 ccd={ccd}");
        put(&survey, &exposure(flux as f32), "calexp:sfm", &data_id);
        put(&survey, &table(flux), "catalog", &data_id);
    }
    let linked = survey.link("src", &id(SFM_ID), &PutOptions::default());
    linked.unwrap();
    place
}

fn empty() -> Place {
    Place::new("small", "datasets: {}\n")
}

fn transfer(from: &Place, to: &Place, names: &[&str], options: TransferOptions) -> TransferReport {
    try_transfer(from, to, names, options).unwrap_or_else(|error| panic!("{}", error.report()))
}

fn try_transfer(
    from: &Place,
    to: &Place,
    names: &[&str],
    options: TransferOptions,
) -> pantler::Result<TransferReport> {
    let target = butler(&[to], 1);
    butler(&[from], 0).transfer_into(&target, names, &options, &|_, _| ())
}

fn by_reference() -> TransferOptions {
    TransferOptions {
        by: TransferBy::Reference,
        ..TransferOptions::default()
    }
}

fn merging() -> TransferOptions {
    TransferOptions {
        merge: true,
        ..TransferOptions::default()
    }
}

fn is_clean(place: &Place) {
    let report = butler(&[place], 1).fsck(FsckOptions {
        deep: true,
        repair: false,
    });
    let report = report.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.leftover, Vec::<String>::new());
}

fn explained(place: &Place, name: &str, data_id: &str) -> Plan {
    let butler = butler(&[place], 0);
    let plan = butler.explain(name, &id(data_id), Composition::Recorded);
    plan.unwrap_or_else(|error| panic!("{}", error.report()))
}

fn types_of(report: &TransferReport) -> Vec<(String, TransferredKind, usize)> {
    let types = report.types.iter();
    types
        .map(|each| (each.dataset_type.to_string(), each.kind, each.count))
        .collect()
}

#[test]
fn r35_a_part_is_taken_out_of_its_file_and_the_pixels_stay() {
    let (from, to) = (survey(), empty());
    let counted = Counted::over(&from);
    let report = transfer(&counted.place, &to, &["src"], TransferOptions::default());
    assert_eq!(
        types_of(&report),
        [
            ("catalog".to_owned(), TransferredKind::File, 2),
            ("calexp:sfm.photoCalib".to_owned(), TransferredKind::Part, 2),
            ("src".to_owned(), TransferredKind::Composite, 1),
        ]
    );
    assert_eq!(
        to.artifacts(),
        [
            "calexp/0903334/016.photoCalib.fits",
            "calexp/0903334/017.photoCalib.fits",
            "cat/0903334/016.fits",
            "cat/0903334/017.fits",
        ]
    );
    // The same objects, the one by its record and the other by lookup.
    let small = butler(&[&to], 0);
    for ccd in [16, 17] {
        let data_id = format!("visit=903334 ccd={ccd}");
        let there = get(&small, "src", &data_id);
        let here = get(&butler(&[&from], 0), "src", &data_id);
        assert_eq!(there.difference(here.as_ref()), None);
    }
    // Identities and names stay.
    let (here, there) = (
        explained(&from, "src", SFM_ID),
        explained(&to, "src", SFM_ID),
    );
    assert_eq!(here.root.id(), there.root.id());
    let catalogs = [&here, &there].map(|plan| plan.root.children()[0].id());
    assert_eq!(catalogs[0], catalogs[1]);
    let part = explained(&to, "calexp:sfm.calib", SFM_ID);
    assert_eq!(part.root.part, ["calib"]);
    assert_eq!(part.root.dataset_type.as_str(), "calexp:sfm");
    let calib = get(&small, "calexp:sfm.photoCalib", SFM_ID);
    assert_eq!(calib.difference(self::calib(5e11).as_ref()), None);
    assert_eq!(
        calib.origin().unwrap().part,
        ["photoCalib"],
        "it is a part of the exposure as ever"
    );
    // The exposure itself is not there, nor any other part of it.
    for name in ["calexp:sfm", "calexp:sfm.wcs", "calexp:sfm.image"] {
        assert!(!small.exists(name, &id(SFM_ID)).unwrap(), "{name}");
        assert!(try_get(&small, name, SFM_ID).is_err(), "{name}");
    }
    let text = said(try_get(&small, "calexp:sfm", SFM_ID));
    assert!(
        text.contains("only calexp:sfm.photoCalib of it is there"),
        "{text}"
    );
    assert!(small.exists("calexp:sfm.calib", &id(SFM_ID)).unwrap());
    is_clean(&to);
}

#[test]
fn r35_every_part_of_an_exposure_travels_by_its_own_name() {
    let (from, to) = (survey(), empty());
    let names = [
        "image", "mask", "variance", "wcs", "calib", "metadata", "bbox",
    ];
    let names = names.map(|name| format!("calexp:sfm.{name}"));
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    transfer(&from, &to, &all, TransferOptions::default());
    for name in all {
        let here = get(&butler(&[&from], 0), name, SFM_ID);
        let there = get(&butler(&[&to], 0), name, SFM_ID);
        assert_eq!(there.difference(here.as_ref()), None, "{name}");
    }
    assert_eq!(to.artifacts().len(), 14);
    assert!(!butler(&[&to], 0).exists("calexp:sfm", &id(SFM_ID)).unwrap());
    let whole = from.bytes_of("calexp/0903334/016.fits");
    let copies = to.artifacts();
    let mut copies = copies.iter().map(|path| to.bytes_of(path));
    assert!(
        copies.all(|copy| copy != whole),
        "a part brought its whole file"
    );
    is_clean(&to);
}

#[test]
fn r35_no_pixel_is_read_for_a_part() {
    let place = Place::new("survey", &policy());
    let pixels = 4 * 256 * 256;
    let image = pantler::objects::Image::new(vec![1.0_f32; 256 * 256], 256, 256, 0, 0).unwrap();
    let large =
        pantler::objects::Exposure::new(Some(image.into()), None, None, Metadata::default().into());
    let large: ObjectRef = Arc::new(large.unwrap());
    let large = large.with_component("calib", &calib(5e11)).unwrap();
    put(&butler(&[&place], 1), &large, "calexp:sfm", SFM_ID);
    put(&butler(&[&place], 1), &table(1.0), "catalog", SFM_ID);
    let counted = Counted::over(&place);
    let before = counted.store.counts();
    transfer(
        &counted.place,
        &empty(),
        &["src"],
        TransferOptions::default(),
    );
    let read = (counted.store.counts() - before).bytes_read;
    assert!(read < pixels / 4, "{read} bytes were read");
}

#[test]
fn r35_by_reference_no_artifact_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (survey_in(folder.path()), empty());
    let counted = Counted::over(&from);
    let source = butler(&[&counted.place], 0);
    let before = counted.store.counts();
    let target = butler(&[&to], 1);
    let report = source.transfer_into(&target, &["src"], &by_reference(), &|_, _| ());
    let report = report.unwrap_or_else(|error| panic!("{}", error.report()));
    let cost = counted.store.counts() - before;
    assert_eq!(cost.bytes_read, 0, "no artifact is read");
    assert_eq!(report.bytes(), 0);
    assert_eq!(report.count(), 5);
    assert_eq!(to.artifacts(), Vec::<String>::new());
    let plan = explained(&to, "src", SFM_ID);
    let mut places = Vec::new();
    plan.root
        .each_read(&mut |_, read| places.push(read.location.to_string()));
    let root = from.store.root().to_owned();
    let expected = ["cat/0903334/016.fits", "calexp/0903334/016.fits"];
    assert_eq!(places, expected.map(|path| format!("{root}/{path}")));
    let small = butler(&[&to], 0);
    assert!(!small.exists("calexp:sfm", &id(SFM_ID)).unwrap());
    assert!(small.exists("calexp:sfm.calib", &id(SFM_ID)).unwrap());
    assert!(!small.exists("calexp:sfm.wcs", &id(SFM_ID)).unwrap());
}

#[test]
fn a_whole_and_its_part_travel_once() {
    let (from, to) = (survey(), empty());
    let names = ["src", "calexp:sfm"];
    let report = transfer(&from, &to, &names, TransferOptions::default());
    assert_eq!(
        types_of(&report),
        [
            ("catalog".to_owned(), TransferredKind::File, 2),
            ("calexp:sfm".to_owned(), TransferredKind::File, 2),
            ("src".to_owned(), TransferredKind::Composite, 1),
        ]
    );
    is_clean(&to);
}

#[test]
fn a_condition_and_keys_choose_among_the_datasets() {
    for options in [
        TransferOptions {
            condition: Some(pantler::core::Expression::parse("ccd = 17").unwrap()),
            ..TransferOptions::default()
        },
        TransferOptions {
            data_id: id("ccd=17"),
            ..TransferOptions::default()
        },
    ] {
        let (from, to) = (survey(), empty());
        let report = transfer(&from, &to, &["src"], options);
        assert_eq!(report.count(), 2, "a catalog and a calibration");
        assert!(
            butler(&[&to], 0)
                .exists("src", &id("visit=903334 ccd=17"))
                .unwrap()
        );
        assert!(!butler(&[&to], 0).exists("src", &id(SFM_ID)).unwrap());
    }
    let none = TransferOptions {
        condition: Some(pantler::core::Expression::parse("ccd = 18").unwrap()),
        ..TransferOptions::default()
    };
    let refused = said(try_transfer(&survey(), &empty(), &["src"], none));
    assert!(
        refused.contains("there is no src that fits ccd = 18"),
        "{refused}"
    );
}

#[test]
fn a_dry_run_says_what_a_transfer_then_does() {
    let (from, to) = (survey(), empty());
    let dry = TransferOptions {
        dry_run: true,
        ..TransferOptions::default()
    };
    let said = transfer(&from, &to, &["src"], dry);
    assert_eq!(to.artifacts(), Vec::<String>::new());
    assert_eq!(to.registry.summary().unwrap(), []);
    let done = transfer(&from, &to, &["src"], TransferOptions::default());
    assert_eq!(said.types, done.types);
    let written: usize = to
        .artifacts()
        .iter()
        .map(|path| to.bytes_of(path).len())
        .sum();
    assert_eq!(done.bytes(), written as u64);
}

#[test]
fn a_target_with_datasets_gets_more_only_where_that_is_said() {
    let (from, to) = (survey(), empty());
    let first = TransferOptions {
        data_id: id("ccd=16"),
        ..TransferOptions::default()
    };
    transfer(&from, &to, &["src"], first);
    let refused = said(try_transfer(
        &from,
        &to,
        &["src"],
        TransferOptions::default(),
    ));
    assert!(refused.contains("holds 3 datasets already"), "{refused}");
    assert!(refused.contains("--merge"), "{refused}");
    let report = transfer(&from, &to, &["src"], merging());
    assert_eq!((report.count(), report.same()), (2, 3));
    let report = transfer(&from, &to, &["src"], merging());
    assert_eq!((report.count(), report.same()), (0, 5));
    is_clean(&to);
    // The whole comes to its part, and takes its place.
    let report = transfer(&from, &to, &["calexp:sfm"], merging());
    assert_eq!(report.count(), 2);
    assert!(
        butler(&[&to], 0)
            .exists("calexp:sfm.wcs", &id(SFM_ID))
            .unwrap()
    );
    is_clean(&to);
}

#[test]
fn another_dataset_under_the_same_data_id_is_a_conflict_before_anything_is_written() {
    let (from, to) = (survey(), Place::new("small", &policy()));
    put(
        &butler(&[&to], 1),
        &table(99.0),
        "catalog",
        "visit=903334 ccd=17",
    );
    let outcome = try_transfer(&from, &to, &["src"], merging());
    assert!(matches!(outcome, Err(Error::Conflict { .. })));
    let text = said(outcome);
    assert!(text.contains("catalog visit=903334 ccd=17"), "{text}");
    assert_eq!(to.artifacts(), ["cat/0903334/017.fits"]);
    assert_eq!(to.registry.summary().unwrap().len(), 1);
    // A part is compared with what the target has as a whole.
    let to = Place::new("small", &policy());
    let other = exposure(1.0).with_component("calib", &calib(1e10)).unwrap();
    put(&butler(&[&to], 1), &other, "calexp:sfm", SFM_ID);
    let text = said(try_transfer(&from, &to, &["src"], merging()));
    assert!(
        text.contains("calexp:sfm.photoCalib visit=903334 ccd=16"),
        "{text}"
    );
}

#[test]
fn equal_content_by_another_identity_is_one_dataset() {
    let (from, to) = (survey(), Place::new("small", &policy()));
    let small = butler(&[&to], 1);
    put(&small, &table(1.0), "catalog", SFM_ID);
    put(&small, &exposure(1.0), "calexp:sfm", SFM_ID);
    let report = transfer(&from, &to, &["src"], merging());
    assert_eq!((report.count(), report.same()), (3, 2));
    // The record names what the target has.
    let plan = explained(&to, "src", SFM_ID);
    assert_eq!(
        plan.root.children()[0].id(),
        explained(&to, "catalog", SFM_ID).root.id()
    );
    get(&butler(&[&to], 0), "src", SFM_ID);
    is_clean(&to);
}

#[test]
fn what_a_record_names_travels_though_it_was_replaced() {
    let (from, to) = (survey(), empty());
    let replacing = PutOptions {
        on_conflict: OnConflict::Replace,
        ..PutOptions::default()
    };
    let before = explained(&from, "catalog", SFM_ID).root.id().unwrap();
    let newer = butler(&[&from], 1).put(&table(50.0), "catalog", &id(SFM_ID), &replacing);
    newer.unwrap();
    transfer(&from, &to, &["src", "catalog"], TransferOptions::default());
    let small = butler(&[&to], 0);
    let recorded = get(&small, "src", SFM_ID).component("catalog").unwrap();
    assert_eq!(recorded.difference(table(1.0).as_ref()), None);
    assert_eq!(
        get(&small, "catalog", SFM_ID).difference(table(50.0).as_ref()),
        None
    );
    let row = to
        .registry
        .find_ids(&[before])
        .unwrap()
        .pop()
        .flatten()
        .unwrap();
    assert_eq!(row.state, State::Superseded);
    is_clean(&to);
    // Alone it is still not what the data ID means.
    let to = empty();
    transfer(&from, &to, &["src"], TransferOptions::default());
    let small = butler(&[&to], 0);
    assert!(small.exists("src", &id(SFM_ID)).unwrap());
    assert!(!small.exists("catalog", &id(SFM_ID)).unwrap());
    is_clean(&to);
}

#[test]
fn r35_records_say_what_was_left_behind() {
    let from = survey();
    let survey = butler(&[&from], 1);
    put(
        &survey,
        &note(serde_json::json!({"seeing": 0.7})),
        "note",
        SFM_ID,
    );
    survey
        .link("described", &id(SFM_ID), &PutOptions::default())
        .unwrap();
    let to = empty();
    // Only the note of it is named.
    let report = transfer(&from, &to, &["described.note"], TransferOptions::default());
    assert_eq!(report.left_behind, 1, "{report:?}");
    let small = butler(&[&to], 0);
    get(&small, "described.note", SFM_ID);
    assert!(!small.exists("described", &id(SFM_ID)).unwrap());
    let text = said(try_get(&small, "described", SFM_ID));
    assert!(
        text.contains("it was left behind in memory:survey"),
        "{text}"
    );
    let checked = small.fsck(FsckOptions::default()).unwrap();
    assert!(checked.is_clean(), "{checked:?}");
    assert_eq!(checked.left_behind, 1);
    // Beside the repository that has it, it is there again.
    get(&butler(&[&to, &from], 0), "described", SFM_ID);
}

#[test]
fn r31_who_made_it_stays_known_and_who_brought_it_is_added() {
    let (from, to) = (survey(), empty());
    let catalog = explained(&from, "catalog", SFM_ID).root.id().unwrap();
    let made = from
        .registry
        .provenance(&[catalog])
        .unwrap()
        .pop()
        .flatten()
        .unwrap();
    let options = TransferOptions {
        notes: vec![("for".to_owned(), "a laptop".to_owned())],
        ..TransferOptions::default()
    };
    transfer(&from, &to, &["src"], options);
    let brought = to
        .registry
        .provenance(&[catalog])
        .unwrap()
        .pop()
        .flatten()
        .unwrap();
    assert_eq!((&brought.action, &brought.time), (&made.action, &made.time));
    let note = |wanted: &str| {
        let mut notes = brought.notes.iter();
        notes
            .find(|(key, _)| key == wanted)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(note("transferred from"), Some("memory:survey"));
    assert_eq!(note("for"), Some("a laptop"));
    assert!(note("transferred by").is_some_and(|by| by.starts_with("ada@observatory")));
}

#[test]
fn r17_two_candidates_for_a_component_are_an_error_that_names_both() {
    let (one, other) = (survey(), Place::new("other", &policy()));
    let different = exposure(1.0).with_component("calib", &calib(1e10)).unwrap();
    put(
        &butler(&[&other], 1),
        &different,
        "calexp:sfm",
        "visit=903334 ccd=17",
    );
    let to = empty();
    let chain = pantler::Chain::of_siblings(vec![one.open(), other.open()]).unwrap();
    let source = Butler::of(chain, options());
    let target = butler(&[&to], 1);
    let outcome = source.transfer_into(&target, &["src"], &TransferOptions::default(), &|_, _| ());
    let text = said(outcome);
    assert!(text.contains("survey") && text.contains("other"), "{text}");
    assert_eq!(to.artifacts(), Vec::<String>::new());
}

#[test]
fn a_composite_that_means_something_else_there_is_refused() {
    let from = survey();
    let other = policy().replace("calexp:sfm.calib", "calexp:sfm.wcs");
    let to = Place::new("small", &other);
    let text = said(try_transfer(
        &from,
        &to,
        &["src"],
        TransferOptions::default(),
    ));
    assert!(
        text.contains("`src` is another composite in small"),
        "{text}"
    );
    assert_eq!(to.artifacts(), Vec::<String>::new());
}

#[test]
fn a_name_that_is_an_alias_means_the_same_there() {
    let pair = Pair::new();
    pair.put_parts(0);
    let to = empty();
    let source = pair.butler();
    let target = butler(&[&to], 1);
    let done = source.transfer_into(
        &target,
        &["calexp"],
        &TransferOptions::default(),
        &|_, _| (),
    );
    done.unwrap();
    let here = get(&source, "calexp", DATA_ID);
    let there = get(&butler(&[&to], 0), "calexp", DATA_ID);
    assert_eq!(there.difference(here.as_ref()), None);
    assert_eq!(right_ascension(&there), 150.0);
}

#[test]
fn r8_a_type_that_reads_anothers_file_becomes_a_file_of_its_own() {
    let more = "  calexp_wcs:\n    template: \"calexp/%(visit)07d/%(ccd)03d.fits\"\n    python: lsst.afw.image.Wcs\n    \
                storage: FitsStorage\n  placed:\n    composite:\n      catalog: {datasetType: catalog}\n      wcs: \
                {datasetType: calexp_wcs, inputOnly: true}\n";
    let from = Place::new("survey", &format!("{}{more}", policy()));
    let survey = butler(&[&from], 1);
    put(&survey, &exposure(1.0), "calexp:sfm", SFM_ID);
    put(&survey, &table(1.0), "catalog", SFM_ID);
    survey
        .link("placed", &id(SFM_ID), &PutOptions::default())
        .unwrap();
    let to = empty();
    transfer(&from, &to, &["placed"], TransferOptions::default());
    assert_eq!(
        to.artifacts(),
        ["calexp/0903334/016.calexp_wcs.fits", "cat/0903334/016.fits"]
    );
    let small = butler(&[&to], 0);
    for name in ["placed", "calexp_wcs"] {
        let difference = get(&small, name, SFM_ID).difference(get(&survey, name, SFM_ID).as_ref());
        assert_eq!(difference, None, "{name}");
    }
    assert!(!small.exists("calexp:sfm", &id(SFM_ID)).unwrap());
    // Among all that there is it stands with the type whose file it was in, and is had by that name as well.
    let listed = small.query(&Query::default()).unwrap();
    let listed = listed.iter().map(|row| row.dataset_type.to_string());
    let listed: Vec<String> = listed.filter(|name| name.contains("_wcs")).collect();
    assert_eq!(listed, ["calexp:sfm.calexp_wcs"]);
    let found = get(&small, &listed[0], SFM_ID);
    assert_eq!(
        found.difference(get(&survey, "calexp_wcs", SFM_ID).as_ref()),
        None
    );
    is_clean(&to);
}

#[test]
fn a_tag_narrows_the_search_for_parts_as_well() {
    let (from, to) = (survey(), Place::new("small", &policy()));
    transfer(
        &from,
        &to,
        &["calexp:sfm.calib"],
        TransferOptions::default(),
    );
    let other = Place::new("other", &policy());
    let mut chain = pantler::Chain::of_siblings(vec![other.open(), to.open()]).unwrap();
    chain
        .add_tag(std::path::Path::new("other"), "theirs")
        .unwrap();
    let both = Butler::of(chain, options());
    assert!(both.exists("calexp:sfm.calib", &id(SFM_ID)).unwrap());
    let tagged = id("visit=903334 ccd=16 tag=theirs");
    assert!(!both.exists("calexp:sfm.calib", &tagged).unwrap());
}

#[test]
fn a_transfer_of_a_transfer_brings_the_parts_on() {
    let (from, between, to) = (survey(), empty(), Place::new("smaller", "datasets: {}\n"));
    transfer(&from, &between, &["src"], TransferOptions::default());
    let report = transfer(&between, &to, &["src"], TransferOptions::default());
    assert_eq!(report.left_behind, 0);
    assert_eq!(to.artifacts(), between.artifacts());
    let here = get(&butler(&[&from], 0), "src", SFM_ID);
    assert_eq!(
        get(&butler(&[&to], 0), "src", SFM_ID).difference(here.as_ref()),
        None
    );
    assert_eq!(
        explained(&between, "calexp:sfm.calib", SFM_ID).root.id(),
        explained(&to, "calexp:sfm.calib", SFM_ID).root.id()
    );
    is_clean(&to);
}

#[test]
fn parts_that_stand_alone_are_listed_and_complete_keys() {
    let (from, to) = (survey(), empty());
    let options = TransferOptions {
        data_id: id("ccd=17"),
        ..TransferOptions::default()
    };
    transfer(&from, &to, &["src"], options);
    let small = butler(&[&to], 0);
    let query = |name: &str| {
        let query = Query {
            name: Some(name.to_owned()),
            ..Query::default()
        };
        let rows = small.query(&query).unwrap();
        let rows = rows.iter().map(|row| row.dataset_type.to_string());
        rows.collect::<Vec<_>>()
    };
    assert_eq!(query("calexp:sfm.calib"), ["calexp:sfm.photoCalib"]);
    assert_eq!(query("calexp:sfm"), Vec::<String>::new());
    assert_eq!(query("src"), ["src"]);
    get(&small, "calexp:sfm.calib", "visit=903334");
}

#[test]
fn an_artifact_that_was_changed_in_place_is_not_copied() {
    let (from, to) = (survey(), empty());
    let mut bytes = from.bytes_of("cat/0903334/016.fits");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    write(from.store.as_ref(), "cat/0903334/016.fits", &bytes);
    let text = said(try_transfer(
        &from,
        &to,
        &["src"],
        TransferOptions::default(),
    ));
    assert!(text.contains("cat/0903334/016.fits"), "{text}");
    assert_eq!(to.artifacts(), Vec::<String>::new());
    assert_eq!(to.registry.summary().unwrap(), []);
}

#[test]
fn r19_a_folder_without_an_index_gives_what_its_content_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("scanned");
    std::fs::create_dir_all(root.join("notes/0000001")).unwrap();
    std::fs::write(root.join("policy.yaml"), policy()).unwrap();
    std::fs::write(root.join("notes/0000001/002.json"), "{\"a\": 1}").unwrap();
    let source = Butler::open(&[root], &[], options()).unwrap();
    let mut identities = Vec::new();
    for name in ["one", "two"] {
        let target = folder.path().join(name);
        let done = source.transfer_to(&target, &["note"], &TransferOptions::default(), &|_, _| ());
        done.unwrap_or_else(|error| panic!("{}", error.report()));
        let target = Butler::open(&[target], &[], options()).unwrap();
        let plan = target.explain("note", &id("visit=1 ccd=2"), Composition::Recorded);
        identities.push(plan.unwrap().root.id().unwrap());
    }
    assert!(identities[0].is_derived());
    assert_eq!(identities[0], identities[1]);
}

#[test]
fn r19_what_was_recorded_by_its_content_is_found_once_it_has_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("scanned");
    std::fs::create_dir_all(root.join("calexp/0903334")).unwrap();
    std::fs::write(root.join("policy.yaml"), policy()).unwrap();
    let made = survey();
    let bytes = made.bytes_of("calexp/0903334/016.fits");
    std::fs::write(root.join("calexp/0903334/016.fits"), bytes).unwrap();
    let mine = folder.path().join("mine");
    let recording = Butler::open(from_ref(&root), from_ref(&mine), options()).unwrap();
    put(&recording, &table(1.0), "catalog", SFM_ID);
    recording
        .link("src", &id(SFM_ID), &PutOptions::default())
        .unwrap();
    for name in ["scanned yet", "with an index"] {
        let source = Butler::open(from_ref(&mine), &[], options()).unwrap();
        let target = folder.path().join(name);
        let done = source.transfer_to(&target, &["src"], &TransferOptions::default(), &|_, _| ());
        let done = done.unwrap_or_else(|error| panic!("{name}: {}", error.report()));
        assert_eq!(done.left_behind, 0, "{name}");
        let target = Butler::open(&[target], &[], options()).unwrap();
        let there = get(&target, "src", SFM_ID);
        assert_eq!(
            there.difference(get(&source, "src", SFM_ID).as_ref()),
            None,
            "{name}"
        );
        assert!(
            target.fsck(FsckOptions::default()).unwrap().is_clean(),
            "{name}"
        );
        if name == "scanned yet" {
            Butler::init(&root, &[], &[]).unwrap();
            let indexed = Butler::open(&[], from_ref(&root), options()).unwrap();
            let files = indexed.files_in_place("calexp:sfm").unwrap();
            let in_place = pantler::IngestOptions {
                mode: pantler::IngestMode::InPlace,
                ..Default::default()
            };
            let nothing = pantler::DataId::default();
            let taken = indexed.ingest("calexp:sfm", &files, &nothing, &in_place, &|_| ());
            assert_eq!(taken.unwrap().ingested, 1);
        }
    }
}

#[test]
fn nothing_stays_of_a_transfer_that_fails_anywhere() {
    for call in 1.. {
        let mut reached = false;
        for fault in [Fault::Once, Fault::OnceDone, Fault::FromThenOn] {
            let (from, plain) = (survey(), empty());
            let faulty = Arc::new(FaultyStore::new(plain.store.clone()));
            let to = Place {
                store: faulty.clone(),
                ..plain.clone()
            };
            let target = butler(&[&to], 1);
            faulty.fail_at(call, fault);
            let source = butler(&[&from], 0);
            let all = TransferOptions::default();
            let outcome = source.transfer_into(&target, &["src"], &all, &|_, _| ());
            reached |= faulty.calls() >= call;
            faulty.work();
            settled(
                &from,
                &plain,
                outcome.is_ok(),
                &format!("{fault:?} at {call}"),
            );
        }
        if !reached {
            assert!(call > 5, "the sweep met {call} calls only");
            break;
        }
    }
}

/// After a transfer that may have failed: all of it is there or nothing, and done again it is there.
fn settled(from: &Place, to: &Place, acknowledged: bool, context: &str) {
    let small = butler(&[to], 1);
    let rows = to.registry.summary().unwrap();
    let rows: u64 = rows.iter().map(|each| each.count).sum();
    assert!(
        rows == 5 || rows == 0 && !acknowledged,
        "{rows} rows after {context}"
    );
    let repaired = small.fsck(FsckOptions {
        deep: true,
        repair: true,
    });
    let repaired = repaired.unwrap();
    assert!(repaired.is_clean(), "{context}: {repaired:?}");
    transfer(from, to, &["src"], merging());
    for ccd in [16, 17] {
        get(&butler(&[to], 0), "src", &format!("visit=903334 ccd={ccd}"));
    }
    let checked = small.fsck(FsckOptions {
        deep: true,
        repair: false,
    });
    assert!(checked.unwrap().is_clean(), "{context}");
}

#[test]
fn nothing_stays_of_a_transfer_whose_registry_fails_anywhere() {
    for call in 1.. {
        let mut reached = false;
        for fault in [
            RegistryFault::Once(call),
            RegistryFault::FromThenOn(call),
            RegistryFault::AcknowledgementLost(call),
        ] {
            let (from, plain) = (survey(), empty());
            let faulty = Arc::new(FaultyRegistry::new(plain.registry.clone(), fault));
            let to = Place {
                registry: faulty.clone(),
                ..plain.clone()
            };
            let outcome = try_transfer(&from, &to, &["src"], TransferOptions::default());
            reached |= faulty.calls() >= call;
            settled(&from, &plain, outcome.is_ok(), &format!("{fault:?}"));
        }
        if !reached {
            assert!(call > 3, "the sweep met {call} calls only");
            break;
        }
    }
}

#[test]
fn r29_the_power_may_be_cut_during_a_transfer() {
    for call in 1.. {
        let mut calls = 0;
        for choice in AfterCrash::ALL {
            let from = survey();
            let forgetful = Arc::new(ForgetfulStore::new("small"));
            write_policy(forgetful.as_ref(), "datasets: {}\n");
            let faulty = Arc::new(FaultyStore::new(forgetful.clone()));
            let registry: Arc<dyn Registry> = Arc::new(MemoryRegistry::new());
            let to = Place {
                name: "small",
                store: faulty.clone(),
                registry: registry.clone(),
            };
            let target = butler(&[&to], 1);
            faulty.fail_at(call, Fault::FromThenOn);
            let source = butler(&[&from], 0);
            let all = TransferOptions::default();
            let outcome = source.transfer_into(&target, &["src"], &all, &|_, _| ());
            calls = faulty.calls();
            let survived = Place {
                name: "small",
                store: Arc::new(forgetful.crash(choice)),
                registry,
            };
            let context = format!("{choice:?} after {call}");
            settled(&from, &survived, outcome.is_ok(), &context);
        }
        if calls < call {
            assert!(call > 5, "the sweep met {call} calls only");
            break;
        }
    }
}

/// Composites over a recorded composite, and a coadd that lists what it was made from.
const DEEPER: &str = r#"
  calexp:fitted:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
      wcs:    {datasetType: fitted_wcs}
  fitted_wcs:
    template: "fitted/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
  calexp:noted:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:fitted", inputOnly: true, base: true}
      calib:  {datasetType: new_calib}
  new_calib:
    template: "calib/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.image.Calib
    storage: FitsStorage
  coadd_pixels: {template: "coadd/%(tract)d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
  coadd:
    python: lsst.afw.image.ExposureF
    composite:
      pixels: {datasetType: coadd_pixels, base: true}
      inputs: {datasetType: "calexp:sfm.wcs", subset: true, dataIds: recorded}
"#;

fn deeper() -> Place {
    let place = filled(Place::new("survey", &format!("{}{DEEPER}", policy())));
    let survey = butler(&[&place], 1);
    put(&survey, &wcs(151.0), "fitted_wcs", SFM_ID);
    put(&survey, &calib(3e12), "new_calib", SFM_ID);
    for name in ["calexp:fitted", "calexp:noted"] {
        survey
            .link(name, &id(SFM_ID), &PutOptions::default())
            .unwrap();
    }
    let inputs = ["visit=903334 ccd=16", "visit=903334 ccd=17"];
    let made_from = PutOptions {
        inputs: inputs.map(|each| ("inputs".to_owned(), id(each))).to_vec(),
        ..PutOptions::default()
    };
    survey
        .put(&exposure(9.0), "coadd", &id("tract=7"), &made_from)
        .unwrap();
    place
}

#[test]
fn r35_a_part_is_found_through_every_composite_on_the_way() {
    let from = deeper();
    for name in ["image", "mask", "wcs", "calib", "metadata"] {
        let name = format!("calexp:noted.{name}");
        let to = empty();
        transfer(&from, &to, &[&name], TransferOptions::default());
        let here = get(&butler(&[&from], 0), &name, SFM_ID);
        let there = get(&butler(&[&to], 0), &name, SFM_ID);
        assert_eq!(there.difference(here.as_ref()), None, "{name}");
        assert!(
            !butler(&[&to], 0)
                .exists("calexp:noted", &id(SFM_ID))
                .unwrap(),
            "{name}"
        );
        is_clean(&to);
    }
    let to = empty();
    transfer(&from, &to, &["calexp:noted"], TransferOptions::default());
    let there = get(&butler(&[&to], 0), "calexp:noted", SFM_ID);
    assert_eq!(right_ascension(&there), 151.0);
    is_clean(&to);
}

#[test]
fn r34_what_a_coadd_was_made_from_comes_along_as_far_as_it_is_listed() {
    let (from, to) = (deeper(), empty());
    let report = transfer(&from, &to, &["coadd"], TransferOptions::default());
    assert_eq!(report.left_behind, 0);
    let small = butler(&[&to], 0);
    for name in ["coadd", "coadd.inputs"] {
        let here = get(&butler(&[&from], 0), name, "tract=7");
        assert_eq!(
            get(&small, name, "tract=7").difference(here.as_ref()),
            None,
            "{name}"
        );
    }
    assert!(!small.exists("calexp:sfm", &id(SFM_ID)).unwrap());
    is_clean(&to);
}

#[test]
fn r26_what_a_record_uses_of_a_part_is_not_cleared() {
    let (from, to) = (survey(), empty());
    let replacing = PutOptions {
        on_conflict: OnConflict::Replace,
        ..PutOptions::default()
    };
    let newer = exposure(2.0).with_component("calib", &calib(1e10)).unwrap();
    butler(&[&from], 1)
        .put(&newer, "calexp:sfm", &id(SFM_ID), &replacing)
        .unwrap();
    transfer(&from, &to, &["src"], TransferOptions::default());
    let small = butler(&[&to], 1);
    let cleared = pantler::gc::GcOptions {
        grace: std::time::Duration::ZERO,
        ..Default::default()
    };
    assert_eq!(small.gc(&cleared).unwrap().removed, Vec::<String>::new());
    let repaired = small.fsck(FsckOptions {
        deep: true,
        repair: true,
    });
    assert!(repaired.unwrap().is_clean());
    let found = get(&small, "src", SFM_ID).component("calib").unwrap();
    assert_eq!(found.difference(calib(5e11).as_ref()), None);
    // Once nobody uses it any more it goes.
    small
        .remove("src", &id(SFM_ID), &Default::default())
        .unwrap();
    assert_eq!(small.gc(&cleared).unwrap().removed.len(), 1);
    is_clean(&to);
}

#[test]
fn a_part_without_its_whole_can_be_removed() {
    let (from, to) = (survey(), empty());
    transfer(&from, &to, &["src"], TransferOptions::default());
    let small = butler(&[&to], 1);
    let remove = |ccd: i64| {
        let data_id = id(&format!("visit=903334 ccd={ccd}"));
        small.remove("calexp:sfm.calib", &data_id, &Default::default())
    };
    let text = said(remove(16));
    assert!(
        text.contains("src visit=903334 ccd=16"),
        "it is used: {text}"
    );
    remove(17).unwrap();
    assert!(
        !to.artifacts()
            .contains(&"calexp/0903334/017.photoCalib.fits".to_owned())
    );
    let text =
        said(butler(&[&from], 1).remove("calexp:sfm.calib", &id(SFM_ID), &Default::default()));
    assert!(
        text.contains("only whole datasets can be removed"),
        "{text}"
    );
    is_clean(&to);
}
