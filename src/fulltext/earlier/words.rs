//! How earlier versions asked for words. The index splits at everything that is no letter or digit; scripts that write
//! without spaces were given to it character by character, and are asked for as phrases.

/// Terms of one query that are looked at.
const MAX_TERMS: usize = 64;

/// Words that say nothing where others say something.
const STOP_WORDS: &[&str] = &[
    "a", "about", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "being", "both", "but", "by", "can", "cannot", "could", "did", "do", "does", "each", "few", "for", "from",
    "further", "get", "gets", "got", "had", "has", "have", "he", "her", "here", "him", "his", "how", "i", "if", "in",
    "into", "is", "it", "its", "itself", "just", "me", "more", "most", "much", "must", "my", "no", "not", "now", "of",
    "on", "only", "or", "other", "our", "own", "same", "she", "should", "so", "some", "still", "such", "than", "that",
    "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "too", "us", "very", "was", "we",
    "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you", "your",
];

/// A person's query as an FTS5 expression: every term quoted, so that nothing in it is taken for an operator; any of
/// them may match. `None` if there is nothing to look for.
pub(super) fn fts5_query(text: &str) -> Option<String> {
    let phrases: Vec<_> =
        phrases(text).into_iter().map(|words| format!("\"{}\"", words.join(" "))).take(MAX_TERMS).collect();
    if phrases.is_empty() { None } else { Some(phrases.join(" OR ")) }
}

/// The terms of a person's query, each as a text-search query of one word or a phrase; any of them may match.
pub(super) fn tsqueries(text: &str) -> Vec<String> {
    let query = |words: Vec<String>| {
        let words: Vec<_> = words.iter().map(|word| plain(word)).filter(|word| !word.is_empty()).collect();
        if words.is_empty() { None } else { Some(format!("'{}'", words.join("' <-> '"))) }
    };
    phrases(text).into_iter().filter_map(query).take(MAX_TERMS).collect()
}

/// A word without accents.
pub(super) fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            '\u{300}'..='\u{36f}' => {}
            // One of them (Ɂ) is written as a quotation mark.
            '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => {
                plain.extend(any_ascii::any_ascii_char(c).chars().filter(char::is_ascii_alphanumeric));
            }
            c => plain.push(c),
        }
    }
    plain
}

/// Each phrase as its words: what was put in quotes, a run of characters without spaces, or a single word.
fn phrases(text: &str) -> Vec<Vec<String>> {
    let mut phrases = Vec::new();
    for (position, part) in text.split('"').enumerate() {
        let words = words(part);
        let is_quoted = position % 2 == 1;
        if is_quoted && !words.is_empty() {
            phrases.push(words.into_iter().flatten().collect());
        } else {
            phrases.extend(words);
        }
    }
    let says_something = |phrase: &Vec<String>| {
        phrase.len() > 1 || !phrase.first().is_some_and(|word| STOP_WORDS.contains(&word.to_lowercase().as_str()))
    };
    if phrases.iter().any(says_something) {
        phrases.retain(says_something);
    }
    phrases
}

/// Words, each as its tokens: one, or one for each character of a script without spaces.
fn words(text: &str) -> Vec<Vec<String>> {
    let mut words: Vec<Vec<String>> = Vec::new();
    let mut current = Vec::new();
    let mut word = String::new();
    for c in text.chars().chain(std::iter::once(' ')) {
        if is_unspaced(c) {
            take_word(&mut words, &mut word);
            current.push(c.to_string());
            continue;
        }
        if !current.is_empty() {
            words.push(std::mem::take(&mut current));
        }
        if is_word(c) { word.push(c) } else { take_word(&mut words, &mut word) }
    }
    words
}

fn take_word(words: &mut Vec<Vec<String>>, word: &mut String) {
    if !word.is_empty() {
        words.push(vec![std::mem::take(word)]);
    }
}

/// Letters, digits, and the marks that belong to letters.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{64b}'..='\u{65f}')
}

/// Characters of scripts that write without spaces: Han, kana, Thai, Lao, Khmer, Myanmar.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{31f0}'..='\u{31ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
        | '\u{e01}'..='\u{e30}' | '\u{e32}'..='\u{e33}' | '\u{e40}'..='\u{e46}' | '\u{e81}'..='\u{eb0}'
        | '\u{1000}'..='\u{102a}' | '\u{1780}'..='\u{17b3}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn queries_are_quoted_terms_without_stop_words() {
        assert_eq!(fts5_query("how do I share data?").as_deref(), Some("\"share\" OR \"data\""));
        assert_eq!(fts5_query("to be or not").as_deref(), Some("\"to\" OR \"be\" OR \"or\" OR \"not\""));
        assert_eq!(fts5_query("\"exact phrase\" NEAR x*").as_deref(), Some("\"exact phrase\" OR \"NEAR\" OR \"x\""));
        assert_eq!(fts5_query("数据库 abc").as_deref(), Some("\"数 据 库\" OR \"abc\""));
        assert_eq!(fts5_query("?!  -"), None);
    }

    #[test]
    fn a_server_is_asked_for_words_and_phrases() {
        assert_eq!(tsqueries("how do I share data?"), ["'share'", "'data'"]);
        assert_eq!(tsqueries("\"exact phrase\" x*"), ["'exact' <-> 'phrase'", "'x'"]);
        assert_eq!(tsqueries("数据 Éclair"), ["'数' <-> '据'", "'Eclair'"]);
        assert_eq!(tsqueries("aɁb"), ["'ab'"]);
        assert!(tsqueries("?!  -").is_empty());
    }

    proptest! {
        #[test]
        fn nothing_of_a_query_is_taken_for_a_servers_operator(text in any::<String>()) {
            for query in tsqueries(&text) {
                let words = query.strip_prefix('\'').and_then(|query| query.strip_suffix('\'')).expect("quoted");
                prop_assert!(words.split("' <-> '").all(|word| !word.is_empty() && !word.contains(['\'', '\\'])));
            }
        }

        #[test]
        fn nothing_of_a_query_is_taken_for_an_operator(text in any::<String>()) {
            if let Some(query) = fts5_query(&text) {
                for term in query.split(" OR ") {
                    let inner = term.strip_prefix('"').and_then(|term| term.strip_suffix('"'));
                    let inner = inner.expect("a quoted term");
                    prop_assert!(!inner.contains('"') && !inner.trim().is_empty());
                }
            }
        }
    }
}
