//! Texts with half of a character, such as `"\\ud83d"`: JSON can write it, and no text can hold it. Some clients cut an
//! emoji in two.

use std::borrow::Cow;

use serde_json::Value;

use crate::bounded_json;

/// Stands for a half. It is no character, so that nobody sends it.
const MARK: char = '\u{fffe}';
const ESCAPED_MARK: &[u8] = b"\\ufffe";
/// Length of `\uXXXX`. *Units:* bytes.
const ESCAPE_BYTES: usize = 6;

/// Returns the place of the first text with half a character, such as `params.arguments.body`; `None` if the message is
/// no JSON for another reason.
pub(super) fn place(message: &[u8]) -> Option<String> {
    let Cow::Owned(marked) = mark_halves(message) else { return None };
    let mut place = Vec::new();
    has_mark(&bounded_json::read(&marked).ok()?, &mut place).then(|| place.join("."))
}

/// Replaces each half by the mark.
fn mark_halves(message: &[u8]) -> Cow<'_, [u8]> {
    let (mut marked, mut at, mut rest) = (Vec::new(), 0, 0);
    while at < message.len() {
        if message[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit(&message[at..]) {
            Some(0xd800..=0xdbff) if matches!(unit(&message[at + ESCAPE_BYTES..]), Some(0xdc00..=0xdfff)) => {
                at += 2 * ESCAPE_BYTES
            }
            Some(0xd800..=0xdfff) => {
                marked.extend_from_slice(&message[rest..at]);
                marked.extend_from_slice(ESCAPED_MARK);
                at += ESCAPE_BYTES;
                rest = at;
            }
            Some(_) => at += ESCAPE_BYTES,
            None => at += 2,
        }
    }
    if rest == 0 {
        return Cow::Borrowed(message);
    }
    marked.extend_from_slice(&message[rest..]);
    Cow::Owned(marked)
}

/// The number of the escape that `text` begins with.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn has_mark(value: &Value, place: &mut Vec<String>) -> bool {
    let mut below = |name: String, value: &Value| {
        place.push(name);
        let found = has_mark(value, place);
        if !found {
            place.pop();
        }
        found
    };
    match value {
        Value::String(text) => text.contains(MARK),
        Value::Array(items) => items.iter().enumerate().any(|(at, item)| below(at.to_string(), item)),
        Value::Object(fields) => fields.iter().any(|(name, field)| name.contains(MARK) || below(name.clone(), field)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn the_first_text_with_a_half_is_named() {
        for (message, expected) in [
            (r#"{"id":1,"params":{"arguments":{"body":"a \ud83d b"}}}"#, Some("params.arguments.body")),
            (
                r#"{"id":1,"params":{"arguments":{"edits":[{"text":"\ud83d\ude80"},{"text":"\ude80"}]}}}"#,
                Some("params.arguments.edits.1.text"),
            ),
            (r#"{"a":"\ud83d\ud83d\ude80"}"#, Some("a")),
            (r#"{"a":"\ud83d\ude80 \\ud83d"}"#, None),
            (r#"{"a":"\ud83d"#, None),
            (r#"{"a":"\ud8"#, None),
            ("nonsense", None),
        ] {
            assert_eq!(place(message.as_bytes()).as_deref(), expected, "{message}");
        }
    }
}
