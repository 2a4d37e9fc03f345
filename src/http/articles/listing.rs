//! Lists of articles.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::given::{filter, folder};
use crate::{
    api::{DeletedPage, Page, Timestamp},
    http::{app::HttpState, extract::Query, problem::Problem, responses::ProblemResponses},
    time,
};

/// Articles of a page, if the request names no number.
const DEFAULT_PAGE_SIZE: u32 = 50;
/// Most articles of a page.
const MAX_PAGE: u32 = 200;

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Deleted articles are listed for those who may restore them.
pub(super) fn writing() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(deleted))
}

/// Which articles to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListArticlesQuery {
    /// Only this folder and below.
    #[serde(default)]
    folder: String,
    /// Only those for which all of these words hold, e.g. `tag:rust -status:draft created:2026-01..2026-03 updated:<7d`.
    #[serde(default)]
    filter: String,
    /// Most articles.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those saved since then: how long ago (`7d`), a day (`2026-11-01`) or a moment (RFC 3339).
    since: Option<String>,
}

/// Which deleted articles to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListDeletedQuery {
    /// Only this folder and below.
    #[serde(default)]
    folder: String,
    /// Most articles.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those deleted since then: how long ago (`7d`), a day (`2026-11-01`) or a moment (RFC 3339).
    since: Option<String>,
}

/// List articles, the last saved first.
///
/// The pages are those of one moment: what is saved while you go from page to page keeps its place, and is not missed. What is
/// created meanwhile is not listed.
#[utoipa::path(get, path = "/articles", operation_id = "list_articles", tag = "articles", params(ListArticlesQuery),
    responses((status = OK, description = "A page of articles", body = Page), ProblemResponses))]
async fn list(State(app): State<HttpState>, Query(listed): Query<ListArticlesQuery>) -> Result<Json<Page>, Problem> {
    let (limit, folder) = (page_length(listed.limit)?, folder(&listed.folder)?);
    let filter = filter(&listed.filter)?.saved_since(since(&app, listed.since.as_deref()).await?);
    let page = app.host.articles.list_where(&folder, &filter, listed.cursor.as_deref(), limit).await?;
    if page.articles.is_empty() && listed.cursor.is_none() {
        app.host.articles.must_be_known(&folder, &filter).await?;
    }
    Ok(Json(page))
}

/// List articles that were deleted and can be restored, the last deleted first.
///
/// Each has a name, such as `id:12`, by which it can be restored although another article has its slug now.
#[utoipa::path(get, path = "/deleted", operation_id = "list_deleted_articles", tag = "articles", params(ListDeletedQuery),
    responses((status = OK, description = "A page of deleted articles", body = DeletedPage), ProblemResponses))]
async fn deleted(
    State(app): State<HttpState>,
    Query(listed): Query<ListDeletedQuery>,
) -> Result<Json<DeletedPage>, Problem> {
    let (limit, folder) = (page_length(listed.limit)?, folder(&listed.folder)?);
    let since = since(&app, listed.since.as_deref()).await?;
    let page = (listed.cursor.as_deref(), limit);
    Ok(Json(app.host.articles.deleted_after(&folder, since, page, <[_]>::len).await?))
}

fn page_length(wanted: Option<u32>) -> Result<u32, Problem> {
    let limit = wanted.unwrap_or(DEFAULT_PAGE_SIZE);
    if (1..=MAX_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::invalid("limit", format!("must be from 1 to {MAX_PAGE}")))
    }
}

/// Parses a caller's point in time, by the database's clock.
async fn since(app: &HttpState, named: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(named) = named else { return Ok(None) };
    let now = app.host.queue.now().await?;
    time::since(named, now).map(Some).map_err(|error| Problem::invalid("since", error))
}
