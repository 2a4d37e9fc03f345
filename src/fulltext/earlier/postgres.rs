//! In PostgreSQL: text-search vectors, ranked by BM25.
//!
//! PostgreSQL's own ranking does not know which words are rare, nor which texts are long. But of a single term it says
//! how often it occurs, and from there on it is arithmetic. *Source:* Robertson, Zaragoza, "The Probabilistic Relevance
//! Framework: BM25 and Beyond", 2009.

use afterword_actors::store::{
    StoreError,
    sql::{self, Sql},
};

use super::words;
use crate::fulltext::{
    search_scope::SearchScope,
    word_hit::{TITLE_WEIGHT, WordHit},
};

/// How soon another occurrence says nothing new, and how much a text's length counts: what FTS5 takes.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// The number of articles: exact while there are few, then as PostgreSQL last counted.
const ARTICLES: &str = "
    SELECT greatest(
        (SELECT count(*) FROM (SELECT 1 FROM article_words WHERE part = 0 LIMIT 2000) few),
        (SELECT reltuples FROM pg_class WHERE oid = CAST('article_words' AS regclass))) AS articles";

/// The usual length, from a thousand articles spread over all.
const AVERAGE: &str = "
    SELECT avg(w.length) AS length
    FROM (SELECT min(article_id) AS least, max(article_id) AS most FROM article_words) ids
    CROSS JOIN LATERAL generate_series(ids.least, ids.most, (ids.most - ids.least) / 1000 + 1) sampled(id)
    JOIN article_words w ON w.article_id = sampled.id AND w.part = 0";

const RANK: &str = "
    CROSS JOIN LATERAL (SELECT ts_rank('{1, 1, 1, 1}', w.words, weighed.query) AS anywhere,
                               ts_rank('{1, 1, 1, 1}', w.title, weighed.query) AS in_title OFFSET 0) rank";

/// How often a term occurs, from its `rank`. Of a term that occurs n times, `ts_rank` makes the sum of 1/i² up to n, as
/// a share of π²/6; what is missing to π²/6 is nearly 1/(n + ½).
fn occurrences(rank: &str) -> String {
    format!("CASE WHEN {rank} = 0 THEN 0 ELSE floor(1 / (1.64493406685 * (1.0000001 - {rank}))) END")
}

pub(super) async fn ranking(
    connection: &impl Sql,
    text: &str,
    among: &SearchScope,
    limit: i64,
) -> Result<Vec<WordHit>, StoreError> {
    let terms = words::tsqueries(text);
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let (anywhere, in_title) = (occurrences("rank.anywhere"), occurrences("rank.in_title"));
    let filter = among.restricting("w.article_id", 3);
    let sql = format!(
        "WITH term AS MATERIALIZED (
             SELECT to_tsquery('afterword', text) AS query FROM {{texts $1}} j
         ), weighed AS MATERIALIZED (
             SELECT term.query, ln(1 + (greatest(total.articles, found.articles) - found.articles + 0.5)
                                       / (found.articles + 0.5)) AS rarity
             FROM term
             CROSS JOIN LATERAL (SELECT count(*) AS articles FROM article_words w WHERE w.words @@ term.query) found
             CROSS JOIN ({ARTICLES}) total
         ), counted AS (
             SELECT weighed.query, weighed.rarity, w.article_id, max(w.length) AS length,
                    sum(CASE WHEN numnode(weighed.query) > 1 THEN 1 + rank.anywhere
                             ELSE {anywhere} + ({TITLE_WEIGHT} - 1) * {in_title} END) AS times
             FROM weighed JOIN article_words w ON w.words @@ weighed.query {RANK}
             WHERE true {filter}
             GROUP BY weighed.query, weighed.rarity, w.article_id
         )
         SELECT c.article_id AS id, CAST(sum(c.rarity * c.times * (1 + {K1})
             / (c.times + {K1} * (1 - {B} + {B} * c.length / greatest(usual.length, 1)))) AS DOUBLE PRECISION) AS score
         FROM counted c CROSS JOIN ({AVERAGE}) usual
         GROUP BY c.article_id ORDER BY score DESC, c.article_id LIMIT $2"
    );
    let terms = sql::json(&terms)?;
    let values = [terms, limit.into()].into_iter().chain(among.values.clone());
    connection.rows(&sql, values).await
}
