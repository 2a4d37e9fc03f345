//! MCP: the door for AI agents, over stdio and over streamable HTTP, in both eras of the protocol.
//!
//! - `pipe`, `reading`: how messages arrive over each transport; `message`, `arguments`,
//!   `half_characters`: how they are bounded and read
//! - `server`: what a session can ask; `access`: what a caller may ask
//! - `tools`: the tools, a file for each subject; `resources`: articles as `article://{slug}`
//! - `sessions`, `owner`: their limit, and which caller owns one; `calls`: how many run at once; `in_flight`: those
//!   that are not answered yet; `client_gone`: whether their client is still there
//! - `subscriptions`, `changes`: telling clients what has changed; `idle_timer`: noticing that one is gone
//! - `excerpt`: an article as text; `schema`, `budget`, `cursor`, `problem`: the form of answers, pages and refusals
//!
//! It is thin: it calls the services of a [`Host`] and owns no rule about articles or the queue.

mod access;
mod arguments;
mod budget;
mod calls;
mod changes;
mod client_gone;
mod cursor;
mod excerpt;
mod half_characters;
mod idle_timer;
mod in_flight;
mod message;
mod owner;
mod pipe;
mod problem;
mod reading;
mod requests;
mod resources;
mod schema;
mod server;
mod sessions;
mod subscriptions;
mod tools;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{extract::Request, middleware, response::Response};
use rmcp::{
    ServerHandler,
    service::{QuitReason, ServerInitializeError, serve_server_with_ct},
    transport::{
        StreamableHttpServerConfig, StreamableHttpService, streamable_http_server::session::local::SessionConfig,
    },
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service};

pub use server::McpServer;
pub use sessions::Sessions;

use crate::{config::Server, host::Host};
use calls::Calls;
use changes::ResourceNotifier;
use pipe::Pipe;
use reading::Reader;
use server::Transport;

/// How long an answer is kept for a client that lost its connection.
const ANSWER_RETENTION: Duration = Duration::from_secs(5);
/// How long a client may take to read the last answers of a session.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Returns MCP over streamable HTTP, to be mounted at a path. The caller checks `Host` and `Origin` and puts a
/// [`Caller`](crate::auth::Caller) into each request's extensions: a request without one may do nothing. It ends when
/// `shutdown` is cancelled.
pub fn http_service(
    host: Host,
    shutdown: CancellationToken,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static {
    let settings = host.settings().server.clone();
    let (changes, calls) = (ResourceNotifier::watch(host.articles.clone()), Calls::new(settings.max_connections));
    let way = Transport::Http { idle: settings.mcp_session_idle };
    streamable(
        move || McpServer::new(host.clone(), changes.clone(), calls.clone(), way, CancellationToken::new()),
        &settings,
        shutdown,
    )
}

/// Serves any handler over streamable HTTP, with the settings of Afterword's own.
#[doc(hidden)]
pub fn streamable<H: ServerHandler, F: Fn() -> H + Send + Sync + 'static>(
    handler: F,
    settings: &Server,
    shutdown: CancellationToken,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static + use<H, F>
{
    let mut kept = SessionConfig::default();
    kept.keep_alive = Some(settings.mcp_session_idle);
    kept.completed_cache_ttl = ANSWER_RETENTION;
    let sessions = Arc::new(Sessions::new(kept, sessions::MAX_SESSIONS));
    let reader = Reader::new(settings, Arc::clone(&sessions));
    let config = StreamableHttpServerConfig::default()
        .with_cancellation_token(shutdown)
        .with_max_request_body_bytes(reading::longest_message(settings))
        // An answer of one message is sent as JSON; the newer era allows it.
        .with_json_response(true)
        // Host and Origin are checked once, for all doors, before a request comes here.
        .disable_allowed_hosts()
        .disable_allowed_origins();
    let service = StreamableHttpService::new(move || Ok(handler()), sessions, config);
    middleware::from_fn_with_state(reader, reading::read).layer(service)
}

/// Why a session ended, if not by its client.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The client does not begin as the protocol requires.
    #[error("the client does not speak MCP: {0}")]
    Start(Box<ServerInitializeError>),
    /// The session's task died.
    #[error("the session broke off: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// Serves MCP over standard input and output, for the program that started this process. See [`serve`].
///
/// # Errors
/// [`SessionError`]
pub async fn stdio(host: Host, stop: CancellationToken) -> Result<(), SessionError> {
    let (input, output) = rmcp::transport::stdio_pipes();
    between(host, input, output, stop).await
}

/// Serves MCP to one client that may do everything. Ends when the client closes `stream`, or `stop` is cancelled.
///
/// # Errors
/// [`SessionError`]
pub async fn serve(
    host: Host,
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    stop: CancellationToken,
) -> Result<(), SessionError> {
    let (input, output) = tokio::io::split(stream);
    between(host, input, output, stop).await
}

async fn between(
    host: Host,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
    stop: CancellationToken,
) -> Result<(), SessionError> {
    let alive = CancellationToken::new();
    let (pipe, writer) = Pipe::new(input, output, reading::longest_message(&host.settings().server), alive.clone());
    let ended = session(host, pipe, alive, stop).await;
    match tokio::time::timeout(LAST_WORDS, writer).await {
        Ok(Ok(Ok(()))) => {}
        Ok(failed) => tracing::debug!(?failed, "the last answers of a session were not written"),
        Err(_) => tracing::debug!("a client does not read the last answers of its session"),
    }
    ended
}

async fn session<R: AsyncRead + Send + Unpin + 'static>(
    host: Host,
    pipe: Pipe<R>,
    alive: CancellationToken,
    stop: CancellationToken,
) -> Result<(), SessionError> {
    let calls = Calls::new(host.settings().server.max_connections);
    let changes = ResourceNotifier::watch(host.articles.clone());
    let door = McpServer::new(host, changes, calls, Transport::Pipe, alive);
    let session = match serve_server_with_ct(door, pipe, stop).await {
        Ok(session) => session,
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => return Ok(()),
        Err(error) => return Err(SessionError::Start(Box::new(error))),
    };
    match session.waiting().await? {
        QuitReason::JoinError(error) => Err(error.into()),
        _ => Ok(()),
    }
}
