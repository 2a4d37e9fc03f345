//! The state of an article for a claim, without reading the body.

use super::{
    StoreError,
    sql::{self, FromRow, Sql},
};
use crate::task::ArticleSnapshot;

#[derive(FromRow)]
struct SubjectRow {
    id: i64,
    revision: Option<i64>,
    skip_embedding: Option<bool>,
    unchanged: bool,
}

/// Returns the subjects of `articles` (ids), for one model, in no particular order.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn of_articles(
    connection: &impl Sql,
    articles: &[i64],
    model_id: i64,
) -> Result<Vec<(i64, ArticleSnapshot)>, StoreError> {
    let ids = sql::json(articles)?;
    let rows = connection
        .rows::<SubjectRow>(
            "SELECT j.id, a.revision, a.skip_embedding,
                    coalesce(e.content_hash = a.content_hash, FALSE) AS unchanged
             FROM {ids $1} j
             LEFT JOIN articles a ON a.id = j.id
             LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $2",
            [ids, model_id.into()],
        )
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, subject(&row))).collect())
}

fn subject(row: &SubjectRow) -> ArticleSnapshot {
    match (row.revision, row.skip_embedding) {
        (None, _) => ArticleSnapshot::Gone,
        (Some(_), Some(true)) => ArticleSnapshot::Skipped,
        (Some(revision), _) if row.unchanged => ArticleSnapshot::Unchanged { revision },
        (Some(_), _) => ArticleSnapshot::Changed,
    }
}
