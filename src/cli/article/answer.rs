//! The answer to a save.

use serde::Serialize;

use super::view;
use crate::{articles::SaveResult, cli::session::Session};

/// Shows the stored article, and what to do if no process embeds it.
pub(super) async fn answer(session: &Session, saved: &SaveResult, done: &str) -> anyhow::Result<()> {
    answer_with(session, &saved.article, saved, done).await
}

/// The same, with `shown` as JSON.
pub(super) async fn answer_with(
    session: &Session,
    shown: &impl Serialize,
    saved: &SaveResult,
    done: &str,
) -> anyhow::Result<()> {
    session.output.answer(shown, |look| view::saved_line(look, saved, done))?;
    if saved.task_id.is_some() { if_nobody_embeds(session).await } else { Ok(()) }
}

/// Says what to do if a task waits and no process embeds it.
pub(super) async fn if_nobody_embeds(session: &Session) -> anyhow::Result<()> {
    if session.loaded.settings.queue.enabled {
        let host = session.host().await?;
        if !crate::hosts::any_running(&host.database).await {
            session.output.note("no host is running; `afterword bulk start` embeds what waits");
        }
    }
    Ok(())
}
