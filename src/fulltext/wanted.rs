//! What is looked for by words: terms, each with what else it may be, and how often it was asked for.

use super::{
    joined::{self, JoinedTerm},
    languages::Languages,
    phrase::Phrase,
    spoken,
    tokens::{Kind, Token, tokens},
};

/// Terms of one question that are looked at; the rest of a longer one is left out.
pub(crate) const MAX_TERMS: usize = 400;

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

impl Term {
    /// Whether nothing is missing in a collection that has it nowhere: words that a mark joins, as read/write, each
    /// count by themselves. Of an address or a version the numbers alone say little.
    pub(crate) fn may_be_missing(&self) -> bool {
        !self.is_word
            && self.word.contains(['.', '-', ':', '/', '_', '@', '&', '>', '='])
            && !self.word.contains(char::is_whitespace)
            && !self.word.contains(char::is_numeric)
    }
}

impl AsRef<[Phrase]> for Term {
    fn as_ref(&self) -> &[Phrase] {
        &self.alternatives
    }
}

impl Term {
    /// The terms of `text`, each once; words that say nothing are left out where others say something.
    pub(crate) fn all_of(text: &str, languages: &Languages) -> Vec<Self> {
        let found: Vec<_> = tokens(text).into_iter().filter(|token| token.kind != Kind::Last).collect();
        let (mut terms, mut names): (Vec<Self>, usize) = (Vec::new(), 0);
        for token in &found {
            let mut alternatives = languages.alternatives(token);
            if names < joined::MAX_NAMES {
                let apart = joined::apart(token, languages);
                names += usize::from(!apart.is_empty());
                alternatives.extend(apart);
            }
            if let Some(known) = terms.iter_mut().find(|term| term.alternatives == alternatives) {
                known.times += 1;
            } else if terms.len() < MAX_TERMS {
                let is_word = token.kind == Kind::Word;
                terms.push(Self { alternatives, word: token.word.clone(), times: 1, is_word });
            }
        }
        let language = spoken::language(terms.iter().map(|term| term.word.as_str()));
        let says_something = |term: &Self| !spoken::says_nothing(language, &term.word);
        if terms.iter().any(says_something) {
            terms.retain(says_something);
        }
        if spoken::is_vietnamese(text) {
            terms.extend(Self::syllables(&found, languages));
        }
        terms.extend(joined::by_marks(text, &found, languages).into_iter().map(Self::of_wanted));
        terms.truncate(MAX_TERMS);
        terms
    }

    /// Neighbours in `text` that are one word in some articles, if any article has that.
    pub(crate) fn of_neighbours(text: &str, languages: &Languages) -> Vec<Self> {
        joined::neighbours(text, languages).into_iter().map(Self::of_wanted).collect()
    }

    fn of_wanted((alternatives, word): JoinedTerm) -> Self {
        Self { alternatives, word, times: 1, is_word: false }
    }

    /// Syllables that stand together, of a language that writes a space behind each: by itself one says little.
    fn syllables(found: &[Token], languages: &Languages) -> impl Iterator<Item = Self> {
        let pairs = found.windows(2).filter(|pair| pair.iter().all(|token| token.kind == Kind::Word));
        pairs.map(|pair| {
            let written = format!("{} {}", pair[0].written, pair[1].written);
            Self::phrase(languages.phrases(&written), &format!("{} {}", pair[0].word, pair[1].word))
        })
    }

    /// A phrase, in each language, as it was written.
    pub(crate) fn phrase(alternatives: Vec<Phrase>, written: &str) -> Self {
        Self { alternatives, word: written.to_owned(), times: 1, is_word: false }
    }

    /// Words that begin with `start`; `None` if it holds no term.
    pub(crate) fn beginning(start: &str, languages: &Languages) -> Option<Self> {
        let alternatives = languages.beginnings(start);
        let word = match tokens(start).as_slice() {
            [token] => format!("{}*", token.word),
            _ => start.to_owned(),
        };
        (!alternatives.is_empty()).then(|| Self::phrase(alternatives, &word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems() -> Languages {
        Languages::of("english", [].into_iter())
    }

    fn one(term: String, is_prefix: bool) -> Phrase {
        Phrase { terms: vec![term], is_prefix }
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
        let phrase = &stems().phrases("数据 abc 库")[0];
        assert!(phrase.is_prefix && phrase.terms == ["数据", "据", "abc", "库"]);
    }

    #[test]
    fn syllables_are_looked_for_together_too() {
        let found = words("thủ đô của Việt Nam");
        assert!(found.contains(&"viet nam".to_owned()) && found.contains(&"viet".to_owned()), "{found:?}");
    }

    #[test]
    fn a_beginning_finds_stems_that_are_shorter_than_it() {
        let term = Term::beginning("runni", &stems()).expect("a term");
        assert!(term.alternatives.contains(&one("run".to_owned(), false)), "{term:?}");
        let term = Term::beginning("cart", &stems()).expect("a term");
        assert_eq!(term.alternatives, [one("cart".to_owned(), true)]);
    }
}
