//! What piece of a dataset a get is asked for, and which objects have such pieces.

use pantler_core::formatter::PixelBox;
use pantler_core::plan::{Plan, PlanKind};
use pantler_core::{Object, RowRanges};

use crate::error::{Error, Result};

/// What of the dataset is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Only these pixels.
    pub bbox: Option<PixelBox>,
    /// Only these columns of a table.
    pub columns: Option<Vec<String>>,
    /// Only these rows of a table.
    pub rows: Option<RowRanges>,
}

impl Parameters {
    /// Returns whether all of it is wanted.
    pub fn is_whole(&self) -> bool {
        *self == Parameters::default()
    }

    fn words(&self) -> Vec<&'static str> {
        let asked = [
            (self.bbox.is_some(), "pixels"),
            (self.columns.is_some(), "columns"),
            (self.rows.is_some(), "rows"),
        ];
        let words = asked.into_iter().filter(|(asked, _)| *asked);
        words.map(|(_, word)| word).collect()
    }

    /// Refuses a piece of a composite that has no base, as nothing says which of its parts is meant.
    pub(crate) fn check_plan(&self, plan: &Plan) -> Result<()> {
        match &plan.root.kind {
            PlanKind::Assemble(assemble) if assemble.base.is_none() && !self.is_whole() => {
                let names: Vec<&str> = assemble
                    .components
                    .iter()
                    .map(|component| component.component_name())
                    .collect();
                Err(Error::Request {
                    message: format!(
                        "`{}` is put together from parts, and none of them is the base that {} could be taken of",
                        plan.name,
                        self.words().join(" and ")
                    ),
                    hints: vec![format!("ask for one of its parts: {}", names.join(", "))],
                })
            }
            _ => Ok(()),
        }
    }

    /// Refuses a piece of an object that has no such pieces: it would be given out whole without a word.
    pub(crate) fn check_object(&self, name: &str, object: &dyn Object) -> Result<()> {
        let class = object.class();
        let table = class == "Table";
        let refuse = |what: &str, hint: &str| {
            Err(Error::Request {
                message: format!("`{name}` is of class {class}, which has no {what}"),
                hints: vec![hint.to_owned()],
            })
        };
        if (self.columns.is_some() || self.rows.is_some()) && !table {
            return refuse(
                "columns and rows",
                "columns and rows are pieces of tables; of an image take a bbox",
            );
        }
        if self.bbox.is_some() && table {
            return refuse("pixels", "of a table take columns or rows");
        }
        Ok(())
    }
}
