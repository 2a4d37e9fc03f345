//! The layouts that are known.

/// How a folder of files is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// Markdown files that say what they mean; also those of Obsidian, Hugo and Docusaurus.
    #[default]
    Plain,
    /// Names end in an id, pages of a database begin with its columns, tables are CSV.
    Notion,
    /// Names hold namespaces, files begin with properties of the form `key:: value`.
    Logseq,
    /// Names of posts begin with a date, drafts stand in a folder of their own.
    Jekyll,
}

impl Layout {
    /// Its name, as options and reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Notion => "notion",
            Self::Logseq => "logseq",
            Self::Jekyll => "jekyll",
        }
    }

    /// What the folder is, in words; `None` if it is nothing in particular.
    pub(in crate::files) fn in_words(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Notion => Some("an export of Notion"),
            Self::Logseq => Some("a graph of Logseq"),
            Self::Jekyll => Some("a site of Jekyll"),
        }
    }
}
