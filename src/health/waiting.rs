//! Why tasks wait, if it is for the same reason for all of them, and why a change of model stands still.

use afterword_actors::{
    Trouble,
    store::{
        Database, StoreError,
        models::{self, Set},
        stats,
    },
};

use super::{Finding, diagnosis};
use crate::hosts;

/// Says that the queue is paused.
pub const PAUSED: &str = "the queue is paused; `afterword queue resume` ends the pause";

/// Says that tasks wait because no host is running.
pub const NO_HOST: &str = "no host is running; `afterword bulk start` embeds what waits";

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
        return Ok(Some(NO_HOST.to_owned()));
    }
    // One that works is enough.
    if !living.iter().all(|host| host.trouble.iter().any(Trouble::keeps_waiting)) {
        return Ok(None);
    }
    Ok(diagnosis::of_hosts(&living).into_iter().find_map(|finding| finding.detail))
}

/// Returns what keeps the set that is being built from becoming complete, for people: a pause, or that no running host
/// makes it.
///
/// # Errors
/// [`StoreError`]
pub async fn why_a_build_waits(database: &Database, building: &Set) -> Result<Option<String>, StoreError> {
    if stats::queue(database.reader()).await?.paused {
        return Ok(Some(PAUSED.to_owned()));
    }
    why_nobody_builds(database, building).await
}

/// The finding if a set is being built and no running host makes it.
pub async fn unattended_build(database: &Database) -> Option<Finding> {
    let part = "model";
    let looked = async {
        match models::wanted(database.reader()).await?.building {
            Some(building) => why_nobody_builds(database, &building).await,
            None => Ok(None),
        }
    };
    match looked.await {
        Ok(why) => why.map(|why| Finding::degraded(part, why)),
        Err(error) => Some(Finding::unready("database", StoreError::to_string(&error))),
    }
}

async fn why_nobody_builds(database: &Database, building: &Set) -> Result<Option<String>, StoreError> {
    if hosts::any_would_build(database, building.id).await? {
        return Ok(None);
    }
    let model = building.identity().map_or_else(|| format!("set {}", building.id), |identity| identity.model);
    Ok(Some(format!(
        "the change to {model} stands still: no running host has the settings of {model}; start one with them, or run `afterword \
         model switch` with them; `afterword model cancel` gives the change up"
    )))
}
