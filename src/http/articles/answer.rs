//! Articles as answers.

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    api::Article,
    auth::Caller,
    http::{app::HttpState, body::keeping, problem::Problem},
    share::SharePermit,
};

/// Makes an answer of an article: its revision is the ETag, and its present name the location.
pub(in crate::http) fn stored(status: StatusCode, article: Article) -> Response {
    let (revision, slug) = (article.revision, article.slug.clone());
    tagged(status, Json(article), revision, &slug)
}

pub(super) fn tagged(status: StatusCode, answer: impl IntoResponse, revision: i64, slug: &str) -> Response {
    let mut response = (status, answer).into_response();
    insert(response.headers_mut(), header::ETAG, format!("\"{revision}\""));
    insert(response.headers_mut(), header::CONTENT_LOCATION, format!("/api/articles/{slug}"));
    // A browser would ask by itself with `If-None-Match`, and show the state of an embedding that has ended since.
    insert(response.headers_mut(), header::CACHE_CONTROL, "no-store".to_owned());
    response
}

/// Takes room for the present article, if it is large.
pub(in crate::http) async fn room(
    app: &HttpState,
    caller: &Caller,
    slug: &str,
) -> Result<Option<SharePermit>, Problem> {
    let size = app.host.articles.weight(slug).await?;
    Ok(app.host.large_texts.room(&caller.who, size).await)
}

/// Keeps the room until the answer has been sent.
pub(in crate::http) fn keep(response: Response, room: Option<SharePermit>) -> Response {
    if room.is_none() { response } else { response.map(|body| keeping(body, room)) }
}

/// Inserts a header; slugs and numbers are plain ASCII, so this cannot fail.
pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
