//! Operations on planes, each with values that were computed by hand.

use super::*;
use crate::pixels::Pixels;

fn delta(operation: &str, to: &str, planes: LackingPlanes) -> Delta {
    Delta::of(&Apply {
        operation: operation.into(),
        to: to.into(),
        planes,
    })
    .unwrap()
}

fn image(pixels: impl Into<Pixels>) -> ObjectRef {
    Arc::new(Image::new(pixels, 2, 1, 10, 20).unwrap())
}

fn mask(pixels: Vec<i32>, planes: &[(&str, u8)]) -> ObjectRef {
    let planes = planes.iter().map(|(name, bit)| ((*name).to_owned(), *bit));
    Arc::new(Mask::new(pixels, 2, 1, 10, 20, planes.collect()).unwrap())
}

fn bits(object: &ObjectRef) -> (Vec<i32>, Vec<(String, u8)>) {
    let mask: &Mask = downcast(object.as_ref()).unwrap();
    let planes = mask.planes().iter();
    (
        mask.pixels().to_vec(),
        planes.map(|(name, bit)| (name.clone(), *bit)).collect(),
    )
}

#[test]
fn r32_floats_are_computed_in_their_own_type() {
    let (a, b) = (vec![0.1f32, f32::MAX], vec![0.2f32, -f32::MAX]);
    let subtract = delta("subtract", "image", LackingPlanes::Error);
    let after = subtract
        .apply(&image(a.clone()), &image(b.clone()))
        .unwrap();
    let expected = image(vec![0.1f32 - 0.2f32, f32::INFINITY]);
    assert_eq!(after.difference(expected.as_ref()), None);
    // A 64-bit image takes 32-bit corrections; the other way round something would be lost.
    let wide = image(vec![1.0f64, 2.0]);
    let after = subtract.apply(&wide, &image(vec![0.1f32, 0.0])).unwrap();
    let expected = image(vec![1.0 - f64::from(0.1f32), 2.0]);
    assert_eq!(after.difference(expected.as_ref()), None);
    let refused = subtract.apply(&image(a), &wide).unwrap_err();
    assert!(matches!(refused, DeltaError::PixelType { .. }), "{refused}");
}

#[test]
fn r32_integers_that_overflow_are_an_error_that_names_the_pixel() {
    let add = delta("add", "image", LackingPlanes::Error);
    let fine = add
        .apply(&image(vec![1u16, 2]), &image(vec![3u16, 4]))
        .unwrap();
    assert_eq!(fine.difference(image(vec![4u16, 6]).as_ref()), None);
    let error = add
        .apply(&image(vec![1u16, 65535]), &image(vec![3u16, 4]))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the result at pixel (11, 20) is no uint16"
    );
}

#[test]
fn r33_planes_are_matched_by_name_where_their_bits_differ() {
    let base = mask(vec![0b001, 0b101], &[("BAD", 0), ("DETECTED", 2)]);
    let other = mask(vec![0b10, 0b01], &[("DETECTED", 1), ("BAD", 0)]);
    for (operation, expected) in [
        ("or", [0b101, 0b101]),
        ("and", [0b000, 0b001]),
        ("andNot", [0b001, 0b100]),
        ("replace", [0b100, 0b001]),
    ] {
        let after = delta(operation, "mask", LackingPlanes::Error)
            .apply(&base, &other)
            .unwrap();
        assert_eq!(bits(&after).0, expected, "{operation}");
    }
    // Of one plane the others stay.
    for (operation, expected) in [
        ("or", [0b101, 0b101]),
        ("and", [0b001, 0b001]),
        ("andNot", [0b001, 0b101]),
        ("replace", [0b101, 0b001]),
    ] {
        let after = delta(operation, "mask.DETECTED", LackingPlanes::Error)
            .apply(&base, &other)
            .unwrap();
        assert_eq!(bits(&after).0, expected, "{operation}");
    }
}

