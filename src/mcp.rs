//! MCP: the door for AI agents, over stdio and over streamable HTTP, in both eras of the protocol.
//!
//! - `door`: what a session can ask; `access`: who may ask it
//! - `tools`: the twelve tools, a file for each subject; `resources`: articles as `article://{slug}`
//! - `sessions`: how many there are at most; `subscriptions`, `changes`: telling clients what has changed; `closing`, `silence`: noticing that
//!   one has gone
//! - `excerpt`: an article as text; `schema`, `budget`, `cursor`, `problem`: how arguments, answers, pages and refusals look
//!
//! It is thin: it calls the services of a [`Host`] and owns no rule about articles or the queue.

mod access;
mod budget;
mod changes;
mod closing;
mod cursor;
mod door;
mod excerpt;
mod problem;
mod resources;
mod schema;
mod sessions;
mod silence;
mod subscriptions;
mod tools;

use std::sync::Arc;

use rmcp::{
    RoleServer, ServerHandler,
    service::{QuitReason, ServerInitializeError, serve_server_with_ct},
    transport::{
        IntoTransport, StreamableHttpServerConfig, StreamableHttpService, async_rw::AsyncRwTransport,
        streamable_http_server::session::local::SessionConfig,
    },
};
use tokio_util::sync::CancellationToken;

pub use door::Door;
pub use sessions::Sessions;

use crate::{config::Server, host::Host};
use changes::Changes;
use closing::Closing;
use door::Way;

/// MCP over streamable HTTP, to be mounted at a path. Whoever mounts it checks `Host` and `Origin` and puts a [`Caller`](crate::auth::Caller)
/// into each request's extensions: a request without one may do nothing. It ends when `shutdown` is cancelled.
pub fn http_service(host: Host, shutdown: CancellationToken) -> StreamableHttpService<Door, Sessions> {
    let settings = host.settings().server.clone();
    let changes = Changes::watch(host.articles.clone());
    let way = Way::Http { idle: settings.mcp_session_idle };
    streamable(move || Door::new(host.clone(), changes.clone(), way, CancellationToken::new()), &settings, shutdown)
}

/// Any handler over streamable HTTP, as Afterword serves its own.
#[doc(hidden)]
pub fn streamable<H: ServerHandler>(
    handler: impl Fn() -> H + Send + Sync + 'static,
    settings: &Server,
    shutdown: CancellationToken,
) -> StreamableHttpService<H, Sessions> {
    let mut kept = SessionConfig::default();
    kept.keep_alive = Some(settings.mcp_session_idle);
    let sessions = Sessions::new(kept, sessions::MOST);
    let config = StreamableHttpServerConfig::default()
        .with_cancellation_token(shutdown)
        .with_max_request_body_bytes(longest_message(settings))
        // Where an answer is one message, it comes as one; the newer era allows it.
        .with_json_response(true)
        // Host and Origin are looked at once, for all doors, before a request comes here.
        .disable_allowed_hosts()
        .disable_allowed_origins();
    StreamableHttpService::new(move || Ok(handler()), Arc::new(sessions), config)
}

/// *Units:* bytes.
fn longest_message(settings: &Server) -> usize {
    usize::try_from(settings.max_body.as_u64()).unwrap_or(usize::MAX)
}

/// Why a session ended otherwise than by its client.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The client does not begin as the protocol wants.
    #[error("the client does not speak MCP: {0}")]
    Start(Box<ServerInitializeError>),
    /// The session's task died.
    #[error("the session broke off: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// MCP over standard input and output, for whoever started this process. See [`serve`].
///
/// # Errors
/// [`SessionError`]
pub async fn stdio(host: Host, stop: CancellationToken) -> Result<(), SessionError> {
    let (input, output) = rmcp::transport::stdio_pipes();
    let longest = longest_message(&host.settings().server);
    let transport = AsyncRwTransport::new_server(input, output).with_max_line_length(longest);
    serve(host, transport, stop).await
}

/// MCP for one client that may do everything. Ends when the client closes `transport`, or `stop` is cancelled.
///
/// # Errors
/// [`SessionError`]
pub async fn serve<T, E, A>(host: Host, transport: T, stop: CancellationToken) -> Result<(), SessionError>
where
    T: IntoTransport<RoleServer, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let changes = Changes::watch(host.articles.clone());
    let alive = CancellationToken::new();
    let transport = Closing::new(transport.into_transport(), alive.clone());
    let door = Door::new(host, changes, Way::Pipe, alive);
    let session = match serve_server_with_ct(door, transport, stop).await {
        Ok(session) => session,
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => return Ok(()),
        Err(error) => return Err(SessionError::Start(Box::new(error))),
    };
    match session.waiting().await? {
        QuitReason::JoinError(error) => Err(error.into()),
        _ => Ok(()),
    }
}
