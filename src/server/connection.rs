//! What a connection does, and whether it is idle.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::http::Arrival;

/// What a connection does; shared by the stream, the requests that come by it, and the room it takes.
pub(super) struct Connection {
    pub(super) requests: AtomicUsize,
    pub(super) has_spoken: AtomicBool,
    pub(super) is_writing: AtomicBool,
    /// Whether its client was let in.
    pub(super) arrival: Arrival,
    /// Beyond the limit, for the requests that are always answered.
    pub(super) is_reserve: bool,
    quiet_since: Mutex<Instant>,
    pub(super) leave: CancellationToken,
}

/// How much is known of a connection's client; those of whom least is known make room first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ClientTrust {
    /// It never sent anything.
    Silent,
    /// None of its requests was let in.
    Stranger,
    /// One of its requests was let in.
    Known,
}

/// A running request; the connection is not idle until it is dropped.
pub(super) struct ActiveRequest(Arc<Connection>);

impl Connection {
    pub(super) fn begin(is_reserve: bool) -> Arc<Self> {
        Arc::new(Self {
            requests: AtomicUsize::new(0),
            has_spoken: AtomicBool::new(false),
            is_writing: AtomicBool::new(false),
            arrival: Arrival::default(),
            is_reserve,
            quiet_since: Mutex::new(Instant::now()),
            leave: CancellationToken::new(),
        })
    }

    pub(super) fn work(self: &Arc<Self>) -> ActiveRequest {
        self.requests.fetch_add(1, Ordering::SeqCst);
        ActiveRequest(Arc::clone(self))
    }

    /// Returns how much it has shown of its client, and since when nothing has been asked, answered or sent; `None` if
    /// it is busy or was told to leave. A client that was never let in is not busy, whatever it asks or leaves unread:
    /// it could be so with all connections.
    pub(super) fn idle(&self) -> Option<(ClientTrust, Instant)> {
        let is_let_in = self.arrival.is_let_in();
        let is_at_work = self.requests.load(Ordering::SeqCst) > 0 || self.is_writing.load(Ordering::SeqCst);
        let trust = match self.has_spoken.load(Ordering::Relaxed) {
            _ if is_let_in => ClientTrust::Known,
            true => ClientTrust::Stranger,
            false => ClientTrust::Silent,
        };
        let is_kept = is_let_in && is_at_work;
        (!is_kept && !self.leave.is_cancelled()).then(|| (trust, self.quiet_since()))
    }

    /// Tells it to close, to make room for another.
    pub(super) fn leave(&self) {
        self.leave.cancel();
    }

    pub(super) fn quiet_since(&self) -> Instant {
        *self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_heard(&self) {
        *self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.is_heard();
        self.0.requests.fetch_sub(1, Ordering::SeqCst);
    }
}
