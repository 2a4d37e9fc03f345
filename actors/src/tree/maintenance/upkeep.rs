//! The part of maintenance that follows the needs of articles and sets, and what it remembers of them.

use std::{collections::BTreeMap, sync::Arc};

use tokio::time::Instant;

use crate::{
    context::Context,
    store::{Engine, StoreError, stats},
    supervision::Address,
    tree::messages::QueueMessage,
};

pub(super) struct Upkeep {
    pub(super) context: Arc<Context>,
    pub(super) queue: Address<QueueMessage>,
    pub(super) doing: Option<String>,
    /// The progress of each set, by its `embedding_models.id`.
    pub(super) fills: BTreeMap<i64, Fill>,
    /// The database's clock at the last look. *Units:* milliseconds since 1970 (UTC).
    pub(super) clock: i64,
    /// Tasks may have been scheduled by a clock that has been set back since.
    pub(super) clock_stepped: bool,
}

/// What a round has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct UpkeepRequest {
    /// Advance bulk runs, and the filling of the sets.
    pub(super) advance: bool,
    /// Compare all articles with their vectors, from the first one.
    pub(super) sweep: bool,
}

impl UpkeepRequest {
    pub(super) fn and(self, more: Self) -> Self {
        Self { advance: self.advance || more.advance, sweep: self.sweep || more.sweep }
    }
}

/// The progress of filling one set.
#[derive(Debug, Default)]
pub(super) struct Fill {
    /// The last article (id) that has been looked at.
    pub(super) cursor: i64,
    /// All have been looked at; the next sweep begins again.
    pub(super) is_done: bool,
    /// Something may have changed since the last count.
    pub(super) is_uncounted: bool,
    /// When it may be counted next: a count looks at every article.
    pub(super) count_after: Option<Instant>,
}

impl Fill {
    fn begin_again(&mut self) {
        *self = Self { is_uncounted: true, ..Self::default() };
    }
}

impl Upkeep {
    pub(super) fn new(context: Arc<Context>, queue: Address<QueueMessage>) -> Self {
        Self { context, queue, doing: None, fills: BTreeMap::new(), clock: 0, clock_stepped: true }
    }

    /// What it does at the moment, for people.
    pub(super) fn doing(&self) -> Option<&str> {
        self.doing.as_deref()
    }

    /// Does what is wanted; returns whether there is more to do soon. Requested runs come before the sweep, which would
    /// queue their articles without them.
    pub(super) async fn work(&mut self, UpkeepRequest { advance, sweep }: UpkeepRequest) -> Result<bool, StoreError> {
        let advanced = if advance { self.advance().await } else { Ok(false) };
        let swept = if sweep { self.sweep().await } else { Ok(false) };
        Ok(advanced? | swept?)
    }

    async fn advance(&mut self) -> Result<bool, StoreError> {
        if self.context.database.engine() == Engine::Postgres {
            self.context.database.write_behind(async |transaction| stats::fold(transaction).await).await?;
        }
        self.follow_the_clock().await?;
        let runs_go_on = self.carry_bulk_runs_on().await?;
        Ok(self.fill_sets().await? | runs_go_on)
    }

    async fn sweep(&mut self) -> Result<bool, StoreError> {
        self.clock_stepped = true;
        self.fills.iter_mut().for_each(|(_, fill)| fill.begin_again());
        self.fill_sets().await
    }

    /// Most tasks of low priority that wait for one set: enough for every slot while the next ones are queued.
    pub(super) fn ahead(&self) -> u32 {
        let settings = &self.context.settings;
        settings.sweep_batch.max(settings.slots.saturating_mul(2))
    }
}
