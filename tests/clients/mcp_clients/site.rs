//! What to try clients on, and where the clients are.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use afterword::{
    config::Settings,
    embedding::Backends,
    health::Health,
    host::Host,
    http::{self, HttpParts, HttpState},
    mcp,
    telemetry::Telemetry,
};
use axum::Router;
use rmcp::ServerHandler;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{support::SqliteTestHost, support::process::Server};

/// Long enough for a client to see that an embedding is not there yet.
const LATENCY: &str = "embedding.scripted.latency=500ms";

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

/// The command that serves the product over standard input and output, on a database in `folder`.
pub(crate) fn over_stdio(folder: &Path) -> Vec<String> {
    over_stdio_on(&format!("sqlite://{}", folder.join("site.db").display()))
}

/// The same on `database`.
pub(crate) fn over_stdio_on(database: &str) -> Vec<String> {
    let program = env!("CARGO_BIN_EXE_afterword");
    let settings = ["embedding.provider=scripted", LATENCY, "log.level=error"];
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    [program, "mcp", "--database", database].into_iter().chain(settings).map(str::to_owned).collect()
}

/// The product's server.
pub(crate) fn over_http() -> Server {
    Server::start(&[LATENCY])
}

/// Serves `handler` behind the guards of the product's server, and returns the address. It ends with the test.
pub(crate) async fn serve<H: ServerHandler>(
    handler: impl Fn() -> H + Send + Sync + 'static,
) -> (String, SqliteTestHost) {
    let world = SqliteTestHost::new().await;
    let settings = Settings::default();
    let backends = Backends::with(&settings.embedding, world.model());
    let worker = Host::on(world.database.clone(), backends, &settings).start().await.expect("a runtime");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let door = mcp::streamable(handler, &settings.server, CancellationToken::new());
    let parts = HttpParts {
        host: worker.host.clone(),
        runtime: worker.runtime.handle(),
        health: Health::default(),
        telemetry: Telemetry::default(),
        address,
        mcp: Router::new().route_service("/mcp", door),
        page: None,
        stopping: CancellationToken::new(),
    };
    let router = http::router(HttpState::new(parts));
    tokio::spawn(async move {
        let served = axum::serve(listener, router).await;
        worker.stop().await;
        served
    });
    (format!("http://{address}/mcp"), world)
}
