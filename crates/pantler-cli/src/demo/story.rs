//! The story: what each chapter asks, and what is to be learnt from the answer.

use std::path::Path;

use pantler::core::object::downcast;
use pantler::core::report::{Kind, Label};
use pantler::objects::{Exposure, Pixels, Wcs};
use pantler::{Butler, Composition, KeyValue, ObjectRef, Parameters, Report, export, human_bytes};

use super::prompt::{Prompt, command_line};
use super::survey::{CCDS, JOINTCAL_POLICY, LATE, SIZE, Survey, UNFITTED, VISITS, data_id};
use crate::failure::Failure;
use crate::picture::{Title, drawing};
use crate::screen::Style;
use crate::session::Session;

const INTRODUCTION: &str = "\
One exposure, made of parts that two processing steps wrote

A survey measures the same sky twice. First each visit is processed by itself (stage sfm):
pixels, a first WCS, a first calibration. Then all visits are fitted together (stage jointcal):
a better WCS, a better calibration. The pixels stay as they are.

Afterwards everybody wants exposures with the old pixels and the new WCS. Two usual ways:
  - Write every exposure again. Then all pixels are on disk twice.
  - Take each part from the first repository that has it. Nothing is copied; but where the
    joint fit failed, the old WCS is taken instead, and nobody is told.
pantler has a third: a stage says what its exposures are made of, and a get gives that,
or an error.
";

/// The telling of the story.
struct Story<'a> {
    session: &'a Session,
    prompt: Prompt<'a>,
    survey: Survey,
    single_visit: String,
    jointcal: String,
}

/// The exposure that most of the story is about: it lies in two tracts.
const SHOWN: (i64, i64) = (VISITS[0], CCDS[1]);

/// Makes the survey and tells the whole story.
pub fn tell(session: &Session, folder: &Path) -> Result<(), Failure> {
    session.screen.print(INTRODUCTION)?;
    let survey = Survey::make(session, folder)?;
    let story = Story {
        session,
        prompt: Prompt::new(session),
        single_visit: survey.path("single_visit"),
        jointcal: survey.path("jointcal"),
        survey,
    };
    story.two_repositories()?;
    story.what_it_is_made_of()?;
    story.get_it()?;
    story.what_is_on_disk()?;
    story.put_one()?;
    story.leave_a_key_out()?;
    story.what_is_missing_stays_missing()?;
    story.one_part_alone()?;
    story.one_file_to_give_away()?;
    story.check()?;
    story.what_next()
}

