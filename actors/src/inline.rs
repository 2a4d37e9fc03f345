//! Embedding inside the save call, for hosts that switch the queue off: the same task and steps, without the actor
//! tree.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    attempt,
    backoff::Backoff,
    embedder::{Model, Readiness},
    pipeline::Pipeline,
    sets::{Offer, RuntimeSets},
    settings::{Delays, RuntimeSettings},
    store::{
        Database, StoreError,
        claim::{Claim, HostSets, claim_one, new_token},
        leases, models, settle,
    },
    task::{ClaimedTask, TaskStatus, Vectors},
};

/// How long a save waits for a model that is being loaded. Its task is kept longer.
const LOAD_TIMEOUT: Duration = Duration::from_secs(20);
/// Delays between looks at a task that waits because another process is processing it or an earlier task of its
/// article.
const LOOK_DELAYS: Delays = Delays { base: Duration::from_millis(20), max: Duration::from_secs(1) };
/// How long a save waits for another process's processing.
const OTHER_PROCESS_TIMEOUT: Duration = Duration::from_secs(20);

/// Claims the task `id`, embeds its article now and commits; returns the task's status. A failure is not an error: the
/// task keeps its reason and waits for a later attempt; so does a task that this model does not make. What has begun
/// runs to its end even if the caller is dropped.
///
/// # Errors
/// [`StoreError`]; the task is then unchanged, and nothing is lost.
pub async fn embed_now(
    database: &Database,
    model: &Model,
    settings: &RuntimeSettings,
    id: i64,
) -> Result<Option<TaskStatus>, StoreError> {
    let inline = Inline {
        database: database.clone(),
        model: model.clone(),
        settings: settings.clone(),
        incarnation: format!("inline-{}", Uuid::now_v7()),
    };
    let work = tokio::spawn(async move { inline.run(id).await });
    work.await.unwrap_or_else(|error| Err(StoreError::Failed(format!("embedding inside the save: {error}"))))
}

struct Inline {
    database: Database,
    model: Model,
    settings: RuntimeSettings,
    incarnation: String,
}

impl Inline {
    async fn run(self, id: i64) -> Result<Option<TaskStatus>, StoreError> {
        if !self.model_is_ready().await {
            return self.status_of(id).await;
        }
        let (mut looks, ends) = (Backoff::new(LOOK_DELAYS), Instant::now() + OTHER_PROCESS_TIMEOUT);
        loop {
            let (makes, task) = self.claim(id).await?;
            if let Some(task) = task {
                return self.embed(task).await.map(Some);
            }
            if !makes.makes_active {
                // Another host's model is in use.
                return self.status_of(id).await;
            }
            let status = self.status_of(id).await?;
            if status.is_none_or(TaskStatus::is_final) || Instant::now() > ends {
                return Ok(status);
            }
            tokio::time::sleep(looks.next_delay()).await;
        }
    }

    /// Waits for a model that is being loaded.
    async fn model_is_ready(&self) -> bool {
        let Some(mut readiness) = self.model.embedder.readiness() else { return true };
        let loaded = readiness.wait_for(|readiness| !matches!(readiness, Readiness::Loading(_)));
        match tokio::time::timeout(LOAD_TIMEOUT, loaded).await {
            Ok(Ok(readiness)) => *readiness == Readiness::Ready,
            Ok(Err(_)) | Err(_) => false,
        }
    }

    async fn claim(&self, id: i64) -> Result<(HostSets, Option<ClaimedTask>), StoreError> {
        let (identity, incarnation) = (self.model.embedder.identity().clone(), self.incarnation.clone());
        let (lease, offer) = (self.settings.lease, Offer::from(self.model.clone()));
        self.database
            .write::<_, StoreError, _>(async move |transaction| {
                let own = match models::by_fingerprint(transaction, &identity.fingerprint()).await? {
                    Some(row) => row.id,
                    // A save begins no build: only a server does.
                    None => models::join(transaction, &identity, None).await?.id,
                };
                let makes = RuntimeSets::new(own, offer, 1).makes(&models::wanted(transaction).await?);
                let token = new_token();
                let request = Claim { token: &token, incarnation: &incarnation, slots: &[0], lease, from: None, makes };
                Ok((makes, claim_one(transaction, request, id).await?))
            })
            .await
    }

    async fn status_of(&self, id: i64) -> Result<Option<TaskStatus>, StoreError> {
        let present = settle::present_states(self.database.reader(), &[id]).await?;
        Ok(present.first().map(|task| task.status))
    }

    async fn embed(&self, task: ClaimedTask) -> Result<TaskStatus, StoreError> {
        let pipeline = Pipeline::of_one(&self.database, &self.model, task.model_id, self.settings.retry);
        let (begun, mut made) = (Instant::now(), Vectors::new());
        let limit = self.settings.max_processing_time;
        let work = pipeline.run(&task, &mut made, limit);
        let outcome = tokio::select! {
            outcome = work => outcome,
            never = self.keep_lease(&task) => match never {},
        };
        let id = task.lease.task_id;
        let ended = attempt::judge(&self.model, &self.settings, task, begun.elapsed(), outcome).await;
        // If its lease was taken away meanwhile, the answer is the task's present state.
        let ended = [ended.in_doubt()];
        let settled = self.database.write(async move |transaction| attempt::commit(transaction, &ended).await).await?;
        let settled = settled.first().map(|settled| settled.status);
        settled.ok_or_else(|| StoreError::Unexpected(format!("the embedding task {id} is gone")))
    }

    /// Renews a short lease: if this process dies, it blocks the task no longer than any other host would.
    async fn keep_lease(&self, task: &ClaimedTask) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(self.settings.heartbeat_interval).await;
            let (lease, leases) = (self.settings.lease, [task.lease.clone()]);
            let renewed =
                self.database.write_behind(async move |transaction| leases::renew(transaction, &leases, lease).await);
            if let Err(error) = renewed.await {
                tracing::warn!(%error, task = task.lease.task_id, "the lease was not renewed");
            }
        }
    }
}
