//! The audit trail. Changes of status are recorded by trigger; administrative acts are recorded here.

use afterword_entities::embedding_task_event;

use super::{
    StoreError, acting,
    sql::{self, Sql},
};

/// Records an administrative act and its caller, in the transaction that carries it out.
///
/// # Errors
/// [`StoreError`]
pub async fn record_act(transaction: &impl Sql, event: &str, detail: &str) -> Result<(), StoreError> {
    transaction
        .later(
            "INSERT INTO embedding_task_events (at, event, detail) VALUES ({now}, $1, $2)",
            [event.into(), signed(detail).into()],
        )
        .await
}

/// Records an act on one article, in the transaction that carries it out.
///
/// # Errors
/// [`StoreError`]
pub async fn record_article_act(
    transaction: &impl Sql,
    article_id: i64,
    event: &str,
    detail: &str,
) -> Result<(), StoreError> {
    transaction
        .later(
            "INSERT INTO embedding_task_events (at, article_id, event, detail) VALUES ({now}, $1, $2, $3)",
            [article_id.into(), event.into(), signed(detail).into()],
        )
        .await
}

/// The same, if a door has named the caller. A save without a named caller is recorded by its task alone.
///
/// # Errors
/// [`StoreError`]
pub async fn record_article_act_of_caller(
    transaction: &impl Sql,
    article_id: i64,
    event: &str,
    detail: &str,
) -> Result<(), StoreError> {
    match acting() {
        Some(_) => record_article_act(transaction, article_id, event, detail).await,
        None => Ok(()),
    }
}

/// The detail, with the name of the caller.
fn signed(detail: &str) -> String {
    match acting() {
        Some(who) if detail.is_empty() => format!("by {who}"),
        Some(who) => format!("{detail} (by {who})"),
        None => detail.to_owned(),
    }
}

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this task.
    pub task_id: Option<i64>,
    /// Most rows.
    pub limit: u32,
}

/// Returns up to `limit` entries after the entry `after`, the oldest first: for readers that follow the trail without a
/// gap.
///
/// # Errors
/// [`StoreError`]
pub async fn following(
    connection: &impl Sql,
    after: i64,
    limit: u32,
) -> Result<Vec<embedding_task_event::Model>, StoreError> {
    let sql = "SELECT * FROM embedding_task_events WHERE id > $1 ORDER BY id LIMIT $2";
    connection.rows(sql, [after.into(), i64::from(limit).into()]).await
}

/// Returns up to `limit` entries before the entry `before`, the oldest first.
///
/// # Errors
/// [`StoreError`]
pub async fn preceding(
    connection: &impl Sql,
    before: i64,
    limit: u32,
) -> Result<Vec<embedding_task_event::Model>, StoreError> {
    let sql = "SELECT * FROM (SELECT * FROM embedding_task_events WHERE id < $1 ORDER BY id DESC LIMIT $2) newest
               ORDER BY id";
    connection.rows(sql, [before.into(), i64::from(limit).into()]).await
}

/// Returns those of these entries that exist, the oldest first.
///
/// # Errors
/// [`StoreError`]
pub async fn these(connection: &impl Sql, ids: &[i64]) -> Result<Vec<embedding_task_event::Model>, StoreError> {
    let sql = "SELECT e.* FROM {ids $1} j JOIN embedding_task_events e ON e.id = j.id ORDER BY e.id";
    let ids = sql::json(ids)?;
    connection.rows(sql, [ids]).await
}

/// Returns the newest `limit` entries that match, the oldest of them first.
///
/// # Errors
/// [`StoreError`]
pub async fn list(connection: &impl Sql, filter: &Filter) -> Result<Vec<embedding_task_event::Model>, StoreError> {
    let newest = |which: &str| format!("SELECT * FROM ({which} ORDER BY id DESC LIMIT $1) newest ORDER BY id");
    let limit = i64::from(filter.limit);
    // Two statements: one that left the condition to its parameters would be planned as one that reads everything.
    match filter.task_id {
        None => connection.rows(&newest("SELECT * FROM embedding_task_events"), [limit.into()]).await,
        Some(task) => {
            let of_task = newest("SELECT * FROM embedding_task_events WHERE task_id = $2");
            connection.rows(&of_task, [limit.into(), task.into()]).await
        }
    }
}
