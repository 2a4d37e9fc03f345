//! The languages of a collection: those of a question's words have a stem in each of them.
//!
//! Every article is indexed by the stems of its own language. A word of a question is looked for by its stems in all of
//! them, as one term: how rare it is, and how often an article has it, is told by all together.

use std::{collections::HashSet, sync::Arc};

use super::{
    endings,
    phrase::Phrase,
    stems::{Stems, stem_of},
    tokens::{Kind, Token, tokens},
    unaccented,
};

/// The languages by whose stems the articles of a collection are indexed.
#[derive(Clone)]
pub(crate) struct Languages(Arc<[Stems]>);

impl Languages {
    /// `otherwise` for articles of which the language is not known, and `stored`, of which there are articles.
    pub(crate) fn of<'l>(otherwise: &'l str, stored: impl Iterator<Item = &'l str>) -> Self {
        Self(std::iter::once(Stems::of(otherwise)).chain(others(otherwise, stored).map(Stems::of_other)).collect())
    }

    /// The same while articles are left that an earlier version wrote, whose stems do not say of which language they
    /// are.
    pub(super) fn with_earlier<'l>(otherwise: &'l str, stored: impl Iterator<Item = &'l str> + Clone) -> Self {
        let now = others(otherwise, stored.clone()).map(Stems::of_other);
        let earlier = others(otherwise, stored).map(Stems::of);
        Self(std::iter::once(Stems::of(otherwise)).chain(now).chain(earlier).collect())
    }

    /// Their names: texts that were read by the same languages were read alike.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(Stems::name)
    }

    /// What stands in the index for a word of an article, in each language.
    pub(crate) fn terms_of<'s>(&'s self, word: &'s str, written: &'s str) -> impl Iterator<Item = String> + 's {
        self.0.iter().map(|stems| stems.term(word, written).into_owned())
    }

    /// What may stand in the index for a part of a question, each once: the first is what was meant, in the first
    /// language.
    pub(crate) fn terms(&self, token: &Token) -> Vec<String> {
        let mut terms = Vec::new();
        let own = self.0.iter().flat_map(|stems| terms_by(stems, token));
        for term in own.chain(self.borrowed(token)) {
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        terms
    }

    /// The stems of a word in the collection's language, as a text of another has them: people borrow words with their
    /// endings.
    fn borrowed(&self, token: &Token) -> Vec<String> {
        if token.kind != Kind::Word {
            return Vec::new();
        }
        let stem = self.0[0].term(&token.word, &token.written);
        self.0[1..].iter().map(|other| other.marked(stem.clone()).into_owned()).collect()
    }

    /// What may stand in the index for a part of a question, as phrases of one term.
    pub(crate) fn alternatives(&self, token: &Token) -> Vec<Phrase> {
        let is_prefix = token.kind == Kind::Single;
        self.terms(token).into_iter().map(|term| Phrase { terms: vec![term], is_prefix }).collect()
    }

    /// The phrases that `text` may be in each language, each once; none if it holds no term.
    pub(crate) fn phrases(&self, text: &str) -> Vec<Phrase> {
        let mut phrases = Vec::new();
        let first = &self.0[0];
        let terms = |stems: &Stems, token: &Token| {
            let mut terms = terms_by(stems, token);
            if token.kind == Kind::Word {
                let borrowed = stems.marked(first.term(&token.word, &token.written)).into_owned();
                if !terms.contains(&borrowed) {
                    terms.push(borrowed);
                }
            }
            terms
        };
        for phrase in self.0.iter().flat_map(|stems| Phrase::all_of(text, |token| terms(stems, token))) {
            if !phrases.contains(&phrase) {
                phrases.push(phrase);
            }
        }
        phrases
    }

    /// What a demanded text may be in each language: its phrases, or those that begin so if it ends with `*`.
    pub(crate) fn demanded(&self, text: &str) -> Vec<Phrase> {
        text.strip_suffix('*').map_or_else(|| self.phrases(text), |start| self.beginnings(start))
    }

    /// Returns terms that begin with `start`, and shorter stems of words that do.
    pub(super) fn beginnings(&self, start: &str) -> Vec<Phrase> {
        let found = tokens(start);
        let [token] = found.as_slice() else {
            return self.phrases(start).into_iter().map(beginning).collect();
        };
        let mut beginnings = vec![Phrase { terms: vec![token.word.clone()], is_prefix: true }];
        // The index holds stems, which may end before the beginning that was written.
        for stems in self.0.iter() {
            for whole in endings::completed(stems.name(), token) {
                for stem in terms_by(stems, &whole) {
                    let phrase = Phrase { terms: vec![stem], is_prefix: false };
                    if !phrase.terms[0].starts_with(&token.word) && !beginnings.contains(&phrase) {
                        beginnings.push(phrase);
                    }
                }
            }
        }
        beginnings
    }
}

