//! Words on a server: text-search vectors, ranked term by term.
//!
//! The server's own ranking does not know which words are rare; a query of everyday words and one rare one would be
//! ranked by the everyday ones. So each term is ranked by itself, and counts by its inverse document frequency, which
//! comes near the BM25 of a file.

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
    transaction.run("DELETE FROM article_words WHERE article_id = $1", [id.into()]).await?;
    let parts: Vec<_> = words::tsvector_texts(body).into_iter().enumerate().collect();
    let parts = serde_json::to_string(&parts).unwrap_or_default();
    transaction
        .run(
            "INSERT INTO article_words (article_id, part, words)
             SELECT $1, part, CASE WHEN part = 0 THEN setweight(to_tsvector('afterword', $2), 'A') ELSE '' END
                              || to_tsvector('afterword', text)
             FROM {rows $3: part INTEGER, text TEXT} j",
            [id.into(), words::tsvector_text(title).into(), parts.into()],
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
    let terms = words::tsqueries(text);
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let body = 1.0 / TITLE_WEIGHT;
    // The last 1: a long text is not better for repeating itself.
    let sql = format!(
        "WITH term AS MATERIALIZED (
             SELECT to_tsquery('afterword', text) AS query FROM {{texts $1}} j
         ), weighed AS MATERIALIZED (
             SELECT term.query, ln(1 + (greatest(total.parts, found.parts) + 0.5) / (found.parts + 0.5)) AS rarity
             FROM term
             CROSS JOIN LATERAL (SELECT count(*) AS parts FROM article_words w WHERE w.words @@ term.query) found
             CROSS JOIN (SELECT reltuples AS parts FROM pg_class WHERE oid = CAST('article_words' AS regclass)) total
         )
         SELECT w.article_id AS id FROM weighed JOIN article_words w ON w.words @@ weighed.query
         WHERE $2 = '' OR w.article_id IN (SELECT id FROM articles WHERE folder = $2 OR starts_with(folder, $2 || '/'))
         GROUP BY w.article_id
         ORDER BY sum(weighed.rarity * ts_rank('{{{body}, {body}, {body}, 1}}', w.words, weighed.query, 1)) DESC,
                  w.article_id
         LIMIT $3"
    );
    let terms = serde_json::to_string(&terms).unwrap_or_default();
    let rows = connection.rows::<Row>(&sql, [terms.into(), folder.into(), limit.into()]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
