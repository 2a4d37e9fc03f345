//! `If-None-Match`: what is done only if the client does not have the article already, or if there is none (RFC 9110,
//! 13.1.2).

use axum::{
    body::Body,
    extract::{FromRequestParts, Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::http::{app::HttpState, problem::Problem};

/// The tags of an `If-None-Match`, or `*`.
enum IfNoneMatch {
    Any,
    Tags(Vec<String>),
}

/// The article in the path.
#[derive(Deserialize)]
struct SlugPath {
    slug: String,
}

/// Answers 304 without the article if the client has it at this revision, and refuses to change an article that should
/// not be there, or not at this revision.
pub(in crate::http) async fn unless_matched(
    State(app): State<HttpState>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(unwanted) = IfNoneMatch::of(request.headers()) else { return Ok(next.run(request).await) };
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(unwanted.left_out_of(next.run(request).await));
    }
    let (mut parts, body) = request.into_parts();
    // What is created has no name yet, and is never written over another article.
    if let Ok(Path(SlugPath { slug })) = Path::from_request_parts(&mut parts, &()).await
        && let Some(revision) = app.host.articles.revision(&slug).await?
        && unwanted.names(&tag(revision))
    {
        return Err(Problem::there_already(slug, revision));
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

fn tag(revision: i64) -> String {
    format!("\"{revision}\"")
}

impl IfNoneMatch {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        // The tags of this server have no comma in them.
        let tags: Vec<_> =
            values.flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty()).collect();
        match tags.as_slice() {
            [] => None,
            tags if tags.contains(&"*") => Some(Self::Any),
            tags => Some(Self::Tags(tags.iter().map(|tag| tag.strip_prefix("W/").unwrap_or(tag).to_owned()).collect())),
        }
    }

    fn names(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|known| known == tag),
        }
    }

    /// Returns the answer to a question, without its body if that is what the client has.
    fn left_out_of(&self, answer: Response) -> Response {
        let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        if answer.status() != StatusCode::OK || !tag.is_some_and(|tag| self.names(tag)) {
            return answer;
        }
        let kept = [header::ETAG, header::CONTENT_LOCATION, header::CACHE_CONTROL];
        let kept: Vec<(_, HeaderValue)> = kept
            .into_iter()
            .filter_map(|name| answer.headers().get(&name).cloned().map(|value| (name, value)))
            .collect();
        let mut unchanged = (StatusCode::NOT_MODIFIED, Body::empty()).into_response();
        unchanged.headers_mut().extend(kept);
        unchanged
    }
}
