//! Rebuilds the indexes of searches from the articles and their vectors.

use afterword_actors::store::{
    Database, Engine, StoreError, Transaction,
    sql::{self, Sql, Value},
    vectors,
};
use serde::Serialize;

use crate::{
    articles::{
        FRONT_MATTER, names,
        reading::{self, BodyReading},
    },
    fulltext::{self, State, Stems, Texts, VERSION},
};

/// Articles with words written in one transaction; few, because saves may wait for it.
const ARTICLES_PER_TRANSACTION: i64 = 100;
/// Most bytes of their bodies, unless one alone is larger. *Units:* bytes.
const PAGE_BYTES: i64 = 1 << 20;

/// Why an index was not built. The old one stays in use.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is no stemmer for that language.
    #[error("there are no stems for search.language = \"{0}\"; one of: {known}", known = fulltext::languages().join(", "))]
    Language(String),
    /// The database failed.
    #[error("the index was not built: {0}")]
    Store(#[from] StoreError),
}

/// The result of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RebuildReport {
    /// Articles for which words were written.
    pub articles: i64,
    /// Vectors in the indexes that were built; SQLite has none, as its vectors are read into the memory of each
    /// searching process.
    pub vectors: i64,
    /// Articles with damaged vectors, which were removed; a running host makes them again.
    pub removed: u64,
}

/// The progress, for people who watch.
#[derive(Debug, Clone, Copy)]
pub enum RebuildProgress {
    /// Articles with written words, and all articles.
    Words(i64, i64),
    /// Vectors that are being indexed.
    Vectors(i64),
}

/// Writes all words again, by the stems of `language`, and builds the indexes of all vectors that are not retired.
/// Saves and searches continue meanwhile.
///
/// # Errors
/// [`IndexError`]
pub async fn rebuild(
    database: &Database,
    language: &str,
    tell: &(dyn Fn(RebuildProgress) + Sync),
) -> Result<RebuildReport, IndexError> {
    let mut rebuilt = RebuildReport { removed: remove_torn(database).await?, ..RebuildReport::default() };
    begin(database, language).await?;
    rebuilt.articles = index_words(database, tell).await?;
    if database.engine() == Engine::Postgres {
        rebuilt.vectors = index_vectors(database, tell).await?;
    }
    Ok(rebuilt)
}

/// Returns the language of the index's stems.
///
/// # Errors
/// [`StoreError`]
pub async fn language(database: &Database) -> Result<String, StoreError> {
    Ok(State::read(database.reader()).await?.language)
}

/// Notes, of a database without articles, that all its words follow the present rules, by the stems of `language`:
/// there is nothing to be written again.
/// # Errors
/// [`StoreError`]
pub async fn begin_empty(database: &Database, language: &str) -> Result<(), StoreError> {
    let sql = "SELECT version < $1 AND NOT EXISTS (SELECT 1 FROM articles) AS is_new FROM fulltext_state WHERE id = 1";
    let is_new = database.reader().row::<bool>(sql, [VERSION.into()]).await?.unwrap_or_default();
    if !is_new || !fulltext::is_language(language) {
        return Ok(());
    }
    let language = language.to_owned();
    let noted = database.write_behind::<_, StoreError, _>(async move |transaction| {
        let sql = "UPDATE fulltext_state SET language = $1, version = $2, rebuilt_to = NULL
                       WHERE id = 1 AND version < $2 AND NOT EXISTS (SELECT 1 FROM articles)";
        transaction.run(sql, [language.into(), VERSION.into()]).await.map(drop)
    });
    noted.await
}

/// Writes words again that follow the rules of an earlier version, page by page, while saves and searches continue;
/// words not rewritten yet are still found. Ends when none is left, and does nothing if there never was one.
/// # Errors
/// [`IndexError`]
pub async fn renew_words(database: &Database, language: &str) -> Result<(), IndexError> {
    let state = State::read(database.reader()).await?;
    if state.version < VERSION {
        begin(database, language).await?;
    }
    if State::read(database.reader()).await?.rebuilt_to.is_some() {
        let written = index_words(database, &|_| ()).await?;
        if written > 0 {
            tracing::info!(articles = written, "words have been indexed anew");
        }
    }
    // Articles that hosts of an earlier version saved meanwhile.
    loop {
        let left = fulltext::some_earlier(database.reader(), ARTICLES_PER_TRANSACTION).await?;
        if left.is_empty() {
            return Ok(());
        }
        let ids = sql::json(&left)?;
        write_page(database, "SELECT j.id FROM {ids $1} j", vec![ids]).await?;
    }
}

/// Removes sets of vectors that are incomplete, or not of their model's length: the next sweep finds an article without
/// a set and has it embedded.
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
    database.write_behind(async move |transaction| transaction.run(&sql, []).await).await
}

