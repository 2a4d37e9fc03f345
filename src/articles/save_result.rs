//! The result of a save.

use super::Article;

/// A save that has been committed.
#[derive(Debug, Clone)]
pub struct SaveResult {
    /// The article as stored.
    pub article: Article,
    /// The task that will embed it; `None` if there is none.
    pub task_id: Option<i64>,
    /// Whether anything was written; a repeated create or an update without a difference writes nothing.
    pub changed: bool,
}
