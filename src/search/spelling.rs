//! Words that no article has: taken for the beginning of others, if articles have words that begin so, or else corrected to one that
//! is a single slip away.

use std::collections::{BTreeMap, HashMap};

use afterword_actors::store::{StoreError, sql::Sql};

use crate::{
    api::Correction,
    fulltext::{self, Languages, Part, Phrase, SearchScope, Term, stem_of, tokens},
};

/// Shorter words are as often another word as a slip. *Units:* characters.
const SHORTEST: usize = 4;
/// Longer ones are no words. *Units:* characters.
const LONGEST: usize = 40;
/// In shorter words another letter makes another word (cook, cool) as often as a slip. *Units:* characters.
const LONG: usize = 6;
/// Words of one question that are corrected.
const MAX_CORRECTIONS: usize = 4;
/// Unknown words of one question that are looked at: numbers and hashes among them are none that anybody misspelt.
const MAX_UNKNOWN: usize = 12;
/// Stems that a word is compared with, those of most articles first.
const MAX_TRIED: usize = 3;
/// Articles that are looked through for the spelling of a stem, and how much of each. *Units:* characters.
const LOOKED_THROUGH: (i64, i64) = (3, 20_000);

/// Corrects those of `terms` that no article has, and their `frequencies`.
pub(super) async fn correct(
    connection: &impl Sql,
    languages: &Languages,
    terms: &mut [Term],
    frequencies: &mut [i64],
) -> Result<Vec<Correction>, StoreError> {
    let mut corrections = Vec::new();
    let unknown = |(term, frequency): &(&mut Term, &mut i64)| **frequency == 0 && is_correctable(term);
    for (term, frequency) in terms.iter_mut().zip(frequencies).filter(unknown).take(MAX_UNKNOWN) {
        if corrections.len() == MAX_CORRECTIONS {
            break;
        }
        if let Some(articles) = begun(connection, &term.word).await? {
            let to = format!("{}*", term.word);
            corrections.push(Correction { from: std::mem::replace(&mut term.word, to.clone()), to });
            term.alternatives = vec![beginning(corrections[corrections.len() - 1].from.clone())];
            *frequency = articles;
            continue;
        }
        if !term.word.chars().all(char::is_alphabetic) {
            continue;
        }
        let near = near(&term.word, languages);
        let phrases: Vec<_> =
            near.keys().map(|stem| [Phrase { terms: vec![stem.clone()], is_prefix: false }]).collect();
        let (found, _) = fulltext::frequencies(connection, &phrases).await?;
        let mut found: Vec<_> = found.into_iter().zip(phrases).filter(|(articles, _)| *articles > 0).collect();
        found.sort_by_key(|(articles, _)| std::cmp::Reverse(*articles));
        for (articles, [stem]) in found.into_iter().take(MAX_TRIED) {
            let Some(to) = spelling(connection, languages, &stem, &near[&stem.terms[0]]).await? else { continue };
            let Some(token) = tokens(&to).into_iter().next() else { continue };
            corrections.push(Correction { from: std::mem::replace(&mut term.word, token.word.clone()), to });
            term.alternatives = languages.alternatives(&token);
            *frequency = articles;
            break;
        }
    }
    Ok(corrections)
}

/// How many articles have words that begin with this one, if there are any: a part of a compound, of a hash, of a word that was not
/// written to its end.
async fn begun(connection: &impl Sql, word: &str) -> Result<Option<i64>, StoreError> {
    let (articles, _) = fulltext::frequencies(connection, &[[beginning(word.to_owned())]]).await?;
    Ok(articles.first().copied().filter(|articles| *articles > 0))
}

fn beginning(word: String) -> Phrase {
    Phrase { terms: vec![word], is_prefix: true }
}

