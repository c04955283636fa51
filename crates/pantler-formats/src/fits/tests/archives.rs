//! Every persisted object of every file with an archive: read, written back, and read again.

use pantler_objects::{Archive, RecordRows};

use super::support::{Counted, real, real_names};
use crate::fits::archive::ArchiveReader;
use crate::fits::archive_writing::write_archive;
use crate::fits::contents::Contents;
use crate::fits::hdu_writing::empty_primary;
use crate::fits::place::Place;

fn read_all(source: &Counted) -> Option<Archive> {
    let contents = Contents::walk(source).unwrap();
    let components = contents.components().unwrap()?;
    let ids: Vec<i32> = components.directory.objects.keys().copied().collect();
    Some(
        ArchiveReader::new(&contents, &components.directory)
            .read(&ids)
            .unwrap(),
    )
}

#[test]
fn all_records_are_read_and_written_back_byte_for_byte() {
    let (mut archives, mut objects) = (0, 0);
    for name in real_names(&["exposures", "catalogs"]) {
        let Some(archive) = read_all(&real(&name).unwrap()) else {
            continue;
        };
        archives += 1;
        let mut file = Vec::new();
        empty_primary()
            .finish(&mut file, &Place::file("test"))
            .unwrap();
        write_archive(&mut file, &archive, &Place::file("test")).unwrap();
        let again = read_all(&Counted::new(&name, file)).unwrap();
        assert_eq!(archive.len(), again.len(), "{name}");
        for (object, other) in archive.iter().zip(again.iter()) {
            objects += 1;
            assert_eq!(object.id(), other.id(), "{name}");
            assert_eq!(object.class(), other.class(), "{name}");
            assert_eq!(object.module(), other.module(), "{name}");
            assert_eq!(object.catalogs().len(), other.catalogs().len(), "{name}");
            for (mine, theirs) in object.catalogs().iter().zip(other.catalogs()) {
                assert_eq!(mine.number, theirs.number, "{name}");
                assert_same(&mine.rows, &theirs.rows, &name);
            }
        }
    }
    if archives > 0 {
        assert!(
            archives >= 35 && objects > 850,
            "{archives} archives, {objects} objects"
        );
    }
}

/// Compares all values; descriptors hold offsets, which a writer gives anew.
fn assert_same(mine: &RecordRows, theirs: &RecordRows, name: &str) {
    assert_eq!(mine.len(), theirs.len(), "{name}");
    assert_eq!(mine.heap(), theirs.heap(), "{name}");
    for (column, other) in mine.table().columns().iter().zip(theirs.table().columns()) {
        assert_eq!(
            (&column.name, &column.doc),
            (&other.name, &other.doc),
            "{name}"
        );
        for row in 0..mine.len() {
            assert_eq!(
                mine.value(row, column),
                theirs.value(row, other),
                "{name} {}",
                column.name
            );
        }
    }
}
