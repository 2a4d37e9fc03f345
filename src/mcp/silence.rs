//! For how long a client has asked nothing.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Since when a client is silent. What it is told unasked would keep the session of a client that has vanished alive for
/// ever, so that is told only to clients who still say something themselves.
pub(super) struct Silence(Mutex<Instant>);

impl Silence {
    pub(super) fn begins() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// The client asks something.
    pub(super) fn is_broken(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub(super) fn lasts(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}
