//! What a connection does, and whether it is idle.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a connection does; shared by the stream, the requests that come by it, and the room it takes.
pub(super) struct Connection {
    pub(super) requests: AtomicUsize,
    pub(super) has_spoken: AtomicBool,
    pub(super) is_writing: AtomicBool,
    /// Beyond the limit, for the requests that are always answered.
    pub(super) is_reserve: bool,
    quiet_since: Mutex<Instant>,
    pub(super) leave: CancellationToken,
}

/// A running request; the connection is not idle until it is dropped.
pub(super) struct AtWork(Arc<Connection>);

impl Connection {
    pub(super) fn begin(is_reserve: bool) -> Arc<Self> {
        Arc::new(Self {
            requests: AtomicUsize::new(0),
            has_spoken: AtomicBool::new(false),
            is_writing: AtomicBool::new(false),
            is_reserve,
            quiet_since: Mutex::new(Instant::now()),
            leave: CancellationToken::new(),
        })
    }

    pub(super) fn work(self: &Arc<Self>) -> AtWork {
        self.requests.fetch_add(1, Ordering::SeqCst);
        AtWork(Arc::clone(self))
    }

    /// Returns whether it ever asked anything, and since when nothing has been asked, answered or sent; `None` if it is
    /// busy or was told to leave.
    pub(super) fn idle(&self) -> Option<(bool, Instant)> {
        let is_busy = self.requests.load(Ordering::SeqCst) > 0 || self.is_writing.load(Ordering::SeqCst);
        let has_spoken = self.has_spoken.load(Ordering::Relaxed);
        (!is_busy && !self.leave.is_cancelled()).then(|| (has_spoken, self.quiet_since()))
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

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.is_heard();
        self.0.requests.fetch_sub(1, Ordering::SeqCst);
    }
}
