//! Reads articles that an earlier version has saved, in the background, until all have been read.

use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use crate::articles::Articles;

/// The pause between two batches: saves and the queue go first.
const BATCH_PAUSE: Duration = Duration::from_millis(20);
/// The pause after the database has failed.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The task that reads; it ends when this is dropped.
pub(super) struct Reading {
    _work: AbortOnDropHandle<()>,
}

impl Reading {
    pub(super) fn begin(articles: Articles) -> Self {
        Self { _work: AbortOnDropHandle::new(tokio::spawn(read_all_again(articles))) }
    }
}

async fn read_all_again(articles: Articles) {
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
}
