//! The layout of a file: where its parts lie, as compact bytes that the registry keeps.
//!
//! It holds shapes and positions only, no values, so that files of one shape share one layout. It is written by
//! [`Layout::to_bytes`] and read by [`Layout::parse`], which believes nothing: bytes that are no layout give `None`, and the
//! file is walked instead.
//!
//! ```text
//! magic, file size (and that of the gzip around it), strings, HDUs (header and data lengths, kind, name), archive (objects with rows, references and heap
//! ranges; ids of the components)                                              all numbers are variable-length
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::archive::{ArchiveReader, Directory, Entry, Extent, Located};
use super::contents::{Components, Contents, Planes};
use super::opened::coalesce;
use super::structure::{BLOCK, HduKind, HduShape, Table};
use pantler_core::FormatError;

/// Changes with every change of the format, so that an older layout is not misread.
const MAGIC: &[u8] = b"pf2";

/// Where the parts of a file lie.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    /// The file's size, inflated if it is wrapped in gzip.
    pub(crate) size: u64,
    /// The size of the gzip that wraps the whole file; then all places are those in the inflated file.
    pub(crate) packed: Option<u64>,
    /// The HDUs.
    pub(crate) shapes: Vec<HduShape>,
    /// The archive with the components that the primary header names; `None` for a file that is no image.
    pub(crate) components: Option<Components>,
    /// What each object refers to, and its arrays.
    pub(crate) extents: BTreeMap<i32, Extent>,
}

impl Layout {
    /// Makes the layout of a file: reads the archive's index and rows, and no pixels.
    pub(crate) fn of(contents: &Contents<'_>) -> Result<Layout, FormatError> {
        contents.check_whole()?;
        let components = match contents.components()? {
            Some(found) if !found.ids.is_empty() => Some(found.clone()),
            // Where there are planes and no named components, that is worth knowing; else the file is one object.
            _ if contents.planes() != Planes::default() => Some(Components::default()),
            _ => None,
        };
        let extents = match &components {
            Some(found) => {
                let ids: Vec<i32> = found.directory.objects.keys().copied().collect();
                let extents = ArchiveReader::new(contents, &found.directory).extents(&ids)?;
                let joined = |extent: Extent| Extent {
                    heap: coalesce(&extent.heap, 0),
                    ..extent
                };
                extents
                    .into_iter()
                    .map(|(id, extent)| (id, joined(extent)))
                    .collect()
            }
            None => BTreeMap::new(),
        };
        Ok(Layout {
            size: contents.file().size(),
            packed: contents.file().packed(),
            shapes: contents.shapes().to_vec(),
            components,
            extents,
        })
    }

    /// Returns the ranges of an object with all it refers to: headers of its tables, rows, and arrays.
    pub(crate) fn object_ranges(&self, root: i32) -> Vec<Range<u64>> {
        let Some(components) = &self.components else {
            return Vec::new();
        };
        let mut ranges = Vec::new();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![root];
        while let Some(id) = waiting.pop() {
            let Some(located) = components.directory.objects.get(&id) else {
                continue;
            };
            if !seen.insert(id) {
                continue;
            }
            for entry in &located.entries {
                ranges.extend(self.entry_ranges(entry));
            }
            if let Some(extent) = self.extents.get(&id) {
                ranges.extend(extent.heap.iter().cloned());
                waiting.extend(&extent.references);
            }
        }
        ranges
    }

    fn entry_ranges(&self, entry: &Entry) -> Vec<Range<u64>> {
        let Some(shape) = self.shapes.get(entry.hdu) else {
            return Vec::new();
        };
        let HduKind::BinaryTable(table) = shape.kind else {
            return vec![shape.header.clone()];
        };
        let at = |row: u64| {
            shape
                .data
                .start
                .saturating_add(row.saturating_mul(table.width))
        };
        let rows = at(entry.row)..at(entry.row.saturating_add(entry.rows));
        vec![shape.header.clone(), rows]
    }

