//! Authentication and scope check of a request.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use afterword_actors::store::{StoreError, acting_as};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::Response,
};
use tracing::Span;

use super::hosts::{Policy, is_passed_on};
use crate::{
    auth::{AuthError, Caller, Permission, PresentedToken, Tokens},
    http::problem::Problem,
    printable,
    telemetry::Telemetry,
};

/// Where the server describes its authentication (RFC 9728).
pub(in crate::http) const METADATA: &str = "/.well-known/oauth-protected-resource";
/// Longest name of a caller in the log. *Units:* characters.
const LONGEST_NAME: usize = 100;
/// Longest path in the log. *Units:* characters.
const LONGEST_PATH: usize = 200;
/// How often refused callers are logged.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Whether a connection has brought a request of a caller that was let in; the server puts it into each request.
#[derive(Clone, Default)]
pub(crate) struct Arrival(Arc<AtomicBool>);

impl Arrival {
    pub(crate) fn let_in(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_let_in(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What is needed to authenticate callers, and to refuse them.
#[derive(Clone)]
pub(in crate::http) struct Entrance {
    policy: Arc<Policy>,
    tokens: Tokens,
    telemetry: Arc<Telemetry>,
    refusals: Arc<Refusals>,
}

impl Entrance {
    pub(in crate::http) fn new(policy: Arc<Policy>, tokens: Tokens, telemetry: Arc<Telemetry>) -> Self {
        Self { policy, tokens, telemetry, refusals: Arc::default() }
    }

    /// Whether a client with these headers needs no token.
    async fn is_open(&self, headers: &HeaderMap) -> Result<bool, StoreError> {
        Ok(self.policy.is_local() && !is_passed_on(headers) && !self.tokens.closed().await?)
    }

    fn count_refusal(&self, address: Option<IpAddr>) {
        self.refusals.note(address);
        self.telemetry.unauthorized();
    }
}

/// Authenticates the caller, and records it in the request and its span. While there never was a token and the server
/// listens on this machine alone, a caller could as well use the command line.
pub(in crate::http) async fn identify(
    State(entrance): State<Entrance>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let presented = request.extensions().get::<PresentedToken>().map(|PresentedToken(token)| token.as_str());
    let checked = match presented.or_else(|| bearer(headers)) {
        Some(token) => entrance.tokens.check(token).await,
        None => Err(AuthError::Invalid),
    };
    // A browser sends the cookie of another server on this machine, too, or of a time before the server was opened.
    let brings_none = presented.is_some() || bearer(headers).is_none();
    let caller = match checked {
        Err(AuthError::Invalid) if brings_none && entrance.is_open(headers).await? => Ok(Caller::local()),
        checked => checked,
    };
    let caller = caller.map_err(|error| {
        if error == AuthError::Invalid {
            entrance.count_refusal(address_of(&request));
        }
        Problem::unauthorized(&error, challenge(&entrance, headers, None))
    })?;
    let name = printable::line(&caller.name, LONGEST_NAME);
    Span::current().record("caller", name.as_str());
    let (method, path) = (request.method().clone(), printable::line(request.uri().path(), LONGEST_PATH));
    request.extensions_mut().insert(caller);
    if let Some(arrival) = request.extensions().get::<Arrival>() {
        arrival.let_in();
    }
    let response = acting_as(name.clone(), next.run(request)).await;
    // The tools log what agents do.
    if !method.is_safe() && path != "/mcp" && response.status().is_success() {
        tracing::info!(caller = name, %method, path, status = response.status().as_u16(), "done");
    }
    Ok(response)
}

/// Whether these headers bring a token that is valid, for what is answered before the guards.
pub(crate) async fn may_read(tokens: &Tokens, headers: &HeaderMap) -> bool {
    match bearer(headers) {
        Some(token) => tokens.check(token).await.is_ok_and(|caller| caller.may(Permission::Read)),
        None => false,
    }
}

/// Counts callers that are refused at a door with an entrance of its own.
pub(in crate::http) async fn watch(State(entrance): State<Entrance>, request: Request, next: Next) -> Response {
    let address = address_of(&request);
    let response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        entrance.count_refusal(address);
    }
    response
}

fn address_of(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// Logs refused callers in sum: trying a million tokens must not fill the log.
#[derive(Default)]
struct Refusals(Mutex<RefusalCount>);

#[derive(Default)]
struct RefusalCount {
    told: Option<Instant>,
    since: u64,
}

impl Refusals {
    fn note(&self, address: Option<IpAddr>) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.since += 1;
        if refused.told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return;
        }
        let (times, address) = (refused.since, address.map(|address| address.to_string()).unwrap_or_default());
        tracing::warn!(times, address, "refused: no valid token");
        *refused = RefusalCount { told: Some(Instant::now()), since: 0 };
    }
}

/// Takes the token from the header alone: addresses end up in logs.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Lets only callers with this scope pass.
pub(in crate::http) async fn needs(
    State((entrance, scope)): State<(Entrance, Permission)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let allowed = request.extensions().get::<Caller>().is_some_and(|caller| caller.may(scope));
    if !allowed {
        return Err(Problem::forbidden(scope, challenge(&entrance, request.headers(), Some(scope))));
    }
    Ok(next.run(request).await)
}

/// The value of `WWW-Authenticate`: where the requirements of a token are described (RFC 6750, RFC 9728).
fn challenge(entrance: &Entrance, headers: &HeaderMap, needed: Option<Permission>) -> HeaderValue {
    let error = match needed {
        Some(scope) => format!("error=\"insufficient_scope\", scope=\"{scope}\", "),
        None if headers.contains_key(header::AUTHORIZATION) => "error=\"invalid_token\", ".to_owned(),
        None => String::new(),
    };
    let base = entrance.policy.base(headers, &Uri::default());
    let text = format!("Bearer realm=\"afterword\", {error}resource_metadata=\"{base}{METADATA}\"");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
}
