//! Embedding inside the save call, for hosts that switch the queue off. The same task, the same steps, no tree.

use std::{sync::Arc, time::Instant};

use uuid::Uuid;

use crate::{
    embedder::Model,
    pipeline::Pipeline,
    settings::RuntimeSettings,
    store::{
        Database, StoreError,
        claim::{Claim, claim_one},
        models,
    },
    task::{Failure, Finished, Outcome, TaskStatus},
    tree::queue::{Decided, apply, blamed, decide, refunded},
};

/// Claims the task `id`, embeds its article now and commits; answers how the task stands. A failure is no error: the
/// task stays with its reason, for a later attempt.
///
/// # Errors
/// [`StoreError`]; the task then stays where it is, and nothing is lost.
pub async fn embed_now(
    database: &Database,
    model: &Model,
    settings: &RuntimeSettings,
    id: i64,
) -> Result<Option<TaskStatus>, StoreError> {
    let identity = model.embedder.identity().clone();
    let lease = settings.max_processing_time;
    let (model_id, task) = database
        .write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move {
                let model_id = models::register(transaction, &identity).await?.id;
                let incarnation = format!("inline-{}", Uuid::now_v7());
                let request = Claim { incarnation: &incarnation, slots: &[0], lease, from: None, model_id };
                Ok((model_id, claim_one(transaction, request, id).await?))
            })
        })
        .await?;
    let Some(task) = task else { return Ok(None) };
    let pipeline = Pipeline { database: database.clone(), model: model.clone(), model_id };
    let begun = Instant::now();
    let work = tokio::time::timeout(settings.max_processing_time, pipeline.run(&task)).await;
    let outcome = work.unwrap_or_else(|_| Outcome::Failed(crate::embedder::EmbedError::transient("timed out").into()));
    let finished = Finished { task, outcome, elapsed: begun.elapsed() };
    let decided = [Arc::new(judge(finished, model, settings).await)];
    let applied = database
        .write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move { apply(transaction, &decided, model_id).await })
        })
        .await?;
    Ok(applied.settled.first().map(|settled| settled.status))
}

/// As the QueueActor decides, without a circuit: one probe settles whose fault it was.
async fn judge(finished: Finished, model: &Model, settings: &RuntimeSettings) -> Decided {
    use crate::tree::queue::Decision;
    match decide(finished, settings.retry) {
        Decision::Commit(decided) | Decision::Trip(decided, _) => decided,
        Decision::Probe(finished, failure) => {
            let Finished { task, elapsed, .. } = finished;
            let failure: Failure = failure;
            match model.embedder.probe().await {
                Ok(()) => blamed(task, elapsed, failure, settings.retry),
                Err(_) => refunded(task, elapsed, failure),
            }
        }
    }
}
