//! Finding terms in a text that is at hand: where they stand, for marking them and for choosing a passage.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    languages::Languages,
    phrase::Phrase,
    read_texts::ReadTexts,
    tokens::{self, Kind},
    wanted::Term,
};

/// Looks for terms in texts.
pub(crate) struct Matcher {
    languages: Languages,
    terms: Vec<Term>,
    /// What each term is worth, in the order of the terms.
    weights: Vec<f64>,
    /// What words of texts may be in an index: the same ones come again in all texts.
    known: Mutex<HashMap<String, Arc<[String]>>>,
    /// First characters of what is looked for: a stem begins as its word does, so that most words need not be stemmed.
    beginnings: HashSet<char>,
    /// Whole terms of one word, by what they are called.
    single: HashMap<String, usize>,
    /// Everything else: its term, and the phrase.
    others: Vec<(usize, Phrase)>,
}

/// A term in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    /// *Units:* bytes.
    pub(crate) range: Range<usize>,
    /// Which one, in the order of the terms.
    pub(crate) term: usize,
}

/// A word of the text that may be a part of what is looked for.
struct Candidate {
    /// How many words stand before it.
    place: usize,
    range: Range<usize>,
    /// What it may be in an index.
    terms: Arc<[String]>,
    word: String,
}

impl Matcher {
    /// Looks for `terms`, each worth as much as `weights` says.
    pub(crate) fn new(languages: Languages, terms: Vec<Term>, weights: Vec<f64>) -> Self {
        let (mut single, mut others, mut beginnings) = (HashMap::new(), Vec::new(), HashSet::new());
        for (term, phrase) in
            terms.iter().enumerate().flat_map(|(n, term)| term.alternatives.iter().map(move |p| (n, p)))
        {
            beginnings.extend(phrase.terms.iter().filter_map(|term| term.chars().next()));
            match phrase.terms.as_slice() {
                [one] if !phrase.is_prefix => {
                    single.entry(one.clone()).or_insert(term);
                }
                _ => others.push((term, phrase.clone())),
            }
        }
        Self { languages, terms, weights, known: Mutex::default(), beginnings, single, others }
    }

    /// The terms it looks for.
    pub(crate) fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// What a term is worth.
    pub(crate) fn weight(&self, term: usize) -> f64 {
        self.weights.get(term).copied().unwrap_or(1.0)
    }

    /// Where they stand in `text`, in order; how many words the text has.
    pub(crate) fn find(&self, text: &str) -> (Vec<Match>, usize) {
        if self.terms.is_empty() {
            return (Vec::new(), 0);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut candidates, mut count) = (Vec::new(), 0);
        tokens::each(text, |folded, range, kind| {
            let place = count;
            count += 1;
            let word = &folded.text[range.clone()];
            if kind == Kind::Last || !word.chars().next().is_some_and(|first| self.beginnings.contains(&first)) {
                // The last character of a run is a part of the pair before it.
                if kind != Kind::Last || self.others.is_empty() {
                    return;
                }
            }
            let written = &text[folded.origin(range.clone())];
            let terms = match known.get(written) {
                Some(terms) => Arc::clone(terms),
                None => {
                    let terms: Arc<[String]> = match kind {
                        Kind::Word => self.languages.terms_of(word, written).collect(),
                        Kind::Run | Kind::Last | Kind::Single | Kind::Symbol => Arc::new([word.to_owned()]),
                    };
                    known.insert(written.to_owned(), Arc::clone(&terms));
                    terms
                }
            };
            if self.others.is_empty() && !terms.iter().any(|term| self.single.contains_key(term)) {
                return;
            }
            candidates.push(Candidate { place, range: folded.origin(range), terms, word: word.to_owned() });
        });
        (self.among(&candidates), count)
    }

    /// Like [`Matcher::find`], for each of `texts`, whose words are in `read`.
    pub(crate) fn find_in(&self, texts: &[&str], read: &ReadTexts) -> Vec<Vec<Match>> {
        if !self.others.is_empty() {
            return texts.iter().map(|text| self.find(text).0).collect();
        }
        let mut found = vec![Vec::new(); texts.len()];
        for (word, &term) in &self.single {
            for (text, range) in read.places(word) {
                found[text].push(Match { range, term });
            }
        }
        for found in &mut found {
            found.sort_unstable_by_key(|found| (found.range.start, found.term));
            // A word is one term.
            found.dedup_by_key(|found| found.range.start);
        }
        found
    }

