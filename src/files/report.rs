//! What became of the files of an import.

use serde::Serialize;

/// What became of all files.
#[derive(Debug, Default, Serialize)]
pub struct ImportReport {
    /// New articles.
    pub created: usize,
    /// Articles changed.
    pub updated: usize,
    /// Files that have not changed.
    pub unchanged: usize,
    /// Files left aside because of an article that exists already.
    pub skipped: usize,
    /// Files whose article was deleted, and stays so.
    pub deleted: usize,
    /// Files that did not become articles.
    pub failed: Vec<FileProblem>,
    /// What could not be read in files that did become articles.
    pub warnings: Vec<FileProblem>,
    /// What stands in the folder and is not imported.
    pub left_out: Vec<LeftOut>,
    /// What there is to know about the folder as a whole.
    pub notes: Vec<String>,
    /// How its files were read: `plain`, `notion`, `logseq`, `jekyll`
    pub read_as: &'static str,
    /// Nothing was done.
    pub dry_run: bool,
    /// Each file with its article.
    pub files: Vec<ImportedFile>,
}

/// A file with its article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedFile {
    /// Where it is, below the folder.
    pub file: String,
    /// Its article.
    pub slug: String,
    /// `created`, `updated`, `unchanged`, `skipped`, `deleted`; of an export, what became of the file
    pub result: &'static str,
}

/// Something about one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileProblem {
    /// Where it is, below the folder.
    pub file: String,
    /// What it is, and what to do.
    pub error: String,
}

impl FileProblem {
    pub(super) fn new(file: impl Into<String>, error: impl std::fmt::Display) -> Self {
        Self { file: file.into(), error: error.to_string() }
    }
}

/// Something that is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Where it is; a folder stands for all that is in it, and ends with `/`.
    pub path: String,
    /// Why.
    pub reason: Reason,
}

/// Why something is not imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its name begins with a dot.
    Hidden,
    /// `.gitignore` or `.afterwordignore` names it.
    Ignored,
    /// Packages of others.
    Packages,
    /// It is no markdown.
    NotMarkdown,
    /// A table that would make a very long article.
    LargeTable,
    /// A second view of a table.
    SecondView,
    /// The program that wrote the folder keeps it for itself.
    OfTheProgram,
    /// A link.
    Link,
    /// A device, a pipe or the like.
    Special,
}

impl Reason {
    /// In a word or two.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Ignored => "ignored",
            Self::Packages => "node_modules",
            Self::NotMarkdown => "not markdown",
            Self::LargeTable => "large table",
            Self::SecondView => "second view of a table",
            Self::OfTheProgram => "kept by the program itself",
            Self::Link => "symbolic link",
            Self::Special => "not a file",
        }
    }
}
