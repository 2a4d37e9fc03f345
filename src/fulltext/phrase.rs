//! Terms that stand together.

use super::{
    stems::Stems,
    tokens::{Kind, tokens},
};

/// Consecutive terms, of which the last may be only the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Phrase {
    pub(crate) terms: Vec<String>,
    pub(crate) is_prefix: bool,
}

impl Phrase {
    /// The phrase that `text` is by these stems; `None` if it holds no term.
    pub(crate) fn of(text: &str, stems: &Stems) -> Option<Self> {
        let mut found = tokens(text);
        // It stands for the end of a run, and what is looked for may go on.
        while found.last()?.kind == Kind::Last {
            found.pop();
        }
        let is_prefix = found.last()?.kind == Kind::Single;
        Some(Self { terms: found.iter().map(|token| token.term(stems)).collect(), is_prefix })
    }
}
