//! An embedder that keeps a limit together with all other hosts on the database.
//!
//! Documents wait for their turn; questions do not, because a person waits for them, and they are few. Each turn is a small
//! transaction of its own: none is open while the provider is called.

use std::sync::Arc;

use afterword_actors::{
    embedder::{BatchLimits, EmbedError, Embedder, Model, ModelIdentity, Purpose, Readiness, Vector},
    store::{Database, StoreError, rate_limit},
};
use async_trait::async_trait;
use tokio::sync::watch;

/// Calls of one provider, limited.
pub(super) struct RateLimited {
    embedder: Arc<dyn Embedder>,
    database: Database,
    provider: String,
    per_minute: u32,
}

impl RateLimited {
    /// `model` with no more than `per_minute` calls of `provider`, by all hosts on `database` together; 0 for any number.
    pub(super) fn model(model: Model, database: &Database, provider: &str, per_minute: u32) -> Model {
        if per_minute == 0 {
            return model;
        }
        let Model { embedder, chunker } = model;
        let limited = Self { embedder, database: database.clone(), provider: provider.to_owned(), per_minute };
        Model { embedder: Arc::new(limited), chunker }
    }

    async fn wait_for_a_turn(&self) -> Result<(), StoreError> {
        loop {
            let (provider, per_minute) = (self.provider.clone(), self.per_minute);
            let wait = self
                .database
                .write_behind::<_, StoreError, _>(move |transaction| {
                    Box::pin(async move { rate_limit::take(transaction, &provider, per_minute).await })
                })
                .await?;
            match wait {
                None => return Ok(()),
                Some(wait) => tokio::time::sleep(wait).await,
            }
        }
    }
}

#[async_trait]
impl Embedder for RateLimited {
    fn identity(&self) -> &ModelIdentity {
        self.embedder.identity()
    }

    fn limits(&self) -> BatchLimits {
        self.embedder.limits()
    }

    fn tokens_per_word(&self, text: &str) -> Option<f64> {
        self.embedder.tokens_per_word(text)
    }

    fn requests(&self) -> Option<usize> {
        self.embedder.requests()
    }

    fn readiness(&self) -> Option<watch::Receiver<Readiness>> {
        self.embedder.readiness()
    }

    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        if purpose == Purpose::Document {
            let turn = self.wait_for_a_turn().await;
            turn.map_err(|error| EmbedError::unavailable(format!("cannot see the provider's limit: {error}")))?;
        }
        self.embedder.embed(texts, purpose).await
    }

    /// Does not wait for a turn: behind many documents it would seem that the provider does not answer.
    async fn probe(&self) -> Result<(), EmbedError> {
        self.embedder.probe().await
    }
}
