//! Words in a file: FTS5, ranked by BM25.

use afterword_actors::store::{StoreError, sql::Sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::TITLE_WEIGHT;
use crate::search::words;

pub(super) async fn index(
    transaction: &impl ConnectionTrait,
    id: i64,
    title: &str,
    body: &str,
) -> Result<(), StoreError> {
    transaction
        .run(
            "INSERT OR REPLACE INTO article_words (rowid, title, body) VALUES ($1, $2, $3)",
            [id.into(), words::index_text(title).into(), words::index_text(body).into()],
        )
        .await
        .map(drop)
}

pub(super) async fn ranking(
    connection: &impl ConnectionTrait,
    text: &str,
    folder: &str,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
    }
    let Some(expression) = words::fts5_query(text) else { return Ok(Vec::new()) };
    let filter = if folder.is_empty() {
        "$2 = ''"
    } else {
        "rowid IN (SELECT id FROM articles WHERE folder = $2 OR substr(folder, 1, length($2) + 1) = $2 || '/')"
    };
    let sql = format!(
        "SELECT rowid AS id FROM article_words WHERE article_words MATCH $1 AND {filter}
         ORDER BY bm25(article_words, {TITLE_WEIGHT:.1}, 1.0) LIMIT $3 + 0"
    );
    let rows = connection.rows::<Row>(&sql, [expression.into(), folder.into(), limit.into()]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
