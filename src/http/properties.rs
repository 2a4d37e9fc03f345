//! `/api/tags` and `/api/properties`: what articles say about themselves, and how many say it.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{app::HttpState, extract::Query, problem::Problem, responses::ProblemResponses};
use crate::api::{CountedRows, PropertyCount, TagCount, ValueCount};

/// Rows of an answer, if the request names no number.
const DEFAULT_ROWS: u32 = 200;
/// Most rows of an answer.
const MAX_ROWS: u32 = 1_000;

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(tags)).routes(routes!(properties))
}

/// Which tags to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TagsQuery {
    /// Only tags that begin with this.
    #[serde(default)]
    start: String,
    /// At most this many rows.
    #[param(minimum = 1, maximum = 1000, default = 200)]
    limit: Option<u32>,
}

/// Tags, the most used first.
#[derive(Serialize, ToSchema)]
struct Tags {
    tags: Vec<TagCount>,
    /// Of all tags that begin so.
    total: Option<i64>,
    /// Articles of an earlier version whose tags are not counted yet; they are read in the background.
    unread: i64,
}

/// Which properties to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PropertiesQuery {
    /// The values of this key, instead of all keys.
    key: Option<String>,
    /// At most this many rows.
    #[param(minimum = 1, maximum = 1000, default = 200)]
    limit: Option<u32>,
}

/// Keys of front matter, or the values of one, the most used first.
#[derive(Serialize, ToSchema)]
struct Properties {
    /// All keys, if none was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<PropertyCount>>,
    /// The values of the key that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<ValueCount>>,
    /// Of all keys, or of all values of the key.
    total: Option<i64>,
    /// Articles of an earlier version whose properties are not counted yet; they are read in the background.
    unread: i64,
}

/// List tags of front matter and texts, with the number of their articles.
#[utoipa::path(get, path = "/tags", operation_id = "list_tags", tag = "articles", params(TagsQuery),
    responses((status = OK, description = "Tags", body = Tags), ProblemResponses))]
async fn tags(State(app): State<HttpState>, Query(parameters): Query<TagsQuery>) -> Result<Json<Tags>, Problem> {
    let articles = &app.host.articles;
    let tags = articles.tags(&parameters.start, limit(parameters.limit)?).await?;
    Ok(Json(Tags { total: tags.total, tags: tags.rows, unread: articles.unread().await? }))
}

/// List keys of front matter, or the values of one key, with the number of their articles.
#[utoipa::path(get, path = "/properties", operation_id = "list_properties", tag = "articles", params(PropertiesQuery),
    responses((status = OK, description = "Keys, or values", body = Properties), ProblemResponses))]
async fn properties(
    State(app): State<HttpState>,
    Query(parameters): Query<PropertiesQuery>,
) -> Result<Json<Properties>, Problem> {
    let (articles, limit) = (&app.host.articles, limit(parameters.limit)?);
    let unread = articles.unread().await?;
    Ok(Json(match parameters.key {
        Some(key) => {
            let CountedRows { rows, total } = articles.property_values(&key, limit).await?;
            Properties { keys: None, values: Some(rows), total, unread }
        }
        None => {
            let CountedRows { rows, total } = articles.property_keys(limit).await?;
            Properties { keys: Some(rows), values: None, total, unread }
        }
    }))
}

fn limit(wanted: Option<u32>) -> Result<u32, Problem> {
    let limit = wanted.unwrap_or(DEFAULT_ROWS);
    if (1..=MAX_ROWS).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::invalid("limit", format!("must be from 1 to {MAX_ROWS}")))
}
