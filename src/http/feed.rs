//! One look at the database for all clients that follow it.

use std::{sync::Arc, time::Duration};

use afterword_actors::{
    RuntimeHandle,
    store::{
        Database, StoreError,
        events::{self, Filter},
    },
};
use tokio::sync::{broadcast::error::RecvError, watch};
use tokio_util::sync::CancellationToken;

use crate::hosts::{self, Worker};

/// How often changes of other hosts are looked for; those of this host are announced.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Changes of this host within this time are looked at together.
const GATHER_INTERVAL: Duration = Duration::from_millis(20);

/// The result of the last look.
#[derive(Debug, Clone, Default)]
pub(super) struct FeedState {
    /// The newest entry of the audit trail.
    pub(super) event: i64,
    pub(super) workers: Arc<Vec<Worker>>,
}

/// Tells its followers when there is something new.
pub struct EventFeed {
    seen: watch::Sender<FeedState>,
}

impl EventFeed {
    /// Follows `database` until `stopping`.
    pub(super) fn start(database: Database, runtime: RuntimeHandle, stopping: CancellationToken) -> Self {
        let (seen, _) = watch::channel(FeedState::default());
        let sender = seen.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = follow(&database, &runtime, &sender) => {}
            }
        });
        Self { seen }
    }

    /// Returns a receiver that changes whenever there is something new.
    pub(super) fn follow(&self) -> watch::Receiver<FeedState> {
        self.seen.subscribe()
    }
}

async fn follow(database: &Database, runtime: &RuntimeHandle, sender: &watch::Sender<FeedState>) {
    let mut local = runtime.subscribe();
    loop {
        if sender.receiver_count() > 0 {
            match look(database).await {
                Ok(now) => drop(sender.send_if_modified(|seen| replace(seen, now))),
                Err(error) => tracing::debug!(%error, "changes cannot be read now"),
            }
        }
        // A missed hint, or a closed sender, costs one look.
        match tokio::time::timeout(CHECK_INTERVAL, local.recv()).await {
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => tokio::time::sleep(GATHER_INTERVAL).await,
            Ok(Err(RecvError::Closed)) => tokio::time::sleep(CHECK_INTERVAL).await,
            Err(_) => {}
        }
        local = local.resubscribe();
    }
}

async fn look(database: &Database) -> Result<FeedState, StoreError> {
    let newest = events::list(database.reader(), &Filter { task_id: None, limit: 1 }).await?;
    let event = newest.last().map_or(0, |event| event.id);
    Ok(FeedState { event, workers: Arc::new(hosts::workers(database).await?) })
}

fn replace(seen: &mut FeedState, now: FeedState) -> bool {
    let differs = seen.event != now.event || seen.workers != now.workers;
    *seen = now;
    differs
}
