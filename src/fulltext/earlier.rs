//! Words as earlier versions wrote them: found until they have been written by the present rules.
//!
//! A host of an earlier version that saves beside this one writes them too, and what it saves is found.

mod postgres;
mod sqlite;
mod words;

use afterword_actors::store::{
    Engine, StoreError,
    sql::{Sql, Value},
};

use super::{phrase::Phrase, search_scope::SearchScope, word_hit::WordHit};

/// Forgets the words of an article, which have been written by the present rules.
pub(super) async fn forget(transaction: &impl Sql, id: i64) -> Result<(), StoreError> {
    let sql = match transaction.engine() {
        Engine::Sqlite => "DELETE FROM article_words WHERE rowid = $1",
        Engine::Postgres => "DELETE FROM article_words WHERE article_id = $1",
    };
    transaction.later(sql, [id.into()]).await
}

/// Some articles whose words are left, up to `limit`.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn some(connection: &impl Sql, limit: i64) -> Result<Vec<i64>, StoreError> {
    let sql = match connection.engine() {
        Engine::Sqlite => "SELECT rowid AS n FROM article_words LIMIT $1 + 0",
        Engine::Postgres => "SELECT DISTINCT article_id AS n FROM article_words LIMIT $1",
    };
    connection.rows(sql, [limit.into()]).await
}

pub(super) async fn ranking(
    connection: &impl Sql,
    text: &str,
    among: &SearchScope,
    limit: i64,
) -> Result<Vec<WordHit>, StoreError> {
    match connection.engine() {
        Engine::Sqlite => sqlite::ranking(connection, text, among, limit).await,
        Engine::Postgres => postgres::ranking(connection, text, among, limit).await,
    }
}

/// The condition that an article has the words of a phrase, and its value `$?2`.
pub(super) fn having(engine: Engine, phrase: &Phrase) -> (String, Value) {
    let text = format!("\"{}\"", phrase.terms.join(" "));
    match engine {
        Engine::Sqlite => {
            let condition = "a.id IN (SELECT rowid FROM article_words WHERE article_words MATCH $?2)";
            (condition.to_owned(), words::fts5_query(&text).unwrap_or_default().into())
        }
        Engine::Postgres => {
            let condition = "a.id IN (SELECT w.article_id FROM article_words w
                                      WHERE w.words @@ to_tsquery('afterword', $?2))";
            (condition.to_owned(), words::tsqueries(&text).into_iter().next().unwrap_or_default().into())
        }
    }
}
