//! Types commands and runs them: what a person would see who sat at the keyboard.

use pantler::Report;
use pantler::core::report::{Kind, Label};

use clap::Parser;

use crate::arguments::Arguments;
use crate::failure::{Failure, report_text};
use crate::program::Outcome;
use crate::screen::Style;
use crate::session::Session;

/// A prompt with a screen behind it.
pub struct Prompt<'a> {
    session: &'a Session,
}

impl Prompt<'_> {
    /// Puts a prompt on a session's screen.
    pub fn new(session: &Session) -> Prompt<'_> {
        Prompt { session }
    }

    /// Runs a command that must do what it is asked for.
    pub fn run(&self, words: &[&str]) -> Result<(), Failure> {
        match self.typed(words)? {
            Ok(Outcome::Done) => Ok(()),
            Ok(Outcome::Status(status)) => {
                Err(surprise(words, &format!("it ended with status {status}")))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Runs a command that must be refused, and shows how.
    pub fn run_refused(&self, words: &[&str]) -> Result<(), Failure> {
        match self.typed(words)? {
            Ok(_) => Err(surprise(words, "it should have been refused")),
            Err(failure) => {
                let screen = &self.session.screen;
                let text = report_text(&failure.report(), |style, text| screen.out(style, text));
                screen.print(&format!("{text}\n"))
            }
        }
    }

    fn typed(&self, words: &[&str]) -> Result<Result<Outcome, Failure>, Failure> {
        let screen = &self.session.screen;
        screen.print(&format!(
            "\n{}\n",
            screen.out(Style::Bold, &format!("$ {}", command_line(words)))
        ))?;
        let arguments =
            Arguments::try_parse_from(std::iter::once("pantler").chain(words.iter().copied()))
                .map_err(|error| surprise(words, &error.to_string()))?;
        let session = self.session.anew();
        let outcome = arguments.command.run(&session);
        if arguments.global.stats {
            screen.print(&format!("{}\n", session.stats().document()))?;
        }
        Ok(outcome)
    }
}

/// Returns a command as it is pasted into a shell.
pub fn command_line(words: &[&str]) -> String {
    let quoted = words.iter().map(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=:,./%@".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            (*word).to_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    let words: Vec<String> = std::iter::once("pantler".to_owned())
        .chain(quoted)
        .collect();
    words.join(" ")
}

/// A command of the demo that did not end as the demo says.
fn surprise(words: &[&str], why: &str) -> Failure {
    Report::new(
        Kind::Unsupported,
        "this is a bug in pantler: its demo did not go as it must",
    )
    .fact(Label::AskedFor, command_line(words))
    .fact(Label::Why, why)
    .hint(format!(
        "please report it at {}/issues",
        env!("CARGO_PKG_REPOSITORY")
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use super::command_line;

    #[test]
    fn words_that_shells_would_change_are_quoted() {
        assert_eq!(
            command_line(&["get", "a/b", "calexp:sfm", "visit=1"]),
            "pantler get a/b calexp:sfm visit=1"
        );
        assert_eq!(command_line(&["fsck", "my demo"]), "pantler fsck 'my demo'");
        assert_eq!(command_line(&["fsck", "it's"]), r"pantler fsck 'it'\''s'");
    }
}
