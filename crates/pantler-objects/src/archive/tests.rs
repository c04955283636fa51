//! Archives of real files: what belongs together, and that merging loses and changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::{Archive, ArchiveError, ArchiveObject, Catalog, Persisted};
use crate::metadata::Metadata;
use crate::real_files::{archive, first_of};
use crate::record::{RecordRows, RecordTable};
use crate::references::References;

const HSC: &str = "exposures/hsc_calexp_full.fits";
const COADD: &str = "exposures/coadd_with_inputs_v1.fits";
const FILES: [&str; 12] = [
    HSC,
    COADD,
    "exposures/HSC-0908120-056-small.fits",
    "exposures/cfht/SRC-849375-12.fits",
    "exposures/cfht/calexp-849375-12.fits.fz",
    "exposures/cfht/visitSummary-849375.fits",
    "exposures/components/oldTanSipWcs.fits",
    "exposures/components/photoCalib-version1.fits",
    "exposures/components/visitInfo-version-5.fits",
    "exposures/exposure-version-1.fits",
    "exposures/exposure-version-2.fits",
    "exposures/joint/8766/jointcal_photoCalib-0011506-049.fits",
];

/// Makes an object with one catalog of 32-bit columns.
fn object(id: i32, class: &str, columns: &[(&str, &str)], values: &[i32]) -> ArchiveObject {
    let mut header = Metadata::default()
        .with("NAXIS1", 4 * columns.len() as i64, None)
        .with("TFIELDS", columns.len() as i64, None);
    for (index, (name, doc)) in columns.iter().enumerate() {
        header = header
            .with(&format!("TTYPE{}", index + 1), *name, None)
            .with(&format!("TFORM{}", index + 1), "1J", None)
            .with(&format!("TDOC{}", index + 1), *doc, None);
    }
    let table = Arc::new(RecordTable::from_header(header).unwrap());
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_be_bytes())
        .collect();
    let rows = RecordRows::new(table, bytes.into(), Vec::new()).unwrap();
    ArchiveObject::new(id, class, "", vec![Catalog { number: 0, rows }])
}

fn leaf(id: i32, value: i32) -> ArchiveObject {
    object(id, "Polygon", &[("x", "a coordinate")], &[value])
}

fn pair(id: i32, a: i32, b: i32) -> ArchiveObject {
    let columns = [
        ("a", "archive ID of first operand"),
        ("b", "archive ID of second operand"),
    ];
    object(id, "ProductTransmissionCurve", &columns, &[a, b])
}

fn digest(persisted: &Persisted) -> pantler_core::Digest {
    let mut hasher = pantler_core::Hasher::default();
    persisted.add_values(&mut hasher);
    hasher.finish()
}

fn new(objects: impl IntoIterator<Item = ArchiveObject>) -> Archive {
    Archive::new(objects).unwrap()
}

/// Every class of the real files is understood, so all of them can be renumbered.
#[test]
fn all_classes_of_real_files_are_known() {
    for file in FILES {
        let Some(archive) = archive(file) else { return };
        assert!(!archive.is_empty(), "{file}");
        for object in archive.iter() {
            let references = archive.references(object);
            assert!(
                matches!(references, References::Known(_)),
                "{file}: {}",
                object.class()
            );
            for id in references.ids() {
                assert!(archive.get(*id).is_some());
            }
        }
    }
}

#[test]
fn a_component_is_the_object_and_all_it_refers_to() {
    let Some(hsc) = archive(HSC) else { return };
    assert_eq!(
        hsc.len(),
        296,
        "298 entries in the index, two of them second catalogs"
    );
    let detector = hsc.persisted(3).unwrap();
    // Itself, its TransformMap, and the 226 transforms of that.
    assert_eq!(detector.archive().len(), 228);
    assert_eq!(detector.class(), "Detector");
    let curve = hsc.persisted(233).unwrap();
    assert_eq!(curve.archive().len(), 13);
    let Some(coadd) = archive(COADD) else { return };
    let inputs = coadd.persisted(1).unwrap();
    assert_eq!(
        inputs.archive().len(),
        25,
        "three inputs of eight objects each, and the table"
    );
    assert!(coadd.persisted(26).unwrap().archive().len() == 1);
    assert!(coadd.persisted(99).is_none());
}

