//! What a save answers.

use super::Article;

/// A save that has been committed.
#[derive(Debug, Clone)]
pub struct Saved {
    /// As stored.
    pub article: Article,
    /// The task that will embed it.
    pub task_id: Option<i64>,
    /// Whether anything was written; a repeated create or an update without a difference writes nothing.
    pub changed: bool,
}
