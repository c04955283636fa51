//! Reads what a file tells of itself to whoever takes it into a repository: one walk over its headers, whatever lies in it.

use std::sync::Arc;

use pantler_core::formatter::ReadRequest;
use pantler_core::survey::{Survey, SurveyRequest, SurveyedUnit, SurveyedUnits};
use pantler_core::{FormatError, ObjectRef, Source};

use super::asked::Asked;
use super::contents::Contents;
use super::layout::Layout;
use super::reading::{fitting_hdus, read_target};

/// Surveys a file.
pub(crate) fn survey(source: &dyn Source, request: &SurveyRequest) -> Result<Survey, FormatError> {
    let contents = Contents::walk(source)?;
    let layout = Layout::of(&contents)?.to_bytes();
    let hdus = match request.units {
        SurveyedUnits::Whole => vec![None],
        SurveyedUnits::One(hdu) => vec![Some(hdu)],
        SurveyedUnits::Every => {
            let hdus = fitting_hdus(&contents, request.class.as_deref())?;
            hdus.into_iter().map(Some).collect()
        }
    };
    let units = hdus.into_iter().map(|hdu| unit(&contents, request, hdu));
    Ok(Survey {
        units: units.collect::<Result<Vec<_>, FormatError>>()?,
        layout: Some(layout.into()),
    })
}

fn unit(
    contents: &Contents<'_>,
    request: &SurveyRequest,
    hdu: Option<u32>,
) -> Result<SurveyedUnit, FormatError> {
    let read = |part: &str, class: Option<&String>| {
        let asked = Asked::of(&ReadRequest {
            part: vec![part.to_owned()],
            class: class.cloned(),
            hdu,
            ..ReadRequest::default()
        });
        read_target(contents, &asked)
    };
    let placed = |part: &str| {
        let read = request.place.then(|| read(part, request.class.as_ref()));
        read.and_then(Result::ok)
    };
    let mut headers = Vec::new();
    if request.headers {
        if hdu.is_none() {
            headers.push(read("metadata", None)?);
        }
        // The HDU's own cards, then those of the file: as they stand, for a value may be the name of the HDU.
        let own = hdu.map(|hdu| hdu as usize);
        let own = own.or(contents.planes().image).filter(|own| *own > 0);
        for index in own.into_iter().chain([0]) {
            headers.push(cards(contents, index)?);
        }
    }
    Ok(SurveyedUnit {
        hdu,
        headers,
        wcs: placed("wcs"),
        bbox: placed("bbox"),
    })
}

fn cards(contents: &Contents<'_>, index: usize) -> Result<ObjectRef, FormatError> {
    Ok(Arc::new(contents.hdu(index)?.cards.clone()))
}
