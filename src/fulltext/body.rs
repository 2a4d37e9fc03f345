//! The terms of a body, made before the transaction that writes them: every other save waits while that one lasts.

use super::{
    spoken::{self, Counts},
    stems::Stems,
    terms::Terms,
    tokens::Reading,
};

/// The language of stems where a body does not tell its own: the one that settings begin with.
const USUAL: &str = "english";

/// A body as it is going to be indexed, if its title and the collection do not say otherwise.
#[derive(Debug)]
pub(crate) struct BodyTerms {
    counts: Counts,
    stems: Stems,
    terms: Terms,
}

impl BodyTerms {
    /// Reads `body`. It takes some 50 ms for a megabyte.
    pub(crate) fn of(body: &str) -> Self {
        let reading = Reading::of(body);
        let counts = Counts::of(&reading);
        let language = spoken::of_article(counts, USUAL);
        let stems = if language == USUAL { Stems::of(language) } else { Stems::of_other(language) };
        let terms = reading.terms(&stems);
        Self { counts, stems, terms }
    }

    /// The language of the article with this title, in a collection of another.
    pub(super) fn language(&self, title: &Reading<'_>, otherwise: &'static str) -> &'static str {
        spoken::of_article(self.counts + Counts::of(title), otherwise)
    }

    /// The terms by `stems`; made again from `body` if those were not expected.
    pub(super) fn by(self, stems: &Stems, body: &str) -> Terms {
        if self.stems.are_those(stems) { self.terms } else { Reading::of(body).terms(stems) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_expected_changes_no_term(
            title in "(der|die|und|nicht|the|of|le|Häuser|houses){0,1}( (der|die|und|nicht|the|of|le|Häuser|houses)){0,6}",
            body in "(der|die|und|the|of|le|les|maisons|Häuser|houses|数据)( (der|die|und|the|of|le|les|maisons|Häuser|houses|数据)){0,12}",
            collection in prop::sample::select(vec!["english", "german", "french", "russian", "simple"]),
        ) {
            let read = BodyTerms::of(&body);
            let title = Reading::of(&title);
            let language = read.language(&title, Stems::of(collection).name());
            let stems = if language == collection { Stems::of(language) } else { Stems::of_other(language) };
            prop_assert_eq!(read.by(&stems, &body), Reading::of(&body).terms(&stems));
            prop_assert_eq!(language, spoken::of_article(Counts::of(&title) + Counts::of(&Reading::of(&body)), collection));
        }
    }
}
