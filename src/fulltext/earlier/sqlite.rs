//! In SQLite: FTS5, ranked by BM25.

use afterword_actors::store::{StoreError, sql::Sql};

use super::words;
use crate::fulltext::{
    search_scope::SearchScope,
    word_hit::{TITLE_WEIGHT, WordHit},
};

pub(super) async fn ranking(
    connection: &impl Sql,
    text: &str,
    among: &SearchScope,
    limit: i64,
) -> Result<Vec<WordHit>, StoreError> {
    let Some(expression) = words::fts5_query(text) else { return Ok(Vec::new()) };
    let filter = among.restricting("rowid", 3);
    let sql = format!(
        "SELECT rowid AS id, -bm25(article_words, {TITLE_WEIGHT:.1}, 1.0) AS score FROM article_words WHERE article_words MATCH $1 {filter}
         ORDER BY score DESC, rowid LIMIT $2 + 0"
    );
    let values = [expression.into(), limit.into()].into_iter().chain(among.values.clone());
    connection.rows(&sql, values).await
}
