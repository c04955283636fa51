//! Templates as they are met in registries, each parsed once a thread: listings have one for every row.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pantler_core::template::{Template, TemplateError};

/// More templates than people's policies have; a registry of another kind does not fill the memory.
const MOST: usize = 4096;

thread_local! {
    static PARSED: RefCell<HashMap<String, Rc<Template>>> = RefCell::default();
}

/// Returns a template, parsed now or before.
pub(crate) fn parsed(text: &str) -> Result<Rc<Template>, TemplateError> {
    PARSED.with_borrow_mut(|known| {
        if let Some(template) = known.get(text) {
            return Ok(Rc::clone(template));
        }
        let template = Rc::new(Template::parse(text)?);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(text.to_owned(), Rc::clone(&template));
        Ok(template)
    })
}
