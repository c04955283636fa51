//! Arrays of NumPy (`.npy`): the pixels of an image and nothing else.
//!
//! An array of two axes is an image whose rows are its first axis, as astropy and NumPy have it. Both orders of storage and
//! both orders of bytes are read; written are rows one after the other, little-endian. Header cards and the place of the first
//! pixel have no room in such a file. (NumPy, `numpy.lib.format`, versions 1.0 to 3.0.)

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PartLocation, PixelBox, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, ObjectRef, Source};
use pantler_objects::{Image, Pixels};

use crate::whole::{corrupt, part, unfit};

/// The bytes with which a file starts.
const MAGIC: &[u8] = b"\x93NUMPY";

/// A header is fetched with so many bytes, and most take fewer.
const FIRST_REQUEST: u64 = 256;

/// No header is longer.
const LONGEST_HEADER: u64 = 1 << 16;

/// The pixels start at a multiple of this.
const ALIGNMENT: usize = 64;

/// Reads and writes arrays of NumPy.
#[derive(Debug, Clone, Copy, Default)]
pub struct NpyFormatter;

impl Formatter for NpyFormatter {
    fn name(&self) -> &str {
        "npy"
    }

    fn extensions(&self) -> &[&str] {
        &[".npy"]
    }

    fn parts(&self, _class: &str) -> Vec<String> {
        Vec::new()
    }

    fn index(&self, _source: &dyn Source) -> Result<Option<Arc<[u8]>>, FormatError> {
        Ok(None)
    }

    fn locate(&self, _layout: &[u8], _request: &ReadRequest) -> Option<PartLocation> {
        None
    }

    fn read(
        &self,
        source: &dyn Source,
        _layout: Option<&[u8]>,
        request: &ReadRequest,
    ) -> Result<ObjectRef, FormatError> {
        let array = Array::open(source)?;
        let image = array.image(source, request.bbox)?;
        part(source, Arc::new(image), request)
    }

    fn write(&self, object: &ObjectRef, _options: &WriteOptions) -> Result<Bytes, FormatError> {
        let image = downcast::<Image>(object.as_ref());
        let image = image.ok_or_else(|| unfit(self.name(), object.class()))?;
        Ok(write(image))
    }
}

/// What a header says, and where the numbers lie.
struct Array {
    /// The letter of the type and the bytes of a number: `f4`.
    kind: String,
    big_endian: bool,
    /// Whether columns lie one after the other, and not rows.
    by_column: bool,
    width: u64,
    height: u64,
    start: u64,
}