    /// Returns the layout as bytes. Equal layouts give equal bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writing::default();
        out.number(self.size);
        // No gzip is empty, so 0 says that there is none.
        out.number(self.packed.unwrap_or(0));
        out.number(self.shapes.len() as u64);
        for shape in &self.shapes {
            out.shape(shape);
        }
        out.number(u64::from(self.components.is_some()));
        if let Some(components) = &self.components {
            out.components(components, &self.extents);
        }
        out.finish()
    }

    /// Reads a layout; `None` if the bytes are not one.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Layout> {
        let mut input = Parsing::begin(bytes)?;
        let size = input.number()?;
        let packed = Some(input.number()?).filter(|&packed| packed > 0);
        let mut shapes = Vec::new();
        let mut start = 0;
        for _ in 0..input.count()? {
            let shape = input.shape(start)?;
            let padded = (shape.data.end - shape.data.start).checked_next_multiple_of(BLOCK)?;
            start = shape.data.start.checked_add(padded)?;
            shapes.push(shape);
        }
        let mut extents = BTreeMap::new();
        let components = match input.number()? {
            0 => None,
            _ => Some(input.components(&mut extents)?),
        };
        let inside = shapes.last().is_some_and(|shape| shape.data.end <= size);
        let shared = components
            .as_ref()
            .is_none_or(|found| shares_out(&found.directory, &shapes));
        (inside && shared && input.rest.is_empty()).then_some(Layout {
            size,
            packed,
            shapes,
            components,
            extents,
        })
    }
}

/// Returns whether the objects share out the rows of each table, so that no layout asks for a table many times.
fn shares_out(directory: &Directory, shapes: &[HduShape]) -> bool {
    let mut taken: BTreeMap<usize, u64> = BTreeMap::new();
    directory
        .objects
        .values()
        .flat_map(|object| &object.entries)
        .all(|entry| {
            let rows = taken.entry(entry.hdu).or_default();
            *rows = rows.saturating_add(entry.rows);
            match shapes.get(entry.hdu).map(|shape| &shape.kind) {
                Some(HduKind::BinaryTable(table)) => *rows <= table.rows,
                _ => false,
            }
        })
}

#[derive(Default)]
struct Writing {
    body: Vec<u8>,
    strings: Vec<String>,
}

impl Writing {
    fn number(&mut self, number: u64) {
        put_number(&mut self.body, number);
    }

    fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    fn text(&mut self, text: &str) {
        let known = self.strings.iter().position(|string| string == text);
        let index = known.unwrap_or_else(|| {
            self.strings.push(text.to_owned());
            self.strings.len() - 1
        });
        self.number(index as u64);
    }

    fn range(&mut self, range: &Range<u64>) {
        self.number(range.start);
        self.number(range.end - range.start);
    }

    fn shape(&mut self, shape: &HduShape) {
        self.number((shape.header.end - shape.header.start) / BLOCK);
        self.number(shape.data.end - shape.data.start);
        self.text(&shape.name);
        self.signed(shape.extver);
        self.text(&shape.exttype);
        self.signed(shape.origin.0);
        self.signed(shape.origin.1);
        match &shape.kind {
            HduKind::Image { bitpix, axes } => {
                self.number(0);
                self.axes(*bitpix, axes);
            }
            HduKind::CompressedImage {
                bitpix,
                axes,
                tile,
                table,
            } => {
                self.number(1);
                self.axes(*bitpix, axes);
                for &length in tile {
                    self.number(length);
                }
                self.table(table);
            }
            HduKind::BinaryTable(table) => {
                self.number(2);
                self.table(table);
            }
            HduKind::AsciiTable => self.number(3),
            HduKind::Other => self.number(4),
        }
    }

    fn axes(&mut self, bitpix: i64, axes: &[u64]) {
        self.signed(bitpix);
        self.number(axes.len() as u64);
        for &length in axes {
            self.number(length);
        }
    }

    fn table(&mut self, table: &Table) {
        self.number(table.width);
        self.number(table.rows);
        self.number(table.heap);
    }

    fn components(&mut self, components: &Components, extents: &BTreeMap<i32, Extent>) {
        let objects = &components.directory.objects;
        self.number(objects.len() as u64);
        for (id, located) in objects {
            self.signed(i64::from(*id));
            self.text(&located.class);
            self.text(&located.module);
            self.number(located.entries.len() as u64);
            for entry in &located.entries {
                self.number(entry.hdu as u64);
                self.signed(i64::from(entry.number));
                self.number(entry.row);
                self.number(entry.rows);
            }
            let extent = extents.get(id).cloned().unwrap_or_default();
            self.number(extent.references.len() as u64);
            for reference in &extent.references {
                self.signed(i64::from(*reference));
            }
            self.number(extent.heap.len() as u64);
            for range in &extent.heap {
                self.range(range);
            }
        }
        self.number(components.ids.len() as u64);
        for (name, id) in &components.ids {
            self.text(name);
            self.signed(i64::from(*id));
        }
    }

