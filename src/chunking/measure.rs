//! Measuring texts in tokens, and finding how much of one fits.
//!
//! Owns the promise that measuring costs a bounded multiple of the text. Knows no markdown.

use super::{
    clean::{clean, reach},
    tokens::TokenCounter,
};

/// The usual upper bound of a token's length, in bytes. It bounds a chunk if tokens do not reflect its size: some
/// tokenizers count a word of any length as one unknown token, and runs of blanks as none.
const LONGEST_TOKEN: usize = 16;

/// A chunk with wide padding may be so many times as long as one without.
const MAX_LAYOUT: usize = 16;

/// First guess at the bytes of a token; about right for English.
const USUAL_TOKEN: usize = 4;

/// The search for the longest fit ends when this share of the room is used: in most texts a cut is before it anyway.
const FULL_ENOUGH: (usize, usize) = (15, 16);

/// A counter and the room it measures for.
pub(super) struct Measure<'a> {
    counter: &'a dyn TokenCounter,
    /// Tokens for title, headings and text.
    pub(super) room: usize,
}

impl<'a> Measure<'a> {
    pub(super) fn new(counter: &'a dyn TokenCounter, room: usize) -> Self {
        Self { counter, room }
    }

    /// Counts the tokens of `text` as the model would get it.
    pub(super) fn count(&self, text: &str) -> usize {
        self.counter.count(&clean(text))
    }

    /// Returns the length in bytes of a beginning of `text` that takes at most `room` tokens and nearly fills it; the
    /// whole if it fits, and at least one character. Depends on `text` and `room` alone.
    pub(super) fn longest_fit(&self, text: &str, room: usize) -> usize {
        let longest = text.floor_char_boundary(room.saturating_mul(LONGEST_TOKEN * MAX_LAYOUT));
        let longest = reach(&text[..longest], room.saturating_mul(LONGEST_TOKEN));
        if longest == text.len() && self.count(text) <= room {
            return longest;
        }
        let (mut fits, mut exceeds) = (0, longest + 1);
        let mut guess = text.floor_char_boundary((room * USUAL_TOKEN).min(longest));
        while fits < guess && guess < exceeds {
            let tokens = self.count(&text[..guess]);
            let is_full = tokens * FULL_ENOUGH.1 >= room * FULL_ENOUGH.0;
            if tokens <= room {
                fits = guess;
                if is_full {
                    break;
                }
            } else {
                exceeds = guess;
            }
            guess = text.floor_char_boundary(between(fits, exceeds, guess * room / tokens.max(1)));
            if guess <= fits {
                // Rounded down to what is known already: one character more decides.
                guess = text.ceil_char_boundary((fits + 1).min(text.len()));
            }
        }
        let first = text.chars().next().map_or(0, char::len_utf8);
        fits.max(first)
    }
}

/// Keeps `estimate` off both ends, so that each step shrinks the interval by at least an eighth.
fn between(fits: usize, exceeds: usize, estimate: usize) -> usize {
    let margin = (exceeds - fits) / 8;
    estimate.clamp(fits + margin, exceeds - 1 - margin.min(exceeds - 1 - fits))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;
    use crate::{chunking::ApproximateTokens, markdown::sample};

    struct Bytes;

    impl TokenCounter for Bytes {
        fn count(&self, text: &str) -> usize {
            text.len()
        }
    }

    /// Counts like the approximation, and records how much it was asked to read.
    struct Metered(std::sync::Mutex<Cell<usize>>);

    impl TokenCounter for Metered {
        fn count(&self, text: &str) -> usize {
            let read = self.0.lock().expect("not poisoned");
            read.set(read.get() + text.len());
            ApproximateTokens.count(text)
        }
    }

    #[test]
    fn a_word_of_any_length_that_counts_as_one_token_is_still_bounded() {
        struct Unknown;
        impl TokenCounter for Unknown {
            fn count(&self, text: &str) -> usize {
                text.split_whitespace().count()
            }
        }
        let text = "x".repeat(1_000_000);
        assert_eq!(Measure::new(&Unknown, 100).longest_fit(&text, 100), 1600);
    }

    #[test]
    fn measuring_reads_a_bounded_multiple_of_the_room_however_long_the_text() {
        for text in ["words in a row ".repeat(100_000), "数据".repeat(100_000), "x9Z".repeat(100_000)] {
            let counter = Metered(std::sync::Mutex::default());
            Measure::new(&counter, 256).longest_fit(&text, 256);
            let read = counter.0.into_inner().expect("not poisoned").get();
            assert!(read <= 12 * 256 * LONGEST_TOKEN, "{read}");
        }
    }

    proptest! {
        #[test]
        fn the_longest_fit_fits_and_nearly_fills(text in sample::anything(), room in 0_usize..300) {
            for counter in [&ApproximateTokens as &dyn TokenCounter, &Bytes] {
                let measure = Measure::new(counter, room);
                let end = measure.longest_fit(&text, room);
                prop_assert!(text.is_char_boundary(end));
                let one = text.chars().next().map_or(0, char::len_utf8);
                prop_assert!(measure.count(&text[..end]) <= room || end == one);
                let next = text[end..].chars().next().map_or(0, char::len_utf8);
                let nearly = measure.count(&text[..end]) * 16 >= room * 15 - 15.min(room * 15);
                let more_exceeds = next == 0 || measure.count(&text[..end + next]) > room;
                prop_assert!(nearly || more_exceeds || end + next > room * LONGEST_TOKEN, "{end} of {}", text.len());
            }
        }
    }
}
