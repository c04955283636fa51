//! Runs the built program in a folder of its own, as a shell would.

// Each test program uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder in which commands are run.
pub struct Place {
    folder: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// The exit status.
    pub status: i32,
    /// What it printed on standard output.
    pub out: String,
    /// What it printed on standard error.
    pub error: String,
}

impl Place {
    /// Makes an empty folder.
    pub fn new() -> Place {
        Place {
            folder: tempfile::tempdir().expect("a folder can be made"),
        }
    }

    /// Returns a path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a text file into it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder"))
            .expect("folders can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    /// Returns the program with the words of a line, which may be quoted with `'` or `"`.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pantler"));
        command
            .args(words(line))
            .current_dir(self.folder.path())
            .env_clear()
            .env("USER", "ada")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub fn run(&self, line: &str) -> Ran {
        let output = self
            .command(line)
            .output()
            .expect("the program can be started");
        let text =
            |bytes: Vec<u8>| self.filtered(&String::from_utf8(bytes).expect("it prints UTF-8"));
        Ran {
            status: output.status.code().expect("it ends by itself"),
            out: text(output.stdout),
            error: text(output.stderr),
        }
    }

    /// Runs the program, which must do what it is asked for; returns what it printed.
    pub fn ok(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.status, 0, "{line}\n{}{}", ran.out, ran.error);
        ran.out
    }

    /// Runs the program with `--json`, which must do what it is asked for; returns the document.
    pub fn json(&self, line: &str) -> Value {
        let ran = self.run(&format!("{line} --json"));
        assert_eq!(ran.status, 0, "{line}\n{}{}", ran.out, ran.error);
        ran.document()
    }

    /// Runs the program, which must refuse with this status; returns what it said.
    pub fn refused(&self, line: &str, status: i32) -> String {
        let ran = self.run(line);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (status, ""),
            "{line}\n{}",
            ran.error
        );
        ran.error
    }

    /// Returns all files in it by their paths, pantler's own apart, with their content.
    pub fn artifacts(&self, repository: &str) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let root = self.path(repository);
        let mut waiting = vec![root.clone()];
        while let Some(folder) = waiting.pop() {
            for entry in std::fs::read_dir(folder).expect("the folder can be read") {
                let path = entry.expect("the entry can be read").path();
                let name = path
                    .strip_prefix(&root)
                    .expect("it is inside")
                    .display()
                    .to_string();
                if path.is_dir() && name != ".pantler" {
                    waiting.push(path);
                } else if path.is_file() && name != "policy.yaml" {
                    files.push((name, std::fs::read(&path).expect("the file can be read")));
                }
            }
        }
        files.sort();
        files
    }

    /// Names the folder by a word that is the same in every run.
    fn filtered(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let real = self
            .folder
            .path()
            .canonicalize()
            .expect("the folder exists");
        for path in [real.as_path(), self.folder.path()] {
            text = text.replace(&path.display().to_string(), "[folder]");
        }
        text
    }
}

impl Ran {
    /// Returns the document on standard output.
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Returns the error that is the first line on standard error.
    pub fn failure(&self) -> Value {
        let line = self.error.lines().next().unwrap_or_default();
        let document: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {}", self.error));
        document["error"].clone()
    }

    /// Returns the statistics that are the last line on standard error.
    pub fn stats(&self) -> Value {
        let line = self.error.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {}", self.error))
    }

    /// Returns one of the statistics.
    pub fn stat(&self, name: &str) -> u64 {
        self.stats()[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no {name} in {}", self.error))
    }
}

/// Returns the keys of a JSON object in order of the alphabet.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .expect("it is an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for character in line.chars() {
        match (character, quote) {
            (open @ ('\'' | '"'), None) => quote = Some(open),
            (close, Some(open)) if close == open => quote = None,
            (' ', None) => words.push(String::new()),
            _ => {
                if let Some(word) = words.last_mut() {
                    word.push(character);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Returns a path as it is typed.
pub fn typed(path: &Path) -> String {
    format!("'{}'", path.display())
}
