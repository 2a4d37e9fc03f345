//! What is answered before the server is open, the two requests that are always answered, and the headers of every
//! answer.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::connection::Connection;
use crate::{
    auth::Tokens,
    health::{self, Health},
    http::{body::keeping, is_of_this_machine, may_read},
};

/// What a browser may do with an answer, unless the answer says otherwise: nothing that could be abused.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];
/// The policy of answers for programs.
const DATA_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// The policy of pages: their own scripts and styles, and nothing from elsewhere.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

/// When a refused client should come back. *Units:* seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Said instead of what a part has to say: that names notes, servers and what they answered.
const SAID_ELSEWHERE: &str = "a token of scope read shows more, as does `afterword doctor`";
/// How long a token may be looked up; without an answer, its bearer is a stranger.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(2);

/// A server that may not be open yet. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Gate {
    open: Arc<OnceLock<Opened>>,
}

struct Opened {
    health: Health,
    tokens: Tokens,
    router: Router,
}

impl Gate {
    /// Passes requests to `router` from now on.
    pub(super) fn open(&self, health: Health, tokens: Tokens, router: Router) {
        // Opened once; a second opening would change nothing.
        let _ = self.open.set(Opened { health, tokens, router });
    }

    /// Returns the router that the listener serves.
    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/health", get(alive))
            .route("/ready", get(ready))
            .fallback(pass)
            .layer(middleware::from_fn(attend))
            .with_state(self)
    }
}

/// Alive: this process answers. A supervisor restarts it if it does not, so nothing else is checked.
async fn alive() -> Response {
    Json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// Ready: it serves; which part is in trouble, and since when.
async fn ready(State(gate): State<Gate>, request: Request) -> Response {
    let Some(Opened { health, tokens, .. }) = gate.open.get() else { return starting() };
    let mut report = health.report();
    let has_details = report.parts.values().any(|part| part.detail.is_some());
    if has_details && !is_of_this_machine(&request) && !is_known(tokens, request.headers()).await {
        for part in report.parts.values_mut().filter(|part| part.detail.is_some()) {
            part.detail = Some(SAID_ELSEWHERE.to_owned());
        }
    }
    let status = match report.state {
        health::State::Ready | health::State::Degraded => StatusCode::OK,
        health::State::Unready => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(report)).into_response()
}

/// Held while a token is looked up for details of `/ready`.
static TOKEN_LOOKUP: Semaphore = Semaphore::const_new(1);

/// Whether the client brings a token that is valid.
async fn is_known(tokens: &Tokens, headers: &HeaderMap) -> bool {
    // Nothing else bounds what is asked here: one looks at the database, and others are strangers meanwhile.
    let Ok(_alone) = TOKEN_LOOKUP.try_acquire() else { return false };
    tokio::time::timeout(TOKEN_TIMEOUT, may_read(tokens, headers)).await.unwrap_or(false)
}

/// Marks the connection as busy while it is answered, and adds the headers of every answer.
async fn attend(connection: Option<Extension<Arc<Connection>>>, mut request: Request, next: Next) -> Response {
    let at_work = connection.as_ref().map(|Extension(connection)| connection.work());
    if let Some(Extension(connection)) = &connection {
        request.extensions_mut().insert(connection.arrival.clone());
    }
    let is_reserve = connection.is_some_and(|Extension(connection)| connection.is_reserve);
    let is_short = matches!(request.uri().path(), "/health" | "/ready");
    let mut response = match is_reserve && !is_short {
        true => refuse("too_many_connections", "all connections are busy; try again in a moment"),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    if is_reserve {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(value);
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_page = kind.is_some_and(|kind| kind.starts_with("text/html") || kind.starts_with("image/svg"));
    let policy = if is_page { PAGE_POLICY } else { DATA_POLICY };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    response.map(|body| keeping(body, at_work))
}

async fn pass(State(gate): State<Gate>, request: Request<Body>) -> Result<Response, Infallible> {
    match gate.open.get() {
        Some(Opened { router, .. }) => router.clone().oneshot(request).await,
        None => Ok(starting()),
    }
}

fn starting() -> Response {
    refuse("starting", "the server is starting; try again in a moment")
}

fn refuse(code: &'static str, detail: &'static str) -> Response {
    let problem = json!({
        "type": format!("urn:afterword:problem:{code}"), "title": "Service Unavailable", "status": 503, "code": code,
        "detail": detail,
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (header::RETRY_AFTER, RETRY_AFTER),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, headers, problem.to_string()).into_response()
}
