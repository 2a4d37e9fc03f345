//! What is answered before the server is open, and the two questions that are answered always.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
};

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tower::ServiceExt;

use crate::health::{self, Health};

/// Asked to come back so soon. *Units:* seconds.
const STARTING_RETRY: HeaderValue = HeaderValue::from_static("1");

/// A server that may not be open yet. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Gate {
    open: Arc<OnceLock<(Health, Router)>>,
}

impl Gate {
    /// From now on requests go to `router`.
    pub(super) fn open(&self, health: Health, router: Router) {
        // Opened once; a second opening would change nothing.
        let _ = self.open.set((health, router));
    }

    /// What the listener serves.
    pub(super) fn router(self) -> Router {
        Router::new().route("/health", get(alive)).route("/ready", get(ready)).fallback(pass).with_state(self)
    }
}

/// Alive: this process answers. Whoever asks starts it again if it does not, so nothing else is looked at.
async fn alive() -> Response {
    Json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// Ready: it serves; which part is not well, and since when.
async fn ready(State(gate): State<Gate>) -> Response {
    let Some((health, _)) = gate.open.get() else { return starting() };
    let report = health.report();
    let status = match report.state {
        health::State::Ready | health::State::Degraded => StatusCode::OK,
        health::State::Unready => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(report)).into_response()
}

async fn pass(State(gate): State<Gate>, request: Request<Body>) -> Result<Response, Infallible> {
    match gate.open.get() {
        Some((_, router)) => router.clone().oneshot(request).await,
        None => Ok(starting()),
    }
}

fn starting() -> Response {
    let problem = json!({
        "type": "urn:afterword:problem:starting", "title": "Service Unavailable", "status": 503, "code": "starting",
        "detail": "the server is starting; try again in a moment",
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (header::RETRY_AFTER, STARTING_RETRY),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, headers, problem.to_string()).into_response()
}
