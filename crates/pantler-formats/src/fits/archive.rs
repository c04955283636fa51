//! The archive of a file of the LSST stack: an index table, and tables with the records of persisted objects.
//!
//! [`Directory`] says where each object's rows lie; it comes from the index table, or from a layout that was made of it.
//! [`ArchiveReader`] fetches objects with all that they refer to, level by level, each level in two requests: the rows,
//! then what their descriptors point at in the heap. Nobody's catalogue tables are read here.
//!
//! ```text
//! ARCHIVE_INDEX: id, cat.archive, cat.persistable, row0, nrows, name, module
//!                      └─ HDU = index HDU + cat.archive ─► rows row0 .. row0 + nrows
//! ```

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::FormatError;
use pantler_objects::references::references;
use pantler_objects::{Archive, ArchiveObject, Catalog, RecordRows, RecordTable};

use super::card::integer_of;
use super::contents::{Contents, is_table};
use super::heap::{heap_range, table_of};
use super::structure::Hdu;

/// Some rows of one table, and what they are to their object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The HDU of the table.
    pub(crate) hdu: usize,
    /// The catalog's number from the object's point of view.
    pub(crate) number: i32,
    /// The first row.
    pub(crate) row: u64,
    /// The number of rows.
    pub(crate) rows: u64,
}

/// Where one object lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// The name of its class.
    pub(crate) class: String,
    /// The Python module that its class is loaded from.
    pub(crate) module: String,
    /// Its rows.
    pub(crate) entries: Vec<Entry>,
}

/// Where all objects of an archive lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    /// The objects by id.
    pub(crate) objects: BTreeMap<i32, Located>,
}

impl Directory {
    /// Finds and reads the index of a file; `None` if the file has no archive.
    pub(crate) fn find(contents: &Contents<'_>) -> Result<Option<Directory>, FormatError> {
        let primary = contents.hdu(0)?;
        let index = match integer_of(&primary.cards, "AR_HDU") {
            // The card counts HDUs from 1.
            Some(number) => {
                let index = usize::try_from(number.saturating_sub(1))
                    .ok()
                    .filter(|&n| n > 0);
                let index = index.ok_or_else(|| {
                    primary
                        .place
                        .corrupt(format!("AR_HDU is {number}, which is no extension"))
                })?;
                let there = contents.shapes().len();
                if index >= there {
                    contents.check_whole()?;
                    return Err(primary.place.corrupt(format!(
                        "AR_HDU says that the archive is HDU {index}, and the file ends after HDU {}",
                        there.saturating_sub(1)
                    )));
                }
                index
            }
            None => match contents.find("ARCHIVE_INDEX") {
                Some(index) => index,
                None => return Ok(None),
            },
        };
        Directory::read(contents, &*contents.hdu(index)?).map(Some)
    }

    fn read(contents: &Contents<'_>, index: &Hdu) -> Result<Directory, FormatError> {
        let table = index.table()?;
        index.check_data()?;
        let columns = Arc::new(table_of(index)?);
        let start = index.shape.data.start;
        let end = start.saturating_add(table.width.saturating_mul(table.rows));
        let bytes = contents.file().read(start..end.min(index.shape.data.end))?;
        let rows = RecordRows::new(Arc::clone(&columns), bytes, Vec::new())
            .map_err(|error| index.place.corrupt(error.to_string()))?;
        let mut directory = Directory::default();
        for row in 0..rows.len() {
            directory.add(&rows, row, index, contents)?;
        }
        directory.check_shares(contents)?;
        Ok(directory)
    }

    fn add(
        &mut self,
        rows: &RecordRows,
        row: usize,
        index: &Hdu,
        contents: &Contents<'_>,
    ) -> Result<(), FormatError> {
        // Older files write the point of these two names as an underscore.
        let number = |names: &[&str]| {
            let found = names.iter().find_map(|name| rows.get_i32(row, name));
            found.ok_or_else(|| {
                index
                    .place
                    .corrupt(format!("it has no column `{}`", names[0]))
            })
        };
        let text = |name: &str| rows.get_text(row, name).unwrap_or_default().to_owned();
        let id = number(&["id"])?;
        let catalog = number(&["cat.archive", "cat_archive"])?;
        let outside = |why: String| index.place.corrupt(format!("object {id} {why}"));
        let hdu = usize::try_from(catalog)
            .ok()
            .filter(|&catalog| catalog > 0)
            .and_then(|catalog| index.index.checked_add(catalog))
            .filter(|&hdu| contents.shapes().get(hdu).is_some_and(is_table));
        let Some(hdu) = hdu else {
            contents.check_whole()?;
            return Err(outside(format!(
                "lies in catalog {catalog}, which the file does not have"
            )));
        };
        let (first, count) = (number(&["row0"])?, number(&["nrows"])?);
        let (Ok(first), Ok(count)) = (u64::try_from(first), u64::try_from(count)) else {
            return Err(outside(format!("has {count} rows from row {first}")));
        };
        let located = self.objects.entry(id).or_insert_with(|| Located {
            class: text("name"),
            module: text("module"),
            entries: Vec::new(),
        });
        located.entries.push(Entry {
            hdu,
            number: number(&["cat.persistable", "cat_persistable"])?,
            row: first,
            rows: count,
        });
        Ok(())
    }

