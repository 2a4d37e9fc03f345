//! `/api/articles/{slug}/versions`: the past of an article.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    app::App,
    articles::stored,
    extract::{self, Path},
    problem::Problem,
    responses::Refused,
};
use crate::articles::{Article, Revision};

pub(super) fn reading() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read))
}

pub(super) fn writing() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(restore))
}

/// The past of an article.
#[derive(Serialize, ToSchema)]
struct Versions {
    /// The newest first.
    versions: Vec<Revision>,
}

/// Which revision is to be the present one again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Restore {
    /// Its number; without one, the last change or the deletion is undone.
    revision: Option<i64>,
}

/// List the revisions of an article, also of a deleted one.
#[utoipa::path(get, path = "/articles/{slug}/versions", operation_id = "list_versions", tag = "articles", params(("slug" = String, Path)),
    responses((status = OK, description = "All revisions", body = Versions), Refused))]
async fn list(State(app): State<App>, Path(slug): Path<String>) -> Result<Json<Versions>, Problem> {
    Ok(Json(Versions { versions: app.host.articles.history(&slug).await? }))
}

/// Read one revision of an article.
#[utoipa::path(get, path = "/articles/{slug}/versions/{revision}", operation_id = "read_version", tag = "articles",
    params(("slug" = String, Path), ("revision" = i64, Path)),
    responses((status = OK, description = "The article as it was", body = Article), Refused))]
async fn read(State(app): State<App>, Path((slug, revision)): Path<(String, i64)>) -> Result<Json<Article>, Problem> {
    Ok(Json(app.host.articles.read_revision(&slug, revision).await?))
}

/// Make a past revision the present one, as a new revision; also of a deleted article.
#[utoipa::path(post, path = "/articles/{slug}/restore", operation_id = "restore_article", tag = "articles", request_body = Restore,
    params(("slug" = String, Path)),
    responses((status = OK, description = "As stored", body = Article, headers(("ETag" = String))), Refused))]
async fn restore(
    State(app): State<App>,
    Path(slug): Path<String>,
    extract::Json(given): extract::Json<Restore>,
) -> Result<Response, Problem> {
    Ok(stored(StatusCode::OK, app.host.articles.restore(&slug, given.revision).await?.article))
}
