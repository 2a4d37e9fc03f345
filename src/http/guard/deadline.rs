//! How long an answer may take.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use crate::http::{app::App, problem::Problem};

/// Answers in time, whatever the handler does. A save that was accepted is carried through all the same.
pub(in crate::http) async fn hold(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    let limit = app.host.settings().server.request_timeout;
    tokio::time::timeout(limit, next.run(request)).await.map_err(|_| {
        let detail = "the answer took too long; a save may have been carried out, so read before you repeat it";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).later(limit)
    })
}