    fn finish(self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put_number(&mut out, self.strings.len() as u64);
        for string in &self.strings {
            put_number(&mut out, string.len() as u64);
            out.extend_from_slice(string.as_bytes());
        }
        out.extend_from_slice(&self.body);
        out
    }
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

struct Parsing<'a> {
    rest: &'a [u8],
    strings: Vec<&'a str>,
}

impl<'a> Parsing<'a> {
    fn begin(bytes: &'a [u8]) -> Option<Parsing<'a>> {
        let mut input = Parsing {
            rest: bytes.strip_prefix(MAGIC)?,
            strings: Vec::new(),
        };
        for _ in 0..input.count()? {
            let length = input.count()?;
            let (text, rest) = input.rest.split_at_checked(length)?;
            input.strings.push(std::str::from_utf8(text).ok()?);
            input.rest = rest;
        }
        Some(input)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return None;
            }
            number |= part << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// Reads how many things follow; each takes a byte at least, which bounds the number.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.rest.len()).then_some(count)
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn id(&mut self) -> Option<i32> {
        i32::try_from(self.signed()?).ok()
    }

    fn text(&mut self) -> Option<String> {
        let index = usize::try_from(self.number()?).ok()?;
        self.strings.get(index).map(|text| (*text).to_owned())
    }

    fn range(&mut self) -> Option<Range<u64>> {
        let start = self.number()?;
        Some(start..start.checked_add(self.number()?)?)
    }

    fn shape(&mut self, start: u64) -> Option<HduShape> {
        let header = start..start.checked_add(self.number()?.checked_mul(BLOCK)?)?;
        let data = header.end..header.end.checked_add(self.number()?)?;
        let (name, extver, exttype) = (self.text()?, self.signed()?, self.text()?);
        let origin = (self.signed()?, self.signed()?);
        let kind = match self.number()? {
            0 => {
                let (bitpix, axes) = self.axes()?;
                HduKind::Image { bitpix, axes }
            }
            1 => {
                let (bitpix, axes) = self.axes()?;
                let tile = axes.iter().map(|_| self.number()).collect::<Option<_>>()?;
                let table = self.table(&data)?;
                HduKind::CompressedImage {
                    bitpix,
                    axes,
                    tile,
                    table,
                }
            }
            2 => HduKind::BinaryTable(self.table(&data)?),
            3 => HduKind::AsciiTable,
            4 => HduKind::Other,
            _ => return None,
        };
        Some(HduShape {
            name,
            extver,
            exttype,
            kind,
            origin,
            header,
            data,
        })
    }

    fn axes(&mut self) -> Option<(i64, Vec<u64>)> {
        let bitpix = self.signed()?;
        let axes = (0..self.count()?)
            .map(|_| self.number())
            .collect::<Option<_>>()?;
        Some((bitpix, axes))
    }

    fn table(&mut self, data: &Range<u64>) -> Option<Table> {
        let table = Table {
            width: self.number()?,
            rows: self.number()?,
            heap: self.number()?,
        };
        let body = table.width.checked_mul(table.rows)?;
        (body <= table.heap && table.heap <= data.end - data.start).then_some(table)
    }

    fn components(&mut self, extents: &mut BTreeMap<i32, Extent>) -> Option<Components> {
        let mut objects = BTreeMap::new();
        for _ in 0..self.count()? {
            let id = self.id()?;
            objects.insert(id, self.located()?);
            extents.insert(id, self.extent()?);
        }
        let mut ids = BTreeMap::new();
        for _ in 0..self.count()? {
            ids.insert(self.text()?, self.id()?);
        }
        Some(Components {
            directory: Directory { objects },
            ids,
        })
    }

    fn located(&mut self) -> Option<Located> {
        let (class, module) = (self.text()?, self.text()?);
        let mut entries = Vec::new();
        for _ in 0..self.count()? {
            entries.push(Entry {
                hdu: usize::try_from(self.number()?).ok()?,
                number: self.id()?,
                row: self.number()?,
                rows: self.number()?,
            });
        }
        Some(Located {
            class,
            module,
            entries,
        })
    }

    fn extent(&mut self) -> Option<Extent> {
        let mut extent = Extent::default();
        for _ in 0..self.count()? {
            extent.references.insert(self.id()?);
        }
        for _ in 0..self.count()? {
            extent.heap.push(self.range()?);
        }
        Some(extent)
    }
}
