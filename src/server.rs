//! The host server: one process with the runtime and its doors.
//!
//! It listens before anything else, so that a client learns that it is starting; it opens when database and runtime are
//! ready, and does not wait for a model. When it is told to stop it accepts no more requests, finishes those it has,
//! lets the workers finish up to a deadline, and releases the tasks they still have.

mod connection;
mod connection_limit;
mod error;
mod folder_sync;
mod gate;
mod listener;
mod timed_stream;

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{LoadedSettings, Settings},
    database,
    health::{Health, HealthSources},
    host::{Host, RunningHost},
    http::{self, HttpParts, HttpState},
    mcp,
    page::{self, Page},
    signals::{self, Signals},
    telemetry::{self, Telemetry},
};
use afterword_actors::RuntimeHandle;
use gate::Gate;

pub use error::ServeError;

/// Runs a server until it is told to stop; `announce` is called with the address once it is open.
///
/// # Errors
/// [`ServeError`] if it cannot start, or its socket fails.
pub async fn serve(loaded: &LoadedSettings, announce: impl FnOnce(SocketAddr, bool)) -> Result<(), ServeError> {
    let settings = &loaded.settings;
    // Installed before anything is claimed that would have to be released.
    let signals = Signals::install()?;
    let stopping = CancellationToken::new();
    let gate = Gate::default();
    let listener = listener::bind(&settings.server).await?;
    let (address, running) = (listener.address, listener.run(gate.clone(), &settings.server));
    let serving = tokio::spawn(running.serve);
    let stop = signals::told_to_stop(signals);
    let worker = match open(loaded, address, &gate, &stopping, &stop).await {
        Ok(Some(worker)) => worker,
        Ok(None) => {
            running.handle.shutdown();
            tracing::info!("stopped before it was open");
            return Ok(());
        }
        Err(error) => {
            running.handle.shutdown();
            return Err(error);
        }
    };
    announce(address, worker.host.tokens.closed().await?);
    let ended = tokio::select! {
        ended = serving => Some(ended),
        () = stop.cancelled() => None,
    };
    if let Some(ended) = ended {
        worker.stop().await;
        return ended.map_err(io::Error::other)?.map_err(ServeError::Io);
    }
    stopping.cancel();
    finish_requests(&running.handle, settings.server.shutdown_timeout).await;
    let drained = worker.stop().await;
    tracing::info!(finished = drained.finished, released = drained.released, "stopped");
    Ok(())
}

/// Opens the database. `None` if this process is told to stop meanwhile: nothing was begun that would have to be ended.
async fn open_database(settings: &Settings, stop: &CancellationToken) -> Result<Option<Host>, ServeError> {
    /// Longer than an open database takes.
    const SLOW_OPEN_AFTER: Duration = Duration::from_secs(3);
    let opening = Host::open_patiently(settings);
    tokio::pin!(opening);
    let told_to_wait = async {
        tokio::time::sleep(SLOW_OPEN_AFTER).await;
        tracing::warn!(
            "waiting for the database: for a lock of another process, a step of its schema, or a PostgreSQL that does not answer"
        );
        std::future::pending().await
    };
    tokio::select! {
        host = &mut opening => Ok(Some(host?)),
        () = stop.cancelled() => Ok(None),
        () = told_to_wait => Ok(None),
    }
}

