//! `/api/status` and `/api/workers`: the actor trees and their workers.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{app::HttpState, problem::Problem, responses::ProblemResponses};
use crate::{
    health::Report,
    hosts::{self, Actor, LivingHost, Worker},
};

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(status)).routes(routes!(workers))
}

/// Health of this server, and of every host on its database.
#[derive(Serialize, ToSchema)]
struct Status {
    /// The version of the program.
    version: &'static str,
    /// The id of this start of the server.
    incarnation: String,
    /// Health of this server.
    health: Report,
    /// This server's actors, now; `null` if the root does not answer.
    tree: Option<Actor>,
    /// Every host on the database, as it last reported itself.
    hosts: Vec<LivingHost>,
}

/// Workers.
#[derive(Serialize, ToSchema)]
struct Workers {
    /// Those of every host on the database.
    workers: Vec<Worker>,
}

/// The actor tree of this server, and of every other host as it last reported itself.
#[utoipa::path(get, path = "/status", operation_id = "status", tag = "server",
    responses((status = OK, description = "The state of all hosts", body = Status), ProblemResponses))]
async fn status(State(app): State<HttpState>) -> Result<Json<Status>, Problem> {
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        incarnation: app.runtime.incarnation().to_owned(),
        health: app.health.report(),
        tree: app.runtime.status().await.map(|status| Actor::from(status.tree)),
        hosts: hosts::living(&app.host.database).await?,
    }))
}

/// Returns all measurements, in the text format of Prometheus.
pub(super) async fn metrics(State(app): State<HttpState>) -> Result<Response, Problem> {
    let text = app.telemetry.scrape(&app.host, &app.runtime, &app.health).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// The workers of every host on the database.
#[utoipa::path(get, path = "/workers", operation_id = "list_workers", tag = "server",
    responses((status = OK, description = "All workers", body = Workers), ProblemResponses))]
async fn workers(State(app): State<HttpState>) -> Result<Json<Workers>, Problem> {
    Ok(Json(Workers { workers: hosts::workers(&app.host.database).await? }))
}
