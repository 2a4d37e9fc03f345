//! The nearest chunks as a server finds them: by the index of the model if there is one, else by looking at all. A
//! folder with few chunks is looked through without the index, which would find mostly others.

use afterword_actors::{
    embedder::Vector,
    store::{
        StoreError,
        sql::{Number, Sql},
        vectors,
    },
};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::Nearest;

/// So many vectors are compared one by one in some milliseconds.
const FEW: i64 = 5_000;

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    article_id: i64,
    similarity: f32,
}

/// Chunks of `model_id`, the nearest to `query` first, of articles in `folder` and below; all if empty.
pub(super) async fn nearest(
    connection: &impl ConnectionTrait,
    model_id: i64,
    query: &Vector,
    folder: &str,
    limit: usize,
) -> Result<Vec<Nearest>, StoreError> {
    let dimension = query.dimension();
    // Model and dimension are written out: an index of one model serves only a statement that names it.
    let distance = format!("CAST(c.embedding AS halfvec({dimension})) <=> CAST($1 AS halfvec({dimension}))");
    let chosen = format!("SELECT c.id, c.article_id, CAST(1 - ({distance}) AS REAL) AS similarity");
    let sql = if folder.is_empty() {
        format!("{chosen} FROM article_chunks c WHERE c.model_id = {model_id} AND $2 = '' ORDER BY {distance} LIMIT $3")
    } else if is_narrow(connection, model_id, folder).await? {
        format!(
            "WITH c AS MATERIALIZED (
                 SELECT n.id, n.article_id, n.embedding FROM articles a CROSS JOIN article_chunks n
                 WHERE {IN_FOLDER} AND n.article_id = a.id AND n.model_id = {model_id})
             {chosen} FROM c ORDER BY {distance} LIMIT $3"
        )
    } else {
        format!(
            "{chosen} FROM article_chunks c
             WHERE c.model_id = {model_id}
               AND EXISTS (SELECT 1 FROM articles a WHERE a.id = c.article_id AND {IN_FOLDER})
             ORDER BY {distance} LIMIT $3"
        )
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = connection.rows::<Row>(&sql, [vectors::literal(query).into(), folder.into(), limit.into()]).await?;
    let nearest = |row: Row| Nearest { article_id: row.article_id, chunk_id: row.id, similarity: row.similarity };
    Ok(rows.into_iter().map(nearest).collect())
}

/// `$2` is the folder; slugs and folders are in the order of their bytes, and `0` follows `/`.
const IN_FOLDER: &str = "(a.folder = $2 OR (a.folder >= $2 || '/' AND a.folder < $2 || '0'))";

async fn is_narrow(connection: &impl ConnectionTrait, model_id: i64, folder: &str) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT count(*) AS n FROM (
             SELECT 1 FROM articles a CROSS JOIN article_chunks c
             WHERE {IN_FOLDER} AND c.article_id = a.id AND c.model_id = {model_id} LIMIT $1) few"
    );
    let found = connection.row::<Number>(&sql, [(FEW + 1).into(), folder.into()]).await?;
    Ok(found.is_some_and(|row| row.n <= FEW))
}
