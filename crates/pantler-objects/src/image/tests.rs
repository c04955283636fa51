//! Images, masks and masked images: sizes, sections, statistics, what is the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::formatter::PixelBox;
use pantler_core::object::ComponentError;
use pantler_core::{Object, ObjectRef};
use proptest::prelude::*;

use super::{Image, ImageError};
use crate::metadata::Metadata;
use crate::pixels::Pixels;
use crate::{Mask, MaskStorage, MaskedImage, Wcs};

fn pixel_box(x0: i64, y0: i64, width: u64, height: u64) -> PixelBox {
    PixelBox {
        x0,
        y0,
        width,
        height,
    }
}

fn counting(width: u64, height: u64, x0: i64, y0: i64) -> Image {
    let pixels: Vec<i32> = (0..(width * height) as i32).collect();
    Image::new(pixels, width, height, x0, y0).unwrap()
}

/// The size is checked before anything else, also where the product of the sides overflows.
#[test]
fn pixels_must_fill_the_image() {
    assert!(Image::new(vec![0_u8; 6], 3, 2, 0, 0).is_ok());
    assert!(Image::new(vec![0_u8; 5], 3, 2, 0, 0).is_err());
    assert!(Image::new(Vec::<u8>::new(), 0, 5, 0, 0).is_ok());
    assert!(Image::new(Vec::<u8>::new(), 1 << 32, 1 << 32, 0, 0).is_err());
    let planes = BTreeMap::from([("HIGH".to_owned(), 32)]);
    let refused = Mask::new(vec![0], 1, 1, 0, 0, planes).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the mask plane `HIGH` cannot have the bit 32"
    );
}

#[test]
fn statistics_leave_out_what_is_not_finite() {
    let pixels = vec![
        1.0_f32,
        f32::NAN,
        4.0,
        f32::INFINITY,
        -2.0,
        f32::NEG_INFINITY,
    ];
    let found = Image::new(pixels, 3, 2, 0, 0)
        .unwrap()
        .statistics()
        .unwrap();
    assert_eq!(
        (found.count, found.min, found.max, found.mean),
        (3, -2.0, 4.0, 1.0)
    );
    assert_eq!(
        Image::new(vec![f64::NAN], 1, 1, 0, 0).unwrap().statistics(),
        None
    );
    assert_eq!(
        Pixels::from(vec![200_u8, 100]).statistics().unwrap().mean,
        150.0
    );
}

/// NaNs with the same bits are the same, others are not; two types are never the same.
#[test]
fn pixels_compare_by_their_bits() {
    let image = |bits: u32| Image::new(vec![f32::from_bits(bits)], 1, 1, 0, 0).unwrap();
    let (nan, other) = (image(0x7fc0_0000), image(0x7fc0_0001));
    assert_eq!(nan.difference(&image(0x7fc0_0000)), None);
    assert!(nan.difference(&other).is_some());
    assert_ne!(nan.digest_values(), other.digest_values());
    let (bytes, shorts) = (
        Image::new(vec![1_u8], 1, 1, 0, 0).unwrap(),
        Image::new(vec![1_i16], 1, 1, 0, 0).unwrap(),
    );
    assert_eq!(
        bytes.difference(&shorts).unwrap(),
        "has pixels of type uint8 and int16"
    );
    assert_ne!(bytes.digest_values(), shorts.digest_values());
    let moved = Image::new(vec![1_u8], 1, 1, 5, 0).unwrap();
    assert_eq!(
        bytes.difference(&moved).unwrap(),
        "covers 1x1 at (0, 0) and 1x1 at (5, 0)"
    );
}

/// Its origin is the image's own, so the cards that repeat it do not count; nor does the type that a mask is stored in.
#[test]
fn what_only_repeats_or_stores_makes_no_difference() {
    let header = Metadata::default()
        .with("LTV1", -5.0, None)
        .with("CTYPE1A", "LINEAR", None)
        .with("CTYPE2A", "LINEAR", None)
        .with("CRVAL1A", 5.0, None)
        .with("MP_BAD", 0_i64, None);
    let plain = counting(2, 2, 5, 0);
    let with_cards = plain.with_header(Arc::new(header.clone()));
    assert_eq!(plain.difference(&with_cards), None);
    assert_eq!(plain.digest_values(), with_cards.digest_values());
    let counted = plain.with_header(Arc::new(header.with("BUNIT", "adu", None)));
    assert!(plain.difference(&counted).is_some());
    let mask = Mask::new(
        vec![1; 4],
        2,
        2,
        0,
        0,
        BTreeMap::from([("BAD".to_owned(), 0)]),
    )
    .unwrap();
    let stored = mask.with_storage(MaskStorage::U16);
    assert_eq!(mask.difference(&stored), None);
    assert_eq!(mask.digest_values(), stored.digest_values());
    assert!(mask.pixels().ptr_eq(stored.pixels()));
    assert_eq!((mask.count("BAD"), mask.count("CR")), (Some(4), None));
}

