//! Pixels and structure compared with what astropy makes of the same files.

use pantler_objects::Pixels;
use pantler_testkit::test_data;
use serde_json::Value;

use super::sha256::sha256;
use super::support::real;
use crate::fits::contents::Contents;
use crate::fits::plane::read_all_pixels;

/// The whole list of what we read on purpose in another way than astropy does by default: file, HDU, reason. Tables and
/// coordinates have no entry here, and their tests count all that they compare.
const DELIBERATE_DIFFERENCES: &[(&str, u64, &str)] = &[(
    "exposures/small_gaussianpsf.fits",
    2,
    "a mask with BLANK, which astropy turns into floats; read as bits it must stay integers",
)];

#[test]
fn every_image_has_the_pixels_that_astropy_reads() {
    let Some(path) = test_data("ORACLE.json") else {
        return;
    };
    let oracle: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut images = 0;
    for (name, hdus) in oracle.as_object().unwrap() {
        let source = real(name).unwrap();
        let contents = Contents::walk(&source).unwrap();
        contents.check_whole().unwrap();
        let hdus = hdus.as_array().unwrap();
        assert_eq!(
            contents.shapes().len(),
            hdus.len(),
            "{name}: number of HDUs"
        );
        for expected in hdus {
            let index = expected["hdu"].as_u64().unwrap();
            let Some(digest) = expected["sha256"].as_str() else {
                continue;
            };
            let exception = DELIBERATE_DIFFERENCES
                .iter()
                .any(|(file, hdu, _)| (*file, *hdu) == (name, index));
            let pixels = read_all_pixels(&contents, index as usize, exception).unwrap();
            images += 1;
            if exception {
                assert_eq!(pixels.pixel_type().to_string(), "int32", "{name} {index}");
                continue;
            }
            let dtype = expected["dtype"].as_str().unwrap();
            assert_eq!(pixels.pixel_type().to_string(), dtype, "{name} {index}");
            assert_eq!(sha256(&little_endian(&pixels)), digest, "{name} {index}");
        }
    }
    assert_eq!(images, 173, "images compared");
}

#[test]
fn every_header_has_as_many_cards_as_astropy_counts() {
    let Some(path) = test_data("ORACLE.json") else {
        return;
    };
    let oracle: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut compared = 0;
    for (name, hdus) in oracle.as_object().unwrap() {
        let source = real(name).unwrap();
        let contents = Contents::walk(&source).unwrap();
        for expected in hdus.as_array().unwrap() {
            // Of a compressed image, astropy shows the header that the image had before.
            if expected["kind"] == "CompImageHDU" {
                continue;
            }
            let index = expected["hdu"].as_u64().unwrap() as usize;
            let hdu = contents.hdu(index).unwrap();
            assert_eq!(
                hdu.cards.len() as u64,
                expected["cards"].as_u64().unwrap(),
                "{name} {index}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 403, "headers compared");
}

fn little_endian(pixels: &Pixels) -> Vec<u8> {
    fn all<T: Copy, const N: usize>(pixels: &[T], write: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        pixels.iter().flat_map(|&pixel| write(pixel)).collect()
    }
    match pixels {
        Pixels::U8(pixels) => pixels.to_vec(),
        Pixels::I8(pixels) => all(pixels, i8::to_le_bytes),
        Pixels::U16(pixels) => all(pixels, u16::to_le_bytes),
        Pixels::I16(pixels) => all(pixels, i16::to_le_bytes),
        Pixels::U32(pixels) => all(pixels, u32::to_le_bytes),
        Pixels::I32(pixels) => all(pixels, i32::to_le_bytes),
        Pixels::U64(pixels) => all(pixels, u64::to_le_bytes),
        Pixels::I64(pixels) => all(pixels, i64::to_le_bytes),
        Pixels::F32(pixels) => all(pixels, f32::to_le_bytes),
        Pixels::F64(pixels) => all(pixels, f64::to_le_bytes),
    }
}
