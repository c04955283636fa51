//! The simulated survey: what two processing steps have put before the story starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pantler::core::formatter::WriteOptions;
use pantler::core::policy::PolicyText;
use pantler::core::report::Kind;
use pantler::simulate::Sky;
use pantler::{Butler, DataId, KeyValue, ObjectRef, Parameters, PutOptions, Report, export};

use crate::failure::Failure;
use crate::session::Session;

/// The visits of the survey.
pub const VISITS: [i64; 2] = [903_334, 903_342];
/// The ccds of the camera that are used: one in tract 0, one in both tracts, one in tract 1.
pub const CCDS: [i64; 3] = [15, 16, 17];
/// The width and the height of every exposure.
pub const SIZE: u32 = 512;
/// The exposure (visit, ccd) for which the joint fit finds no coordinates.
pub const UNFITTED: (i64, i64) = (903_342, 15);
/// The exposure (visit, ccd) whose joint fit comes late: the story puts it.
pub const LATE: (i64, i64) = (903_342, 17);

/// What single-visit processing says about its datasets.
pub const SINGLE_VISIT_POLICY: &str = include_str!("single_visit.yaml");
/// What the joint fit says about its datasets.
pub const JOINTCAL_POLICY: &str = include_str!("jointcal.yaml");

/// Two repositories in a folder.
pub struct Survey {
    folder: PathBuf,
    sky: Sky,
}

impl Survey {
    /// Simulates the sky, and puts what both steps make of it.
    pub fn make(session: &Session, folder: &Path) -> Result<Survey, Failure> {
        let survey = Survey {
            folder: folder.to_path_buf(),
            sky: Sky::new(1),
        };
        let steps = (VISITS.len() * CCDS.len() * 2) as u64;
        let bar = session.screen.progress(Some(steps), "simulating");
        let progress = || bar.inc(1);
        let made = survey
            .process_visits(session, &progress)
            .and_then(|()| survey.fit_jointly(session, &progress));
        bar.finish_and_clear();
        made.map(|()| survey)
    }

    /// Returns a path in the survey's folder, as a person types it.
    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn process_visits(&self, session: &Session, progress: &dyn Fn()) -> Result<(), Failure> {
        let root = self.folder.join("single_visit");
        Butler::init(
            &root,
            &[policy("single_visit.yaml", SINGLE_VISIT_POLICY)],
            &[],
        )?;
        let butler = Butler::open(&[], &[root], session.options())?;
        for (visit, ccd) in exposures() {
            let exposure: ObjectRef = Arc::new(self.sky.single_visit(visit, ccd, (SIZE, SIZE)));
            butler.put(
                &exposure,
                "calexp:sfm",
                &data_id(visit, ccd),
                &PutOptions::default(),
            )?;
            progress();
        }
        Ok(())
    }

    fn fit_jointly(&self, session: &Session, progress: &dyn Fn()) -> Result<(), Failure> {
        let root = self.folder.join("jointcal");
        let parent = self.folder.join("single_visit");
        Butler::init(
            &root,
            &[policy("jointcal.yaml", JOINTCAL_POLICY)],
            &[parent],
        )?;
        let butler = Butler::open(&[], &[root], session.options())?;
        for (visit, ccd) in exposures() {
            progress();
            if (visit, ccd) == LATE {
                continue;
            }
            for tract in self.sky.tracts(ccd) {
                let data_id = data_id(visit, ccd).with("tract", KeyValue::Int(tract));
                let calib: ObjectRef = Arc::new(self.sky.jointcal_calib(visit, ccd, tract));
                butler.put(&calib, "jointcal_calib", &data_id, &PutOptions::default())?;
                if (visit, ccd) != UNFITTED {
                    let wcs: ObjectRef = Arc::new(self.sky.jointcal_wcs(visit, ccd, tract));
                    butler.put(&wcs, "jointcal_wcs", &data_id, &PutOptions::default())?;
                }
            }
        }
        Ok(())
    }

    /// Writes the late exposure, with the coordinates and the calibration of the joint fit in it, as a file of its own.
    pub fn write_late_exposure(&self, session: &Session, file: &str) -> Result<u64, Failure> {
        let butler = Butler::open(&[self.folder.join("single_visit")], &[], session.options())?;
        let (visit, ccd) = LATE;
        let old = butler.get("calexp:sfm", &data_id(visit, ccd), &Parameters::default())?;
        let wcs: ObjectRef = Arc::new(self.sky.jointcal_wcs(visit, ccd, 1));
        let calib: ObjectRef = Arc::new(self.sky.jointcal_calib(visit, ccd, 1));
        let new = with(&with(&old, "wcs", &wcs)?, "photoCalib", &calib)?;
        let file = Path::new(file);
        let (bytes, _) =
            export::to_file_bytes(butler.formatters(), &new, file, &WriteOptions::default())?;
        export::write_file(file, &bytes)?;
        Ok(bytes.len() as u64)
    }
}

fn with(object: &ObjectRef, component: &str, value: &ObjectRef) -> Result<ObjectRef, Failure> {
    object
        .with_component(component, value)
        .map_err(|error| Report::new(Kind::Unsupported, error.to_string()).into())
}

fn policy(file: &str, text: &str) -> PolicyText {
    PolicyText {
        file: file.into(),
        text: text.to_owned(),
    }
}

fn exposures() -> impl Iterator<Item = (i64, i64)> {
    VISITS
        .into_iter()
        .flat_map(|visit| CCDS.map(|ccd| (visit, ccd)))
}

/// Returns the data ID of an exposure.
pub fn data_id(visit: i64, ccd: i64) -> DataId {
    DataId::new([("visit", KeyValue::Int(visit)), ("ccd", KeyValue::Int(ccd))])
}
