//! Makes records of rows.
//!
//! Every search selects the same columns, [`COLUMNS`], so there is one place where a row is read. A row that no version of
//! pantler wrote is an error that names what is wrong with it, never a record that is half right.

use std::sync::Arc;

use pantler_core::registry::{ArtifactRecord, Member, State};
use pantler_core::sky::Footprint;
use pantler_core::{DataId, DatasetId, DatasetRecord, Digest, Location, RegistryError, TypeName};
use rusqlite::Row;

use super::catalogue::{Catalogue, Known};
use super::schema;
use super::session::Session;
use crate::data_id_json;

/// What is selected of a dataset `d`, after one column of the search's own. Members come as one JSON text, so that a
/// dataset is one row.
pub(super) const COLUMNS: &str = "d.id, d.uuid, d.definition, d.data_id, d.location, d.bytes, \
     d.modified, d.digest, d.superseded, d.layout, \
     (SELECT l.body FROM layout AS l WHERE l.id = d.layout), \
     CASE d.composite WHEN 0 THEN NULL ELSE (SELECT json_group_array(json_array(m.component, \
     hex(m.uuid), m.dataset_type, json(m.data_id), json(m.part), m.role) ORDER BY m.position) \
     FROM member AS m WHERE m.composite = d.id) END, \
     d.metadata, d.corners";

/// As many columns as a search has that selects [`COLUMNS`], less the first three, for the row that tells the version.
pub(super) const PADDING: &str =
    "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL";

/// A member as [`COLUMNS`] writes it.
type MemberText = (String, String, String, serde_json::Value, Vec<String>, i64);

/// Reads rows one after the other.
pub(super) struct RowReader<'c> {
    session: &'c Session,
    catalogue: &'c Catalogue,
    /// Neighbours often have the same layout; they share one copy.
    last_layout: Option<(i64, Arc<[u8]>)>,
}

/// A record with what the registry itself knows of it.
pub(super) struct FoundRow {
    pub(super) number: i64,
    pub(super) key_table: i64,
    pub(super) record: DatasetRecord,
}

