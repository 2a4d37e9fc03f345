//! Words that no article has: taken for the beginning of others, if articles have words that begin so, or else
//! corrected to one that is a single slip away.

use std::collections::{BTreeMap, HashMap};

use afterword_actors::store::{StoreError, sql::Sql};

use crate::{
    api::Correction,
    fulltext::{self, Languages, Part, Phrase, SearchScope, Term, Token, stem_of, tokens},
};

/// Shorter words are no beginnings that say something. *Units:* characters.
const MIN_WORD_CHARS: usize = 4;
/// Shorter words are as often another word as a slip (shot and short, form and from). *Units:* characters.
const SHORTEST_SLIP: usize = 5;
/// Longer ones are no words. *Units:* characters.
const MAX_WORD_CHARS: usize = 40;
/// In shorter words another letter, or one too many, makes another word (cook and cool, prison and poison, parking and
/// parsing) more often than a slip. *Units:* characters.
const LONG_WORD_CHARS: usize = 8;
/// Words of one question that are corrected.
const MAX_CORRECTIONS: usize = 4;
/// Unknown words of one question that are looked at: numbers and hashes among them are none that anybody misspelt.
const MAX_UNKNOWN: usize = 12;
/// Stems that a word is compared with, those of the likeliest slips first, and of these those of most articles.
const MAX_TRIED: usize = 5;
/// Articles that are looked through for the spelling of a stem: some, and if they have other forms of it only, more.
const LOOKED_THROUGH: [i64; 2] = [3, 20];
/// How much of each. *Units:* characters.
const LOOKED_AT: i64 = 20_000;

/// What was put in the place of words that no article has.
#[derive(Debug, Default)]
pub(super) struct Corrected {
    /// For people, in the order of the words.
    pub(super) corrections: Vec<Correction>,
    /// Words by which the terms are called now that may as well be others than those that were meant.
    pub(super) guesses: Vec<String>,
}

/// How a word differs from what was meant: the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slip {
    /// A letter is missing, written twice, or two are exchanged: this seldom makes another word.
    Likely,
    /// Another letter stands there, or one that does not belong there. It may be another word.
    Doubtful,
}

/// Corrects those of `terms` that no article has, and their `frequencies`.
pub(super) async fn correct(
    connection: &impl Sql,
    languages: &Languages,
    terms: &mut [Term],
    frequencies: &mut [i64],
) -> Result<Corrected, StoreError> {
    let mut corrected = Corrected::default();
    let unknown = |(term, frequency): &(&mut Term, &mut i64)| **frequency == 0 && is_correctable(term);
    for (term, frequency) in terms.iter_mut().zip(frequencies).filter(unknown).take(MAX_UNKNOWN) {
        if corrected.corrections.len() == MAX_CORRECTIONS {
            break;
        }
        if let Some(articles) = count_beginning_with(connection, &term.word).await? {
            let to = format!("{}*", term.word);
            let from = std::mem::replace(&mut term.word, to.clone());
            term.alternatives = vec![beginning(from.clone())];
            corrected.corrections.push(Correction { from, to });
            *frequency = articles;
        } else if let Some(meant) = meant(connection, languages, &term.word).await? {
            let from = std::mem::replace(&mut term.word, meant.token.word.clone());
            term.alternatives = languages.alternatives(&meant.token);
            if meant.slip == Slip::Doubtful {
                corrected.guesses.push(term.word.clone());
            }
            corrected.corrections.push(Correction { from, to: meant.token.written });
            *frequency = meant.articles;
        }
    }
    Ok(corrected)
}

/// A word of articles that is one slip away from another.
struct Meant {
    slip: Slip,
    token: Token,
    articles: i64,
}

