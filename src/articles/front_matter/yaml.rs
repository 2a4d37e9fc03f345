//! The outermost keys of a YAML block, line by line.
//!
//! More is read than YAML allows, because people write it and other programs accept it: `title: Re: hello`, `people:
//! [[Jane]], [[Bob]]`, tabs, a repeated key.

use std::ops::Range;

use super::entry::{Entry, Scalar, Value, is_usual, line_number};

/// An entry while its lines are gathered.
struct PartialEntry {
    key: String,
    at: usize,
    /// After the colon.
    colon: usize,
    /// Where the first line's content ends.
    first_end: usize,
    /// Where the last line's content ends.
    last_end: usize,
}

/// Returns the entries; `None` if this is not front matter but a text between two rules.
pub(super) fn entries(text: &str, inner: Range<usize>) -> Option<Vec<Entry>> {
    let (mut found, mut stray): (Vec<PartialEntry>, bool) = (Vec::new(), false);
    let mut at = inner.start;
    for line in text[inner.clone()].split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        match kind(content) {
            Kind::Filler => {}
            Kind::Key(key, colon) => {
                let end = at + content.len();
                found.push(PartialEntry { key, at, colon: at + colon, first_end: end, last_end: end });
            }
            Kind::Continued => match found.last_mut() {
                Some(entry) => entry.last_end = at + content.trim_end().len(),
                None => stray = true,
            },
            Kind::Stray => stray = true,
        }
        at += line.len();
    }
    let usual = found.iter().any(|entry| is_usual(&entry.key));
    let begins_blank = text[inner.clone()].lines().next().is_some_and(|line| line.trim().is_empty());
    let is_text = stray || (begins_blank && !found.is_empty());
    if is_text && !usual {
        return None;
    }
    // Counted once from the front, not again for each.
    let (mut line, mut counted) = (line_number(text, inner.start), inner.start);
    let entries = found.into_iter().map(|gathered| {
        line += text[counted..gathered.at].bytes().filter(|byte| *byte == b'\n').count();
        counted = gathered.at;
        entry(text, gathered, line)
    });
    Some(entries.collect())
}

enum Kind {
    /// Blank, or a comment.
    Filler,
    /// A key, and where the text after its colon begins.
    Key(String, usize),
    /// A continuation of the entry before.
    Continued,
    /// Text that does not belong to front matter.
    Stray,
}

fn kind(line: &str) -> Kind {
    let trimmed = line.trim();
    if trimmed.is_empty() || line.starts_with('#') {
        return Kind::Filler;
    }
    let continues = [' ', '\t', ']', '}'].iter().any(|first| line.starts_with(*first))
        || ["-", ":"].contains(&trimmed)
        || ["- ", ": "].iter().any(|first| line.starts_with(first));
    if continues {
        return Kind::Continued;
    }
    match key(line) {
        Some((key, colon)) => Kind::Key(key, colon),
        None => Kind::Stray,
    }
}

/// Reads a key at the beginning of a line; returns it and where the text after its colon begins.
fn key(line: &str) -> Option<(String, usize)> {
    if line == "?" || line.starts_with("? ") {
        return Some(("?".to_owned(), line.len()));
    }
    if let Some((key, end)) = quoted(line) {
        let rest = &line[end..];
        let colon = end + (rest.len() - rest.trim_start().len());
        return line[colon..].starts_with(':').then_some((key, colon + 1));
    }
    if line.starts_with(['[', ']', '{', '}', ',', '&', '*', '!', '|', '>', '@', '`', '%', '"', '\'']) {
        return None;
    }
    let colon = line.match_indices(':').map(|(at, _)| at).find(|at| {
        let behind = &line[at + 1..];
        behind.is_empty() || behind.starts_with([' ', '\t'])
    })?;
    let key = line[..colon].trim();
    (!key.is_empty()).then(|| (key.to_owned(), colon + 1))
}

fn entry(text: &str, gathered: PartialEntry, line: usize) -> Entry {
    let PartialEntry { key, at: _, colon, first_end, last_end } = gathered;
    let first = &text[colon..first_end];
    let begins = colon + (first.len() - first.trim_start().len());
    let given = &text[begins..first_end];
    let several = last_end > first_end;
    let (value, end) = if given.is_empty() || given.starts_with('#') {
        let below = if several { below(&text[first_end..last_end]) } else { Value::Empty };
        (below, last_end)
    } else {
        value(&text[begins..last_end], given, several)
            .map_or((Value::Other, last_end), |(value, length)| (value, begins + length))
    };
    let range = match (given.is_empty() || given.starts_with('#'), several) {
        (true, false) => colon..colon,
        (true, true) => colon..last_end,
        (false, _) => begins..end,
    };
    Entry { key, line, value, range }
}

