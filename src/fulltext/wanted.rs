//! What is looked for by words: terms, each with what else it may be, and how often it was asked for.

use super::{
    spoken,
    stems::Stems,
    tokens::{Kind, tokens},
};

/// Terms of one question that are looked at; the rest of a longer one is left out.
pub(crate) const MOST_TERMS: usize = 400;

/// Consecutive terms, of which the last may be only the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Phrase {
    pub(crate) terms: Vec<String>,
    pub(crate) is_prefix: bool,
}

/// One thing to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// Any of these; the first is what was meant.
    pub(crate) alternatives: Vec<Phrase>,
    /// As it was written, folded.
    pub(crate) word: String,
    /// How often it was asked for.
    pub(crate) times: u32,
    /// Whether it is a word, in which there may be an error of writing.
    pub(crate) is_word: bool,
}

impl Phrase {
    /// The phrase that `text` is; `None` if it holds no term.
    pub(crate) fn of(text: &str, stems: &Stems) -> Option<Self> {
        let mut found = tokens(text, stems);
        let is_prefix = match found.last()?.kind {
            // It stands for the end of a run, and what is looked for may go on.
            Kind::Last => {
                found.pop();
                false
            }
            Kind::Single => true,
            Kind::Word | Kind::Pair | Kind::Symbol => false,
        };
        Some(Self { terms: found.into_iter().map(|token| token.term).collect(), is_prefix })
    }

    fn one(term: String, is_prefix: bool) -> Self {
        Self { terms: vec![term], is_prefix }
    }
}

impl Term {
    /// The terms of `text`, each once; words that say nothing are left out where others say something.
    pub(crate) fn all_of(text: &str, stems: &Stems) -> Vec<Self> {
        let found = tokens(text, stems).into_iter().filter(|token| token.kind != Kind::Last);
        let mut terms: Vec<Self> = Vec::new();
        for token in found {
            let phrase = Phrase::one(token.term, token.kind == Kind::Single);
            if let Some(known) = terms.iter_mut().find(|term| term.alternatives[0] == phrase) {
                known.times += 1;
            } else if terms.len() < MOST_TERMS {
                let is_word = token.kind == Kind::Word;
                terms.push(Self { alternatives: vec![phrase], word: token.word, times: 1, is_word });
            }
        }
        let language = spoken::language(terms.iter().map(|term| term.word.as_str()));
        let says_something = |term: &Self| !spoken::says_nothing(language, &term.word);
        if terms.iter().any(says_something) {
            terms.retain(says_something);
        }
        terms
    }

    /// A phrase, as it was written.
    pub(crate) fn phrase(phrase: Phrase, written: &str) -> Self {
        Self { alternatives: vec![phrase], word: written.to_owned(), times: 1, is_word: false }
    }

    /// Words that begin with `start`; `None` if it holds no term, or more than one.
    pub(crate) fn beginning(start: &str, stems: &Stems) -> Option<Self> {
        let found = tokens(start, stems);
        let [token] = found.as_slice() else {
            let phrase = Phrase::of(start, stems)?;
            return Some(Self::phrase(Phrase { is_prefix: true, ..phrase }, start));
        };
        let mut alternatives = vec![Phrase::one(token.word.clone(), true)];
        // The index holds stems, which may end before the beginning that was written.
        for ending in ENDINGS {
            let stem = stems.stem(&format!("{}{ending}", token.word)).into_owned();
            let stem = Phrase::one(stem, false);
            if !stem.terms[0].starts_with(&token.word) && !alternatives.contains(&stem) {
                alternatives.push(stem);
            }
        }
        Some(Self { alternatives, word: format!("{}*", token.word), times: 1, is_word: false })
    }
}

/// How words go on.
const ENDINGS: &[&str] =
    &["", "s", "es", "e", "d", "ed", "ing", "ng", "g", "y", "ly", "ies", "al", "ation", "tion", "ion", "on", "n"];

#[cfg(test)]
mod tests {
    use super::*;

    fn stems() -> Stems {
        Stems::of("english")
    }

    fn words(text: &str) -> Vec<String> {
        Term::all_of(text, &stems()).into_iter().map(|term| term.alternatives[0].terms.join(" ")).collect()
    }

    #[test]
    fn words_that_say_nothing_are_left_out_where_others_say_something() {
        assert_eq!(words("how do I share data?"), ["share", "data"]);
        assert_eq!(words("to be or not to be"), ["to", "be", "or", "not"]);
        assert_eq!(words("?! -"), [""; 0]);
        assert_eq!(words("Wo waren die Schiffe gebaut worden?"), ["schiff", "gebaut", "worden"]);
        assert_eq!(words("Die Hard"), ["die", "hard"]);
    }

    #[test]
    fn a_run_without_spaces_is_asked_for_by_its_pairs_and_a_single_character_by_its_beginning() {
        assert_eq!(words("备份数据"), ["备份", "份数", "数据"]);
        let single = &Term::all_of("猫", &stems())[0].alternatives[0];
        assert!(single.is_prefix && single.terms == ["猫"]);
        let phrase = Phrase::of("数据 abc 库", &stems()).expect("a phrase");
        assert!(phrase.is_prefix && phrase.terms == ["数据", "据", "abc", "库"]);
    }

    #[test]
    fn a_beginning_finds_stems_that_are_shorter_than_it() {
        let term = Term::beginning("runni", &stems()).expect("a term");
        assert!(term.alternatives.contains(&Phrase::one("run".to_owned(), false)), "{term:?}");
        let term = Term::beginning("cart", &stems()).expect("a term");
        assert_eq!(term.alternatives, [Phrase::one("cart".to_owned(), true)]);
    }
}
