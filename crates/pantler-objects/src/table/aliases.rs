//! Other names of columns: the `ALIAS` cards of the LSST stack's tables.
//!
//! A card `ALIAS = 'slot_Centroid:base_SdssCentroid'` gives every name that starts with `slot_Centroid` another one that starts
//! with `base_SdssCentroid`. Readers ask here when a column is not there under the name asked for.

use crate::metadata::Metadata;

/// The keyword of the cards.
const KEYWORD: &str = "ALIAS";

/// Other names of columns, in the order of the cards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases {
    pairs: Vec<(String, String)>,
}

impl Aliases {
    /// Reads the cards of a table's header; cards that say nothing are left out.
    pub fn of(header: &Metadata) -> Aliases {
        let cards = header.iter().filter(|card| card.keyword() == KEYWORD);
        let pairs = cards.filter_map(|card| {
            let (alias, target) = card.value().as_text()?.split_once(':')?;
            let (alias, target) = (alias.trim(), target.trim());
            (!alias.is_empty() && alias != target).then(|| (alias.to_owned(), target.to_owned()))
        });
        Aliases {
            pairs: pairs.collect(),
        }
    }

    /// Returns the pairs of alias and target.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// Returns what a name stands for: the longest alias that it starts with is replaced, until there is none. `None` if it has
    /// no alias, or if its aliases lead back to each other.
    ///
    /// ```
    /// use pantler_objects::{Metadata, table::Aliases};
    /// let header = Metadata::default().with("ALIAS", "slot_Shape:base_SdssShape", None);
    /// let found = Aliases::of(&header).resolve("slot_Shape_xx");
    /// assert_eq!(found.as_deref(), Some("base_SdssShape_xx"));
    /// ```
    pub fn resolve(&self, name: &str) -> Option<String> {
        let mut name = name.to_owned();
        for step in 0..=self.pairs.len() {
            let fitting = self.pairs.iter();
            let fitting = fitting.filter(|(alias, _)| name.starts_with(alias.as_str()));
            match fitting.max_by_key(|(alias, _)| alias.len()) {
                Some((alias, target)) => name = format!("{target}{}", &name[alias.len()..]),
                None => return (step > 0).then_some(name),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases(cards: &[&str]) -> Aliases {
        let header = cards.iter().fold(Metadata::default(), |header, text| {
            header.followed_by(&Metadata::default().with(KEYWORD, *text, None))
        });
        Aliases::of(&header)
    }

    #[test]
    fn the_longest_alias_counts_and_aliases_may_have_aliases() {
        let known = aliases(&["slot:a", "slot_Flux:b_Flux", "b:c", "no pair", ":x"]);
        assert_eq!(known.pairs().len(), 3);
        assert_eq!(
            known.resolve("slot_Flux_err").as_deref(),
            Some("c_Flux_err")
        );
        assert_eq!(known.resolve("slot_x").as_deref(), Some("a_x"));
        assert_eq!(known.resolve("c_Flux"), None);
    }

    #[test]
    fn aliases_that_lead_back_to_each_other_end() {
        let known = aliases(&["a:b", "b:a"]);
        assert_eq!(known.resolve("a_x"), None);
        assert_eq!(aliases(&["a:aa"]).resolve("a"), None);
    }
}
