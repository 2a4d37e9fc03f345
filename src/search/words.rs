//! Words: what the full-text index is given, and what it is asked.
//!
//! The index splits at everything that is no letter or digit. Scripts that write without spaces are therefore given to
//! it character by character, and asked for as phrases.

/// Terms of one query that are looked at.
const MOST_TERMS: usize = 64;

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

/// A text as the index is given it: a space around every character of a script without spaces.
pub fn index_text(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '\0' => spaced.push(' '),
            c if is_unspaced(c) => {
                spaced.push(' ');
                spaced.push(c);
                spaced.push(' ');
            }
            c => spaced.push(c),
        }
    }
    spaced
}

/// A person's query as an FTS5 expression: every term quoted, so that nothing in it is taken for an operator; any of
/// them may match. `None` if there is nothing to look for.
pub fn fts5_query(text: &str) -> Option<String> {
    let phrases: Vec<_> =
        phrases(text).into_iter().map(|words| format!("\"{}\"", words.join(" "))).take(MOST_TERMS).collect();
    if phrases.is_empty() { None } else { Some(phrases.join(" OR ")) }
}

/// Words in one part of a text in PostgreSQL: positions in a text-search vector end at 16,383, and so would phrases.
const PART: usize = 8_000;
/// A text-search vector ends at a megabyte, which words of hashes or of addresses reach long before their positions end.
/// A quarter, because a word in lower case may be longer, and each has its positions beside it. *Units:* bytes.
const PART_BYTES: usize = 1 << 18;
/// Longest word PostgreSQL's text-search vector holds. *Units:* bytes.
const LONGEST_WORD: usize = 2_000;

/// A text as a server is given it: its words and nothing else, so that both engines split in the same places. Letters
/// are given without their accents, which a file's index does by itself.
pub fn tsvector_text(text: &str) -> String {
    tsvector_words(text).join(" ")
}

/// The same of a long text, in parts; at least one.
pub fn tsvector_texts(text: &str) -> Vec<String> {
    let (mut parts, mut words) = (vec![String::new()], 0);
    for word in tsvector_words(text) {
        let is_full = parts.last().is_none_or(|part| words == PART || part.len() + word.len() > PART_BYTES);
        if is_full {
            parts.push(String::new());
            words = 0;
        }
        if let Some(part) = parts.last_mut() {
            if words > 0 {
                part.push(' ');
            }
            part.push_str(&word);
        }
        words += 1;
    }
    parts
}

/// The terms of a person's query, each as a text-search query of one word or a phrase; any of them may match.
pub fn tsqueries(text: &str) -> Vec<String> {
    let query = |words: Vec<String>| {
        let words: Vec<_> = words.iter().map(|word| plain(word)).filter(|word| !word.is_empty()).collect();
        if words.is_empty() { None } else { Some(format!("'{}'", words.join("' <-> '"))) }
    };
    phrases(text).into_iter().filter_map(query).take(MOST_TERMS).collect()
}

fn tsvector_words(text: &str) -> Vec<String> {
    let words = words(text).into_iter().flatten().map(|word| plain(&word));
    words.filter(|word| !word.is_empty() && word.len() <= LONGEST_WORD).collect()
}

/// A word without accents.
fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            '\u{300}'..='\u{36f}' => {}
            '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => plain.push_str(any_ascii::any_ascii_char(c)),
            c => plain.push(c),
        }
    }
    plain
}

/// The terms of a query in lower case, for finding them in a text.
pub fn terms(text: &str) -> Vec<String> {
    let mut terms: Vec<_> = phrases(text)
        .into_iter()
        .map(|words| {
            let unspaced = words.iter().all(|word| word.chars().all(is_unspaced));
            words.join(if unspaced { "" } else { " " }).to_lowercase()
        })
        .take(MOST_TERMS)
        .collect();
    terms.dedup();
    terms
}

/// Each phrase as its words: what somebody put in quotes, a run of characters without spaces, or a single word.
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
fn is_unspaced(c: char) -> bool {
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
        assert_eq!(terms("数据库 Abc"), ["数据库", "abc"]);
    }

    #[test]
    fn unspaced_scripts_are_indexed_character_by_character() {
        assert_eq!(index_text("a数b"), "a 数 b");
        assert_eq!(index_text("nul\0nul"), "nul nul");
    }

    #[test]
    fn a_server_is_asked_for_words_and_phrases() {
        assert_eq!(tsqueries("how do I share data?"), ["'share'", "'data'"]);
        assert_eq!(tsqueries("\"exact phrase\" x*"), ["'exact' <-> 'phrase'", "'x'"]);
        assert_eq!(tsqueries("数据 Éclair"), ["'数' <-> '据'", "'Eclair'"]);
        assert!(tsqueries("?!  -").is_empty());
    }

    #[test]
    fn a_long_text_has_parts_and_an_empty_one_has_one() {
        assert_eq!(tsvector_text("a/b, c-d.é"), "a b c d e");
        assert_eq!(tsvector_texts(&"word ".repeat(PART + 1)).len(), 2);
        assert_eq!(tsvector_texts(" ?"), [""]);
        let long = tsvector_texts(&format!("{} ", "x".repeat(LONGEST_WORD)).repeat(1_000));
        assert!(long.len() > 4 && long.iter().all(|part| part.len() <= PART_BYTES), "parts of {} bytes", long[0].len());
        assert_eq!(long.join(" ").split(' ').count(), 1_000, "no word is lost between two parts");
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
