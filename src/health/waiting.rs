//! Why tasks wait, if it is for the same reason for all of them.

use afterword_actors::{
    Trouble,
    store::{Database, StoreError, stats},
};

use super::diagnosis;
use crate::hosts;

/// Says that the queue is paused.
pub const PAUSED: &str = "the queue is paused; `afterword queue resume` ends the pause";

/// Returns what keeps tasks waiting, for people: a pause, no host, or the trouble of all that run.
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
    // One that works is enough.
    if !living.iter().all(|host| host.trouble.iter().any(Trouble::keeps_waiting)) {
        return Ok(None);
    }
    Ok(diagnosis::of_hosts(&living).into_iter().find_map(|finding| finding.detail))
}
