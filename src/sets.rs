//! The sets of vectors, one for each model: which is in use, and the progress of a change to another. Every door calls
//! this.

use afterword_actors::{
    embedder::ModelIdentity,
    store::{
        Database, StoreError,
        models::{self, Set, Switch, WantedSets},
        sql::{self, Sql},
        stats,
    },
};

pub use crate::api::{Build, Estimate, SetView, SetsStatus};
use crate::{
    api::Timestamp,
    health::{self, diagnosis},
    hosts,
};

/// The period that the rate of a build is measured over. *Units:* milliseconds.
const RATE_SPAN_MS: i64 = 60_000;

/// Articles whose texts are looked at for their length; the newest, which are most like what is written now.
const SAMPLED_ARTICLES: i64 = 200;

/// Shows and changes the model. Cheap to clone.
#[derive(Clone)]
pub struct Sets {
    database: Database,
    configured: ModelIdentity,
    kept: Option<String>,
}

impl Sets {
    /// Makes the service for `database`, for a host with the configured model `configured`, reached as `kept` says.
    pub(crate) fn new(database: Database, configured: ModelIdentity, kept: Option<String>) -> Self {
        Self { database, configured, kept }
    }

    /// Returns the model in use, and the progress of a change.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn status(&self) -> Result<SetsStatus, StoreError> {
        let WantedSets { active, building } = models::wanted(self.database.reader()).await?;
        let not_in_effect = self.not_in_effect(active.as_ref(), building.as_ref());
        let in_use = match active {
            Some(set) => Some(self.view(&set).await?),
            None => None,
        };
        let building = match building {
            Some(set) => Some(self.build(&set).await?),
            None => None,
        };
        let living = hosts::living(&self.database).await?;
        let trouble = diagnosis::of_hosts(&living).into_iter().filter_map(|finding| finding.detail).collect();
        let estimate = match &in_use {
            Some(in_use) if !not_in_effect.is_empty() => self.estimate(in_use).await?,
            _ => None,
        };
        Ok(SetsStatus { in_use, building, configured: self.configured.model.clone(), not_in_effect, trouble, estimate })
    }

    /// Whether a running host would make the set of the model that the settings name.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn any_host_would_build(&self) -> Result<bool, StoreError> {
        // A host enters the model of its settings at its start.
        match self.configured_set().await? {
            Some(set) => hosts::any_would_build(&self.database, set).await,
            None => Ok(false),
        }
    }

    /// About how much the model of the settings is given, if its texts are as long as those of the set in use; of its
    /// vectors, those that are kept from before are not made again.
    async fn estimate(&self, in_use: &SetView) -> Result<Option<Estimate>, StoreError> {
        let texts = "SELECT CAST(sum(chunk_count) AS BIGINT) AS texts, count(*) AS articles
                     FROM article_embeddings WHERE model_id = $1";
        let length = "SELECT CAST(sum(c.tokens) AS BIGINT) AS tokens, count(*) AS texts
                      FROM (SELECT article_id FROM article_embeddings WHERE model_id = $1
                            ORDER BY article_id DESC LIMIT $2 + 0) e
                      JOIN article_chunks c ON c.article_id = e.article_id AND c.model_id = $1";
        let reader = self.database.reader();
        let texts: Option<(Option<i64>, i64)> = reader.row(texts, [in_use.id.into()]).await?;
        let length: Option<(Option<i64>, i64)> =
            reader.row(length, [in_use.id.into(), SAMPLED_ARTICLES.into()]).await?;
        let (Some((Some(texts), of)), Some((Some(tokens), in_texts))) = (texts, length) else { return Ok(None) };
        let kept = match self.configured_set().await? {
            Some(set) => stats::coverage(reader, set).await?.embedded,
            None => 0,
        };
        // Those that are not embedded yet are like the others.
        let texts = texts as f64 * (in_use.articles - kept).max(0) as f64 / of.max(1) as f64;
        let tokens = texts * tokens as f64 / in_texts.max(1) as f64;
        Ok(Some(Estimate { texts: texts.round() as i64, tokens: tokens.round() as i64 }))
    }

    /// Returns the number of the set of the model that the settings name; `None` if there is none yet.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn configured_set(&self) -> Result<Option<i64>, StoreError> {
        let set = models::by_fingerprint(self.database.reader(), &self.configured.fingerprint()).await?;
        Ok(set.map(|set| set.id))
    }

    /// Names the settings in which the configured model differs from that of the set in use, unless its own set is
    /// being built.
    fn not_in_effect(&self, active: Option<&Set>, building: Option<&Set>) -> Vec<&'static str> {
        let own = &self.configured;
        let is_own = |set: &Set| set.identity().is_some_and(|identity| identity.fingerprint() == own.fingerprint());
        if building.is_some_and(is_own) {
            return Vec::new();
        }
        let Some(in_use) = active.and_then(Set::identity) else { return Vec::new() };
        let differences = [
            ("embedding.provider", own.provider != in_use.provider),
            ("embedding.model", own.model != in_use.model),
            ("embedding.openai.dimension", own.asked_dimension != in_use.asked_dimension),
            ("embedding.document_prefix", own.document_prefix != in_use.document_prefix),
            ("embedding.query_prefix", own.query_prefix != in_use.query_prefix),
            ("embedding.max_tokens", own.chunker != in_use.chunker),
        ];
        differences.into_iter().filter(|(_, differs)| *differs).map(|(setting, _)| setting).collect()
    }

    /// Whether another set is being built; without counting.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn is_changing(&self) -> Result<bool, StoreError> {
        Ok(models::wanted(self.database.reader()).await?.building.is_some())
    }

    /// Starts to change to the model that the settings name.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn switch(&self) -> Result<Switch, StoreError> {
        let (identity, kept) = (self.configured.clone(), self.kept.clone());
        self.database
            .write(async move |transaction| models::switch_to(transaction, &identity, kept.as_deref()).await)
            .await
    }

    /// Lets the set that is being built come into use although its model failed to embed some articles. Returns whether
    /// one is being built.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn accept_failed(&self) -> Result<bool, StoreError> {
        self.database
            .write::<_, StoreError, _>(async move |transaction| {
                let Some(building) = models::wanted(transaction).await?.building else { return Ok(false) };
                models::accept_failed(transaction, building.id).await.map(|()| true)
            })
            .await
    }

    /// Cancels the change; the set in use stays. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn cancel(&self) -> Result<bool, StoreError> {
        let cancelled = self.database.write(async |transaction| models::cancel(transaction).await);
        Ok(cancelled.await?.is_some())
    }

    async fn view(&self, set: &Set) -> Result<SetView, StoreError> {
        let coverage = stats::coverage(self.database.reader(), set.id).await?;
        let (model, provider) = set.identity().map_or_else(
            || (format!("set {}", set.id), "unknown".to_owned()),
            |identity| (identity.model, identity.provider),
        );
        let articles = coverage.articles - coverage.skipped;
        Ok(SetView { id: set.id, model, provider, articles, embedded: coverage.embedded })
    }

    async fn build(&self, set: &Set) -> Result<Build, StoreError> {
        let reader = self.database.reader();
        let hindrance = models::hindrances(reader, set.id).await?;
        let began_at = models::record_of(reader, set.id).await?.building_since;
        let made = models::embedded_within(reader, set.id, RATE_SPAN_MS).await?;
        // A build that began within the period is measured from its beginning.
        let age = sql::now(reader).await? - began_at.unwrap_or(0);
        let per_second = made as f64 * 1000.0 / age.clamp(1, RATE_SPAN_MS) as f64;
        let remaining_ms = (made > 0).then(|| (hindrance.open as f64 / per_second * 1000.0) as i64);
        Ok(Build {
            set: self.view(set).await?,
            began_at: began_at.map(Timestamp),
            open: hindrance.open,
            failed: hindrance.failed,
            per_second,
            remaining_ms,
            waits_because: health::why_a_build_waits(&self.database, set).await?,
        })
    }
}
