//! Write recipes as `pantler policy show` prints them: each setting with the line that gives it.

use pantler::Butler;
use pantler::core::policy::{Definition, Recipe};
use serde_json::{Map, Value, json};

use crate::screen::{Screen, Style};
use crate::table::{Align, table};

/// The recipes of the chain, each name once: the first repository that has it decides.
pub fn all(butler: &Butler) -> impl Iterator<Item = &Recipe> {
    let mut seen: Vec<&str> = Vec::new();
    let policies = butler.repositories().iter().map(|one| one.policy());
    policies
        .flat_map(|policy| policy.recipes())
        .filter(move |recipe| {
            let is_new = !seen.contains(&recipe.name.as_str());
            seen.push(&recipe.name);
            is_new
        })
}

/// A recipe as a document.
pub fn recipe_json(recipe: &Recipe) -> Value {
    let settings: Map<String, Value> = recipe
        .settings
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let places: Map<String, Value> = recipe
        .settings
        .iter()
        .zip(&recipe.setting_places)
        .map(|((key, _), place)| (key.clone(), json!(place.to_string())))
        .collect();
    json!({
        "name": recipe.name,
        "place": recipe.place.to_string(),
        "settings": settings,
        "places": places,
    })
}

/// The recipe that a definition names; null where it names none. One that needs no description has no place.
pub fn used_json(definition: &Definition, recipe: Option<&Recipe>) -> Value {
    match (&definition.recipe, recipe) {
        (_, Some(recipe)) => recipe_json(recipe),
        (Some(name), None) => json!({"name": name, "place": null, "settings": {}, "places": {}}),
        (None, None) => Value::Null,
    }
}

/// The recipe that a definition names, as YAML with the place of each line behind it.
pub fn used_text(screen: &Screen, definition: &Definition, recipe: Option<&Recipe>) -> String {
    match (&definition.recipe, recipe) {
        (_, Some(recipe)) => format!("recipes:\n{}", recipe_text(screen, recipe)),
        (Some(name), None) => {
            let line = format!("# the recipe {name} needs no description");
            format!("{}\n", screen.out(Style::Dim, &line))
        }
        (None, None) => String::new(),
    }
}

fn recipe_text(screen: &Screen, recipe: &Recipe) -> String {
    let mut lines = vec![(format!("  {}:", recipe.name), recipe.place.to_string())];
    let settings = recipe.settings.iter().zip(&recipe.setting_places);
    lines.extend(
        settings.map(|((key, value), place)| (format!("    {key}: {value}"), place.to_string())),
    );
    let width = lines.iter().map(|(line, _)| line.chars().count()).max();
    let width = width.unwrap_or(0).min(80);
    let mut text = String::new();
    for (line, place) in lines {
        let blanks = " ".repeat(width.saturating_sub(line.chars().count()));
        let place = screen.out(Style::Dim, &format!("# {place}"));
        text.push_str(&format!("{line}{blanks}  {place}\n"));
    }
    text
}

/// The recipes of the chain as a table; nothing where there are none.
pub fn all_text(screen: &Screen, butler: &Butler) -> String {
    let rows: Vec<Vec<String>> = all(butler)
        .map(|recipe| {
            let settings: Vec<String> = recipe
                .settings
                .iter()
                .map(|(key, value)| format!("{key}: {value}"))
                .collect();
            vec![
                recipe.name.clone(),
                settings.join(", "),
                recipe.place.to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let headings = ["recipe", "settings", "defined"].map(|heading| (heading, Align::Left));
    format!("\n{}", table(screen, &headings, &rows))
}
