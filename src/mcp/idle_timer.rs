//! How long a client has asked nothing.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Since when a client has been silent. Messages that the server sends unasked would keep the session of a vanished
/// client open without end, so they are sent only to clients that are not silent for too long.
pub(super) struct IdleTimer(Mutex<Instant>);

impl IdleTimer {
    pub(super) fn start() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Records that the client asks something.
    pub(super) fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}
