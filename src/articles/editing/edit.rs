//! What can be changed of a text.

/// One change of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Adds text at the end.
    Append(String),
    /// Adds text at the beginning, behind front matter.
    Prepend(String),
    /// Changes one section.
    Section {
        /// Its heading, or the chain of headings down to it: `Guide > Tides`. Of several that are called so, `[2]` behind
        /// it means the second.
        section: String,
        /// How.
        change: SectionChange,
    },
    /// Replaces each occurrence of a text.
    Replace {
        /// What is looked for, byte for byte; may have several lines.
        find: String,
        /// What stands there from then on; may be empty.
        replace: String,
        /// So often it must be there.
        count: usize,
    },
}

/// A change of one section, which is its heading and all that stands below it down to the next heading that is not lower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionChange {
    /// Puts text in place of what stands below the heading; a text that begins with a heading of the same level replaces the
    /// heading, too.
    Replace(String),
    /// Adds text before the heading.
    InsertBefore(String),
    /// Adds text behind the section.
    InsertAfter(String),
    /// Removes the section, its heading included.
    Delete,
}
