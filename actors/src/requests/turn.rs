//! The turn of the next request: a limit of requests is kept before it is decided which texts go with one, so that those that
//! come meanwhile go with it.

use futures_util::future::{BoxFuture, pending};

use crate::embedder::Embedder;

/// How far the next request is on its way to its turn.
#[derive(Default)]
pub(super) enum Turn {
    /// Nothing waits to be sent.
    #[default]
    NotAsked,
    Awaited(BoxFuture<'static, ()>),
    Had,
}

impl Turn {
    /// Whether a request may be sent now; if not, its turn is awaited from now on.
    pub(super) fn is_here(&mut self, embedder: &dyn Embedder) -> bool {
        if matches!(self, Self::NotAsked) {
            *self = embedder.turn().map_or(Self::Had, Self::Awaited);
        }
        matches!(self, Self::Had)
    }

    /// Waits for a turn that was asked for.
    pub(super) async fn come(&mut self) {
        match self {
            Self::Awaited(turn) => turn.await,
            Self::NotAsked | Self::Had => pending().await,
        }
        *self = Self::Had;
    }
}