    /// Checks that the objects share out the rows of each table, so that an index cannot ask for a table many times.
    fn check_shares(&self, contents: &Contents<'_>) -> Result<(), FormatError> {
        let mut taken: BTreeMap<usize, u64> = BTreeMap::new();
        for entry in self.objects.values().flat_map(|object| &object.entries) {
            let rows = taken.entry(entry.hdu).or_default();
            *rows = rows.saturating_add(entry.rows);
            let hdu = contents.hdu(entry.hdu)?;
            let there = hdu.table()?.rows;
            if *rows > there || entry.row.saturating_add(entry.rows) > there {
                return Err(hdu.place.corrupt(format!(
                    "the archive's index wants more rows of it than the {there} that it has"
                )));
            }
        }
        Ok(())
    }

    /// Returns the first object of a class.
    pub(crate) fn first_of(&self, is_class: impl Fn(&str) -> bool) -> Option<i32> {
        let mut found = self
            .objects
            .iter()
            .filter(|(_, object)| is_class(&object.class));
        found.next().map(|(id, _)| *id)
    }
}

/// Reads objects of an archive.
pub(crate) struct ArchiveReader<'a> {
    contents: &'a Contents<'a>,
    directory: &'a Directory,
    tables: RefCell<HashMap<usize, Arc<RecordTable>>>,
}

/// The bytes that an object was read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The ids it refers to.
    pub(crate) references: BTreeSet<i32>,
    /// Its arrays in the heaps.
    pub(crate) heap: Vec<Range<u64>>,
}

