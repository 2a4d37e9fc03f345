//! Bringing the index up to what is committed: what changed since the last look, or everything the first time. Page by
//! page, so that memory holds one page besides the index, whatever there is to read.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use afterword_actors::store::{StoreError, sql::Sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{
    Matrix,
    contents::{Contents, Loaded},
};

/// Chunks read at a time.
const PAGE: i64 = 2_000;
/// Changes read at a time.
const CHANGES: i64 = 500;

#[derive(FromQueryResult)]
struct ChunkRow {
    id: i64,
    article_id: i64,
    vector: Vec<u8>,
}

#[derive(FromQueryResult)]
struct Log {
    /// The oldest change still recorded.
    first: Option<i64>,
    last: Option<i64>,
}

/// The last change that is committed.
pub(super) async fn last_change(connection: &impl ConnectionTrait) -> Result<i64, StoreError> {
    Ok(log(connection).await?.last.unwrap_or(0))
}

/// Makes `contents` hold what is committed now of `model_id`.
pub(super) async fn pass(
    contents: &Contents,
    connection: &impl ConnectionTrait,
    model_id: i64,
) -> Result<(), StoreError> {
    let log = log(connection).await?;
    let last = log.last.unwrap_or(0);
    let mut loaded = match contents.of(model_id) {
        Some(loaded) if covers(loaded.seq, &log) => loaded,
        // Searches look at what was there before, if it is of this model, until the new one is whole.
        Some(_) | None => load(contents, connection, model_id, last).await?,
    };
    while let Some(seq) = follow(connection, &loaded).await? {
        loaded.seq = seq;
        if contents.of(model_id).is_some_and(|shown| Arc::ptr_eq(&shown.matrix, &loaded.matrix)) {
            contents.show(loaded.clone());
        }
    }
    loaded.seq = loaded.seq.max(last);
    contents.show(loaded);
    Ok(())
}

/// Whether every change after `seq` is still recorded.
fn covers(seq: i64, log: &Log) -> bool {
    log.first.is_none_or(|first| first <= seq + 1)
}

async fn log(connection: &impl ConnectionTrait) -> Result<Log, StoreError> {
    let sql = "SELECT (SELECT min(seq) FROM vector_changes) AS first,
                      (SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes') AS last";
    let row = connection.row::<Log>(sql, []).await?;
    row.ok_or_else(|| StoreError::Unexpected("no row from the log of vector changes".to_owned()))
}

/// Reads everything, in the order of the chunks' numbers: those of other models are passed over without reading their
/// vectors. Changes that come while it reads are numbered above `seq`, and followed afterwards.
async fn load(
    contents: &Contents,
    connection: &impl ConnectionTrait,
    model_id: i64,
    seq: i64,
) -> Result<Loaded, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        article_id: i64,
        vector: Option<Vec<u8>>,
    }
    let mut matrix = Matrix::default();
    let (mut after, mut read) = (0, 0);
    loop {
        contents.note_read(read);
        let page = connection
            .rows::<Row>(
                "SELECT id, article_id, CASE WHEN model_id = $1 THEN vector END AS vector FROM article_chunks
                 WHERE id > $2 ORDER BY id LIMIT $3 + 0",
                [model_id.into(), after.into(), PAGE.into()],
            )
            .await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for Row { id, article_id, vector } in page {
            let Some(vector) = vector else { continue };
            matrix.insert(article_id, id, &vector);
            read += 1;
        }
    }
    Ok(Loaded { model_id, seq, matrix: Arc::new(std::sync::RwLock::new(matrix)) })
}

/// Applies the next changes after `loaded.seq`; answers the last of them, or nothing if there were none.
async fn follow(connection: &impl ConnectionTrait, loaded: &Loaded) -> Result<Option<i64>, StoreError> {
    #[derive(FromQueryResult)]
    struct Changed {
        seq: i64,
        model_id: i64,
        article_id: i64,
    }
    let changes = connection
        .rows::<Changed>(
            "SELECT seq, model_id, article_id FROM vector_changes WHERE seq > $1 ORDER BY seq LIMIT $2 + 0",
            [loaded.seq.into(), CHANGES.into()],
        )
        .await?;
    let ours = changes.iter().filter(|change| change.model_id == loaded.model_id);
    let articles: BTreeSet<_> = ours.map(|change| change.article_id).collect();
    apply(connection, loaded, &articles).await?;
    Ok(changes.last().map(|last| last.seq))
}

/// Reads the chunks of `articles` again, as many articles at a time as have a page of chunks.
async fn apply(connection: &impl ConnectionTrait, loaded: &Loaded, articles: &BTreeSet<i64>) -> Result<(), StoreError> {
    #[derive(FromQueryResult)]
    struct Set {
        article_id: i64,
        chunks: i64,
    }
    if articles.is_empty() {
        return Ok(());
    }
    let sets = connection
        .rows::<Set>(
            "SELECT j.id AS article_id, CAST(coalesce(e.chunk_count, 0) AS BIGINT) AS chunks FROM {ids $1} j
             LEFT JOIN article_embeddings e ON e.article_id = j.id AND e.model_id = $2",
            [serde_json::to_string(articles).unwrap_or_default().into(), loaded.model_id.into()],
        )
        .await?;
    let (mut together, mut chunks) = (Vec::new(), 0);
    for set in sets {
        if set.chunks > PAGE {
            replace_long(connection, loaded, set.article_id).await?;
            continue;
        }
        if chunks + set.chunks > PAGE {
            replace(connection, loaded, &std::mem::take(&mut together)).await?;
            chunks = 0;
        }
        together.push(set.article_id);
        chunks += set.chunks;
    }
    replace(connection, loaded, &together).await
}

/// Reads the chunks of a few articles again.
async fn replace(connection: &impl ConnectionTrait, loaded: &Loaded, articles: &[i64]) -> Result<(), StoreError> {
    let chunks = connection
        .rows::<ChunkRow>(
            "SELECT c.id, c.article_id, c.vector FROM {ids $1} j
             CROSS JOIN article_chunks c WHERE c.article_id = j.id AND c.model_id = $2",
            [serde_json::to_string(articles).unwrap_or_default().into(), loaded.model_id.into()],
        )
        .await?;
    let mut matrix = loaded.matrix.write().unwrap_or_else(PoisonError::into_inner);
    articles.iter().for_each(|&article| matrix.remove(article));
    chunks.iter().for_each(|chunk| matrix.insert(chunk.article_id, chunk.id, &chunk.vector));
    Ok(())
}

/// Reads the chunks of an article that has many again, in pages of its own.
async fn replace_long(connection: &impl ConnectionTrait, loaded: &Loaded, article: i64) -> Result<(), StoreError> {
    let mut from = 0;
    loop {
        let chunks = connection
            .rows::<ChunkRow>(
                "SELECT id, article_id, vector FROM article_chunks
                 WHERE article_id = $1 AND model_id = $2 AND position >= $3 AND position < $3 + $4",
                [article.into(), loaded.model_id.into(), from.into(), PAGE.into()],
            )
            .await?;
        let mut matrix = loaded.matrix.write().unwrap_or_else(PoisonError::into_inner);
        if from == 0 {
            matrix.remove(article);
        }
        if chunks.is_empty() {
            return Ok(());
        }
        chunks.iter().for_each(|chunk| matrix.insert(chunk.article_id, chunk.id, &chunk.vector));
        from += PAGE;
    }
}