/// Records that from now on words are written by the stems of `language` and the present rules, and that earlier ones
/// are to be written again.
async fn begin(database: &Database, language: &str) -> Result<(), IndexError> {
    if !fulltext::is_language(language) {
        return Err(IndexError::Language(language.to_owned()));
    }
    let state = State { language: language.to_owned(), version: VERSION, rebuilt_to: Some(0) };
    let noted = database.write_behind::<_, StoreError, _>(async move |transaction| {
        // Creates read the language, and are not finished: the rebuild would pass over their articles.
        names::alone(transaction).await?;
        state.write(transaction).await
    });
    Ok(noted.await?)
}

/// Continues where an earlier process stopped.
async fn index_words(database: &Database, tell: &(dyn Fn(RebuildProgress) + Sync)) -> Result<i64, StoreError> {
    let all = "SELECT count(*) AS n FROM articles";
    let all = database.reader().row::<i64>(all, []).await?.unwrap_or(0);
    let mut state = State::read(database.reader()).await?;
    let mut done = 0;
    while let Some(after) = state.rebuilt_to {
        tell(RebuildProgress::Words(done, all));
        let page = "SELECT id FROM articles WHERE id > $1 ORDER BY id LIMIT $2";
        let (count, last) = write_page(database, page, vec![after.into(), ARTICLES_PER_TRANSACTION.into()]).await?;
        done += count;
        state.rebuilt_to = last;
        let noted = state.clone();
        database.write_behind(async move |transaction| noted.write(transaction).await).await?;
    }
    Ok(done)
}

/// Writes the words of the articles that `page` selects, as far as there is room for their texts; returns their number
/// and the last one.
async fn write_page(
    database: &Database,
    page: &'static str,
    values: Vec<Value>,
) -> Result<(i64, Option<i64>), StoreError> {
    let ids = room_for(database, page, values).await?;
    let read = read(database, &ids).await?;
    database.write_behind(async move |transaction| write(transaction, read).await).await?;
    Ok((i64::try_from(ids.len()).unwrap_or(i64::MAX), ids.last().copied()))
}

/// The first of the articles that `page` selects: one, or as many as have [`PAGE_BYTES`] together.
async fn room_for(database: &Database, page: &str, values: Vec<Value>) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT a.id, CAST(octet_length(a.body) AS BIGINT) AS size FROM articles a WHERE a.id IN ({page}) ORDER BY a.id"
    );
    let sizes: Vec<(i64, i64)> = database.reader().rows(&sql, values).await?;
    Ok(reading::fitting(sizes, PAGE_BYTES))
}

/// Reads the texts of these articles before the transaction that writes their words.
async fn read(database: &Database, ids: &[i64]) -> Result<Vec<(i64, BodyReading)>, StoreError> {
    let ids = sql::json(ids)?;
    let sql = "SELECT a.id, a.body FROM {ids $1} j CROSS JOIN articles a WHERE a.id = j.id ORDER BY a.id";
    let articles: Vec<(i64, String)> = database.reader().rows(sql, [ids]).await?;
    let mut read = Vec::with_capacity(articles.len());
    for (id, body) in articles {
        read.push((id, BodyReading::of(&body).await));
    }
    Ok(read)
}

/// Writes the words of these articles as they are now; those that have gone meanwhile have none.
async fn write(transaction: &Transaction, read: Vec<(i64, BodyReading)>) -> Result<(), StoreError> {
    let stems = Stems::of(&State::read(transaction).await?.language);
    for (id, ahead) in read {
        // Locked, so that no save writes newer words in between.
        let sql = format!("SELECT a.title, a.body, {FRONT_MATTER} FROM articles a WHERE a.id = $1 {{lock a}}");
        let Some((title, body, front_matter)) = transaction.row::<(String, String, String)>(&sql, [id.into()]).await?
        else {
            continue;
        };
        let reading = BodyReading::ahead_or_now(Some(ahead), &body);
        let texts = Texts { title: &title, about: &reading.about(&front_matter), body: &body };
        fulltext::replace_by(transaction, &stems, id, texts, reading.terms).await?;
    }
    Ok(())
}

async fn index_vectors(database: &Database, tell: &(dyn Fn(RebuildProgress) + Sync)) -> Result<i64, StoreError> {
    let sql = "SELECT m.id, m.dimension, (SELECT count(*) FROM article_chunks c WHERE c.model_id = m.id) AS chunks
               FROM embedding_models m WHERE m.state <> 'retired' AND m.dimension <= $1 ORDER BY m.id";
    let mut indexed = 0;
    let models: Vec<(i64, i32, i64)> =
        database.reader().rows(sql, [vectors::index::MAX_INDEXED_DIMENSION.into()]).await?;
    for (id, dimension, chunks) in models {
        tell(RebuildProgress::Vectors(chunks));
        vectors::index::build(database, id, dimension).await?;
        indexed += chunks;
    }
    Ok(indexed)
}
