//! How much is embedded, for callers that ask every few seconds: as counted a short while ago. A count compares every
//! article with its stored vectors, which is too expensive for callers that only watch.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use afterword_actors::store::{Database, StoreError, models, stats};

use super::Coverage;

/// A count older than this is renewed, for later callers.
const FRESH: Duration = Duration::from_secs(30);

/// The last count. Cheap to clone; clones share it.
#[derive(Clone, Default)]
pub(super) struct Recent {
    counted: Arc<Mutex<Option<(Instant, Coverage)>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Recent {
    /// Returns the last count; the first caller waits for one.
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

    /// Counts in the background, unless a count is running already.
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

/// Counts now, for the set that searches use. Before the first set nothing has been embedded: number 0 stands for that.
pub(super) async fn now(database: &Database) -> Result<Coverage, StoreError> {
    let model_id = models::wanted(database.reader()).await?.active.map_or(0, |set| set.id);
    Ok(stats::coverage(database.reader(), model_id).await?.into())
}
