//! The values of a visit, out of a record of any version or out of header cards.
//!
//! | version | what a record has that the one before had not |
//! | --- | --- |
//! | 0 | no column `version`: identifier, times, pointing, observatory, weather |
//! | 1 | the column `version`, the label of the instrument |
//! | 2 | the number of the exposure of the whole focal plane |
//! | 3 | the defocal distance |
//! | 4 | observation type, programme, reason, object, whether it is simulated |
//! | 5 | the identifier of the exposure is gone |
//!
//! Angles are radians in records and degrees in cards; here they are degrees.

use crate::carrier::Carrier;
use crate::decode::{DecodeError, Row, record_of, version_of};
use crate::metadata::{CardValue, Metadata};
use crate::summary::SummaryLine;
use crate::time::{TaiTime, TimeScale};

/// The oldest and the newest version of records that are understood.
const KNOWN_VERSIONS: (i64, i64) = (0, 5);

/// What the rotation angle of the boresight is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationType {
    /// It is not known.
    Unknown,
    /// The sky: the position angle of the y axis of the focal plane.
    Sky,
    /// The horizon.
    Horizon,
    /// The mount of the rotator.
    Mount,
}

impl RotationType {
    /// Returns its name, as header cards have it.
    pub fn name(self) -> &'static str {
        match self {
            RotationType::Unknown => "UNKNOWN",
            RotationType::Sky => "SKY",
            RotationType::Horizon => "HORIZON",
            RotationType::Mount => "MOUNT",
        }
    }

    fn numbered(number: i64) -> Option<RotationType> {
        use RotationType::{Horizon, Mount, Sky, Unknown};
        let number = usize::try_from(number).ok()?;
        [Unknown, Sky, Horizon, Mount].get(number).copied()
    }

    fn named(name: &str) -> Option<RotationType> {
        (0..4)
            .filter_map(RotationType::numbered)
            .find(|kind| kind.name() == name.trim())
    }
}

/// When, where and how an exposure was taken; `None` is what the file does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitValues {
    /// The number of the exposure of the whole focal plane.
    pub id: Option<i64>,
    /// The number of the exposure of one detector, in old files.
    pub exposure_id: Option<i64>,
    /// The short name of the instrument.
    pub instrument: Option<String>,
    /// How long the shutter was open, in seconds.
    pub exposure_time: Option<f64>,
    /// From the flush of the detector to its readout, in seconds.
    pub dark_time: Option<f64>,
    /// The middle of the exposure.
    pub date_avg: Option<TaiTime>,
    /// UT1 at the middle of the exposure, as a modified Julian date in days.
    pub ut1: Option<f64>,
    /// The Earth rotation angle at the middle of the exposure, in degrees.
    pub earth_rotation_angle: Option<f64>,
    /// ICRS right ascension and declination of the boresight, in degrees.
    pub boresight_radec: Option<(f64, f64)>,
    /// Refracted apparent azimuth and altitude of the boresight, in degrees.
    pub boresight_azalt: Option<(f64, f64)>,
    /// The airmass at the boresight.
    pub boresight_airmass: Option<f64>,
    /// The rotation angle at the boresight, in degrees.
    pub boresight_rotation_angle: Option<f64>,
    /// What that angle is measured against.
    pub rotation_type: RotationType,
    /// The longitude of the observatory in degrees, positive to the east.
    pub longitude: Option<f64>,
    /// The latitude of the observatory in degrees.
    pub latitude: Option<f64>,
    /// The height of the observatory in metres.
    pub elevation: Option<f64>,
    /// The temperature of the air in degrees Celsius.
    pub air_temperature: Option<f64>,
    /// The pressure of the air in pascal.
    pub air_pressure: Option<f64>,
    /// The relative humidity in percent.
    pub humidity: Option<f64>,
    /// The defocal distance in millimetres.
    pub focus_z: Option<f64>,
    /// The type of the observation: `science`, `flat`.
    pub observation_type: Option<String>,
    /// The survey or proposal.
    pub science_program: Option<String>,
    /// Why the observation was made.
    pub observation_reason: Option<String>,
    /// The object or field.
    pub object: Option<String>,
    /// Whether any part of it was simulated.
    pub has_simulated_content: Option<bool>,
}

