//! The parts of a simulated exposure that are no pixels: its header, its calibration, its point spread function.
//!
//! They have the forms in which the field's files carry them, so that a simulated exposure that was written and read
//! again is the same.

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::ObjectRef;
use pantler_objects::header_calib::{is_calib_card, is_filter_card};
use pantler_objects::visit_info::{is_shared_card, is_visit_info_card};
use pantler_objects::{
    Archive, ArchiveObject, Card, Carrier, Catalog, Component, Metadata, PhotoCalib, RecordRows,
    RecordTable, VisitInfo,
};

use super::projection::card;

/// How long the shutter of every exposure is open, in seconds.
const EXPOSURE_TIME: f64 = 30.0;

/// Returns the primary header of an exposure.
pub(super) fn header(
    visit: i64,
    ccd: i64,
    filter: &str,
    axis: (f64, f64),
    calib: &PhotoCalib,
) -> Metadata {
    // Visits follow each other by 40 seconds through an eight-hour night; no clock is asked.
    let seconds = 7200 + (visit.rem_euclid(720)) * 40;
    let date = |seconds: i64| {
        format!(
            "2026-01-15T{:02}:{:02}:{:02}.000",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    };
    let told = Metadata::new([
        card("ORIGIN", "pantler", "a simulated sky"),
        card("INSTRUME", "SIMCAM", "simulated camera"),
        card("VISIT", visit, "number of the visit"),
        card("CCD", ccd, "number of the ccd"),
        card("FILTER", filter, "name of the filter"),
        card("EXPID", visit, "number of the exposure"),
        card("EXPTIME", EXPOSURE_TIME, "[s] exposure time"),
        card("DARKTIME", EXPOSURE_TIME, "[s] time since the last reset"),
        card("TIMESYS", "TAI", "time scale"),
        card("DATE-OBS", date(seconds).as_str(), "start of the exposure"),
        card(
            "DATE-AVG",
            date(seconds + 15).as_str(),
            "middle of the exposure",
        ),
        card("BORE-RA", axis.0, "[deg] where the telescope points to"),
        card("BORE-DEC", axis.1, "[deg] where the telescope points to"),
        card("BUNIT", "adu", "unit of the pixels"),
    ]);
    match calib.carrier() {
        Carrier::Header(cards) => told.followed_by(cards),
        Carrier::Archive(_) => told,
    }
}

/// Returns the components that the header carries, as a reader would make them.
pub(super) fn of_header(header: &Metadata) -> [(&'static str, ObjectRef); 3] {
    let cards =
        |wanted: &dyn Fn(&str) -> bool| header.without(|card: &Card| !wanted(card.keyword()));
    let calib = PhotoCalib::new(Carrier::Header(cards(&is_calib_card)));
    let info = cards(&|keyword| is_visit_info_card(keyword) || is_shared_card(keyword));
    [
        ("photoCalib", Arc::new(calib)),
        ("visitInfo", Arc::new(VisitInfo::new(Carrier::Header(info)))),
        (
            "filter",
            Arc::new(Component::from_header("filter", cards(&is_filter_card))),
        ),
    ]
}

/// Returns a calibration that says how many counts a source of magnitude 0 has.
pub(super) fn calib(counts: f64, error: f64) -> PhotoCalib {
    PhotoCalib::new(Carrier::Header(Metadata::new([
        card("FLUXMAG0", counts, "counts of magnitude 0"),
        card("FLUXMAG0ERR", error, "its error"),
    ])))
}

/// Returns a Gaussian point spread function, as the record that the LSST stack keeps it in.
pub(super) fn gaussian_psf(sigma: f64) -> Component {
    let size = 2 * (4.0 * sigma).ceil() as i32 + 1;
    let mut row = Vec::with_capacity(16);
    row.extend_from_slice(&size.to_be_bytes());
    row.extend_from_slice(&size.to_be_bytes());
    row.extend_from_slice(&sigma.to_be_bytes());
    let table = RecordTable::from_header(psf_columns()).expect("the cards below describe 16 bytes");
    let rows = RecordRows::new(Arc::new(table), Bytes::from(row), Vec::new())
        .expect("it is one row of the 16 bytes that its columns take");
    let catalog = Catalog { number: 0, rows };
    let object = ArchiveObject::new(1, "GaussianPsf", "lsst.afw.detection", vec![catalog]);
    let archive = Archive::new([object]).expect("one object has one id");
    let persisted = archive
        .persisted(1)
        .expect("the object was put into it with the id 1");
    Component::from_archive("psf", persisted)
}

fn psf_columns() -> Metadata {
    let mut cards = vec![
        Card::new("XTENSION", "BINTABLE", None),
        Card::new("BITPIX", 8_i64, None),
        Card::new("NAXIS", 2_i64, None),
        Card::new("NAXIS1", 16_i64, None),
        Card::new("NAXIS2", 1_i64, None),
        Card::new("PCOUNT", 0_i64, None),
        Card::new("GCOUNT", 1_i64, None),
        Card::new("TFIELDS", 3_i64, None),
    ];
    let columns = [
        (
            "dimensions_x",
            "1J",
            "width of the image of the point spread function",
        ),
        (
            "dimensions_y",
            "1J",
            "height of the image of the point spread function",
        ),
        ("sigma", "1D", "standard deviation of the Gaussian"),
    ];
    for (number, (name, form, doc)) in (1..).zip(columns) {
        cards.push(Card::new(format!("TTYPE{number}"), name, None));
        cards.push(Card::new(format!("TFORM{number}"), form, None));
        cards.push(Card::new(format!("TDOC{number}"), doc, None));
        cards.push(Card::new(format!("TUNIT{number}"), "pixel", None));
        cards.push(Card::new(format!("TCCLS{number}"), "Scalar", None));
    }
    cards.push(Card::new("AFW_TABLE_VERSION", 3_i64, None));
    Metadata::new(cards)
}
