//! Tables through the engine: some columns of a dataset, in Parquet and in FITS.

use pantler::objects::Table;
use pantler::{Butler, DataId, IngestMode, IngestOptions, Object, ObjectRef, Parameters};
use pantler_testkit::test_data;

use super::support::*;

const POLICY: &str = r#"
datasets:
  injected:
    template: "injected/%(htm)d.parq"
    python: Table
    storage: ParquetStorage
  reference:
    template: "reference/%(htm)d.fits"
    python: lsst.afw.table.SimpleCatalog
    storage: FitsCatalogStorage
"#;

const CASES: [(&str, &str, [&str; 2]); 2] = [
    (
        "injected",
        "catalogs/injection/injection_catalog_g_231858.parq",
        ["mag", "injection_id"],
    ),
    (
        "reference",
        "catalogs/refcat_sdss/903287.fits",
        ["coord_dec", "id"],
    ),
];

fn table(object: &ObjectRef) -> &Table {
    pantler::core::object::downcast(object.as_ref()).unwrap()
}

fn init(repository: &std::path::Path, policy: &str) {
    let policy = pantler::core::policy::PolicyText {
        file: "policy.yaml".into(),
        text: policy.into(),
    };
    Butler::init(repository, &[policy], &[]).unwrap();
}

fn ingest(butler: &Butler, name: &str, file: std::path::PathBuf, data_id: &DataId) {
    let options = IngestOptions {
        mode: IngestMode::Copy,
        ..Default::default()
    };
    butler
        .ingest(name, &[file], data_id, &options, &|_| {})
        .unwrap_or_else(|error| panic!("{}", error.report()));
}

/// A get of some columns has those alone, in the order asked for, and does not pass for the whole dataset.
#[test]
fn a_get_of_some_columns_reads_those() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repo");
    init(&repository, POLICY);
    let butler = Butler::open(&[], std::slice::from_ref(&repository), options()).unwrap();
    for (name, file, columns) in CASES {
        let Some(file) = test_data(file) else {
            continue;
        };
        let data_id = DataId::parse("htm=1").unwrap();
        ingest(&butler, name, file, &data_id);
        let plan = butler.explain(name, &data_id, Default::default()).unwrap();
        let get = |columns: Option<Vec<String>>| {
            let parameters = Parameters {
                columns,
                ..Parameters::default()
            };
            butler
                .execute(&plan, &parameters)
                .unwrap_or_else(|error| panic!("{}", error.report()))
        };
        let wanted = columns.map(str::to_owned).to_vec();
        let some = get(Some(wanted.clone()));
        assert_eq!(table(&some).column_names().collect::<Vec<_>>(), columns);
        assert!(!some.origin().unwrap().whole, "{name}");
        let whole = get(None);
        assert!(whole.origin().unwrap().whole, "{name}");
        let expected = table(&whole).select(&wanted).unwrap();
        assert_eq!(expected.difference(some.as_ref()), None, "{name}");
        let missing = Parameters {
            columns: Some(vec!["flavour".to_owned()]),
            ..Parameters::default()
        };
        let error = butler.execute(&plan, &missing).unwrap_err();
        assert!(error.report().to_string().contains("flavour"), "{name}");
    }
}

/// A get of some rows has those alone, is cached under them, and does not pass for the whole dataset.
#[test]
fn a_get_of_some_rows_reads_those() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repo");
    init(&repository, POLICY);
    let butler = Butler::open(&[], std::slice::from_ref(&repository), options()).unwrap();
    for (name, file, columns) in CASES {
        let Some(file) = test_data(file) else {
            continue;
        };
        let data_id = DataId::parse("htm=1").unwrap();
        ingest(&butler, name, file, &data_id);
        let get = |rows: Option<&str>, columns: Option<Vec<String>>| {
            let parameters = Parameters {
                rows: rows.map(|text| text.parse().unwrap()),
                columns,
                bbox: None,
            };
            butler
                .get(name, &data_id, &parameters)
                .unwrap_or_else(|error| panic!("{}", error.report()))
        };
        let some = get(Some("3:5,100:110"), None);
        assert!(!some.origin().unwrap().whole, "{name}");
        assert!(std::sync::Arc::ptr_eq(
            &some,
            &get(Some("3:5,100:105,105:110"), None)
        ));
        let whole = get(None, None);
        assert!(whole.origin().unwrap().whole, "{name}");
        let (some, whole) = (table(&some), table(&whole));
        assert_eq!((some.rows(), whole.rows() > 200), (12, true), "{name}");
        let numbers = (3..5).chain(100..110);
        for (row, of_whole) in numbers.enumerate() {
            for column in 0..whole.column_names().count() {
                assert_eq!(
                    some.text(column, row),
                    whole.text(column, of_whole),
                    "{name}"
                );
            }
        }
        let wanted = columns.map(str::to_owned).to_vec();
        let few = get(Some("3:5,100:110"), Some(wanted.clone()));
        assert_eq!(some.select(&wanted).unwrap().difference(few.as_ref()), None);
        let parameters = Parameters {
            rows: Some("0:100000".parse().unwrap()),
            ..Parameters::default()
        };
        let error = butler.get(name, &data_id, &parameters).unwrap_err();
        let said = error.report().to_string();
        assert!(said.contains("has no rows 0:100000"), "{said}");
    }
}

