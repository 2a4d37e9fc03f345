//! Asking for scores.

use std::{sync::Arc, time::Duration};

use reqwest::Client;

use super::{
    answer,
    cooldown::Cooldown,
    form::{Form, KnownForm, RerankInput},
    refusal::{Cause, RerankError},
    score_cache::ScoreCache,
};
use crate::{config::Rerank, remote};

/// A server that judges documents.
pub struct Reranker {
    /// Why there is none, if it cannot be made.
    client: Result<Client, String>,
    endpoint: String,
    model: Option<String>,
    top: usize,
    deadline: Duration,
    weight: f64,
    form: KnownForm,
    rest: Cooldown,
    kept: ScoreCache,
}

/// Why documents have no scores: for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoScores(pub String);

impl Reranker {
    /// The server that `settings` name; `None` if they name none, or give it no weight. No request is sent.
    pub fn of(settings: &Rerank) -> Option<Arc<Self>> {
        // With no weight, its answers would change nothing.
        if !settings.is_on() || settings.weight == 0.0 {
            return None;
        }
        Some(Arc::new(Self {
            client: client(settings),
            endpoint: remote::endpoint(&settings.base_url, "rerank"),
            model: Some(settings.model.trim().to_owned()).filter(|model| !model.is_empty()),
            top: settings.top,
            deadline: settings.deadline,
            weight: settings.weight,
            form: KnownForm::default(),
            rest: Cooldown::default(),
            kept: ScoreCache::default(),
        }))
    }

    /// How many documents it is asked about at most.
    pub fn top(&self) -> usize {
        self.top
    }

    /// How much its scores count, from 0 to 1.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// How well each document answers, in their order: any finite numbers, comparable with each other only. What was
    /// asked before is answered from memory.
    ///
    /// # Errors
    /// [`NoScores`] if the server does not answer as it should within the deadline, or has a rest because it did not.
    pub async fn scores(&self, query: &str, documents: &[String]) -> Result<Arc<[f64]>, NoScores> {
        let key = self.kept.key(query, documents);
        if let Some(scores) = self.kept.of(key) {
            return Ok(scores);
        }
        let seen = self.rest.begin(self.deadline).map_err(NoScores)?;
        match self.in_time(query, documents).await {
            Ok(scores) => {
                self.works(seen);
                let scores: Arc<[f64]> = scores.into();
                self.kept.keep(key, Arc::clone(&scores));
                Ok(scores)
            }
            Err(RerankError { message, cause, pause }) => {
                match cause {
                    Cause::Server => self.fails(seen, &message, pause),
                    // It is there, and the next question may be fine.
                    Cause::Question | Cause::Form => self.works(seen),
                }
                Err(NoScores(message))
            }
        }
    }

    fn works(&self, seen: u32) {
        metrics::gauge!("afterword_reranker_up").set(1.0);
        if self.rest.worked(seen) {
            tracing::info!("the reranker works again");
        }
    }

    fn fails(&self, seen: u32, why: &str, pause: Option<Duration>) {
        metrics::gauge!("afterword_reranker_up").set(0.0);
        if self.rest.failed(seen, why, pause) {
            tracing::warn!(error = why, "the reranker fails; searches keep their own order until it works again");
        }
    }

    /// Asks whether it works, whatever was asked before.
    ///
    /// # Errors
    /// [`NoScores`] if it does not.
    pub async fn check(&self) -> Result<(), NoScores> {
        let documents = ["Bees dance to tell where flowers are.".to_owned(), "Bread rises by yeast.".to_owned()];
        let scores = self.in_time("How do bees tell each other of flowers?", &documents).await;
        scores.map(|_| ()).map_err(|refused| NoScores(refused.message))
    }

    async fn in_time(&self, query: &str, documents: &[String]) -> Result<Vec<f64>, RerankError> {
        let scores = tokio::time::timeout(self.deadline, self.ask(query, documents)).await;
        scores.unwrap_or_else(|_| {
            let deadline = self.deadline;
            Err(RerankError::wrong(format!("the reranker did not answer within {deadline:?} (search.rerank.deadline)")))
        })
    }

    /// Asks in the form that was understood last, and in the other one if the server says that it is that.
    async fn ask(&self, query: &str, documents: &[String]) -> Result<Vec<f64>, RerankError> {
        let input = RerankInput { model: self.model.as_deref(), query, documents };
        let form = self.form.form();
        let refused = match self.send(form, input).await {
            Err(refused) if refused.cause == Cause::Form => refused,
            answered => return answered,
        };
        match self.send(form.other(), input).await {
            Ok(scores) => {
                self.form.note(form.other());
                Ok(scores)
            }
            // It was not about the form; what was said first is about the request.
            Err(RerankError { cause: Cause::Form | Cause::Question, .. }) => Err(refused),
            Err(other) => Err(other),
        }
    }

    async fn send(&self, form: Form, input: RerankInput<'_>) -> Result<Vec<f64>, RerankError> {
        let client = self.client.as_ref().map_err(|why| RerankError::wrong(why.clone()))?;
        let request = client.post(&self.endpoint).json(&form.request(input));
        let response = request.send().await.map_err(RerankError::without_answer)?;
        if !response.status().is_success() {
            return Err(RerankError::of(response, form).await);
        }
        let most = answer::longest(input.documents);
        let bytes = remote::at_most(response, most).await.map_err(RerankError::without_answer)?;
        if bytes.len() > most {
            let message = format!("the reranker's answer has more than {most} bytes; check search.rerank.base_url");
            return Err(RerankError::wrong(message));
        }
        answer::scores(&bytes, input.documents.len())
    }
}

fn client(settings: &Rerank) -> Result<Client, String> {
    let client = remote::client(&settings.api_key)
        .map_err(|_| "search.rerank.api_key has characters that cannot be sent".to_owned())?;
    client.build().map_err(|error| format!("the HTTP client cannot be made: {}", error.without_url()))
}