/// The values of an object do not depend on its ids, nor on those of what it refers to.
#[test]
fn renumbered_objects_are_the_same() {
    for file in [HSC, COADD, "exposures/exposure-version-2.fits"] {
        let Some(original) = archive(file) else {
            return;
        };
        let roots: Vec<Persisted> = original
            .iter()
            .filter_map(|object| original.persisted(object.id()))
            .collect();
        // Every id is taken by something else, so every object gets another one.
        let base = new(original.iter().map(|object| leaf(object.id(), object.id())));
        let merged = Archive::merged(&base, &roots).unwrap();
        for (root, id) in roots.iter().zip(&merged.roots) {
            assert_ne!(root.root(), *id);
            let moved = merged.archive.persisted(*id).unwrap();
            assert_eq!(root.difference(&moved), None, "{file} {}", root.class());
            assert_eq!(digest(root), digest(&moved));
        }
        for object in base.iter() {
            let kept = merged.archive.get(object.id()).unwrap();
            assert!(Arc::ptr_eq(object, kept), "an id of the base changed");
        }
    }
}

/// Merging a file's own parts gives the file's own archive: nothing is doubled, no id changes.
#[test]
fn parts_of_one_file_merge_to_what_they_were() {
    for file in FILES {
        let Some(original) = archive(file) else {
            return;
        };
        let parts: Vec<Persisted> = original
            .iter()
            .filter_map(|object| original.persisted(object.id()))
            .collect();
        let merged = Archive::merged(&Archive::default(), &parts).unwrap();
        assert!(merged.archive.len() <= original.len(), "{file}");
        let again = Archive::merged(&original, &parts).unwrap();
        assert_eq!(again.archive.len(), original.len(), "{file}");
        for (part, id) in parts.iter().zip(&again.roots) {
            assert_eq!(part.root(), *id, "{file}");
        }
    }
}

/// A part of another file is added beside what is there, with its references pointing at its own parts.
#[test]
fn a_part_of_another_file_is_renumbered() {
    let (Some(exposure), Some(joint)) = (
        archive("exposures/exposure-version-2.fits"),
        archive("exposures/joint/8766/jointcal_photoCalib-0011506-049.fits"),
    ) else {
        return;
    };
    let calib = first_of(&joint, "PhotoCalib");
    let merged = Archive::merged(&exposure, std::slice::from_ref(&calib)).unwrap();
    assert_eq!(merged.archive.len(), exposure.len() + calib.archive().len());
    let moved = merged.archive.persisted(merged.roots[0]).unwrap();
    assert_eq!(calib.difference(&moved), None);
    let field = moved
        .object()
        .catalog(0)
        .unwrap()
        .get_i32(0, "field")
        .unwrap();
    assert_eq!(
        merged.archive.get(field).unwrap().class(),
        "FluxFitBoundedField"
    );
    // The table that the rows belong to is shared, not copied.
    let (ours, theirs) = (
        calib.object().catalog(0).unwrap(),
        moved.object().catalog(0).unwrap(),
    );
    assert!(Arc::ptr_eq(ours.table(), theirs.table()));
}

/// R11: what only a removed component needs is gone, what others need stays.
#[test]
fn r11_removing_a_component_keeps_what_others_need() {
    let shared = new([
        leaf(1, 10),
        leaf(2, 20),
        leaf(3, 30),
        pair(4, 1, 2),
        pair(5, 2, 3),
        leaf(6, 60),
    ]);
    let left = shared.without(&[4], &[5]);
    let ids: Vec<i32> = left.iter().map(|object| object.id()).collect();
    assert_eq!(ids, [2, 3, 5, 6]);
    let Some(exposure) = archive("exposures/exposure-version-2.fits") else {
        return;
    };
    let left = exposure.without(&[2], &[1, 4, 9]);
    assert_eq!(
        left.len(),
        exposure.len() - 2,
        "the calibration and its field"
    );
    assert!(left.iter().all(|object| object.class() != "PhotoCalib"));
}

