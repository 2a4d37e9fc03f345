//! Servers to try clients on, and where the clients are.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use afterword::{
    auth::Caller,
    config::Settings,
    embedding::{Backends, scripted::Script},
    host::{Host, Worker},
};
use axum::{Router, extract::Request};
use rmcp::{
    ServerHandler,
    transport::{StreamableHttpService, streamable_http_server::session::local::LocalSessionManager},
};
use tokio_util::sync::CancellationToken;

use crate::support::{TOKIO, World, quick};

/// Long enough for a client to see that an embedding is not there yet.
const LATENCY: Duration = Duration::from_millis(500);

/// Where `scripts/test` puts the clients.
pub(crate) fn clients() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let clients = cache.unwrap_or_else(|| home.join(".cache")).join("afterword-test/mcp-clients");
    assert!(clients.join("complete").exists(), "the clients are not in {}: run scripts/test", clients.display());
    clients
}

/// A command with the clients' own Node first in its path.
pub(crate) fn command(program: &Path) -> Command {
    let node = clients().join("node_modules/.bin");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.env("PATH", format!("{}:{path}", node.display()));
    command
}

/// The program, and what it needs in its environment to work in `folder`.
pub(crate) fn program(folder: &Path) -> (&'static str, Vec<(String, String)>) {
    let database = format!("sqlite://{}", folder.join("site.db").display());
    let settings = [
        ("AFTERWORD_DATABASE__URL", database),
        ("AFTERWORD_EMBEDDING__PROVIDER", "scripted".to_owned()),
        ("AFTERWORD_EMBEDDING__SCRIPTED__LATENCY", format!("{}ms", LATENCY.as_millis())),
    ];
    (env!("CARGO_BIN_EXE_afterword"), settings.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

/// A product to try clients on.
pub(crate) struct Site(World);

impl Site {
    pub(crate) fn open() -> Self {
        let script = Script { latency: LATENCY, ..Script::default() };
        Self(TOKIO.block_on(World::with(script, quick())))
    }

    pub(crate) async fn worker(&self) -> Worker {
        let settings = Settings::default();
        let backends = Backends::with(&settings.embedding, self.0.model());
        Host::on(self.0.database.clone(), backends, &settings).start().await.expect("a runtime")
    }

    /// Serves it on this machine, and answers the address.
    pub(crate) fn http(&self, worker: &Worker) -> String {
        serve(afterword::mcp::http_service(worker.host.clone(), CancellationToken::new()))
    }
}

/// Serves `door` on this machine, and answers the address. It ends with the test.
pub(crate) fn serve<H: ServerHandler>(mut door: StreamableHttpService<H, LocalSessionManager>) -> String {
    door.config = door.config.with_allowed_hosts(["localhost", "127.0.0.1", "::1"]);
    let guard = |mut request: Request| {
        request.extensions_mut().insert(Caller::local());
        request
    };
    let router = Router::new().nest_service("/mcp", door).layer(tower::util::MapRequestLayer::new(guard));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    TOKIO.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, router).await
    });
    format!("http://{address}/mcp")
}
