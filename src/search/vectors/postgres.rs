//! The nearest chunks on PostgreSQL: by the index of the model if there is one, else by comparing all. A folder with
//! few chunks is searched without the index, which would find mostly others.

use afterword_actors::{
    embedder::Vector,
    store::{StoreError, sql::Sql, vectors},
};

use super::Nearest;
use crate::fulltext::SearchScope;

/// This many vectors are compared one by one in some milliseconds.
const MAX_EXACT_VECTORS: i64 = 5_000;

/// Chunks of `model_id`, the nearest to `query` first, of articles in `among`.
pub(super) async fn nearest(
    connection: &impl Sql,
    model_id: i64,
    query: &Vector,
    among: &SearchScope,
    limit: usize,
) -> Result<Vec<Nearest>, StoreError> {
    let dimension = query.dimension();
    // Model and dimension are written out: an index of one model serves only a statement that names it.
    let distance = format!("CAST(c.embedding AS halfvec({dimension})) <=> CAST($1 AS halfvec({dimension}))");
    let chosen = format!("SELECT c.id, c.article_id, CAST(1 - ({distance}) AS REAL) AS similarity");
    let sql = match among.condition(3) {
        None => format!("{chosen} FROM article_chunks c WHERE c.model_id = {model_id} ORDER BY {distance} LIMIT $2"),
        Some(condition) if is_narrow(connection, model_id, among).await? => format!(
            "WITH c AS MATERIALIZED (
                 SELECT n.id, n.article_id, n.embedding FROM articles a CROSS JOIN article_chunks n
                 WHERE {condition} AND n.article_id = a.id AND n.model_id = {model_id})
             {chosen} FROM c ORDER BY {distance} LIMIT $2"
        ),
        Some(condition) => format!(
            "{chosen} FROM article_chunks c
             WHERE c.model_id = {model_id}
               AND EXISTS (SELECT 1 FROM articles a WHERE a.id = c.article_id AND {condition})
             ORDER BY {distance} LIMIT $2"
        ),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [vectors::literal(query).into(), limit.into()].into_iter().chain(among.values.clone());
    let rows = connection.rows::<(i64, i64, f32)>(&sql, values).await?;
    let nearest = |(chunk_id, article_id, similarity)| Nearest { article_id, chunk_id, similarity };
    Ok(rows.into_iter().map(nearest).collect())
}

async fn is_narrow(connection: &impl Sql, model_id: i64, among: &SearchScope) -> Result<bool, StoreError> {
    let Some(condition) = among.condition(2) else { return Ok(false) };
    let sql = format!(
        "SELECT count(*) AS n FROM (
             SELECT 1 FROM articles a CROSS JOIN article_chunks c
             WHERE {condition} AND c.article_id = a.id AND c.model_id = {model_id} LIMIT $1) few"
    );
    let values = std::iter::once((MAX_EXACT_VECTORS + 1).into()).chain(among.values.clone());
    let found = connection.row::<i64>(&sql, values).await?;
    Ok(found.is_some_and(|found| found <= MAX_EXACT_VECTORS))
}
