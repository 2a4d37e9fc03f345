//! What handlers take from a request. A request that cannot be read is answered with a [`Problem`].

use axum::{
    body::{Bytes, HttpBody},
    extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request},
    http::{HeaderMap, Uri, header, request::Parts},
};

use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::problem::Problem;
use crate::{offload, only_object::OnlyObject};

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::no_kind());
        }
        read(Bytes::from_request(request, state).await?).await.map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Of the kinds of JSON that are documents of their own, only this one means what is done here.
    ["application/json", "application/merge-patch+json"].contains(&kind.as_str())
}

/// Reads a body here, or, if that takes a while, on another thread: a large one may be a list of a million values.
async fn read<T: DeserializeOwned + Send + 'static>(bytes: Bytes) -> Result<T, Problem> {
    let is_small = bytes.len() <= offload::SMALL_TEXT_BYTES;
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::no_object());
    }
    let reading = move || axum::Json::from_bytes(&bytes).map(|axum::Json(OnlyObject(read))| read);
    Ok(if is_small { reading() } else { offload::save(reading).await }?)
}

/// A JSON body that may be left out: then it has its default value.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Default + Send + 'static> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let has_kind = request.headers().contains_key(header::CONTENT_TYPE);
        if !has_kind && request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        let bytes = Bytes::from_request(request, state).await?;
        let given = bytes.trim_ascii();
        if given.is_empty() || (has_kind && given == b"null") {
            return Ok(Self(T::default()));
        }
        if !has_kind {
            return Err(Problem::no_kind());
        }
        read(bytes).await.map(Self)
    }
}

/// The body of a request that takes no values: nothing, or an object without fields.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmptyBody {}

/// The query, after the `?`.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(super) struct Query<T>(pub(super) T);

/// The parameters of a search behind the `?`: any number of `q`, and the rest.
pub(super) struct SearchParams<T> {
    pub(super) questions: Vec<String>,
    pub(super) how: T,
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for SearchParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let all = parts.uri.query().unwrap_or_default().split('&');
        let (questions, how): (Vec<_>, Vec<_>) = all.partition(|part| part.split('=').next() == Some("q"));
        let questions: Vec<(String, String)> = behind(&questions)?;
        Ok(Self { questions: questions.into_iter().map(|(_, question)| question).collect(), how: behind(&how)? })
    }
}

/// Reads these parts of a query string.
fn behind<T: DeserializeOwned>(parts: &[&str]) -> Result<T, Problem> {
    let uri = format!("/?{}", parts.join("&")).parse::<Uri>().map_err(|error| Problem::malformed(error.to_string()))?;
    Ok(axum::extract::Query::try_from_uri(&uri)?.0)
}

/// The parameters of the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(super) struct Path<T>(pub(super) T);

/// The revision in `If-Match`; `None` for `*`, or without this header.
pub(super) struct IfMatch(pub(super) Option<i64>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = text(&parts.headers, header::IF_MATCH.as_str())? else { return Ok(Self(None)) };
        if value.trim() == "*" {
            return Ok(Self(None));
        }
        // Proxies that compress weaken the tags they pass on; the revision is the same.
        let tag = value.trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')?.parse().ok());
        let wrong = || Problem::malformed("If-Match must be one ETag that this server gave out, e.g. \"3\", or *");
        Ok(Self(Some(revision.ok_or_else(wrong)?)))
    }
}

/// The description of [`IfMatch`].
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "used for the description only")]
pub(super) struct IfMatchHeader {
    /// The ETag that was read: refuse if the article is at another revision.
    #[param(rename = "If-Match", required = false, pattern = r#"^(\*|(W/)?"[0-9]{1,18}")$"#)]
    if_match: String,
}

/// The description of `If-None-Match`, which a layer around the handlers reads.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "used for the description only")]
pub(super) struct IfNoneMatchHeader {
    /// The ETag that was read: answer 304, without the article, if it is still at this revision. The state of its embedding
    /// may have changed all the same: leave this out to ask for that. Tags that this server never gave out name no revision.
    #[param(rename = "If-None-Match", required = false)]
    if_none_match: String,
}

/// The description of [`IdempotencyKey`].
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "used for the description only")]
pub(super) struct IdempotencyKeyHeader {
    /// A create that is repeated with the same key answers with the first article.
    #[param(rename = "Idempotency-Key", required = false, min_length = 1, max_length = 255)]
    idempotency_key: String,
}

/// The key that identifies a repeated create.
pub(super) struct IdempotencyKey(pub(super) String);

impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Ok(text(&parts.headers, "idempotency-key")?.map(|key| Self(key.to_owned())))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let wrong = |_| Problem::malformed(format!("the header {name} must be plain text"));
    if headers.get_all(name).iter().count() > 1 {
        return Err(Problem::malformed(format!("the header {name} is there more than once")));
    }
    headers.get(name).map(|value| value.to_str().map_err(wrong)).transpose()
}
