//! Records each request as a span of the log and as a measurement, without headers, query or body.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use tower_http::request_id::RequestId;
use tracing::{Instrument, field};

use crate::{printable, telemetry::Telemetry};

/// Longest id of a request in the log; clients may bring their own. *Units:* characters.
const LONGEST_ID: usize = 64;

pub(in crate::http) async fn request(
    State(telemetry): State<Arc<Telemetry>>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    // The pattern, not the path: otherwise there would be a measurement for each article.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "none".to_owned());
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    let (shown, id) = (printable::line(method.as_str(), 20), printable::line(id.unwrap_or_default(), LONGEST_ID));
    let span = tracing::info_span!("request", method = shown, route, id, caller = field::Empty, status = field::Empty);
    let response = next.run(request).instrument(span.clone()).await;
    let (status, elapsed) = (response.status(), began.elapsed());
    span.record("status", status.as_u16());
    span.in_scope(|| tracing::debug!(elapsed_ms = elapsed.as_secs_f64() * 1000.0, "answered"));
    telemetry.request(&method, &route, status.as_u16(), elapsed);
    response
}
