//! What people meet when they look and check: parts at the cost of their own bytes, sizes of composites, sums of files, files that
//! cannot be what they are said to be, where an exposure lies on the sky.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pantler::core::expression::Expression;
use pantler::core::policy::PolicyText;
use pantler::fsck::{FsckOptions, FsckReport, ProblemKind};

use pantler::{Butler, IngestMode, IngestOptions, IngestReport, ObjectRef, Query};
use pantler_testkit::test_data;

use super::support::*;

/// A repository on disk, opened for writing.
fn repository(folder: &Path, policy: &str) -> Butler {
    let root = folder.join("repository");
    let text = PolicyText {
        file: "policy.yaml".into(),
        text: policy.into(),
    };
    Butler::init(&root, &[text], &[]).unwrap_or_else(|error| panic!("{}", error.report()));
    opened(&root)
}

fn opened(root: &Path) -> Butler {
    Butler::open(&[], &[root.to_path_buf()], options())
        .unwrap_or_else(|error| panic!("{}", error.report()))
}

fn ingest(
    butler: &Butler,
    name: &str,
    file: &Path,
    data_id: &str,
    mode: IngestMode,
) -> IngestReport {
    let options = IngestOptions {
        mode,
        ..IngestOptions::default()
    };
    butler
        .ingest(name, &[file.to_path_buf()], &id(data_id), &options, &|_| {})
        .unwrap_or_else(|error| panic!("{}", error.report()))
}

const PARTS: [&str; 10] = [
    "wcs",
    "psf",
    "calib",
    "visitInfo",
    "mask",
    "variance",
    "image",
    "metadata",
    "bbox",
    "filter",
];

/// `calexp` in one file, each of its parts as a type of the same file, `apart` with a file for each, and `calexp:jointcal`.
fn matrix_policy() -> String {
    let types = [
        ("wcs", "afw.geom.SkyWcs"),
        ("psf", "afw.detection.Psf"),
        ("calib", "afw.image.PhotoCalib"),
        ("visitInfo", "afw.image.VisitInfo"),
        ("mask", "afw.image.Mask"),
        ("variance", "afw.image.ImageF"),
        ("image", "afw.image.ImageF"),
        ("metadata", "daf.base.PropertyList"),
        ("filter", "afw.image.FilterLabel"),
    ];
    let file = |name: &str, folder: &str, kind: &str, keys: &str| {
        format!(
            "  {name}: {{template: \"{folder}/{keys}%(visit)d-%(ccd)d.fits\", python: lsst.{kind}, storage: FitsStorage}}\n"
        )
    };
    let mut text = "datasets:\n".to_owned();
    text += &file("calexp", "calexp", "afw.image.ExposureF", "");
    for (part, kind) in types {
        text += &file(&format!("calexp_{part}"), "calexp", kind, "");
        text += &file(&format!("plane_{part}"), part, kind, "");
    }
    text += &file("calexp_bbox", "calexp", "geom.Box2I", "");
    text += &file("joint_wcs", "joint_wcs", "afw.geom.SkyWcs", "%(tract)d/");
    text += &file(
        "joint_calib",
        "joint_calib",
        "afw.image.PhotoCalib",
        "%(tract)d/",
    );
    text += "  apart:\n    python: lsst.afw.image.ExposureF\n    composite:\n";
    for (part, _) in types {
        text += &format!("      {part}: {{datasetType: plane_{part}}}\n");
    }
    text += "  calexp:jointcal:\n    python: lsst.afw.image.ExposureF\n    composite:\n";
    text += "      calexp: {datasetType: calexp, inputOnly: true}\n";
    text += "      wcs: {datasetType: joint_wcs}\n      calib: {datasetType: joint_calib}\n";
    text += "  twice:\n    composite:\n      one: {datasetType: calexp}\n      other: {datasetType: \"calexp:jointcal\"}\n";
    text += "  parts:\n    composite:\n      psf: {datasetType: \"calexp:jointcal.psf\"}\n";
    text + "      wcs: {datasetType: \"calexp:jointcal.wcs\"}\n"
}

const VISIT: &str = "visit=903334 ccd=16";
const JOINT: &str = "visit=903334 ccd=16 tract=0";

struct Matrix {
    _folder: tempfile::TempDir,
    root: PathBuf,
    exposure: ObjectRef,
}

impl Matrix {
    fn new() -> Matrix {
        let folder = tempfile::tempdir().unwrap();
        let butler = repository(folder.path(), &matrix_policy());
        let sky = pantler::simulate::Sky::new(1);
        let exposure: ObjectRef = Arc::new(sky.single_visit(903334, 16, (256, 256)));
        put(&butler, &exposure, "calexp", VISIT);
        put(&butler, &exposure, "apart", VISIT);
        let wcs: ObjectRef = Arc::new(sky.jointcal_wcs(903334, 16, 0));
        let calib: ObjectRef = Arc::new(sky.jointcal_calib(903334, 16, 0));
        put(&butler, &wcs, "joint_wcs", JOINT);
        put(&butler, &calib, "joint_calib", JOINT);
        Matrix {
            root: folder.path().join("repository"),
            _folder: folder,
            exposure,
        }
    }

