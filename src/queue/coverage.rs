//! How much is embedded, for those who ask every few seconds: as it was counted a short while ago. A count compares every
//! article with what is stored of it, which nobody who only watches should make others pay for.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use afterword_actors::store::{Database, StoreError, models, stats};

use super::Coverage;

/// What is older is counted again, for those who ask later.
const FRESH: Duration = Duration::from_secs(30);

/// The last count. Cheap to clone; clones share it.
#[derive(Clone, Default)]
pub(super) struct Recent {
    counted: Arc<Mutex<Option<(Instant, Coverage)>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Recent {
    /// As it was counted last; the first who asks waits for a count.
    pub(super) async fn of(&self, database: &Database) -> Result<Coverage, StoreError> {
        if let Some((at, coverage)) = self.last() {
            if at.elapsed() >= FRESH {
                self.count_behind(database);
            }
            return Ok(coverage);
        }
        let _turn = self.turn.lock().await;
        match self.last() {
            Some((_, coverage)) => Ok(coverage),
            None => self.count(database).await,
        }
    }

    fn last(&self) -> Option<(Instant, Coverage)> {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts while nobody waits, unless it is being counted already.
    fn count_behind(&self, database: &Database) {
        let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else { return };
        let (recent, database) = (self.clone(), database.clone());
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = recent.count(&database).await {
                tracing::debug!(%error, "what is embedded is counted again later");
            }
        });
    }

    async fn count(&self, database: &Database) -> Result<Coverage, StoreError> {
        let coverage = now(database).await?;
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), coverage));
        Ok(coverage)
    }
}

/// As it is now, of the set that searches use. Without one nothing has been embedded yet, which is what number 0 says.
pub(super) async fn now(database: &Database) -> Result<Coverage, StoreError> {
    let model_id = models::wanted(database.reader()).await?.active.map_or(0, |set| set.id);
    Ok(stats::coverage(database.reader(), model_id).await?.into())
}
