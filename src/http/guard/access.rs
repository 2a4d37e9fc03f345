//! Who calls, and what they may do.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use crate::{
    auth::{AuthError, Caller, Scope},
    http::{app::App, metadata, problem::Problem},
};

/// Finds out who calls, and notes it in the request. Without any token, and listening on this machine alone, whoever
/// calls could as well use the command line.
pub(in crate::http) async fn identify(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = match bearer(request.headers()) {
        Some(token) => app.host.tokens.check(token).await,
        None if app.policy.is_local() && !app.host.tokens.any().await? => Ok(Caller::local()),
        None => Err(AuthError::Invalid),
    };
    let caller = caller.map_err(|error| Problem::unauthorized(&error, challenge(&app, request.headers(), None)))?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// A token is taken from the header alone: addresses end up in logs.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Lets only callers pass that may do what needs this scope.
pub(in crate::http) async fn needs(
    State((app, scope)): State<(App, Scope)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let allowed = request.extensions().get::<Caller>().is_some_and(|caller| caller.may(scope));
    if !allowed {
        return Err(Problem::forbidden(scope, challenge(&app, request.headers(), Some(scope))));
    }
    Ok(next.run(request).await)
}

/// What `WWW-Authenticate` says: where it is written what a token must be (RFC 6750, RFC 9728).
fn challenge(app: &App, headers: &HeaderMap, needed: Option<Scope>) -> HeaderValue {
    let error = match needed {
        Some(scope) => format!("error=\"insufficient_scope\", scope=\"{scope}\", "),
        None if headers.contains_key(header::AUTHORIZATION) => "error=\"invalid_token\", ".to_owned(),
        None => String::new(),
    };
    let place = metadata::place(app, headers);
    let text = format!("Bearer realm=\"afterword\", {error}resource_metadata=\"{place}\"");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
}
