//! `pantler explain`: what a get or a put would do, without reading or writing a pixel.

use clap::Args;
use pantler::{Composition, PutNode, PutPlan, explain_json, explain_tree};
use serde_json::{Map, Value, json};

use crate::arguments::{Dataset, Repositories};
use crate::program::{CommandResult, Outcome};
use crate::session::Session;
use crate::tree::{get_tree, put_tree};
use pantler::data_id_json;

/// Show what a get would read from where, or what a put would write, without doing it
#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    repositories: Repositories,
    #[command(flatten)]
    dataset: Dataset,
    /// Show where a put would go and what would be refused
    #[arg(long)]
    put: bool,
    #[command(flatten)]
    composition: CompositionChoice,
}

/// Whether recorded compositions are heeded.
#[derive(Debug, Args)]
pub struct CompositionChoice {
    /// How a composite's parts are found: as they were recorded, or by lookup as if nothing had been recorded
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Choice::Recorded)]
    composition: Choice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Choice {
    Recorded,
    Lookup,
}

impl CompositionChoice {
    /// Returns the choice.
    pub fn get(&self) -> Composition {
        match self.composition {
            Choice::Recorded => Composition::Recorded,
            Choice::Lookup => Composition::Lookup,
        }
    }
}

impl Explain {
    pub fn run(&self, session: &Session) -> CommandResult {
        let data_id = self.dataset.keys.data_id()?;
        if self.put {
            let butler = session.writing_as_it_is(&self.repositories)?;
            let plan = butler.explain_put(&self.dataset.name, &data_id)?;
            session
                .screen
                .show(|| put_plan_json(&plan), |screen| put_tree(screen, &plan))?;
        } else {
            let butler = session.reading(&self.repositories)?;
            let (name, composition) = (&self.dataset.name, self.composition.get());
            let (plan, gone) = butler.explain_what_is_left(name, &data_id, composition)?;
            if let Some(error) = gone {
                // People see what is left; programs get the error alone.
                if !session.screen.json() {
                    let tree = get_tree(&session.screen, &explain_tree(&plan));
                    session.screen.print(&tree)?;
                }
                return Err(error.into());
            }
            session.screen.show(
                || explain_json(&plan),
                |screen| get_tree(screen, &explain_tree(&plan)),
            )?;
        }
        Ok(Outcome::Done)
    }
}

/// Returns the document of what a put would do.
pub fn put_plan_json(plan: &PutPlan) -> Value {
    let mut document = put_node_json(&plan.root, &plan.name);
    document["repository"] = json!(plan.repository);
    document["repository_name"] = json!(plan.repository_name);
    document
}

fn put_node_json(node: &PutNode, name: &str) -> Value {
    let components: Map<String, Value> = node
        .components
        .iter()
        .map(|component| {
            (
                component.component.clone(),
                put_node_json(component, &component.component),
            )
        })
        .collect();
    json!({
        "name": name,
        "dataset": node.dataset,
        "data_id": data_id_json(&node.data_id),
        "action": node.action,
        "location": node.location,
        "components": components,
    })
}
