//! Filling the sets of vectors: what is missing in the set in use, and all of a set that is being built.
//!
//! Articles are visited in the order of their ids. Few tasks wait at a time, at low priority, so that saves go first;
//! more follow as these are done. What the first pass has not embedded (a host of an earlier version has taken a task
//! for a set of its own) is queued again by the pass of the next sweep.

use tokio::time::Instant;

use super::upkeep::Upkeep;
use crate::{
    store::{
        StoreError,
        backlog::{self, Order},
        claim::HostSets,
        models::{self, Hindrance},
    },
    task::Priority,
    tree::messages::QueueMessage,
};

/// Most articles queued in one transaction; few, because saves wait for it.
const MAX_ARTICLES_QUEUED: u32 = 100;
/// The shortest time between two counts of a set, in times that the first one took: counting takes at most a twentieth
/// of the time.
const COUNT_INTERVAL_FACTOR: u32 = 20;

impl Upkeep {
    /// Queues what is missing in the sets that this host makes, and switches to the set that is being built once it is
    /// complete. Returns whether there is more to queue soon.
    pub(super) async fn fill_sets(&mut self) -> Result<bool, StoreError> {
        let wanted = models::wanted(self.context.database.reader()).await?;
        let makes = self.context.sets.makes(&wanted);
        self.fills.retain(|id, _| [makes.active, makes.building].contains(id));
        let mut more = false;
        if makes.makes_active {
            more |= self.fill(makes.active, "sweep").await?;
        }
        if makes.makes_building {
            more |= self.fill(makes.building, "new model").await?;
            self.change_over(makes).await?;
        }
        Ok(more)
    }

    async fn fill(&mut self, model_id: i64, cause: &'static str) -> Result<bool, StoreError> {
        let ahead = self.ahead();
        let mut queued = 0;
        while !self.fills.entry(model_id).or_default().is_done {
            let reader = self.context.database.reader();
            let room = ahead.saturating_sub(backlog::low_waiting(reader, model_id, ahead).await?);
            if room == 0 {
                break;
            }
            let after = self.fills.entry(model_id).or_default().cursor;
            let articles = backlog::unattended(reader, model_id, after, room.min(MAX_ARTICLES_QUEUED)).await?;
            let fill = self.fills.entry(model_id).or_default();
            let Some(&last) = articles.last() else {
                fill.is_done = true;
                fill.is_uncounted = true;
                break;
            };
            let Some(more) = self.queue_for(model_id, articles, cause).await? else {
                // The set was given up meanwhile; the next look says what is wanted.
                self.fills.remove(&model_id);
                return Ok(true);
            };
            queued += more;
            self.fills.entry(model_id).or_default().cursor = last;
            self.queue.send(QueueMessage::Wake);
        }
        if queued > 0 {
            tracing::info!(articles = queued, set = model_id, cause, "articles without an embedding were queued");
            self.doing = Some(format!("queued {queued} articles for set {model_id} ({cause})"));
        } else if self.fills.values().all(|fill| fill.is_done) {
            self.doing = None;
        }
        Ok(!self.fills.entry(model_id).or_default().is_done)
    }

    /// Returns how many were queued; `None` if the set is not wanted any more.
    async fn queue_for(
        &self,
        model_id: i64,
        articles: Vec<i64>,
        cause: &'static str,
    ) -> Result<Option<usize>, StoreError> {
        let max_attempts = self.context.settings.max_attempts;
        let order = Order { model_id, priority: Priority::Low, max_attempts, cause };
        let queued = self
            .context
            .database
            .write_behind(async move |transaction| backlog::enqueue_wanted(transaction, &articles, &order).await)
            .await?;
        Ok(queued.map(|queued| queued.len()))
    }

    /// Counts the set that is being built when nothing is left to do for it, and brings it into use if it is complete.
    async fn change_over(&mut self, makes: HostSets) -> Result<(), StoreError> {
        let model_id = makes.building;
        let fill = self.fills.entry(model_id).or_default();
        if !fill.is_done {
            return Ok(());
        }
        if backlog::any_open(self.context.database.reader(), model_id).await? {
            fill.is_uncounted = true;
            return Ok(());
        }
        let now = Instant::now();
        if !fill.is_uncounted || fill.count_after.is_some_and(|after| after > now) {
            return Ok(());
        }
        // Counted beside the writers first: the change itself makes them wait while it counts once more.
        let mut hindrance = models::hindrances(self.context.database.reader(), model_id).await?;
        if hindrance == Hindrance::default() {
            if self.activate(model_id).await? {
                // A host builds the set of its own model alone.
                let model = &self.context.model.embedder.identity().model;
                tracing::info!(
                    model,
                    set = model_id,
                    "the new model's vectors are complete; searches use them from now on"
                );
                return Ok(());
            }
            hindrance = models::hindrances(self.context.database.reader(), model_id).await?;
        }
        let fill = self.fills.entry(model_id).or_default();
        // Open tasks are being saved at this moment; failed ones wait for a person.
        fill.is_uncounted = hindrance.open > 0;
        fill.count_after = Some(now + now.elapsed() * COUNT_INTERVAL_FACTOR);
        tracing::info!(
            model = model_id,
            open = hindrance.open,
            failed = hindrance.failed,
            "the new model's vectors are not complete yet"
        );
        Ok(())
    }

    async fn activate(&self, model_id: i64) -> Result<bool, StoreError> {
        self.context
            .database
            .write_behind(async move |transaction| models::activate_if_whole(transaction, model_id).await)
            .await
    }
}
