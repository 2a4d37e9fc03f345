//! Turns at a provider: a limit on requests that all hosts on the database keep together.
//!
//! Documents wait for their turn; questions do not, because a person waits for them, and they are few. Each turn is a small
//! transaction of its own: none is open while the provider is called.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use afterword_actors::{
    embedder::EmbedError,
    store::{Database, StoreError, rate_limit},
};
use tokio::time::Instant;

/// A limit on requests that all hosts on a database share.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    /// Whose requests are counted together: where it is, without secrets.
    pub(super) provider: String,
    /// Requests in a minute; 0 for any number.
    pub(super) per_minute: u32,
}

/// A turn that was taken for a request which did not come belongs to no later minute.
const FRESH: Duration = Duration::from_secs(10);

/// Turns at one provider. Cheap to clone.
#[derive(Clone)]
pub(super) struct Turns {
    database: Database,
    limit: Limit,
    /// When turns were taken for requests that are about to be sent.
    taken: Arc<Mutex<VecDeque<Instant>>>,
}

impl Turns {
    /// Turns of `limit`, which all hosts on `database` share; `None` if any number of requests is allowed.
    pub(super) fn of(limit: Limit, database: &Database) -> Option<Self> {
        (limit.per_minute > 0).then(|| Self { database: database.clone(), limit, taken: Arc::default() })
    }

    /// Takes a turn for the request that is sent next. If the database cannot be asked, that request says so.
    pub(super) async fn take_ahead(self) {
        if self.wait_for_one().await.is_ok() {
            self.taken().push_back(Instant::now());
        }
    }

    /// Waits until one more request may be sent. Each request has a turn of its own.
    ///
    /// # Errors
    /// Unavailable if the database cannot be asked.
    pub(super) async fn wait(&self) -> Result<(), EmbedError> {
        let has_one = {
            let mut taken = self.taken();
            taken.retain(|at| at.elapsed() < FRESH);
            taken.pop_front().is_some()
        };
        if has_one { Ok(()) } else { self.wait_for_one().await }
    }

    fn taken(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait_for_one(&self) -> Result<(), EmbedError> {
        let cannot_see = |error| EmbedError::unavailable(format!("cannot see the provider's limit: {error}"));
        while let Some(wait) = self.take().await.map_err(cannot_see)? {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    /// Takes a turn, or returns when to ask again.
    async fn take(&self) -> Result<Option<Duration>, StoreError> {
        let Limit { provider, per_minute } = self.limit.clone();
        self.database
            .write_behind::<_, StoreError, _>(move |transaction| {
                Box::pin(async move { rate_limit::take(transaction, &provider, per_minute).await })
            })
            .await
    }
}
