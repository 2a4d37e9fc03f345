//! The audit trail with the names of its articles.

use std::collections::{BTreeSet, HashMap};

use afterword_actors::store::{
    Database, StoreError,
    sql::{self, Sql},
};
use afterword_entities::embedding_task_event;

use crate::api::Event;

/// Adds its article's slug to each entry. One statement for all, which reads one row per article.
pub(super) async fn named(
    database: &Database,
    rows: Vec<embedding_task_event::Model>,
) -> Result<Vec<Event>, StoreError> {
    let ids: BTreeSet<_> = rows.iter().filter_map(|row| row.article_id).collect();
    let slugs = if ids.is_empty() { HashMap::new() } else { slugs(database, &ids).await? };
    let named = |row: embedding_task_event::Model| {
        let slug = row.article_id.and_then(|id| slugs.get(&id).cloned());
        Event::of(row, slug)
    };
    Ok(rows.into_iter().map(named).collect())
}

async fn slugs(database: &Database, ids: &BTreeSet<i64>) -> Result<HashMap<i64, String>, StoreError> {
    let sql = "SELECT j.id, coalesce(a.slug,
                   (SELECT v.slug FROM article_versions v WHERE v.article_id = j.id ORDER BY v.revision DESC LIMIT 1)) AS slug
               FROM {ids $1} j LEFT JOIN articles a ON a.id = j.id";
    let ids = sql::json(ids)?;
    let rows: Vec<(i64, Option<String>)> = database.reader().rows(sql, [ids]).await?;
    Ok(rows.into_iter().filter_map(|(id, slug)| Some((id, slug?))).collect())
}
