//! The one place where a refusal becomes an answer: problem details as in RFC 9457.

use std::time::Duration;

use afterword_actors::store::StoreError;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    articles::ArticleError,
    auth::{AuthError, Permission},
    bulk::BulkError,
    printable,
    queue::QueueError,
    search::{MAX_PASSAGES, SearchError},
};

/// Longest explanation: it may quote the request. *Units:* characters.
const LONGEST_DETAIL: usize = 2_000;
/// Longest name in a problem. *Units:* characters.
const LONGEST_NAME: usize = 200;
/// When a client should come back after the database was busy or away.
const DATABASE_RETRY: Duration = Duration::from_secs(1);

/// Why a request was refused, as an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    details: Box<Details>,
    retry_after: Option<Duration>,
    challenge: Option<HeaderValue>,
    ends_connection: bool,
}

/// Why a request was refused (RFC 9457).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Details {
    /// The sort of problem: `urn:afterword:problem:` and `code`.
    #[serde(rename = "type")]
    kind: String,
    /// The sort of problem, in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened, and what to do.
    detail: String,
    /// The sort of problem, for programs.
    code: &'static str,
    /// The field of the request that has an invalid value.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// The article it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    /// The revision the article is at.
    #[serde(skip_serializing_if = "Option::is_none")]
    present_revision: Option<i64>,
    /// What has changed since the revision that was expected: in the text as `diff -u` shows it, and what else.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<String>,
    /// A name that was perhaps meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let details = Details {
            kind: format!("urn:afterword:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Refused"),
            status: status.as_u16(),
            detail: printable::line(&detail.into(), LONGEST_DETAIL),
            code,
            ..Details::default()
        };
        Self { details: Box::new(details), retry_after: None, challenge: None, ends_connection: false }
    }

    /// A request that cannot be read at all.
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// A field with an invalid value.
    pub(super) fn invalid(field: &'static str, message: impl std::fmt::Display) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", format!("{field}: {message}"));
        problem.details.field = Some(field);
        problem
    }

    /// `If-None-Match` asks for nothing to be done with an article that is there.
    pub(super) fn there_already(slug: String, revision: i64) -> Self {
        let detail = format!(
            "the article \"{}\" is there, at revision {revision}, and If-None-Match asks to change nothing then; to change this \
             revision, send If-Match: \"{revision}\" instead",
            printable::line(&slug, LONGEST_NAME)
        );
        let mut problem = Self::new(StatusCode::PRECONDITION_FAILED, "conflict", detail).about(slug);
        problem.details.present_revision = Some(revision);
        problem
    }

    /// A body without a media type.
    pub(super) fn no_kind() -> Self {
        let detail = "the body must be sent with Content-Type: application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    /// A body that is not an object.
    pub(super) fn no_object() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "the body must be a JSON object")
    }

    /// An internal error. The log has the details; the client is not told them.
    pub(super) fn internal(what: &str) -> Self {
        tracing::error!(error = what, "a request failed");
        let detail = "the server failed; nothing was saved, and its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    pub(super) fn no_route(path: &str) -> Self {
        let shown = printable::line(path, LONGEST_NAME);
        let detail = match path.strip_prefix("/api/articles/").and_then(|rest| rest.rsplit_once('/')) {
            Some((_, name)) if !name.is_empty() => {
                let name = printable::line(name, LONGEST_NAME);
                format!("there is nothing at {shown}; a folder is no part of a slug: try /api/articles/{name}")
            }
            Some(_) | None => format!("there is nothing at {shown}; /api/docs shows what there is"),
        };
        Self::new(StatusCode::NOT_FOUND, "no_route", detail)
    }

    pub(super) fn no_method() -> Self {
        let detail = "this cannot be done here; /api/docs shows what can";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "no_method", detail)
    }

    pub(super) fn unauthorized(error: &AuthError, challenge: HeaderValue) -> Self {
        match error {
            AuthError::Invalid => {
                let detail =
                    "a valid token is needed: Authorization: Bearer aw_…; `afterword token create NAME` makes one";
                let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail);
                Self { challenge: Some(challenge), ..problem }
            }
            AuthError::NoScope => Self::forbidden(Permission::Read, challenge),
            AuthError::Issuer => Self::new(StatusCode::SERVICE_UNAVAILABLE, "issuer_unavailable", error.to_string())
                .later(DATABASE_RETRY),
            AuthError::Store(error) => Self::from(error.clone()),
        }
    }

    pub(super) fn forbidden(needed: Permission, challenge: HeaderValue) -> Self {
        let detail =
            format!("this needs a token of scope {needed}; `afterword token create NAME --scope {needed}` makes one");
        let problem = Self::new(StatusCode::FORBIDDEN, "insufficient_scope", detail);
        Self { challenge: Some(challenge), ..problem }
    }

    /// The caller was authenticated, and is not valid any more.
    pub(super) fn ended() -> Self {
        let detail =
            "the token was revoked or has expired meanwhile; an answer may be missing, so read before you repeat";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub(super) fn later(self, after: Duration) -> Self {
        Self { retry_after: Some(after), ..self }
    }

    /// The rest of the request's body is not read: the connection cannot be used again, and the client is told so.
    pub(super) fn with_the_rest_unread(self) -> Self {
        Self { ends_connection: true, ..self }
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.details.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn about(mut self, slug: impl Into<String>) -> Self {
        self.details.slug = Some(printable::line(&slug.into(), LONGEST_NAME));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let Self { details, retry_after, challenge, ends_connection } = self;
        let mut response = (status, Json(details)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(after) = retry_after {
            // Whole seconds, and at least one.
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs_f64().ceil().max(1.0) as u64));
        }
        if ends_connection {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<ArticleError> for Problem {
    fn from(error: ArticleError) -> Self {
        let detail = error.to_string();
        match error {
            ArticleError::NotFound { slug, suggestion } => {
                let mut problem = Self::new(StatusCode::NOT_FOUND, "not_found", detail).about(slug);
                problem.details.suggestion = suggestion;
                problem
            }
            ArticleError::Exists { slug, title: _, same_title: _ } => {
                Self::new(StatusCode::CONFLICT, "exists", detail).about(slug)
            }
            ArticleError::FormerName { slug: _, present } => {
                Self::new(StatusCode::CONFLICT, "former_name", detail).about(present)
            }
            ArticleError::Conflict { slug, expected, present, changed } => {
                let detail =
                    ArticleError::Conflict { slug: slug.clone(), expected, present, changed: None }.to_string();
                let mut problem = Self::new(StatusCode::PRECONDITION_FAILED, "conflict", detail).about(slug);
                problem.details.present_revision = Some(present);
                problem.details.changed = changed;
                problem
            }
            ArticleError::Edit(error) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.fault.code(), detail),
            ArticleError::NoRevision { slug, revision: _ } => {
                Self::new(StatusCode::NOT_FOUND, "no_revision", detail).about(slug)
            }
            ArticleError::NoPast { slug, deleted: _ } => Self::new(StatusCode::CONFLICT, "no_past", detail).about(slug),
            ArticleError::KeyOfDeleted { key: _, name: _ } => Self::new(StatusCode::CONFLICT, "deleted", detail),
            ArticleError::KeyReused { key: _ } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", detail),
            ArticleError::Invalid { field, message } => Self::invalid(field, message),
            ArticleError::TooLarge { size: _, limit: _ } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
            }
            ArticleError::Store(error) => error.into(),
        }
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        let detail = error.to_string();
        match error {
            SearchError::EmptyQuery | SearchError::Questions => Self::invalid("q", detail),
            SearchError::NoArticle(_) => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            SearchError::NoProperty { .. } => Self::invalid("filter", detail),
            SearchError::Limit(most) => Self::invalid("limit", format!("must be from 1 to {most}")),
            SearchError::Passages => Self::invalid("passages", format!("must be from 1 to {MAX_PASSAGES}")),
            SearchError::NoMeaning(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_meaning", detail).later(DATABASE_RETRY)
            }
            SearchError::Store(error) => error.into(),
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        let detail = error.to_string();
        match error {
            QueueError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            QueueError::NotAllowed { id: _, status: _ } => Self::new(StatusCode::CONFLICT, "not_allowed", detail),
            QueueError::AlreadyWaiting { id: _, other: _ } => {
                Self::new(StatusCode::CONFLICT, "already_waiting", detail)
            }
            QueueError::Store(error) => error.into(),
        }
    }
}

impl From<BulkError> for Problem {
    fn from(error: BulkError) -> Self {
        let detail = error.to_string();
        match error {
            BulkError::NotFound(_) | BulkError::NoneYet | BulkError::NoFolder(_) => {
                Self::new(StatusCode::NOT_FOUND, "not_found", detail)
            }
            BulkError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::DiskFull => Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", detail),
            StoreError::Busy
            | StoreError::ReadOnly(_)
            | StoreError::System(_)
            | StoreError::NotInPlace(_)
            | StoreError::Aborted(_)
            | StoreError::NoConnection(_)
            | StoreError::Unreachable(_)
            | StoreError::InDoubt(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable", detail).later(DATABASE_RETRY)
            }
            StoreError::Damaged(_) | StoreError::Constraint(_) | StoreError::Unexpected(_) | StoreError::Failed(_) => {
                Self::internal(&detail)
            }
        }
    }
}
