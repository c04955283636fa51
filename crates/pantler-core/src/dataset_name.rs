//! What a caller asks for, `type:stage.component`, parsed once and never split again.
//!
//! A name says nothing about whether such a type exists; resolving it against policies does.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a dataset type as a policy defines it: `calexp`, `calexp:jointcal`, `calexp:jointcal.wcs`.
///
/// Always in canonical form: the stage before the components (rule R1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TypeName(Arc<str>);

impl TypeName {
    /// Parses and normalises a definition's name.
    pub fn new(text: &str) -> Result<TypeName, NameError> {
        let name = DatasetName::parse(text)?;
        match name.stage {
            Stage::Plain => Err(NameError::new(text, "a definition's stage cannot be empty")),
            _ => Ok(name.full_type_name()),
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name without stage and components: `calexp` of `calexp:jointcal`.
    pub fn base(&self) -> &str {
        self.0.split([':', '.']).next().unwrap_or(&self.0)
    }

    /// Returns the stage, if the name has one.
    pub fn stage(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once(':')?;
        rest.split('.').next()
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for TypeName {
    type Error = NameError;

    fn try_from(text: String) -> Result<TypeName, NameError> {
        TypeName::new(&text)
    }
}

impl From<TypeName> for String {
    fn from(name: TypeName) -> String {
        name.0.to_string()
    }
}

/// Which processing stage of a type is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Stage {
    /// `calexp`: none given, so that an alias may decide.
    Unqualified,
    /// `calexp:`, the plain type, even where an alias hides it (rule R3).
    Plain,
    /// `calexp:jointcal`.
    Named(String),
}

/// A dataset name as a caller gives it: `type[:stage][.component…]` (rule R1).
///
/// ```
/// use pantler_core::{DatasetName, Stage};
/// let name = DatasetName::parse("calexp.wcs:jointcal")?;
/// assert_eq!(name.to_string(), "calexp:jointcal.wcs");
/// assert_eq!(name.stage, Stage::Named("jointcal".into()));
/// assert_eq!(name.components, ["wcs"]);
/// # Ok::<(), pantler_core::dataset_name::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DatasetName {
    /// The dataset type: `calexp`.
    pub base: String,
    /// The stage after the colon.
    pub stage: Stage,
    /// The path of components, outermost first; empty for the whole dataset.
    pub components: Vec<String>,
}

impl DatasetName {
    /// Parses a name.
    pub fn parse(text: &str) -> Result<DatasetName, NameError> {
        let (before, stage) = match text.split_once(':') {
            None => (text, None),
            Some((before, after)) => (before, Some(after)),
        };
        let mut words = before.split('.');
        let base = words.next().unwrap_or_default();
        let mut components: Vec<&str> = words.collect();
        let stage = match stage {
            None => Stage::Unqualified,
            Some(after) => {
                let mut words = after.split('.');
                let stage = words.next().unwrap_or_default();
                let trailing: Vec<&str> = words.collect();
                if !components.is_empty() && !trailing.is_empty() {
                    return Err(NameError::new(
                        text,
                        "components stand before and after the stage",
                    ));
                }
                components.extend(trailing);
                if stage.is_empty() {
                    Stage::Plain
                } else {
                    check_word(text, stage, "the stage")?;
                    Stage::Named(stage.to_owned())
                }
            }
        };
        check_word(text, base, "the dataset type")?;
        for component in &components {
            check_word(text, component, "a component")?;
        }
        Ok(DatasetName {
            base: base.to_owned(),
            stage,
            components: components.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Returns the type with its stage, without the components.
    pub fn type_name(&self) -> TypeName {
        match &self.stage {
            Stage::Named(stage) => TypeName(format!("{}:{stage}", self.base).into()),
            _ => TypeName(self.base.as_str().into()),
        }
    }

    /// Returns type, stage and components as one definition's name: `calexp:jointcal.wcs`.
    pub fn full_type_name(&self) -> TypeName {
        let mut text = self.type_name().0.to_string();
        for component in &self.components {
            text.push('.');
            text.push_str(component);
        }
        TypeName(text.into())
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.base)?;
        match &self.stage {
            Stage::Unqualified => {}
            Stage::Plain => out.write_str(":")?,
            Stage::Named(stage) => write!(out, ":{stage}")?,
        }
        for component in &self.components {
            write!(out, ".{component}")?;
        }
        Ok(())
    }
}

/// A text that is no dataset name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a dataset name: {why}")]
pub struct NameError {
    /// The text as it was given.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl NameError {
    fn new(text: &str, why: impl Into<String>) -> NameError {
        NameError {
            text: text.to_owned(),
            why: why.into(),
        }
    }
}

fn check_word(text: &str, word: &str, what: &str) -> Result<(), NameError> {
    if word.is_empty() {
        return Err(NameError::new(text, format!("{what} is empty")));
    }
    // Hyphens occur in the field's stage names; the rest would collide with data IDs, paths or the name's own signs.
    match word
        .chars()
        .find(|c| !(c.is_alphanumeric() || *c == '_' || *c == '-'))
    {
        Some(c) => Err(NameError::new(
            text,
            format!("{what} has the character {c:?}"),
        )),
        None => Ok(()),
    }
}
