//! Where everything is printed: text for people or one document for programs on standard output, remarks on standard error.
//!
//! Nothing here depends on colour; it is used on a terminal only, and not where `--no-color` or `NO_COLOR` forbids it.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use crate::arguments::Global;
use crate::failure::Failure;

/// Standard output and standard error, as the options ask for them.
#[derive(Debug, Clone)]
pub struct Screen {
    json: bool,
    quiet: bool,
    colour_out: bool,
    colour_error: bool,
}

/// What a piece of text is; says how it looks in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Branches, headings: less important than what stands beside.
    Dim,
    /// Names.
    Bold,
    /// `error:`.
    Error,
    /// `warning:`.
    Warning,
    /// `hint:`.
    Hint,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Dim => "2",
            Style::Bold => "1",
            Style::Error => "1;31",
            Style::Warning => "1;33",
            Style::Hint => "1;36",
        }
    }
}

/// Returns text with a style, if colour is wanted.
pub fn styled(colour: bool, style: Style, text: &str) -> String {
    if colour && !text.is_empty() {
        format!("\x1b[{}m{text}\x1b[0m", style.code())
    } else {
        text.to_owned()
    }
}

impl Screen {
    /// Looks at the options, the environment and what the two streams are.
    pub fn new(global: &Global) -> Screen {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let wanted = !global.no_color && !set("NO_COLOR") && !dumb;
        Screen {
            json: global.json,
            quiet: global.quiet,
            colour_out: wanted && io::stdout().is_terminal(),
            colour_error: wanted && io::stderr().is_terminal(),
        }
    }

    /// Says whether a document is wanted rather than text.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Prints what a command found or did: the document, or what `text` makes of it for people.
    pub fn show(
        &self,
        document: impl FnOnce() -> Value,
        text: impl FnOnce(&Screen) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.print(&format!("{:#}\n", document()))
        } else {
            self.print(&text(self))
        }
    }

    /// Prints what a command did, which people may not want to read: nothing under `--quiet`.
    pub fn report(
        &self,
        document: impl FnOnce() -> Value,
        text: impl FnOnce(&Screen) -> String,
    ) -> Result<(), Failure> {
        if self.quiet && !self.json {
            return Ok(());
        }
        self.show(document, text)
    }

    /// Prints text on standard output. A reader that has gone ends the program quietly.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(Failure::of_output)
    }

    /// Prints a remark on standard error; none under `--quiet` and `--json`.
    pub fn remark(&self, style: Style, label: &str, text: &str) {
        if !self.quiet && !self.json {
            self.error_line(&format!(
                "{} {text}",
                styled(self.colour_error, style, label)
            ));
        }
    }

    /// Prints a line on standard error. Where nobody can read it, nothing can be done about it.
    pub fn error_line(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Returns text for standard output with a style.
    pub fn out(&self, style: Style, text: &str) -> String {
        styled(self.colour_out, style, text)
    }

    /// Returns text for standard error with a style.
    pub fn error(&self, style: Style, text: &str) -> String {
        styled(self.colour_error, style, text)
    }

    /// Returns a progress bar of so many steps, or a spinner; invisible where nobody watches.
    pub fn progress(&self, steps: Option<u64>, what: &str) -> ProgressBar {
        if self.quiet || self.json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let (bar, template) = match steps {
            Some(steps) => (
                ProgressBar::new(steps),
                "{msg} {wide_bar} {pos}/{len} {eta}",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}"),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        bar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_is_only_colour() {
        assert_eq!(styled(false, Style::Error, "error:"), "error:");
        assert_eq!(
            styled(true, Style::Error, "error:"),
            "\x1b[1;31merror:\x1b[0m"
        );
        assert_eq!(styled(true, Style::Dim, ""), "");
    }
}