impl VisitValues {
    /// Reads the values out of what carries them.
    pub(super) fn read(carrier: &Carrier) -> Result<VisitValues, DecodeError> {
        match carrier {
            Carrier::Header(cards) => from_cards(cards),
            Carrier::Archive(_) => {
                let record = record_of(carrier, "VisitInfo")?;
                from_row(&Row::only(record.object(), 0)?)
            }
        }
    }

    /// Returns the values as lines, in the order of the fields.
    pub(super) fn lines(&self) -> Vec<SummaryLine> {
        let number =
            |name: &str, value: Option<f64>, unit| SummaryLine::with_unit(name, value, unit);
        let text = |name: &str, value: &Option<String>| SummaryLine::new(name, value.clone());
        let first = |pair: Option<(f64, f64)>| pair.map(|(first, _)| first);
        let second = |pair: Option<(f64, f64)>| pair.map(|(_, second)| second);
        let iso = self.date_avg.map(|date| date.to_string());
        let nanoseconds = self.date_avg.map(TaiTime::nanoseconds);
        vec![
            SummaryLine::new("id", self.id),
            SummaryLine::new("exposure_id", self.exposure_id),
            text("instrument", &self.instrument),
            number("exposure_time", self.exposure_time, "s"),
            number("dark_time", self.dark_time, "s"),
            SummaryLine::new("date_avg_tai", iso),
            SummaryLine::with_unit("date_avg_tai", nanoseconds, "ns"),
            SummaryLine::new("date_avg_tai_mjd", self.date_avg.map(TaiTime::mjd)),
            SummaryLine::new("date_avg_ut1_mjd", self.ut1),
            number("earth_rotation_angle", self.earth_rotation_angle, "deg"),
            number("boresight_ra", first(self.boresight_radec), "deg"),
            number("boresight_dec", second(self.boresight_radec), "deg"),
            number("boresight_azimuth", first(self.boresight_azalt), "deg"),
            number("boresight_altitude", second(self.boresight_azalt), "deg"),
            number("boresight_airmass", self.boresight_airmass, ""),
            number(
                "boresight_rotation_angle",
                self.boresight_rotation_angle,
                "deg",
            ),
            SummaryLine::new("rotation_type", self.rotation_type.name()),
            number("observatory_longitude", self.longitude, "deg"),
            number("observatory_latitude", self.latitude, "deg"),
            number("observatory_elevation", self.elevation, "m"),
            number("air_temperature", self.air_temperature, "deg_C"),
            number("air_pressure", self.air_pressure, "Pa"),
            number("humidity", self.humidity, "%"),
            number("focus_z", self.focus_z, "mm"),
            text("observation_type", &self.observation_type),
            text("science_program", &self.science_program),
            text("observation_reason", &self.observation_reason),
            text("object", &self.object),
            SummaryLine::new("has_simulated_content", self.has_simulated_content),
        ]
    }
}

/// Returns two numbers that mean something only together.
fn both(first: Option<f64>, second: Option<f64>) -> Option<(f64, f64)> {
    Some((first?, second?))
}

