//! Indexes of vectors on PostgreSQL, one for each model, built while others write and search. SQLite has none: its
//! vectors are in the memory of the process that searches.

use std::{sync::Arc, time::Duration};

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, PgConnection},
};

use crate::store::{Database, StoreError, advisory_locks, database::EngineConnections, sql::Sql};

/// Longest vector that pgvector has an index for; longer ones are compared one by one.
pub const MAX_INDEXED_DIMENSION: i32 = 4_000;
/// With fewer vectors, comparing one by one takes no longer than other parts of a search.
const MIN_INDEXED_VECTORS: i64 = 20_000;
/// The delay between looks whether another host is still building.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Builds the index of `model_id` anew, beside the one in use, which is dropped when the new one is complete. Waits for
/// another host that is building.
///
/// # Errors
/// [`StoreError`]; the old index stays in use.
pub async fn build(database: &Database, model_id: i64, dimension: i32) -> Result<(), StoreError> {
    let EngineConnections::Postgres(postgres) = database.parts() else { return Ok(()) };
    let mut connection = postgres.maintenance_connection().await?;
    while !take_turn(&mut connection).await? {
        // Polls instead of waiting for the lock: a waiting statement is one that the other build waits for.
        tokio::time::sleep(RETRY_AFTER).await;
    }
    build_on(&mut connection, model_id, dimension).await
}

/// Builds the index of `model_id` if there is none, there are vectors enough to be worth it, and no other host does so.
/// Returns whether it did.
///
/// # Errors
/// [`StoreError`]; searches compare all vectors meanwhile.
pub(crate) async fn build_if_worthwhile(database: &Database, model_id: i64) -> Result<bool, StoreError> {
    let EngineConnections::Postgres(postgres) = database.parts() else { return Ok(false) };
    let Some(dimension) = wanting(database, model_id).await? else { return Ok(false) };
    let mut connection = postgres.maintenance_connection().await?;
    // Another host may have built it meanwhile.
    if !take_turn(&mut connection).await? || wanting(database, model_id).await?.is_none() {
        return Ok(false);
    }
    tracing::info!(model = model_id, "an index of the vectors is being built; searches compare them all meanwhile");
    build_on(&mut connection, model_id, dimension).await.map(|()| true)
}

/// Returns the length of the vectors, if an index of them is wanted and missing.
async fn wanting(database: &Database, model_id: i64) -> Result<Option<i32>, StoreError> {
    let sql = "SELECT CAST(m.dimension AS BIGINT) AS n FROM embedding_models m
               WHERE m.id = $1 AND m.dimension <= $2 AND to_regclass('article_chunks_near_' || m.id) IS NULL
                 AND (SELECT count(*) FROM (SELECT 1 FROM article_chunks WHERE model_id = m.id LIMIT $3) few) >= $3";
    let row = database
        .reader()
        .row::<i64>(sql, [model_id.into(), MAX_INDEXED_DIMENSION.into(), MIN_INDEXED_VECTORS.into()])
        .await?;
    Ok(row.and_then(|n| i32::try_from(n).ok()))
}

async fn take_turn(connection: &mut PgConnection) -> Result<bool, StoreError> {
    sqlx::query_scalar(advisory_locks::TRY_TO_BUILD_INDEX).fetch_one(connection).await.map_err(failed)
}

/// Builds it on `connection`, which holds the lock until it ends.
async fn build_on(connection: &mut PgConnection, model_id: i64, dimension: i32) -> Result<(), StoreError> {
    let (name, new) = (format!("article_chunks_near_{model_id}"), format!("article_chunks_near_{model_id}_new"));
    // One by one and outside a transaction: only so is an index built while others write.
    for sql in [
        format!("DROP INDEX IF EXISTS {new}"),
        format!(
            "CREATE INDEX CONCURRENTLY {new} ON article_chunks
             USING hnsw ((CAST(embedding AS halfvec({dimension}))) halfvec_cosine_ops) WHERE model_id = {model_id}"
        ),
        format!("DROP INDEX IF EXISTS {name}"),
        format!("ALTER INDEX {new} RENAME TO {name}"),
        "ANALYZE article_chunks".to_owned(),
    ] {
        // It contains only numbers of this program.
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

fn failed(error: sqlx::Error) -> StoreError {
    StoreError::of(DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))))
}
