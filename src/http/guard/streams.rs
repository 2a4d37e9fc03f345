//! Answers without end: how many one client may follow, and that they end when it may no longer come in.

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

/// How often it is looked whether a caller may still come in.
const LOOK: Duration = Duration::from_secs(2);
/// Of all connections, the part that streams may take, and of that the part of one client.
const SHARE: (usize, usize) = (2, 4);
/// Streams that a client has in any case: an agent and a person who look on.
const LEAST: usize = 4;

/// Room for streams, and who may follow them.
#[derive(Clone)]
pub(in crate::http) struct Streams {
    room: Shares,
    tokens: Tokens,
}

impl Streams {
    /// Of a server with so many connections.
    pub(in crate::http) fn new(connections: usize, tokens: Tokens) -> Self {
        let all = (connections / SHARE.0).max(1);
        let each = (all / SHARE.1).max(LEAST.min(all));
        let counted = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Self { room: Shares::new(counted(all), counted(each)), tokens }
    }
}

/// Answers as long as the caller may come in, and with no more streams than it may follow.
pub(in crate::http) async fn attend(
    State(Streams { room, tokens }): State<Streams>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(caller) = request.extensions().get::<Caller>().cloned() else { return Ok(next.run(request).await) };
    let response = tokio::select! {
        response = next.run(request) => response,
        () = gone(&tokens, &caller) => return Err(Problem::ended()),
    };
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        return Ok(response);
    }
    let Some(place) = room.try_take(&caller.who, 1) else {
        let detail = "this client follows as many streams as it may; end one of them first";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail).later(LOOK));
    };
    let ended = async move { gone(&tokens, &caller).await };
    Ok(response.map(|body| keeping(until(body, ended), place)))
}

/// Returns when the caller may no longer come in: its token was revoked or has expired, or there is one now. A database
/// that is away says nothing about that.
async fn gone(tokens: &Tokens, caller: &Caller) {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Ok(false) = tokens.still_holds(caller).await {
            return;
        }
    }
}
