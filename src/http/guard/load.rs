//! How much may be on its way in at once, whoever sends it: large bodies wait outside, not in memory.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use futures_util::StreamExt;
use tokio::sync::Semaphore;

use crate::http::{app::App, problem::Problem};

/// Bodies smaller than this are not counted. *Units:* bytes.
const SMALL: u64 = 1 << 20;
/// The largest bodies that may come in at the same time.
const LARGEST_AT_ONCE: u64 = 4;
/// How long a body that is refused is read all the same.
const LINGER: Duration = Duration::from_secs(5);
/// What is counted in. *Units:* bytes.
const UNIT: u64 = 1 << 10;

/// Room for bodies.
pub(in crate::http) struct Budget {
    room: Arc<Semaphore>,
    largest: u64,
}

impl Budget {
    pub(in crate::http) fn new(largest: u64) -> Self {
        let units = usize::try_from(LARGEST_AT_ONCE * largest.div_ceil(UNIT)).unwrap_or(Semaphore::MAX_PERMITS);
        Self { room: Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))), largest }
    }
}

/// A client that is cut off while it sends does not see the answer: so much is read and thrown away first.
async fn read_off(body: Body, most: u64) {
    let (mut pieces, mut read) = (body.into_data_stream(), 0);
    while let Some(Ok(piece)) = pieces.next().await
        && read < most
    {
        read += piece.len() as u64;
    }
}

/// Lets a large body in if there is room for it. One of unknown length may become as large as any.
pub(in crate::http) async fn admit(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let size = match length {
        Some(length) => length,
        None if headers.contains_key(header::TRANSFER_ENCODING) && request.method() != Method::GET => {
            app.budget.largest
        }
        None => 0,
    };
    if size <= SMALL {
        return Ok(next.run(request).await);
    }
    if size > app.budget.largest {
        let detail = format!("the request has {size} bytes, and at most {} are allowed", app.budget.largest);
        let _ = tokio::time::timeout(LINGER, read_off(request.into_body(), LARGEST_AT_ONCE * app.budget.largest)).await;
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail).with_the_rest_unread());
    }
    let units = u32::try_from(size.div_ceil(UNIT)).unwrap_or(u32::MAX);
    let Ok(_room) = Arc::clone(&app.budget.room).acquire_many_owned(units).await else {
        return Err(Problem::internal("the budget for bodies is closed"));
    };
    Ok(next.run(request).await)
}
