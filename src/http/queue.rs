//! `/api/queue`: the queue of embedding tasks over HTTP.

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    app::HttpState,
    articles::room,
    extract::{EmptyBody, OptionalJson, Path, Query},
    problem::Problem,
    responses::ProblemResponses,
};
use crate::{
    api::{NOT_A_CURSOR, Numbers, Task, TaskDetail, TaskStatus},
    auth::Caller,
    queue::TaskFilter,
};

/// Tasks of a page, if the request names no number.
const DEFAULT_PAGE_SIZE: u32 = 50;
/// Most tasks of a page.
const MAX_PAGE: u32 = 200;

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(stats)).routes(routes!(tasks)).routes(routes!(task))
}

pub(super) fn managing() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(retry))
        .routes(routes!(cancel))
        .routes(routes!(retry_failed))
        .routes(routes!(pause))
        .routes(routes!(resume))
}

/// Which tasks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListTasksQuery {
    /// Only tasks of this status.
    #[param(inline)]
    status: Option<TaskStatus>,
    /// Only tasks of the article with this slug.
    article: Option<String>,
    /// At most this many tasks.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of tasks.
#[derive(Serialize, ToSchema)]
struct Tasks {
    /// The newest first.
    tasks: Vec<Task>,
    /// Tasks on all pages.
    total: i64,
    /// The `cursor` of the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// What to try again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Again {
    /// Only the article with this slug; without it, every article whose embedding failed.
    slug: Option<String>,
}

/// Whether hosts may claim tasks.
#[derive(Serialize, ToSchema)]
struct Paused {
    /// Whether claiming is paused now.
    paused: bool,
    /// Whether this request changed it.
    changed: bool,
}

/// How many tasks are back in the queue.
#[derive(Serialize, ToSchema)]
struct Retried {
    /// The number of tasks.
    retried: u64,
}

/// Exact numbers of the queue, and rates of the last hour.
#[utoipa::path(get, path = "/queue/stats", operation_id = "queue_stats", tag = "queue",
    responses((status = OK, description = "The numbers now", body = Numbers), ProblemResponses))]
async fn stats(State(app): State<HttpState>) -> Result<Json<Numbers>, Problem> {
    Ok(Json(app.host.queue.numbers().await?))
}

/// List tasks, the newest first.
#[utoipa::path(get, path = "/queue/tasks", operation_id = "list_tasks", tag = "queue", params(ListTasksQuery),
    responses((status = OK, description = "A page of tasks", body = Tasks), ProblemResponses))]
async fn tasks(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Query(listed): Query<ListTasksQuery>,
) -> Result<Json<Tasks>, Problem> {
    let limit = listed.limit.unwrap_or(DEFAULT_PAGE_SIZE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::invalid("limit", format!("must be from 1 to {MAX_PAGE}")));
    }
    let wrong = |_| Problem::invalid("cursor", NOT_A_CURSOR);
    let before = listed.cursor.map(|cursor| cursor.parse().map_err(wrong)).transpose()?;
    let article_id = match listed.article {
        Some(slug) => {
            let _room = room(&app, &caller, &slug).await?;
            Some(app.host.articles.read(&slug).await?.id)
        }
        None => None,
    };
    let page = app
        .host
        .queue
        .seen_by(caller.scope)
        .tasks(&TaskFilter { status: listed.status.map(Into::into), article_id, before, limit })
        .await?;
    Ok(Json(Tasks { tasks: page.tasks, total: page.total, next_cursor: page.next_before.map(|id| id.to_string()) }))
}

/// A task with its audit trail, and why it waits.
#[utoipa::path(get, path = "/queue/tasks/{id}", operation_id = "read_task", tag = "queue", params(("id" = i64, Path)),
    responses((status = OK, description = "The task", body = TaskDetail), ProblemResponses))]
async fn task(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(id): Path<i64>,
) -> Result<Json<TaskDetail>, Problem> {
    Ok(Json(app.host.queue.seen_by(caller.scope).task(id).await?))
}

/// Put a failed or cancelled task back into the queue, with fresh attempts; a pending one becomes due at once.
#[utoipa::path(post, path = "/queue/tasks/{id}/retry", operation_id = "retry_task", tag = "queue", params(("id" = i64, Path)),
    responses((status = OK, description = "The task as it is now", body = TaskDetail), ProblemResponses))]
async fn retry(
    State(app): State<HttpState>,
    Path(id): Path<i64>,
    OptionalJson(EmptyBody {}): OptionalJson<EmptyBody>,
) -> Result<Json<TaskDetail>, Problem> {
    app.host.queue.retry(id).await?;
    Ok(Json(app.host.queue.task(id).await?))
}

/// Cancel a waiting task.
#[utoipa::path(post, path = "/queue/tasks/{id}/cancel", operation_id = "cancel_task", tag = "queue", params(("id" = i64, Path)),
    responses((status = OK, description = "The task as it is now", body = TaskDetail), ProblemResponses))]
async fn cancel(
    State(app): State<HttpState>,
    Path(id): Path<i64>,
    OptionalJson(EmptyBody {}): OptionalJson<EmptyBody>,
) -> Result<Json<TaskDetail>, Problem> {
    app.host.queue.cancel(id).await?;
    Ok(Json(app.host.queue.task(id).await?))
}

/// Put the newest failed task of every article, or of one, back into the queue.
#[utoipa::path(post, path = "/queue/retry-failed", operation_id = "retry_failed_tasks", tag = "queue",
    request_body = inline(Option<Again>),
    responses((status = OK, description = "How many", body = Retried), ProblemResponses))]
async fn retry_failed(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    OptionalJson(Again { slug }): OptionalJson<Again>,
) -> Result<Json<Retried>, Problem> {
    let queue = &app.host.queue;
    let Some(slug) = slug else { return Ok(Json(Retried { retried: queue.retry_failed().await? })) };
    let _room = room(&app, &caller, &slug).await?;
    let embedding = app.host.articles.read(&slug).await?.embedding;
    Ok(Json(Retried { retried: queue.retry_failed_of(&embedding).await? }))
}

/// Pause the queue: hosts finish their tasks and claim no more.
#[utoipa::path(post, path = "/queue/pause", operation_id = "pause_queue", tag = "queue",
    responses((status = OK, description = "Paused", body = Paused), ProblemResponses))]
async fn pause(
    State(app): State<HttpState>,
    OptionalJson(EmptyBody {}): OptionalJson<EmptyBody>,
) -> Result<Json<Paused>, Problem> {
    Ok(Json(Paused { paused: true, changed: app.host.queue.pause().await? }))
}

/// End the pause: hosts claim tasks again.
#[utoipa::path(post, path = "/queue/resume", operation_id = "resume_queue", tag = "queue",
    responses((status = OK, description = "Resumed", body = Paused), ProblemResponses))]
async fn resume(
    State(app): State<HttpState>,
    OptionalJson(EmptyBody {}): OptionalJson<EmptyBody>,
) -> Result<Json<Paused>, Problem> {
    Ok(Json(Paused { paused: false, changed: app.host.queue.resume().await? }))
}
