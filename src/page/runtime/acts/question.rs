//! What is asked before an act: what it will do, and to how many.

use super::request::{Act, ActRequest};
use crate::{
    page::{app::PageState, pieces::count, refusal::Refusal},
    sets::Estimate,
};

/// A question that is answered with yes or no.
pub(super) struct Question {
    pub(super) title: &'static str,
    pub(super) text: String,
}

impl Question {
    fn new(title: &'static str, text: impl Into<String>) -> Self {
        Self { title, text: text.into() }
    }

    /// What is asked before this act.
    pub(super) async fn before(app: &PageState, request: &ActRequest) -> Result<Self, Refusal> {
        match request.act {
            Act::Pause => pause(app).await,
            Act::Resume => resume(app).await,
            Act::RetryTask => retry_task(request),
            Act::CancelTask => cancel_task(request),
            Act::RetryGroup => retry_group(app, request).await,
            Act::RetryFailed => retry_failed(app).await,
            Act::StartRun => start_run(app, request).await,
            Act::CancelRun => cancel_run(app, request).await,
            Act::SwitchModel => switch_model(app).await,
            Act::AcceptFailed => accept_failed(app).await,
            Act::CancelChange => cancel_change(app).await,
        }
    }
}

async fn pause(app: &PageState) -> Result<Question, Refusal> {
    let numbers = app.host.queue.gauges().await?.queue;
    let waiting = count(numbers.pending, "task waits", "tasks wait");
    Ok(Question::new(
        "Pause the queue?",
        format!(
            "All hosts finish what they have begun, and claim nothing more. {waiting} until the queue is resumed. Articles are saved and found by their words all the same."
        ),
    ))
}

async fn resume(app: &PageState) -> Result<Question, Refusal> {
    let waiting = count(app.host.queue.gauges().await?.queue.pending, "task", "tasks");
    Ok(Question::new("Resume the queue?", format!("All hosts claim tasks again; {waiting} wait.")))
}

fn retry_task(request: &ActRequest) -> Result<Question, Refusal> {
    let task = request.number()?;
    Ok(Question::new(
        "Try this task now?",
        format!("Task {task} becomes due at once, with fresh attempts and before others."),
    ))
}

fn cancel_task(request: &ActRequest) -> Result<Question, Refusal> {
    let task = request.number()?;
    Ok(Question::new(
        "Cancel this task?",
        format!(
            "Task {task} is not processed. Its article is found by its words, and by the meaning it had, if any; the next sweep may queue it again."
        ),
    ))
}

async fn retry_group(app: &PageState, request: &ActRequest) -> Result<Question, Refusal> {
    let tasks = request.tasks_of_group(app).await?;
    let number = count(i64::try_from(tasks.len()).unwrap_or_default(), "article", "articles");
    Ok(Question::new(
        "Retry all of these?",
        format!("{number} that failed alike: embedded again at once, with fresh attempts."),
    ))
}

async fn retry_failed(app: &PageState) -> Result<Question, Refusal> {
    let failed = count(app.host.queue.gauges().await?.queue.failed, "failed task", "failed tasks");
    Ok(Question::new(
        "Retry all that failed?",
        format!("Of {failed}, the newest of each article waits again, after what is saved meanwhile."),
    ))
}

async fn start_run(app: &PageState, request: &ActRequest) -> Result<Question, Refusal> {
    let (scope, folder) = (request.backlog()?, request.folder()?);
    let would = app.host.bulk.count(scope, &folder).await?;
    let place = if folder.as_ref().is_empty() { String::new() } else { format!(" in {folder}") };
    Ok(Question::new(
        "Start this run?",
        format!(
            "{}{place} will be embedded (scope {}), after what is saved meanwhile; {} that are never embedded are left out.",
            count(would.articles, "article", "articles"),
            scope.as_str(),
            would.skipped
        ),
    ))
}

async fn cancel_run(app: &PageState, request: &ActRequest) -> Result<Question, Refusal> {
    let run = app.host.bulk.run(request.number()?).await?;
    Ok(Question::new(
        "Cancel this run?",
        format!(
            "Run {}: {} are cancelled. Tasks that are being processed are finished.",
            run.summary.id,
            count(run.left(), "article", "articles")
        ),
    ))
}

async fn switch_model(app: &PageState) -> Result<Question, Refusal> {
    let sets = app.host.sets().status().await?;
    let articles = sets.in_use.as_ref().map_or(0, |set| set.articles);
    let sent = sets.estimate.map_or_else(String::new, |Estimate { texts, tokens }| {
        let (texts, tokens) = (count(texts, "text", "texts"), count(tokens, "token", "tokens"));
        format!("It is sent about {texts} of {tokens} together. ")
    });
    Ok(Question::new(
        "Change the model?",
        format!(
            "{} are embedded once more, by {}. {sent}Searches use the present model until all are embedded.",
            count(articles, "article", "articles"),
            sets.configured
        ),
    ))
}

async fn accept_failed(app: &PageState) -> Result<Question, Refusal> {
    let failed = app.host.sets().status().await?.building.map_or(0, |build| build.failed);
    Ok(Question::new(
        "Change without them?",
        format!(
            "{} that the new model could not embed will be found by their words only.",
            count(failed, "article", "articles")
        ),
    ))
}

async fn cancel_change(app: &PageState) -> Result<Question, Refusal> {
    let made = app.host.sets().status().await?.building.map_or(0, |build| build.set.embedded);
    Ok(Question::new(
        "Cancel the change?",
        format!(
            "What was made for {} is not used. Searches go on with the model they use now.",
            count(made, "article", "articles")
        ),
    ))
}
