//! Records that no honest program wrote: errors, never a panic, and never much memory.

use proptest::prelude::*;

use super::*;
use crate::archive::Archive;
use crate::metadata::Metadata;
use crate::test_records::{catalog, ints, reals};
use crate::{Carrier, Component};

#[test]
fn impossible_sizes_are_refused() {
    for (width, height) in [
        (0, 3),
        (-1, 3),
        (i32::MAX, i32::MAX),
        (1, i32::MAX),
        (i32::MIN, 1),
    ] {
        let error = refusal(gaussian(width, height, 1.0));
        assert!(matches!(error, DecodeError::Damaged { .. }), "{error}");
    }
    for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = refusal(gaussian(3, 3, sigma)).to_string();
        assert!(error.contains("sigma"), "{error}");
    }
    let lacking = object(1, "GaussianPsf", dimensions(3, 3));
    assert!(matches!(refusal(vec![lacking]), DecodeError::Column { .. }));
}

#[test]
fn a_psf_of_cards_has_no_image() {
    let component = Component::new("Psf", Carrier::Header(Metadata::default()));
    let error = Psf::of(&component).unwrap_err();
    assert!(matches!(error, DecodeError::Unsupported { .. }), "{error}");
}

fn kernel_psf(kernel: i32) -> ArchiveObject {
    let average = [
        real("averagePosition_x", 0.0),
        real("averagePosition_y", 0.0),
    ];
    let mut row = vec![int("kernel", kernel)];
    row.extend(average);
    object(1, "KernelPsf", row)
}

fn kernel_row(more: Row) -> Row {
    let mut row = dimensions(1, 1);
    row.extend([int("center_x", 0), int("center_y", 0)]);
    row.extend(more);
    row
}

#[test]
fn kernels_that_contradict_themselves_are_refused() {
    assert!(matches!(
        refusal(vec![kernel_psf(7)]),
        DecodeError::Damaged { .. }
    ));
    let strange = object(2, "StrangeKernel", kernel_row(Vec::new()));
    let error = refusal(vec![kernel_psf(2), strange]);
    assert!(matches!(&error, DecodeError::Unsupported { class, .. } if class == "StrangeKernel"));
    let short = object(
        2,
        "FixedKernel",
        kernel_row(vec![reals("image", &[1.0, 2.0])]),
    );
    assert!(matches!(
        refusal(vec![kernel_psf(2), short]),
        DecodeError::Damaged { .. }
    ));
    let mut outside = dimensions(1, 1);
    outside.extend([
        int("center_x", 1),
        int("center_y", 0),
        reals("image", &[1.0]),
    ]);
    let outside = object(2, "FixedKernel", outside);
    assert!(matches!(
        refusal(vec![kernel_psf(2), outside]),
        DecodeError::Damaged { .. }
    ));
    // A combination that is a component of itself.
    let ring = kernel_row(vec![ints("components", &[2]), reals("amplitudes", &[1.0])]);
    let ring = object(2, "LinearCombinationKernel", ring);
    assert!(matches!(
        refusal(vec![kernel_psf(2), ring]),
        DecodeError::Unsupported { .. }
    ));
}

/// Nothing to normalise: the kernel's sum is 0.
#[test]
fn a_kernel_without_flux_has_no_image() {
    let empty = object(2, "FixedKernel", kernel_row(vec![reals("image", &[0.0])]));
    let psf = psf(&persisted(vec![kernel_psf(2), empty]));
    let error = psf.image_at(3.0, 4.0).unwrap_err();
    assert!(matches!(error, DecodeError::Damaged { .. }), "{error}");
    let gaussian = Psf::of_record(&persisted(gaussian(3, 3, 1.0))).unwrap();
    assert!(
        gaussian.image_at(f64::NAN, 0.0).is_ok(),
        "it is the same everywhere"
    );
}

/// One component named a million times would take memory that the file does not have.
#[test]
fn many_references_take_no_memory() {
    let many = vec![3; 100_000];
    let mut row = dimensions(64, 64);
    row.extend([
        int("center_x", 0),
        int("center_y", 0),
        ints("components", &many),
    ]);
    row.push(reals("amplitudes", &vec![1.0; 100_000]));
    let kernel = object(2, "LinearCombinationKernel", row);
    let error = refusal(vec![kernel_psf(2), kernel]).to_string();
    assert!(error.contains("too many"), "{error}");
}

fn psfex_record(sizes: &[i32], degree: i32, step: f64, values: &[f64]) -> Result<Psf, DecodeError> {
    let numbers = vec![
        real("_pixstep", step),
        real("averagePosition_x", 0.0),
        real("averagePosition_y", 0.0),
    ];
    let arrays = vec![
        ints("group", &[0, 0]),
        ints("degree", &[degree]),
        ints("_size", sizes),
        reals("_comp", values),
        reals("_context_first", &[0.0, 0.0]),
        reals("_context_second", &[1.0, 1.0]),
    ];
    let catalogs = vec![catalog(0, &[numbers]), catalog(1, &[arrays])];
    let archive = Archive::new([ArchiveObject::new(1, "PsfexPsf", "", catalogs)]).unwrap();
    Psf::of_record(&archive.persisted(1).unwrap())
}

#[test]
fn psfex_records_that_contradict_themselves_are_refused() {
    assert!(psfex_record(&[3, 1, 1], 0, 0.5, &[1.0; 3]).is_ok());
    assert!(psfex_record(&[3, 1], 0, 0.5, &[1.0; 3]).is_ok());
    assert!(psfex_record(&[3, 1, 1], 1, 0.5, &[1.0; 3]).is_err());
    assert!(psfex_record(&[3, 1, 3], 1, 0.5, &[1.0; 3]).is_err());
    assert!(psfex_record(&[3], 0, 0.5, &[1.0; 3]).is_err());
    assert!(psfex_record(&[3, 1, -1], 0, 0.5, &[1.0; 3]).is_err());
    assert!(psfex_record(&[3, 1, 1], 0, 0.0, &[1.0; 3]).is_err());
    assert!(psfex_record(&[3, 1, 1], 0, 1e300, &[1.0; 3]).is_err());
    assert!(psfex_record(&[3, 1, 1], -1, 0.5, &[1.0; 3]).is_err());
}

proptest! {
    /// Whatever a record says, there is an image of flux 1 or an error.
    #[test]
    fn any_psfex_record_is_an_image_or_an_error(
        sizes in proptest::collection::vec(-2_i32..5, 0..4),
        degree in -1_i32..4,
        step in prop_oneof![Just(1e-9), 0.01_f64..3.0, Just(f64::MAX)],
        values in proptest::collection::vec(-1.0_f64..1.0, 0..30),
        x in -1e3_f64..1e3,
    ) {
        if let Ok(psf) = psfex_record(&sizes, degree, step, &values)
            && let Ok(image) = psf.image_at(x, 2.0)
        {
            prop_assert!((sum(&image) - 1.0).abs() < 1e-6);
        }
    }
}
