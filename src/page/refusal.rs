//! Why a request was refused, in words for a person. [`front`](super::front) puts the frame around it.

use std::fmt;

use afterword_actors::store::StoreError;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    articles::ArticleError,
    auth::{Permission, TokenError},
    bulk::BulkError,
    queue::QueueError,
    search::SearchError,
};

/// A refused request. Nothing was changed.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    detail: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub(super) fn unknown() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "sign in with a token first")
    }

    pub(super) fn forbidden(scope: Permission) -> Self {
        Self::new(StatusCode::FORBIDDEN, format!("this needs a token of scope {scope}; sign in with one that has it"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
        (self.status, kind, self.detail).into_response()
    }
}

impl From<ArticleError> for Refusal {
    fn from(error: ArticleError) -> Self {
        let detail = error.to_string();
        match error {
            ArticleError::NotFound { .. } | ArticleError::NoRevision { .. } => Self::not_found(detail),
            ArticleError::Exists { .. }
            | ArticleError::FormerName { .. }
            | ArticleError::Conflict { .. }
            | ArticleError::KeyOfDeleted { .. }
            | ArticleError::NoPast { .. } => Self::new(StatusCode::CONFLICT, detail),
            ArticleError::KeyReused { .. } | ArticleError::Invalid { .. } | ArticleError::Edit(_) => {
                Self::invalid(detail)
            }
            ArticleError::TooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail),
            ArticleError::Store(error) => error.into(),
        }
    }
}

impl From<SearchError> for Refusal {
    fn from(error: SearchError) -> Self {
        let detail = error.to_string();
        match error {
            SearchError::EmptyQuery
            | SearchError::Limit(_)
            | SearchError::Passages
            | SearchError::NoProperty { .. }
            | SearchError::Questions => Self::invalid(detail),
            SearchError::NoArticle(_) => Self::not_found(detail),
            SearchError::NoMeaning(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail),
            SearchError::Store(error) => error.into(),
        }
    }
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        let detail = error.to_string();
        match error {
            QueueError::NotFound(_) => Self::not_found(detail),
            QueueError::NotAllowed { .. } | QueueError::AlreadyWaiting { .. } => {
                Self::new(StatusCode::CONFLICT, detail)
            }
            QueueError::Store(error) => error.into(),
        }
    }
}

impl From<BulkError> for Refusal {
    fn from(error: BulkError) -> Self {
        let detail = error.to_string();
        match error {
            BulkError::NotFound(_) | BulkError::NoneYet | BulkError::NoFolder(_) => Self::not_found(detail),
            BulkError::Store(error) => error.into(),
        }
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let detail = error.to_string();
        match error {
            TokenError::Name | TokenError::Lifetime => Self::invalid(detail),
            TokenError::NotFound(_) => Self::not_found(detail),
            TokenError::Exists(_) | TokenError::Holds(_) => Self::new(StatusCode::CONFLICT, detail),
            TokenError::Random(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail),
            TokenError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::DiskFull => Self::new(StatusCode::INSUFFICIENT_STORAGE, detail),
            StoreError::Busy
            | StoreError::ReadOnly(_)
            | StoreError::System(_)
            | StoreError::NotInPlace(_)
            | StoreError::Aborted(_)
            | StoreError::NoConnection(_)
            | StoreError::Unreachable(_)
            | StoreError::InDoubt(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail),
            StoreError::Damaged(_) | StoreError::Constraint(_) | StoreError::Unexpected(_) | StoreError::Failed(_) => {
                tracing::error!(error = detail, "a request failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the server failed; nothing was saved, and its log says why",
                )
            }
        }
    }
}
