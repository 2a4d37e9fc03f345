//! `/api/articles`: the article service over HTTP.

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    app::App,
    body::keeping,
    extract::{self, IdempotencyKey, IdempotencyKeyHeader, IfMatch, IfMatchHeader, Path, Query},
    problem::Problem,
    responses::Refused,
};
use crate::{
    articles::{
        Article, Changes, DeletedPage, Gone, NewArticle, OnConflict, Page, PartEdits,
        editing::{AskedEdit, Edit},
        folder::Folder,
        front_matter::{NoSetting, Setting},
        linking::Mended,
        properties::Filter,
        slug::Slug,
    },
    auth::Caller,
    host::EditAnswer,
    share::Taken,
    time::{self, Timestamp},
};
use afterword_actors::task::Priority;

/// Articles of a page, if nobody asks for a number.
const PAGE: u32 = 50;
/// Most articles of a page.
const MOST: u32 = 200;

pub(super) fn reading() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read)).routes(routes!(deleted))
}

pub(super) fn writing() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(replace, change, delete))
        .routes(routes!(rename))
        .routes(routes!(edit))
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
    /// Where it stands, e.g. `guides/rust`.
    #[serde(default)]
    folder: String,
    /// Do not embed it, now or later.
    #[serde(default)]
    skip_embedding: bool,
    /// Tags and other values of its front matter: texts, numbers, switches, and lists of them.
    #[serde(default)]
    #[schema(value_type = Object)]
    properties: Map<String, Value>,
    /// How urgent its embedding is.
    #[schema(value_type = Option<PriorityName>)]
    priority: Option<Priority>,
}

/// `high`, `normal` or `low`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "stands in the description for a type of another crate")]
enum PriorityName {
    High,
    Normal,
    Low,
}

/// What an article is to be from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Replace {
    /// Plain text; never blank.
    #[schema(min_length = 1)]
    title: String,
    /// Markdown.
    body: String,
    /// Where it stands; the root if not given.
    #[serde(default)]
    folder: String,
    /// Do not embed it, now or later.
    #[serde(default)]
    skip_embedding: bool,
    /// How urgent its embedding is.
    #[schema(value_type = Option<PriorityName>)]
    priority: Option<Priority>,
}

/// What is to change; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Plain text; never blank.
    #[schema(min_length = 1)]
    title: Option<String>,
    /// Markdown.
    body: Option<String>,
    /// Where it stands.
    folder: Option<String>,
    /// Whether never to embed it.
    skip_embedding: Option<bool>,
    /// Values of its front matter to set, e.g. `{"status": "done", "tags": ["rust"]}`; `null` removes one, what is not named
    /// stays.
    #[serde(default)]
    #[schema(value_type = Object)]
    properties: Map<String, Value>,
    /// How urgent its embedding is.
    #[schema(value_type = Option<PriorityName>)]
    priority: Option<Priority>,
}

/// Changes of parts of an article's text: all of them are saved as one revision, or none is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Edits {
    /// In their order; each sees what those before it have made.
    #[schema(min_items = 1)]
    edits: Vec<AskedEdit>,
    /// What happens if the article is at another revision than `If-Match` says: `refuse` it, or `merge` both changes if they
    /// are of different lines.
    #[serde(default)]
    on_conflict: OnConflict,
}

/// Another name for an article.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rename {
    /// The new slug; the old one keeps working.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 96)]
    slug: String,
    /// Make links that name it by the old slug name it by the new one: one revision for each article that links.
    #[serde(default)]
    update_links: bool,
}

/// An article under its new name.
#[derive(Serialize, ToSchema)]
struct Renamed {
    #[serde(flatten)]
    article: Article,
    /// Articles whose links were mended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mended: Vec<Mended>,
}

/// Which articles to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Listed {
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
struct ListedDeleted {
    /// Only this folder and below.
    #[serde(default)]
    folder: String,
    /// Most articles.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Only those deleted since then: how long ago (`7d`), a day (`2026-11-01`) or a moment (RFC 3339).
    since: Option<String>,
}

/// List articles, the last saved first.
#[utoipa::path(get, path = "/articles", operation_id = "list_articles", tag = "articles", params(Listed),
    responses((status = OK, description = "A page of articles", body = Page), Refused))]
