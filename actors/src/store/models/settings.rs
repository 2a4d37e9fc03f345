//! What is stored with a set besides its model: how the provider is reached, and the state of its build.

use crate::store::{
    StoreError,
    sql::{FromRow, Sql},
};

/// What is stored with a set.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct SetRecord {
    /// How its provider is reached, JSON, without secrets.
    pub settings: Option<String>,
    /// When its last build was started. *Units:* milliseconds since 1970. `None`: never, or by an earlier version.
    pub building_since: Option<i64>,
    /// It may come into use although it failed to embed some articles.
    pub accepts_failed: bool,
}

/// Returns what is stored with the set of `model_id`; the default for a set of an earlier version.
///
/// # Errors
/// [`StoreError`]
pub async fn record_of(connection: &impl Sql, model_id: i64) -> Result<SetRecord, StoreError> {
    let sql = "SELECT settings, building_since, accepts_failed FROM embedding_model_settings WHERE model_id = $1";
    Ok(connection.row(sql, [model_id.into()]).await?.unwrap_or_default())
}

/// Stores how a model is reached: a server knows this best for its own model.
pub(super) async fn store(transaction: &impl Sql, model_id: i64, settings: Option<&str>) -> Result<(), StoreError> {
    transaction
        .run(
            "INSERT INTO embedding_model_settings AS s (model_id, settings) VALUES ($1, $2)
             ON CONFLICT (model_id) DO UPDATE SET settings = excluded.settings
             WHERE excluded.settings IS NOT NULL AND s.settings IS DISTINCT FROM excluded.settings",
            [model_id.into(), settings.into()],
        )
        .await
        .map(drop)
}

pub(super) async fn store_if_missing(
    transaction: &impl Sql,
    model_id: i64,
    settings: Option<&str>,
) -> Result<(), StoreError> {
    transaction
        .run(
            "INSERT INTO embedding_model_settings AS s (model_id, settings) VALUES ($1, $2)
             ON CONFLICT (model_id) DO UPDATE SET settings = excluded.settings WHERE s.settings IS NULL",
            [model_id.into(), settings.into()],
        )
        .await
        .map(drop)
}

/// Records the start of a build, for which no failures are accepted yet.
pub(super) async fn note_begin(transaction: &impl Sql, model_id: i64) -> Result<(), StoreError> {
    transaction
        .run(
            "INSERT INTO embedding_model_settings (model_id, building_since) VALUES ($1, {now})
             ON CONFLICT (model_id) DO UPDATE SET building_since = excluded.building_since, accepts_failed = FALSE",
            [model_id.into()],
        )
        .await
        .map(drop)
}

/// Counts the articles that `model_id` has embedded within the last `span_ms` milliseconds.
///
/// # Errors
/// [`StoreError`]
pub async fn embedded_within(connection: &impl Sql, model_id: i64, span_ms: i64) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) AS n FROM article_embeddings WHERE model_id = $1 AND embedded_at > {now} - $2";
    Ok(connection.row::<i64>(sql, [model_id.into(), span_ms.into()]).await?.unwrap_or(0))
}

/// Records that an operator accepts that articles which this model failed to embed are not found by meaning.
///
/// # Errors
/// [`StoreError`]
pub async fn accept_failed(transaction: &impl Sql, model_id: i64) -> Result<(), StoreError> {
    transaction
        .run("UPDATE embedding_model_settings SET accepts_failed = TRUE WHERE model_id = $1", [model_id.into()])
        .await
        .map(drop)
}
