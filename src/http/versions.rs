//! `/api/articles/{slug}/versions`: the past of an article.

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    app::HttpState,
    articles::{keep, stored},
    extract::{IfMatch, IfMatchHeader, OptionalJson, Path, Query},
    problem::Problem,
    responses::ProblemResponses,
};
use crate::{
    api::NOT_A_CURSOR,
    articles::{Article, Revision},
    auth::{Caller, Permission},
    share::SharePermit,
};

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read))
}

pub(super) fn writing() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(restore))
}

/// The past of an article.
#[derive(Serialize, ToSchema)]
struct Versions {
    /// The newest first.
    versions: Vec<Revision>,
    /// How many there are.
    total: usize,
    /// The `cursor` of the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// Which revisions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListRevisionsQuery {
    /// At most this many; all if not given.
    #[param(minimum = 1)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which revision is to be the present one again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Restore {
    /// Its number; without one, the last change or the deletion is undone.
    revision: Option<i64>,
}

/// List the revisions of an article; with the permission `write`, also of a deleted one.
#[utoipa::path(get, path = "/articles/{slug}/versions", operation_id = "list_versions", tag = "articles",
    params(("slug" = String, Path), ListRevisionsQuery),
    responses((status = OK, description = "Revisions", body = Versions), ProblemResponses))]
async fn list(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    Query(listed): Query<ListRevisionsQuery>,
) -> Result<Json<Versions>, Problem> {
    let limit = listed.limit.unwrap_or(usize::MAX);
    if limit == 0 {
        return Err(Problem::invalid("limit", "must be 1 or more"));
    }
    let wrong = |_| Problem::invalid("cursor", NOT_A_CURSOR);
    let before = listed.cursor.map(|cursor| cursor.parse::<i64>().map_err(wrong)).transpose()?;
    may_see(&app, &caller, &slug).await?;
    let mut versions = app.host.articles.history(&slug).await?;
    let total = versions.len();
    versions.retain(|version| before.is_none_or(|before| version.revision < before));
    let has_more = versions.len() > limit;
    versions.truncate(limit);
    let last = versions.last().filter(|_| has_more);
    Ok(Json(Versions { next_cursor: last.map(|last| last.revision.to_string()), total, versions }))
}

/// Read one revision of an article.
#[utoipa::path(get, path = "/articles/{slug}/versions/{revision}", operation_id = "read_version", tag = "articles",
    params(("slug" = String, Path), ("revision" = i64, Path)),
    responses((status = OK, description = "The article as it was", body = Article), ProblemResponses))]
async fn read(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path((slug, revision)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    may_see(&app, &caller, &slug).await?;
    let room = room(&app, &caller, &slug).await?;
    Ok(keep(Json(app.host.articles.read_revision(&slug, revision).await?).into_response(), room))
}

/// What was deleted is there only for those who may restore it.
async fn may_see(app: &HttpState, caller: &Caller, slug: &str) -> Result<(), Problem> {
    if caller.may(Permission::Write) { Ok(()) } else { Ok(app.host.articles.must_exist(slug).await?) }
}

/// Takes room for the largest revision of the article, if it is large.
async fn room(app: &HttpState, caller: &Caller, slug: &str) -> Result<Option<SharePermit>, Problem> {
    let size = app.host.articles.weight_of_past(slug).await?;
    Ok(app.host.large_texts.room(&caller.who, size).await)
}

/// Make a past revision the present one, as a new revision; also of a deleted article.
#[utoipa::path(post, path = "/articles/{slug}/restore", operation_id = "restore_article", tag = "articles",
    request_body = inline(Option<Restore>),
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "As stored", body = Article, headers(("ETag" = String))), ProblemResponses))]
async fn restore(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected): IfMatch,
    OptionalJson(given): OptionalJson<Restore>,
) -> Result<Response, Problem> {
    let room = room(&app, &caller, &slug).await?;
    Ok(keep(stored(StatusCode::OK, app.host.articles.restore_if(&slug, given.revision, expected).await?.article), room))
}