async fn list(State(app): State<App>, Query(listed): Query<Listed>) -> Result<Json<Page>, Problem> {
    let (limit, folder) = (page_length(listed.limit)?, folder(&listed.folder)?);
    let filter = filter(&listed.filter)?.saved_since(since(&app, listed.since.as_deref()).await?);
    Ok(Json(app.host.articles.list_where(&folder, &filter, listed.cursor.as_deref(), limit).await?))
}

/// List articles that were deleted and can be restored, the last deleted first.
///
/// Each has a name, such as `id:12`, by which it can be restored although another article has its slug now.
#[utoipa::path(get, path = "/deleted", operation_id = "list_deleted_articles", tag = "articles", params(ListedDeleted),
    responses((status = OK, description = "The last deleted", body = DeletedPage), Refused))]
async fn deleted(State(app): State<App>, Query(listed): Query<ListedDeleted>) -> Result<Json<DeletedPage>, Problem> {
    let (limit, folder) = (page_length(listed.limit)?, folder(&listed.folder)?);
    let since = since(&app, listed.since.as_deref()).await?;
    Ok(Json(app.host.articles.deleted(&folder, since, limit).await?))
}

fn page_length(asked: Option<u32>) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(PAGE);
    if (1..=MOST).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::invalid("limit", format!("must be from 1 to {MOST}")))
    }
}

/// A point in time as a caller names it, by the database's clock.
async fn since(app: &App, named: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(named) = named else { return Ok(None) };
    let now = app.host.queue.now().await?;
    time::since(named, now).map(Some).map_err(|error| Problem::invalid("since", error))
}

/// Read an article by its slug or a former one.
#[utoipa::path(get, path = "/articles/{slug}", operation_id = "read_article", tag = "articles", params(("slug" = String, Path)),
    responses((status = OK, description = "The article; its revision is the ETag", body = Article,
               headers(("ETag" = String))), Refused))]
async fn read(
    State(app): State<App>,
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
              (status = OK, description = "Created before, with the same key", body = Article), Refused))]
async fn create(
    State(app): State<App>,
    key: Option<IdempotencyKey>,
    extract::Json(given): extract::Json<Create>,
) -> Result<Response, Problem> {
    let new = NewArticle {
        title: given.title,
        body: given.body,
        slug: given.slug.map(|slug| parse_slug(&slug)).transpose()?,
        folder: folder(&given.folder)?,
        skip_embedding: given.skip_embedding,
        properties: properties(&given.properties)?,
        priority: given.priority,
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

/// Give an article another title, body and folder. Creates nothing.
#[utoipa::path(put, path = "/articles/{slug}", operation_id = "replace_article", tag = "articles", request_body = Replace,
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "As stored", body = Article, headers(("ETag" = String))), Refused))]
async fn replace(
    State(app): State<App>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected_revision): IfMatch,
    extract::Json(given): extract::Json<Replace>,
) -> Result<Response, Problem> {
    let changes = Changes {
        title: Some(given.title),
        body: Some(given.body),
        folder: Some(folder(&given.folder)?),
        skip_embedding: Some(given.skip_embedding),
        priority: given.priority,
        expected_revision,
        ..Changes::default()
    };
    update(&app, &caller, &slug, changes).await
}

/// Change an article; what is not named stays.
#[utoipa::path(patch, path = "/articles/{slug}", operation_id = "change_article", tag = "articles", request_body = Change,
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "As stored", body = Article, headers(("ETag" = String))), Refused))]
async fn change(
    State(app): State<App>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected_revision): IfMatch,
    extract::Json(given): extract::Json<Change>,
) -> Result<Response, Problem> {
    let changes = Changes {
        title: given.title,
        body: given.body,
        folder: given.folder.map(|path| folder(&path)).transpose()?,
        skip_embedding: given.skip_embedding,
        properties: properties(&given.properties)?,
        priority: given.priority,
        expected_revision,
        ..Changes::default()
    };
    update(&app, &caller, &slug, changes).await
}