    /// The languages whose stems texts are read by.
    pub(crate) fn languages(&self) -> &Languages {
        &self.languages
    }

    fn among(&self, candidates: &[Candidate]) -> Vec<Match> {
        let mut found = Vec::new();
        for (at, candidate) in candidates.iter().enumerate() {
            if let Some(&term) = candidate.terms.iter().filter_map(|term| self.single.get(term)).min() {
                found.push(Match { range: candidate.range.clone(), term });
            }
            for (term, phrase) in &self.others {
                let Some(last) = ends(phrase, &candidates[at..]) else { continue };
                let range = candidate.range.start..last.range.end;
                // The same phrase in another language.
                if !found.last().is_some_and(|last: &Match| last.term == *term && last.range == range) {
                    found.push(Match { range, term: *term });
                }
            }
        }
        found
    }
}

/// The last word of the phrase, if it begins with the first of `candidates`.
fn ends<'c>(phrase: &Phrase, candidates: &'c [Candidate]) -> Option<&'c Candidate> {
    let first = candidates.first()?.place;
    let mut last = None;
    for (n, wanted) in phrase.terms.iter().enumerate() {
        let candidate = candidates.get(n).filter(|candidate| candidate.place == first + n)?;
        let is_end = n + 1 == phrase.terms.len();
        let begins = |text: &String| is_end && phrase.is_prefix && text.starts_with(wanted);
        let fits = candidate.terms.iter().any(|term| term == wanted || begins(term)) || begins(&candidate.word);
        if !fits {
            return None;
        }
        last = Some(candidate);
    }
    last
}

/// Ranges that touch or overlap made one, in order.
pub(crate) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(question: &str, text: &str) -> Vec<String> {
        let languages = Languages::of("english", [].into_iter());
        let terms = Term::all_of(question, &languages);
        let matcher = Matcher::new(languages, terms, Vec::new());
        let ranges = matcher.find(text).0.into_iter().map(|found| found.range).collect();
        merged(ranges).into_iter().map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn other_forms_and_runs_without_spaces_are_found_where_they_stand() {
        assert_eq!(found("lifetimes of references", "A Lifetime, and a reference."), ["Lifetime", "reference"]);
        assert_eq!(found("备份数据", "如何备份数据库"), ["备份数据"]);
        assert_eq!(found("strasse", "Die Straße"), ["Straße"]);
        assert_eq!(found("猫", "黒猫がいる"), ["猫が"]);
    }

    proptest! {
        #[test]
        fn what_has_been_read_is_found_at_the_same_places(
            text in "(die |Lifetimes |of references|, |的数据|库|ÄRGER |über\u{ad}all | naïve|ไทยไทย|🦀 |x){0,30}",
            question in "(lifetime |reference |数据 |ärger |uberall |naive |ไทย |🦀 |the ){1,4}",
        ) {
            let languages = || Languages::of("english", ["german"].into_iter());
            let matcher = Matcher::new(languages(), Term::all_of(&question, &languages()), Vec::new());
            let texts = ["", text.as_str(), question.as_str()];
            let read = ReadTexts::of(texts.into_iter(), &languages());
            let found: Vec<_> = texts.iter().map(|text| matcher.find(text).0).collect();
            prop_assert_eq!(matcher.find_in(&texts, &read), found);
        }
    }

    #[test]
    fn a_phrase_is_found_as_a_whole_only() {
        let languages = Languages::of("english", [].into_iter());
        let phrases = languages.phrases("shared state");
        let matcher = Matcher::new(languages, vec![Term::phrase(phrases, "shared state")], Vec::new());
        let text = "state shared; shared states";
        let ranges: Vec<_> = matcher.find(text).0.into_iter().map(|found| &text[found.range]).collect();
        assert_eq!(ranges, ["shared states"]);
    }
}
