//! Names as they are compared.

use unicode_normalization::UnicodeNormalization;

/// A tag or a key as it is compared: in small letters, composed, without white space around it, and without NUL, which no
/// database holds.
pub(crate) fn folded(text: &str) -> String {
    text.trim().nfc().flat_map(char::to_lowercase).filter(|c| *c != '\0').collect()
}
