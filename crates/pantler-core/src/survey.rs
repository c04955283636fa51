//! What a file tells of itself to whoever takes it into a repository, read in one go.
//!
//! A formatter answers [`crate::Formatter::survey`] with it; ingest alone asks. It holds headers, never pixels or rows.

use std::sync::Arc;

use crate::ObjectRef;

/// What is wanted of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SurveyRequest {
    /// The class that the policy's `python` names; `None` where it does not say.
    pub class: Option<String>,
    /// Which datasets lie in it.
    pub units: SurveyedUnits,
    /// Whether the headers are wanted.
    pub headers: bool,
    /// Whether coordinates and extent of its pixels are wanted.
    pub place: bool,
}

/// Which datasets lie in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SurveyedUnits {
    /// One: the file is the dataset.
    #[default]
    Whole,
    /// The one that lies in this HDU, counted from 0.
    One(u32),
    /// One in each HDU that an object of the class can be read from.
    Every,
}

/// What a file's headers tell.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Where the parts lie, as [`crate::Formatter::index`] returns it.
    pub layout: Option<Arc<[u8]>>,
    /// The datasets; none only where every fitting HDU was asked for, and none fits.
    pub units: Vec<SurveyedUnit>,
}

/// What is told of one dataset in a file.
#[derive(Debug, Clone, Default)]
pub struct SurveyedUnit {
    /// The HDU, counted from 0; `None` for the file as a whole.
    pub hdu: Option<u32>,
    /// The headers in which its values may stand, the nearest first, with every card.
    pub headers: Vec<ObjectRef>,
    /// Its coordinates, if it has any.
    pub wcs: Option<ObjectRef>,
    /// The rectangle that its pixels cover, if it has pixels.
    pub bbox: Option<ObjectRef>,
}
