//! Several things read together, and one thing read out of many HDUs; on real files, with counters.

use std::path::{Path, PathBuf};

use pantler::core::formatter::PixelBox;
use pantler::core::object::downcast;
use pantler::objects::{Exposure, Image};
use pantler::store::StoreCounts;
use pantler::{Butler, IngestMode, IngestOptions, ObjectRef, Parameters};
use pantler_testkit::test_data;

use super::support::*;

const POLICY: &str = r#"
datasets:
  calexp:
    template: "calexp/%(visit)d.fits"
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
  updated:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: calexp, inputOnly: true}
      wcs: {datasetType: new_wcs}
  new_wcs:
    template: "wcs/%(visit)d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
  raw_amp:
    template: "raw/%(exposure)d.fits[%(hdu)d]"
    python: lsst.afw.image.DecoratedImage
    storage: FitsStorage
  raw:
    python: lsst.afw.image.ImageF
    assembler: pantler.focalPlane
    composite:
      amplifiers: {datasetType: raw_amp, subset: true}
"#;

/// A repository in a folder, through a store that counts.
pub(super) struct Here {
    folder: tempfile::TempDir,
}

impl Here {
    fn new() -> Here {
        Here::with(POLICY)
    }

    pub(super) fn with(text: &str) -> Here {
        let folder = tempfile::tempdir().unwrap();
        let policy = pantler::core::policy::PolicyText {
            file: "policy.yaml".into(),
            text: text.into(),
        };
        Butler::init(&folder.path().join("repo"), &[policy], &[]).unwrap();
        Here { folder }
    }

    pub(super) fn butler(&self) -> Butler {
        Butler::open(&[], &[self.repo()], options())
            .unwrap_or_else(|error| panic!("{}", error.report()))
    }

    pub(super) fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    pub(super) fn ingest(&self, name: &str, file: &Path, data_id: &str, mode: IngestMode) -> usize {
        let options = IngestOptions {
            mode,
            ..Default::default()
        };
        let files = [file.to_path_buf()];
        let report = self
            .butler()
            .ingest(name, &files, &id(data_id), &options, &|_| {})
            .unwrap();
        if let Some((file, error)) = report.failed.first() {
            panic!("{}: {}", file.display(), error.report());
        }
        report.ingested
    }

    /// The repository behind counters.
    pub(super) fn counted(&self) -> Counted {
        let (store, registry) =
            pantler::open_local(&self.repo(), pantler::registry::Access::ReadWrite).unwrap();
        Counted::over(&Place {
            name: "repo",
            store,
            registry,
        })
    }
}

/// What was read of artifacts since.
pub(super) fn since(counted: &Counted, before: StoreCounts) -> StoreCounts {
    counted.store.counts() - before
}

fn pixel_box(x0: i64, y0: i64, width: u64, height: u64) -> PixelBox {
    PixelBox {
        x0,
        y0,
        width,
        height,
    }
}

fn cut(butler: &Butler, name: &str, bbox: PixelBox) -> ObjectRef {
    let parameters = Parameters {
        bbox: Some(bbox),
        ..Default::default()
    };
    butler.get(name, &id("visit=1"), &parameters).unwrap()
}

#[test]
fn several_cutouts_are_one_request_to_one_artifact() {
    let Some(file) = test_data("exposures/scienceMI.fits") else {
        return;
    };
    let here = Here::new();
    here.ingest("calexp", &file, "visit=1", IngestMode::Copy);
    let boxes = [
        pixel_box(3, 4, 10, 12),
        pixel_box(100, 150, 20, 8),
        pixel_box(5, 10, 10, 10),
    ];
    for name in ["calexp", "calexp.image", "calexp.mask"] {
        let counted = here.counted();
        let together = butler(&[&counted.place], 0);
        let before = counted.store.counts();
        let cutouts = together.get_cutouts(name, &id("visit=1"), &boxes).unwrap();
        let read = since(&counted, before);
        assert_eq!(
            (read.artifacts_opened, read.calls.read_ranges),
            (1, 1),
            "{name}"
        );
        assert_eq!(counted.registry.counts().total(), 1, "{name}");
        assert!(
            read.bytes_read * 2 < file.metadata().unwrap().len(),
            "{name}: {}",
            read.bytes_read
        );
        for (bbox, cutout) in boxes.iter().zip(&cutouts) {
            let alone = cut(&here.butler(), name, *bbox);
            assert_eq!(cutout.difference(alone.as_ref()), None, "{name}");
        }
    }
}

