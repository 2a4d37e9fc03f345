//! What handlers and guards share.

use std::{net::SocketAddr, ops::Deref, sync::Arc};

use afterword_actors::RuntimeHandle;
use axum::Router;
use tokio_util::sync::CancellationToken;

use super::{
    feed::EventFeed,
    guard::{
        access::Entrance,
        hosts::Policy,
        load::{self, BodyBudget},
        rate::Limiter,
        streams::Streams,
    },
    mounted::Mounted,
};
use crate::{health::Health, host::Host, share::Shares, telemetry::Telemetry};

/// What handlers and guards share. Cheap to clone.
#[derive(Clone)]
pub struct HttpState(Arc<Shared>);

/// The parts that a server is put together from.
pub struct HttpParts {
    /// The services.
    pub host: Host,
    /// The runtime of this process.
    pub runtime: RuntimeHandle,
    /// The server's health.
    pub health: Health,
    /// The measurements.
    pub telemetry: Telemetry,
    /// The address that it listens on.
    pub address: SocketAddr,
    /// Serves MCP at `/mcp`; behind the guards.
    pub mcp: Router,
    /// Another door, for people; behind the guards as well.
    pub page: Option<Mounted>,
    /// Cancelled when the server stops: long answers then end.
    pub stopping: CancellationToken,
}

/// See [`HttpState`].
pub struct Shared {
    pub(super) host: Host,
    pub(super) runtime: RuntimeHandle,
    pub(super) health: Health,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) stopping: CancellationToken,
    pub(super) feed: EventFeed,
    pub(super) policy: Arc<Policy>,
    pub(super) entrance: Entrance,
    pub(super) limiter: Limiter,
    pub(super) budget: BodyBudget,
    pub(super) streams: Streams,
    pub(super) requests: Shares,
    pub(super) pages: Shares,
    pub(super) strangers: Shares,
    mcp: Router,
    pub(super) page: Option<Mounted>,
}

impl HttpState {
    /// Puts the parts together. Must be called within an asynchronous runtime.
    pub fn new(parts: HttpParts) -> Self {
        let HttpParts { host, runtime, health, telemetry, address, mcp, page, stopping } = parts;
        let server = &host.settings().server;
        let policy = Arc::new(Policy::new(address.ip(), server));
        let telemetry = Arc::new(telemetry);
        let entrance = Entrance::new(Arc::clone(&policy), host.tokens.clone(), Arc::clone(&telemetry));
        let limiter = Limiter::new(server);
        let feed = EventFeed::start(host.database.clone(), runtime.clone(), stopping.clone());
        let budget = BodyBudget::new(server);
        let streams = Streams::new(server.max_connections, host.tokens.clone());
        let (requests, pages, strangers) = (load::requests(server.max_connections), load::pages(), load::strangers());
        Self(Arc::new(Shared {
            host,
            runtime,
            health,
            telemetry,
            stopping,
            feed,
            policy,
            entrance,
            limiter,
            budget,
            streams,
            requests,
            pages,
            strangers,
            mcp,
            page,
        }))
    }

    pub(super) fn mcp<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.mcp.clone().with_state(())
    }
}

impl Deref for HttpState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
