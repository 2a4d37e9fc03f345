//! The state of the model, counted a short while ago: the count reads all articles, and one is enough for all open
//! views.

use std::time::{Duration, Instant};

use afterword_actors::store::StoreError;
use tokio::sync::Mutex;

use crate::sets::{Sets, SetsStatus};

/// An older count is made again.
const FRESH_FOR: Duration = Duration::from_secs(5);

/// The last count.
#[derive(Default)]
pub(super) struct StatusCache(Mutex<Option<(Instant, SetsStatus)>>);

impl StatusCache {
    /// Returns the state of the model. A change that began or ended since the last count is seen at once.
    pub(super) async fn status(&self, sets: &Sets) -> Result<SetsStatus, StoreError> {
        let is_changing = sets.is_changing().await?;
        let mut counted = self.0.lock().await;
        let known = counted.as_ref().filter(|(at, known)| {
            at.elapsed() < FRESH_FOR && known.in_use.is_some() && known.building.is_some() == is_changing
        });
        if let Some((_, known)) = known {
            return Ok(known.clone());
        }
        let status = sets.status().await?;
        *counted = Some((Instant::now(), status.clone()));
        Ok(status)
    }
}
