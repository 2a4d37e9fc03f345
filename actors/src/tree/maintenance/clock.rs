//! If the clock is set back, tasks that were scheduled before would wait too long: they are brought forward.

use super::upkeep::Upkeep;
use crate::store::{StoreError, sql, tasks};

/// Most tasks brought forward in one transaction.
const MAX_TASKS_MOVED: u32 = 500;

impl Upkeep {
    /// Compares the database's clock with the last look; it may also have been set back while no host was looking.
    pub(super) async fn follow_the_clock(&mut self) -> Result<(), StoreError> {
        let now = sql::now(self.context.database.reader()).await?;
        if now < self.clock {
            tracing::warn!(
                by_ms = self.clock - now,
                "the database's clock was set back; the times of waiting tasks are set back too"
            );
            self.clock_stepped = true;
        }
        self.clock = now;
        while self.clock_stepped {
            let brought_forward = self
                .context
                .database
                .write_behind(async move |transaction| tasks::follow_the_clock(transaction, MAX_TASKS_MOVED).await)
                .await?;
            self.clock_stepped = brought_forward >= u64::from(MAX_TASKS_MOVED);
        }
        Ok(())
    }
}