/// Never renumber what is not understood: such an object keeps its id, and all that it may refer to.
#[test]
fn what_is_not_understood_keeps_its_id_or_is_refused() {
    let strange = |id, other| object(id, "Strange", &[("thing", "something")], &[other]);
    let incoming = new([strange(5, 6), leaf(6, 60)]).persisted(5).unwrap();
    assert_eq!(
        incoming.archive().len(),
        2,
        "it may refer to 6, so 6 comes along"
    );
    let free = Archive::merged(&new([leaf(1, 1)]), std::slice::from_ref(&incoming)).unwrap();
    assert_eq!(free.roots, [5]);
    assert_eq!(free.archive.get(6).unwrap().class(), "Polygon");
    for taken in [5, 6] {
        let base = new([leaf(taken, 99)]);
        let refused = Archive::merged(&base, std::slice::from_ref(&incoming)).unwrap_err();
        let message = refused.to_string();
        assert!(
            matches!(refused, ArchiveError::IdTaken { id, .. } if id == taken),
            "{message}"
        );
        assert!(message.contains("Strange"), "{message}");
    }
    // It comes second, and still what is understood makes room for it.
    let known = new([leaf(5, 7)]).persisted(5).unwrap();
    let both = Archive::merged(&Archive::default(), &[known, incoming]).unwrap();
    assert_eq!(both.roots[1], 5);
    assert_ne!(both.roots[0], 5);
    // Documentation that speaks of archive ids narrows the guess.
    let told = object(
        8,
        "Strange",
        &[("n", "a number"), ("w", "archive ID of it")],
        &[6, 9],
    );
    let told = new([told, leaf(6, 1), leaf(9, 2)]);
    assert_eq!(told.closure(&[8]), BTreeSet::from([8, 9]));
}

/// A class that is known, with a column that says it holds an id and is not in the table, is not known after all.
#[test]
fn an_unlisted_reference_column_makes_a_class_unknown() {
    let odd = object(
        1,
        "Polygon",
        &[("other", "Archive ID of another polygon")],
        &[2],
    );
    let odd = new([odd, leaf(2, 20)]);
    let references = odd.references(odd.get(1).unwrap());
    assert_eq!(references, References::Guessed(BTreeSet::from([2])));
}

/// One object that two references share is the same value as two equal objects.
#[test]
fn sharing_makes_no_difference() {
    let shared = new([leaf(1, 10), pair(2, 1, 1)]).persisted(2).unwrap();
    let apart = new([leaf(1, 10), leaf(3, 10), pair(2, 3, 1)])
        .persisted(2)
        .unwrap();
    assert_eq!(digest(&shared), digest(&apart));
    assert_eq!(shared.difference(&apart), None);
    let other = new([leaf(1, 10), leaf(3, 11), pair(2, 3, 1)])
        .persisted(2)
        .unwrap();
    assert_ne!(digest(&shared), digest(&other));
    assert!(shared.difference(&other).is_some());
    let none = new([leaf(1, 10), pair(2, 1, 0)]).persisted(2).unwrap();
    assert_ne!(digest(&shared), digest(&none));
    let why = "ProductTransmissionCurve differs in column `b` of row 0";
    assert_eq!(shared.difference(&none).unwrap(), why);
}

#[test]
fn equal_objects_are_added_once() {
    let one = new([leaf(1, 10), pair(2, 1, 1)]).persisted(2).unwrap();
    let other = new([leaf(7, 10), pair(9, 7, 7)]).persisted(9).unwrap();
    let merged = Archive::merged(&Archive::default(), &[one, other]).unwrap();
    assert_eq!(merged.roots, [2, 2]);
    assert_eq!(merged.archive.len(), 2);
}

#[test]
fn a_reference_to_nothing_is_not_given_a_new_meaning() {
    let broken = new([pair(2, 77, 0)]).persisted(2).unwrap();
    let refused = Archive::merged(&new([leaf(2, 1), leaf(77, 2)]), &[broken]).unwrap_err();
    assert!(
        matches!(refused, ArchiveError::Dangling { missing: 77, .. }),
        "{refused}"
    );
}

