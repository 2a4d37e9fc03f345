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

use super::{
    message::{Message, Unreadable},
    owner,
    sessions::Sessions,
};
use crate::{
    auth::{Caller, Permission},
    config::Server,
    offload,
};

/// Longest message of a caller that may not save. *Units:* bytes.
const LONGEST_QUESTION: usize = 256 << 10;
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
        return (StatusCode::NOT_FOUND, "Not Found: Session not found").into_response();
    }
    if request.method() != Method::POST {
        return owner::while_asking(who, next.run(request)).await;
    }
    if is_compressed(request.headers()) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &Unreadable::compressed());
    }
    let may_save = caller.is_some_and(|caller| caller.may(Permission::Write));
    let longest = if may_save { reader.longest } else { reader.longest.min(LONGEST_QUESTION) };
    let is_json = is_json(request.headers());
    let (mut parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let message = match collect(body, announced.unwrap_or(0).min(longest), longest).await {
        Ok(bytes) if bytes.len() <= offload::SMALL => Message::read(&bytes),
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
    if is_json { understandable(response) } else { response }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn is_compressed(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
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
    let is_text = |kind: &HeaderValue| kind.as_bytes().starts_with(b"text/plain");
    let no_kind = response.headers().get(header::CONTENT_TYPE).is_none_or(is_text);
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE && no_kind {
        return refuse(StatusCode::BAD_REQUEST, &Unreadable::senseless());
    }
    response
}

/// Longest possible message. *Units:* bytes.
pub(super) fn longest_message(settings: &Server) -> usize {
    usize::try_from(settings.max_body.as_u64()).unwrap_or(usize::MAX)
}