/// The coordinates of a header are a component of the image, the same one each time, and can be replaced.
#[test]
fn r11_an_image_has_the_coordinates_of_its_header() {
    let cards = |value: f64| {
        Metadata::default()
            .with("CTYPE1", "RA---TAN", None)
            .with("CTYPE2", "DEC--TAN", None)
            .with("CRPIX1", 3.0, None)
            .with("CRPIX2", 4.0, None)
            .with("CRVAL1", value, None)
            .with("CRVAL2", value, None)
            .with("CD1_1", 1e-4, None)
            .with("CD2_2", 1e-4, None)
    };
    let header = cards(10.0)
        .with("A_ORDER", 2_i64, None)
        .with("BUNIT", "adu", None);
    let image = counting(5, 5, 100, 200).with_header(Arc::new(header));
    let wcs = image.component("wcs").unwrap();
    assert!(Arc::ptr_eq(&wcs, &image.component("skyWcs").unwrap()));
    let at = image
        .wcs()
        .unwrap()
        .pixel_to_sky(&[(102.0, 203.0)])
        .unwrap()[0];
    assert!(
        (at.0 - 10.0).abs() < 1e-9 && (at.1 - 10.0).abs() < 1e-9,
        "{at:?}"
    );
    // Cards of another cutout of the same parent are moved to this one's place.
    let other: ObjectRef = Arc::new(Wcs::from_header(cards(20.0), 90, 190));
    let replaced = image.with_component("wcs", &other).unwrap();
    let metadata = replaced.component("metadata").unwrap();
    let header = pantler_core::object::downcast::<Metadata>(metadata.as_ref()).unwrap();
    assert_eq!(header.get_f64("CRVAL1"), Some(20.0));
    assert_eq!(header.get_f64("CRPIX1"), Some(-7.0));
    assert_eq!(header.get_text("BUNIT"), Some("adu"));
    assert!(header.get("A_ORDER").is_none());
    assert!(counting(1, 1, 0, 0).component("wcs").is_none());
}

#[test]
fn a_masked_image_takes_planes_that_fit() {
    let image = Arc::new(counting(4, 3, 10, 20));
    let mask = Arc::new(Mask::new(vec![0; 12], 4, 3, 10, 20, BTreeMap::new()).unwrap());
    let whole =
        MaskedImage::new(Some(Arc::clone(&image)), Some(mask), None, Arc::default()).unwrap();
    assert_eq!(
        whole.component_names(),
        ["image", "mask", "metadata", "bbox"]
    );
    let component = whole.component("image").unwrap();
    assert!(Arc::ptr_eq(&component, &(Arc::clone(&image) as ObjectRef)));
    let mut pixels: Vec<i32> = (0..12).collect();
    pixels[5] = 99;
    let other: ObjectRef = Arc::new(Image::new(pixels, 4, 3, 10, 20).unwrap());
    let replaced = whole.with_component("image", &other).unwrap();
    assert_eq!(
        whole.difference(replaced.as_ref()).unwrap(),
        "image differs at pixel (11, 21): 5 and 99"
    );
    assert_ne!(whole.digest_values(), replaced.digest_values());
    assert!(Arc::ptr_eq(
        &whole.component("mask").unwrap(),
        &replaced.component("mask").unwrap()
    ));
    let moved: ObjectRef = Arc::new(counting(4, 3, 0, 0));
    let refused = whole.with_component("image", &moved);
    assert!(matches!(refused, Err(ComponentError::Unsuitable { .. })));
    let refused = whole.with_component("psf", &moved);
    assert!(matches!(refused, Err(ComponentError::Unknown { .. })));
}

proptest! {
    /// A section has the pixels of its place, and what reaches outside is refused.
    #[test]
    fn sections_are_cut_where_they_lie(
        (x0, y0) in (-5_i64..5, -5_i64..5),
        (width, height) in (1_u64..6, 1_u64..6),
        (x, y) in (-6_i64..10, -6_i64..10),
        (wide, high) in (0_u64..6, 0_u64..6),
    ) {
        let image = counting(width, height, x0, y0);
        let wanted = pixel_box(x, y, wide, high);
        let inside = x >= x0
            && y >= y0
            && x + wide as i64 <= x0 + width as i64
            && y + high as i64 <= y0 + height as i64;
        match image.section(wanted) {
            Ok(section) => {
                prop_assert!(inside);
                prop_assert_eq!(section.pixel_box(), wanted);
                for row in 0..high {
                    for column in 0..wide {
                        let there = (y - y0) as u64 + row;
                        let expected = there * width + (x - x0) as u64 + column;
                        let found = section.pixels().get_f64((row * wide + column) as usize);
                        prop_assert_eq!(found, Some(expected as f64));
                    }
                }
            }
            Err(error) => {
                prop_assert!(!inside);
                let outside = matches!(error, ImageError::Outside { .. });
                prop_assert!(outside);
            }
        }
    }

    /// No rectangle, however large its numbers, makes a section panic.
    #[test]
    fn hostile_sections_are_refused(x in any::<i64>(), y in any::<i64>(), wide in 3_u64.., high in 3_u64..) {
        let mask = Mask::new(vec![0; 4], 2, 2, i64::MAX - 1, i64::MIN, BTreeMap::new()).unwrap();
        prop_assert!(mask.section(pixel_box(x, y, wide, high)).is_err());
    }
}