async fn open(
    loaded: &LoadedSettings,
    address: SocketAddr,
    gate: &Gate,
    stopping: &CancellationToken,
    stop: &CancellationToken,
) -> Result<Option<RunningHost>, ServeError> {
    let settings = &loaded.settings;
    let Some(host) = open_database(settings, stop).await? else { return Ok(None) };
    refuse_strangers(&host, address).await?;
    let worker = host.start().await?;
    prepare(&worker);
    let (host, runtime) = (worker.host.clone(), worker.runtime.handle());
    export_traces(settings, &host, &runtime, stopping);
    let (database, settings) = (host.database.clone(), settings.health.clone());
    let watched = HealthSources { database, settings, runtime: runtime.clone() };
    let health = Health::begin(&watched).await;
    tokio::spawn(health.clone().watch(watched, stopping.clone()));
    folder_sync::keep(&loaded.settings.sync, &host.articles, &health, stopping);
    let page = loaded.settings.server.page.then(|| {
        let (host, runtime, health) = (host.clone(), runtime.clone(), health.clone());
        page::PageParts { host, runtime, health, settings: loaded.rows(), stopping: stopping.clone() }
    });
    let tokens = host.tokens.clone();
    let parts = HttpParts {
        page: page.map(page::open).map(mounted),
        mcp: Router::new().route_service("/mcp", mcp::http_service(host.clone(), stopping.clone())),
        host,
        runtime,
        health: health.clone(),
        telemetry: Telemetry::default(),
        address,
        stopping: stopping.clone(),
    };
    gate.open(health, tokens, http::router(HttpState::new(parts)));
    Ok(Some(worker))
}

fn mounted(page: Page) -> http::Mounted {
    let Page { routes, streams, entrance, front } = page;
    http::Mounted { routes, streams, entrance, front }
}

/// An unreachable collector is no reason not to serve.
#[cfg(feature = "otel")]
fn export_traces(settings: &Settings, host: &Host, runtime: &RuntimeHandle, stopping: &CancellationToken) {
    let endpoint = &settings.telemetry.otlp_endpoint;
    if endpoint.is_empty() {
        return;
    }
    match telemetry::traces::export(endpoint, host.queue.clone(), runtime, stopping.clone()) {
        Ok(exporting) => drop(tokio::spawn(exporting)),
        Err(error) => tracing::error!(%error, endpoint, "spans cannot be sent there; the server goes on without"),
    }
}

#[cfg(not(feature = "otel"))]
fn export_traces(_: &Settings, _: &Host, _: &RuntimeHandle, _: &CancellationToken) {}

/// Refuses to start without tokens if others can reach it; a public address means that a proxy lets them in.
async fn refuse_strangers(host: &Host, address: SocketAddr) -> Result<(), ServeError> {
    let public = match host.settings().server.public_url.as_str() {
        "" if address.ip().is_loopback() => return Ok(()),
        "" => address.to_string(),
        url => url.to_owned(),
    };
    if host.tokens.any().await? { Ok(()) } else { Err(ServeError::Open(public)) }
}

/// Starts what may take long and no request waits for: the model, the index of vectors, a count of what is embedded.
fn prepare(worker: &RunningHost) {
    if let Some(preparation) = worker.host.backends.preparation().cloned() {
        tokio::spawn(async move { preparation.run_until_ready().await });
    }
    let (database, language) = (worker.host.database.clone(), worker.host.settings().search.language.clone());
    tokio::spawn(async move {
        if let Err(error) = database::renew_words(&database, &language).await {
            tracing::warn!(%error, "words of earlier versions are searched as they are, until the next start");
        }
    });
    let (search, queue) = (worker.host.search.clone(), worker.host.queue.clone());
    tokio::spawn(async move {
        if let Err(error) = search.warm_up().await {
            tracing::warn!(%error, "the index of vectors is read at the first search instead");
        }
        if let Err(error) = queue.coverage_by_folder().await {
            tracing::debug!(%error, "what is embedded is counted at the first view instead");
        }
    });
}

async fn finish_requests(handle: &listener::Handle, deadline: Duration) {
    const CHECK_INTERVAL: Duration = Duration::from_millis(20);
    handle.graceful_shutdown(Some(deadline));
    let ended = async {
        while handle.connection_count() > 0 {
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    };
    if tokio::time::timeout(deadline, ended).await.is_err() {
        tracing::warn!(connections = handle.connection_count(), "requests did not finish in time and are cut off");
        handle.shutdown();
    }
}