impl<'a> ArchiveReader<'a> {
    /// Makes a reader; nothing is read yet.
    pub(crate) fn new(contents: &'a Contents<'a>, directory: &'a Directory) -> ArchiveReader<'a> {
        ArchiveReader {
            contents,
            directory,
            tables: RefCell::default(),
        }
    }

    /// Reads the given objects and all they refer to.
    pub(crate) fn read(&self, roots: &[i32]) -> Result<Archive, FormatError> {
        let mut objects = Vec::new();
        let mut seen: BTreeSet<i32> = BTreeSet::new();
        let mut level: Vec<i32> = roots.to_vec();
        while !level.is_empty() {
            level.retain(|id| self.directory.objects.contains_key(id) && seen.insert(*id));
            let mut next = BTreeSet::new();
            for object in self.read_level(&level)? {
                next.extend(self.references(&object));
                objects.push(object);
            }
            level = next.into_iter().collect();
        }
        Archive::new(objects).map_err(|error| self.contents.place().corrupt(error.to_string()))
    }

    /// Returns what each of these objects refers to and points at, reading rows but no heap.
    pub(crate) fn extents(&self, ids: &[i32]) -> Result<BTreeMap<i32, Extent>, FormatError> {
        self.prefetch_rows(ids)?;
        let mut extents = BTreeMap::new();
        for &id in ids {
            let Some(located) = self.directory.objects.get(&id) else {
                continue;
            };
            let mut extent = Extent::default();
            let mut catalogs = Vec::new();
            for entry in &located.entries {
                let (table, rows) = self.rows(entry)?;
                let arrays = self.arrays(entry, &table, &rows)?;
                extent
                    .heap
                    .extend(arrays.iter().filter(|range| !range.is_empty()).cloned());
                let rows = RecordRows::new(table, rows, blanks(&arrays)).ok();
                catalogs.extend(rows.map(|rows| Catalog {
                    number: entry.number,
                    rows,
                }));
            }
            let object = ArchiveObject::new(id, &located.class, &located.module, catalogs);
            extent.references = self.references(&object);
            extents.insert(id, extent);
        }
        Ok(extents)
    }

    fn references(&self, object: &ArchiveObject) -> BTreeSet<i32> {
        let is_id = |id| self.directory.objects.contains_key(&id);
        references(object, is_id).ids().clone()
    }

    fn read_level(&self, ids: &[i32]) -> Result<Vec<ArchiveObject>, FormatError> {
        self.prefetch_rows(ids)?;
        let mut found = Vec::new();
        let mut ranges = Vec::new();
        for &id in ids {
            for entry in &self.directory.objects[&id].entries {
                let (table, rows) = self.rows(entry)?;
                let arrays = self.arrays(entry, &table, &rows)?;
                ranges.extend(arrays.iter().cloned());
                found.push((id, entry, table, rows, arrays));
            }
        }
        self.contents.file().prefetch(&ranges)?;
        let mut catalogs: BTreeMap<i32, Vec<Catalog>> = BTreeMap::new();
        for (id, entry, table, rows, arrays) in found {
            let heap: Result<Vec<Bytes>, FormatError> = arrays
                .into_iter()
                .map(|range| self.contents.file().read(range))
                .collect();
            let rows = RecordRows::new(table, rows, heap?).map_err(|error| {
                self.contents
                    .place()
                    .hdu(entry.hdu, "")
                    .corrupt(error.to_string())
            })?;
            catalogs.entry(id).or_default().push(Catalog {
                number: entry.number,
                rows,
            });
        }
        Ok(ids
            .iter()
            .map(|id| {
                let located = &self.directory.objects[id];
                let catalogs = catalogs.remove(id).unwrap_or_default();
                ArchiveObject::new(*id, &located.class, &located.module, catalogs)
            })
            .collect())
    }

    fn prefetch_rows(&self, ids: &[i32]) -> Result<(), FormatError> {
        let mut ranges = Vec::new();
        for id in ids {
            for entry in &self.directory.objects[id].entries {
                ranges.push(self.row_range(entry)?);
            }
        }
        self.contents.file().prefetch(&ranges)
    }

    /// Returns where the rows of an entry lie.
    pub(crate) fn row_range(&self, entry: &Entry) -> Result<Range<u64>, FormatError> {
        let hdu = self.contents.hdu(entry.hdu)?;
        let table = hdu.table()?;
        hdu.check_data()?;
        let end = entry
            .row
            .checked_add(entry.rows)
            .filter(|&end| end <= table.rows);
        let end = end.ok_or_else(|| {
            hdu.place.corrupt(format!(
                "it has {} rows, and row {} was expected",
                table.rows, entry.row
            ))
        })?;
        // The table's whole size was checked, so the products of fewer rows do not overflow.
        Ok(
            hdu.shape.data.start + entry.row * table.width
                ..hdu.shape.data.start + end * table.width,
        )
    }

    fn rows(&self, entry: &Entry) -> Result<(Arc<RecordTable>, Bytes), FormatError> {
        let range = self.row_range(entry)?;
        let table = self.table(entry.hdu)?;
        Ok((table, self.contents.file().read(range)?))
    }

    fn table(&self, hdu: usize) -> Result<Arc<RecordTable>, FormatError> {
        if let Some(table) = self.tables.borrow().get(&hdu) {
            return Ok(Arc::clone(table));
        }
        let table = Arc::new(table_of(&*self.contents.hdu(hdu)?)?);
        self.tables.borrow_mut().insert(hdu, Arc::clone(&table));
        Ok(table)
    }

    /// Returns where the arrays of an entry's rows lie in the file, one for each row and variable-length column.
    fn arrays(
        &self,
        entry: &Entry,
        table: &RecordTable,
        rows: &Bytes,
    ) -> Result<Vec<Range<u64>>, FormatError> {
        let hdu = self.contents.hdu(entry.hdu)?;
        let start = hdu.shape.data.start + hdu.table()?.heap;
        let room = hdu.shape.data.end - start;
        let mut arrays = Vec::new();
        for row in rows.chunks_exact(table.row_bytes().max(1)) {
            for column in table.variable_columns() {
                let range = heap_range(column, row).filter(|range| range.end <= room);
                let range = range.ok_or_else(|| {
                    hdu.place
                        .corrupt(format!("column `{}` points outside the heap", column.name))
                })?;
                arrays.push(start + range.start..start + range.end);
            }
        }
        Ok(arrays)
    }
}

/// Returns zeros for arrays that do not matter: references are numbers in the rows.
fn blanks(arrays: &[Range<u64>]) -> Vec<Bytes> {
    let length = |range: &Range<u64>| usize::try_from(range.end - range.start).unwrap_or(0);
    // One buffer for all: arrays may overlap, and together be longer than the file.
    let zeros = Bytes::from(vec![0; arrays.iter().map(length).max().unwrap_or(0)]);
    arrays
        .iter()
        .map(|range| zeros.slice(..length(range)))
        .collect()
}