#[test]
fn several_components_are_one_request_to_one_artifact() {
    let Some(file) = test_data("exposures/hsc_calexp_full.fits") else {
        return;
    };
    let here = Here::new();
    here.ingest("calexp", &file, "visit=1", IngestMode::Copy);
    let names = [
        "wcs",
        "psf",
        "calib",
        "visitInfo",
        "mask",
        "filter",
        "bbox",
        "metadata",
        "detector",
    ];
    let counted = here.counted();
    let together = butler(&[&counted.place], 0);
    let before = counted.store.counts();
    let components = together
        .get_components("calexp", &id("visit=1"), &names)
        .unwrap();
    let read = since(&counted, before);
    assert_eq!((read.artifacts_opened, read.calls.read_ranges), (1, 1));
    assert_eq!(counted.registry.counts().total(), 1);
    let alone = here.butler();
    for (name, component) in names.iter().zip(&components) {
        let other = get(&alone, &format!("calexp.{name}"), "visit=1");
        assert_eq!(component.difference(other.as_ref()), None, "{name}");
    }
    // What was read together is known to later gets, and the other way round (rule R13).
    let wcs = get(&together, "calexp.wcs", "visit=1");
    assert!(std::ptr::addr_eq(
        std::sync::Arc::as_ptr(&wcs),
        std::sync::Arc::as_ptr(&components[0])
    ));
    assert_eq!(since(&counted, before).calls.read_ranges, 1);
}

#[test]
fn components_of_a_composite_come_from_its_parts() {
    let pair = Pair::new();
    pair.put_parts(0);
    let data_id = id("visit=903334 ccd=16 tract=0");
    let names = ["wcs", "calib", "mask", "metadata"];
    let together = pair
        .butler()
        .get_components("calexp:jointcal", &data_id, &names)
        .unwrap();
    for (name, component) in names.iter().zip(&together) {
        let alone = get(
            &pair.butler(),
            &format!("calexp:jointcal.{name}"),
            "visit=903334 ccd=16 tract=0",
        );
        assert_eq!(component.difference(alone.as_ref()), None, "{name}");
    }
    let error = pair
        .butler()
        .get_components("calexp:jointcal", &data_id, &["wcs", "psf"]);
    assert!(error.is_err(), "there is no psf");
}

#[test]
fn r24_a_component_that_was_taken_away_is_noticed_without_reading_the_file() {
    let Some(file) = test_data("exposures/hsc_calexp_full.fits") else {
        return;
    };
    let here = Here::new();
    here.ingest("calexp", &file, "visit=1", IngestMode::Copy);
    let exposure = get(&here.butler(), "calexp", "visit=1");
    let updated = exposure.with_component("wcs", &wcs(151.0)).unwrap();
    let whole = downcast::<Exposure>(updated.as_ref()).unwrap();
    for name in ["psf", "detector", "apCorrMap", "mask"] {
        assert!(updated.component(name).is_some(), "{name}");
        let less: ObjectRef = std::sync::Arc::new(whole.without(name));
        let counted = here.counted();
        let butler = butler(&[&counted.place], 1);
        let before = counted.store.counts();
        let said = said(try_put(&butler, &less, "updated", "visit=1"));
        assert!(
            said.contains(&format!("it lacks {name}, which the stored one has")),
            "{said}"
        );
        let counts = since(&counted, before);
        assert_eq!(counts.bytes_written, 0);
        let read = counts.bytes_read;
        assert!(read < 100_000, "{name}: {read} bytes read");
    }
    let result = put(&here.butler(), &updated, "updated", "visit=1");
    assert_eq!(result.written, ["wcs/1.fits"]);
}

/// The publisher's image of the sixteen amplifiers, which is drawn from the top down.
fn published() -> Option<Vec<f32>> {
    let file = test_data("raw/assembly/itl_expected_assembled.fits.gz")?;
    let outside = pantler::OutsideFile::open(here_formatters(), &file).unwrap();
    let expected = outside.read(Some("Image")).unwrap();
    let expected = downcast::<Image>(expected.as_ref()).unwrap();
    assert_eq!((expected.width(), expected.height()), (4072, 4000));
    let pantler::objects::Pixels::F32(pixels) = expected.pixels() else {
        panic!("the publisher's pixels are float32")
    };
    Some(pixels.chunks(4072).rev().flatten().copied().collect())
}

fn here_formatters() -> &'static pantler::formats::FormatterSet {
    static SET: std::sync::OnceLock<pantler::formats::FormatterSet> = std::sync::OnceLock::new();
    SET.get_or_init(pantler::formats::FormatterSet::standard)
}

#[test]
fn sixteen_amplifiers_are_one_image() {
    let (Some(file), Some(expected)) = (test_data("raw/assembly/itl_spot.fits.gz"), published())
    else {
        return;
    };
    for mode in [IngestMode::Copy, IngestMode::InPlace, IngestMode::Link] {
        let here = Here::new();
        // A hard link does not cross devices.
        let own = here.folder.path().join("itl_spot.fits.gz");
        std::fs::copy(&file, &own).unwrap();
        assert_eq!(
            here.ingest("raw_amp", &own, "exposure=7", mode),
            16,
            "{mode:?}"
        );
        assert_eq!(
            here.ingest("raw_amp", &own, "exposure=7", mode),
            0,
            "{mode:?}"
        );
        let butler = here.butler();
        let image = get(&butler, "raw", "exposure=7");
        let image = downcast::<Image>(image.as_ref()).unwrap();
        assert_eq!((image.width(), image.height()), (4072, 4000));
        let pantler::objects::Pixels::F32(pixels) = image.pixels() else {
            panic!("ImageF is float32")
        };
        assert!(
            pixels
                .iter()
                .zip(&expected)
                .all(|(one, other)| one == other),
            "{mode:?}"
        );
        assert!(expected.iter().any(|value| *value != expected[0]));
        let report = butler.fsck(Default::default()).unwrap();
        assert!(report.is_clean(), "{mode:?}: {report:?}");
    }
}