    /// A part, stored in one of four ways, and how many bytes a new butler reads for it.
    fn get(&self, way: &str, part: &str) -> (ObjectRef, u64) {
        let (name, data_id) = match way {
            "whole" => (format!("calexp.{part}"), VISIT),
            "own" => (format!("calexp_{part}"), VISIT),
            "apart" => (format!("apart.{part}"), VISIT),
            _ => (format!("calexp:jointcal.{part}"), JOINT),
        };
        let butler = opened(&self.root);
        let plan = butler
            .explain(&name, &id(data_id), Default::default())
            .unwrap();
        (get(&butler, &name, data_id), plan.root.bytes())
    }
}

#[test]
fn a_part_is_the_same_however_it_is_stored_and_costs_its_own_bytes() {
    let matrix = Matrix::new();
    let size = std::fs::metadata(matrix.root.join("calexp/903334-16.fits"))
        .unwrap()
        .len();
    for part in PARTS {
        let expected = matrix.exposure.component(part).unwrap();
        let (whole, _) = matrix.get("whole", part);
        for way in ["whole", "own", "apart", "jointcal"] {
            let (got, bytes) = matrix.get(way, part);
            assert_eq!(got.class(), expected.class(), "{way} {part}");
            let replaced = way == "jointcal" && matches!(part, "wcs" | "calib");
            let is_plane = matches!(part, "image" | "mask" | "variance");
            if is_plane {
                // Their headers have cards of the files that they lie in.
                let differs = bare(&got).difference(bare(&expected).as_ref());
                assert_eq!(differs, None, "{way} {part}");
            } else if part != "metadata" {
                let reference = if way == "own" { &whole } else { &expected };
                let differs = got.difference(reference.as_ref());
                assert_eq!(differs.is_some(), replaced, "{way} {part}: {differs:?}");
            }
            assert!(bytes > 0, "{way} {part}");
            if is_plane {
                assert!(bytes < size * 6 / 10, "{way} {part}: {bytes} of {size}");
            } else {
                assert!(bytes < size / 10, "{way} {part}: {bytes} of {size}");
            }
        }
    }
}

/// A plane without its header.
fn bare(plane: &ObjectRef) -> ObjectRef {
    use pantler::core::object::downcast;
    use pantler::objects::{Image, Mask, Metadata};
    let none = Arc::new(Metadata::default());
    if let Some(image) = downcast::<Image>(plane.as_ref()) {
        return Arc::new(image.with_header(none));
    }
    let mask = downcast::<Mask>(plane.as_ref()).expect("a plane is an image or a mask");
    Arc::new(mask.with_header(none))
}

#[test]
fn the_box_of_planes_apart_is_read_from_one_header() {
    let matrix = Matrix::new();
    let (_, bytes) = matrix.get("apart", "bbox");
    assert!(bytes <= 3 * 2880, "{bytes}");
    let butler = opened(&matrix.root);
    let plan = butler
        .explain("apart.bbox", &id(VISIT), Default::default())
        .unwrap();
    assert_eq!(datasets_read(&plan), ["plane_image"]);
}

fn datasets_read(plan: &pantler::Plan) -> Vec<String> {
    let mut names = Vec::new();
    plan.root
        .each_read(&mut |node, _| names.push(node.dataset_type.to_string()));
    names
}

/// What `query` says of the only composite of a type, and what `explain` does.
fn sizes(butler: &Butler, name: &str, data_id: &str) -> (u64, u64) {
    let query = Query {
        name: Some(name.to_owned()),
        ..Query::default()
    };
    let rows = butler.query(&query).unwrap();
    let [row] = rows.as_slice() else {
        panic!("{name}: {} rows", rows.len());
    };
    let plan = butler
        .explain(name, &id(data_id), Default::default())
        .unwrap();
    (row.bytes, plan.root.bytes())
}

