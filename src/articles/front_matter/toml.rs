//! The outermost keys of a TOML block, up to its first table.

use std::ops::Range;

use super::entry::{Entry, Scalar, Value, line_number};

/// Returns the entries, and where a new one goes.
pub(super) fn entries(text: &str, inner: Range<usize>) -> (Vec<Entry>, usize) {
    let mut entries = Vec::new();
    let (mut at, mut line) = (inner.start, line_number(text, inner.start));
    // After one list without an end no other is looked for, so that nothing is read repeatedly.
    let mut lists = true;
    while at < inner.end {
        let rest = &text[at..inner.end];
        let content = rest.lines().next().unwrap_or_default();
        if content.trim_start().starts_with('[') {
            return (entries, at);
        }
        let mut end = at + rest.find('\n').map_or(rest.len(), |length| length + 1);
        if let Some((key, begins)) = key(content) {
            let (value, length) = value(&text[at + begins..inner.end], &mut lists);
            let range = at + begins..at + begins + length;
            if range.end > end {
                let behind = &text[range.end..inner.end];
                end = range.end + behind.find('\n').map_or(behind.len(), |length| length + 1);
            }
            entries.push(Entry { key, line, value, range });
        }
        line += text[at..end].bytes().filter(|byte| *byte == b'\n').count();
        at = end;
    }
    (entries, inner.end)
}

/// A key, and where its value begins.
fn key(line: &str) -> Option<(String, usize)> {
    let (key, rest) = line.split_once('=')?;
    let trimmed = key.trim();
    let name = trimmed.trim_matches(['"', '\'']);
    let blank = rest.len() - rest.trim_start().len();
    (!name.is_empty() && !trimmed.starts_with('#')).then(|| (name.to_owned(), key.len() + 1 + blank))
}

/// Reads the value that `source` begins with; returns it and its length.
fn value(source: &str, lists: &mut bool) -> (Value, usize) {
    for quotes in ["\"\"\"", "'''", "\"", "'"] {
        if source.starts_with(quotes) {
            return match closed(source, quotes) {
                Some(end) => {
                    let text = text_of(&source[quotes.len()..end - quotes.len()], quotes);
                    (Value::Text(Scalar::quoted(text)), end)
                }
                None => plain(source),
            };
        }
    }
    if source.starts_with('[') && *lists {
        match list(source) {
            Some(found) => return found,
            None => *lists = false,
        }
    }
    if source.starts_with('{') {
        return (Value::Other, plain(source).1);
    }
    plain(source)
}

/// A number, a time or a switch, as it is written.
fn plain(source: &str) -> (Value, usize) {
    let line = source.lines().next().unwrap_or_default();
    let text = line.split('#').next().unwrap_or_default().trim_end();
    let value = if text.is_empty() { Value::Empty } else { Value::Text(Scalar::plain(text)) };
    (value, text.len())
}

/// Where a string that begins with `quotes` ends, quotes included.
fn closed(source: &str, quotes: &str) -> Option<usize> {
    let (escapes, several) = (quotes.starts_with('"'), quotes.len() == 3);
    let mut at = quotes.len();
    while at < source.len() {
        let rest = &source[at..];
        if rest.starts_with(quotes) {
            return Some(at + quotes.len());
        }
        match rest.chars().next()? {
            '\\' if escapes => at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            '\n' if !several => return None,
            other => at += other.len_utf8(),
        }
    }
    None
}

fn text_of(inner: &str, quotes: &str) -> String {
    let inner = if quotes.len() == 3 { inner.trim_start_matches(['\r', '\n']) } else { inner };
    if quotes.starts_with('\'') {
        return inner.to_owned();
    }
    let (mut text, mut characters) = (String::with_capacity(inner.len()), inner.chars());
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        let digits = match characters.next() {
            Some('u') => 4,
            Some('U') => 8,
            Some('n') => {
                text.push('\n');
                continue;
            }
            Some('t') => {
                text.push('\t');
                continue;
            }
            Some('r') => {
                text.push('\r');
                continue;
            }
            Some(other) => {
                text.push(other);
                continue;
            }
            None => break,
        };
        let number: String = characters.by_ref().take(digits).collect();
        text.extend(u32::from_str_radix(&number, 16).ok().and_then(char::from_u32));
    }
    text
}

fn list(source: &str) -> Option<(Value, usize)> {
    let (mut items, mut at) = (Vec::new(), 1);
    while at < source.len() {
        let rest = &source[at..];
        match rest.chars().next()? {
            ']' => {
                let text = source[..=at].split_whitespace().collect::<Vec<_>>().join(" ");
                return Some((Value::List { items, source: text }, at + 1));
            }
            quotes @ ('"' | '\'') => {
                let quotes = if quotes == '"' { "\"" } else { "'" };
                let end = closed(rest, quotes)?;
                items.push(Scalar::quoted(text_of(&rest[1..end - 1], quotes)));
                at += end;
            }
            '#' => at += rest.find('\n')?,
            '[' | '{' => return Some((Value::Other, plain(source).1)),
            ',' => at += 1,
            other if other.is_whitespace() => at += other.len_utf8(),
            _ => {
                let end = rest.find([',', ']', '\n'])?;
                items.push(Scalar::plain(rest[..end].trim()));
                at += end;
            }
        }
    }
    None
}
