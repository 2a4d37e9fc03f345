//! The audit trail and the tasks with the names of their articles.

use std::collections::{BTreeSet, HashMap};

use afterword_actors::store::{
    Database, StoreError,
    sql::{self, Sql},
};
use afterword_entities::embedding_task_event;

use crate::api::{Event, Task};

/// Whose names are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Names {
    /// Those of all articles.
    #[default]
    All,
    /// Only those of articles that there are: what a deleted one was called, and what was said of it, is for whoever
    /// may restore it.
    Present,
}

impl Names {
    /// Adds its article's slug to each entry. One statement for all, which reads one row per article.
    pub(super) async fn of_events(
        self,
        database: &Database,
        rows: Vec<embedding_task_event::Model>,
    ) -> Result<Vec<Event>, StoreError> {
        let slugs = self.slugs(database, rows.iter().filter_map(|row| row.article_id).collect()).await?;
        let named = |row: embedding_task_event::Model| {
            let slug = row.article_id.and_then(|id| slugs.get(&id).cloned());
            let is_hidden = self == Self::Present && row.article_id.is_some() && slug.is_none();
            let event = Event::of(row, slug);
            if is_hidden { Event { detail: None, ..event } } else { event }
        };
        Ok(rows.into_iter().map(named).collect())
    }

    /// Returns `tasks` as they may be shown.
    pub(super) async fn of_tasks(self, database: &Database, tasks: Vec<Task>) -> Result<Vec<Task>, StoreError> {
        if self == Self::All {
            return Ok(tasks);
        }
        let present = self.slugs(database, tasks.iter().map(|task| task.article_id).collect()).await?;
        let shown = |task: Task| match present.contains_key(&task.article_id) {
            true => task,
            false => Task { slug: format!("id:{}", task.article_id), error_message: None, ..task },
        };
        Ok(tasks.into_iter().map(shown).collect())
    }

    async fn slugs(self, database: &Database, ids: BTreeSet<i64>) -> Result<HashMap<i64, String>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = match self {
            Self::All => {
                "SELECT j.id, coalesce(a.slug,
                     (SELECT v.slug FROM article_versions v WHERE v.article_id = j.id ORDER BY v.revision DESC LIMIT 1)) AS slug
                 FROM {ids $1} j LEFT JOIN articles a ON a.id = j.id"
            }
            Self::Present => "SELECT j.id, a.slug FROM {ids $1} j LEFT JOIN articles a ON a.id = j.id",
        };
        let rows: Vec<(i64, Option<String>)> = database.reader().rows(sql, [sql::json(&ids)?]).await?;
        Ok(rows.into_iter().filter_map(|(id, slug)| Some((id, slug?))).collect())
    }
}