/// Change parts of an article's text: add at an end, change a section, replace a text. Answers what changed, not the text.
#[utoipa::path(patch, path = "/articles/{slug}/body", operation_id = "edit_article", tag = "articles", request_body = Edits,
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "What changed", body = EditAnswer, headers(("ETag" = String))), Refused))]
async fn edit(
    State(app): State<App>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected_revision): IfMatch,
    extract::Json(given): extract::Json<Edits>,
) -> Result<Response, Problem> {
    let edits = given.edits.into_iter().map(Edit::try_from).collect::<Result<_, _>>();
    let edits = edits.map_err(|error| Problem::invalid("edits", error))?;
    let room = room(&app, &caller, &slug).await?;
    let asked = PartEdits { edits, expected_revision, on_conflict: given.on_conflict };
    let answer = app.host.edit(&slug, asked).await?;
    let tag = format!("\"{}\"", answer.revision);
    let mut response = Json(answer).into_response();
    insert(response.headers_mut(), header::ETAG, tag);
    Ok(keep(response, room))
}

async fn update(app: &App, caller: &Caller, slug: &str, changes: Changes) -> Result<Response, Problem> {
    let room = room(app, caller, slug).await?;
    Ok(keep(stored(StatusCode::OK, app.host.articles.update(slug, changes).await?.article), room))
}

/// Delete an article with its vectors; `restore` brings it back.
#[utoipa::path(delete, path = "/articles/{slug}", operation_id = "delete_article", tag = "articles",
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "Deleted", body = Gone), Refused))]
async fn delete(
    State(app): State<App>,
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
    responses((status = OK, description = "As stored", body = Renamed, headers(("ETag" = String))), Refused))]
async fn rename(
    State(app): State<App>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected_revision): IfMatch,
    extract::Json(given): extract::Json<Rename>,
) -> Result<Response, Problem> {
    let room = room(&app, &caller, &slug).await?;
    let (articles, to) = (&app.host.articles, parse_slug(&given.slug)?);
    let (saved, mended) = match given.update_links {
        true => articles.rename_with_links(&slug, to, expected_revision).await?,
        false => (articles.rename(&slug, to, expected_revision).await?, Vec::new()),
    };
    let (tag, place) = (saved.article.revision, saved.article.slug.clone());
    let renamed = Renamed { article: saved.article, mended };
    Ok(keep(tagged(StatusCode::OK, Json(renamed), tag, &place), room))
}

/// An article as an answer: its revision is the ETag, and its present name the place.
pub(super) fn stored(status: StatusCode, article: Article) -> Response {
    let (revision, slug) = (article.revision, article.slug.clone());
    tagged(status, Json(article), revision, &slug)
}

fn tagged(status: StatusCode, answer: impl IntoResponse, revision: i64, slug: &str) -> Response {
    let mut response = (status, answer).into_response();
    insert(response.headers_mut(), header::ETAG, format!("\"{revision}\""));
    insert(response.headers_mut(), header::CONTENT_LOCATION, format!("/api/articles/{slug}"));
    response
}

/// Room for the article as it is now, if it is a large one.
pub(super) async fn room(app: &App, caller: &Caller, slug: &str) -> Result<Option<Taken>, Problem> {
    let size = app.host.articles.weight(slug).await?;
    Ok(app.host.large_texts.room(&caller.who, size).await)
}

/// The answer, and its room until it has been sent.
pub(super) fn keep(response: Response, room: Option<Taken>) -> Response {
    if room.is_none() { response } else { response.map(|body| keeping(body, room)) }
}

/// Slugs and numbers are plain ASCII.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

pub(super) fn folder(path: &str) -> Result<Folder, Problem> {
    Folder::parse(path).map_err(|error| Problem::invalid("folder", error))
}

pub(super) fn filter(words: &str) -> Result<Filter, Problem> {
    Filter::parse(words).map_err(|error| Problem::invalid("filter", error))
}

fn properties(given: &Map<String, Value>) -> Result<Vec<(String, Option<Setting>)>, Problem> {
    let setting = |(key, value): (&String, &Value)| Ok((key.clone(), Setting::from_json(key, value)?));
    given.iter().map(setting).collect::<Result<_, NoSetting>>().map_err(|error| Problem::invalid("properties", error))
}

fn parse_slug(slug: &str) -> Result<Slug, Problem> {
    Slug::parse(slug).map_err(|error| Problem::invalid("slug", error))
}
