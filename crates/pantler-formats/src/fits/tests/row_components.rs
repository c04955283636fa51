//! Components of a catalogue's rows, other names of columns, and tables asked for without columns or rows.

use pantler_core::formatter::ReadRequest;
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, Object, ObjectRef};
use pantler_objects::{Component, PhotoCalib, Table, Wcs};

use super::support::{Counted, class, part, real};
use crate::fits::FitsFormatter;

const TWO: &str = "catalogs/exposure_catalog_v1.fits";
const ONE: &str = "exposures/cfht/visitSummary-849375.fits";

fn of_rows(name: &str, rows: Option<&str>) -> ReadRequest {
    ReadRequest {
        class: Some("Table".to_owned()),
        rows: rows.map(|text| text.parse().unwrap()),
        ..part(name)
    }
}

/// Reads with and without a layout, which must not matter.
fn read(source: &Counted, request: &ReadRequest) -> Result<ObjectRef, FormatError> {
    let layout = FitsFormatter.index(source).unwrap();
    let planned = FitsFormatter.read(source, layout.as_deref(), request);
    let found = FitsFormatter.read(source, None, request);
    match (&planned, &found) {
        (Ok(planned), Ok(found)) => assert_eq!(planned.difference(found.as_ref()), None),
        (Err(planned), Err(found)) => assert_eq!(planned.to_string(), found.to_string()),
        _ => panic!("a layout changes the answer"),
    }
    found
}

/// The ids are those that astropy reads: both rows have the Wcs 2, the first has the Psf 1, the second none.
#[test]
fn a_row_gives_its_component_and_several_rows_are_refused() {
    let Some(source) = real(TWO) else {
        return;
    };
    let psf = read(&source, &of_rows("psf", Some("0:1"))).unwrap();
    let psf = downcast::<Component>(psf.as_ref()).unwrap();
    let record = psf.carrier().persisted().unwrap();
    assert_eq!((record.root(), record.class()), (1, "DummyPsf"));
    let wcs = read(&source, &of_rows("wcs", Some("1:2"))).unwrap();
    assert!(downcast::<Wcs>(wcs.as_ref()).is_some());
    // The column is called `calib`, as in old files.
    let calib = read(&source, &of_rows("photoCalib", Some("0:1"))).unwrap();
    assert!(downcast::<PhotoCalib>(calib.as_ref()).is_some());
    match read(&source, &of_rows("psf", Some("1:2"))).unwrap_err() {
        FormatError::NoSuchPart { part, known, .. } => {
            assert_eq!((part.as_str(), known), ("psf", vec!["wcs".to_owned()]));
        }
        other => panic!("{other}"),
    }
    for rows in [None, Some("0:2")] {
        let said = read(&source, &of_rows("wcs", rows))
            .unwrap_err()
            .to_string();
        let expected = "each of 2 rows has a `wcs` of its own: row 0 (id=1), row 1 (id=2)";
        assert!(said.contains(expected), "{said}");
    }
    let none = read(&source, &of_rows("wcs", Some("0:0"))).unwrap_err();
    assert!(none.to_string().contains("no row of it"), "{none}");
    let beyond = read(&source, &of_rows("wcs", Some("2:3"))).unwrap_err();
    assert!(matches!(beyond, FormatError::NoSuchRows { rows: 2, .. }));
}

#[test]
fn a_table_of_one_row_needs_no_choice() {
    let Some(source) = real(ONE) else {
        return;
    };
    for (name, is_there) in [
        ("wcs", true),
        ("calib", true),
        ("visitInfo", true),
        ("psf", false),
    ] {
        let found = read(&source, &of_rows(name, None));
        assert_eq!(found.is_ok(), is_there, "{name}");
        if let Err(FormatError::NoSuchPart { known, .. }) = found {
            assert_eq!(known, ["wcs", "photoCalib", "visitInfo"]);
        }
    }
}

/// A catalogue of sources has an archive with footprints, and no coordinates: none are made up.
#[test]
fn other_catalogues_have_no_such_components() {
    let Some(source) = real("exposures/cfht/SRC-849375-12.fits") else {
        return;
    };
    for name in ["wcs", "photoCalib", "Footprint"] {
        let error = read(&source, &of_rows(name, None)).unwrap_err();
        assert!(matches!(error, FormatError::NoSuchPart { .. }), "{error}");
    }
}

#[test]
fn aliases_name_columns() {
    let Some(source) = real("catalogs/multiband/meas_g.fits") else {
        return;
    };
    let columns = |names: &[&str]| ReadRequest {
        columns: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..class("Table")
    };
    let asked = [
        "slot_Centroid_y",
        "id",
        "slot_PsfFlux_flag_badCentroid",
        "base_SdssCentroid_y",
        "slot_Shape_flag_badCentroid",
    ];
    let found = read(&source, &columns(&asked)).unwrap();
    let names = ["base_SdssCentroid_y", "id", "base_SdssCentroid_flag"];
    let found = downcast::<Table>(found.as_ref()).unwrap();
    assert_eq!(found.column_names().collect::<Vec<_>>(), names);
    let expected = read(&source, &columns(&names)).unwrap();
    assert_eq!(found.difference(expected.as_ref()), None);
    for wrong in ["slot_Centroid_z", "slot_Centroid", "slot_"] {
        let error = read(&source, &columns(&[wrong])).unwrap_err();
        assert!(matches!(error, FormatError::NoSuchPart { part, .. } if part == wrong));
    }
}

/// Without columns a table has rows, and without rows it has columns; neither reads a byte of the rows.
#[test]
fn what_a_table_says_of_itself_stands_in_headers() {
    for name in ["catalogs/multiband/meas_g.fits", ONE, "misc/ascii.fits"] {
        let Some(source) = real(name) else {
            return;
        };
        let layout = FitsFormatter.index(&source).unwrap().unwrap();
        let all = read(&source, &class("Table")).unwrap();
        let all = downcast::<Table>(all.as_ref()).unwrap();
        let contents = crate::fits::contents::Contents::walk(&source).unwrap();
        let headers = contents.shapes()[..2].iter();
        let headers: u64 = headers
            .map(|shape| shape.header.end - shape.header.start)
            .sum();
        let without = [
            ReadRequest {
                columns: Some(Vec::new()),
                ..class("Table")
            },
            ReadRequest {
                rows: Some(Default::default()),
                ..class("Table")
            },
        ];
        for (request, rows) in without.iter().zip([all.rows(), 0]) {
            source.taken();
            let found = FitsFormatter.read(&source, Some(&layout), request).unwrap();
            assert_eq!(source.taken().0, headers, "{name}");
            assert_eq!(
                FitsFormatter.locate(&layout, request).unwrap().bytes(),
                headers
            );
            let found = downcast::<Table>(found.as_ref()).unwrap();
            assert_eq!(found.rows(), rows, "{name}");
            if rows == 0 {
                assert_eq!(
                    found.batch().schema_ref(),
                    all.batch().schema_ref(),
                    "{name}"
                );
            } else {
                assert_eq!(found.column_names().count(), 0);
            }
        }
    }
}