#[test]
fn a_composite_has_the_bytes_of_its_leaves_shared_ones_once() {
    let matrix = Matrix::new();
    let butler = opened(&matrix.root);
    let size = |path: &str| std::fs::metadata(matrix.root.join(path)).unwrap().len();
    let calexp = size("calexp/903334-16.fits");
    let both = size("joint_wcs/0/903334-16.fits") + size("joint_calib/0/903334-16.fits");
    for _ in ["by lookup", "recorded"] {
        for (name, expected) in [("calexp:jointcal", calexp + both), ("twice", calexp + both)] {
            assert_eq!(sizes(&butler, name, JOINT), (expected, expected), "{name}");
        }
        let (listed, planned) = sizes(&butler, "parts", JOINT);
        assert_eq!(listed, planned);
        assert!(listed < calexp / 2, "{listed} of {calexp}");
        for name in ["calexp:jointcal", "twice", "parts"] {
            butler.link(name, &id(JOINT), &Default::default()).unwrap();
        }
    }
    let info = pantler::repository_info(&butler).unwrap();
    let shown = |name: &str| {
        let mut types = info.types.iter();
        types
            .find(|each| each.summary.dataset_type.as_str() == name)
            .unwrap()
            .summary
            .bytes
    };
    assert_eq!(shown("calexp:jointcal"), calexp + both);
    assert_eq!(shown("twice"), calexp + both);
    assert_eq!(shown("calexp"), calexp);
}

const ANY: &str = "datasets:\n  any: {template: \"any/%(n)d.fits\", storage: FitsStorage}\n";

fn deep(butler: &Butler) -> FsckReport {
    butler
        .fsck(FsckOptions {
            deep: true,
            repair: false,
        })
        .unwrap()
}

#[test]
fn a_byte_that_changed_is_found_by_the_sums_in_the_file() {
    let Some(real) = test_data("misc/checksum.fits") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let butler = repository(folder.path(), ANY);
    let sound = std::fs::read(real).unwrap();
    let file = folder.path().join("checksum.fits");
    std::fs::write(&file, &sound).unwrap();
    let modified = std::fs::metadata(&file).unwrap().modified().unwrap();
    ingest(&butler, "any", &file, "n=1", IngestMode::InPlace);
    // The last byte of the data of the second HDU, 5 rows of a table, and one in the first header.
    let header = sound
        .windows(8)
        .position(|word| word == b"TELESCOP")
        .unwrap()
        + 12;
    let table = sound.len() - 2880 + 3;
    for (at, unit, said) in [
        (table, "HDU 1 (RATE)", "DATASUM"),
        (header, "HDU 0", "CHECKSUM"),
    ] {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        std::fs::write(&file, &damaged).unwrap();
        // The size and the date are those of the ingest, so that only the bytes tell.
        let opened = std::fs::File::options().write(true).open(&file).unwrap();
        opened.set_modified(modified).unwrap();
        let problems = deep(&butler).problems;
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}");
        };
        assert_eq!(problem.kind, ProblemKind::Checksum);
        assert!(problem.location.ends_with("checksum.fits"), "{problem:?}");
        let detail = problem.detail.as_deref().unwrap();
        assert!(
            detail.starts_with(unit) && detail.contains(said),
            "{detail}"
        );
        assert!(detail.contains("was expected"), "{detail}");
    }
    // What is damaged was not taken for what it should be.
    std::fs::write(&file, &sound).unwrap();
    let opened = std::fs::File::options().write(true).open(&file).unwrap();
    opened.set_modified(modified).unwrap();
    assert!(deep(&butler).is_clean());
}

#[test]
fn what_was_written_here_agrees_with_its_sums() {
    let matrix = Matrix::new();
    let report = deep(&opened(&matrix.root));
    assert_eq!(report.problems, []);
    assert!(report.checked >= 12);
}

