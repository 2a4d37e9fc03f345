//! Articles as answers.

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    api::Article,
    auth::Caller,
    http::{app::App, body::keeping, problem::Problem},
    share::Taken,
};

/// An article as an answer: its revision is the ETag, and its present name the place.
pub(in crate::http) fn stored(status: StatusCode, article: Article) -> Response {
    let (revision, slug) = (article.revision, article.slug.clone());
    tagged(status, Json(article), revision, &slug)
}

pub(super) fn tagged(status: StatusCode, answer: impl IntoResponse, revision: i64, slug: &str) -> Response {
    let mut response = (status, answer).into_response();
    insert(response.headers_mut(), header::ETAG, format!("\"{revision}\""));
    insert(response.headers_mut(), header::CONTENT_LOCATION, format!("/api/articles/{slug}"));
    response
}

/// Room for the article as it is now, if it is a large one.
pub(in crate::http) async fn room(app: &App, caller: &Caller, slug: &str) -> Result<Option<Taken>, Problem> {
    let size = app.host.articles.weight(slug).await?;
    Ok(app.host.large_texts.room(&caller.who, size).await)
}

/// The answer, and its room until it has been sent.
pub(in crate::http) fn keep(response: Response, room: Option<Taken>) -> Response {
    if room.is_none() { response } else { response.map(|body| keeping(body, room)) }
}

/// Slugs and numbers are plain ASCII.
pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
