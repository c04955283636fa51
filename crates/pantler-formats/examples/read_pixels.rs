//! Reads parts of FITS files as it is told, and says how long each took: the side of `bench/pixels.py` that is measured.
//!
//! Each line of the input is a file, a part (`exposure`, `image`, `mask`, …) and, for a cutout, its first column, first row,
//! width and height, separated by tabs. Each is answered with a line: seconds, bytes of pixels, and the sum of the first
//! plane's finite pixels, by which the script sees that all read the same.

use std::io::{BufRead, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use pantler_core::formatter::{PixelBox, ReadRequest};
use pantler_core::store::{Pieces, RangeRequest};
use pantler_core::{Formatter, Location, ObjectRef, Source, Store, StoreError};
use pantler_formats::fits::FitsFormatter;
use pantler_objects::{Exposure, Image, Mask};
use pantler_store::LocalStore;

type Failure = Box<dyn std::error::Error>;

struct File {
    store: LocalStore,
    location: Location,
}

impl Source for File {
    fn name(&self) -> &str {
        self.location.as_str()
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        let stats = self.store.stat_many(std::slice::from_ref(&self.location))?;
        let stat = stats.into_iter().next().flatten();
        stat.map(|stat| stat.bytes)
            .ok_or_else(|| StoreError::NotFound {
                root: self.store.root().to_owned(),
                location: self.location.to_string(),
            })
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        let request = RangeRequest {
            location: self.location.clone(),
            ranges: ranges.to_vec(),
        };
        let mut answers = self.store.read_ranges(&[request])?;
        Ok(answers.pop().unwrap_or_default())
    }

    fn in_pieces(&self, range: &Range<u64>) -> Result<Option<Arc<dyn Pieces>>, StoreError> {
        self.store.in_pieces(&self.location, range)
    }
}

fn main() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split('\t').collect();
        let (file, request) = understand(&words)?;
        let start = Instant::now();
        let object = FitsFormatter.read(&file, None, &request)?;
        let seconds = start.elapsed().as_secs_f64();
        writeln!(out, "{seconds} {} {}", object.memory(), sum(&object))?;
        out.flush()?;
    }
    Ok(())
}

fn understand(words: &[&str]) -> Result<(File, ReadRequest), Failure> {
    let [path, part, numbers @ ..] = words else {
        return Err("a file and a part are needed".into());
    };
    let path = Path::new(path).canonicalize()?;
    let folder = path.parent().ok_or("the file lies in no folder")?;
    let numbers = numbers
        .iter()
        .map(|number| number.parse::<u32>())
        .collect::<Result<Vec<_>, _>>()?;
    let bbox = match numbers[..] {
        [x0, y0, width, height] => Some(PixelBox {
            x0: x0.into(),
            y0: y0.into(),
            width: width.into(),
            height: height.into(),
        }),
        _ => None,
    };
    let request = match *part {
        "exposure" => ReadRequest {
            class: Some("Exposure".to_owned()),
            bbox,
            ..ReadRequest::default()
        },
        part => ReadRequest {
            part: vec![part.to_owned()],
            bbox,
            ..ReadRequest::default()
        },
    };
    let file = File {
        store: LocalStore::open(folder)?,
        location: Location::Outside(path.to_string_lossy().into_owned().into()),
    };
    Ok((file, request))
}

fn sum(object: &ObjectRef) -> f64 {
    let object = object.as_any();
    let image = match object.downcast_ref::<Exposure>() {
        Some(exposure) => exposure.image().map(AsRef::as_ref),
        None => object.downcast_ref::<Image>(),
    };
    if let Some(mask) = object.downcast_ref::<Mask>() {
        return mask.pixels().iter().map(|&bits| f64::from(bits)).sum();
    }
    image
        .and_then(Image::statistics)
        .map_or(0.0, |all| all.mean * all.count as f64)
}
