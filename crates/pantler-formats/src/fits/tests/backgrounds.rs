//! Backgrounds read, written, and refused.

use std::sync::Arc;

use pantler_core::formatter::{PixelBox, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{Formatter, ObjectRef};
use pantler_objects::background::Interpolation;
use pantler_objects::{Background, BackgroundLayer, Image, Mask};

use super::support::{Counted, class, real};
use crate::fits::FitsFormatter;

const CFHT: &str = "exposures/cfht/bkgd-849375-12.fits";

fn read(source: &Counted, request: &ReadRequest) -> ObjectRef {
    FitsFormatter.read(source, None, request).unwrap()
}

/// The file says what it is, with and without a policy that does, and with and without a layout.
#[test]
fn a_real_background_is_recognised() {
    let Some(source) = real(CFHT) else { return };
    let told = read(&source, &class("Background"));
    let guessed = read(&source, &ReadRequest::default());
    assert_eq!(told.difference(guessed.as_ref()), None);
    let layout = FitsFormatter.index(&source).unwrap().unwrap();
    let request = ReadRequest::default();
    let laid_out = FitsFormatter
        .read(&source, Some(&layout), &request)
        .unwrap();
    assert_eq!(told.difference(laid_out.as_ref()), None);
    let place = FitsFormatter.locate(&layout, &request).unwrap();
    assert_eq!(place.ranges, [0..source.size()]);
    let background = downcast::<Background>(told.as_ref()).unwrap();
    assert_eq!(background.layers().len(), 4);
    for layer in background.layers() {
        assert_eq!(layer.cells(), (17, 37));
        assert!(layer.mask().unwrap().planes().contains_key("NO_DATA"));
        assert!(layer.variance().is_some());
    }
    let one_of_four = ReadRequest {
        hdu: Some(9),
        ..class("Background")
    };
    let last = read(&source, &one_of_four);
    let last = downcast::<Background>(last.as_ref()).unwrap();
    assert_eq!(last.layers().len(), 1);
}

fn made() -> ObjectRef {
    let bbox = PixelBox {
        x0: 100,
        y0: -50,
        width: 40,
        height: 60,
    };
    let levels = Image::new(vec![1.5_f32; 30], 5, 6, 0, 0).unwrap();
    let planes = [("BAD".to_owned(), 0)].into_iter().collect();
    let mask = Mask::new(vec![0; 30], 5, 6, 0, 0, planes).unwrap();
    let style = Interpolation::Akima;
    let layer = BackgroundLayer::new(&levels, Some(&mask), Some(&levels), bbox, style, None);
    Arc::new(Background::new([layer.unwrap()]))
}

/// A background that was made in memory is the same in a file, whatever the recipe, as its reader knows no compression.
#[test]
fn a_new_background_survives_a_file() {
    let background = made();
    let bytes = FitsFormatter
        .write(&background, &WriteOptions::default())
        .unwrap();
    let lossless = WriteOptions {
        recipe: Some("lossless".to_owned()),
        ..WriteOptions::default()
    };
    assert!(bytes == FitsFormatter.write(&background, &lossless).unwrap());
    let again = read(&Counted::new("new.fits", bytes), &ReadRequest::default());
    assert_eq!(background.difference(again.as_ref()), None);
    let again = downcast::<Background>(again.as_ref()).unwrap();
    assert_eq!(again.bbox().unwrap().y0, -50);
    assert_eq!(again.layers()[0].interpolation(), Interpolation::Akima);
}

#[test]
fn what_is_no_background_is_refused() {
    let empty: ObjectRef = Arc::new(Background::new([]));
    assert!(
        FitsFormatter
            .write(&empty, &WriteOptions::default())
            .is_err()
    );
    let bytes = FitsFormatter
        .write(&made(), &WriteOptions::default())
        .unwrap();
    let cut = ReadRequest {
        bbox: Some(PixelBox {
            x0: 0,
            y0: 0,
            width: 1,
            height: 1,
        }),
        ..class("Background")
    };
    let source = Counted::new("new.fits", bytes.clone());
    assert!(FitsFormatter.read(&source, None, &cut).is_err());
    let two = Counted::new("two.fits", bytes.slice(..bytes.len() / 3 * 2));
    let error = FitsFormatter
        .read(&two, None, &class("Background"))
        .unwrap_err();
    assert!(
        error.to_string().contains("three for each layer"),
        "{error}"
    );
    let Some(exposure) = real("exposures/scienceMI.fits") else {
        return;
    };
    assert!(
        FitsFormatter
            .read(&exposure, None, &class("Background"))
            .is_err()
    );
}
