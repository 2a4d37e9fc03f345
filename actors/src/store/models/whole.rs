//! When a set that is being built may come into use: checked in the transaction that switches to it.

use super::{SetRecord, record_of, take_turn, wanted};
use crate::store::{
    StoreError, events, locks,
    sql::{FromRow, Sql, Value},
};

/// How many articles keep a set from coming into use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, FromRow)]
pub struct Hindrance {
    /// Articles still to be embedded by the new model.
    pub open: i64,
    /// Articles that the new model has given up, and that the set in use finds.
    pub failed: i64,
}

/// Counts what keeps the set of `model_id` from coming into use; zero if it is complete.
///
/// # Errors
/// [`StoreError`]
pub async fn hindrances(connection: &impl Sql, model_id: i64) -> Result<Hindrance, StoreError> {
    let (active, record) = active_and_record(connection, model_id).await?;
    let sql = format!(
        "SELECT count(*) FILTER (WHERE NOT {GIVEN_UP}) AS open, count(*) FILTER (WHERE {GIVEN_UP}) AS failed
         FROM {BEHIND}"
    );
    connection.one(&sql, values(model_id, active, &record)).await
}

/// Brings the set of `model_id` into use if it is being built and complete. Returns whether it did.
///
/// Complete means: each article that is to be embedded has vectors of its present content by this model, or was given
/// up by this model at its present revision and is not found by the set in use either. An article that was saved since
/// the build began, and that the set in use does not know yet either, does not delay the change: so a build ends even
/// while articles are constantly saved. A set without vectors never replaces one that has some, unless no article is to
/// be embedded.
///
/// # Errors
/// [`StoreError`]
pub async fn activate_if_whole(transaction: &impl Sql, model_id: i64) -> Result<bool, StoreError> {
    take_turn(transaction).await?;
    // Vectors that are being stored for the set in use at this moment count.
    locks::change_sets(transaction).await?;
    if wanted(transaction).await?.building.is_none_or(|building| building.id != model_id)
        || is_behind(transaction, model_id).await?
        || would_empty_searches(transaction, model_id).await?
    {
        return Ok(false);
    }
    transaction
        .run("UPDATE embedding_models SET state = 'retired', retired_at = {now} WHERE state = 'active'", [])
        .await?;
    transaction
        .run(
            "UPDATE embedding_models SET state = 'active', activated_at = {now}, retired_at = NULL WHERE id = $1",
            [model_id.into()],
        )
        .await?;
    afterword_faults::point!("switch.activated", StoreError::Failed);
    events::record_act(transaction, "model activated", &format!("embedding model {model_id}")).await?;
    Ok(true)
}

async fn is_behind(connection: &impl Sql, model_id: i64) -> Result<bool, StoreError> {
    let (active, record) = active_and_record(connection, model_id).await?;
    let sql = format!("SELECT a.id AS n FROM {BEHIND} LIMIT 1");
    Ok(connection.row::<()>(&sql, values(model_id, active, &record)).await?.is_some())
}

async fn would_empty_searches(connection: &impl Sql, model_id: i64) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n
               WHERE NOT EXISTS (SELECT 1 FROM article_embeddings WHERE model_id = $1)
                 AND EXISTS (SELECT 1 FROM embedding_models m JOIN article_embeddings e ON e.model_id = m.id
                             WHERE m.state = 'active')
                 AND EXISTS (SELECT 1 FROM articles WHERE NOT skip_embedding)";
    Ok(connection.row::<()>(sql, [model_id.into()]).await?.is_some())
}

async fn active_and_record(connection: &impl Sql, model_id: i64) -> Result<(i64, SetRecord), StoreError> {
    let active = wanted(connection).await?.active.map_or(0, |set| set.id);
    Ok((active, record_of(connection, model_id).await?))
}

fn values(model_id: i64, active: i64, record: &SetRecord) -> [Value; 4] {
    // A build started by an earlier version has no start time.
    [model_id.into(), active.into(), record.building_since.unwrap_or(i64::MAX).into(), record.accepts_failed.into()]
}

/// The newest attempt of this model (`$1`) at the present revision ended in failure.
const GIVEN_UP: &str = "EXISTS (
    SELECT 1 FROM (SELECT status, revision FROM embedding_tasks t
                   WHERE t.article_id = a.id AND t.model_id = $1 ORDER BY t.id DESC LIMIT 1) n
    WHERE n.status = 'failed' AND n.revision >= a.revision)";

/// Articles `a` that keep the set of `$1` from replacing that of `$2`. `e` is the article's row in the new set, `o` the
/// one in the set in use; `$3` is the start of the build, `$4` whether failures are accepted.
const BEHIND: &str = "
    articles a
    LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1
    LEFT JOIN article_embeddings o ON o.article_id = a.id AND o.model_id = $2
    WHERE NOT a.skip_embedding AND e.content_hash IS DISTINCT FROM a.content_hash
      AND NOT ((o.article_id IS NULL OR $4) AND EXISTS (
          SELECT 1 FROM (SELECT status, revision FROM embedding_tasks t
                         WHERE t.article_id = a.id AND t.model_id = $1 ORDER BY t.id DESC LIMIT 1) n
          WHERE n.status = 'failed' AND n.revision >= a.revision))
      AND NOT (a.updated_at >= $3 AND o.content_hash IS DISTINCT FROM a.content_hash
               AND coalesce(e.revision, 0) >= coalesce(o.revision, 0)
               AND EXISTS (SELECT 1 FROM embedding_tasks t
                           WHERE t.article_id = a.id AND t.status IN ('pending', 'processing')))";
