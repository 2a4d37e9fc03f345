//! What an address and a form give, read as a type; or why not, in words for a person.

use axum::{
    extract::{self, FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use super::refusal::Refusal;

/// The part of an address before its `?`.
pub(super) struct Path<T>(pub(super) T);

/// The part of an address after its `?`.
pub(super) struct Query<T>(pub(super) T);

/// The fields of a form.
pub(super) struct Form<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = extract::Path::from_request_parts(parts, state).await;
        let extract::Path(given) = read.map_err(|_| Refusal::not_found("there is nothing at this address"))?;
        Ok(Self(given))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let incomplete =
            "this address is not complete, or mistyped after its question mark; go there by the page's own links";
        let read = extract::Query::from_request_parts(parts, state).await;
        let extract::Query(given) = read.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, incomplete))?;
        Ok(Self(given))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let read = extract::Form::from_request(request, state).await;
        let extract::Form(given) = read.map_err(|error| match error.status() {
            status @ (StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) => {
                Refusal::new(status, "a field of this form is missing, or cannot be read; open the page again")
            }
            // Such as one that is too long.
            status => Refusal::new(status, error.body_text()),
        })?;
        Ok(Self(given))
    }
}
