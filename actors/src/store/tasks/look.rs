//! Finding, listing and counting tasks.

use afterword_entities::embedding_task;

use crate::{
    store::{
        StoreError,
        sql::{Sql, Value},
    },
    task::TaskStatus,
};

/// Finds one task.
///
/// # Errors
/// [`StoreError`]
pub async fn find(connection: &impl Sql, id: i64) -> Result<Option<embedding_task::Model>, StoreError> {
    connection.row("SELECT * FROM embedding_tasks WHERE id = $1", [id.into()]).await
}

/// Finds the newest task of an article.
///
/// # Errors
/// [`StoreError`]
pub async fn newest_of(connection: &impl Sql, article_id: i64) -> Result<Option<embedding_task::Model>, StoreError> {
    connection
        .row("SELECT * FROM embedding_tasks WHERE article_id = $1 ORDER BY id DESC LIMIT 1", [article_id.into()])
        .await
}

/// Which tasks to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these; all if empty.
    pub status: Option<TaskStatus>,
    /// Only of this article.
    pub article_id: Option<i64>,
    /// Only older than this task: the end of the page before.
    pub before: Option<i64>,
    /// Most rows.
    pub limit: u32,
}

/// Returns tasks, the newest first.
///
/// # Errors
/// [`StoreError`]
pub async fn list(connection: &impl Sql, filter: &Filter) -> Result<Vec<embedding_task::Model>, StoreError> {
    let mut sql = "SELECT * FROM embedding_tasks WHERE id < $2".to_owned();
    let mut values: Vec<Value> = vec![i64::from(filter.limit).into(), filter.before.unwrap_or(i64::MAX).into()];
    // The statement contains only the conditions that are asked for, with the status as its index writes it: a
    // condition left to parameters would be planned for any value, by reading all tasks.
    match (filter.status, filter.article_id) {
        // An article has few tasks: they are searched among its own, whatever their status, and not among all of that
        // status.
        (Some(status), Some(_)) => sql.push_str(&format!(" AND coalesce(status, '') = '{status}'")),
        // `id > 0` tells it apart from the look for an article's waiting task: see the index.
        (Some(TaskStatus::Pending), None) => sql.push_str(" AND status = 'pending' AND id > 0"),
        (Some(status), None) => sql.push_str(&format!(" AND status = '{status}'")),
        (None, _) => {}
    }
    if let Some(article) = filter.article_id {
        sql.push_str(" AND article_id = $3");
        values.push(article.into());
    }
    sql.push_str(" ORDER BY id DESC LIMIT $1");
    connection.rows(&sql, values).await
}

/// Counts the tasks of an article, of one status or of all.
///
/// # Errors
/// [`StoreError`]
pub async fn count_of_article(
    connection: &impl Sql,
    article_id: i64,
    status: Option<TaskStatus>,
) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) AS n FROM embedding_tasks
               WHERE article_id = $1 AND ($2 IS NULL OR coalesce(status, '') = $2)";
    let status = status.map(|status| status.to_string());
    let counted = connection.row::<i64>(sql, [article_id.into(), status.into()]).await?;
    Ok(counted.unwrap_or(0))
}
