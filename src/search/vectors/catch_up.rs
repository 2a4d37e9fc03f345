//! Brings the index up to what is committed: what changed since the last search, or everything the first time. It reads
//! page by page, so that memory has one page besides the index.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use afterword_actors::store::{
    Database, StoreError,
    sql::{self, FromRow, Sql},
};

use super::{
    contents::{Contents, LoadedVectors},
    index::Index,
    vector_file::VectorFile,
};

/// Chunks read at a time.
const CHUNKS_PER_READ: i64 = 2_000;
/// Changes read at a time.
const CHANGES_PER_READ: i64 = 500;
/// Sets of vectors whose marks are read at a time.
const MARKS_PER_READ: i64 = 10_000;

/// Which set of vectors an article `e` has, in 32 bits: a file that other rows were read into is known by the sum of
/// them.
const MARK: &str = "(SELECT h.n * h.n >> 13 & 4294967295 FROM (
    SELECT (e.article_id * 2654435761 + e.embedded_at * 40503 + e.revision * 97 + e.chunk_count) & 2147483647 AS n) h)";

#[derive(FromRow)]
struct ChunkRow {
    id: i64,
    article_id: i64,
    vector: Vec<u8>,
}

#[derive(FromRow)]
struct Log {
    /// The oldest change still recorded.
    first: Option<i64>,
    last: Option<i64>,
}

/// The last change that is committed.
pub(super) async fn last_change(connection: &impl Sql) -> Result<i64, StoreError> {
    Ok(log(connection).await?.last.unwrap_or(0))
}

