//! The outermost keys of a JSON block.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::entry::{Entry, Scalar, Value, line_number};

/// Returns the entries, where a new one goes, and where the object ends; `None` if there is no object.
pub(super) fn entries(text: &str, inner: Range<usize>) -> Option<(Vec<Entry>, usize, usize)> {
    let mut at = skip(text, inner.start, inner.end);
    at = past(text, at, '{')?;
    let room = at;
    let mut entries = Vec::new();
    let (mut line, mut counted) = (line_number(text, at), at);
    loop {
        at = skip(text, at, inner.end);
        if let Some(end) = past(text, at, '}') {
            return Some((entries, room, end));
        }
        if !entries.is_empty() {
            at = skip(text, past(text, at, ',')?, inner.end);
        }
        let end = value_end(text, at, inner.end)?;
        let key = serde_json::from_str::<String>(&text[at..end]).ok()?;
        line += text[counted..at].bytes().filter(|byte| *byte == b'\n').count();
        counted = at;
        at = skip(text, past(text, skip(text, end, inner.end), ':')?, inner.end);
        let end = value_end(text, at, inner.end)?;
        entries.push(Entry { key, line, value: value(&text[at..end]), range: at..end });
        at = end;
    }
}

fn skip(text: &str, at: usize, end: usize) -> usize {
    let rest = &text[at..end];
    at + (rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len())
}

fn past(text: &str, at: usize, character: char) -> Option<usize> {
    text[at..].starts_with(character).then(|| at + character.len_utf8())
}

/// Where the value that begins at `at` ends; `None` also if it is nested too deeply.
fn value_end(text: &str, at: usize, end: usize) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(&text[at..end]).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(at + values.byte_offset())
}

fn value(source: &str) -> Value {
    use serde_json::Value as Json;
    match serde_json::from_str::<Json>(source) {
        Ok(Json::Null) => Value::Empty,
        Ok(Json::String(text)) => Value::Text(Scalar::quoted(text)),
        Ok(Json::Number(_) | Json::Bool(_)) => Value::Text(Scalar::plain(source)),
        Ok(Json::Array(items)) => {
            let items = items.into_iter().map(|item| match item {
                Json::String(text) => Scalar::quoted(text),
                other => Scalar::plain(other.to_string()),
            });
            Value::List { items: items.collect(), source: source.to_owned() }
        }
        Ok(Json::Object(_)) | Err(_) => Value::Other,
    }
}
