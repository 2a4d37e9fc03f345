//! Bringing the index up to what is committed: what changed since the last look, or everything the first time.

use std::sync::Arc;

use afterword_actors::store::{Database, StoreError, sql::Sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{Loaded, Matrix, VectorIndex};

/// Chunks read at a time.
const PAGE: i64 = 2_000;

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

impl VectorIndex {
    /// The matrix of `model_id` with every change that is committed now.
    pub(super) async fn caught_up(
        &self,
        database: &Database,
        model_id: i64,
    ) -> Result<Arc<std::sync::RwLock<Matrix>>, StoreError> {
        let log = log(database.reader()).await?;
        if let Some(loaded) = self.loaded.read().await.as_ref()
            && loaded.model_id == model_id
            && loaded.seq >= log.last.unwrap_or(0)
        {
            return Ok(Arc::clone(&loaded.matrix));
        }
        let mut slot = self.loaded.write().await;
        match slot.as_mut() {
            Some(loaded) if loaded.model_id == model_id && covers(loaded.seq, &log) => {
                apply_changes(database.reader(), loaded, log.last.unwrap_or(0)).await?;
                Ok(Arc::clone(&loaded.matrix))
            }
            Some(_) | None => {
                let loaded = load(database.reader(), model_id, log.last.unwrap_or(0)).await?;
                let matrix = Arc::clone(&loaded.matrix);
                *slot = Some(loaded);
                Ok(matrix)
            }
        }
    }
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

/// Reads everything. Changes that come while it reads are numbered above `seq` and follow at the next look.
async fn load(connection: &impl ConnectionTrait, model_id: i64, seq: i64) -> Result<Loaded, StoreError> {
    let mut matrix = Matrix::default();
    let mut after = 0;
    loop {
        let page = connection
            .rows::<ChunkRow>(
                "SELECT id, article_id, vector FROM article_chunks WHERE model_id = $1 AND id > $2
                 ORDER BY id LIMIT $3 + 0",
                [model_id.into(), after.into(), PAGE.into()],
            )
            .await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        page.iter().for_each(|chunk| matrix.insert(chunk.article_id, chunk.id, &chunk.vector));
    }
    Ok(Loaded { model_id, seq, matrix: Arc::new(std::sync::RwLock::new(matrix)) })
}

/// Applies what changed after `loaded.seq`; all changes up to `last` are committed.
async fn apply_changes(connection: &impl ConnectionTrait, loaded: &mut Loaded, last: i64) -> Result<(), StoreError> {
    #[derive(FromQueryResult)]
    struct Changed {
        article_id: i64,
        seq: i64,
    }
    let changed = connection
        .rows::<Changed>(
            "SELECT article_id, max(seq) AS seq FROM vector_changes WHERE seq > $1 AND model_id = $2
             GROUP BY article_id",
            [loaded.seq.into(), loaded.model_id.into()],
        )
        .await?;
    let upto = changed.iter().map(|change| change.seq).max();
    let articles: Vec<_> = changed.iter().map(|change| change.article_id).collect();
    let ids = serde_json::to_string(&articles).unwrap_or_default();
    let chunks = connection
        .rows::<ChunkRow>(
            "SELECT c.id, c.article_id, c.vector FROM {ids $1} j
             CROSS JOIN article_chunks c WHERE c.article_id = j.id AND c.model_id = $2",
            [ids.into(), loaded.model_id.into()],
        )
        .await?;
    {
        let mut matrix = loaded.matrix.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        articles.iter().for_each(|&article| matrix.remove(article));
        chunks.iter().for_each(|chunk| matrix.insert(chunk.article_id, chunk.id, &chunk.vector));
    }
    loaded.seq = upto.unwrap_or(last).max(last);
    Ok(())
}
