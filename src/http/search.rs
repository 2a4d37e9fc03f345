//! `/api/search`

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    app::HttpState,
    articles::{filter, folder},
    extract::{Path, Query, SearchParams},
    problem::Problem,
    responses::ProblemResponses,
};
use crate::{
    auth::Caller,
    search::{self, Mode, SearchAnswer},
};

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(find)).routes(routes!(related))
}

/// How to look for it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SearchQuery {
    /// By words and meaning, by meaning, or by words.
    #[serde(default)]
    #[param(inline)]
    mode: Mode,
    /// At most this many hits.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// Only this folder and below.
    #[serde(default)]
    folder: String,
    /// Only articles that match all of these words, as in a list of articles: `tag:rust -status:draft rating:>3`.
    #[serde(default)]
    filter: String,
    /// At most this many passages of one article.
    #[param(minimum = 1, maximum = 10)]
    passages: Option<usize>,
    /// Whether to explain the rank of each hit.
    #[serde(default)]
    explain: bool,
}

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct RelatedQuery {
    /// At most this many hits.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// Find articles similar to one: near to it in meaning, with the same rare words.
#[utoipa::path(get, path = "/articles/{slug}/related", operation_id = "related_articles", tag = "search",
    params(("slug" = String, Path, description = "Its slug, or a former one"), RelatedQuery),
    responses((status = OK, description = "The best first", body = SearchAnswer), ProblemResponses))]
async fn related(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    Query(parameters): Query<RelatedQuery>,
) -> Result<Json<SearchAnswer>, Problem> {
    let limit = parameters.limit.unwrap_or(app.host.settings().search.default_limit);
    Ok(Json(app.host.related(&caller.who, &slug, limit).await?))
}

/// Find articles by words and by meaning; each hit has the state of its embedding.
#[utoipa::path(get, path = "/search", operation_id = "search_articles", tag = "search",
    params(("q" = Vec<String>, Query, min_items = 1, max_items = 5, description = "What you look for, in your words; \
            `\"a phrase\"`, `-without`, `begin*`, `folder:`, `title:`, `slug:`, `tag:`, `created:>2026-01`, `updated:<7d`. Only the \
            first 2,000 characters are searched. Several are answered together, and each hit says which of them found it."),
        SearchQuery),
    responses((status = OK, description = "The best first", body = SearchAnswer), ProblemResponses))]
async fn find(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    SearchParams { questions, how: parameters }: SearchParams<SearchQuery>,
) -> Result<Json<SearchAnswer>, Problem> {
    let limit = parameters.limit.unwrap_or(app.host.settings().search.default_limit);
    let Some((first, others)) = questions.split_first() else { return Err(Problem::malformed("missing field `q`")) };
    let query = search::Query {
        folder: folder(&parameters.folder)?,
        filter: filter(&parameters.filter)?,
        passages: parameters.passages.unwrap_or(1),
        explain: parameters.explain,
        ..search::Query::new(first, parameters.mode, limit)
    };
    let (folder, filter) = (query.folder.clone(), query.filter.clone());
    let found = app.host.find(&caller.who, query, others.to_vec()).await?;
    if found.hits.is_empty() {
        app.host.articles.must_be_known(&folder, &filter).await?;
    }
    Ok(Json(found))
}
