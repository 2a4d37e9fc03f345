//! `model switch`, `model status`, `model cancel`: from one model to the next.

use std::time::Duration;

use afterword_actors::store::models::Switch;
use anyhow::anyhow;
use serde_json::json;

use crate::{
    cli::{look::Look, progress, session::Session, table::fields},
    host::Host,
    hosts,
    plural::count,
    sets::{Build, Sets, SetsStatus},
    time::duration,
};

/// How often the progress of a change is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Starts the change, and waits for it: a running server does the work, or this process if there is none.
pub(super) async fn switch(session: &Session, detach: bool, without_failed: bool) -> anyhow::Result<()> {
    let host = session.host().await?;
    let sets = host.sets();
    let any_running = hosts::any_running(&host.database).await;
    if detach && !any_running {
        return Err(anyhow!("no host is running to do the work; leave out --detach to do it here"));
    }
    let begun = sets.switch().await?;
    if without_failed {
        sets.accept_failed().await?;
    }
    let model = host.identity().model;
    match begun {
        Switch::InUse { instead_of } => {
            let given_up = if instead_of.is_some() { "; the change to another model is cancelled" } else { "" };
            return session.output.answer(&sets.status().await?, |_| format!("{model} is in use already{given_up}"));
        }
        Switch::UnderWay => session.output.note(&format!("the vectors of {model} are being made already")),
        Switch::Begun { .. } => session.output.note(&format!("the vectors of {model} are made from now on")),
    }
    if detach {
        return session.output.answer(&sets.status().await?, |_| {
            "the model in use serves until they are complete; `afterword model status` shows the progress".to_owned()
        });
    }
    if any_running {
        return finish(session, &wait(session, &sets).await?);
    }
    embed_here(session, host, &sets).await
}

async fn embed_here(session: &Session, host: Host, sets: &Sets) -> anyhow::Result<()> {
    let worker = session.worker(host).await?;
    let ended = wait(session, sets).await;
    worker.stop().await;
    finish(session, &ended?)
}

/// Waits until the new model is in use, the change is cancelled, or only articles are left that it cannot embed.
async fn wait(session: &Session, sets: &Sets) -> anyhow::Result<SetsStatus> {
    let rest = "the next host with these settings goes on, `afterword model cancel` cancels it";
    progress::until_told_to_stop(session.output, rest, watch(session, sets)).await
}

async fn watch(session: &Session, sets: &Sets) -> anyhow::Result<SetsStatus> {
    let bar = progress::bar(session.output, 0, "embedding");
    loop {
        let status = sets.status().await?;
        let waits_for_failed = status.building.as_ref().is_some_and(|build| build.open == 0 && build.failed > 0);
        let Some(build) = status.building.as_ref().filter(|_| !waits_for_failed) else {
            bar.finish_and_clear();
            return Ok(status);
        };
        bar.set_length(u64::try_from(build.set.articles).unwrap_or(0));
        bar.set_position(u64::try_from(build.set.embedded).unwrap_or(0));
        bar.set_message(pace(build));
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

fn finish(session: &Session, status: &SetsStatus) -> anyhow::Result<()> {
    session.output.answer(status, |look| text_of(look, status))?;
    match &status.building {
        Some(build) => Err(anyhow!("{}", what_is_left(build))),
        None => Ok(()),
    }
}

pub(super) async fn status(session: &Session) -> anyhow::Result<()> {
    let status = session.host().await?.sets().status().await?;
    session.output.answer(&status, |look| text_of(look, &status))
}

pub(super) async fn cancel(session: &Session) -> anyhow::Result<()> {
    let sets = session.host().await?.sets();
    let cancelled = sets.cancel().await?;
    let status = sets.status().await?;
    session.output.answer(&json!({ "cancelled": cancelled, "status": status }), |_| {
        let in_use = status.in_use.as_ref().map_or("no model is in use", |set| set.model.as_str());
        if cancelled {
            format!("cancelled; {in_use} stays in use")
        } else {
            format!("no change is under way; {in_use} is in use")
        }
    })
}

fn text_of(look: Look, status: &SetsStatus) -> String {
    let mut rows = Vec::new();
    match &status.in_use {
        Some(set) => {
            rows.push(("in use", format!("{} ({})", set.model, set.provider)));
            rows.push(("embedded", format!("{} of {}", set.embedded, set.articles)));
        }
        None => rows.push(("in use", "none; nothing has been embedded yet".to_owned())),
    }
    if let Some(build) = &status.building {
        rows.push(("being built", format!("{} ({})", build.set.model, build.set.provider)));
        rows.push(("embedded", format!("{} of {} {}", build.set.embedded, build.set.articles, pace(build))));
        rows.push(("left", what_is_left(build)));
    }
    if status.in_use.as_ref().is_some_and(|set| set.model != status.configured) {
        rows.push(("settings", format!("name {}", status.configured)));
    }
    fields(look, rows)
}

fn pace(build: &Build) -> String {
    match build.remaining_ms {
        Some(left) => format!("{:.1}/s, {} left", build.per_second, duration(left)),
        None => String::new(),
    }
}

fn what_is_left(build: &Build) -> String {
    let articles = |number: i64| count(number, "article");
    if build.failed == 0 {
        return format!("{} to be embedded", articles(build.open));
    }
    format!(
        "{} to be embedded; {} could not be embedded by {}: `afterword queue retry-failed` tries again, `afterword model \
         switch --without-failed` changes over without them",
        articles(build.open),
        articles(build.failed),
        build.set.model
    )
}
