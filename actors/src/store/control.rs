//! The pause switch: it holds for every host on the database and outlives them.

use sea_orm::ConnectionTrait;

use super::{StoreError, events, sql::Sql};

/// Stops every host from claiming; tasks in work are finished. Answers whether this changed anything.
///
/// # Errors
/// [`StoreError`]
pub async fn pause(transaction: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let changed = transaction
        .run(
            "INSERT INTO queue_control (key, value, changed_at) VALUES ('paused', 'true', {now})
             ON CONFLICT (key) DO NOTHING",
            [],
        )
        .await?;
    if changed > 0 {
        events::record_act(transaction, "queue paused", "").await?;
    }
    Ok(changed > 0)
}

/// Lets every host claim again. Answers whether this changed anything.
///
/// # Errors
/// [`StoreError`]
pub async fn resume(transaction: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let changed = transaction.run("DELETE FROM queue_control WHERE key = 'paused'", []).await?;
    if changed > 0 {
        events::record_act(transaction, "queue resumed", "").await?;
    }
    Ok(changed > 0)
}
