//! The model's tokenizer: for inputs as the model takes them, and for measuring texts of any length.

use std::{path::Path, sync::Arc};

use tokenizers::{PostProcessor, Tokenizer, TruncationDirection};

use crate::chunking::TokenCounter;

/// Counts a text's tokens. Cheap to clone.
#[derive(Clone)]
pub struct LocalTokenizer {
    /// Neither pads nor truncates.
    tokenizer: Arc<Tokenizer>,
    /// Tokens of the text in an input; special ones come on top.
    most: usize,
}

impl LocalTokenizer {
    /// Reads `tokenizer.json`. What it says of padding and truncation is not the model's limit, and is overridden.
    pub(super) fn read(path: &Path, max_tokens: usize) -> Result<Self, tokenizers::Error> {
        let mut tokenizer = Tokenizer::from_file(path)?;
        tokenizer.with_padding(None).with_truncation(None)?;
        let special = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        Ok(Self { tokenizer: Arc::new(tokenizer), most: max_tokens.saturating_sub(special) })
    }

    /// Number of different tokens.
    pub(super) fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The token numbers of an input, special tokens included.
    pub(super) fn ids(&self, text: &str) -> Result<Vec<u32>, tokenizers::Error> {
        let mut encoding = self.tokenizer.encode_fast(text, false)?;
        encoding.truncate(self.most, 0, TruncationDirection::Right);
        Ok(self.tokenizer.post_process(encoding, None, true)?.get_ids().to_vec())
    }
}

impl LocalTokenizer {
    /// How many tokens a word of `text` takes: without end if the model knows nothing of it, and `None` for a text
    /// without words of which it knows something. What the model has no token for is spelt, character by character: one
    /// token that stands for every word it cannot read tells none of them.
    pub(super) fn tokens_per_word(&self, text: &str) -> Option<f64> {
        let Tokens { spaced, unspaced, is_anything_known, is_anything_unknown } = self.tokens(text);
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
        if letters == 0 {
            return (!is_anything_known && is_anything_unknown).then_some(f64::INFINITY);
        }
        let lengths: Vec<_> = text.chars().filter_map(letters_of_a_word).collect();
        let unspaced_words: f64 = lengths.iter().map(|letters| 1.0 / letters).sum();
        // A model that takes each character by itself knows none of the words, however few they are.
        let by_character = unspaced as f64 >= BY_CHARACTER * lengths.len() as f64;
        let unspaced = if by_character { UNREAD as f64 * unspaced_words } else { unspaced as f64 };
        let is_spaced = |c: char| c.is_alphanumeric() && letters_of_a_word(c).is_none();
        let spaced_words = text.split_whitespace().filter(|word| word.contains(is_spaced)).count() as f64;
        Some((spaced as f64 + unspaced) / (spaced_words + unspaced_words))
    }

    fn tokens(&self, text: &str) -> Tokens {
        let nothing = ["[UNK]", "<unk>"].map(|name| self.tokenizer.token_to_id(name));
        let mut tokens = Tokens::default();
        let Ok(encoding) = self.tokenizer.encode(text, false) else { return tokens };
        for (id, &(from, to)) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
            let read = text.get(from..to).unwrap_or_default();
            let is_known = !nothing.contains(&Some(*id));
            tokens.is_anything_known |= is_known;
            tokens.is_anything_unknown |= !is_known;
            let unspaced = read.chars().filter(|c| letters_of_a_word(*c).is_some()).count();
            match (is_known, unspaced) {
                (true, 0) => tokens.spaced += 1,
                (true, _) => tokens.unspaced += 1,
                (false, 0) => tokens.spaced += spelt(read),
                (false, _) => tokens.unspaced += unspaced,
            }
        }
        tokens
    }
}

/// Tokens that something of a script with spaces counts as which the model has no token for: a word is never known
/// because it is short.
fn spelt(read: &str) -> usize {
    let characters = read.chars().count().max(1);
    if read.contains(char::is_alphanumeric) { characters.max(UNREAD) } else { characters }
}

/// What a model's tokenizer makes of a text.
#[derive(Default)]
struct Tokens {
    /// Of words between spaces, and of marks.
    spaced: usize,
    /// Of scripts without spaces.
    unspaced: usize,
    is_anything_known: bool,
    is_anything_unknown: bool,
}

/// The number of tokens for a character, if the tokenizer knows no words.
const BY_CHARACTER: f64 = 0.85;
/// Tokens that a word counts as which the model cannot read, at least: a language whose words take so many is spelt.
const UNREAD: usize = 4;

/// How many letters a word has on average, in a script without spaces: Han and kana, and Thai, Lao, Burmese, Khmer.
fn letters_of_a_word(c: char) -> Option<f64> {
    match c {
        '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' => Some(1.7),
        '\u{e01}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => Some(4.0),
        _ => None,
    }
}

impl TokenCounter for LocalTokenizer {
    fn count(&self, text: &str) -> usize {
        // A text the tokenizer cannot read is counted by its bytes, which is never too few.
        self.tokenizer.encode_fast(text, false).map_or(text.len(), |encoding| encoding.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tokenizer that knows some words, and pieces of others.
    fn tokenizer() -> LocalTokenizer {
        let known = ["[UNK]", "the", "house", "un", "##known", "1", "猫", "!"];
        let vocabulary: serde_json::Map<_, _> =
            known.iter().enumerate().map(|(id, token)| ((*token).to_owned(), id.into())).collect();
        let described = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "post_processor": null,
            "decoder": null, "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                "strip_accents": null, "lowercase": true },
            "pre_tokenizer": { "type": "BertPreTokenizer" },
            "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": vocabulary }
        });
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, described.to_string()).expect("a file");
        LocalTokenizer::read(&path, 128).expect("a tokenizer")
    }

    #[test]
    fn a_word_that_cannot_be_read_is_spelt() {
        let tokenizer = tokenizer();
        let of = |text: &str| tokenizer.tokens_per_word(text);
        assert_eq!(of("the house"), Some(1.0));
        assert_eq!(of("the unknown"), Some(1.5));
        for text in ["ქართული", "தமிழ்", "అంతరిక్ష", "วัดพระแก้ว", "ซุป", "カタカナ", "ᏣᎳᎩ"]
        {
            assert!(of(text).is_some_and(|tokens| tokens > 2.9), "{text}: {:?}", of(text));
        }
        assert_eq!(of("∑ →"), Some(f64::INFINITY), "a model knows nothing of it");
        assert_eq!(of("house 🚀"), Some(2.0), "a sign is no word");
        assert_eq!((of("!"), of("")), (None, None));
    }

    #[test]
    fn a_language_that_is_not_known_is_none_however_short_the_text_is() {
        let tokenizer = tokenizer();
        let of = |text: &str| tokenizer.tokens_per_word(text).expect("words");
        for text in ["猫", "猫猫", "图", "图片", "價格", "數據庫", "かな", "ซ", "빵", "빵 빵", "ბ", "字?"]
        {
            assert!(of(text) > 3.5, "{text}: {}", of(text));
        }
        assert_eq!(of("1"), 1.0);
        for text in ["the 图片", "house 빵"] {
            assert!((1.5..=4.0).contains(&of(text)), "half of {text} is known: {}", of(text));
        }
    }
}
