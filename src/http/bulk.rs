//! `/api/bulk`: bulk runs over HTTP.

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    app::HttpState,
    articles::folder,
    extract::{OptionalJson, Path},
    problem::Problem,
    responses::ProblemResponses,
};
use crate::{
    api::{Backlog, BulkRun, BulkRunSummary},
    auth::Caller,
};

/// Most runs that are listed.
const MAX_LISTED_RUNS: u32 = 100;

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read))
}

pub(super) fn managing() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(cancel))
}

/// A run to be started.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Start {
    /// Which articles to embed.
    #[serde(default)]
    scope: Backlog,
    /// Only this folder and below.
    #[serde(default)]
    folder: String,
    /// Answer how many articles it would be, and do nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What a run would do.
#[derive(Serialize, ToSchema)]
struct WouldBe {
    /// Articles it would queue.
    articles: i64,
    /// Articles that are never embedded.
    skipped: i64,
}

/// Runs.
#[derive(Serialize, ToSchema)]
struct Runs {
    /// The last started first.
    runs: Vec<BulkRunSummary>,
    /// How many there are; the last 100 are listed.
    total: i64,
}

/// List bulk runs.
#[utoipa::path(get, path = "/bulk", operation_id = "list_bulk_runs", tag = "bulk",
    responses((status = OK, description = "The last runs", body = Runs), ProblemResponses))]
async fn list(State(app): State<HttpState>) -> Result<Json<Runs>, Problem> {
    Ok(Json(Runs { runs: app.host.bulk.list(MAX_LISTED_RUNS).await?, total: app.host.bulk.total().await? }))
}

/// Show the state of a run, or how it ended.
#[utoipa::path(get, path = "/bulk/{id}", operation_id = "read_bulk_run", tag = "bulk", params(("id" = i64, Path)),
    responses((status = OK, description = "The run", body = BulkRun), ProblemResponses))]
async fn read(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(id): Path<i64>,
) -> Result<Json<BulkRun>, Problem> {
    Ok(Json(app.host.bulk.seen_by(caller.scope).run(id).await?))
}

/// Embed many articles.
#[utoipa::path(post, path = "/bulk", operation_id = "start_bulk_run", tag = "bulk", request_body = inline(Option<Start>),
    responses((status = ACCEPTED, description = "Started", body = BulkRun, headers(("Location" = String))),
              (status = OK, description = "What a run would do", body = WouldBe), ProblemResponses))]
async fn start(State(app): State<HttpState>, OptionalJson(given): OptionalJson<Start>) -> Result<Response, Problem> {
    let (scope, folder) = (given.scope.into(), folder(&given.folder)?);
    if given.dry_run {
        let count = app.host.bulk.count(scope, &folder).await?;
        return Ok(Json(WouldBe { articles: count.articles, skipped: count.skipped }).into_response());
    }
    let id = app.host.bulk.start(scope, &folder).await?;
    let run = Json(app.host.bulk.run(id).await?);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, format!("/api/bulk/{id}"))], run).into_response())
}

/// Stop a run and cancel its waiting tasks.
#[utoipa::path(delete, path = "/bulk/{id}", operation_id = "cancel_bulk_run", tag = "bulk", params(("id" = i64, Path)),
    responses((status = OK, description = "The run as it ended", body = BulkRun), ProblemResponses))]
async fn cancel(State(app): State<HttpState>, Path(id): Path<i64>) -> Result<Json<BulkRun>, Problem> {
    app.host.bulk.cancel(id).await?;
    Ok(Json(app.host.bulk.run(id).await?))
}
