//! Terms that stand together.

use super::tokens::{Kind, Token, tokens};

/// Phrases that one text may be in one language.
const MAX_READINGS: usize = 24;

/// Consecutive terms, of which the last may be only the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Phrase {
    pub(crate) terms: Vec<String>,
    pub(crate) is_prefix: bool,
}

impl Phrase {
    /// As FTS5 is asked for it: no term holds a quotation mark.
    pub(super) fn quoted(&self) -> String {
        format!("\"{}\"{}", self.terms.join(" "), if self.is_prefix { " *" } else { "" })
    }

    /// The phrases that `text` may be: one for each choice among what `terms` says each of its parts may be, the first
    /// of each first. None if it holds no term. Of very many, parts at the end have no choice.
    pub(super) fn all_of(text: &str, terms: impl Fn(&Token) -> Vec<String>) -> Vec<Self> {
        let mut found = tokens(text);
        // It stands for the end of a run, and what is looked for may go on.
        while found.last().is_some_and(|last| last.kind == Kind::Last) {
            found.pop();
        }
        let Some(last) = found.last() else { return Vec::new() };
        let is_prefix = last.kind == Kind::Single;
        let mut phrases = vec![Vec::with_capacity(found.len())];
        for token in &found {
            let mut choice = terms(token);
            if phrases.len() * choice.len() > MAX_READINGS {
                choice.truncate(1);
            }
            phrases = phrases.iter().flat_map(|phrase| choice.iter().map(|term| followed(phrase, term))).collect();
        }
        phrases.into_iter().map(|terms| Self { terms, is_prefix }).collect()
    }
}

fn followed(phrase: &[String], term: &str) -> Vec<String> {
    phrase.iter().cloned().chain([term.to_owned()]).collect()
}
