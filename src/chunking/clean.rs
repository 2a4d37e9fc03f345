//! Removes what a model must not be given.

use std::borrow::Cow;

/// Returns `text` without control characters; line ends become `\n`, others that separate become spaces.
///
/// Providers refuse NUL, and tokenizers disagree about the rest. The stored text keeps them.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unwanted) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => cleaned.push('\n'),
            c if is_unwanted(c) && c.is_whitespace() => cleaned.push(' '),
            c if is_unwanted(c) => {}
            c => cleaned.push(c),
        }
    }
    Cow::Owned(cleaned)
}

fn is_unwanted(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_go_and_words_stay_apart() {
        assert_eq!(clean("a\0b\r\nc\rd\u{b}e\tf\u{85}g\u{9f}"), "ab\nc\nd e\tf g");
        assert!(matches!(clean("plain\n\ttext 数"), Cow::Borrowed(_)));
    }
}
