//! What searches look at: made again from the articles and their vectors.

use afterword_actors::store::{
    Database, Engine, StoreError,
    sql::{Number, Sql},
    vectors,
};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::Serialize;

use crate::search::keyword;

/// Articles whose words are written in one transaction; small, because saves may wait for it.
const PAGE: i64 = 100;

/// Why an index was not built. What there was serves on.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// No stemmer of that name.
    #[error("the server has no stemmer for search.language = \"{language}\": {source}")]
    Language {
        /// As it was asked for.
        language: String,
        /// What the server said.
        source: StoreError,
    },
    /// The database failed.
    #[error("the index was not built: {0}")]
    Store(#[from] StoreError),
}

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Rebuilt {
    /// Articles whose words were written.
    pub articles: i64,
    /// Vectors in the indexes that were built; those of SQLite are read into memory by whoever searches.
    pub vectors: i64,
    /// Articles whose vectors were torn, and were removed; a running host makes them again.
    pub removed: u64,
}

/// How far it is, for people who watch.
#[derive(Debug, Clone, Copy)]
pub enum RebuildProgress {
    /// Articles whose words have been written, of all.
    Words(i64, i64),
    /// Vectors that are being put in an index.
    Vectors(i64),
}

/// Writes all words again, on PostgreSQL by the stems of `language`, and builds the indexes of all vectors that are not
/// retired. Saves and searches go on meanwhile.
///
/// # Errors
/// [`IndexError`]
pub async fn rebuild(
    database: &Database,
    language: &str,
    tell: &(dyn Fn(RebuildProgress) + Sync),
) -> Result<Rebuilt, IndexError> {
    let mut rebuilt = Rebuilt { removed: remove_torn(database).await?, ..Rebuilt::default() };
    if database.engine() == Engine::Postgres {
        choose_language(database, language).await?;
    }
    rebuilt.articles = index_words(database, tell).await?;
    if database.engine() == Engine::Postgres {
        rebuilt.vectors = index_vectors(database, tell).await?;
    }
    Ok(rebuilt)
}

/// The language whose stems PostgreSQL indexes words by; nothing for SQLite, whose stems are English.
///
/// # Errors
/// [`StoreError`]
pub async fn language(database: &Database) -> Result<Option<String>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        language: Option<String>,
    }
    if database.engine() == Engine::Sqlite {
        return Ok(None);
    }
    let sql = "SELECT substring(dictinitoption FROM 'language = ''(\\w+)''') AS language
               FROM pg_ts_dict WHERE oid = CAST('afterword_stems' AS regdictionary)";
    Ok(database.reader().row::<Row>(sql, []).await?.and_then(|row| row.language))
}

/// Removes sets of vectors that are not whole, or not of their model's length: an article without a set is found by the
/// next sweep and embedded.
async fn remove_torn(database: &Database) -> Result<u64, StoreError> {
    const TORN: &str = "
        DELETE FROM article_embeddings AS e
        WHERE e.chunk_count <> (SELECT count(*) FROM article_chunks c
                                WHERE c.article_id = e.article_id AND c.model_id = e.model_id)
           OR EXISTS (SELECT 1 FROM article_chunks c JOIN embedding_models m ON m.id = c.model_id
                      WHERE c.article_id = e.article_id AND c.model_id = e.model_id
                        AND (length(c.vector) <> 4 * m.dimension";
    let sql = match database.engine() {
        Engine::Sqlite => format!("{TORN}))"),
        Engine::Postgres => format!("{TORN} OR length(c.vector) <> 4 * vector_dims(c.embedding)))"),
    };
    database.write_behind(move |transaction| Box::pin(async move { transaction.run(&sql, []).await })).await
}

async fn choose_language(database: &Database, wanted: &str) -> Result<(), IndexError> {
    if language(database).await?.as_deref() == Some(wanted) {
        return Ok(());
    }
    let sql = format!("ALTER TEXT SEARCH DICTIONARY afterword_stems (Language = '{}')", wanted.replace('\'', "''"));
    let chosen = database.write_connection().execute_unprepared(&sql).await;
    chosen.map(drop).map_err(|error| IndexError::Language { language: wanted.to_owned(), source: error.into() })
}

async fn index_words(database: &Database, tell: &(dyn Fn(RebuildProgress) + Sync)) -> Result<i64, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        title: String,
        body: String,
    }
    let all = "SELECT count(*) AS n FROM articles";
    let all = database.reader().row::<Number>(all, []).await?.map_or(0, |row| row.n);
    let (mut after, mut done) = (0, 0);
    loop {
        tell(RebuildProgress::Words(done, all));
        let (page, last) = database
            .write_behind::<_, StoreError, _>(move |transaction| {
                Box::pin(async move {
                    // Held, so that no save puts newer words there in between.
                    let sql = "SELECT a.id, a.title, a.body FROM articles a WHERE a.id IN (
                                   SELECT id FROM articles WHERE id > $1 ORDER BY id LIMIT $2) {lock a}";
                    let page = transaction.rows::<Row>(sql, [after.into(), PAGE.into()]).await?;
                    for article in &page {
                        keyword::index(transaction, article.id, &article.title, &article.body).await?;
                    }
                    Ok((page.len(), page.iter().map(|article| article.id).max()))
                })
            })
            .await?;
        let Some(last) = last else { return Ok(done) };
        after = last;
        done += i64::try_from(page).unwrap_or(i64::MAX);
    }
}

async fn index_vectors(database: &Database, tell: &(dyn Fn(RebuildProgress) + Sync)) -> Result<i64, StoreError> {
    #[derive(FromQueryResult)]
    struct Model {
        id: i64,
        dimension: i32,
        chunks: i64,
    }
    let sql = "SELECT m.id, m.dimension, (SELECT count(*) FROM article_chunks c WHERE c.model_id = m.id) AS chunks
               FROM embedding_models m WHERE m.state <> 'retired' AND m.dimension <= $1 ORDER BY m.id";
    let mut indexed = 0;
    for model in database.reader().rows::<Model>(sql, [vectors::index::LONGEST.into()]).await? {
        tell(RebuildProgress::Vectors(model.chunks));
        vectors::index::build(database, model.id, model.dimension).await?;
        indexed += model.chunks;
    }
    Ok(indexed)
}
