//! One key of front matter with its value, in whichever language it is written.

use std::ops::{Deref, Range};

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
    /// One value.
    Text(Scalar),
    /// Several values.
    List { items: Vec<Scalar>, source: String },
    /// A value with keys of its own.
    Other,
}

/// One value as it is written, without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    text: String,
    is_quoted: bool,
}

impl Scalar {
    /// A value without quotes.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_quoted: false }
    }

    /// A value that stood in quotes.
    pub(super) fn quoted(text: String) -> Self {
        Self { text, is_quoted: true }
    }

    /// Returns the text that clients read: in quotes with its white space, and without NUL, which no database can
    /// store.
    pub fn read(&self) -> String {
        let text = if self.is_quoted { self.text.as_str() } else { self.text.trim() };
        text.replace('\0', "")
    }

    /// Whether it says nothing at all; two quotes are a text.
    pub(super) fn is_missing(&self) -> bool {
        !self.is_quoted && self.text.trim().is_empty()
    }

    /// Whether it stood in quotes: then it is neither a number nor a switch, whatever it looks like.
    pub fn is_quoted(&self) -> bool {
        self.is_quoted
    }
}

impl Deref for Scalar {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
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
