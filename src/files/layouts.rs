//! What programs write when they export notes: names, properties and tables in forms of their own. An import reads them
//! for what they mean; nothing else of Afterword knows that they exist.
//!
//! ```text
//! file ── as its layout means it: a place, a text, a title, a time ── content (the same for all)
//! ```

mod jekyll;
mod layout;
mod logseq;
mod notion;
mod plain_file;
mod property_lines;
mod recognise;
mod table;

use std::collections::HashSet;

use super::content::{self, Content};
use crate::articles::{folder::Folder, request::Limits};

pub use layout::Layout;
pub(super) use recognise::{MARKERS, recognise};

/// How the files of a folder are read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    layout: Layout,
    /// Tables of Notion; pages in a folder that is called like one are its rows.
    tables: HashSet<String>,
}

impl Reading {
    /// Reads files of a layout, of which `tables` are the tables; all places are those in the source.
    pub(super) fn of<'p>(layout: Layout, tables: impl Iterator<Item = &'p str>) -> Self {
        Self { layout, tables: tables.map(notion::table).collect() }
    }

    /// Which layout it is.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// What the file at `placed` in its source says, below a source whose articles stand below `above`.
    ///
    /// # Errors
    /// If it becomes longer than an article may be.
    pub(super) fn content(&self, text: &str, placed: &str, above: &Folder, limits: Limits) -> Result<Content, String> {
        let meant = match self.layout {
            Layout::Plain => return Ok(content::read(text, placed, above, limits)),
            Layout::Notion => notion::meant(text, placed, &self.tables),
            Layout::Logseq => logseq::meant(text, placed),
            Layout::Jekyll => jekyll::meant(text, placed),
        };
        let mut content = content::read(&meant.text, &meant.place, above, limits);
        content.created = content.created.or(meant.created);
        let fits = |title: &String| !title.is_empty() && title.chars().count() <= limits.max_title;
        if let Some(title) = meant.title.filter(fits) {
            content.title = title;
        }
        match content.body.len() as u64 > limits.max_size {
            true => Err(format!(
                "becomes a text of {} bytes, and at most {} are allowed (`articles.max_size`)",
                content.body.len(),
                limits.max_size
            )),
            false => Ok(content),
        }
    }
}

/// Whether a file that is no markdown is read all the same.
pub(super) fn is_table(layout: Layout, file: &str) -> bool {
    layout == Layout::Notion && notion::is_table(file)
}

/// The table of which this file is a second view.
pub(super) fn table_of_view(file: &str) -> Option<String> {
    notion::table_of_view(file)
}

/// Whether a file is one that the program keeps for itself: copies, or what it has made of the others.
pub(super) fn is_of_the_program(layout: Layout, file: &str) -> bool {
    match layout {
        Layout::Plain | Layout::Notion => false,
        Layout::Logseq => file.starts_with("logseq/"),
        Layout::Jekyll => file.starts_with("_site/"),
    }
}

#[cfg(test)]
mod tests;
