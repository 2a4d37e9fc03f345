//! The stream of one connection: how long it may be idle, and how long its client may leave an answer unread.

use std::{
    io,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::{connection::Connection, connection_limit::ConnectionPermit};
use crate::config::Server;

/// How much of an answer a client must take in each [`ClientTimeouts::writing`] that the server waits. *Units:* bytes.
const LEAST_TAKEN: usize = 64 << 10;
/// How long a connection of the reserve may be silent: it is for one short request.
const RESERVE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the server waits for a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientTimeouts {
    /// For the first byte.
    beginning: Duration,
    /// For the next request.
    idle: Duration,
    /// While it reads an answer too slowly.
    writing: Duration,
}

impl ClientTimeouts {
    pub(super) fn new(server: &Server) -> Self {
        Self { beginning: server.header_timeout, idle: server.idle_timeout, writing: server.write_timeout }
    }

    /// The patience with a connection beyond `server.max_connections`.
    pub(super) fn short(self) -> Self {
        Self {
            beginning: self.beginning.min(RESERVE_TIMEOUT),
            idle: self.idle.min(RESERVE_TIMEOUT),
            writing: self.writing.min(RESERVE_TIMEOUT),
        }
    }
}

/// The stream of a connection, which ends when its client takes too long.
pub(super) struct TimedStream {
    stream: TcpStream,
    connection: Arc<Connection>,
    patience: ClientTimeouts,
    silence: Pin<Box<Sleep>>,
    leave: Pin<Box<WaitForCancellationFutureOwned>>,
    unread: WriteStall,
    _place: ConnectionPermit,
}

impl TimedStream {
    pub(super) fn new(
        stream: TcpStream,
        connection: Arc<Connection>,
        patience: ClientTimeouts,
        place: ConnectionPermit,
    ) -> Self {
        let silence = Box::pin(tokio::time::sleep(patience.beginning));
        let leave = Box::pin(connection.leave.clone().cancelled_owned());
        Self { stream, connection, patience, silence, leave, unread: WriteStall::default(), _place: place }
    }

    /// Ends the connection when it is told to leave.
    fn poll_leave(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let why = "another connection needs its place";
        self.leave.as_mut().poll(context).map(|()| io::Error::new(io::ErrorKind::ConnectionAborted, why))
    }

    /// Ends the connection if nothing was asked for too long.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(leave) = self.poll_leave(context) {
            return Poll::Ready(Err(leave));
        }
        if self.connection.requests.load(Ordering::SeqCst) > 0 {
            return Poll::Pending;
        }
        let has_spoken = self.connection.has_spoken.load(Ordering::Relaxed);
        let patience = if has_spoken { self.patience.idle } else { self.patience.beginning };
        let until = self.connection.quiet_since() + patience;
        if self.silence.deadline() != until {
            self.silence.as_mut().reset(until);
        }
        self.silence.as_mut().poll(context).map(|()| Err(late("the client sends nothing")))
    }

    fn written(&mut self, context: &mut Context<'_>, taken: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.connection.is_writing.store(taken.is_pending(), Ordering::SeqCst);
        match taken {
            Poll::Ready(Ok(bytes)) => {
                self.connection.is_heard();
                self.unread.take(bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => match self.poll_leave(context) {
                Poll::Ready(leave) => Poll::Ready(Err(leave)),
                Poll::Pending => self.unread.poll(context, self.patience.writing).map(Err),
            },
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }
}

fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

/// How long the server has waited for its client to take an answer, and how much was taken meanwhile. A client that
/// takes a byte now and then takes too little.
#[derive(Default)]
struct WriteStall {
    since: Option<Instant>,
    waited: Duration,
    taken: usize,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl WriteStall {
    fn take(&mut self, bytes: usize) {
        self.alarm = None;
        self.waited += self.since.take().map(|since| since.elapsed()).unwrap_or_default();
        self.taken += bytes;
        if self.taken >= LEAST_TAKEN {
            (self.waited, self.taken) = (Duration::ZERO, 0);
        }
    }

    fn poll(&mut self, context: &mut Context<'_>, patience: Duration) -> Poll<io::Error> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let end = since + patience.saturating_sub(self.waited);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        alarm.as_mut().poll(context).map(|()| late("the client does not read"))
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.poll_silence(context),
            Poll::Ready(read) => {
                if buffer.filled().len() > before {
                    self.connection.has_spoken.store(true, Ordering::Relaxed);
                    self.connection.is_heard();
                }
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, taken)
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
        let taken = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.written(context, taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