/// Which of `spellings` of a stem articles have, as they write it; `None` if they have others only. The index holds stems, so some articles are
/// looked through; if it stands in none of what is read of them, it is the stem itself, or the first.
async fn spelling(
    connection: &impl Sql,
    languages: &Languages,
    stem: &Phrase,
    spellings: &[String],
) -> Result<Option<String>, StoreError> {
    let Some((condition, values)) =
        fulltext::having(connection.engine(), std::slice::from_ref(stem), Part::Anywhere, false)
    else {
        return Ok(None);
    };
    let among = SearchScope::default().and(&condition, values);
    let sql = format!(
        "SELECT a.title, substr(a.body, 1, CAST($2 AS INTEGER)) AS body FROM articles a
         WHERE {} ORDER BY a.id LIMIT $1 + 0",
        among.condition(3).unwrap_or_default()
    );
    let (articles, characters) = LOOKED_THROUGH;
    let values = [articles.into(), characters.into()].into_iter().chain(among.values);
    let texts = connection.rows::<(String, String)>(&sql, values).await?;
    let mut seen: HashMap<(String, String), usize> = HashMap::new();
    for token in texts.iter().flat_map(|(title, body)| [title, body]).flat_map(|text| tokens(text)) {
        if languages.terms_of(&token.word, &token.written).any(|found| found == stem.terms[0]) {
            *seen.entry((token.word, token.written)).or_default() += 1;
        }
    }
    if seen.is_empty() {
        return Ok(spellings
            .iter()
            .find(|spelling| **spelling == stem_of(&stem.terms[0]))
            .or(spellings.first())
            .cloned());
    }
    // Of equals the one in small letters: others may stand at the beginning of a sentence.
    let read = seen.into_iter().filter(|((word, _), _)| spellings.contains(word));
    let best = read.max_by(|((_, one), times), ((_, other), more)| times.cmp(more).then_with(|| one.cmp(other)));
    Ok(best.map(|((_, written), _)| written))
}

fn is_correctable(term: &Term) -> bool {
    let length = term.word.chars().count();
    // A number is no beginning of another.
    term.is_word && (SHORTEST..=LONGEST).contains(&length) && term.word.contains(char::is_alphabetic)
}

/// Words that are one slip away (a letter too many, too few, another one, two exchanged), by their stems. The first letter is
/// seldom wrong, and a word that is the beginning of another is rather another word than a slip. With three letters left it is another
/// word, too, and one that says nothing was not meant.
fn near(word: &str, languages: &Languages) -> BTreeMap<String, Vec<String>> {
    let letters: Vec<char> = word.chars().collect();
    let stems: Vec<_> = languages.terms_of(word, word).collect();
    let mut near: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |letters: Vec<char>| {
        let other: String = letters.into_iter().collect();
        if fulltext::is_little(&other) {
            return;
        }
        for (term, stem) in languages.terms_of(&other, &other).zip(&stems) {
            let (found, stem) = (stem_of(&term), stem_of(stem));
            if !found.starts_with(stem) && !stem.starts_with(found) && !word.starts_with(found) {
                let spellings = near.entry(term).or_default();
                if !spellings.contains(&other) {
                    spellings.push(other.clone());
                }
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
            if letters.len() > SHORTEST {
                add(changed(at, 1, &[]));
            }
            for letter in alphabet(letters[0]).filter(|_| letters.len() >= LONG) {
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
        near(word, &Languages::of("english", [].into_iter())).into_values().flatten().collect()
    }

    #[test]
    fn slips_are_near_and_other_words_are_not() {
        assert!(near_to("lifetmes").contains(&"lifetimes".to_owned()));
        assert!(near_to("recieve").contains(&"receive".to_owned()));
        assert!(near_to("mutexx").iter().all(|word| word != "mutex"), "it begins with it");
        assert!(!near_to("pasta").contains(&"paste".to_owned()));
        assert!(!near_to("cert").contains(&"cet".to_owned()) && !near_to("form").contains(&"from".to_owned()));
        assert!(near_to("sourr").iter().all(|word| word != "sur"), "it says nothing");
        assert!(!near_to("cook").contains(&"cool".to_owned()), "another word");
        assert!(near_to("recieve").contains(&"receive".to_owned()) && near_to("sevrer").contains(&"server".to_owned()));
        assert!(near_to("datenbnk").contains(&"datenbank".to_owned()));
    }
}
