//! The words' side: BM25 over title and body.

use afterword_actors::store::{StoreError, sql::Sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::words;

/// A word in the title says this much more than one in the body.
const TITLE_WEIGHT: f64 = 3.0;

/// Article ids, the best first.
pub(super) async fn ranking(
    connection: &impl ConnectionTrait,
    text: &str,
    folder: &str,
    limit: usize,
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
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = connection.rows::<Row>(&sql, [expression.into(), folder.into(), limit.into()]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
