//! One key of front matter with its value, in whichever language it is written.

use std::ops::Range;

/// One outermost key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Its line in the file, from 1.
    pub(super) line: usize,
    pub(super) value: Value,
    /// The range that is replaced when the value changes.
    pub(super) range: Range<usize>,
}

/// A value, as far as Afterword has to understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, or null.
    Empty,
    /// One value, as it is written, without quotes.
    Text(String),
    /// Several values.
    List { items: Vec<String>, source: String },
    /// A value with keys of its own.
    Other,
}

/// The number of the line that contains `at`.
pub(super) fn line_number(text: &str, at: usize) -> usize {
    text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// Whether `key` distinguishes front matter from a text between two rules.
pub(super) fn is_usual(key: &str) -> bool {
    const USUAL: [&str; 30] = [
        "title",
        "slug",
        "folder",
        "created",
        "updated",
        "date",
        "lastmod",
        "modified",
        "tags",
        "tag",
        "aliases",
        "alias",
        "draft",
        "description",
        "author",
        "authors",
        "id",
        "permalink",
        "layout",
        "type",
        "category",
        "categories",
        "publish",
        "weight",
        "lang",
        "skip_embedding",
        "former_slugs",
        "cssclasses",
        "sidebar_position",
        "keywords",
    ];
    USUAL.iter().any(|usual| key.eq_ignore_ascii_case(usual))
}