impl Story<'_> {
    fn two_repositories(&self) -> Result<(), Failure> {
        self.heading("Two steps have run, on a simulated sky")?;
        self.say(&format!(
            "{} holds {} exposures of {} each. {} is its child: it holds no\npixel, and says in its policy.yaml what its exposures are made of.",
            self.single_visit,
            VISITS.len() * CCDS.len(),
            human_bytes(self.bytes_of_exposure()?),
            self.jointcal,
        ))?;
        let policy: String = JOINTCAL_POLICY
            .lines()
            .map(|line| format!("    {line}\n"))
            .collect();
        self.session.screen.print(&format!(
            "\n{}",
            self.session.screen.out(Style::Dim, &policy)
        ))
    }

    fn what_it_is_made_of(&self) -> Result<(), Failure> {
        self.heading("What an exposure of the stage jointcal is")?;
        self.say("Not a pixel is read for this. It is the plan that a get carries out.")?;
        self.run("explain", "calexp:jointcal", SHOWN, &["tract=0"])
    }

    fn get_it(&self) -> Result<(), Failure> {
        self.heading("Get it")?;
        self.say("The caller names one thing. Where its parts lie is not the caller's business.")?;
        let out = self.survey.path("exposure.fits");
        self.run("get", "calexp:jointcal", SHOWN, &["tract=0", "--out", &out])?;
        let (old, new) = (
            self.get("calexp:sfm", None)?,
            self.get("calexp:jointcal", Some(0))?,
        );
        self.say(&format!(
            "\nCompared with calexp:sfm of the same exposure:\n{}",
            comparison(&old, &new)?
        ))
    }

    fn what_is_on_disk(&self) -> Result<(), Failure> {
        self.heading("What is on disk for it")?;
        self.say("This exposure lies in two tracts, so it was fitted twice, and there are two composites of it:")?;
        self.run("query", "calexp:jointcal", SHOWN, &[])?;
        self.say("\nTheir size is that of their parts. On disk the pixels are once:")?;
        let (visit, ccd) = words_of(SHOWN);
        self.prompt.run(&["query", &self.jointcal, &visit, &ccd])
    }

    fn put_one(&self) -> Result<(), Failure> {
        self.heading("Put one")?;
        let file = self.survey.path("fitted.fits");
        let bytes = self.survey.write_late_exposure(self.session, &file)?;
        self.say(&format!(
            "A program hands over a whole exposure, {} in {file}, with a new WCS and\ncalibration in it. Only these are written. The pixels are compared with those of\ncalexp:sfm; had they been changed, the put would be refused before writing anything.",
            human_bytes(bytes),
        ))?;
        let (visit, ccd) = words_of(LATE);
        self.prompt.run(&[
            "put",
            &self.jointcal,
            "calexp:jointcal",
            &file,
            &visit,
            &ccd,
            "tract=1",
            "--stats",
        ])?;
        self.say(
            "\nThe last line says what it cost: a few kilobytes written, for an exposure of megabytes.\nThe put also recorded what the exposure is made of, part by part and by identity. From now\non a get returns exactly these parts, whatever is put later:",
        )?;
        self.run("explain", "calexp:jointcal", LATE, &["tract=1"])
    }

    fn leave_a_key_out(&self) -> Result<(), Failure> {
        self.heading("Leave a key out")?;
        self.say("Here `calexp` is an alias of calexp:jointcal. This exposure lies in one tract, so the tract\nis known:")?;
        self.run("explain", "calexp", (SHOWN.0, CCDS[0]), &[])?;
        self.say("\nThis one lies in two. pantler does not choose:")?;
        self.run_refused("explain", "calexp", SHOWN, &[])
    }

    fn what_is_missing_stays_missing(&self) -> Result<(), Failure> {
        self.heading("What is missing stays missing")?;
        self.say(
            "The joint fit found no WCS for this exposure. \"The first repository that has one\" would have\ngiven the old WCS without a word:",
        )?;
        let out = self.survey.path("unfitted.fits");
        self.run_refused(
            "get",
            "calexp:jointcal",
            UNFITTED,
            &["tract=0", "--out", &out],
        )
    }

    fn one_part_alone(&self) -> Result<(), Failure> {
        self.heading("One part alone")?;
        self.say(&format!(
            "Its point spread function lies in the file of calexp:sfm, behind {} of pixels.\nA part costs its own bytes, and the headers that say what it is:",
            human_bytes(self.bytes_of_exposure()?),
        ))?;
        let out = self.survey.path("psf.fits");
        self.run(
            "get",
            "calexp:jointcal.psf",
            SHOWN,
            &["tract=0", "--out", &out, "--stats"],
        )
    }

    fn one_file_to_give_away(&self) -> Result<(), Failure> {
        self.heading("One file to give away")?;
        self.say(
            "A colleague without pantler gets one FITS file: the pixels, the new WCS and no trace of the\nold one, and for each part the dataset that it came from.",
        )?;
        let out = self.survey.path("for-a-colleague.fits");
        self.run(
            "export",
            "calexp:jointcal",
            SHOWN,
            &["tract=0", "--out", &out],
        )
    }

    fn check(&self) -> Result<(), Failure> {
        self.heading("Check")?;
        self.say("Every file is read and compared with what was recorded when it was written:")?;
        self.prompt.run(&["fsck", &self.single_visit, "--deep"])?;
        self.prompt.run(&["fsck", &self.jointcal, "--deep"])
    }

    fn what_next(&self) -> Result<(), Failure> {
        self.heading("What to try next")?;
        let (visit, ccd) = words_of(SHOWN);
        let jointcal = self.jointcal.as_str();
        let cutout = self.survey.path("cutout.fits");
        let picture = self.write_picture()?;
        let show = [
            "show", jointcal, "calexp", &visit, &ccd, "tract=0", "--png", &picture,
        ];
        let commands: [&[&str]; 6] = [
            &["show", jointcal],
            &show,
            &["query", jointcal, "calexp:jointcal", "--where", "tract = 1"],
            &[
                "get",
                jointcal,
                "calexp.wcs",
                &visit,
                &ccd,
                "tract=1",
                "--out",
                &self.survey.path("wcs.fits"),
            ],
            &[
                "get",
                jointcal,
                "calexp",
                &visit,
                &ccd,
                "tract=1",
                "--bbox",
                "100,100,64,64",
                "--out",
                &cutout,
            ],
            &["policy", "show", jointcal],
        ];
        let lines: String = commands
            .iter()
            .map(|words| format!("    {}\n", command_line(words)))
            .collect();
        self.say(&format!(
            "{lines}\nThe second one has made {picture}: look at it. The README says how to do\nall this with files of your own."
        ))
    }

    /// Draws the exposure that the story is about.
    fn write_picture(&self) -> Result<String, Failure> {
        let file = self.survey.path("picture.png");
        let exposure = self.get("calexp:jointcal", Some(0))?;
        let (visit, ccd) = words_of(SHOWN);
        let title = Title {
            name: format!("calexp   {visit} {ccd} tract=0"),
            class: exposure.class().to_owned(),
        };
        let canvas = drawing(&exposure, None, &title).map_err(|none| bug(&none.why))?;
        let png = canvas.png().map_err(|why| bug(&why))?;
        export::write_file(Path::new(&file), &png)?;
        Ok(file)
    }

    fn run(
        &self,
        command: &str,
        name: &str,
        exposure: (i64, i64),
        more: &[&str],
    ) -> Result<(), Failure> {
        let (visit, ccd) = words_of(exposure);
        self.prompt
            .run(&[&[command, &self.jointcal, name, &visit, &ccd], more].concat())
    }

    fn run_refused(
        &self,
        command: &str,
        name: &str,
        exposure: (i64, i64),
        more: &[&str],
    ) -> Result<(), Failure> {
        let (visit, ccd) = words_of(exposure);
        self.prompt
            .run_refused(&[&[command, &self.jointcal, name, &visit, &ccd], more].concat())
    }

    fn heading(&self, text: &str) -> Result<(), Failure> {
        let screen = &self.session.screen;
        screen.print(&format!(
            "\n\n{}\n",
            screen.out(Style::Bold, &format!("── {text} ──"))
        ))
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        self.session.screen.print(&format!("{text}\n"))
    }

    fn butler(&self) -> Result<Butler, Failure> {
        Ok(Butler::open(
            &[self.jointcal.as_str().into()],
            &[],
            self.session.options(),
        )?)
    }

    fn get(&self, name: &str, tract: Option<i64>) -> Result<ObjectRef, Failure> {
        let mut wanted = data_id(SHOWN.0, SHOWN.1);
        if let Some(tract) = tract {
            wanted.insert("tract", KeyValue::Int(tract));
        }
        Ok(self.butler()?.get(name, &wanted, &Parameters::default())?)
    }

    fn bytes_of_exposure(&self) -> Result<u64, Failure> {
        let plan = self.butler()?.explain(
            "calexp:sfm",
            &data_id(SHOWN.0, SHOWN.1),
            Composition::Recorded,
        )?;
        Ok(plan.root.bytes())
    }
}