/// Brings `contents` up to what is committed now of `model_id`.
pub(super) async fn pass(contents: &Contents, database: &Database, model_id: i64) -> Result<(), StoreError> {
    let connection = database.reader();
    let log = log(connection).await?;
    let last = log.last.unwrap_or(0);
    let known = contents.take_offer(model_id).or_else(|| contents.of(model_id));
    let mut loaded = match known.filter(|loaded| covers(loaded.seq, &log)) {
        Some(loaded) => loaded,
        // Searches use the index from before, if it is of this model, until the new one is complete.
        None => match from_file(database, model_id, &log).await? {
            Some(loaded) => loaded,
            None => load(contents, connection, model_id, last).await?,
        },
    };
    while let Some(seq) = follow(connection, &loaded).await? {
        loaded.seq = seq;
        if contents.of(model_id).is_some_and(|shown| Arc::ptr_eq(&shown.index, &loaded.index)) {
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

async fn log(connection: &impl Sql) -> Result<Log, StoreError> {
    let sql = "SELECT (SELECT min(seq) FROM vector_changes) AS first,
                      (SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes') AS last";
    connection.one(sql, []).await
}

/// The contents of the file beside the database, if it is of this model and agrees with the rows; else it is removed.
async fn from_file(database: &Database, model_id: i64, log: &Log) -> Result<Option<LoadedVectors>, StoreError> {
    let Some(beside) = database.beside() else { return Ok(None) };
    let path = beside.path();
    let opened = tokio::task::spawn_blocking(move || VectorFile::open(&path)).await;
    let loaded = match opened {
        Ok(Ok(None)) => return Ok(None),
        Ok(Ok(Some(kept))) if kept.model_id == model_id && covers(kept.seq, log) => {
            let seq = kept.seq;
            let index = Index::of(kept);
            let agrees = seq <= log.last.unwrap_or(0) && agrees(database.reader(), &index, model_id, seq).await?;
            agrees.then(|| LoadedVectors { model_id, seq, index: Arc::new(RwLock::new(index)) })
        }
        Ok(_) | Err(_) => None,
    };
    if loaded.is_none() {
        tracing::info!(file = %beside.path().display(), "the file of vectors is out of date or damaged, and is written anew");
        beside.remove();
    }
    Ok(loaded)
}

/// Whether the sets of vectors that have not changed since `seq` are those that `index` keeps.
async fn agrees(connection: &impl Sql, index: &Index, model_id: i64, seq: i64) -> Result<bool, StoreError> {
    let changed = "SELECT article_id FROM vector_changes WHERE seq > $2 AND model_id = $1";
    // One statement sees one state.
    let sql = format!(
        "SELECT (SELECT json_group_array(article_id) FROM ({changed})) AS changed, count(*) AS count,
                coalesce(sum({MARK}), 0) AS sum
         FROM article_embeddings e WHERE e.model_id = $1 AND e.article_id NOT IN ({changed})"
    );
    let sets = connection.row::<(String, i64, i64)>(&sql, [model_id.into(), seq.into()]).await?;
    Ok(sets.is_some_and(|(changed, count, sum)| {
        let changed: HashSet<i64> = serde_json::from_str(&changed).unwrap_or_default();
        index.kept_without(&changed) == (count, sum)
    }))
}

/// Reads everything, in the order of the chunks' numbers: those of other models are passed over without reading their
/// vectors. Changes that come while it reads are numbered above `seq`, and followed afterwards.
async fn load(
    contents: &Contents,
    connection: &impl Sql,
    model_id: i64,
    seq: i64,
) -> Result<LoadedVectors, StoreError> {
    let mut index = read_marks(connection, model_id).await?;
    let (mut after, mut read) = (0, 0);
    loop {
        contents.note_read(read);
        let page = connection
            .rows::<(i64, i64, Option<Vec<u8>>)>(
                "SELECT id, article_id, CASE WHEN model_id = $1 THEN vector END AS vector FROM article_chunks
                 WHERE id > $2 ORDER BY id LIMIT $3 + 0",
                [model_id.into(), after.into(), CHUNKS_PER_READ.into()],
            )
            .await?;
        let Some((last, ..)) = page.last() else { break };
        after = *last;
        for (id, article_id, vector) in page {
            let Some(vector) = vector else { continue };
            index.insert(article_id, id, &vector);
            read += 1;
        }
    }
    Ok(LoadedVectors { model_id, seq, index: Arc::new(RwLock::new(index)) })
}

/// The marks of all sets of vectors, without the vectors.
async fn read_marks(connection: &impl Sql, model_id: i64) -> Result<Index, StoreError> {
    let sql = format!(
        "SELECT e.article_id, {MARK} AS mark FROM article_embeddings e
         WHERE e.model_id = $1 AND e.article_id > $2 ORDER BY e.article_id LIMIT $3 + 0"
    );
    let (mut index, mut after) = (Index::default(), 0);
    loop {
        let page = connection.rows::<(i64, i64)>(&sql, [model_id.into(), after.into(), MARKS_PER_READ.into()]).await?;
        let Some((last, _)) = page.last() else { return Ok(index) };
        after = *last;
        page.into_iter().for_each(|(article, mark)| index.mark(article, u32::try_from(mark).unwrap_or_default()));
    }
}

/// Applies the next changes after `loaded.seq`; returns the last of them, or `None` if there were none.
async fn follow(connection: &impl Sql, loaded: &LoadedVectors) -> Result<Option<i64>, StoreError> {
    let changes = connection
        .rows::<(i64, i64, i64)>(
            "SELECT seq, model_id, article_id FROM vector_changes WHERE seq > $1 ORDER BY seq LIMIT $2 + 0",
            [loaded.seq.into(), CHANGES_PER_READ.into()],
        )
        .await?;
    let ours = changes.iter().filter(|(_, model_id, _)| *model_id == loaded.model_id);
    let articles: BTreeSet<_> = ours.map(|(.., article_id)| *article_id).collect();
    apply(connection, loaded, &articles).await?;
    Ok(changes.last().map(|(seq, ..)| *seq))
}

/// Reads the chunks of `articles` again, as many articles at a time as have a page of chunks.
async fn apply(connection: &impl Sql, loaded: &LoadedVectors, articles: &BTreeSet<i64>) -> Result<(), StoreError> {
    #[derive(FromRow)]
    struct Set {
        article_id: i64,
        chunks: i64,
        mark: Option<i64>,
    }
    if articles.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT j.id AS article_id, CAST(coalesce(e.chunk_count, 0) AS BIGINT) AS chunks,
                CASE WHEN e.article_id IS NOT NULL THEN {MARK} END AS mark
         FROM {{ids $1}} j LEFT JOIN article_embeddings e ON e.article_id = j.id AND e.model_id = $2"
    );
    let articles = sql::json(articles)?;
    let sets = connection.rows::<Set>(&sql, [articles, loaded.model_id.into()]).await?;
    let marks: Vec<_> = sets.iter().filter_map(|set| Some((set.article_id, u32::try_from(set.mark?).ok()?))).collect();
    let (mut together, mut chunks) = (Vec::new(), 0);
    for set in sets {
        if set.chunks > CHUNKS_PER_READ {
            replace_long(connection, loaded, set.article_id).await?;
            continue;
        }
        if chunks + set.chunks > CHUNKS_PER_READ {
            replace(connection, loaded, &std::mem::take(&mut together)).await?;
            chunks = 0;
        }
        together.push(set.article_id);
        chunks += set.chunks;
    }
    replace(connection, loaded, &together).await?;
    let mut index = loaded.index.write().unwrap_or_else(PoisonError::into_inner);
    marks.into_iter().for_each(|(article, mark)| index.mark(article, mark));
    Ok(())
}

/// Reads the chunks of a few articles again.
async fn replace(connection: &impl Sql, loaded: &LoadedVectors, articles: &[i64]) -> Result<(), StoreError> {
    let chunks = connection
        .rows::<ChunkRow>(
            "SELECT c.id, c.article_id, c.vector FROM {ids $1} j
             CROSS JOIN article_chunks c WHERE c.article_id = j.id AND c.model_id = $2",
            [sql::json(articles)?, loaded.model_id.into()],
        )
        .await?;
    let mut index = loaded.index.write().unwrap_or_else(PoisonError::into_inner);
    articles.iter().for_each(|&article| index.remove(article));
    chunks.iter().for_each(|chunk| index.insert(chunk.article_id, chunk.id, &chunk.vector));
    Ok(())
}

/// Reads the chunks of an article that has many again, in pages of its own.
async fn replace_long(connection: &impl Sql, loaded: &LoadedVectors, article: i64) -> Result<(), StoreError> {
    let mut from = 0;
    loop {
        let chunks = connection
            .rows::<ChunkRow>(
                "SELECT id, article_id, vector FROM article_chunks
                 WHERE article_id = $1 AND model_id = $2 AND position >= $3 AND position < $3 + $4",
                [article.into(), loaded.model_id.into(), from.into(), CHUNKS_PER_READ.into()],
            )
            .await?;
        let mut index = loaded.index.write().unwrap_or_else(PoisonError::into_inner);
        if from == 0 {
            index.remove(article);
        }
        if chunks.is_empty() {
            return Ok(());
        }
        chunks.iter().for_each(|chunk| index.insert(chunk.article_id, chunk.id, &chunk.vector));
        from += CHUNKS_PER_READ;
    }
}
