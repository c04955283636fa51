//! Opens butlers for commands, in the roles that a command gives its repositories.

use std::path::PathBuf;

use pantler::{Butler, ButlerOptions, Chain, Trust, Who};

use crate::arguments::{Allowed, Global, More, Repositories};
use crate::failure::Failure;
use crate::screen::{Screen, Style};
use crate::stats::Stats;

/// How butlers are opened, who acts and what counts aside: with whose code may run, and whether pickles may be read.
pub type Opening = fn(Trust, bool) -> ButlerOptions;

/// What a command has at hand: the screen, and the way to a butler.
pub struct Session {
    pub screen: Screen,
    stats: Stats,
    opening: Opening,
}

impl Session {
    /// Starts a session, in which butlers are opened as `opening` says.
    pub fn new(global: &Global, opening: Opening) -> Session {
        Session {
            screen: Screen::new(global),
            stats: Stats::default(),
            opening,
        }
    }

    /// Starts another session on the same screen, with counts of its own.
    pub fn anew(&self) -> Session {
        Session {
            screen: self.screen.clone(),
            stats: Stats::default(),
            opening: self.opening,
        }
    }

    /// Returns what was counted so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Returns how butlers are opened here where no code of others may run.
    pub fn options(&self) -> ButlerOptions {
        self.options_with(&Allowed::default())
    }

    /// Returns how butlers are opened here.
    fn options_with(&self, allowed: &Allowed) -> ButlerOptions {
        ButlerOptions {
            who: Who::of_process(),
            opener: self.stats.opener(),
            ..(self.opening)(allowed.trust(), allowed.allow_pickle)
        }
    }

    /// Opens repositories to read from. Further outputs are searched first, and nothing is made or written.
    pub fn reading(&self, repositories: &Repositories) -> Result<Butler, Failure> {
        self.reading_from(&repositories.repository, &repositories.more)
    }

    /// Opens repositories to read from, the first of them named apart.
    pub fn reading_from(&self, first: &std::path::Path, more: &More) -> Result<Butler, Failure> {
        let inputs: Vec<PathBuf> = more
            .outputs
            .iter()
            .cloned()
            .chain([first.to_path_buf()])
            .chain(more.inputs.iter().cloned())
            .collect();
        let options = ButlerOptions {
            inputs_in_order: more.inputs_in_order,
            ..self.options_with(&more.allowed)
        };
        Ok(self.remarking(Butler::open(&inputs, &[], options)?))
    }

    /// Opens repositories to write to. One that does not exist is made only if inputs say what it builds on; one that
    /// does is given further parents only where that is asked for.
    pub fn writing(
        &self,
        repositories: &Repositories,
        add_parents: bool,
    ) -> Result<Butler, Failure> {
        let outputs = outputs(repositories);
        let inputs = &repositories.more.inputs;
        if inputs.is_empty() {
            return self.writing_as_it_is(repositories);
        }
        let options = ButlerOptions {
            inputs_in_order: repositories.more.inputs_in_order,
            add_parents,
            ..self.options_with(&repositories.more.allowed)
        };
        Ok(self.remarking(Butler::open(inputs, &outputs, options)?))
    }

    /// Opens repositories as for writing, and changes nothing by it.
    pub fn writing_as_it_is(&self, repositories: &Repositories) -> Result<Butler, Failure> {
        let options = ButlerOptions {
            inputs_in_order: repositories.more.inputs_in_order,
            ..self.options_with(&repositories.more.allowed)
        };
        let chain = Chain::open(
            &outputs(repositories),
            &repositories.more.inputs,
            options.opener.as_ref(),
        )?;
        Ok(self.remarking(Butler::of(chain, options)))
    }

    /// Starts to count, and says on standard error what the policies probably do not mean as it is written.
    fn remarking(&self, butler: Butler) -> Butler {
        self.stats.begin();
        for repository in butler.repositories() {
            let warnings = repository.warnings();
            let Some(first) = warnings.first() else {
                continue;
            };
            let more = match warnings.len() {
                1 => String::new(),
                number => format!(", and {} more", number - 1),
            };
            self.screen.remark(
                Style::Warning,
                "warning:",
                &format!(
                    "{} ({}){more}; `pantler policy check {}` shows it in its place",
                    first.message, first.place, first.place.file
                ),
            );
        }
        butler
    }
}

fn outputs(repositories: &Repositories) -> Vec<PathBuf> {
    std::iter::once(repositories.repository.clone())
        .chain(repositories.more.outputs.iter().cloned())
        .collect()
}
