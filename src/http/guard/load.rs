//! How much may arrive at once, in total and for each client: large bodies wait outside, not in memory.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use futures_util::StreamExt;

use crate::{
    auth::{Caller, Who},
    config::Server,
    http::{body::keeping, problem::Problem},
    share::Shares,
};

/// Bodies smaller than this are not counted. *Units:* bytes.
const SMALL: u64 = 1 << 20;
/// How many bodies of the largest size may arrive at the same time; one per client.
const LARGEST_AT_ONCE: u64 = 2;
/// Running requests of one client; further ones wait.
const REQUESTS_AT_ONCE: u32 = 64;
/// See [`turn_pages`].
const PAGES_AT_ONCE: u32 = 64;
/// See [`turn_strangers`].
const STRANGERS_AT_ONCE: u32 = 64;
/// How long a refused body is still read.
const LINGER: Duration = Duration::from_secs(5);
/// The unit of counting. *Units:* bytes.
const UNIT: u64 = 1 << 10;

/// Room for bodies.
#[derive(Clone)]
pub(in crate::http) struct BodyBudget {
    room: Shares,
    largest: u64,
    patience: Duration,
}

impl BodyBudget {
    pub(in crate::http) fn new(server: &Server) -> Self {
        let (largest, patience) = (server.max_body.as_u64(), server.body_timeout);
        let each = u32::try_from(largest.div_ceil(UNIT)).unwrap_or(u32::MAX / LARGEST_AT_ONCE as u32);
        Self { room: Shares::new(each.saturating_mul(LARGEST_AT_ONCE as u32), each), largest, patience }
    }
}

/// Limits the requests that are answered at the same time, of all clients and of one.
pub(in crate::http) fn requests(connections: usize) -> Shares {
    Shares::new(u32::try_from(connections).unwrap_or(u32::MAX), REQUESTS_AT_ONCE)
}

/// Limits the pages of the documentation that are sent at the same time.
pub(in crate::http) fn pages() -> Shares {
    Shares::new(PAGES_AT_ONCE, PAGES_AT_ONCE)
}

/// Limits what is done at the same time for clients that are not signed in.
pub(in crate::http) fn strangers() -> Shares {
    Shares::new(STRANGERS_AT_ONCE, STRANGERS_AT_ONCE)
}

/// Longest form of a client without authentication: a token, and the place to go to. *Units:* bytes.
const LONGEST_FORM: usize = 16 << 10;
/// How long such a client may take to send it.
const FORM_PATIENCE: Duration = Duration::from_secs(10);

/// Reads the whole of a small form.
pub(in crate::http) async fn read_form(request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let Ok(read) = tokio::time::timeout(FORM_PATIENCE, to_bytes(body, LONGEST_FORM)).await else {
        let detail = format!("the form was not sent within {FORM_PATIENCE:?}");
        return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail));
    };
    let Ok(body) = read else {
        let detail = format!("the form has more than {LONGEST_FORM} bytes, or was broken off");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
    };
    Ok(next.run(Request::from_parts(parts, Body::from(body))).await)
}

/// Sends a page if not too many are under way: each takes a megabyte until it is read.
pub(in crate::http) async fn turn_pages(
    State(pages): State<Shares>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(place) = pages.try_take(&Who::Local, 1) else {
        let detail = "too many others read these pages; try again in a moment";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", detail).later(LINGER));
    };
    Ok(next.run(request).await.map(|body| keeping(body, place)))
}

/// Answers a client that is not signed in if not too many are being answered. The place is free again before the answer is
/// sent, which is small: whoever does not read keeps nobody from signing in.
pub(in crate::http) async fn turn_strangers(
    State(strangers): State<Shares>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(_place) = strangers.try_take(&Who::Local, 1) else {
        let detail = "too many others are signing in; try again in a moment";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", detail).later(LINGER));
    };
    Ok(next.run(request).await)
}

/// Lets a client's request wait for its others, if there are very many: the queues behind are shared by all clients.
pub(in crate::http) async fn take_turns(State(requests): State<Shares>, request: Request, next: Next) -> Response {
    let who = request.extensions().get::<Caller>().map(|caller| caller.who.clone());
    let _turn = match &who {
        Some(who) => requests.take(who, 1).await,
        None => None,
    };
    next.run(request).await
}

/// A client that is cut off while it sends does not see the answer: up to `most` bytes are read and discarded first.
async fn read_off(body: Body, most: u64) {
    let (mut pieces, mut read) = (body.into_data_stream(), 0);
    while let Some(Ok(piece)) = pieces.next().await
        && read < most
    {
        read += piece.len() as u64;
    }
}

/// Admits a large body if there is room for it. One of unknown length may become as large as any.
pub(in crate::http) async fn admit(
    State(budget): State<BodyBudget>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let size = match length {
        Some(length) => length,
        None if headers.contains_key(header::TRANSFER_ENCODING) && request.method() != Method::GET => budget.largest,
        None => 0,
    };
    if size <= SMALL {
        return Ok(next.run(request).await);
    }
    if size > budget.largest {
        let detail = format!("the request has {size} bytes, and at most {} are allowed", budget.largest);
        // Whoever asks first has sent nothing yet, and would begin with it once the body is read.
        if !headers.contains_key(header::EXPECT) {
            let _ = tokio::time::timeout(LINGER, read_off(request.into_body(), LARGEST_AT_ONCE * budget.largest)).await;
        }
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail).with_the_rest_unread());
    }
    let Some(caller) = request.extensions().get::<Caller>() else { return Ok(next.run(request).await) };
    let units = u32::try_from(size.div_ceil(UNIT)).unwrap_or(u32::MAX);
    let Ok(Some(room)) = tokio::time::timeout(budget.patience, budget.room.take(&caller.who, units)).await else {
        let detail = "other large requests are being received; send this one again in a moment";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", detail).later(LINGER));
    };
    // The answer may be as large as the request.
    Ok(next.run(request).await.map(|body| keeping(body, room)))
}
