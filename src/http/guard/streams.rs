//! Endless answers: how many one client may follow, and that they end when its caller is not valid any more.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::Response,
};

use crate::{
    auth::{Caller, Tokens},
    http::{
        body::{keeping, until},
        problem::Problem,
    },
    share::Shares,
};

/// How often a caller is checked again.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// One part in `STREAM_SHARES.0` of all connections may be streams, and one part in `STREAM_SHARES.1` of those one
/// client's.
const STREAM_SHARES: (usize, usize) = (2, 4);
/// Streams that a client may have in any case: for an agent and a person who watch.
const MIN_STREAMS_PER_CLIENT: usize = 4;

/// Room for streams, and the tokens of their callers.
#[derive(Clone)]
pub(in crate::http) struct Streams {
    room: Shares,
    tokens: Tokens,
}

impl Streams {
    /// Makes room for a server with this many connections.
    pub(in crate::http) fn new(connections: usize, tokens: Tokens) -> Self {
        let all = (connections / STREAM_SHARES.0).max(1);
        let each = (all / STREAM_SHARES.1).max(MIN_STREAMS_PER_CLIENT.min(all));
        let counted = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Self { room: Shares::new(counted(all), counted(each)), tokens }
    }
}

/// Answers as long as the caller is valid, and with no more streams than it may follow.
pub(in crate::http) async fn attend(
    State(Streams { room, tokens }): State<Streams>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(caller) = request.extensions().get::<Caller>().cloned() else { return Ok(next.run(request).await) };
    let response = tokio::select! {
        response = next.run(request) => response,
        () = wait_until_invalid(&tokens, &caller) => return Err(Problem::ended()),
    };
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        return Ok(response);
    }
    let Some(place) = room.try_take(&caller.who, 1) else {
        let detail = "this client has as many open streams as are allowed; close one first";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail).later(CHECK_INTERVAL));
    };
    let ended = async move { wait_until_invalid(&tokens, &caller).await };
    Ok(response.map(|body| keeping(until(body, ended), place)))
}

/// Returns when the caller is not valid any more: its token was revoked or has expired, or tokens are required now. A
/// database that is away does not decide that.
async fn wait_until_invalid(tokens: &Tokens, caller: &Caller) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        if let Ok(false) = tokens.still_holds(caller).await {
            return;
        }
    }
}
