//! Expected numbers were computed with `numpy.polynomial.chebyshev.chebval2d` (numpy 2.4) out of the columns that astropy
//! reads, and for the flux fit with a program of its own (numpy, astropy's columns, vectors on the tangent plane).

use super::*;
use crate::archive::{ArchiveObject, Catalog};
use crate::metadata::Metadata;
use crate::real_files::{archive, first_of};
use crate::record::{RecordRows, RecordTable};
use bytes::Bytes;
use std::sync::Arc;

fn close(found: f64, expected: f64) -> bool {
    (found / expected - 1.0).abs() < 1e-11
}

fn boxed(x0: i64, y0: i64, width: u64, height: u64) -> PixelBox {
    PixelBox {
        x0,
        y0,
        width,
        height,
    }
}

/// T_0 = 1, T_1 = x, T_2 = 2x² - 1, each in its own order; -1 and 1 are the outer edges of the first and last pixel.
#[test]
fn coefficients_are_ordered_by_y_then_x() {
    let field =
        ChebyshevField::new(boxed(10, 20, 4, 8), vec![1.0, 2.0, 3.0, 5.0, 7.0, 11.0], 3).unwrap();
    assert_eq!(field.orders(), (2, 1));
    let rows: Vec<&[f64]> = field.coefficients().collect();
    assert_eq!(rows, [[1.0, 2.0, 3.0], [5.0, 7.0, 11.0]]);
    // The left edge is x' = -1, the middle of the rows y' = 0; the right upper corner is (1, 1).
    let values = field.evaluate(&[(9.5, 23.5), (13.5, 27.5), (11.5, 19.5), (12.5, 23.5)]);
    assert_eq!(values[0], 1.0 - 2.0 + 3.0);
    assert_eq!(values[1], 1.0 + 2.0 + 3.0 + 5.0 + 7.0 + 11.0);
    assert_eq!(values[2], 1.0 - 3.0 - (5.0 - 11.0));
    // x' = 1/2: T_2 = -1/2.
    assert_eq!(values[3], 1.0 + 1.0 - 1.5);
    assert_eq!(field.constant(), None);
}

#[test]
fn a_constant_needs_no_box() {
    let field = ChebyshevField::new(boxed(0, 0, 0, 0), vec![7.5], 1).unwrap();
    assert_eq!(field.evaluate(&[(0.0, 0.0), (1e4, -3.0)]), [7.5, 7.5]);
    assert_eq!(field.constant(), Some(7.5));
}

#[test]
fn coefficients_that_do_not_fit_are_refused() {
    for (bbox, coefficients, columns) in [
        (boxed(0, 0, 4, 4), vec![1.0; 5], 2),
        (boxed(0, 0, 4, 4), vec![1.0; 4], 0),
        (boxed(0, 0, 4, 4), Vec::new(), 1),
        (boxed(0, 0, 0, 0), vec![1.0; 4], 2),
    ] {
        let refused = ChebyshevField::new(bbox, coefficients, columns);
        assert!(matches!(refused, Err(DecodeError::Damaged { .. })));
    }
}

#[test]
fn real_aperture_corrections_are_those_of_numpy() {
    let Some(found) = archive("exposures/hsc_calexp_full.fits") else {
        return;
    };
    let fields = found
        .iter()
        .filter(|object| object.class() == "ChebyshevBoundedField");
    let fields: Vec<BoundedField> = fields
        .map(|object| BoundedField::read_at(&found, object.id()).unwrap())
        .collect();
    assert_eq!(fields.len(), 47);
    let first = |field: &BoundedField| match field {
        BoundedField::Chebyshev(field) => field.coefficients().next().unwrap()[0],
        _ => panic!("not a Chebyshev field"),
    };
    let field = fields
        .iter()
        .find(|field| first(field) == 0.9807536125663301);
    let field = field.unwrap();
    assert_eq!(field.bbox(), boxed(0, 0, 2048, 4176));
    let pixels = [
        (0.0, 0.0),
        (1023.5, 2087.5),
        (2047.0, 4175.0),
        (300.25, 4000.5),
        // Outside of the box it goes on.
        (-100.0, 5000.0),
    ];
    let expected = [
        0.968731279976585,
        0.9580255361944011,
        0.9606553106261265,
        1.0157423967288686,
        1.0912859120530967,
    ];
    for (found, expected) in field.evaluate(&pixels).into_iter().zip(expected) {
        assert!(close(found, expected), "{found} {expected}");
    }
    assert_eq!(field.value_at(1023.5, 2087.5), field.evaluate(&pixels)[1]);
}

#[test]
fn the_flux_fit_of_a_real_file_is_evaluated() {
    let file = "exposures/joint/8766/jointcal_photoCalib-0011506-050.fits";
    let Some(found) = archive(file) else { return };
    let field = BoundedField::read(&first_of(&found, "FluxFitBoundedField")).unwrap();
    assert_eq!(field.bbox(), boxed(0, 0, 2048, 4176));
    let pixels = [
        (0.0, 0.0),
        (1023.5, 2087.5),
        (2047.0, 4175.0),
        (300.0, 4000.0),
    ];
    let expected = [
        9.772333786990384e-14,
        9.759496576521599e-14,
        9.728629825833051e-14,
        9.796519583234496e-14,
    ];
    for (found, expected) in field.evaluate(&pixels).into_iter().zip(expected) {
        // Areas are differences of positions, in both programs.
        assert!((found / expected - 1.0).abs() < 1e-8, "{found} {expected}");
    }
}

/// Makes a record of one 32-bit column out of its values.
fn integers(id: i32, class: &str, column: &str, values: &[i32]) -> ArchiveObject {
    let header = Metadata::default()
        .with("NAXIS1", 4_i64, None)
        .with("TFIELDS", 1_i64, None)
        .with("TTYPE1", column, None)
        .with("TFORM1", "1J", None);
    let table = Arc::new(RecordTable::from_header(header).unwrap());
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
    let rows = RecordRows::new(table, Bytes::from(bytes), Vec::new()).unwrap();
    ArchiveObject::new(
        id,
        class,
        "lsst.afw.math",
        vec![Catalog { number: 0, rows }],
    )
}

#[test]
fn a_product_multiplies_its_factors() {
    let file = "exposures/components/photoCalib-version1.fits";
    let Some(found) = archive(file) else { return };
    let factor = first_of(&found, "ChebyshevBoundedField").root();
    let product = integers(90, "ProductBoundedField", "id", &[factor, factor]);
    let objects = found.iter().map(|object| object.as_ref().clone());
    let all = Archive::new(objects.chain([product])).unwrap();
    assert!(all.closure(&[90]).contains(&factor));
    let field = BoundedField::read_at(&all, 90).unwrap();
    assert_eq!(field.value_at(3.0, 4.0), 123.0 * 123.0);
    assert_eq!(field.class(), "ProductBoundedField");
}

#[test]
fn rings_and_strangers_are_refused() {
    let ring = integers(1, "ProductBoundedField", "id", &[1, 1]);
    let stranger = integers(2, "TransformBoundedField", "id", &[0]);
    let lost = integers(3, "ProductBoundedField", "id", &[77]);
    let all = Archive::new([ring, stranger, lost]).unwrap();
    let refused = |id| BoundedField::read_at(&all, id).unwrap_err();
    assert!(matches!(refused(1), DecodeError::Damaged { .. }));
    assert!(matches!(refused(3), DecodeError::Damaged { .. }));
    assert!(
        matches!(refused(2), DecodeError::Unsupported { class, .. } if class == "TransformBoundedField")
    );
    assert!(matches!(refused(99), DecodeError::Damaged { .. }));
}
