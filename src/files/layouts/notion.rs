//! Exports of Notion, as markdown and CSV.
//!
//! Each name ends in a space and an id. A database is a table, and a folder beside it with a page for each row; such a
//! page begins with its title and the columns of its row, one a line.

use std::{borrow::Cow, collections::HashSet};

use super::{
    super::place,
    plain_file::PlainFile,
    property_lines::{self, PropertyLine},
    table as of_commas,
};
use crate::articles::front_matter::{Document, Setting};

/// Characters of an id.
const ID_CHARS: usize = 32;
/// A longer text before a colon is no name of a column. *Units:* characters.
const LONGEST_KEY: usize = 80;
/// What Notion calls the file with all rows of a table, beside the one that has the rows of a view.
const ALL: &str = "_all";

/// The file as it would be without ids, its columns as properties, a table as one of markdown.
pub(super) fn meant<'t>(text: &'t str, placed: &str, tables: &HashSet<String>) -> PlainFile<'t> {
    let called = table(placed);
    let is_row = called.rsplit_once('/').is_some_and(|(folder, _)| tables.contains(folder));
    let text = match is_table(placed) {
        true => Cow::Owned(of_commas::markdown(place::name(&called), text)),
        false if is_row => with_properties(text),
        false => Cow::Borrowed(text),
    };
    PlainFile { place: format!("{called}.md"), text, title: None, created: None }
}

/// A place without ids and without the ending of the file.
pub(super) fn table(placed: &str) -> String {
    let stem = place::stem(placed);
    // An export writes a table to `NAME.csv.md`.
    let stem = stem.strip_suffix(".csv").unwrap_or(stem);
    let stem = stem.strip_suffix(ALL).filter(|name| split(name).is_some()).unwrap_or(stem);
    let parts = place::parents(placed).chain([stem]).map(|part| split(part).unwrap_or(part));
    parts.collect::<Vec<_>>().join("/")
}

/// Whether a file is called as Notion calls it.
pub(super) fn has_id(file: &str) -> bool {
    let stem = place::stem(file);
    split(stem.strip_suffix(".csv").unwrap_or(stem)).is_some()
}

pub(super) fn is_table(file: &str) -> bool {
    place::extension(file) == "csv"
}

/// The place of the table that a file shows all rows of.
pub(super) fn table_of_view(file: &str) -> Option<String> {
    let (stem, ending) = file.rsplit_once('.')?;
    let table = stem.strip_suffix(ALL)?;
    is_table(file).then(|| format!("{table}.{ending}"))
}

/// The name before an id.
fn split(part: &str) -> Option<&str> {
    let (name, id) = part.rsplit_once(' ')?;
    let is_id = id.len() == ID_CHARS && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    Some(name.trim_end()).filter(|name| is_id && !name.is_empty())
}

/// A page of a database, with the lines below its title as properties.
fn with_properties(text: &str) -> Cow<'_, str> {
    let document = Document::split(text);
    let (head, body) = text.split_at(document.head.len());
    let mut at = 0;
    for (number, line) in body.split_inclusive('\n').enumerate() {
        let is_before = if number == 0 { line.starts_with("# ") } else { line.trim().is_empty() };
        if !is_before {
            break;
        }
        at += line.len();
    }
    if at == 0 {
        return Cow::Borrowed(text);
    }
    let mut found: Vec<(&str, &str, &str)> = Vec::new();
    let mut end = at;
    for line in body[at..].split_inclusive('\n') {
        let Some((key, value)) = column(line) else { break };
        found.push((line, key, value));
        end += line.len();
    }
    // A value of several lines has no end that could be known: it stays, and so does what follows it.
    let is_whole = body[end..].lines().next().is_none_or(|next| next.trim().is_empty());
    if let Some((line, ..)) = found.pop_if(|_| !is_whole) {
        end -= line.len();
    }
    let lines = found.into_iter().map(|(line, key, value)| moving(head, line, key, value)).collect();
    property_lines::moved(text, head, &body[..at], lines, &body[end..])
}

/// The name and the value of a column.
fn column(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim_end().split_once(": ")?;
    let is_name = !key.is_empty()
        && key.chars().count() <= LONGEST_KEY
        && !key.starts_with(|c: char| c.is_whitespace() || "-*>#|`![<".contains(c))
        && !key.ends_with(char::is_whitespace);
    (is_name && !value.trim().is_empty()).then(|| (key, value.trim()))
}

fn moving<'t>(head: &str, line: &'t str, key: &str, value: &str) -> PropertyLine<'t> {
    let named = match key.to_ascii_lowercase().as_str() {
        "created time" => "created",
        "last edited time" => "updated",
        // The title stands above.
        "title" => return PropertyLine { text: line, moves: None },
        _ => key,
    };
    // A link leads to its article from the text alone.
    if value.contains("](") || !property_lines::may_move(head, named) {
        return PropertyLine { text: line, moves: None };
    }
    let setting = match named.to_ascii_lowercase().as_str() {
        "tags" | "tag" | "aliases" | "alias" => property_lines::list(value),
        "created" | "updated" => Setting::Text(value.to_owned()),
        _ => property_lines::setting(value),
    };
    PropertyLine { text: line, moves: Some((named.to_owned(), setting)) }
}
