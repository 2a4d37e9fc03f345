//! `/api/folders`

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{app::HttpState, problem::Problem, responses::ProblemResponses};
use crate::articles::FolderCount;

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// All folders.
#[derive(Serialize, ToSchema)]
struct Folders {
    /// In order.
    folders: Vec<FolderCount>,
    /// How many there are.
    total: usize,
}

/// List the folders with articles.
#[utoipa::path(get, path = "/folders", operation_id = "list_folders", tag = "articles",
    responses((status = OK, description = "All folders", body = Folders), ProblemResponses))]
async fn list(State(app): State<HttpState>) -> Result<Json<Folders>, Problem> {
    let folders = app.host.articles.folders().await?;
    Ok(Json(Folders { total: folders.len(), folders }))
}
