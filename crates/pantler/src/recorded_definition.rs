//! What a composite's definition said when it was put: which components there could be, how each was used, which was the base.
//!
//! The put writes it beside the composition, the planner reads it, so that a recorded composite is assembled as it was
//! written whatever the policy says today (rule R6), and a component that was absent then is still absent (rule R19). It
//! does not say which datasets the components were: that is the composition's own part.

use pantler_core::composite_graph::GraphNode;
use pantler_core::policy::{Apply, Component, LackingPlanes, Place};
use pantler_core::{DatasetName, DatasetRecord};
use serde::{Deserialize, Serialize};

/// A composite's definition, as far as assembling needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedDefinition {
    /// The component that the others are laid over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The components, in policy order.
    pub components: Vec<RecordedComponent>,
}

/// One component, as it was defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedComponent {
    pub name: String,
    pub dataset_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub getter: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subset: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub input_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply: Option<RecordedApply>,
}

/// An operation, as it was defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedApply {
    pub op: String,
    pub to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planes: Option<String>,
}

impl RecordedDefinition {
    /// Returns a composite's definition of today.
    pub fn of(graph: &GraphNode) -> RecordedDefinition {
        let components = graph.components().iter().filter_map(|node| {
            let component = node.component.as_ref()?;
            Some(RecordedComponent {
                name: component.name.clone(),
                dataset_type: component.dataset_type.to_string(),
                setter: component.setter.clone(),
                getter: component.getter.clone(),
                subset: component.subset,
                input_only: component.input_only,
                apply: component.apply.as_ref().map(RecordedApply::of),
            })
        });
        RecordedDefinition {
            base: graph.base().map(|base| base.component_name().to_owned()),
            components: components.collect(),
        }
    }

    /// Returns it as the text that a registry keeps.
    pub fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Returns the definition that a composite was put with; `None` where its registry does not say.
    pub fn of_record(record: &DatasetRecord) -> Option<RecordedDefinition> {
        serde_json::from_str(record.definition.extra.as_deref()?).ok()
    }
}

impl RecordedApply {
    fn of(apply: &Apply) -> RecordedApply {
        RecordedApply {
            op: apply.operation.clone(),
            to: apply.to.clone(),
            planes: (apply.planes != LackingPlanes::default())
                .then(|| apply.planes.word().to_owned()),
        }
    }

    fn apply(&self) -> Apply {
        let all = [LackingPlanes::Add, LackingPlanes::Ignore];
        let mut known = all.into_iter();
        Apply {
            operation: self.op.clone(),
            to: self.to.clone(),
            planes: known
                .find(|planes| self.planes.as_deref() == Some(planes.word()))
                .unwrap_or_default(),
        }
    }
}

impl RecordedComponent {
    /// Returns the component as a policy would define it.
    pub fn component(&self) -> Option<Component> {
        let dataset_type = DatasetName::parse(&self.dataset_type).ok()?;
        Some(Component {
            name: self.name.clone(),
            place: Place {
                file: "the recorded composition".into(),
                line: 1,
                column: 1,
            },
            dataset_type,
            setter: self.setter.clone(),
            getter: self.getter.clone(),
            subset: self.subset,
            input_only: self.input_only,
            optional: false,
            base: false,
            allow_empty: false,
            data_id: Vec::new(),
            data_ids: None,
            apply: self.apply.as_ref().map(RecordedApply::apply),
        })
    }
}
