//! Reads articles that an earlier version has saved, in the background, until all have been read.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::articles::Articles;

/// The pause between two batches: saves and the queue go first.
const BATCH_PAUSE: Duration = Duration::from_millis(20);
/// The pause after the database has failed.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The task that reads; it ends when this is dropped.
pub(super) struct Reading(JoinHandle<()>);

impl Reading {
    pub(super) fn begin(articles: Articles) -> Self {
        Self(tokio::spawn(async move {
            loop {
                match articles.read_some_again().await {
                    Ok(true) => tokio::time::sleep(BATCH_PAUSE).await,
                    Ok(false) => return,
                    Err(error) => {
                        tracing::warn!(%error, "tags and properties of earlier articles are not read yet");
                        tokio::time::sleep(RETRY_AFTER).await;
                    }
                }
            }
        }))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}
