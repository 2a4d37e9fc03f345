//! Front matter: the block at the beginning of a file in which other programs keep its title, its dates and whatever
//! else they need.
//!
//! The block is kept as text, and only the values that Afterword uses are read, each by itself: as YAML, TOML or JSON
//! write them, and as they are written (`title: 1.10` is "1.10"). One value that cannot be read costs a warning, and
//! everything else of the file is used. No YAML parser is involved, so nothing in a block can cost more than its length.

mod block;
mod edit;
mod entry;
mod fields;
mod json;
mod moment;
mod toml;
mod yaml;

pub use edit::{Edit, edited};
pub use fields::{Field, Fields, Warning};
pub(super) use moment::parse as parse_time;

/// A file's text in its two parts. `head` and `body` together are the text, byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The front matter with its fences, and what stands before it; empty if there is none.
    pub head: String,
    /// What follows.
    pub body: String,
}

impl Document {
    /// Takes a text apart. Without front matter, all of it is body.
    pub fn split(text: &str) -> Self {
        let end = block::find(text).map_or(0, |block| block.end);
        Self { head: text[..end].to_owned(), body: text[end..].to_owned() }
    }

    /// What the front matter says, and what in it could not be read.
    pub fn fields(&self) -> (Fields, Vec<Warning>) {
        block::find(&self.head).map(|block| fields::read(&block)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
