//! The turn of the next request: a limit of requests is kept before it is decided which texts go with one, so that
//! those that come meanwhile go with it.

use std::time::Duration;

use futures_util::future::{BoxFuture, pending};
use tokio::time::Instant;

use crate::embedder::Embedder;

/// How long a turn that no request has used is good for the next one; later it may be of another minute.
const UNUSED_TURN_LIFETIME: Duration = Duration::from_secs(5);

/// How far the next request is on its way to its turn.
#[derive(Default)]
pub(super) enum Turn {
    /// Nothing waits to be sent.
    #[default]
    NotAsked,
    Awaited(BoxFuture<'static, ()>),
    /// It came at this time.
    Had(Instant),
}

impl Turn {
    /// Whether a request may be sent now; if not, its turn is awaited from now on.
    pub(super) fn is_here(&mut self, embedder: &dyn Embedder) -> bool {
        let is_stale = matches!(self, Self::Had(came) if came.elapsed() >= UNUSED_TURN_LIFETIME);
        if is_stale || matches!(self, Self::NotAsked) {
            *self = embedder.turn().map_or_else(|| Self::Had(Instant::now()), Self::Awaited);
        }
        self.has_come()
    }

    /// Whether a turn is there that no request has used.
    pub(super) fn has_come(&self) -> bool {
        matches!(self, Self::Had(_))
    }

    /// Waits for a turn that was asked for.
    pub(super) async fn come(&mut self) {
        match self {
            Self::Awaited(turn) => turn.await,
            Self::NotAsked | Self::Had(_) => pending().await,
        }
        *self = Self::Had(Instant::now());
    }
}
