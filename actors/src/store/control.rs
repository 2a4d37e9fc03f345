//! The pause switch: it is valid for every host on the database and outlives them.

use super::{StoreError, events, sql::Sql};

/// Stops every host from claiming; tasks that are being processed are finished. Returns whether this changed anything.
///
/// # Errors
/// [`StoreError`]
pub async fn pause(transaction: &impl Sql) -> Result<bool, StoreError> {
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

/// Lets every host claim again. Returns whether this changed anything.
///
/// # Errors
/// [`StoreError`]
pub async fn resume(transaction: &impl Sql) -> Result<bool, StoreError> {
    let changed = transaction.run("DELETE FROM queue_control WHERE key = 'paused'", []).await?;
    if changed > 0 {
        events::record_act(transaction, "queue resumed", "").await?;
    }
    Ok(changed > 0)
}

/// Records that the database `source` is being copied into this one. Returns false if this one contains articles of
/// another.
///
/// # Errors
/// [`StoreError`]
pub async fn begin_copy(transaction: &impl Sql, source: &str) -> Result<bool, StoreError> {
    transaction
        .run(
            "INSERT INTO queue_control (key, value, changed_at)
             SELECT 'copy', $1, {now} WHERE NOT EXISTS (SELECT 1 FROM articles) ON CONFLICT (key) DO NOTHING",
            [source.into()],
        )
        .await?;
    let noted = "SELECT 1 AS n FROM queue_control WHERE key = 'copy' AND value = $1";
    Ok(transaction.row::<()>(noted, [source.into()]).await?.is_some())
}

/// Returns which database is being copied into this one, if a copy was begun and is not complete: then this one has a
/// part of its rows.
///
/// # Errors
/// [`StoreError`]
pub async fn unfinished_copy(reader: &impl Sql) -> Result<Option<String>, StoreError> {
    reader.row("SELECT value FROM queue_control WHERE key = 'copy'", []).await
}

/// Records that the copy is complete.
///
/// # Errors
/// [`StoreError`]
pub async fn end_copy(transaction: &impl Sql) -> Result<(), StoreError> {
    transaction.run("DELETE FROM queue_control WHERE key = 'copy'", []).await.map(drop)
}
