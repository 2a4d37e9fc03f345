//! Acts on the runtime. Each asks for confirmation first, and says what it will do to how many.

use std::fmt;

use afterword_actors::store::backlog::Backlog as BacklogKind;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use serde::Deserialize;

use super::{failures, snapshot};
use crate::{
    articles::folder::Folder,
    auth::Permission,
    page::{
        app::PageState,
        given::{Form, Query},
        layout::{self, Here},
        pieces::count,
        refusal::Refusal,
        visit::Visit,
    },
    queue::QueueError,
    sets::Estimate,
};

/// An act, and what it is done to.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ActRequest {
    act: Act,
    #[serde(default)]
    which: String,
    #[serde(default)]
    folder: String,
}

/// All acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    Pause,
    Resume,
    RetryTask,
    CancelTask,
    RetryGroup,
    RetryFailed,
    StartRun,
    CancelRun,
    SwitchModel,
    AcceptFailed,
    CancelChange,
}

impl fmt::Display for Act {
    /// The name in addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::RetryTask => "retry-task",
            Self::CancelTask => "cancel-task",
            Self::RetryGroup => "retry-group",
            Self::RetryFailed => "retry-failed",
            Self::StartRun => "start-run",
            Self::CancelRun => "cancel-run",
            Self::SwitchModel => "switch-model",
            Self::AcceptFailed => "accept-failed",
            Self::CancelChange => "cancel-change",
        })
    }
}

pub(super) async fn ask(
    State(app): State<PageState>,
    visit: Visit,
    Query(asked): Query<ActRequest>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    let (title, said) = question(&app, &asked).await?;
    let main = html! {
        div.narrow {
            h1 { (title) }
            p dir="auto" { (said) }
            form.actions method="post" action="/runtime/acts" {
                input type="hidden" name="act" value=(asked.act);
                input type="hidden" name="which" value=(asked.which);
                input type="hidden" name="folder" value=(asked.folder);
                button.primary type="submit" { "Yes, do it" }
                a.button href="/runtime" { "No" }
            }
        }
    };
    Ok(layout::view(&visit, Here::Runtime, title, main))
}

/// What an act does, and to how many.
async fn question(app: &PageState, asked: &ActRequest) -> Result<(&'static str, String), Refusal> {
    let queue = &app.host.queue;
    Ok(match asked.act {
        Act::Pause => {
            let numbers = queue.gauges().await?.queue;
            let waiting = count(numbers.pending, "task waits", "tasks wait");
            (
                "Pause the queue?",
                format!(
                    "All hosts finish what they have begun, and claim nothing more. {waiting} until the queue is resumed. Articles are saved and found by their words all the same."
                ),
            )
        }
        Act::Resume => {
            let waiting = count(queue.gauges().await?.queue.pending, "task", "tasks");
            ("Resume the queue?", format!("All hosts claim tasks again; {waiting} wait."))
        }
        Act::RetryTask => (
            "Try this task now?",
            format!("Task {} becomes due at once, with fresh attempts and before others.", number(asked)?),
        ),
        Act::CancelTask => (
            "Cancel this task?",
            format!(
                "Task {} is not processed. Its article is found by its words, and by the meaning it had, if any; the next sweep may queue it again.",
                number(asked)?
            ),
        ),
        Act::RetryGroup => {
            let tasks = group(app, asked).await?;
            let number = count(i64::try_from(tasks.len()).unwrap_or_default(), "article", "articles");
            ("Retry all of these?", format!("{number} that failed alike: embedded again at once, with fresh attempts."))
        }
        Act::RetryFailed => {
            let failed = count(queue.gauges().await?.queue.failed, "failed task", "failed tasks");
            (
                "Retry all that failed?",
                format!("Of {failed}, the newest of each article waits again, after what is saved meanwhile."),
            )
        }
        Act::StartRun => {
            let (scope, folder) = (which(asked)?, folder(asked)?);
            let would = app.host.bulk.count(scope, &folder).await?;
            let place = if folder.as_ref().is_empty() { String::new() } else { format!(" in {folder}") };
            (
                "Start this run?",
                format!(
                    "{}{place} will be embedded (scope {}), after what is saved meanwhile; {} that are never embedded are left out.",
                    count(would.articles, "article", "articles"),
                    scope.as_str(),
                    would.skipped
                ),
            )
        }
        Act::CancelRun => {
            let run = app.host.bulk.run(number(asked)?).await?;
            (
                "Cancel this run?",
                format!(
                    "Run {}: {} are cancelled. Tasks that are being processed are finished.",
                    run.summary.id,
                    count(run.left(), "article", "articles")
                ),
            )
        }
        Act::SwitchModel => {
            let sets = app.host.sets().status().await?;
            let articles = sets.in_use.as_ref().map_or(0, |set| set.articles);
            let sent = sets.estimate.map_or_else(String::new, |Estimate { texts, tokens }| {
                let (texts, tokens) = (count(texts, "text", "texts"), count(tokens, "token", "tokens"));
                format!("It is sent about {texts} of {tokens} together. ")
            });
            (
                "Change the model?",
                format!(
                    "{} are embedded once more, by {}. {sent}Searches use the present model until all are embedded.",
                    count(articles, "article", "articles"),
                    sets.configured
                ),
            )
        }
        Act::AcceptFailed => {
            let failed = app.host.sets().status().await?.building.map_or(0, |build| build.failed);
            (
                "Change without them?",
                format!(
                    "{} that the new model could not embed will be found by their words only.",
                    count(failed, "article", "articles")
                ),
            )
        }
        Act::CancelChange => {
            let made = app.host.sets().status().await?.building.map_or(0, |build| build.set.embedded);
            (
                "Cancel the change?",
                format!(
                    "What was made for {} is not used. Searches go on with the model they use now.",
                    count(made, "article", "articles")
                ),
            )
        }
    })
}