impl<'c> RowReader<'c> {
    pub(super) fn new(session: &'c Session, catalogue: &'c Catalogue) -> RowReader<'c> {
        RowReader {
            session,
            catalogue,
            last_layout: None,
        }
    }

    /// Reads a row; `None` if its definition is not in the catalogue.
    pub(super) fn read(&mut self, row: &Row<'_>) -> Result<Option<FoundRow>, RegistryError> {
        let failed = |error| self.session.failed("read", &error);
        let number: i64 = row.get(1).map_err(failed)?;
        let definition: i64 = row.get(3).map_err(failed)?;
        let Some(known) = self.catalogue.definition(definition) else {
            return Ok(None);
        };
        let uuid: [u8; 16] = row.get(2).map_err(failed)?;
        let superseded: bool = row.get(9).map_err(failed)?;
        let (members, precursors) = self.members(row, number)?;
        let record = DatasetRecord {
            id: DatasetId::from_bytes(uuid),
            data_id: self.data_id(row, known, number)?,
            definition: Arc::clone(&known.definition),
            artifact: self.artifact(row, number)?,
            members,
            precursors,
            metadata: self.metadata(row, number)?,
            footprint: self.footprint(row, number)?,
            state: if superseded {
                State::Superseded
            } else {
                State::Current
            },
        };
        Ok(Some(FoundRow {
            number,
            key_table: known.key_table.id,
            record,
        }))
    }

    fn corrupt(&self, number: i64, what: &str) -> RegistryError {
        self.session
            .corrupt(format!("{what} of its dataset {number} is not readable"))
    }

    fn data_id(&self, row: &Row<'_>, known: &Known, number: i64) -> Result<DataId, RegistryError> {
        let failed = |error| self.session.failed("read", &error);
        let text = row.get_ref(4).map_err(failed)?.as_str();
        let values = text.ok().and_then(data_id_json::decode_values);
        let keys = &known.key_names;
        match values {
            Some(values) if values.len() == keys.len() => Ok(DataId::of_shared_keys(keys, values)),
            _ => Err(self.corrupt(number, "the data ID")),
        }
    }

    fn artifact(
        &mut self,
        row: &Row<'_>,
        number: i64,
    ) -> Result<Option<ArtifactRecord>, RegistryError> {
        let session = self.session;
        let failed = |error| session.failed("read", &error);
        let Some(bytes) = row.get::<_, Option<i64>>(6).map_err(failed)? else {
            return Ok(None);
        };
        let location: Option<String> = row.get(5).map_err(failed)?;
        let location = location.map(|text| decode_location(&text)).transpose();
        let digest: Option<[u8; 32]> = row.get(8).map_err(failed)?;
        Ok(Some(ArtifactRecord {
            location: location.map_err(|()| self.corrupt(number, "the location"))?,
            bytes: u64::try_from(bytes).map_err(|_| self.corrupt(number, "the size"))?,
            modified: row.get(7).map_err(failed)?,
            digest: digest.map(Digest::from_bytes),
            layout: self.layout(row, number)?,
        }))
    }

    fn layout(&mut self, row: &Row<'_>, number: i64) -> Result<Option<Arc<[u8]>>, RegistryError> {
        let session = self.session;
        let failed = |error| session.failed("read", &error);
        let Some(layout) = row.get::<_, Option<i64>>(10).map_err(failed)? else {
            return Ok(None);
        };
        if let Some((last, body)) = &self.last_layout
            && *last == layout
        {
            return Ok(Some(Arc::clone(body)));
        }
        let body = row.get_ref(11).map_err(failed)?.as_blob();
        let body: Arc<[u8]> = body.map_err(|_| self.corrupt(number, "the layout"))?.into();
        self.last_layout = Some((layout, Arc::clone(&body)));
        Ok(Some(body))
    }

    fn metadata(&self, row: &Row<'_>, number: i64) -> Result<DataId, RegistryError> {
        let text: Option<String> = row
            .get(13)
            .map_err(|error| self.session.failed("read", &error))?;
        let Some(text) = text else {
            return Ok(DataId::default());
        };
        let value = serde_json::from_str(&text).ok();
        value
            .and_then(|value| data_id_json::decode(&value))
            .ok_or_else(|| self.corrupt(number, "the metadata"))
    }

    fn footprint(&self, row: &Row<'_>, number: i64) -> Result<Option<Footprint>, RegistryError> {
        let corners = row
            .get_ref(14)
            .map_err(|error| self.session.failed("read", &error))?;
        let unreadable = || self.corrupt(number, "the footprint");
        match corners.as_blob_or_null().map_err(|_| unreadable())? {
            Some(bytes) => Ok(Some(Footprint::from_bytes(bytes).ok_or_else(unreadable)?)),
            None => Ok(None),
        }
    }

    /// Reads what a dataset is made of, and what it was made from.
    fn members(
        &self,
        row: &Row<'_>,
        number: i64,
    ) -> Result<(Vec<Member>, Vec<Member>), RegistryError> {
        let failed = |error| self.session.failed("read", &error);
        let text = row.get_ref(12).map_err(failed)?;
        let Some(text) = text.as_str_or_null().ok() else {
            return Err(self.corrupt(number, "the composition"));
        };
        let Some(text) = text else {
            return Ok((Vec::new(), Vec::new()));
        };
        let unreadable = || self.corrupt(number, "the composition");
        let texts: Vec<MemberText> = serde_json::from_str(text).map_err(|_| unreadable())?;
        let (mut members, mut precursors) = (Vec::new(), Vec::new());
        for text in texts {
            let role = text.5;
            let member = member(text).ok_or_else(unreadable)?;
            if role == schema::PRECURSOR {
                precursors.push(member);
            } else {
                members.push(member);
            }
        }
        Ok((members, precursors))
    }
}

fn member(text: MemberText) -> Option<Member> {
    let (component, uuid, dataset_type, data_id, part, role) = text;
    Some(Member {
        component,
        dataset: DatasetId::parse(&uuid)?,
        dataset_type: TypeName::new(&dataset_type).ok()?,
        data_id: data_id_json::decode(&data_id)?,
        part,
        input_only: role == schema::INPUT_ONLY,
    })
}

/// Writes a location as text that tells inside from outside whatever the outside path looks like: a path inside never
/// starts with `/`, so one more `/` marks those outside.
pub(super) fn encode_location(location: &Location) -> String {
    match location {
        Location::Inside(path) => path.as_str().to_owned(),
        Location::Outside(path) => format!("/{path}"),
    }
}

fn decode_location(text: &str) -> Result<Location, ()> {
    match text.strip_prefix('/') {
        Some(path) => Ok(Location::Outside(path.into())),
        None => Location::parse(text).map_err(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_come_back_as_they_were() {
        for location in [
            Location::parse("calexp/1.fits").expect("it is a path"),
            Location::parse("/data/raw/1.fits").expect("it is a path"),
            Location::Outside("s3://bucket/1.fits".into()),
        ] {
            let text = encode_location(&location);
            assert_eq!(decode_location(&text), Ok(location), "{text}");
        }
    }

    #[test]
    fn a_location_that_climbs_out_is_refused() {
        assert_eq!(decode_location("../1.fits"), Err(()));
        assert_eq!(decode_location(""), Err(()));
    }
}