#[test]
fn all_hdus_of_a_file_are_read_at_once_and_one_can_be_removed() {
    let Some(file) = test_data("raw/assembly/itl_spot.fits.gz") else {
        return;
    };
    let here = Here::new();
    here.ingest("raw_amp", &file, "exposure=7", IngestMode::Copy);
    let counted = here.counted();
    let reading = butler(&[&counted.place], 0);
    let before = counted.store.counts();
    get(&reading, "raw", "exposure=7");
    let read = since(&counted, before);
    // Sixteen images, and no byte of the file read twice.
    assert!(
        read.bytes_read <= file.metadata().unwrap().len(),
        "{}",
        read.bytes_read
    );
    // One amplifier near the front of a gzip costs the front.
    let counted = here.counted();
    let reading = butler(&[&counted.place], 0);
    let before = counted.store.counts();
    let one = get(&reading, "raw_amp.metadata", "exposure=7 hdu=2");
    let header = downcast::<pantler::objects::Metadata>(one.as_ref()).unwrap();
    assert_eq!(header.get_i64("CHANNEL"), Some(2));
    assert!(since(&counted, before).bytes_read * 2 < file.metadata().unwrap().len());
    here.butler()
        .remove("raw_amp", &id("exposure=7 hdu=3"), &Default::default())
        .unwrap();
    assert!(here.repo().join("raw/7.fits").exists());
    get(&here.butler(), "raw_amp", "exposure=7 hdu=4");
    // Without it there is a hole.
    let image = get(&here.butler(), "raw", "exposure=7");
    let image = downcast::<Image>(image.as_ref()).unwrap();
    let none =
        (0..image.pixels().len()).filter(|&index| image.pixels().get_f64(index).unwrap().is_nan());
    assert_eq!(none.count(), 509 * 2000);
}

#[test]
fn a_file_that_was_wrapped_in_gzip_since_is_read_if_it_is_the_same() {
    let Some(file) = test_data("exposures/scienceMI.fits") else {
        return;
    };
    for mode in [IngestMode::Copy, IngestMode::InPlace] {
        let here = Here::new();
        let own = here.folder.path().join("1.fits");
        std::fs::copy(&file, &own).unwrap();
        here.ingest("calexp", &own, "visit=1", mode);
        let before = get(&here.butler(), "calexp", "visit=1");
        let lies = match mode {
            IngestMode::Copy => here.repo().join("calexp/1.fits"),
            _ => own.clone(),
        };
        let bytes = std::fs::read(&lies).unwrap();
        let wrapped = lies.with_extension("fits.gz");
        std::fs::write(&wrapped, gzip(&bytes)).unwrap();
        std::fs::remove_file(&lies).unwrap();
        let after = get(&here.butler(), "calexp", "visit=1");
        assert_eq!(before.difference(after.as_ref()), None);
        get(&here.butler(), "calexp.mask", "visit=1");
        let mut other = bytes;
        other[20_000] ^= 1;
        std::fs::write(&wrapped, gzip(&other)).unwrap();
        let said = said(try_get(&here.butler(), "calexp", "visit=1"));
        assert!(
            said.contains("1.fits.gz") && said.contains("recorded"),
            "{said}"
        );
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_wrapped_file_is_taken_for_the_file_that_the_template_means() {
    let Some(file) = test_data("exposures/scienceMI.fits") else {
        return;
    };
    for mode in [IngestMode::InPlace, IngestMode::Copy, IngestMode::Link] {
        let here = Here::new();
        let own = here.folder.path().join("calexp/5.fits.gz");
        std::fs::create_dir_all(own.parent().unwrap()).unwrap();
        std::fs::write(&own, gzip(&std::fs::read(&file).unwrap())).unwrap();
        // Named with its ending or without, its visit is read off its name.
        let named = match mode {
            IngestMode::Copy => own.with_extension(""),
            _ => own.clone(),
        };
        assert_eq!(here.ingest("calexp", &named, "", mode), 1, "{mode:?}");
        let plain = pantler::OutsideFile::open(here_formatters(), &file).unwrap();
        let plain = plain.read(Some("Exposure")).unwrap();
        let stored = get(&here.butler(), "calexp", "visit=5");
        assert_eq!(stored.difference(plain.as_ref()), None, "{mode:?}");
    }
}
