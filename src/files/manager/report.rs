//! The result of an import from mcp-markdown-manager.

use afterword_actors::store::StoreError;
use serde::Serialize;

/// What became of the articles.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct ManagerReport {
    /// In the other database.
    pub articles: usize,
    /// Revisions in the other database that differ from the one before, the present ones included.
    pub revisions: usize,
    /// Brought in with their history, and found here as they are there.
    pub created: usize,
    /// Here already; what was missing of them has been brought in.
    pub continued: usize,
    /// Here already, as they are there.
    pub unchanged: usize,
    /// Edited here since; they are left as they are.
    pub edited: Vec<String>,
    /// Deleted here since; they stay so.
    pub deleted: Vec<String>,
    /// What could not be brought in, or is not here as it is there.
    pub failed: Vec<NotBroughtIn>,
    /// Nothing was done.
    pub dry_run: bool,
}

/// An article that could not be brought in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotBroughtIn {
    /// Its slug there.
    pub slug: String,
    /// What is wrong.
    pub error: String,
}

/// Why nothing, or nothing more, was brought in.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// The other database.
    #[error(
        "the database of mcp-markdown-manager cannot be read: {0}; it needs the tables articles and article_history, and an \
         address such as postgres://user:password@host/database"
    )]
    Theirs(String),
    /// Ours.
    #[error(transparent)]
    Store(#[from] StoreError),
}