const CLASSES: &str = r#"
datasets:
  exposure: {template: "exposure/%(n)d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
  mask: {template: "mask/%(n)d.fits", python: lsst.afw.image.Mask, storage: FitsStorage}
  image: {template: "image/%(n)d.fits", python: lsst.afw.image.ImageF, storage: FitsStorage}
  table: {template: "table/%(n)d.fits", python: lsst.afw.table.SourceCatalog, storage: FitsStorage}
"#;

/// Every file of the data as each of four classes: what ingest refuses, no get would have read.
#[test]
fn a_file_that_cannot_be_what_it_is_said_to_be_is_refused_at_ingest() {
    let Some(manifest) = test_data("MANIFEST.tsv") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let butler = repository(folder.path(), CLASSES);
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let names = manifest
        .lines()
        .skip(1)
        .map(|line| line.split('\t').next().unwrap());
    let is_fits = |name: &&str| {
        [".fits", ".fits.gz", ".fits.fz"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let (mut refused, mut number, mut late) = (0, 0, Vec::new());
    for name in names.filter(is_fits) {
        let Some(file) = test_data(name) else {
            continue;
        };
        for (class, own) in [
            ("exposure", "Exposure"),
            ("mask", "Mask"),
            ("image", "Image"),
            ("table", "Table"),
        ] {
            number += 1;
            let data_id = format!("n={number}");
            let report = ingest(&butler, class, &file, &data_id, IngestMode::InPlace);
            let formatters = pantler_formats::FormatterSet::standard();
            let outside = pantler::OutsideFile::open(&formatters, &file);
            let readable = outside.and_then(|outside| outside.read(Some(own)));
            match report.failed.first() {
                Some((_, error)) => {
                    refused += 1;
                    assert!(readable.is_err(), "{name} as {class}: {}", error.report());
                    assert_eq!(error.report().kind.exit_status(), 2);
                }
                None if readable.is_err() => late.push(format!("{name} as {class}")),
                None => {}
            }
        }
    }
    assert_eq!((refused, number), (170, 300));
    // Whether scaled numbers are whole is seen when they are read.
    assert_eq!(late, ["misc/scale.fits as mask"]);
}

#[test]
fn a_mask_of_floating_point_numbers_is_refused_with_its_bitpix() {
    let matrix = Matrix::new();
    let butler = repository(
        matrix.root.parent().unwrap().join("other").as_path(),
        CLASSES,
    );
    let image = matrix.root.join("image/903334-16.fits");
    let report = ingest(&butler, "mask", &image, "n=1", IngestMode::Copy);
    let said = report.failed[0].1.report().to_string();
    assert!(
        said.contains("BITPIX -32") && said.contains("8, 16 or 32"),
        "{said}"
    );
    let report = ingest(&butler, "table", &image, "n=1", IngestMode::Copy);
    let said = report.failed[0].1.report().to_string();
    assert!(said.contains("a table was expected"), "{said}");
}

/// A recipe goes with the definition that names it, into an output whose other repositories are gone (rule R7).
#[test]
fn r7_an_output_takes_the_recipe_of_a_definition_along() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "recipes:\n  small: {image: RICE_1, mask: {compression: GZIP_2}}\ndatasets:\n  flat: {template: \"flat/%(ccd)d.fits\", python: lsst.afw.image.ExposureF, storage: FitsStorage, recipe: small}\n";
    let butler = repository(folder.path(), policy);
    let definition = butler.repositories()[0]
        .policy()
        .definitions()
        .next()
        .unwrap()
        .clone();
    let recipe = butler.repositories()[0]
        .policy()
        .recipe("small")
        .unwrap()
        .clone();
    let alone = folder.path().join("alone");
    Butler::init(&alone, &[], &[]).unwrap();
    opened(&alone).repositories()[0]
        .add_definitions(&[(definition.into(), Some(recipe.clone()))])
        .unwrap();
    let butler = opened(&alone);
    let known = butler.repositories()[0].policy().recipe("small").unwrap();
    assert_eq!(known.settings, recipe.settings);
    put(&butler, &exposure(1.0), "flat", "ccd=1");
    let written = std::fs::read(alone.join("flat/1.fits")).unwrap();
    let text = String::from_utf8_lossy(&written);
    assert!(
        text.contains("ZCMPTYPE= 'RICE_1") && text.contains("ZCMPTYPE= 'GZIP_2"),
        "no compressed planes"
    );
}

/// Exposures of the data that have coordinates on the sky, at positions that other software computed (`WCS_ORACLE.json`).
#[test]
fn every_exposure_of_the_data_is_found_where_other_software_says_that_it_lies() {
    let Some(oracle) = test_data("WCS_ORACLE.json") else {
        return;
    };
    let oracle: serde_json::Value =
        serde_json::from_slice(&std::fs::read(oracle).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let butler = repository(folder.path(), CLASSES);
    let mut seen: Vec<String> = Vec::new();
    for entry in oracle["header_wcs"].as_array().unwrap() {
        let name = entry["file"].as_str().unwrap();
        let is_image = entry["extname"] == "IMAGE" && name.starts_with("exposures/");
        if !is_image || seen.iter().any(|known| known == name) {
            continue;
        }
        let Some(file) = test_data(name) else {
            continue;
        };
        seen.push(name.to_owned());
        let data_id = format!("n={}", seen.len());
        let report = ingest(&butler, "exposure", &file, &data_id, IngestMode::InPlace);
        assert_eq!(report.ingested, 1, "{name}: {:?}", report.failed);
        // The third position is the middle of the image.
        let center = &entry["sky_radec_deg"][2];
        let (ra, dec) = (center[0].as_f64().unwrap(), center[1].as_f64().unwrap());
        let away = if dec > 0.0 { dec - 10.0 } else { dec + 10.0 };
        for (dec, expected) in [(dec, 1), (away, 0)] {
            let condition = format!("overlaps(circle({ra}, {dec}, 0.0003))");
            let query = Query {
                name: Some("exposure".to_owned()),
                data_id: id(&data_id),
                condition: Some(Expression::parse(&condition).unwrap()),
                ..Query::default()
            };
            assert_eq!(
                butler.query(&query).unwrap().len(),
                expected,
                "{name} {condition}"
            );
        }
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
}
