//! The possible changes of a text.

/// One change of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Adds text at the end.
    Append(String),
    /// Adds text at the beginning, after front matter.
    Prepend(String),
    /// Changes one section.
    Section {
        /// Its heading, or the chain of headings down to it: `Guide > Tides`. Of several with this name, `[2]` after it
        /// means the second.
        section: String,
        /// How it is changed.
        change: SectionChange,
    },
    /// Replaces each occurrence of a text.
    Replace {
        /// The text to find, byte for byte; may have several lines.
        find: String,
        /// The text to put there; may be empty.
        replace: String,
        /// How often it must be there.
        count: usize,
    },
}

/// A change of one section: its heading and everything up to the next heading of the same or a higher level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionChange {
    /// Replaces the text below the heading; a text that begins with a heading of the same level replaces the heading,
    /// too.
    Replace(String),
    /// Adds text before the heading.
    InsertBefore(String),
    /// Adds text after the section.
    InsertAfter(String),
    /// Removes the section, its heading included.
    Delete,
}