pub(super) async fn carry_out(
    State(app): State<PageState>,
    visit: Visit,
    Form(asked): Form<ActRequest>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    let queue = &app.host.queue;
    let mut next = "/runtime".to_owned();
    match asked.act {
        Act::Pause => drop(queue.pause().await?),
        Act::Resume => drop(queue.resume().await?),
        Act::RetryTask => {
            queue.retry(number(&asked)?).await?;
            next = format!("/runtime/tasks/{}", asked.which);
        }
        Act::CancelTask => {
            queue.cancel(number(&asked)?).await?;
            next = format!("/runtime/tasks/{}", asked.which);
        }
        Act::RetryGroup => retry(&app, &asked).await?,
        Act::RetryFailed => drop(queue.retry_failed().await?),
        Act::StartRun => {
            let id = app.host.bulk.start(which(&asked)?, &folder(&asked)?).await?;
            next = format!("/runtime/runs/{id}");
        }
        Act::CancelRun => drop(app.host.bulk.cancel(number(&asked)?).await?),
        Act::SwitchModel => {
            app.host.sets().switch().await?;
        }
        Act::AcceptFailed => drop(app.host.sets().accept_failed().await?),
        Act::CancelChange => drop(app.host.sets().cancel().await?),
    }
    Ok(Redirect::to(&next).into_response())
}

/// The tasks of a group that can be retried now; another task of the article may wait already.
async fn retry(app: &PageState, asked: &ActRequest) -> Result<(), Refusal> {
    for id in group(app, asked).await? {
        match app.host.queue.retry(id).await {
            Ok(())
            | Err(QueueError::AlreadyWaiting { .. } | QueueError::NotAllowed { .. } | QueueError::NotFound(_)) => {}
            Err(error @ QueueError::Store(_)) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn group(app: &PageState, asked: &ActRequest) -> Result<Vec<i64>, Refusal> {
    // As they are grouped where everybody sees them.
    let failed = snapshot::failed(app).await?;
    Ok(failures::named(&failed, &asked.which)?.tasks.iter().map(|task| task.id).collect())
}

fn number(asked: &ActRequest) -> Result<i64, Refusal> {
    asked.which.parse().map_err(|_| Refusal::invalid("this is not the number of a task or a run"))
}

fn which(asked: &ActRequest) -> Result<BacklogKind, Refusal> {
    let scope = BacklogKind::ALL.into_iter().find(|scope| scope.as_str() == asked.which);
    scope.ok_or_else(|| Refusal::invalid("which articles? one of: needed, missing, failed, stale, all"))
}

fn folder(asked: &ActRequest) -> Result<Folder, Refusal> {
    Folder::parse(&asked.folder).map_err(|error| Refusal::invalid(error.to_string()))
}