/// Objects that refer to each other in a ring end, and keep their ids.
#[test]
fn rings_end() {
    let ring = new([pair(1, 2, 0), pair(2, 1, 3), leaf(3, 30)])
        .persisted(1)
        .unwrap();
    assert_eq!(ring.archive().len(), 3);
    assert_eq!(ring.difference(&ring.clone()), None);
    let merged = Archive::merged(&Archive::default(), std::slice::from_ref(&ring)).unwrap();
    assert_eq!(merged.roots, [1]);
    let refused = Archive::merged(&new([leaf(2, 5)]), &[ring]);
    assert!(matches!(refused, Err(ArchiveError::IdTaken { id: 2, .. })));
}

#[test]
fn two_objects_with_one_id_are_refused() {
    let refused = Archive::new([leaf(1, 1), leaf(1, 2)]).unwrap_err();
    assert_eq!(refused, ArchiveError::Repeated { id: 1 });
}

#[test]
fn differences_name_the_column() {
    let (a, b) = (new([leaf(1, 10)]), new([leaf(1, 11)]));
    let (a, b) = (a.persisted(1).unwrap(), b.persisted(1).unwrap());
    assert_eq!(
        a.difference(&b).unwrap(),
        "Polygon differs in column `x` of row 0"
    );
}

/// Rows are checked before they are used, whatever a file says.
#[test]
fn damaged_tables_are_errors() {
    let table = |form: &str, width: i64| {
        let header = Metadata::default()
            .with("NAXIS1", width, None)
            .with("TFIELDS", 1_i64, None)
            .with("TTYPE1", "x", None)
            .with("TFORM1", form, None);
        RecordTable::from_header(header)
    };
    assert!(table("1J", 8).is_err(), "the columns do not fill the row");
    assert!(table("99999999999999999999D", 8).is_err());
    assert!(table("9999999999999999999D", 8).is_err());
    assert!(table("Z", 8).is_err());
    assert!(table("2PJ", 8).is_err());
    assert!(table("1J", -4).is_err());
    let rows = |form: &str, width: i64, bytes: &'static [u8], heap: Vec<Bytes>| {
        RecordRows::new(
            Arc::new(table(form, width).unwrap()),
            Bytes::from_static(bytes),
            heap,
        )
    };
    assert!(
        rows("1J", 4, &[0; 6], Vec::new()).is_err(),
        "one and a half rows"
    );
    assert!(
        rows("1PJ", 8, &[0; 8], Vec::new()).is_err(),
        "no heap entry"
    );
    let two = [0, 0, 0, 2, 0, 0, 0, 0];
    assert!(
        rows(
            "1PJ",
            8,
            Box::leak(Box::new(two)),
            vec![Bytes::from_static(&[0; 7])]
        )
        .is_err()
    );
    assert!(
        rows(
            "1PJ",
            8,
            Box::leak(Box::new(two)),
            vec![Bytes::from_static(&[0; 8])]
        )
        .is_ok()
    );
    assert!(
        rows("1QD", 16, &[0xff; 16], vec![Bytes::new()]).is_err(),
        "a size that overflows"
    );
}

proptest! {
    /// However archives overlap, a merge keeps the base and the value of every root.
    #[test]
    fn merging_keeps_every_value(
        base in proptest::collection::btree_map(1_i32..12, 0_i32..4, 0..8),
        incoming in proptest::collection::btree_map(1_i32..12, (0_i32..4, any::<bool>()), 1..8),
    ) {
        let base = new(base.into_iter().map(|(id, value)| leaf(id, value)));
        let ids: Vec<i32> = incoming.keys().copied().collect();
        // Pairs refer to smaller ids only, so there is no ring.
        let objects = incoming.iter().map(|(id, (value, composite))| {
            let below = ids.iter().filter(|other| *other < id).nth(*value as usize);
            match below {
                Some(other) if *composite => pair(*id, *other, 0),
                _ => leaf(*id, *value),
            }
        });
        let incoming = new(objects);
        let roots: Vec<Persisted> =
            ids.iter().filter_map(|id| incoming.persisted(*id)).collect();
        let merged = Archive::merged(&base, &roots).unwrap();
        for object in base.iter() {
            prop_assert!(Arc::ptr_eq(object, merged.archive.get(object.id()).unwrap()));
        }
        for (root, id) in roots.iter().zip(&merged.roots) {
            let moved = merged.archive.persisted(*id).unwrap();
            prop_assert_eq!(root.difference(&moved), None);
        }
    }
}
