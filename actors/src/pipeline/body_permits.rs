//! Memory for the articles that are being processed: bounded by their bytes, not by their number.
//!
//! Short articles and long ones have separate room, so that a note never waits behind a long article.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The longest short body. *Units:* bytes.
pub(super) const MAX_SHORT_BODY: u32 = 64 << 10;
/// Most of all short bodies that are processed at the same time. *Units:* bytes.
const SHORT_BODIES_LIMIT: usize = 16 << 20;
/// Most of all long bodies that are processed at the same time; one that is longer than this is processed without other
/// long ones. Cut and embedded, a body takes several times its length. *Units:* bytes.
const LONG_BODIES_LIMIT: usize = 16 << 20;
/// The room that one permit gives. *Units:* bytes.
const PERMIT_BYTES: u64 = 1 << 10;

/// Room for bodies.
#[derive(Debug)]
pub(crate) struct BodyPermits {
    short: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

/// Room that is reserved until this is dropped.
#[derive(Debug)]
pub(crate) struct BodyPermit(Option<OwnedSemaphorePermit>);

impl Default for BodyPermits {
    fn default() -> Self {
        let room = |bytes: usize| Arc::new(Semaphore::new(pieces(bytes as u64) as usize));
        Self { short: room(SHORT_BODIES_LIMIT), long: room(LONG_BODIES_LIMIT) }
    }
}

impl BodyPermits {
    /// Waits for room for any short body; [`BodyPermit::keep`] returns what this one does not need.
    pub(crate) async fn take_short(&self) -> BodyPermit {
        take(&self.short, pieces(u64::from(MAX_SHORT_BODY))).await
    }

    /// Waits for room for a long body of `bytes` bytes.
    pub(crate) async fn take_long(&self, bytes: u64) -> BodyPermit {
        take(&self.long, pieces(bytes).min(pieces(LONG_BODIES_LIMIT as u64))).await
    }
}

impl BodyPermit {
    /// Keeps room for only `bytes` bytes.
    pub(crate) fn keep(mut self, bytes: u64) -> Self {
        let spare = |permit: &mut OwnedSemaphorePermit| {
            let spare = permit.num_permits().saturating_sub(pieces(bytes) as usize);
            drop(permit.split(spare));
        };
        self.0.as_mut().map(spare);
        self
    }
}

async fn take(room: &Arc<Semaphore>, pieces: u32) -> BodyPermit {
    // It is never closed.
    BodyPermit(Arc::clone(room).acquire_many_owned(pieces).await.ok())
}

/// At least one: every body takes some room.
fn pieces(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn all_in_work_fits_and_a_note_waits_for_no_long_article() {
        let room = BodyPermits::default();
        let long: Vec<_> = std::iter::from_fn(|| room.take_long(5 << 20).now_or_never()).collect();
        assert_eq!(long.len(), 3, "of 16 MiB");
        let short: Vec<_> =
            std::iter::from_fn(|| room.take_short().now_or_never().map(|taken| taken.keep(300))).take(20_000).collect();
        assert_eq!(
            short.len(),
            (SHORT_BODIES_LIMIT - MAX_SHORT_BODY as usize) / PERMIT_BYTES as usize + 1,
            "each keeps what it needs"
        );
        drop((long, short));
        let whole = room.take_long(1 << 40).now_or_never().expect("one that is larger than all goes alone");
        assert!(room.take_long(1).now_or_never().is_none());
        drop(whole);
        assert!(room.take_long(1).now_or_never().is_some());
        assert_eq!(
            std::iter::from_fn(|| room.take_short().now_or_never()).take(1_000).map(std::mem::forget).count(),
            256
        );
    }
}
