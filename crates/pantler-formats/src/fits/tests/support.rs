//! Sources over bytes in memory, one of which counts what is read of it.

use std::ops::Range;
use std::sync::Mutex;

use bytes::Bytes;
use pantler_core::formatter::ReadRequest;
use pantler_core::{Source, StoreError};
use pantler_testkit::test_data;

/// A file in memory that counts the bytes and requests read of it.
pub(crate) struct Counted {
    name: String,
    bytes: Bytes,
    read: Mutex<(u64, u64)>,
}

impl Counted {
    pub(crate) fn new(name: &str, bytes: impl Into<Bytes>) -> Counted {
        Counted {
            name: name.to_owned(),
            bytes: bytes.into(),
            read: Mutex::default(),
        }
    }

    /// Returns bytes and requests read since the last call.
    pub(crate) fn taken(&self) -> (u64, u64) {
        std::mem::take(&mut *self.read.lock().unwrap())
    }

    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn all(&self) -> &Bytes {
        &self.bytes
    }
}

impl Source for Counted {
    fn name(&self) -> &str {
        &self.name
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.bytes.len() as u64)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        let mut read = self.read.lock().unwrap();
        read.1 += 1;
        let slices = ranges.iter().map(|range| {
            read.0 += range.end - range.start;
            self.bytes.slice(range.start as usize..range.end as usize)
        });
        Ok(slices.collect())
    }
}

/// Returns a real file, if the real files are here.
pub(crate) fn real(name: &str) -> Option<Counted> {
    let path = test_data(name)?;
    Some(Counted::new(name, std::fs::read(path).unwrap()))
}

/// Returns the names of all real FITS files in some folders.
pub(crate) fn real_names(folders: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    let mut waiting: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
    while let Some(folder) = waiting.pop() {
        let Some(path) = test_data(&folder) else {
            continue;
        };
        for entry in std::fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            if entry.path().is_dir() {
                waiting.push(name);
            } else if name.contains(".fits") {
                names.push(name);
            }
        }
    }
    names.sort();
    names
}

pub(crate) fn part(name: &str) -> ReadRequest {
    ReadRequest {
        part: vec![name.to_owned()],
        ..ReadRequest::default()
    }
}

pub(crate) fn class(name: &str) -> ReadRequest {
    ReadRequest {
        class: Some(name.to_owned()),
        ..ReadRequest::default()
    }
}