/// What was meant by a word that no article has.
async fn meant(connection: &impl Sql, languages: &Languages, word: &str) -> Result<Option<Meant>, StoreError> {
    if !word.chars().all(char::is_alphabetic) || word.chars().count() < SHORTEST_SLIP {
        return Ok(None);
    }
    let near = near(word, languages);
    let phrases: Vec<_> =
        near.keys().map(|(_, stem)| [Phrase { terms: vec![stem.clone()], is_prefix: false }]).collect();
    let (found, _) = fulltext::frequencies(connection, &phrases).await?;
    let found = found.into_iter().zip(phrases).zip(&near).filter(|((articles, _), _)| *articles > 0);
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|((articles, _), ((slip, _), _))| (*slip, std::cmp::Reverse(*articles)));
    for ((articles, [stem]), ((slip, _), spellings)) in found.into_iter().take(MAX_TRIED) {
        let Some(written) = spelling(connection, languages, &stem, spellings).await? else { continue };
        if let Some(token) = tokens(&written).into_iter().next() {
            return Ok(Some(Meant { slip: *slip, token, articles }));
        }
    }
    Ok(None)
}

/// How many articles have words that begin with this one, if there are any: a part of a compound, of a hash, of a word
/// that was not written to its end.
async fn count_beginning_with(connection: &impl Sql, word: &str) -> Result<Option<i64>, StoreError> {
    let (articles, _) = fulltext::frequencies(connection, &[[beginning(word.to_owned())]]).await?;
    Ok(articles.first().copied().filter(|articles| *articles > 0))
}

fn beginning(word: String) -> Phrase {
    Phrase { terms: vec![word], is_prefix: true }
}

/// Which of `spellings` of a stem articles have, as they write it; `None` if they have others only. The index holds
/// stems, so some articles are looked through; if the stem stands in none of what is read of them, it is the stem
/// itself, or the first.
async fn spelling(
    connection: &impl Sql,
    languages: &Languages,
    stem: &Phrase,
    spellings: &[String],
) -> Result<Option<String>, StoreError> {
    let of_the_stem = || spellings.iter().find(|spelling| **spelling == stem_of(&stem.terms[0]));
    for articles in LOOKED_THROUGH {
        let seen = spellings_of(connection, languages, stem, articles).await?;
        if seen.is_empty() {
            return Ok(of_the_stem().or(spellings.first()).cloned());
        }
        // Of equals the one in small letters: others may stand at the beginning of a sentence.
        let read = seen.iter().filter(|((word, _), _)| spellings.contains(word));
        let best = read.max_by(|((_, one), times), ((_, other), more)| times.cmp(more).then_with(|| one.cmp(other)));
        if let Some(((_, written), _)) = best {
            return Ok(Some(written.clone()));
        }
    }
    // Articles have other forms of it (arguments); a stem that is a form itself is the word.
    Ok(of_the_stem().cloned())
}

/// The words of this stem in the first of its articles, folded and as they are written, and how often they are there.
async fn spellings_of(
    connection: &impl Sql,
    languages: &Languages,
    stem: &Phrase,
    articles: i64,
) -> Result<HashMap<(String, String), usize>, StoreError> {
    let Some((condition, values)) =
        fulltext::having(connection.engine(), std::slice::from_ref(stem), Part::Anywhere, false)
    else {
        return Ok(HashMap::new());
    };
    let among = SearchScope::default().and(&condition, values);
    let sql = format!(
        "SELECT a.title, substr(a.body, 1, CAST($2 AS INTEGER)) AS body FROM articles a
         WHERE {} ORDER BY a.id LIMIT $1 + 0",
        among.condition(3).unwrap_or_default()
    );
    let values = [articles.into(), LOOKED_AT.into()].into_iter().chain(among.values);
    let texts = connection.rows::<(String, String)>(&sql, values).await?;
    let mut seen = HashMap::new();
    for token in texts.iter().flat_map(|(title, body)| [title, body]).flat_map(|text| tokens(text)) {
        if languages.terms_of(&token.word, &token.written).any(|found| found == stem.terms[0]) {
            *seen.entry((token.word, token.written)).or_default() += 1;
        }
    }
    Ok(seen)
}

