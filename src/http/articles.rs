//! `/api/articles`: the article service over HTTP. A file for each subject; this one has saves and reads.

mod answer;
mod conditional;
mod editing;
mod given;
mod listing;

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    app::HttpState,
    extract::{self, IdempotencyKey, IdempotencyKeyHeader, IfMatch, IfMatchHeader, IfNoneMatchHeader, Path},
    problem::Problem,
    responses::ProblemResponses,
};
use crate::{
    api::{Article, Gone, Priority, Renamed},
    articles::{ArticlePatch, NewArticle, linking::RelinkReport},
    auth::Caller,
    bounded_json,
};

use answer::{insert, tagged};
pub(super) use answer::{keep, room, stored};
pub(super) use conditional::unless_matched;
pub(super) use given::{filter, folder};
use given::{properties, slug as new_slug};

pub(super) fn reading() -> OpenApiRouter<HttpState> {
    listing::reading().routes(routes!(read))
}

pub(super) fn writing() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(replace, change, delete))
        .routes(routes!(rename))
        .merge(editing::writing())
        .merge(listing::writing())
}

/// An article to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    /// Plain text; never blank.
    #[schema(min_length = 1, example = "How embeddings are kept true")]
    title: String,
    /// Markdown.
    #[serde(default)]
    body: String,
    /// Its name in addresses; from the title if not given.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 96)]
    slug: Option<String>,
    /// Its folder, e.g. `guides/rust`.
    #[serde(default)]
    folder: String,
    /// Do not embed it, now or later.
    #[serde(default)]
    skip_embedding: bool,
    /// Tags and other values of its front matter: texts, numbers, switches, and lists of them.
    #[serde(default, deserialize_with = "bounded_json::object")]
    #[schema(value_type = Object)]
    properties: Map<String, Value>,
    /// How urgent its embedding is.
    priority: Option<Priority>,
}

/// An article's new title, text and folder.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Replace {
    /// Plain text; never blank.
    #[schema(min_length = 1)]
    title: String,
    /// Markdown.
    body: String,
    /// Its folder; the root if not given.
    #[serde(default)]
    folder: String,
    /// Do not embed it, now or later; as it was if not given.
    skip_embedding: Option<bool>,
    /// How urgent its embedding is.
    priority: Option<Priority>,
}

/// What to change; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Plain text; never blank.
    #[schema(min_length = 1)]
    title: Option<String>,
    /// Markdown.
    body: Option<String>,
    /// Its folder.
    folder: Option<String>,
    /// `true`: never embed it.
    skip_embedding: Option<bool>,
    /// Values of its front matter to set, e.g. `{"status": "done", "tags": ["rust"]}`; `null` removes one, what is not named
    /// stays.
    #[serde(default, deserialize_with = "bounded_json::object")]
    #[schema(value_type = Object)]
    properties: Map<String, Value>,
    /// How urgent its embedding is.
    priority: Option<Priority>,
}

/// Another name for an article.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rename {
    /// The new slug; the old one keeps working.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 96)]
    slug: String,
    /// Change links from the old slug to the new one: each article that has some gets a new revision.
    #[serde(default)]
    update_links: bool,
}

/// Read an article by its slug or a former one.
#[utoipa::path(get, path = "/articles/{slug}", operation_id = "read_article", tag = "articles", params(("slug" = String, Path), IfNoneMatchHeader),
    responses((status = OK, description = "The article; its revision is the ETag", body = Article,
               headers(("ETag" = String))),
              (status = NOT_MODIFIED, description = "It is at the revision of `If-None-Match`"), ProblemResponses))]
async fn read(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
) -> Result<Response, Problem> {
    let room = room(&app, &caller, &slug).await?;
    Ok(keep(stored(StatusCode::OK, app.host.articles.read(&slug).await?), room))
}

/// Create an article. Never overwrites; answers once it is committed, before it is embedded.
#[utoipa::path(post, path = "/articles", operation_id = "create_article", tag = "articles", request_body = Create,
    params(IdempotencyKeyHeader),
    responses((status = CREATED, description = "Created", body = Article,
               headers(("ETag" = String), ("Location" = String))),
              (status = OK, description = "Created before with the same key", body = Article), ProblemResponses))]
