//! The socket: how connections are accepted, and how long a slow client may hold one.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum_server::accept::{Accept, NoDelayAcceptor};
use hyper_util::rt::TokioTimer;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{Gate, ServeError};
use crate::config::Server;

/// Stops a listener.
pub(super) type Handle = axum_server::Handle<SocketAddr>;

/// A socket that is bound: the system takes connections from now on.
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
        let acceptor = Counted { room: Arc::new(Semaphore::new(server.max_connections)) };
        let mut serving = axum_server::Server::from_listener(self.socket).http1_only().handle(handle.clone());
        // A client that sends its request a letter a minute is cut off, and so is one that sends none.
        serving.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(server.header_timeout);
        let service: IntoMakeServiceWithConnectInfo<_, SocketAddr> =
            gate.router().into_make_service_with_connect_info();
        let serve = Box::pin(serving.acceptor(acceptor).serve(service));
        Running { handle, serve }
    }
}

/// Takes so many connections and no more; those beyond are closed at once, so that they do not wait for nothing.
#[derive(Clone)]
struct Counted {
    room: Arc<Semaphore>,
}

impl<S> Accept<TcpStream, S> for Counted {
    type Stream = CountedStream;
    type Service = S;
    type Future = std::future::Ready<io::Result<(CountedStream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = Arc::clone(&self.room).try_acquire_owned().map_err(io::Error::other).and_then(|permit| {
            let (stream, service) = NoDelayAcceptor::new().accept(stream, service).into_inner()?;
            Ok((CountedStream { stream, _permit: permit }, service))
        });
        std::future::ready(accepted)
    }
}

/// A connection that is counted for as long as it lives.
struct CountedStream {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for CountedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
