//! `/api/search`

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{app::App, articles::folder, extract::Query, problem::Problem, responses::Refused};
use crate::{
    auth::Caller,
    search::{self, Mode, SearchAnswer},
};

pub(super) fn reading() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(find))
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// What you look for, in your words.
    #[param(min_length = 1, max_length = 2000)]
    q: String,
    /// By words and meaning, by meaning, or by words.
    #[serde(default)]
    #[param(inline)]
    mode: Mode,
    /// Most hits.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// Only this folder and below.
    #[serde(default)]
    folder: String,
}

/// Find articles by words and by meaning; each hit says how its embedding stands.
#[utoipa::path(get, path = "/search", operation_id = "search_articles", tag = "search", params(Asked),
    responses((status = OK, description = "The best first", body = SearchAnswer), Refused))]
async fn find(
    State(app): State<App>,
    caller: Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Result<Json<SearchAnswer>, Problem> {
    let query = search::Query {
        text: asked.q,
        mode: asked.mode,
        limit: asked.limit.unwrap_or(app.host.settings().search.default_limit),
        folder: folder(&asked.folder)?,
    };
    let _turn = app.host.searches.take(&caller.who, 1).await;
    Ok(Json(app.host.search.search(&query).await?))
}