async fn create(
    State(app): State<HttpState>,
    key: Option<IdempotencyKey>,
    extract::Json(given): extract::Json<Create>,
) -> Result<Response, Problem> {
    let new = NewArticle {
        title: given.title,
        body: given.body,
        slug: given.slug.as_deref().map(new_slug).transpose()?,
        folder: folder(&given.folder)?,
        skip_embedding: given.skip_embedding,
        properties: properties(&given.properties)?,
        priority: given.priority.map(Into::into),
        idempotency_key: key.map(|IdempotencyKey(key)| key),
        ..NewArticle::default()
    };
    let saved = app.host.articles.create(new).await?;
    let status = if saved.changed { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("/api/articles/{}", saved.article.slug);
    let mut response = stored(status, saved.article);
    insert(response.headers_mut(), header::LOCATION, location);
    Ok(response)
}

/// Replace an article's title, body and folder; its other values stay. Never creates one.
#[utoipa::path(put, path = "/articles/{slug}", operation_id = "replace_article", tag = "articles", request_body = Replace,
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "As stored", body = Article, headers(("ETag" = String))), ProblemResponses))]
async fn replace(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected_revision): IfMatch,
    extract::Json(given): extract::Json<Replace>,
) -> Result<Response, Problem> {
    let changes = ArticlePatch {
        title: Some(given.title),
        body: Some(given.body),
        folder: Some(folder(&given.folder)?),
        skip_embedding: given.skip_embedding,
        priority: given.priority.map(Into::into),
        expected_revision,
        ..ArticlePatch::default()
    };
    update(&app, &caller, &slug, changes).await
}

/// Change an article; what is not named stays.
#[utoipa::path(patch, path = "/articles/{slug}", operation_id = "change_article", tag = "articles", request_body = Change,
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "As stored", body = Article, headers(("ETag" = String))), ProblemResponses))]
async fn change(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected_revision): IfMatch,
    extract::Json(given): extract::Json<Change>,
) -> Result<Response, Problem> {
    let changes = ArticlePatch {
        title: given.title,
        body: given.body,
        folder: given.folder.map(|path| folder(&path)).transpose()?,
        skip_embedding: given.skip_embedding,
        properties: properties(&given.properties)?,
        priority: given.priority.map(Into::into),
        expected_revision,
        ..ArticlePatch::default()
    };
    update(&app, &caller, &slug, changes).await
}

async fn update(app: &HttpState, caller: &Caller, slug: &str, changes: ArticlePatch) -> Result<Response, Problem> {
    let room = room(app, caller, slug).await?;
    Ok(keep(stored(StatusCode::OK, app.host.articles.update(slug, changes).await?.article), room))
}

/// Delete an article with its vectors; `restore` brings it back.
#[utoipa::path(delete, path = "/articles/{slug}", operation_id = "delete_article", tag = "articles",
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "Deleted", body = Gone), ProblemResponses))]
async fn delete(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected_revision): IfMatch,
) -> Result<Json<Gone>, Problem> {
    let _room = room(&app, &caller, &slug).await?;
    Ok(Json(app.host.articles.delete(&slug, expected_revision).await?.into()))
}

/// Give an article another slug; the old one keeps working.
#[utoipa::path(post, path = "/articles/{slug}/rename", operation_id = "rename_article", tag = "articles", request_body = Rename,
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "As stored", body = Renamed, headers(("ETag" = String))), ProblemResponses))]
async fn rename(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected_revision): IfMatch,
    extract::Json(given): extract::Json<Rename>,
) -> Result<Response, Problem> {
    let room = room(&app, &caller, &slug).await?;
    let (articles, to) = (&app.host.articles, new_slug(&given.slug)?);
    let (saved, RelinkReport { mended, unmended }) = match given.update_links {
        true => articles.rename_with_links(&slug, to, expected_revision).await?,
        false => (articles.rename(&slug, to, expected_revision).await?, RelinkReport::default()),
    };
    let (tag, place) = (saved.article.revision, saved.article.slug.clone());
    let renamed = Renamed { article: saved.article, mended, unmended };
    Ok(keep(tagged(StatusCode::OK, Json(renamed), tag, &place), room))
}
