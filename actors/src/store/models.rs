//! Models and the switch from one to the next. A new model's set is built beside the old one; searches change over
//! when it is whole.

use afterword_entities::embedding_model;
use sea_orm::ConnectionTrait;

use super::{StoreError, events, missing, sql::Sql};
use crate::embedder::ModelIdentity;

/// Enters `identity` if it is new, and makes it the model to build for: active if there is none, else building.
///
/// # Errors
/// [`StoreError`]
pub async fn register(
    transaction: &impl ConnectionTrait,
    identity: &ModelIdentity,
) -> Result<embedding_model::Model, StoreError> {
    let fingerprint = identity.fingerprint();
    transaction
        .run(
            "INSERT INTO embedding_models (fingerprint, identity, dimension, state, created_at)
             VALUES ($1, $2, $3, 'retired', {now}) ON CONFLICT (fingerprint) DO NOTHING",
            [
                fingerprint.clone().into(),
                serde_json::to_string(identity).unwrap_or_default().into(),
                identity.dimension.map(i64::from).into(),
            ],
        )
        .await?;
    transaction
        .run(
            "UPDATE embedding_models SET state = 'retired', retired_at = {now}
             WHERE state = 'building' AND fingerprint <> $1",
            [fingerprint.clone().into()],
        )
        .await?;
    transaction
        .run(
            "UPDATE embedding_models SET retired_at = NULL,
                 activated_at = CASE WHEN EXISTS (SELECT 1 FROM embedding_models WHERE state = 'active')
                                     THEN activated_at ELSE {now} END,
                 state = CASE WHEN EXISTS (SELECT 1 FROM embedding_models WHERE state = 'active')
                              THEN 'building' ELSE 'active' END
             WHERE fingerprint = $1 AND state = 'retired'",
            [fingerprint.clone().into()],
        )
        .await?;
    by_fingerprint(transaction, &fingerprint)
        .await?
        .ok_or_else(|| StoreError::Unexpected("the model that was just entered is not there".to_owned()))
}

/// The model with this fingerprint, or nothing.
///
/// # Errors
/// [`StoreError`]
pub async fn by_fingerprint(
    connection: &impl ConnectionTrait,
    fingerprint: &str,
) -> Result<Option<embedding_model::Model>, StoreError> {
    connection.row("SELECT * FROM embedding_models WHERE fingerprint = $1", [fingerprint.into()]).await
}

/// The model that searches use, or nothing before the first start.
///
/// # Errors
/// [`StoreError`]
pub async fn active(connection: &impl ConnectionTrait) -> Result<Option<embedding_model::Model>, StoreError> {
    connection.row("SELECT * FROM embedding_models WHERE state = 'active'", []).await
}

/// Pins the length of a model's vectors, once; answers the length that holds.
///
/// # Errors
/// [`StoreError`]
pub async fn pin_dimension(
    transaction: &impl ConnectionTrait,
    model_id: i64,
    dimension: u32,
) -> Result<u32, StoreError> {
    let pinned = "SELECT dimension AS n FROM embedding_models WHERE id = $1 AND dimension IS NOT NULL";
    // Looked at first: writing the row each time would make all hosts wait for each other.
    let row = match transaction.row::<super::sql::Number>(pinned, [model_id.into()]).await? {
        Some(row) => Some(row),
        None => {
            transaction
                .row::<super::sql::Number>(
                    "UPDATE embedding_models SET dimension = coalesce(dimension, $2) WHERE id = $1
                     RETURNING dimension AS n",
                    [model_id.into(), i64::from(dimension).into()],
                )
                .await?
        }
    };
    row.and_then(|row| u32::try_from(row.n).ok())
        .ok_or_else(|| StoreError::Unexpected(format!("embedding model {model_id} is not there")))
}

/// Makes a building model the active one if its set is whole: every article is embedded or has failed for good.
/// Answers whether it did.
///
/// # Errors
/// [`StoreError`]
pub async fn activate_if_whole(transaction: &impl ConnectionTrait, model_id: i64) -> Result<bool, StoreError> {
    let building = transaction
        .row::<super::sql::Number>(
            "SELECT m.id AS n FROM embedding_models m WHERE m.id = $1 AND m.state = 'building' {lock m}",
            [model_id.into()],
        )
        .await?;
    if building.is_none() || missing::any_open(transaction, model_id).await? {
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
    events::record_act(transaction, "model activated", &format!("embedding model {model_id}")).await?;
    Ok(true)
}
