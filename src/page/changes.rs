//! Which articles' tasks change, for all open views of an article. Without an open view, the database is not asked.

use std::{collections::HashSet, sync::Arc, time::Duration};

use afterword_actors::RuntimeHandle;
use tokio::sync::{
    Notify,
    broadcast::{self, error::RecvError},
};
use tokio_util::sync::CancellationToken;

use crate::queue::{Follower, Queue};

/// How often changes of other hosts are polled; those of this host are announced.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Changes of this host within this time are read together.
const GATHER_INTERVAL: Duration = Duration::from_millis(200);
/// Entries of the audit trail read at once. If more are new, every view reads again.
const ENTRIES_PER_READ: u32 = 500;
/// Changes that a slow client may be behind before it reads again.
const MAX_BEHIND: usize = 64;

/// Articles whose tasks changed; `None` if it may have been any.
pub(super) type ChangedArticles = Option<Arc<HashSet<i64>>>;

/// Announces changes. Cheap to clone.
#[derive(Clone)]
pub(super) struct TaskChanges {
    sender: broadcast::Sender<ChangedArticles>,
    arrived: Arc<Notify>,
}

impl TaskChanges {
    /// Announces changes until `stopping`.
    pub(super) fn start(queue: Queue, runtime: RuntimeHandle, stopping: CancellationToken) -> Self {
        let changes = Self { sender: broadcast::Sender::new(MAX_BEHIND), arrived: Arc::default() };
        let telling = changes.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = telling.tell(&queue, &runtime) => {}
            }
        });
        changes
    }

    pub(super) fn follow(&self) -> broadcast::Receiver<ChangedArticles> {
        let receiver = self.sender.subscribe();
        self.arrived.notify_one();
        receiver
    }

    async fn tell(&self, queue: &Queue, runtime: &RuntimeHandle) {
        let (mut local, mut follower) = (runtime.subscribe(), None);
        loop {
            follower = if self.sender.receiver_count() > 0 { self.announce(queue, follower).await } else { None };
            tokio::select! {
                () = self.arrived.notified() => {}
                () = tokio::time::sleep(CHECK_INTERVAL) => {}
                hint = local.recv() => match hint {
                    Ok(_) | Err(RecvError::Lagged(_)) => tokio::time::sleep(GATHER_INTERVAL).await,
                    Err(RecvError::Closed) => tokio::time::sleep(CHECK_INTERVAL).await,
                },
            }
            local = local.resubscribe();
        }
    }

    /// Announces what changed after the given entry, and returns the entry to go on from. If no view is open or too
    /// much is new, every view reads again, and the trail is followed from its end.
    async fn announce(&self, queue: &Queue, follower: Option<Follower>) -> Option<Follower> {
        let Some(mut follower) = follower else {
            let follower = queue.follow(None).await.ok()?;
            // No view was told of what happened before.
            let _ = self.sender.send(None);
            return Some(follower);
        };
        let Ok(entries) = follower.next(ENTRIES_PER_READ).await else { return Some(follower) };
        if entries.is_empty() {
            return Some(follower);
        }
        if entries.len() >= ENTRIES_PER_READ as usize {
            return None;
        }
        let changed = entries.iter().filter_map(|entry| entry.article_id).collect();
        let _ = self.sender.send(Some(Arc::new(changed)));
        Some(follower)
    }
}