fn bug(why: &str) -> Failure {
    Report::new(
        Kind::Unsupported,
        "this is a bug in pantler: its demo did not go as it must",
    )
    .fact(Label::Why, why)
    .into()
}

fn words_of((visit, ccd): (i64, i64)) -> (String, String) {
    (format!("visit={visit}"), format!("ccd={ccd}"))
}

/// Says how two exposures of the same pixels differ.
fn comparison(old: &ObjectRef, new: &ObjectRef) -> Result<String, Failure> {
    let unlike = || bug("it cannot compare two exposures");
    let (old, new) = downcast::<Exposure>(old.as_ref())
        .zip(downcast::<Exposure>(new.as_ref()))
        .ok_or_else(unlike)?;
    let image = |exposure: &Exposure| exposure.image().map(|image| image.pixels().clone());
    let variance = |exposure: &Exposure| exposure.variance().map(|image| image.pixels().clone());
    let mask = |exposure: &Exposure| exposure.mask().map(|mask| mask.pixels().clone());
    let same = same_bits(image(old), image(new))
        && same_bits(variance(old), variance(new))
        && mask(old) == mask(new);
    let (old_wcs, new_wcs) = old.wcs().zip(new.wcs()).ok_or_else(unlike)?;
    let middle = [(f64::from(SIZE / 2), f64::from(SIZE / 2))];
    let position = |wcs: &Wcs| {
        wcs.pixel_to_sky(&middle)
            .ok()
            .and_then(|found| found.first().copied())
    };
    let (before, after) = position(old_wcs)
        .zip(position(new_wcs))
        .ok_or_else(unlike)?;
    let across = (after.0 - before.0) * after.1.to_radians().cos();
    let moved = across.hypot(after.1 - before.1) * 3600.0;
    let mean = |exposure: &Exposure| {
        exposure
            .photo_calib()
            .and_then(|calib| calib.calibration_mean())
    };
    let (before, after) = mean(old).zip(mean(new)).ok_or_else(unlike)?;
    Ok(format!(
        "    image, mask, variance   {}\n    wcs                     moved by {moved:.3} arcseconds\n    calibration             changed by {:+.2} percent",
        if same {
            "the same, bit for bit"
        } else {
            "NOT the same"
        },
        (after / before - 1.0) * 100.0,
    ))
}

fn same_bits(old: Option<Pixels>, new: Option<Pixels>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            let bits = |pixels: &Pixels, index| pixels.get_f64(index).map(f64::to_bits);
            old.len() == new.len()
                && (0..old.len()).all(|index| bits(&old, index) == bits(&new, index))
        }
        (old, new) => old.is_none() && new.is_none(),
    }
}
