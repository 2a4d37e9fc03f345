//! The socket: how connections are accepted.

use std::{io, net::SocketAddr, pin::Pin, sync::Arc};

use axum::{Extension, extract::connect_info::IntoMakeServiceWithConnectInfo, middleware::AddExtension};
use axum_server::accept::{Accept, NoDelayAcceptor};
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tower::Layer;

use super::{
    connection::Connection,
    connection_limit::ConnectionLimit,
    error::ServeError,
    gate::Gate,
    timed_stream::{ClientTimeouts, TimedStream},
};
use crate::config::Server;

/// Longest head of a request: its address and its headers. As much of each connection is read ahead. *Units:* bytes.
const LONGEST_HEAD: usize = 32 << 10;

/// Stops a listener.
pub(super) type Handle = axum_server::Handle<SocketAddr>;

/// A bound socket: the system accepts connections from now on.
pub(super) struct Listener {
    socket: TcpListener,
    pub(super) address: SocketAddr,
}

/// A listener that serves.
pub(super) struct Running {
    pub(super) handle: Handle,
    pub(super) serve: Pin<Box<dyn Future<Output = io::Result<()>> + Send>>,
}

pub(super) async fn bind(server: &Server) -> Result<Listener, ServeError> {
    let fail = |source| ServeError::Bind { address: server.bind.clone(), source };
    let socket = TcpListener::bind(&server.bind).await.map_err(fail)?;
    let address = socket.local_addr().map_err(fail)?;
    Ok(Listener { socket, address })
}

impl Listener {
    pub(super) fn run(self, gate: Gate, server: &Server) -> Running {
        let handle = Handle::new();
        let acceptor =
            Acceptor { room: ConnectionLimit::new(server.max_connections), patience: ClientTimeouts::new(server) };
        let mut serving = axum_server::Server::from_listener(self.socket).http1_only().handle(handle.clone());
        // A client that sends its request one byte a minute is cut off, and so is one whose head does not end.
        let mut http = serving.http_builder().http1();
        http.timer(TokioTimer::new()).header_read_timeout(server.header_timeout).max_buf_size(LONGEST_HEAD);
        let service: IntoMakeServiceWithConnectInfo<_, SocketAddr> =
            gate.router().into_make_service_with_connect_info();
        let serve = Box::pin(serving.acceptor(acceptor).serve(service));
        Running { handle, serve }
    }
}

/// Accepts connections as long as [`ConnectionLimit`] allows; further ones are closed at once, instead of letting
/// them wait in vain.
#[derive(Clone)]
struct Acceptor {
    room: ConnectionLimit,
    patience: ClientTimeouts,
}

impl<S: Send + 'static> Accept<TcpStream, S> for Acceptor {
    type Stream = TimedStream;
    type Service = AddExtension<S, Arc<Connection>>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Self { room, patience } = self.clone();
        Box::pin(async move {
            let (connection, place) = room.take().await.ok_or_else(|| io::Error::other("too many connections"))?;
            let patience = if connection.is_reserve { patience.short() } else { patience };
            let (stream, service) = NoDelayAcceptor::new().accept(stream, service).into_inner()?;
            let service = Extension(Arc::clone(&connection)).layer(service);
            Ok((TimedStream::new(stream, connection, patience, place), service))
        })
    }
}
