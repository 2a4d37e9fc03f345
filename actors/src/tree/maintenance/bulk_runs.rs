//! Carrying bulk runs on: their articles are queued as what was queued before is worked off.

use std::sync::Arc;

use afterword_entities::bulk_operation;

use super::state::MaintenanceState;
use crate::{
    store::{
        StoreError,
        bulk::{self, Page},
    },
    tree::messages::QueueMessage,
};

impl MaintenanceState {
    pub(super) async fn carry_bulk_runs_on(&self) -> Result<(), StoreError> {
        for run in bulk::unfinished(self.context.database.reader()).await? {
            self.carry_on(Arc::new(run)).await?;
        }
        Ok(())
    }

    /// Queues a run's articles page by page, saves passing between the pages, and closes it when all have ended.
    async fn carry_on(&self, run: Arc<bulk_operation::Model>) -> Result<(), StoreError> {
        loop {
            match self.queue_page(Arc::clone(&run)).await? {
                Page::Queued => self.queue.send(QueueMessage::Wake),
                Page::Later => return Ok(()),
                Page::NoMore => break,
            };
        }
        if bulk::progress(self.context.database.reader(), run.id).await?.open > 0 {
            return Ok(());
        }
        let id = run.id;
        let closed = self
            .context
            .database
            .write_behind::<_, StoreError, _>(move |transaction| Box::pin(bulk::close_if_done(transaction, id)))
            .await?;
        if let Some(summary) = closed {
            let bulk::Summary { succeeded, failed, skipped, cancelled, .. } = summary;
            tracing::info!(bulk = id, succeeded, failed, skipped, cancelled, "bulk run completed");
        }
        Ok(())
    }

    async fn queue_page(&self, run: Arc<bulk_operation::Model>) -> Result<Page, StoreError> {
        let (max_attempts, ahead) = (self.context.settings.max_attempts, self.context.settings.sweep_batch);
        self.context
            .database
            .write_behind::<_, StoreError, _>(move |transaction| {
                Box::pin(async move { bulk::advance(transaction, &run, max_attempts, ahead).await })
            })
            .await
    }
}
