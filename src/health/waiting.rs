//! Why tasks wait, if it is for the same reason for all of them.

use afterword_actors::store::{Database, StoreError, stats};

use super::diagnosis;
use crate::hosts;

/// Says that the queue is paused.
pub const PAUSED: &str = "the queue is paused; `afterword queue resume` ends the pause";

/// Returns what keeps every task waiting, for people: a pause, no host, or the trouble of those that run.
///
/// # Errors
/// [`StoreError`]
pub async fn why_tasks_wait(database: &Database) -> Result<Option<String>, StoreError> {
    if stats::queue(database.reader()).await?.paused {
        return Ok(Some(PAUSED.to_owned()));
    }
    let living = hosts::living(database).await?;
    if living.is_empty() {
        return Ok(Some("no host is running; `afterword bulk start` embeds what waits".to_owned()));
    }
    Ok(diagnosis::of_hosts(&living).into_iter().find_map(|finding| finding.detail))
}
