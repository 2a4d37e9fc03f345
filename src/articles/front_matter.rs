//! Front matter: the block at the beginning of a file in which other programs keep its title, its dates and whatever
//! else they need.
//!
//! The block is kept as text, and only the values that Afterword uses are read, one by one: as YAML, TOML or JSON write
//! them, and literally (`title: 1.10` is "1.10"). A value that cannot be read causes a warning, and everything else of
//! the file is used. No YAML parser is involved, so no block costs more time than its length.

use std::collections::HashSet;

mod beside;
mod block;
mod edit;
mod entry;
mod fields;
mod json;
mod linked;
mod moment;
mod number;
mod own;
mod setting;
mod toml;
mod yaml;

pub use beside::{joined, kept};
pub use edit::{Edit, edited};
pub use entry::Scalar;
pub use fields::{Field, Fields, Warning};
pub(crate) use linked::links;
pub(crate) use moment::parse as parse_time;
pub(crate) use number::json_number;
pub(crate) use own::own;
pub use setting::{NoSetting, Setting, with_settings};

/// A file's text in its two parts. `head` and `body` together are the text, byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The front matter with its fences, and anything before it; empty if there is none.
    pub head: String,
    /// The rest.
    pub body: String,
}

/// How long the front matter of a text is, with its fences and anything before it. *Units:* bytes.
pub(crate) fn length(text: &str) -> usize {
    block::find(text).map_or(0, |block| block.end)
}

/// What a text says: all behind its front matter, or the whole if there is nothing else.
pub(crate) fn said(text: &str) -> &str {
    let behind = &text[length(text)..];
    if behind.trim().is_empty() { text } else { behind }
}

impl Document {
    /// Splits a text. Without front matter, all of it is body.
    pub fn split(text: &str) -> Self {
        let end = length(text);
        Self { head: text[..end].to_owned(), body: text[end..].to_owned() }
    }

    /// Reads the values of the front matter, and warnings about unreadable ones.
    pub fn fields(&self) -> (Fields, Vec<Warning>) {
        block::find(&self.head).map(|block| fields::read(&block)).unwrap_or_default()
    }
}

/// The front matter at the beginning of `text` with its fences, and anything before it; empty if there is none.
pub fn head(text: &str) -> &str {
    &text[..length(text)]
}

/// The outermost keys of the front matter `head`, also those without a value, in the form of [`named`].
pub fn keys(head: &str) -> HashSet<String> {
    let entries = block::find(head).map(|block| block.entries).unwrap_or_default();
    entries.into_iter().map(|entry| named(&entry.key)).collect()
}

/// A key in the form in which keys are compared: in lower case, and of two names for the same the usual one.
pub fn named(key: &str) -> String {
    match key.trim().to_lowercase() {
        key if key == "tag" => "tags".to_owned(),
        key if key == "alias" => "aliases".to_owned(),
        key => key,
    }
}

/// A key of a block with its values, as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawProperty {
    /// As it is written.
    pub key: String,
    /// One, or the items of a list.
    pub values: Vec<Scalar>,
    /// Whether it is a list.
    pub is_list: bool,
}

/// Returns the outermost keys of the front matter `head` that have a value or a list of values; of a repeated key, the
/// last.
pub fn given(head: &str) -> Vec<RawProperty> {
    let entries = block::find(head).map(|block| block.entries).unwrap_or_default();
    let (mut all, mut seen) = (Vec::with_capacity(entries.len()), HashSet::with_capacity(entries.len()));
    // From the end, so that the last of a key is the one that is kept.
    for entry in entries.into_iter().rev() {
        let (values, is_list) = match entry.value {
            entry::Value::Text(text) if text.is_missing() => continue,
            entry::Value::Text(text) => (vec![text], false),
            entry::Value::List { items, source: _ } => (items, true),
            entry::Value::Empty | entry::Value::Other => continue,
        };
        if seen.insert(entry.key.clone()) {
            all.push(RawProperty { key: entry.key, values, is_list });
        }
    }
    all.reverse();
    all
}

#[cfg(test)]
mod tests;
