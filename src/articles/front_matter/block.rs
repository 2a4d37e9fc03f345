//! Where a block begins and ends, and its language.

use std::ops::Range;

use super::{
    entry::{Entry, is_usual},
    json, toml, yaml,
};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A block of front matter in its text.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) syntax: Syntax,
    /// The outermost keys, in order.
    pub(super) entries: Vec<Entry>,
    /// Where the body begins.
    pub(super) end: usize,
    /// Where a new entry goes.
    pub(super) room: usize,
}

/// The language of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Yaml,
    Toml,
    Json,
}

/// The block at the beginning of `text`, if there is one.
pub(super) fn find(text: &str) -> Option<Block> {
    let start = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).len();
    let first = line_at(text, start);
    match fence(text, &first) {
        "---" => {
            let (inner, end) = fenced(text, first.end, &["---", "..."])?;
            if text[inner.clone()].trim_start().starts_with('{')
                && let Some((entries, room, _)) = json::entries(text, inner.clone())
            {
                return Some(Block { syntax: Syntax::Json, entries, end, room });
            }
            let entries = yaml::entries(text, inner.clone())?;
            Some(Block { syntax: Syntax::Yaml, entries, end, room: inner.end })
        }
        "+++" => {
            let (inner, end) = fenced(text, first.end, &["+++"])?;
            let (entries, room) = toml::entries(text, inner);
            Some(Block { syntax: Syntax::Toml, entries, end, room })
        }
        line if line.starts_with('{') => {
            let (entries, room, last) = json::entries(text, start..text.len())?;
            let rest = line_at(text, last);
            let known = entries.iter().any(|entry| is_usual(&entry.key));
            (known && text[rest.clone()].trim().is_empty()).then_some(Block {
                syntax: Syntax::Json,
                entries,
                end: rest.end,
                room,
            })
        }
        _ => None,
    }
}

/// The line end that the block uses.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.split_once('\n') {
        Some((line, _)) if line.ends_with('\r') => "\r\n",
        Some(_) | None => "\n",
    }
}

/// The line that begins at `at`, with its line end.
fn line_at(text: &str, at: usize) -> Range<usize> {
    at..text[at..].find('\n').map_or(text.len(), |length| at + length + 1)
}

/// A line without the white space at its end.
fn fence<'t>(text: &'t str, line: &Range<usize>) -> &'t str {
    text[line.clone()].trim_end()
}

/// The text between the fences, and where the line of the second one ends.
fn fenced(text: &str, from: usize, ends: &[&str]) -> Option<(Range<usize>, usize)> {
    let mut at = from;
    while at < text.len() {
        let line = line_at(text, at);
        if ends.contains(&fence(text, &line)) {
            return Some((from..line.start, line.end));
        }
        at = line.end;
    }
    None
}
