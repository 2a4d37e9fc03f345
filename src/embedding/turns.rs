//! Turns at a provider: a limit on requests that all hosts on the database keep together.
//!
//! Documents wait for their turn; questions do not, because a person waits for them, and they are few. Each turn is a
//! small transaction of its own: none is open while the provider is called.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use afterword_actors::store::{Database, StoreError, rate_limit};
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
const TURN_LIFETIME: Duration = Duration::from_secs(10);

/// The delay before the database is asked again, if it did not answer.
const RETRY_AFTER: Duration = Duration::from_secs(1);

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

    /// Takes a turn for the request that is sent next.
    pub(super) async fn take_ahead(self) {
        self.wait_for_one().await;
        self.taken().push_back(Instant::now());
    }

    /// Waits until one more request may be sent. Each request has a turn of its own. While the database cannot be
    /// asked, none is sent: that is no fault of the provider, nor of the texts.
    pub(super) async fn wait(&self) {
        let has_one = {
            let mut taken = self.taken();
            taken.retain(|at| at.elapsed() < TURN_LIFETIME);
            taken.pop_front().is_some()
        };
        if !has_one {
            self.wait_for_one().await;
        }
    }

    fn taken(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait_for_one(&self) {
        let mut is_told = false;
        loop {
            match self.take().await {
                Ok(None) => return,
                Ok(Some(wait)) => tokio::time::sleep(wait).await,
                Err(error) => {
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::warn!(%error, "requests wait: the database does not tell whether the limit allows one");
                    }
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    /// Takes a turn, or returns when to ask again.
    async fn take(&self) -> Result<Option<Duration>, StoreError> {
        let Limit { provider, per_minute } = self.limit.clone();
        self.database
            .write_behind(async move |transaction| rate_limit::take(transaction, &provider, per_minute).await)
            .await
    }
}

#[cfg(test)]
mod tests {
    use afterword_actors::{schema, store::OpenOptions};

    use super::*;

    #[tokio::test]
    async fn a_request_waits_while_the_database_does_not_answer() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("limits.db").display());
        let database = Database::open(&OpenOptions::new(url)).await.expect("a database");
        let limit = Limit { provider: "somewhere".to_owned(), per_minute: 60 };
        let turns = Turns::of(limit, &database).expect("a limit");
        assert!(turns.take().await.is_err(), "there is no table yet");
        let mut waits = tokio::spawn(async move { turns.wait().await });
        // Long enough for the first answer of the database.
        let early = tokio::time::timeout(RETRY_AFTER / 2, &mut waits).await;
        assert!(early.is_err(), "it has not been told that it may");
        schema::migrate(&database).await.expect("a schema");
        tokio::time::timeout(Duration::from_secs(60), waits).await.expect("a turn").expect("no panic");
        database.close().await;
    }
}