fn from_row(row: &Row<'_>) -> Result<VisitValues, DecodeError> {
    let version = version_of(row, KNOWN_VERSIONS)?;
    let number = |column: &str| {
        let value = row.real(column)?;
        Ok::<_, DecodeError>(value.is_finite().then_some(value))
    };
    let angle = |column: &str| Ok::<_, DecodeError>(number(column)?.map(f64::to_degrees));
    let text = |since: i64, column: &str| match version >= since {
        true => row.text(column).map(|text| filled(Some(text))),
        false => Ok(None),
    };
    let identifier = |there: bool, column: &str| match there {
        true => row.integer(column).map(|id| (id != 0).then_some(id)),
        false => Ok(None),
    };
    let tai = row.integer("tai")?;
    let kind = row.integer("rottype")?;
    Ok(VisitValues {
        id: identifier(version >= 2, "idnum")?,
        exposure_id: identifier(version < 5, "exposureid")?,
        instrument: text(1, "instrumentlabel")?,
        exposure_time: number("exposuretime")?,
        dark_time: number("darktime")?,
        // The smallest number stands for a date that is not known.
        date_avg: (tai != i64::MIN).then(|| TaiTime::from_nanoseconds(tai)),
        ut1: number("ut1")?,
        earth_rotation_angle: angle("era")?,
        boresight_radec: both(angle("boresightradec_ra")?, angle("boresightradec_dec")?),
        boresight_azalt: both(angle("boresightazalt_az")?, angle("boresightazalt_alt")?),
        boresight_airmass: number("boresightairmass")?,
        boresight_rotation_angle: angle("boresightrotangle")?,
        rotation_type: RotationType::numbered(kind).ok_or_else(|| {
            DecodeError::damaged(row.class(), format!("its rotation type is {kind}"))
        })?,
        longitude: angle("longitude")?,
        latitude: angle("latitude")?,
        elevation: number("elevation")?,
        air_temperature: number("airtemperature")?,
        air_pressure: number("airpressure")?,
        humidity: number("humidity")?,
        focus_z: match version >= 3 {
            true => number("focusz")?,
            false => None,
        },
        observation_type: text(4, "observationType")?,
        science_program: text(4, "scienceProgram")?,
        observation_reason: text(4, "observationReason")?,
        object: text(4, "object")?,
        has_simulated_content: match version >= 4 {
            true => Some(row.flag("hasSimulatedContent")?),
            false => None,
        },
    })
}

fn from_cards(cards: &Metadata) -> Result<VisitValues, DecodeError> {
    // Some old files have numbers in quotes.
    let number = |keyword: &str| {
        let quoted = || cards.get_text(keyword)?.trim().parse().ok();
        let value: Option<f64> = cards.get_f64(keyword).or_else(quoted);
        value.filter(|value| value.is_finite())
    };
    let text = |keyword: &str| filled(cards.get_text(keyword));
    let kind = cards.get_text("ROTTYPE").unwrap_or("UNKNOWN");
    Ok(VisitValues {
        id: cards.get_i64("IDNUM").filter(|id| *id != 0),
        exposure_id: cards.get_i64("EXPID").filter(|id| *id != 0),
        instrument: text("INSTRUMENT"),
        exposure_time: number("EXPTIME"),
        dark_time: number("DARKTIME"),
        date_avg: date_of(cards),
        ut1: number("MJD-AVG-UT1"),
        earth_rotation_angle: number("AVG-ERA"),
        boresight_radec: both(number("BORE-RA"), number("BORE-DEC")),
        boresight_azalt: both(number("BORE-AZ"), number("BORE-ALT")),
        boresight_airmass: number("BORE-AIRMASS"),
        boresight_rotation_angle: number("BORE-ROTANG"),
        rotation_type: RotationType::named(kind).ok_or_else(|| {
            DecodeError::damaged("VisitInfo", format!("its rotation type is `{kind}`"))
        })?,
        longitude: number("OBS-LONG"),
        latitude: number("OBS-LAT"),
        elevation: number("OBS-ELEV"),
        air_temperature: number("AIRTEMP"),
        air_pressure: number("AIRPRESS"),
        humidity: number("HUMIDITY"),
        focus_z: number("FOCUSZ"),
        observation_type: text("OBSTYPE"),
        science_program: text("PROGRAM"),
        observation_reason: text("REASON"),
        object: text("OBJECT"),
        has_simulated_content: match cards.get("HAS-SIMULATED-CONTENT") {
            Some(CardValue::Logical(flag)) => Some(*flag),
            _ => None,
        },
    })
}

/// Returns the middle of the exposure: `DATE-AVG` in the scale of `TIMESYS` (UTC where it is missing, as the FITS standard
/// has it), else `TIME-MID`, which old files have in UTC.
fn date_of(cards: &Metadata) -> Option<TaiTime> {
    match cards.get_text("DATE-AVG") {
        Some(date) => {
            let scale = TimeScale::named(cards.get_text("TIMESYS").unwrap_or("UTC"))?;
            TaiTime::parse(date, scale)
        }
        None => TaiTime::parse(cards.get_text("TIME-MID")?, TimeScale::Utc),
    }
}

/// Returns text that is not empty.
fn filled(text: Option<&str>) -> Option<String> {
    let text = text?.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}
