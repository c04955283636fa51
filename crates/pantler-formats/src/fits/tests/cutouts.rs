//! Cutouts of compressed images, and their decoding compared with that of another library.

use pantler_core::Formatter;
use pantler_core::formatter::{PixelBox, ReadRequest};
use pantler_core::object::downcast;
use pantler_objects::{Image, Pixels};

use super::support::{real, real_names};
use crate::fits::FitsFormatter;
use crate::fits::contents::Contents;
use crate::fits::plane::read_all_pixels;
use crate::fits::scaling::{Decoder, StoredPixel};
use crate::fits::structure::HduKind;
use crate::fits::tiles;

/// Every compressed image of the real files has, before scaling, the very bits that `fitsio-pure` makes of it.
#[test]
fn tiles_are_decoded_as_another_library_does() {
    let mut compared = 0;
    for name in real_names(&["exposures", "raw", "misc"]) {
        let source = real(&name).unwrap();
        let Ok(contents) = Contents::walk(&source) else {
            continue;
        };
        for (index, shape) in contents.shapes().iter().enumerate() {
            let HduKind::CompressedImage { bitpix, .. } = shape.kind else {
                continue;
            };
            let hdu = contents.hdu(index).unwrap();
            let data = contents.file().read(shape.data.clone()).unwrap();
            let Ok(theirs) = tiles::decode_by_other(&hdu, &data) else {
                continue;
            };
            let scaling = crate::fits::scaling::Scaling::of(&hdu);
            let theirs = scaling
                .decode(bitpix, &hdu.place, AsTheyAre(theirs))
                .unwrap();
            let ours = read_all_pixels(&contents, index, false).unwrap();
            assert_eq!(ours.pixel_type(), theirs.pixel_type(), "{name} {index}");
            assert_eq!(bits(&ours), bits(&theirs), "{name} {index}");
            compared += 1;
        }
    }
    assert!(
        compared > 3 || real("ORACLE.json").is_none(),
        "{compared} images"
    );
}

struct AsTheyAre(Pixels);

impl Decoder for AsTheyAre {
    fn decode<T: StoredPixel, U: pantler_objects::pixel_buffer::Number>(
        self,
        change: impl Fn(T) -> U + Sync,
    ) -> Result<pantler_objects::PixelBuffer<U>, pantler_core::FormatError> {
        let pixels = T::of(&self.0).unwrap();
        Ok(pixels.iter().map(|&pixel| change(pixel)).collect())
    }
}

fn bits(pixels: &Pixels) -> Vec<u64> {
    let values = (0..pixels.len()).map(|index| pixels.get_f64(index).unwrap().to_bits());
    values.collect()
}

/// A box of a compressed image is the same part of the whole, costs its tiles and little more, and that is what is foretold.
#[test]
fn a_cutout_of_a_compressed_image_reads_only_its_tiles() {
    let files = [
        "exposures/cfht/calexp-849375-12.fits.fz",
        "raw/lsstcamsim_7024032100720-R22-S11-det094.fits.fz",
    ];
    for name in files {
        let Some(source) = real(name) else {
            return;
        };
        let layout = FitsFormatter.index(&source).unwrap().unwrap();
        let shapes = Contents::walk(&source).unwrap().shapes().to_vec();
        let mut checked = 0;
        for (index, shape) in shapes.iter().enumerate() {
            let HduKind::CompressedImage { axes, .. } = &shape.kind else {
                continue;
            };
            let [width, height] = axes[..] else {
                continue;
            };
            let request = |bbox| ReadRequest {
                hdu: Some(index as u32),
                class: Some("Image".to_owned()),
                bbox,
                ..ReadRequest::default()
            };
            let whole = FitsFormatter.read(&source, Some(&layout), &request(None));
            let whole = whole.unwrap();
            let whole = downcast::<Image>(whole.as_ref()).unwrap();
            let full = whole.pixel_box();
            for (x, y, wide, high) in [
                (width / 3, height / 2, 40, 30),
                (0, 0, 1, 1),
                (width - 7, height - 3, 7, 3),
                (0, height - 2, width, 2),
            ] {
                let bbox = PixelBox {
                    x0: full.x0 + x as i64,
                    y0: full.y0 + y as i64,
                    width: wide,
                    height: high,
                };
                let expected = whole.section(bbox).unwrap();
                let foretold = FitsFormatter.locate(&layout, &request(Some(bbox))).unwrap();
                source.taken();
                let cut = FitsFormatter.read(&source, Some(&layout), &request(Some(bbox)));
                let (bytes, requests) = source.taken();
                let cut = cut.unwrap();
                let cut = downcast::<Image>(cut.as_ref()).unwrap();
                assert_eq!(
                    bits(cut.pixels()),
                    bits(expected.pixels()),
                    "{name} {index}"
                );
                // The tiles are rows; three times their mean share is more than any of them takes.
                let share = (shape.data.end - shape.data.start) * high * 3 / height;
                let headers = shapes[0].header.end + shape.header.end - shape.header.start;
                assert!(
                    bytes < headers + share + 16_384,
                    "{name} {index}: {bytes} of {headers} + {share}"
                );
                assert!(requests <= 2, "{name} {index}: {requests} requests");
                let told = foretold.bytes();
                assert!(
                    told < headers + share + 16_384,
                    "{name} {index}: {told} foretold"
                );

                let walked = FitsFormatter
                    .read(&source, None, &request(Some(bbox)))
                    .unwrap();
                let walked = downcast::<Image>(walked.as_ref()).unwrap();
                assert_eq!(
                    bits(walked.pixels()),
                    bits(expected.pixels()),
                    "{name} {index}"
                );
                checked += 1;
            }
            source.taken();
        }
        assert!(checked > 0, "{name}");
    }
}
