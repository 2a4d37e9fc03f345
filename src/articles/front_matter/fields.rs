//! The values that Afterword uses, under the names that other programs give them.

use std::fmt;

use super::{
    block::Block,
    entry::{Entry, Value},
    moment,
};

/// The values of a block. `None`, or empty: it has none, or none that can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The title, plain text.
    pub title: Option<String>,
    /// The slug as it is written.
    pub slug: Option<String>,
    /// The folder as it is written.
    pub folder: Option<String>,
    /// When it was created. *Units:* milliseconds since 1970.
    pub created: Option<i64>,
    /// When it was last saved. *Units:* milliseconds since 1970.
    pub updated: Option<i64>,
    /// Exclude it from embedding.
    pub skip_embedding: Option<bool>,
    /// Slugs that lead to it too.
    pub former_slugs: Vec<String>,
}

/// A value of front matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The title.
    Title,
    /// The name in addresses.
    Slug,
    /// The folder of the article.
    Folder,
    /// When it was created.
    Created,
    /// When it was last saved.
    Updated,
    /// Whether to exclude it from embedding.
    SkipEmbedding,
    /// Slugs it had before.
    FormerSlugs,
}

/// A value that could not be read. The file is used all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Its line in the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl Field {
    /// The names it may have; the first one is Afterword's.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Title => &["title"],
            Self::Slug => &["slug"],
            Self::Folder => &["folder"],
            Self::Created => &["created", "created_at", "date created", "date"],
            Self::Updated => &["updated", "updated_at", "lastmod", "last_modified_at", "date modified", "modified"],
            Self::SkipEmbedding => &["skip_embedding"],
            Self::FormerSlugs => &["former_slugs"],
        }
    }

    /// Finds the entry of this field. An empty one is returned only if there is no other.
    pub(super) fn entry(self, block: &Block) -> Option<&Entry> {
        let named = |name: &'static str| {
            let same = move |entry: &&Entry| entry.key.eq_ignore_ascii_case(name);
            let exact = block.entries.iter().rfind(move |entry| entry.key == name);
            exact.or_else(|| block.entries.iter().rfind(same))
        };
        let candidates = || self.names().iter().filter_map(|name| named(name));
        candidates().find(|entry| entry.value != Value::Empty).or_else(|| candidates().next())
    }
}

/// Reads the fields of `block`.
pub(super) fn read(block: &Block) -> (Fields, Vec<Warning>) {
    let mut warnings = Vec::new();
    let fields = Fields {
        title: text(block, Field::Title, &mut warnings),
        slug: text(block, Field::Slug, &mut warnings),
        folder: scalar(block, Field::Folder, &mut warnings),
        created: time(block, Field::Created, &mut warnings),
        updated: time(block, Field::Updated, &mut warnings),
        skip_embedding: switch(block, &mut warnings),
        former_slugs: list(block, Field::FormerSlugs),
    };
    warnings.sort_by_key(|warning| warning.line);
    (fields, warnings)
}

/// Reads a text; a list is taken as it is written.
fn text(block: &Block, field: Field, warnings: &mut Vec<Warning>) -> Option<String> {
    let entry = field.entry(block)?;
    match &entry.value {
        Value::Text(text) => Some(text.to_string()),
        Value::List { source, items: _ } => Some(source.clone()),
        Value::Empty => None,
        Value::Other => unread(entry, "text", warnings),
    }
    .filter(|text| !text.trim().is_empty())
}

/// Reads a text; a list is not accepted.
fn scalar(block: &Block, field: Field, warnings: &mut Vec<Warning>) -> Option<String> {
    let entry = field.entry(block)?;
    match &entry.value {
        Value::Text(text) => Some(text.to_string()),
        Value::Empty => None,
        Value::List { .. } | Value::Other => unread(entry, "text", warnings),
    }
}

fn time(block: &Block, field: Field, warnings: &mut Vec<Warning>) -> Option<i64> {
    let entry = field.entry(block)?;
    let text: &str = match &entry.value {
        Value::Text(text) => text,
        Value::List { source, items: _ } => source,
        Value::Empty => return None,
        Value::Other => return unread(entry, "a time", warnings),
    };
    if text.trim().is_empty() {
        return None;
    }
    moment::parse(text).or_else(|| unread(entry, "a time such as 2024-05-31 or 2024-05-31T08:30:00Z", warnings))
}

fn switch(block: &Block, warnings: &mut Vec<Warning>) -> Option<bool> {
    let entry = Field::SkipEmbedding.entry(block)?;
    match &entry.value {
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" | "" => Some(false),
            _ => unread(entry, "true or false", warnings),
        },
        Value::Empty => None,
        Value::List { .. } | Value::Other => unread(entry, "true or false", warnings),
    }
}

fn list(block: &Block, field: Field) -> Vec<String> {
    match field.entry(block).map(|entry| &entry.value) {
        Some(Value::List { items, source: _ }) => items.iter().map(|item| item.to_string()).collect(),
        Some(Value::Text(text)) => vec![text.to_string()],
        Some(Value::Empty | Value::Other) | None => Vec::new(),
    }
}

fn unread<T>(entry: &Entry, expected: &str, warnings: &mut Vec<Warning>) -> Option<T> {
    const MAX_SHOWN_CHARS: usize = 60;
    let text: Option<&str> = match &entry.value {
        Value::Text(text) => Some(text),
        Value::List { source, items: _ } => Some(source),
        Value::Empty | Value::Other => None,
    };
    let shown = |text: &str| {
        let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SHOWN_CHARS).collect();
        format!(" (\"{shown}\")")
    };
    let text = text.map(shown).unwrap_or_default();
    let text = format!("\"{}\"{text} is not {expected}; it stays in the front matter and is not used", entry.key);
    warnings.push(Warning { line: entry.line, text });
    None
}