/// Reads the value that `source` begins with; returns it and its length. `given` is its first line.
fn value(source: &str, given: &str, several: bool) -> Option<(Value, usize)> {
    if let Some((text, end)) = quoted(source)
        && nothing_more(&source[end..])
    {
        return Some((Value::Text(Scalar::quoted(text)), end));
    }
    match given.chars().next() {
        Some('|' | '>') if several => {
            return Some((Value::Text(Scalar::quoted(block_text(source))), source.len()));
        }
        Some('[') => {
            if let Some((items, end)) = list(source)
                && nothing_more(&source[end..])
            {
                return Some((Value::List { items, source: one_line(&source[..end]) }, end));
            }
        }
        _ => {}
    }
    let end = if several { source.len() } else { without_comment(source).len() };
    let text = one_line(if several { source } else { &source[..end] });
    let value = match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Empty,
        _ => Value::Text(Scalar::plain(text)),
    };
    Some((value, end))
}

/// Reads the lines below a key without a value of its own.
fn below(lines: &str) -> Value {
    let mut items = Vec::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some(item) = line.strip_prefix('-').filter(|item| item.is_empty() || item.starts_with([' ', '\t'])) else {
            return Value::Other;
        };
        items.push(scalar(item.trim()));
    }
    Value::List { source: items.iter().map(|item| &**item).collect::<Vec<_>>().join(", "), items }
}

/// One value of a list.
fn scalar(text: &str) -> Scalar {
    match quoted(text) {
        Some((value, end)) if nothing_more(&text[end..]) => Scalar::quoted(value),
        _ => Scalar::plain(without_comment(text)),
    }
}

/// A value without the comment after it.
fn without_comment(text: &str) -> &str {
    let comment = text.match_indices('#').map(|(at, _)| at);
    let end = comment.into_iter().find(|at| text[..*at].ends_with([' ', '\t'])).unwrap_or(text.len());
    text[..end].trim_end()
}

fn nothing_more(rest: &str) -> bool {
    let trimmed = rest.trim();
    trimmed.is_empty() || (rest.starts_with([' ', '\t']) && trimmed.starts_with('#') && !trimmed.contains('\n'))
}

/// Several lines as one, as YAML folds them.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text of `|` or `>`, without indentation.
fn block_text(source: &str) -> String {
    let between = if source.starts_with('>') { " " } else { "\n" };
    let mut lines = source.lines();
    lines.next();
    lines.map(str::trim).collect::<Vec<_>>().join(between).trim().to_owned()
}

/// Reads a list in brackets; returns it and where it ends. Lists inside it are items as they are written.
fn list(source: &str) -> Option<(Vec<Scalar>, usize)> {
    let (mut items, mut depth, mut begins, mut at) = (Vec::new(), 0_usize, 1, 0);
    while at < source.len() {
        let rest = &source[at..];
        match rest.as_bytes()[0] {
            b'"' | b'\'' if source[begins..at].trim().is_empty() && depth == 1 => {
                at += quoted(rest)?.1;
                continue;
            }
            b'[' => depth += 1,
            b']' if depth == 1 => {
                push_item(&mut items, &source[begins..at]);
                return Some((items, at + 1));
            }
            b']' => depth -= 1,
            b',' if depth == 1 => {
                push_item(&mut items, &source[begins..at]);
                begins = at + 1;
            }
            _ => {}
        }
        at += 1;
        while !source.is_char_boundary(at) {
            at += 1;
        }
    }
    None
}

fn push_item(items: &mut Vec<Scalar>, item: &str) {
    let item = scalar(&one_line(item));
    if !item.is_empty() {
        items.push(item);
    }
}

/// Reads the text in quotes that `source` begins with; returns it and where the quotes end.
fn quoted(source: &str) -> Option<(String, usize)> {
    match source.as_bytes().first()? {
        b'\'' => single_quoted(source),
        b'"' => double_quoted(source),
        _ => None,
    }
}

fn single_quoted(source: &str) -> Option<(String, usize)> {
    let (mut text, mut at) = (String::new(), 1);
    loop {
        let end = at + source[at..].find('\'')?;
        text.push_str(&source[at..end]);
        if !source[end + 1..].starts_with('\'') {
            return Some((folded(text), end + 1));
        }
        text.push('\'');
        at = end + 2;
    }
}

fn double_quoted(source: &str) -> Option<(String, usize)> {
    // `kept`: up to here the text comes from escapes, and is what was meant.
    let (mut text, mut kept) = (String::new(), 0);
    let mut characters = source.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((text, at + 1)),
            '\n' | '\r' => {
                text.truncate(kept.max(text.trim_end_matches([' ', '\t']).len()));
                while characters.next_if(|(_, next)| next.is_whitespace()).is_some() {}
                text.push(' ');
            }
            '\\' => {
                let (_, escape) = characters.next()?;
                let digits = match escape {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => {
                        text.push(escaped(escape)?);
                        kept = text.len();
                        continue;
                    }
                };
                let number: String = characters.by_ref().take(digits).map(|(_, digit)| digit).collect();
                let code = u32::from_str_radix(&number, 16).ok().filter(|_| number.len() == digits)?;
                text.push(char::from_u32(code)?);
                kept = text.len();
            }
            other => text.push(other),
        }
    }
    None
}

fn escaped(escape: char) -> Option<char> {
    Some(match escape {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        ' ' | '"' | '/' | '\\' | '\'' => escape,
        _ => return None,
    })
}

/// Replaces line breaks inside quotes by spaces.
fn folded(text: String) -> String {
    if text.contains(['\n', '\r']) { one_line(&text) } else { text }
}
