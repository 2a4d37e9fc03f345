//! The caller of a request, and the nonce by which the browser recognises our script and style.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Request},
    http::request::Parts,
    middleware::Next,
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use super::refusal::Refusal;
use crate::auth::{Caller, Permission, Who};

/// A new value for each answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Nonce(pub(super) String);

impl Nonce {
    /// Without random numbers it is empty, and then no script runs and no style is used.
    pub(super) fn fresh() -> Self {
        let mut bytes = [0; 16];
        match getrandom::fill(&mut bytes) {
            Ok(()) => Self(STANDARD_NO_PAD.encode(bytes)),
            Err(_) => Self::default(),
        }
    }
}

/// A request of a caller that was let in.
pub(super) struct Visit {
    pub(super) caller: Caller,
    pub(super) nonce: Nonce,
}

impl Visit {
    pub(super) fn may_write(&self) -> bool {
        self.caller.may(Permission::Write)
    }

    pub(super) fn may_manage(&self) -> bool {
        self.caller.may(Permission::Admin)
    }

    /// Whether it signed in with a token, and can sign out.
    pub(super) fn has_token(&self) -> bool {
        self.caller.who != Who::Local
    }

    /// Refuses a caller that may not do what needs `scope`.
    pub(super) fn needs(&self, scope: Permission) -> Result<(), Refusal> {
        if self.caller.may(scope) { Ok(()) } else { Err(Refusal::forbidden(scope)) }
    }
}

/// Refuses a form of a caller who may change nothing, before it is read.
pub(super) async fn before_the_form(request: Request, next: Next) -> Result<Response, Refusal> {
    let caller = request.extensions().get::<Caller>();
    if request.method().is_safe() || caller.is_some_and(|caller| caller.may(Permission::Write)) {
        return Ok(next.run(request).await);
    }
    Err(Refusal::forbidden(Permission::Write))
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let caller = parts.extensions.get::<Caller>().cloned().ok_or_else(Refusal::unknown)?;
        let Ok(nonce) = Nonce::from_request_parts(parts, &()).await;
        Ok(Self { caller, nonce })
    }
}

impl<S: Sync> FromRequestParts<S> for Nonce {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
