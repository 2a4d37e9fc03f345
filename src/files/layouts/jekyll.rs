//! Sites of Jekyll: the name of a post begins with its date, and drafts stand in `_drafts/`.

use std::borrow::Cow;

use super::{
    super::place,
    plain_file::PlainFile,
    property_lines::{self, PropertyLine},
};
use crate::articles::front_matter::{Document, Setting, given, parse_time};

/// The file without the date in its name; a draft says that it is one.
pub(super) fn meant<'t>(text: &'t str, placed: &str) -> PlainFile<'t> {
    let (parents, name) = placed.rsplit_once('/').unwrap_or(("", placed));
    let is_post = parents.is_empty() || is_of(placed, "_posts");
    let text = if is_of(placed, "_drafts") { as_draft(text) } else { Cow::Borrowed(text) };
    let (created, name) = split_date(name).filter(|_| is_post).map_or((None, name), |(day, rest)| (Some(day), rest));
    PlainFile { place: place::join(parents, name), text, title: None, created }
}

/// Whether a file stands in a folder of this name, or below one.
pub(super) fn is_of(placed: &str, folder: &str) -> bool {
    place::parents(placed).any(|part| part == folder)
}

/// The day at the beginning of a name (*units:* milliseconds since 1970), and what follows it.
pub(super) fn split_date(name: &str) -> Option<(i64, &str)> {
    const DATE_BYTES: usize = "2026-01-31".len();
    let (day, rest) = (name.get(..DATE_BYTES)?, name.get(DATE_BYTES..)?.strip_prefix('-')?);
    let is_day = day.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let is_named = rest.rsplit_once('.').is_some_and(|(stem, _)| !stem.is_empty());
    Some((parse_time(day).filter(|_| is_day && is_named)?, rest))
}

/// A text with the property `draft`, unless it says itself what it is.
fn as_draft(text: &str) -> Cow<'_, str> {
    const STATES: [&str; 3] = ["draft", "published", "status"];
    let document = Document::split(text);
    let says = |key: &str| given(&document.head).iter().any(|given| given.key.eq_ignore_ascii_case(key));
    if STATES.iter().any(|state| says(state)) {
        return Cow::Borrowed(text);
    }
    let draft = PropertyLine { text: "", moves: Some(("draft".to_owned(), Setting::Switch(true))) };
    let (head, body) = text.split_at(document.head.len());
    property_lines::moved(text, head, body, vec![draft], "")
}