#[test]
fn r33_a_plane_that_one_side_lacks_follows_the_policy() {
    let base = mask(vec![0b01, 0b11], &[("BAD", 0), ("SAT", 1)]);
    let other = mask(vec![0b11, 0b00], &[("SAT", 1), ("DETECTED", 0)]);
    let error = delta("or", "mask", LackingPlanes::Error)
        .apply(&base, &other)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "only what is changed has the mask planes BAD"
    );
    let error = delta("or", "mask.DETECTED", LackingPlanes::Error)
        .apply(&base, &other)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "only the operation has the mask planes DETECTED"
    );
    // Added planes are empty on the side that lacked them.
    let added = delta("or", "mask", LackingPlanes::Add)
        .apply(&base, &other)
        .unwrap();
    let names = |planes: &[(&str, u8)]| -> Vec<(String, u8)> {
        planes.iter().map(|(n, b)| ((*n).to_owned(), *b)).collect()
    };
    let three = names(&[("BAD", 0), ("DETECTED", 2), ("SAT", 1)]);
    assert_eq!(bits(&added), (vec![0b111, 0b011], three));
    let and = delta("and", "mask", LackingPlanes::Add)
        .apply(&base, &other)
        .unwrap();
    assert_eq!(bits(&and).0, [0b000, 0b000]);
    // Ignored ones stay as they are, and bring nothing.
    let ignored = delta("and", "mask", LackingPlanes::Ignore)
        .apply(&base, &other)
        .unwrap();
    assert_eq!(
        bits(&ignored),
        (vec![0b01, 0b01], names(&[("BAD", 0), ("SAT", 1)]))
    );
    let ignored = delta("or", "mask.DETECTED", LackingPlanes::Ignore)
        .apply(&base, &other)
        .unwrap();
    assert_eq!(bits(&ignored), bits(&base));
    let neither = delta("or", "mask.STREAK", LackingPlanes::Add)
        .apply(&base, &other)
        .unwrap_err();
    assert_eq!(
        neither.to_string(),
        "neither side has the mask planes STREAK"
    );
}

#[test]
fn r33_a_mask_without_a_free_bit_takes_no_further_plane() {
    let names: Vec<String> = (0..32).map(|bit| format!("P{bit}")).collect();
    let planes: Vec<(&str, u8)> = names.iter().map(String::as_str).zip(0u8..).collect();
    let full = mask(vec![0, 0], &planes);
    let other = mask(vec![1, 0], &[("DETECTED", 0)]);
    let error = delta("or", "mask.DETECTED", LackingPlanes::Add)
        .apply(&full, &other)
        .unwrap_err();
    assert!(matches!(error, DeltaError::NoBit { .. }), "{error}");
    // The highest bit is a bit like the others.
    let top = mask(vec![i32::MIN, 0], &[("DETECTED", 31)]);
    let after = delta("or", "mask.DETECTED", LackingPlanes::Error)
        .apply(&mask(vec![0, 0], &[("DETECTED", 0)]), &top)
        .unwrap();
    assert_eq!(bits(&after).0, [1, 0]);
}

#[test]
fn r32_an_operation_without_meaning_or_of_another_shape_is_refused() {
    for (operation, to) in [("subtract", "mask"), ("or", "image"), ("minus", "image")] {
        let apply = Apply {
            operation: operation.into(),
            to: to.into(),
            planes: LackingPlanes::Error,
        };
        assert!(Delta::of(&apply).is_err(), "{operation} {to}");
    }
    let small: ObjectRef = Arc::new(Image::new(vec![1.0f32], 1, 1, 10, 20).unwrap());
    let subtract = delta("subtract", "image", LackingPlanes::Error);
    let error = subtract
        .apply(&image(vec![1.0f32, 2.0]), &small)
        .unwrap_err();
    assert!(matches!(error, DeltaError::Box { .. }), "{error}");
    let error = subtract
        .apply(&image(vec![1.0f32, 2.0]), &mask(vec![0, 0], &[]))
        .unwrap_err();
    assert!(error.to_string().contains("must be an Image"), "{error}");
}
