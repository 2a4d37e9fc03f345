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
    /// How many tokens a word of `text` takes: without end if the model knows nothing of it, and `None` for a text without words
    /// of which it knows something. What the model has no token for is spelt, character by character: one token that stands for
    /// every word it cannot read tells none of them.
    pub(super) fn tokens_per_word(&self, text: &str) -> Option<f64> {
        let Tokens { known, unknown, spelt } = self.tokens(text);
        let tokens = (known + spelt) as f64;
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count() as f64;
        if letters == 0.0 {
            return (known == 0 && unknown > 0).then_some(f64::INFINITY);
        }
        let unspaced: Vec<_> = text.chars().filter_map(letters_of_a_word).collect();
        if (unspaced.len() as f64) < letters / 2.0 {
            let words = text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
            return Some(tokens / words.max(1) as f64);
        }
        // A model that takes each character by itself knows none of the words.
        let by_character = tokens >= BY_CHARACTER * letters;
        let is_spaced =
            |word: &&str| word.contains(char::is_alphanumeric) && !word.contains(|c| letters_of_a_word(c).is_some());
        let spaced = text.split_whitespace().filter(is_spaced).count() as f64;
        let words = spaced + unspaced.iter().map(|letters| 1.0 / letters).sum::<f64>();
        Some(if by_character { tokens } else { tokens / words })
    }

    fn tokens(&self, text: &str) -> Tokens {
        let nothing = ["[UNK]", "<unk>"].map(|name| self.tokenizer.token_to_id(name));
        let mut tokens = Tokens::default();
        let Ok(encoding) = self.tokenizer.encode(text, false) else { return tokens };
        for (id, &(from, to)) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
            if nothing.contains(&Some(*id)) {
                tokens.unknown += 1;
                tokens.spelt += text.get(from..to).map_or(1, |read| read.chars().count().max(1));
            } else {
                tokens.known += 1;
            }
        }
        tokens
    }
}

/// What a model's tokenizer makes of a text.
#[derive(Default)]
struct Tokens {
    known: usize,
    /// Tokens that stand for what it does not know.
    unknown: usize,
    /// Characters that those stand for.
    spelt: usize,
}

/// The number of tokens for a character, if the tokenizer knows no words.
const BY_CHARACTER: f64 = 0.85;

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
        assert_eq!((of("!"), of("")), (None, None));
    }
}
