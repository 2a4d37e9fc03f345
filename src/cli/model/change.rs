//! `model switch`, `model status`, `model cancel`: from one model to the next.

use std::time::Duration;

use afterword_actors::store::{Database, models::Switch};
use anyhow::anyhow;
use indicatif::ProgressBar;
use serde_json::json;

use crate::{
    cli::{progress, session::Session, table::fields, text_style::TextStyle},
    host::Host,
    hosts,
    plural::count,
    sets::{Build, Estimate, Sets, SetsStatus},
    time::duration,
};

/// How often the progress of a change is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Starts the change, and waits for it: a running server does the work, or this process if there is none.
pub(super) async fn switch(session: &Session, detach: bool, without_failed: bool) -> anyhow::Result<()> {
    let host = session.host().await?;
    let sets = host.sets();
    let is_made_elsewhere = sets.any_host_would_build().await?;
    let before = sets.status().await?;
    let configured = sets.configured_set().await?;
    let is_to_be_made = before.in_use.as_ref().is_some_and(|in_use| Some(in_use.id) != configured);
    if detach && is_to_be_made && !is_made_elsewhere {
        return Err(nobody_would_build(&host).await);
    }
    let estimate = before.estimate;
    let begun = sets.switch().await?;
    let own = sets.configured_set().await?.ok_or_else(|| anyhow!("the set of the new model is gone"))?;
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
        Switch::Begun { .. } => {
            let of = estimate.map(|estimate| format!(", of {}", amount(estimate))).unwrap_or_default();
            session.output.note(&format!("the vectors of {model} are made from now on{of}"));
        }
    }
    if detach {
        return session.output.answer(&sets.status().await?, |_| {
            "the model in use serves until they are complete; `afterword model status` shows the progress".to_owned()
        });
    }
    let change = Change { sets, own, database: host.database.clone() };
    if is_made_elsewhere {
        return finish(session, &model, own, &change.wait_for_end(session).await?);
    }
    embed_here(session, host, &model, &change).await
}

/// Why no running host would make the vectors of the model of the settings.
async fn nobody_would_build(host: &Host) -> anyhow::Error {
    if hosts::any_running(&host.database).await {
        let model = host.identity().model;
        anyhow!(
            "no running host has the settings of {model}, so none would make its vectors; restart a server with them, or leave \
             out --detach to make them here"
        )
    } else {
        anyhow!("no host is running to do the work; leave out --detach to do it here")
    }
}

async fn embed_here(session: &Session, host: Host, model: &str, change: &Change) -> anyhow::Result<()> {
    let worker = session.worker(host).await?;
    let ended = change.wait_for_end(session).await;
    worker.stop().await;
    finish(session, model, change.own, &ended?)
}

/// A change that this command has begun.
struct Change {
    sets: Sets,
    /// The number of the new set. Another one may be built in its place meanwhile, by somebody else.
    own: i64,
    database: Database,
}

impl Change {
    /// The set that is being built, as long as it is this one and not only articles are left that its model cannot
    /// embed.
    fn under_way<'a>(&self, status: &'a SetsStatus) -> Option<&'a Build> {
        let waits_for_failed = |build: &Build| build.open == 0 && build.failed > 0;
        status.building.as_ref().filter(|build| build.set.id == self.own && !waits_for_failed(build))
    }

    /// Waits until the new model is in use, the change is cancelled, or only articles are left that it cannot embed.
    async fn wait_for_end(&self, session: &Session) -> anyhow::Result<SetsStatus> {
        let rest = "the next host with these settings goes on, `afterword model cancel` cancels it";
        progress::until_told_to_stop(session.output, rest, self.watch(session)).await
    }

    async fn watch(&self, session: &Session) -> anyhow::Result<SetsStatus> {
        let bar = progress::bar(session.output, 0, "embedding");
        let mut told = progress::ReportedTrouble::default();
        loop {
            let status = self.sets.status().await?;
            let Some(build) = self.under_way(&status) else {
                bar.finish_and_clear();
                return Ok(status);
            };
            show(&bar, build);
            told.of_wait(build.waits_because.as_deref(), session.output, &bar);
            told.look(&self.database, session.output, &bar).await?;
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }
}

fn show(bar: &ProgressBar, build: &Build) {
    bar.set_length(u64::try_from(build.set.articles).unwrap_or(0));
    bar.set_position(u64::try_from(build.set.embedded).unwrap_or(0));
    bar.set_message(pace(build));
}

/// Says how the change to `model` ended, whose set is number `own`: done only if that set is in use.
fn finish(session: &Session, model: &str, own: i64, status: &SetsStatus) -> anyhow::Result<()> {
    session.output.answer(status, |look| text_of(look, status))?;
    match (&status.in_use, &status.building) {
        (Some(set), _) if set.id == own => Ok(()),
        (_, Some(build)) if build.set.id == own => Err(anyhow!("{}", what_is_left(build))),
        (_, Some(build)) => Err(anyhow!("the change to {model} was given up for one to {}", build.set.model)),
        (Some(set), None) => Err(anyhow!("the change to {model} was cancelled; {} stays in use", set.model)),
        (None, None) => Err(anyhow!("the change to {model} was cancelled")),
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

fn text_of(look: TextStyle, status: &SetsStatus) -> String {
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
        rows.extend(build.waits_because.iter().map(|reason| ("waits", reason.clone())));
    }
    if !status.not_in_effect.is_empty() {
        let settings = status.not_in_effect.join(", ");
        let rest = "not in effect; `afterword model switch` makes vectors with them";
        rows.push(("settings", format!("name {}: {settings} {rest}", status.configured)));
    }
    if let Some(estimate) = status.estimate {
        rows.push(("a change", format!("sends {}", amount(estimate))));
    }
    rows.extend(status.trouble.iter().map(|trouble| ("trouble", trouble.clone())));
    fields(look, rows)
}

/// About how much is sent to the new model.
fn amount(Estimate { texts, tokens }: Estimate) -> String {
    format!("about {} of {} together", count(texts, "text"), count(tokens, "token"))
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