impl Array {
    fn open(source: &dyn Source) -> Result<Array, FormatError> {
        let wrong = |why: &str| corrupt(source, None, why.to_owned());
        let size = source.bytes()?;
        let first = fetch(source, 0..size.min(FIRST_REQUEST))?;
        if !first.starts_with(MAGIC) {
            return Err(wrong("it does not start as an array of NumPy does"));
        }
        let number = |range: Range<usize>| {
            let bytes = first.get(range)?;
            Some(
                bytes
                    .iter()
                    .rev()
                    .fold(0, |all, &byte| all << 8 | u64::from(byte)),
            )
        };
        let (length, at) = match first.get(6) {
            Some(1) => (number(8..10), 10),
            Some(2 | 3) => (number(8..12), 12),
            _ => return Err(wrong("its version is none that is known")),
        };
        let start = length
            .filter(|&length| length <= LONGEST_HEADER)
            .map(|length| at + length)
            .filter(|&start| start <= size)
            .ok_or_else(|| wrong("its header is cut off"))?;
        let header = if start <= first.len() as u64 {
            first.slice(at as usize..start as usize)
        } else {
            fetch(source, at..start)?
        };
        let header = std::str::from_utf8(&header).map_err(|_| wrong("its header is no text"))?;
        let array = Array::parse(header, start).ok_or_else(|| wrong("its header is damaged"))?;
        array.check(source, header, size)?;
        Ok(array)
    }

    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`; one axis or none leave the shape empty.
    fn parse(header: &str, start: u64) -> Option<Array> {
        let after = |key: &str| {
            let (_, rest) = header.split_once(&format!("'{key}':"))?;
            Some(rest.trim_start())
        };
        let descr = after("descr")?;
        let kind = descr
            .strip_prefix('\'')
            .and_then(|rest| rest.split('\'').next());
        let order = after("fortran_order")?;
        let by_column = order.starts_with("True");
        if !by_column && !order.starts_with("False") {
            return None;
        }
        let (shape, _) = after("shape")?.strip_prefix('(')?.split_once(')')?;
        let axes: Option<Vec<u64>> = shape
            .split(',')
            .map(str::trim)
            .filter(|axis| !axis.is_empty())
            .map(|axis| axis.trim_end_matches('L').parse().ok())
            .collect();
        let (height, width) = match axes?.as_slice() {
            &[height, width] => (height, width),
            _ => (0, 0),
        };
        let kind = kind.unwrap_or_default();
        Some(Array {
            big_endian: kind.starts_with('>'),
            kind: kind.trim_start_matches(['<', '>', '|', '=']).to_owned(),
            by_column,
            width,
            height,
            start,
        })
    }

    fn pixel_bytes(&self) -> Option<u64> {
        match self.kind.as_str() {
            "u1" | "i1" => Some(1),
            "u2" | "i2" => Some(2),
            "u4" | "i4" | "f4" => Some(4),
            "u8" | "i8" | "f8" => Some(8),
            _ => None,
        }
    }

    fn check(&self, source: &dyn Source, header: &str, size: u64) -> Result<(), FormatError> {
        let unsupported = |why: String| FormatError::Unsupported {
            file: source.name().to_owned(),
            why,
        };
        let header = header.trim();
        let Some(bytes) = self.pixel_bytes() else {
            return Err(unsupported(format!(
                "it holds no numbers of an image: {header}"
            )));
        };
        if self.width == 0 || self.height == 0 {
            return Err(unsupported(format!(
                "it is no array of two axes with pixels: {header}"
            )));
        }
        let needed = self
            .width
            .checked_mul(self.height)
            .and_then(|pixels| pixels.checked_mul(bytes))
            .and_then(|bytes| bytes.checked_add(self.start));
        match needed {
            Some(needed) if needed <= size => Ok(()),
            _ => Err(corrupt(
                source,
                None,
                "it is shorter than its header says".to_owned(),
            )),
        }
    }

    /// Reads the image, or the rows of it that a rectangle touches and of them the rectangle.
    fn image(&self, source: &dyn Source, bbox: Option<PixelBox>) -> Result<Image, FormatError> {
        let whole = PixelBox {
            x0: 0,
            y0: 0,
            width: self.width,
            height: self.height,
        };
        let wrong = |why: String| corrupt(source, None, why);
        // Rows of a rectangle outside of the image are refused below, by the section that is cut out.
        let lines = match bbox {
            Some(bbox) if !self.by_column => {
                let first = u64::try_from(bbox.y0).unwrap_or(0).min(self.height - 1);
                let end = first.saturating_add(bbox.height).min(self.height);
                first..end.max(first + 1)
            }
            _ => 0..self.height,
        };
        let bytes = self.pixel_bytes().unwrap_or(1);
        let line = self.width * bytes;
        let range = self.start + lines.start * line..self.start + lines.end * line;
        let data = fetch(source, range)?;
        let height = lines.end - lines.start;
        let data = if self.by_column {
            Bytes::from(by_row(
                &data,
                self.width as usize,
                height as usize,
                bytes as usize,
            ))
        } else {
            data
        };
        let image = Image::new(
            self.pixels(&data),
            self.width,
            height,
            whole.x0,
            lines.start as i64,
        )
        .map_err(|error| wrong(error.to_string()))?;
        match bbox {
            None => Ok(image),
            Some(bbox) => image
                .section(bbox)
                .map_err(|error| FormatError::Unsupported {
                    file: source.name().to_owned(),
                    why: error.to_string(),
                }),
        }
    }

    fn pixels(&self, bytes: &[u8]) -> Pixels {
        macro_rules! numbers {
            ($type:ty) => {{
                let (numbers, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                let numbers = numbers.iter();
                let values: Vec<$type> = if self.big_endian {
                    numbers
                        .map(|&number| <$type>::from_be_bytes(number))
                        .collect()
                } else {
                    numbers
                        .map(|&number| <$type>::from_le_bytes(number))
                        .collect()
                };
                values.into()
            }};
        }
        match self.kind.as_str() {
            "i1" => numbers!(i8),
            "u2" => numbers!(u16),
            "i2" => numbers!(i16),
            "u4" => numbers!(u32),
            "i4" => numbers!(i32),
            "u8" => numbers!(u64),
            "i8" => numbers!(i64),
            "f4" => numbers!(f32),
            "f8" => numbers!(f64),
            _ => numbers!(u8),
        }
    }
}

/// Returns numbers that lie by columns as numbers that lie by rows.
fn by_row(data: &[u8], width: usize, height: usize, bytes: usize) -> Vec<u8> {
    let mut turned = Vec::with_capacity(data.len());
    for row in 0..height {
        for column in 0..width {
            let at = (column * height + row) * bytes;
            turned.extend_from_slice(data.get(at..at + bytes).unwrap_or_default());
        }
    }
    turned
}

fn fetch(source: &dyn Source, range: Range<u64>) -> Result<Bytes, FormatError> {
    let length = range.end - range.start;
    let read = source.read_ranges(&[range])?.pop().unwrap_or_default();
    if read.len() as u64 == length {
        return Ok(read);
    }
    Err(corrupt(
        source,
        None,
        "it is shorter than it says".to_owned(),
    ))
}

fn write(image: &Image) -> Bytes {
    fn all<const N: usize, T: Copy>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        values.iter().flat_map(|&value| bytes(value)).collect()
    }
    let (kind, data) = match image.pixels() {
        Pixels::U8(values) => ("|u1", all(values, u8::to_le_bytes)),
        Pixels::I8(values) => ("|i1", all(values, i8::to_le_bytes)),
        Pixels::U16(values) => ("<u2", all(values, u16::to_le_bytes)),
        Pixels::I16(values) => ("<i2", all(values, i16::to_le_bytes)),
        Pixels::U32(values) => ("<u4", all(values, u32::to_le_bytes)),
        Pixels::I32(values) => ("<i4", all(values, i32::to_le_bytes)),
        Pixels::U64(values) => ("<u8", all(values, u64::to_le_bytes)),
        Pixels::I64(values) => ("<i8", all(values, i64::to_le_bytes)),
        Pixels::F32(values) => ("<f4", all(values, f32::to_le_bytes)),
        Pixels::F64(values) => ("<f8", all(values, f64::to_le_bytes)),
    };
    let (height, width) = (image.height(), image.width());
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({height}, {width}), }}");
    // Magic, version and length take ten bytes, and the header ends in a newline.
    while !(header.len() + 11).is_multiple_of(ALIGNMENT) {
        header.push(' ');
    }
    header.push('\n');
    let mut out = Vec::with_capacity(10 + header.len() + data.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[1, 0]);
    // The numbers of a shape have no more than 40 digits together, so this header is short.
    out.extend_from_slice(&(header.len() as u16).to_le_bytes());
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(&data);
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use pantler_core::{Object, StoreError};

    use super::*;

    struct Counted(Vec<u8>, Mutex<u64>);

    impl Source for Counted {
        fn name(&self) -> &str {
            "some.npy"
        }

        fn bytes(&self) -> Result<u64, StoreError> {
            Ok(self.0.len() as u64)
        }

        fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
            let slices = ranges.iter().map(|range| {
                *self.1.lock().unwrap() += range.end - range.start;
                Bytes::copy_from_slice(&self.0[range.start as usize..range.end as usize])
            });
            Ok(slices.collect())
        }
    }

    fn file(version: u8, header: &str, data: &[u8]) -> Counted {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        Counted(bytes, Mutex::default())
    }

    fn read(file: &Counted) -> Result<ObjectRef, FormatError> {
        NpyFormatter.read(file, None, &ReadRequest::default())
    }

    fn image(pixels: impl Into<Pixels>, width: u64, height: u64) -> Image {
        Image::new(pixels, width, height, 0, 0).unwrap()
    }

    /// The bytes are those that NumPy 2.4 writes for these arrays.
    #[test]
    fn both_orders_and_both_endings_are_read() {
        let expected = image(vec![0_i16, 1, 2, 3, 4, 5], 3, 2);
        let row = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }";
        let rows = [0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0];
        let column = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }";
        let columns = [0, 0, 0, 3, 0, 1, 0, 4, 0, 2, 0, 5];
        for (header, data) in [(row, rows), (column, columns)] {
            for version in 1..=3 {
                let object = read(&file(version, header, &data)).unwrap();
                assert_eq!(expected.difference(object.as_ref()), None, "{header}");
            }
        }
    }

    #[test]
    fn every_type_reads_back_as_it_was_written() {
        let images = [
            image(vec![0_u8, 255], 1, 2),
            image(vec![-128_i8, 127], 2, 1),
            image(vec![u16::MAX], 1, 1),
            image(vec![i16::MIN], 1, 1),
            image(vec![u32::MAX], 1, 1),
            image(vec![i32::MIN], 1, 1),
            image(vec![u64::MAX], 1, 1),
            image(vec![i64::MIN], 1, 1),
            image(vec![f32::MIN_POSITIVE, f32::NAN], 2, 1),
            image(vec![1e300, -0.0], 2, 1),
        ];
        for image in images {
            let object: ObjectRef = Arc::new(image);
            let bytes = NpyFormatter.write(&object, &Default::default()).unwrap();
            let start = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
            assert_eq!(start % ALIGNMENT, 0);
            let again = read(&Counted(bytes.to_vec(), Mutex::default())).unwrap();
            assert_eq!(object.difference(again.as_ref()), None);
        }
    }

    #[test]
    fn a_cutout_reads_its_rows() {
        let pixels: Vec<f32> = (0..40_000).map(|number| number as f32).collect();
        let object: ObjectRef = Arc::new(image(pixels, 200, 200));
        let bytes = NpyFormatter.write(&object, &Default::default()).unwrap();
        let file = Counted(bytes.to_vec(), Mutex::default());
        let bbox = PixelBox {
            x0: 3,
            y0: 50,
            width: 2,
            height: 2,
        };
        let request = ReadRequest {
            bbox: Some(bbox),
            ..ReadRequest::default()
        };
        let some = NpyFormatter.read(&file, None, &request).unwrap();
        let expected = Image::new(vec![10_003_f32, 10_004.0, 10_203.0, 10_204.0], 2, 2, 3, 50);
        assert_eq!(expected.unwrap().difference(some.as_ref()), None);
        assert_eq!(*file.1.lock().unwrap(), FIRST_REQUEST + 2 * 200 * 4);
        for (y0, height) in [(-1, 3), (199, 2), (300, 1)] {
            let request = ReadRequest {
                bbox: Some(PixelBox { y0, height, ..bbox }),
                ..ReadRequest::default()
            };
            let error = NpyFormatter.read(&file, None, &request).unwrap_err();
            assert!(error.to_string().contains("some.npy"), "{error}");
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let header = |text: &str| format!("{{{text}, }}");
        for text in [
            "'descr': '<f4', 'fortran_order': False, 'shape': (4,)",
            "'descr': '<f4', 'fortran_order': False, 'shape': ()",
            "'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3)",
            "'descr': '<f4', 'fortran_order': False, 'shape': (2, 0)",
            "'descr': '<c8', 'fortran_order': False, 'shape': (1, 2)",
            "'descr': '|O', 'fortran_order': False, 'shape': (1, 2)",
            "'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 2)",
            "'descr': '<f4', 'fortran_order': False, 'shape': (3, 3)",
            "'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)",
            "'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3)",
            "'descr': '<f4', 'fortran_order': maybe, 'shape': (1, 2)",
            "'descr': '<f4', 'shape': (1, 2)",
            "",
        ] {
            let error = read(&file(1, &header(text), &[0; 16])).unwrap_err();
            assert!(error.to_string().contains("some.npy"), "{error}");
        }
        for bytes in [
            &b""[..],
            b"\x93NUMPY",
            b"\x93NUMPY\x01\x00\xff\xff{",
            b"\x93NUMPY\x07\0\0\0",
        ] {
            assert!(read(&Counted(bytes.to_vec(), Mutex::default())).is_err());
        }
    }
}
