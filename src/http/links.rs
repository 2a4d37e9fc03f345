//! Links between articles over HTTP.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    app::HttpState,
    extract::{Path, Query},
    problem::Problem,
    responses::ProblemResponses,
};
use crate::api::{Backlink, BrokenLink, CountedRows, OutgoingLink};

/// Links of an answer, if the request names no number.
const DEFAULT_ROWS: u32 = 200;
/// Most links of an answer.
const MAX_ROWS: u32 = 1_000;

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(of_article)).routes(routes!(broken))
}

/// How many links to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LinksQuery {
    /// At most this many rows.
    #[param(minimum = 1, maximum = 1000, default = 200)]
    limit: Option<u32>,
}

/// What an article links to, and what links to it.
#[derive(Serialize, ToSchema)]
struct Links {
    /// In the order of its text.
    links: Vec<OutgoingLink>,
    /// In the order of slugs.
    backlinks: Vec<Backlink>,
    /// Articles of an earlier version whose links are not known yet; they are read in the background.
    unread: i64,
}

/// Links that lead to no article.
#[derive(Serialize, ToSchema)]
struct Broken {
    /// In the order of the articles that have them.
    links: Vec<BrokenLink>,
    /// Of all; `null` if they are more than are counted.
    total: Option<i64>,
    /// Articles of an earlier version whose links are not known yet; they are read in the background.
    unread: i64,
}

/// List what an article links to, and what links to it.
#[utoipa::path(get, path = "/articles/{slug}/links", operation_id = "list_links", tag = "articles",
    params(("slug" = String, Path), LinksQuery),
    responses((status = OK, description = "Links in both directions", body = Links), ProblemResponses))]
async fn of_article(
    State(app): State<HttpState>,
    Path(slug): Path<String>,
    Query(parameters): Query<LinksQuery>,
) -> Result<Json<Links>, Problem> {
    let (articles, limit) = (&app.host.articles, limit(parameters.limit)?);
    let linked = articles.linked(&slug).await?;
    let links = articles.links_of(&linked, limit).await?;
    let backlinks = articles.backlinks(&linked, limit).await?;
    Ok(Json(Links { links, backlinks, unread: articles.unread().await? }))
}

/// List links that lead to no article.
#[utoipa::path(get, path = "/links/broken", operation_id = "list_broken_links", tag = "articles", params(LinksQuery),
    responses((status = OK, description = "Links that lead nowhere", body = Broken), ProblemResponses))]
async fn broken(State(app): State<HttpState>, Query(parameters): Query<LinksQuery>) -> Result<Json<Broken>, Problem> {
    let articles = &app.host.articles;
    let CountedRows { rows, total } = articles.broken_links(limit(parameters.limit)?).await?;
    Ok(Json(Broken { links: rows, total, unread: articles.unread().await? }))
}

fn limit(wanted: Option<u32>) -> Result<u32, Problem> {
    let limit = wanted.unwrap_or(DEFAULT_ROWS);
    if (1..=MAX_ROWS).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::invalid("limit", format!("must be from 1 to {MAX_ROWS}")))
}