#[test]
fn pieces_that_an_object_does_not_have_are_refused() {
    let pair = Pair::new();
    let butler = pair.butler();
    let rows = Parameters {
        rows: Some("0:1".parse().unwrap()),
        ..Parameters::default()
    };
    let said = |name: &str| {
        let error = butler
            .get(name, &id("visit=903334 ccd=16"), &rows)
            .unwrap_err();
        error.report().to_string()
    };
    let exposure = said("calexp:sfm");
    assert!(
        exposure.contains("`calexp:sfm` is of class Exposure, which has no columns and rows"),
        "{exposure}"
    );
    assert!(said("calexp:sfm.wcs").contains("is of class Wcs"));
}

/// A catalogue of which only some rows were read cannot stand for the catalogue that a composite reads.
#[test]
fn r24_some_rows_are_refused() {
    let Some(file) = test_data(CASES[0].1) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repo");
    let composite = "
  pair:
    composite:
      first: {datasetType: injected, inputOnly: true}
";
    init(&repository, &format!("{}{composite}", POLICY.trim_end()));
    let butler = Butler::open(&[], std::slice::from_ref(&repository), options()).unwrap();
    let data_id = DataId::parse("htm=1").unwrap();
    ingest(&butler, "injected", file, &data_id);
    let put = |rows: Option<&str>| {
        let parameters = Parameters {
            rows: rows.map(|text| text.parse().unwrap()),
            ..Parameters::default()
        };
        let table = butler.get("injected", &data_id, &parameters).unwrap();
        let entry = pantler::assemble::Entry::One(table);
        let pair: ObjectRef = std::sync::Arc::new(pantler::assemble::Container::new([(
            "first".to_owned(),
            entry,
        )]));
        butler.put(&pair, "pair", &data_id, &Default::default())
    };
    let said = put(Some("0:5")).unwrap_err().report().to_string();
    assert!(said.contains("only a piece of it was read"), "{said}");
    put(None).unwrap_or_else(|error| panic!("{}", error.report()));
}

/// A component of a catalogue is that of a row: one row gives it, several are refused, and so are columns of it.
#[test]
fn a_component_of_a_catalogue_is_that_of_a_row() {
    let Some(file) = test_data("catalogs/exposure_catalog_v1.fits") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repo");
    let policy = "
datasets:
  visitSummary:
    template: \"summary/%(visit)d.fits\"
    python: lsst.afw.table.ExposureCatalog
    storage: FitsCatalogStorage
";
    init(&repository, policy);
    let butler = Butler::open(&[], std::slice::from_ref(&repository), options()).unwrap();
    let data_id = DataId::parse("visit=1").unwrap();
    ingest(&butler, "visitSummary", file, &data_id);
    let get = |name: &str, rows: Option<&str>, columns: Option<&str>| {
        let parameters = Parameters {
            rows: rows.map(|text| text.parse().unwrap()),
            columns: columns.map(|name| vec![name.to_owned()]),
            bbox: None,
        };
        let found = butler.get(name, &data_id, &parameters);
        found.map_err(|error| error.report().to_string())
    };
    let wcs = get("visitSummary.wcs", Some("1:2"), None).unwrap();
    assert_eq!(wcs.class(), "Wcs");
    assert!(!wcs.origin().unwrap().whole);
    assert_eq!(
        get("visitSummary_calib", Some("0:1"), None)
            .unwrap()
            .class(),
        "PhotoCalib"
    );
    let said = get("visitSummary.wcs", None, None).unwrap_err();
    assert!(
        said.contains("each of 2 rows") && said.contains("row 1 (id=2)"),
        "{said}"
    );
    assert!(get("visitSummary.wcs", Some("1:2"), Some("wcs")).is_err());
    let said = get("visitSummary.metadata", Some("1:2"), None).unwrap_err();
    assert!(said.contains("of class Metadata"), "{said}");
    // What a table says of itself is planned as the headers that say it.
    for name in ["visitSummary_len", "visitSummary_schema"] {
        let plan = butler.explain(name, &data_id, Default::default()).unwrap();
        let mut bytes = 0;
        plan.root.each_read(&mut |_, read| bytes += read.bytes);
        assert!(bytes > 0 && bytes % 2880 == 0 && bytes < 20_000, "{bytes}");
    }
    let length = get("visitSummary_len", None, None).unwrap();
    let length = pantler::core::object::downcast::<pantler::objects::Document>(length.as_ref());
    assert_eq!(length.unwrap().value().as_u64(), Some(2));
}
