//! A limit that all hosts on a database share: the number of calls of a provider in any minute.
//!
//! It is computed from the calls that were made, one row each, so that no counter can drift.

use std::time::Duration;

use super::{Engine, StoreError, advisory_locks, sql::Sql};

/// The period that a limit counts. *Units:* milliseconds.
const WINDOW_MS: i64 = 60_000;

/// Records a call of `provider` if there were fewer than `limit` in the last minute; otherwise returns how long to wait
/// before asking again. Calls of a time to come, which was before the clock was set back, do not count.
///
/// # Errors
/// [`StoreError`]
pub async fn take(transaction: &impl Sql, provider: &str, limit: u32) -> Result<Option<Duration>, StoreError> {
    if transaction.engine() == Engine::Postgres {
        // One at a time: two that count at the same moment would both find room.
        transaction.row::<()>(advisory_locks::TAKE_TURN_WITH_PROVIDER, [provider.into()]).await?;
    }
    let row = transaction
        .row::<(i64, Option<i64>)>(
            "SELECT count(*) AS calls, min(at) + $2 - {now} AS wait FROM provider_calls
             WHERE provider = $1 AND at > {now} - $2 AND at <= {now}",
            [provider.into(), WINDOW_MS.into()],
        )
        .await?;
    let Some((calls, wait)) = row else { return Ok(None) };
    if calls >= i64::from(limit) {
        let wait = u64::try_from(wait.unwrap_or(WINDOW_MS)).unwrap_or_default();
        return Ok(Some(Duration::from_millis(wait + 1)));
    }
    transaction.run("INSERT INTO provider_calls (provider, at) VALUES ($1, {now})", [provider.into()]).await?;
    Ok(None)
}
