//! `pantler demo`: a simulated survey in a folder, and a walk through what composites are for.
//!
//! ```text
//! survey (simulates, puts) ─► story (what to ask, and why) ─► prompt (types the command, runs it, shows what it prints)
//! ```
//!
//! Every command in it is run by the code that runs it on the command line; nothing that it prints is prepared.

mod prompt;
mod story;
mod survey;

use std::path::Path;

use pantler::Report;
use pantler::core::report::{Kind, Label};

use crate::failure::Failure;
use crate::session::Session;

/// Makes the survey in a folder that is empty or does not exist, and tells the story.
pub fn run(session: &Session, folder: &Path) -> Result<(), Failure> {
    if session.screen.json() {
        return Err(Report::new(
            Kind::Request,
            "`pantler demo` is a story for people, and has no document",
        )
        .hint("leave --json away")
        .into());
    }
    let taken = folder
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some());
    if taken || folder.is_file() {
        return Err(Report::new(
            Kind::Request,
            format!("{} is there already", folder.display()),
        )
        .fact(
            Label::Why,
            "the demo writes into a folder of its own, and overwrites nothing",
        )
        .hint("name another folder: pantler demo FOLDER")
        .into());
    }
    story::tell(session, folder)
}