/// A phrase whose last word may go on: what says of which language it is stands behind the end.
fn beginning(mut phrase: Phrase) -> Phrase {
    if let Some(last) = phrase.terms.last_mut() {
        last.truncate(stem_of(last).len());
    }
    Phrase { is_prefix: true, ..phrase }
}

fn others<'l>(otherwise: &'l str, stored: impl Iterator<Item = &'l str>) -> impl Iterator<Item = &'l str> {
    stored.filter(move |language| *language != otherwise)
}

/// What may stand in the index of an article in one language for a part of a question, each once: the first is what was
/// written.
fn terms_by(stems: &Stems, token: &Token) -> Vec<String> {
    let Token { word, written, .. } = token;
    if token.kind != Kind::Word {
        return vec![word.clone()];
    }
    let mut terms = vec![stems.term(word, written).into_owned()];
    // Articles and questions are written without accents, too.
    if stems.read_accents() && written.is_ascii() {
        terms.extend(unaccented::restored(stems.name(), word).map(|with| stems.term(word, &with).into_owned()));
    } else if stems.read_accents() {
        terms.push(stems.term(word, word).into_owned());
    }
    let mut known = HashSet::new();
    terms.retain(|term| known.insert(term.clone()));
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(languages: &[&str], word: &str) -> Vec<String> {
        let languages = Languages::of(languages[0], languages.iter().copied());
        languages.terms(&tokens(word)[0])
    }

    #[test]
    fn a_word_has_a_stem_in_each_language() {
        assert_eq!(terms(&["english"], "Häuser"), ["hauser"]);
        assert_eq!(terms(&["english", "german"], "Häuser"), ["hauser", "haus°de", "hauser°de"]);
        assert_eq!(terms(&["english", "german"], "数据库"), ["数据"]);
    }

    #[test]
    fn a_stem_is_of_one_language() {
        assert_eq!(terms(&["english", "italian"], "pasta"), ["pasta", "past°it", "pasta°it"]);
        assert_eq!(terms(&["english", "german"], "libraries"), ["librari", "librari°de"]);
        assert_eq!(terms(&["german", "english"], "libraries"), ["librari", "librari°en"]);
    }

    #[test]
    fn a_beginning_finds_the_stem_of_every_word_that_begins_so_however_far_it_goes() {
        for (language, word) in [
            ("english", "happiness"),
            ("english", "responsibility"),
            ("english", "usefulness"),
            ("english", "relational"),
            ("english", "conditions"),
            ("english", "running"),
            ("german", "Freundlichkeit"),
            ("german", "Zeitungen"),
            ("german", "Möglichkeiten"),
            ("spanish", "rápidamente"),
            ("spanish", "informaciones"),
            ("french", "heureusement"),
            ("french", "nationalité"),
            ("italian", "velocemente"),
            ("portuguese", "rapidamente"),
            ("dutch", "vriendelijkheid"),
            ("swedish", "möjligheter"),
            ("english", "ответственность"),
            ("english", "программирование"),
        ] {
            let languages = Languages::of(language, [].into_iter());
            let token = &tokens(word)[0];
            let stem = &languages.terms(token)[0];
            let letters: Vec<char> = token.written.chars().collect();
            for length in stem.chars().count()..=letters.len() {
                let start: String = letters[..length].iter().collect();
                let found = languages.beginnings(&start);
                let finds = |phrase: &Phrase| {
                    if phrase.is_prefix { stem.starts_with(&phrase.terms[0]) } else { phrase.terms[0] == *stem }
                };
                assert!(found.iter().any(finds), "{start}* does not find {stem}: {found:?}");
            }
        }
    }

    #[test]
    fn a_word_without_accents_is_one_with_them_too() {
        let (with, without) = (terms(&["spanish"], "información"), terms(&["spanish"], "informacion"));
        assert!(without.contains(&with[0]) && with.contains(&without[0]), "{with:?}, {without:?}");
    }

    #[test]
    fn each_word_of_a_phrase_may_have_lost_its_accents() {
        let languages = Languages::of("spanish", [].into_iter());
        let as_written = languages.phrases("información de la economía y biología").remove(0);
        for text in ["informacion de la economia y biologia", "información de la economia y biologia"] {
            assert!(languages.phrases(text).contains(&as_written), "{text}");
        }
        let long = "informacion economia biologia ".repeat(20);
        let phrases = languages.phrases(&long);
        assert!(phrases.len() <= 24 && phrases.iter().all(|phrase| phrase.terms.len() == 60));
        assert!(languages.phrases("?! -").is_empty());
    }
}
