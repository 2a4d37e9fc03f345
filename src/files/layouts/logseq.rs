//! Graphs of Logseq: pages in `pages/`, days in `journals/`.
//!
//! A page is called by its file's name, in which `___` or `%2F` separates namespaces, and may begin with properties,
//! one a line: `key:: value`.

use std::borrow::Cow;

use super::{
    super::place,
    plain_file::PlainFile,
    property_lines::{self, PropertyLine},
};
use crate::articles::{
    front_matter::{Document, Setting, parse_time},
    links::decoded,
    request::plain_title,
};

/// The file with its properties as front matter, at the place that its namespaces say.
pub(super) fn meant<'t>(text: &'t str, placed: &str) -> PlainFile<'t> {
    let text = with_properties(text);
    let document = Document::split(&text);
    let given = document.fields().0.title.map(|title| plain_title(&title)).filter(|title| title.contains('/'));
    let stem = place::stem(placed);
    let named = given.unwrap_or_else(|| decoded(&stem.replace("___", "/")));
    let mut parts: Vec<&str> = named.split('/').map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        parts.push(stem);
    }
    let parents = placed.rsplit_once('/').map_or("", |(parents, _)| parents);
    let place = place::join(parents, &format!("{}.md", parts.join("/")));
    let day = day(placed);
    let title = match day {
        Some(_) => stem.replace('_', "-"),
        None => parts.last().copied().unwrap_or(stem).to_owned(),
    };
    let says_another = document.fields().0.title.is_some_and(|title| !title.contains('/'));
    let title = Some(plain_title(&title)).filter(|_| !says_another);
    PlainFile { place, text, title, created: day }
}

/// The day that a file of the journal is about. *Units:* milliseconds since 1970.
pub(super) fn day(placed: &str) -> Option<i64> {
    let is_journal = place::parents(placed).last() == Some("journals");
    let stem = place::stem(placed);
    let is_day = stem.len() == "2026_01_31".len() && stem.starts_with(|c: char| c.is_ascii_digit());
    parse_time(&stem.replace('_', "-")).filter(|_| is_journal && is_day)
}

/// A text with the properties at its beginning as front matter.
fn with_properties(text: &str) -> Cow<'_, str> {
    let document = Document::split(text);
    let (head, body) = text.split_at(document.head.len());
    let (mut lines, mut end) = (Vec::new(), 0);
    for line in body.split_inclusive('\n') {
        let Some((key, value)) = property(line, lines.is_empty()) else { break };
        lines.push(moving(head, line, key, value));
        end += line.len();
    }
    // More of the same block belongs to the text, and the lines above are a part of it.
    let ends = body[end..].lines().next().is_none_or(|next| next.trim().is_empty() || next.starts_with('-'));
    if ends { property_lines::moved(text, head, "", lines, &body[end..]) } else { Cow::Borrowed(text) }
}

/// The key and the value of a property; the first may stand in a block of its own.
fn property(line: &str, is_first: bool) -> Option<(&str, &str)> {
    let line = line.trim_start_matches('\u{feff}');
    let line = line.strip_prefix("- ").filter(|_| is_first).unwrap_or(line).trim();
    let (key, value) = line.split_once("::")?;
    let is_key = !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || "`[]\"".contains(c));
    (is_key && (value.is_empty() || value.starts_with(' '))).then(|| (key, value.trim()))
}

fn moving<'t>(head: &str, line: &'t str, key: &str, value: &str) -> PropertyLine<'t> {
    let named = match key.to_ascii_lowercase().as_str() {
        "created-at" => "created",
        "updated-at" => "updated",
        _ => key,
    };
    let setting = match named.to_ascii_lowercase().as_str() {
        "tags" | "tag" | "alias" | "aliases" => property_lines::list(value),
        "title" | "created" | "updated" | "date" => Setting::Text(value.to_owned()),
        // A link leads to its article from the text alone.
        _ if value.contains("[[") || value.contains("](") || value.contains('#') => {
            return PropertyLine { text: line, moves: None };
        }
        _ => property_lines::setting(value),
    };
    let may_move = !value.is_empty() && property_lines::may_move(head, named);
    PropertyLine { text: line, moves: may_move.then(|| (named.to_owned(), setting)) }
}
