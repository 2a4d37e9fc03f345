//! How long an answer may take.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use crate::http::problem::Problem;

/// Answers in time, whatever the handler does. An accepted save is completed all the same.
pub(in crate::http) async fn hold(
    State(limit): State<Duration>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    tokio::time::timeout(limit, next.run(request)).await.map_err(|_| {
        let detail = "the answer took too long; a save may have been carried out, so read before you repeat it";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).later(limit)
    })
}
