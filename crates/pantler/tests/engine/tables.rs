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

/// A get of some columns has those alone, in the order asked for, and does not pass for the whole dataset.
#[test]
fn a_get_of_some_columns_reads_those() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repo");
    let policy = pantler::core::policy::PolicyText {
        file: "policy.yaml".into(),
        text: POLICY.into(),
    };
    Butler::init(&repository, &[policy], &[]).unwrap();
    let butler = Butler::open(&[], std::slice::from_ref(&repository), options()).unwrap();
    for (name, file, columns) in CASES {
        let Some(file) = test_data(file) else {
            continue;
        };
        let ingest = IngestOptions {
            mode: IngestMode::Copy,
            ..Default::default()
        };
        let data_id = DataId::parse("htm=1").unwrap();
        butler
            .ingest(name, &[file], &data_id, &ingest, &|_| {})
            .unwrap_or_else(|error| panic!("{}", error.report()));
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
