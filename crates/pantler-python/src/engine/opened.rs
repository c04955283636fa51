//! How the repositories of a butler were opened, and by which process.

use std::path::PathBuf;
use std::sync::Arc;

use pantler::assemble::PluginSet;
use pantler::core::report::Permit;
use pantler::{Butler, ButlerOptions, Interrupt, Trust, Who};

use crate::call;
use crate::failure::Failure;
use crate::plugins::imports::PythonImports;
use crate::process;

/// How the repositories were opened, so that a child process can open them again.
#[derive(Clone)]
pub(super) struct Settings {
    pub inputs: Vec<PathBuf>,
    pub outputs: Vec<PathBuf>,
    pub tags: Vec<(PathBuf, String)>,
    pub add_parents: bool,
    pub inputs_in_order: bool,
    pub cache_bytes: Option<u64>,
    pub plugins: PythonImports,
    pub trusted: (Vec<PathBuf>, Vec<String>),
    pub policies: Vec<(PathBuf, String)>,
}

impl Settings {
    /// Returns a line of Python that opens the same repositories, and allows something more.
    pub fn opened_allowing(&self, permit: &Permit) -> String {
        let list = |words: Vec<String>| {
            // As Python writes texts, for all that is in paths and names.
            let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
            format!("[{}]", words.join(", "))
        };
        let shown = |paths: &[PathBuf]| -> Vec<String> {
            let paths = paths.iter();
            paths.map(|path| path.display().to_string()).collect()
        };
        let (repositories, modules) = &self.trusted;
        let mut trust: Vec<String> = modules.clone();
        trust.extend(shown(repositories));
        let mut arguments = Vec::new();
        if !self.inputs.is_empty() {
            arguments.push(list(shown(&self.inputs)));
        }
        if !self.outputs.is_empty() {
            arguments.push(format!("outputs={}", list(shown(&self.outputs))));
        }
        match permit {
            Permit::Module(name) | Permit::Repository(name) => trust.push(name.clone()),
            Permit::Pickle => arguments.push("allow_pickle=True".to_owned()),
        }
        if !trust.is_empty() {
            arguments.push(format!("trust={}", list(trust)));
        }
        format!("pantler.Butler({})", arguments.join(", "))
    }

    pub fn open(&self) -> Result<Butler, Failure> {
        process::prepare();
        let standard = ButlerOptions::default();
        let (repositories, modules) = &self.trusted;
        let trust = modules
            .iter()
            .fold(Trust::default(), |trust, module| trust.with_module(module));
        let trust = repositories
            .iter()
            .fold(trust, |trust, root| trust.with_repository(root));
        let options = ButlerOptions {
            who: Who::of_process(),
            tags: self.tags.clone(),
            policies: self.policies.clone(),
            plugins: PluginSet::standard().with_imports(Arc::new(self.plugins.clone()), trust),
            add_parents: self.add_parents,
            inputs_in_order: self.inputs_in_order,
            cache_bytes: self.cache_bytes.unwrap_or(standard.cache_bytes),
            interrupt: Interrupt::when(call::is_unwanted),
            ..standard
        };
        Ok(Butler::open(&self.inputs, &self.outputs, options)?)
    }
}

/// A butler, and the process that opened it.
pub(super) struct Opened {
    pub process: u32,
    /// `None` only while it is dropped.
    pub butler: Option<Arc<Butler>>,
}

impl Opened {
    pub fn new(butler: Butler) -> Opened {
        Opened {
            process: std::process::id(),
            butler: Some(Arc::new(butler)),
        }
    }
}

/// In another process a butler is forgotten, not closed: to close a database there would disturb the process that opened it.
impl Drop for Opened {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            std::mem::forget(self.butler.take());
        }
    }
}
