//! Advances bulk runs: their articles are queued as the ones queued before are done.

use std::sync::Arc;

use afterword_entities::bulk_operation;

use super::upkeep::Upkeep;
use crate::{
    store::{
        StoreError,
        bulk::{self, Page},
    },
    tree::messages::QueueMessage,
};

impl Upkeep {
    /// Advances every unfinished run; returns whether there is more to do soon.
    pub(super) async fn carry_bulk_runs_on(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for run in bulk::unfinished(self.context.database.reader()).await? {
            more |= self.carry_on(Arc::new(run)).await?;
        }
        Ok(more)
    }

    /// Queues a run's articles page by page, so that saves can commit between the pages, and closes it when all have
    /// ended. Returns whether there is more to do soon.
    async fn carry_on(&self, run: Arc<bulk_operation::Model>) -> Result<bool, StoreError> {
        loop {
            match self.queue_page(Arc::clone(&run)).await? {
                Page::Queued => self.queue.send(QueueMessage::Wake),
                Page::Later => return Ok(true),
                Page::NoMore => break,
            };
        }
        if bulk::progress(self.context.database.reader(), run.id).await?.open > 0 {
            // All are queued: the next tick is soon enough to close the run.
            return Ok(false);
        }
        let id = run.id;
        let closed = self
            .context
            .database
            .write_behind(async move |transaction| bulk::close_if_done(transaction, id).await)
            .await?;
        if let Some(summary) = closed {
            let bulk::Summary { succeeded, failed, skipped, cancelled, .. } = summary;
            tracing::info!(bulk = id, succeeded, failed, skipped, cancelled, "bulk run completed");
        }
        Ok(false)
    }

    async fn queue_page(&self, run: Arc<bulk_operation::Model>) -> Result<Page, StoreError> {
        let (max_attempts, ahead) = (self.context.settings.max_attempts, self.ahead());
        self.context
            .database
            .write_behind(async move |transaction| bulk::advance(transaction, &run, max_attempts, ahead).await)
            .await
    }
}
