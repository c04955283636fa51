//! What is done to what a format read: it becomes of the user's class, and goes through the type's standardizer.

use pantler_core::plan::{PlanNode, Read};
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::{ImportRole, ObjectRef, Origin};

use crate::cache::ObjectKey;
use crate::error::Result;
use crate::imported::failed;
use crate::parameters::Parameters;

use super::wanted::object_key;
use super::{Conversions, Executor};

impl Executor<'_> {
    /// Says whether what is read of a type goes through a function of the user's.
    pub(super) fn is_standardized(&self, node: &PlanNode) -> bool {
        use pantler_core::composite_graph::Definitions;
        let found = self.chain.find_definition(&node.dataset_type);
        self.conversions == Conversions::All
            && found.is_some_and(|(_, definition)| definition.standardize.is_some())
    }

    /// A part of what goes through a standardizer is a part of the whole after it.
    pub(super) fn object_key(
        &self,
        node: &PlanNode,
        read: &Read,
        parameters: &Parameters,
    ) -> ObjectKey {
        if node.part.is_empty() || !self.is_standardized(node) {
            return object_key(node, read, parameters);
        }
        let whole = PlanNode {
            part: Vec::new(),
            ..node.clone()
        };
        object_key(&whole, read, parameters)
    }

    /// Makes of what a format read what the policy calls for: an object of the user's class, through the type's standardizer.
    ///
    /// The outcome is shared like what is read (rule R13). No lock is held while code of the user's runs.
    pub(super) fn as_the_policy_says(
        &self,
        node: &PlanNode,
        key: ObjectKey,
        object: ObjectRef,
    ) -> Result<ObjectRef> {
        use pantler_core::composite_graph::Definitions;
        let mut object = object;
        let mut key = key;
        if let Some(PythonType::Foreign(path)) = node.python.as_deref().map(python_type)
            && key.request.part.is_empty()
        {
            let (imports, import) = self.follow(node, ImportRole::Class, path)?;
            key.request.class = Some(format!("as {path}"));
            object = self.converted(&key, object, |object| {
                imports
                    .read_as(&import, object)
                    .map_err(|source| failed(&import, source))
            })?;
        }
        let found = self.chain.find_definition(&node.dataset_type);
        if let Some(path) = found.and_then(|(_, definition)| definition.standardize.clone())
            && self.conversions == Conversions::All
        {
            let (imports, import) = self.follow(node, ImportRole::Standardize, &path)?;
            key.request.class = Some(format!(
                "{} through {path}",
                key.request.class.unwrap_or_default()
            ));
            object = self.converted(&key, object, |object| {
                let made = imports
                    .standardized(&import, object, &node.data_id)
                    .map_err(|source| failed(&import, source))?;
                Ok(match object.origin() {
                    Some(origin) => made.with_origin(&Origin {
                        standardized: true,
                        ..origin.clone()
                    }),
                    None => made,
                })
            })?;
        }
        Ok(object)
    }

    fn converted(
        &self,
        key: &ObjectKey,
        object: ObjectRef,
        convert: impl FnOnce(&ObjectRef) -> Result<ObjectRef>,
    ) -> Result<ObjectRef> {
        if let Some(known) = self.cache.known(key) {
            return Ok(known);
        }
        let converted = convert(&object)?;
        let converted = match object.origin() {
            Some(origin) if converted.origin().is_none() => converted.with_origin(origin),
            _ => converted,
        };
        Ok(self.cache.share(key.clone(), converted))
    }

    /// Makes an object from its data ID alone.
    pub(super) fn made_of_data_id(&self, node: &PlanNode, path: &str) -> Result<ObjectRef> {
        let (imports, import) = self.follow(node, ImportRole::Virtual, path)?;
        imports
            .made(&import, &node.data_id)
            .map_err(|source| failed(&import, source))
    }
}
