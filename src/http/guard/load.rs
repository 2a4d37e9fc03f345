//! How much may arrive at once, in total and for each client: large bodies wait outside, not in memory.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
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
const UNCOUNTED_BYTES: u64 = 1 << 20;
/// How many bodies of the largest size may arrive at the same time; one per client.
const LARGEST_AT_ONCE: u64 = 2;
/// Running requests of one client; further ones wait.
const REQUESTS_AT_ONCE: u32 = 64;
/// See [`turn_pages`].
const PAGES_AT_ONCE: u32 = 64;
/// See [`turn_strangers`].
const STRANGERS_AT_ONCE: u32 = 64;
/// How long a refused body is still read.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);
/// The unit of counting. *Units:* bytes.
const UNIT_BYTES: u64 = 1 << 10;

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
        let each = u32::try_from(largest.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX / LARGEST_AT_ONCE as u32);
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
    let too_long = || {
        let detail = format!("the form has more than {LONGEST_FORM} bytes, or was broken off");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail).with_the_rest_unread()
    };
    if waits_to_be_asked(request.headers())
        && announced(request.headers()).is_some_and(|size| size > LONGEST_FORM as u64)
    {
        return Err(too_long());
    }
    let (parts, body) = request.into_parts();
    let Ok(read) = tokio::time::timeout(FORM_PATIENCE, to_bytes(body, LONGEST_FORM)).await else {
        let detail = format!("the form was not sent within {FORM_PATIENCE:?}");
        return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail));
    };
    let Ok(body) = read else { return Err(too_long()) };
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
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", detail).later(LINGER_TIMEOUT));
    };
    Ok(next.run(request).await.map(|body| keeping(body, place)))
}

/// Answers a client that is not signed in if not too many are being answered. The place is free again before the answer
/// is sent, which is small: whoever does not read keeps nobody from signing in.
pub(in crate::http) async fn turn_strangers(
    State(strangers): State<Shares>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(_place) = strangers.try_take(&Who::Local, 1) else {
        let detail = "too many others are signing in; try again in a moment";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", detail).later(LINGER_TIMEOUT));
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

/// The length of the body, if its head says so. *Units:* bytes.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the client sends its body only when it is asked to.
fn waits_to_be_asked(headers: &HeaderMap) -> bool {
    headers.get(header::EXPECT).is_some_and(|expected| expected.as_bytes().eq_ignore_ascii_case(b"100-continue"))
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
    let size = match announced(headers) {
        Some(length) => length,
        None if headers.contains_key(header::TRANSFER_ENCODING) && request.method() != Method::GET => budget.largest,
        None => 0,
    };
    if size <= UNCOUNTED_BYTES {
        return Ok(next.run(request).await);
    }
    if size > budget.largest {
        let detail = format!("the request has {size} bytes, and at most {} are allowed", budget.largest);
        // Reading would ask a client to send what it only announces.
        if !waits_to_be_asked(headers) {
            let _ =
                tokio::time::timeout(LINGER_TIMEOUT, read_off(request.into_body(), LARGEST_AT_ONCE * budget.largest))
                    .await;
        }
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail).with_the_rest_unread());
    }
    let Some(caller) = request.extensions().get::<Caller>() else { return Ok(next.run(request).await) };
    let units = u32::try_from(size.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
    let Ok(Some(room)) = tokio::time::timeout(budget.patience, budget.room.take(&caller.who, units)).await else {
        let detail = "other large requests are being received; send this one again in a moment";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", detail).later(LINGER_TIMEOUT));
    };
    // The answer may be as large as the request.
    Ok(next.run(request).await.map(|body| keeping(body, room)))
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Bytes,
        middleware::{from_fn, from_fn_with_state},
        routing::post,
    };
    use futures_util::{FutureExt, stream};
    use tower::ServiceExt;

    use super::*;
    use crate::auth::Permission;

    fn sent(body: Body, length: u64, who: Who) -> Request {
        let caller = Caller { name: "somebody".to_owned(), scope: Permission::Write, who, until: None };
        let request = Request::post("/").header(header::CONTENT_LENGTH, length).extension(caller);
        request.body(body).expect("a request")
    }

    /// A body that never comes.
    fn silence() -> Body {
        Body::from_stream(stream::pending::<std::io::Result<Bytes>>())
    }

    #[tokio::test(start_paused = true)]
    async fn a_form_that_is_not_sent_in_time_is_given_up() {
        let entrance = Router::new().route("/", post(|_: Bytes| async {})).layer(from_fn(read_form));
        let late = entrance.clone().oneshot(sent(silence(), 90, Who::Local));
        let began = tokio::time::Instant::now();
        assert_eq!(late.await.expect("an answer").status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(began.elapsed().as_secs(), FORM_PATIENCE.as_secs());
        let long = sent(Body::from(vec![b'x'; LONGEST_FORM + 1]), 90, Who::Local);
        let long = entrance.clone().oneshot(long).await.expect("an answer");
        assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let right = sent(Body::from(vec![b'x'; LONGEST_FORM]), 90, Who::Local);
        assert_eq!(entrance.oneshot(right).await.expect("an answer").status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_strangers_are_answered_at_once_and_no_more() {
        let entrance =
            Router::new().route("/", post(|_: Bytes| async {})).layer(from_fn_with_state(strangers(), turn_strangers));
        let enter = |body: Body| entrance.clone().oneshot(sent(body, 90, Who::Local));
        let mut held: Vec<_> = (0..STRANGERS_AT_ONCE).map(|_| Box::pin(enter(silence()))).collect();
        assert!(held.iter_mut().all(|one| one.now_or_never().is_none()));
        let refused = enter(Body::empty()).await.expect("an answer");
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        held.pop();
        assert_eq!(enter(Body::empty()).await.expect("an answer").status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn large_bodies_wait_for_room_as_long_as_a_body_may_take_and_are_refused() {
        const LARGEST: u64 = 4 << 20;
        let mut settings = crate::config::Settings::default().server;
        (settings.max_body, settings.body_timeout) = (bytesize::ByteSize(LARGEST), Duration::from_secs(20));
        let (budget, read) = (BodyBudget::new(&settings), |_: Bytes| async {});
        let router = Router::new().route("/", post(read)).layer(from_fn_with_state(budget, admit));
        let send = |body: Body, length: u64, who: i64| router.clone().oneshot(sent(body, length, Who::Token(who)));
        let mut first = Box::pin(send(silence(), LARGEST, 1));
        assert!((&mut first).now_or_never().is_none());
        let began = tokio::time::Instant::now();
        let second = send(Body::empty(), LARGEST, 1).await.expect("an answer");
        assert_eq!((second.status(), began.elapsed().as_secs()), (StatusCode::SERVICE_UNAVAILABLE, 20));
        assert!(second.headers().contains_key(header::RETRY_AFTER));
        let small = send(Body::empty(), UNCOUNTED_BYTES, 1).await.expect("an answer");
        assert_eq!(small.status(), StatusCode::OK, "small ones need no room");
        let mut other = Box::pin(send(silence(), LARGEST, 2));
        assert!((&mut other).now_or_never().is_none(), "there is room for a second client");
        let third = send(Body::empty(), LARGEST, 3).await.expect("an answer");
        assert_eq!(third.status(), StatusCode::SERVICE_UNAVAILABLE, "and for no third one");
        drop(first);
        let next = send(Body::empty(), LARGEST, 1).await.expect("an answer");
        assert_eq!(next.status(), StatusCode::OK, "whoever hangs up makes room");
        drop(other);
    }
}
