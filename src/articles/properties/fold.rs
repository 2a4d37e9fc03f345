//! Names in the form in which they are compared.

use unicode_normalization::UnicodeNormalization;

/// Folds a tag or a key: lower case, composed, without white space around it, and without NUL, which no database can
/// store.
pub(crate) fn folded(text: &str) -> String {
    text.trim().nfc().flat_map(char::to_lowercase).filter(|c| *c != '\0').collect()
}
