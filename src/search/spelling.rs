//! Words that no article has, corrected to one that is a single slip away.

use std::collections::BTreeMap;

use afterword_actors::store::{StoreError, sql::Sql};

use crate::{
    api::Correction,
    fulltext::{self, Languages, Phrase, Term, tokens},
};

/// Shorter words are as often another word as a slip. *Units:* characters.
const SHORTEST: usize = 4;
/// Longer ones are no words. *Units:* characters.
const LONGEST: usize = 40;
/// Words of one question that are corrected.
const MAX_CORRECTIONS: usize = 4;

/// Corrects those of `terms` that no article has, and their `frequencies`.
pub(super) async fn correct(
    connection: &impl Sql,
    languages: &Languages,
    terms: &mut [Term],
    frequencies: &mut [i64],
) -> Result<Vec<Correction>, StoreError> {
    let mut corrections = Vec::new();
    let unknown = |(term, frequency): &(&mut Term, &mut i64)| **frequency == 0 && is_correctable(term);
    for (term, frequency) in terms.iter_mut().zip(frequencies).filter(unknown).take(MAX_CORRECTIONS) {
        let near = near(&term.word, languages);
        let phrases: Vec<_> =
            near.keys().map(|stem| [Phrase { terms: vec![stem.clone()], is_prefix: false }]).collect();
        let (found, _) = fulltext::frequencies(connection, &phrases).await?;
        let best =
            found.iter().enumerate().filter(|(_, articles)| **articles > 0).max_by_key(|(_, articles)| **articles);
        let Some((place, articles)) = best else { continue };
        let to = near[&phrases[place][0].terms[0]].clone();
        let Some(token) = tokens(&to).into_iter().next() else { continue };
        corrections.push(Correction { from: std::mem::replace(&mut term.word, to.clone()), to });
        term.alternatives = languages.alternatives(&token);
        *frequency = *articles;
    }
    Ok(corrections)
}

fn is_correctable(term: &Term) -> bool {
    let length = term.word.chars().count();
    term.is_word && (SHORTEST..=LONGEST).contains(&length) && term.word.chars().all(char::is_alphabetic)
}

/// Words that are one slip away (a letter too many, too few, another one, two exchanged), by their stems. The first letter is
/// seldom wrong, and a word that is the beginning of another is rather another word than a slip.
fn near(word: &str, languages: &Languages) -> BTreeMap<String, String> {
    let letters: Vec<char> = word.chars().collect();
    let stems: Vec<_> = languages.stems(word, word).collect();
    let mut near = BTreeMap::new();
    let mut add = |letters: Vec<char>| {
        let other: String = letters.into_iter().collect();
        for (found, stem) in languages.stems(&other, &other).zip(&stems) {
            if !found.starts_with(stem) && !stem.starts_with(&found) && !word.starts_with(&found) {
                near.entry(found).or_insert_with(|| other.clone());
            }
        }
    };
    let changed = |at: usize, removed: usize, put: &[char]| {
        let mut letters = letters.clone();
        letters.splice(at..at + removed, put.iter().copied());
        letters
    };
    for at in 1..=letters.len() {
        if at + 1 < letters.len() {
            add(changed(at, 2, &[letters[at + 1], letters[at]]));
        }
        for letter in alphabet(letters[0]) {
            add(changed(at, 0, &[letter]));
        }
        if at < letters.len() {
            add(changed(at, 1, &[]));
            for letter in alphabet(letters[0]) {
                add(changed(at, 1, &[letter]));
            }
        }
    }
    near
}

/// The letters of the script that `letter` is of.
fn alphabet(letter: char) -> impl Iterator<Item = char> {
    match letter {
        'α'..='ω' => 'α'..='ω',
        'а'..='я' | 'ѐ'..='џ' => 'а'..='я',
        'א'..='ת' => 'א'..='ת',
        '\u{621}'..='\u{64a}' => '\u{621}'..='\u{64a}',
        '\u{905}'..='\u{94d}' => '\u{905}'..='\u{94d}',
        _ => 'a'..='z',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near_to(word: &str) -> Vec<String> {
        near(word, &Languages::of("english", [].into_iter())).into_values().collect()
    }

    #[test]
    fn slips_are_near_and_other_words_are_not() {
        assert!(near_to("lifetmes").contains(&"lifetimes".to_owned()));
        assert!(near_to("recieve").contains(&"receive".to_owned()));
        assert!(near_to("mutexx").iter().all(|word| word != "mutex"), "it begins with it");
        assert!(!near_to("pasta").contains(&"paste".to_owned()));
        assert!(near_to("datenbnk").contains(&"datenbank".to_owned()));
    }
}
