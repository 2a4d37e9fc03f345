//! The model's tokenizer: for inputs as the model takes them, and for measuring texts of any length.

use std::{path::Path, sync::Arc};

use tokenizers::{Tokenizer, TruncationParams};

use crate::chunking::TokenCounter;

/// Counts a text's tokens. Cheap to clone.
#[derive(Clone)]
pub struct LocalTokenizer {
    /// Neither padded nor truncated.
    whole: Arc<Tokenizer>,
    /// Truncated to what the model takes.
    input: Arc<Tokenizer>,
}

impl LocalTokenizer {
    /// Reads `tokenizer.json`. What it says of padding and truncation is not the model's limit, and is overridden.
    pub(super) fn read(path: &Path, max_tokens: usize) -> Result<Self, tokenizers::Error> {
        let mut whole = Tokenizer::from_file(path)?;
        whole.with_padding(None).with_truncation(None)?;
        let mut input = whole.clone();
        input.with_truncation(Some(TruncationParams { max_length: max_tokens, ..TruncationParams::default() }))?;
        Ok(Self { whole: Arc::new(whole), input: Arc::new(input) })
    }

    /// Number of different tokens.
    pub(super) fn vocabulary(&self) -> usize {
        self.whole.get_vocab_size(true)
    }

    /// The token numbers of an input, special tokens included.
    pub(super) fn ids(&self, text: &str) -> Result<Vec<u32>, tokenizers::Error> {
        Ok(self.input.encode_fast(text, true)?.get_ids().to_vec())
    }
}

impl LocalTokenizer {
    /// How many tokens a word of `text` takes; `None` for a text without words.
    pub(super) fn tokens_per_word(&self, text: &str) -> Option<f64> {
        let tokens = self.count(text) as f64;
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count() as f64;
        let unspaced = text.chars().filter(|c| is_unspaced(*c)).count() as f64;
        if letters == 0.0 {
            return None;
        }
        if unspaced < letters / 2.0 {
            let words = text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
            return Some(tokens / words.max(1) as f64);
        }
        // Without spaces, words are of about 1.7 characters. A model that takes each character by itself knows none of
        // them.
        let by_character = tokens >= BY_CHARACTER * letters;
        Some(if by_character { tokens } else { tokens / (letters / 1.7) })
    }
}

/// The number of tokens for a character, if the tokenizer knows no words.
const BY_CHARACTER: f64 = 0.85;

/// Han and kana.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

impl TokenCounter for LocalTokenizer {
    fn count(&self, text: &str) -> usize {
        // A text the tokenizer cannot read is counted by its bytes, which is never too few.
        self.whole.encode_fast(text, false).map_or(text.len(), |encoding| encoding.len())
    }
}