fn is_correctable(term: &Term) -> bool {
    let length = term.word.chars().count();
    // A number is no beginning of another.
    term.is_word && (MIN_WORD_CHARS..=MAX_WORD_CHARS).contains(&length) && term.word.contains(char::is_alphabetic)
}

/// Words that are one slip away, by the slip and their stems. Words are compared and not stems: of a word whose ending
/// is damaged the right stem is a beginning (documentaion, document). The first letter is seldom wrong; a word that
/// goes on behind another is rather another word than a slip (planet, plane), and one that says nothing was not meant.
fn near(word: &str, languages: &Languages) -> BTreeMap<(Slip, String), Vec<String>> {
    let letters: Vec<char> = word.chars().collect();
    let mut near: BTreeMap<(Slip, String), Vec<String>> = BTreeMap::new();
    let mut add = |slip: Slip, at: usize, removed: usize, put: &[char]| {
        let mut letters = letters.clone();
        letters.splice(at..at + removed, put.iter().copied());
        let other: String = letters.into_iter().collect();
        if other == word || fulltext::is_little(&other) || word.starts_with(&other) {
            return;
        }
        for term in languages.terms_of(&other, &other) {
            let spellings = near.entry((slip, term)).or_default();
            if !spellings.contains(&other) {
                spellings.push(other.clone());
            }
        }
    };
    let is_long = letters.len() >= LONG_WORD_CHARS;
    for at in 1..=letters.len() {
        if at + 1 < letters.len() {
            add(Slip::Likely, at, 2, &[letters[at + 1], letters[at]]);
        }
        for letter in alphabet(letters[0]) {
            add(Slip::Likely, at, 0, &[letter]);
        }
        let Some(letter) = letters.get(at) else { continue };
        // Written twice, or the e of an ä, ö or ü that was typed without its points.
        if letters[at - 1] == *letter || *letter == 'e' && matches!(letters[at - 1], 'a' | 'o' | 'u') {
            add(Slip::Likely, at, 1, &[]);
        } else if is_long {
            add(Slip::Doubtful, at, 1, &[]);
        }
        for letter in alphabet(letters[0]).filter(|_| is_long) {
            add(Slip::Doubtful, at, 1, &[letter]);
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
        for (written, meant) in [
            ("lifetmes", "lifetimes"),
            ("recieve", "receive"),
            ("sevrer", "server"),
            ("datenbnk", "datenbank"),
            ("seperate", "separate"),
            ("neccessary", "necessary"),
            ("comparision", "comparison"),
            // The right stem is the beginning of these.
            ("documentaion", "documentation"),
            ("inheritanc", "inheritance"),
            ("compilr", "compiler"),
            ("arguement", "argument"),
            ("wombatronc", "wombatronic"),
        ] {
            assert!(near_to(written).contains(&meant.to_owned()), "{written}");
        }
        for (right, other) in [
            ("mutexx", "mutex"),
            ("planet", "plane"),
            ("pasta", "paste"),
            ("movie", "move"),
            ("sourr", "sur"),
            ("cook", "cool"),
            ("prison", "poison"),
            ("mining", "mixing"),
            ("banking", "baking"),
            ("parking", "parsing"),
            ("tasting", "testing"),
            ("mister", "master"),
        ] {
            assert!(!near_to(right).contains(&other.to_owned()), "{right}");
        }
    }

    #[test]
    fn an_umlaut_may_be_typed_with_an_e() {
        let near = near("kuendigung", &Languages::of("german", [].into_iter()));
        assert!(near.iter().any(|((slip, _), near)| *slip == Slip::Likely && near.contains(&"kundigung".to_owned())));
    }

    #[test]
    fn what_seldom_makes_another_word_is_the_likelier_slip() {
        let near = near("collecton", &Languages::of("english", [].into_iter()));
        let of = |word: &str| near.iter().find(|(_, spellings)| spellings.iter().any(|found| found == word));
        let slips = ["collection", "collector"].map(|word| of(word).map(|((slip, _), _)| *slip));
        assert_eq!(slips, [Some(Slip::Likely), Some(Slip::Doubtful)]);
    }
}
