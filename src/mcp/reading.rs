//! Messages over HTTP: their size, number and duration are bounded before the protocol's library sees them.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use serde_json::json;

use super::{
    message::{Message, Unreadable},
    owner,
    sessions::{self, Sessions},
};
use crate::{
    auth::{Caller, Permission},
    config::Server,
    offload, printable,
};

/// Longest message of a caller that may not save. *Units:* bytes.
const LONGEST_QUESTION: usize = 256 << 10;
/// Longest refusal of the library that is passed on. *Units:* bytes.
const LONGEST_WORDS: usize = 4 << 10;
const NO_SESSION: &str = "there is no such session; begin one with initialize";
/// The header that names the session of a request.
const SESSION: &str = "mcp-session-id";

/// The limits of messages, and the open sessions.
#[derive(Clone)]
pub(super) struct Reader {
    /// Longest message. *Units:* bytes.
    longest: usize,
    sessions: Arc<Sessions>,
}

impl Reader {
    pub(super) fn new(server: &Server, sessions: Arc<Sessions>) -> Self {
        Self { longest: longest_message(server), sessions }
    }
}

/// Reads the message, and passes on what is left of it.
pub(super) async fn read(State(reader): State<Reader>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().cloned();
    let who = caller.as_ref().map(|caller| caller.who.clone());
    let session = request.headers().get(SESSION).and_then(|session| session.to_str().ok());
    if session.is_some_and(|session| reader.sessions.is_of_another(session, who.as_ref())) {
        return problem(StatusCode::NOT_FOUND, NO_SESSION);
    }
    if request.method() == Method::DELETE && session.is_some_and(|session| !reader.sessions.has(session)) {
        return problem(StatusCode::NOT_FOUND, NO_SESSION);
    }
    let last_event = request.headers().get("last-event-id").map(|event| event.to_str().unwrap_or_default());
    if last_event.is_some_and(|event| !sessions::is_event(event)) {
        return problem(StatusCode::BAD_REQUEST, "Last-Event-ID must be the id of an event of this session");
    }
    let mut request = request;
    accept_whatever_comes(request.headers_mut());
    if request.method() != Method::POST {
        return as_problem(owner::while_asking(who, next.run(request)).await).await;
    }
    let may_save = caller.is_some_and(|caller| caller.may(Permission::Write));
    let longest = if may_save { reader.longest } else { reader.longest.min(LONGEST_QUESTION) };
    let is_json = is_json(request.headers());
    let (mut parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let message = match collect(body, announced.unwrap_or(0).min(longest), longest).await {
        Ok(bytes) if bytes.len() <= offload::SMALL_TEXT_BYTES => Message::read(&bytes),
        Ok(bytes) => offload::save(move || Message::read(&bytes)).await,
        Err(refused) => return refused,
    };
    let Message { value, large } = match message {
        Ok(message) => message,
        Err(unreadable) => return refuse(StatusCode::BAD_REQUEST, &unreadable),
    };
    parts.extensions.insert(large);
    let text = value.to_string();
    parts.headers.remove(header::TRANSFER_ENCODING);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    let response = owner::while_asking(who, next.run(Request::from_parts(parts, Body::from(text)))).await;
    as_problem(if is_json { understandable(response) } else { response }).await
}

/// A client that takes anything takes both of what a message may be answered with; the library wants them named.
fn accept_whatever_comes(headers: &mut HeaderMap) {
    let accepts = headers.get(header::ACCEPT).map(|accepts| accepts.to_str().unwrap_or_default());
    if accepts.is_none_or(|accepts| accepts.split([',', ';']).any(|kind| kind.trim() == "*/*")) {
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    }
}

/// Makes a problem, as the other doors have them, of a refusal that the library writes as plain words.
async fn as_problem(response: Response) -> Response {
    let is_refused = response.status().is_client_error() || response.status().is_server_error();
    if !is_refused || response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| !is_plain(kind)) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let words = axum::body::to_bytes(body, LONGEST_WORDS).await.unwrap_or_default();
    let detail = printable::line(&String::from_utf8_lossy(&words), LONGEST_WORDS);
    let mut response = problem(parts.status, &detail);
    for name in [header::ALLOW, header::WWW_AUTHENTICATE, header::CONNECTION, header::RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// A refusal of a request that is no message (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response {
    let code = match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "no_method",
        StatusCode::NOT_ACCEPTABLE => "not_acceptable",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::CONFLICT => "conflict",
        status if status.is_server_error() => "internal",
        _ => "malformed",
    };
    let title = status.canonical_reason().unwrap_or("Refused");
    let detail = if detail.is_empty() { title } else { detail };
    let kind = format!("urn:afterword:problem:{code}");
    let problem = json!({ "type": kind, "title": title, "status": status.as_u16(), "detail": detail, "code": code });
    let content = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
    (status, content, problem.to_string()).into_response()
}

fn is_plain(kind: &HeaderValue) -> bool {
    kind.as_bytes().starts_with(b"text/plain")
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

async fn collect(body: Body, announced: usize, longest: usize) -> Result<Vec<u8>, Response> {
    let (mut pieces, mut bytes) = (body.into_data_stream(), Vec::with_capacity(announced));
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else { return Err(refuse(StatusCode::REQUEST_TIMEOUT, &Unreadable::incomplete())) };
        if piece.len() > longest - bytes.len() {
            let mut refused = refuse(StatusCode::PAYLOAD_TOO_LARGE, &Unreadable::too_long(longest));
            // The rest is not read: the connection cannot be used again.
            refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return Err(refused);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn refuse(status: StatusCode, unreadable: &Unreadable) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (status, kind, unreadable.answer().to_string()).into_response()
}

/// Corrects the library's answer: it blames the media type where it does not understand the message.
fn understandable(response: Response) -> Response {
    let no_kind = response.headers().get(header::CONTENT_TYPE).is_none_or(is_plain);
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE && no_kind {
        return refuse(StatusCode::BAD_REQUEST, &Unreadable::senseless());
    }
    response
}

/// Longest possible message. *Units:* bytes.
pub(super) fn longest_message(settings: &Server) -> usize {
    usize::try_from(settings.max_body.as_u64()).unwrap_or(usize::MAX)
}
