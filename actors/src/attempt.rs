//! One attempt, step by step and without the actors: work, judge, commit. A save that embeds inside the call uses these
//! steps, and so do tests that act between them.

use std::{sync::Arc, time::Duration};

use crate::{
    embedder::{EmbedError, Model},
    outcome::Outcome,
    pipeline::Pipeline,
    settings::RuntimeSettings,
    settlement::{CommitItem, DecidedAttempt, Decision, WrongLength, apply, blamed, decide, refunded},
    store::{
        Database, StoreError, Transaction, models,
        settle::{Next, SettledTask, TaskVerdict, settle},
    },
    task::{ClaimedTask, Vectors},
};

/// An attempt with a decided effect on its task. Committing it twice is safe: the lease is a fence.
#[derive(Debug, Clone)]
pub struct EndedAttempt {
    decided: Arc<DecidedAttempt>,
    in_doubt: bool,
}

impl EndedAttempt {
    /// Marks it as perhaps committed before: [`commit`] then returns the task's present state even if the lease is
    /// gone.
    #[must_use]
    pub fn in_doubt(self) -> Self {
        Self { in_doubt: true, ..self }
    }
}

/// Works on `task` with `model`; every failure is an outcome.
pub async fn work(database: &Database, model: &Model, settings: &RuntimeSettings, task: &ClaimedTask) -> Outcome {
    let pipeline = Pipeline::of_one(database, model, task.model_id, settings.retry);
    pipeline.run(task, &mut Vectors::new(), settings.max_processing_time).await
}

/// Decides as the QueueActor does, but without a circuit: one probe tells whether the document or the provider is to
/// blame.
pub async fn judge(
    model: &Model,
    settings: &RuntimeSettings,
    task: ClaimedTask,
    elapsed: Duration,
    outcome: Outcome,
) -> EndedAttempt {
    let decided = match decide(task, elapsed, outcome, settings.retry) {
        Decision::Commit(decided) => decided,
        Decision::Ask(task, elapsed, failure) => match model.embedder.probe().await {
            Ok(()) => blamed(task, elapsed, failure, settings.retry),
            Err(_) => refunded(task, elapsed, failure),
        },
    };
    EndedAttempt { decided: Arc::new(decided), in_doubt: false }
}

/// Writes the results of the attempts and ends them, each if its lease is valid. Returns the states of the tasks; those
/// without a valid lease are missing unless they are in doubt.
///
/// # Errors
/// [`StoreError`]; the transaction must then be rolled back.
pub async fn commit(transaction: &Transaction, ended: &[EndedAttempt]) -> Result<Vec<SettledTask>, StoreError> {
    let gathered = |ended: &EndedAttempt| CommitItem { decided: Arc::clone(&ended.decided), in_doubt: ended.in_doubt };
    let batch: Vec<_> = ended.iter().map(gathered).collect();
    let applied = apply(transaction, &batch, &models::wanted(transaction).await?).await?;
    let mut settled = applied.settled;
    settled.extend(settle(transaction, &applied.wrong_lengths.into_iter().map(given_back).collect::<Vec<_>>()).await?);
    Ok(settled)
}

/// Blames the provider: without a queue, nothing probes it once more.
fn given_back(WrongLength { lease, answered, stored }: WrongLength) -> TaskVerdict {
    let EmbedError { kind, message, .. } = EmbedError::other_model(answered, stored);
    TaskVerdict {
        lease,
        next: Next::Refund { delay: Duration::ZERO },
        cause: "provider failed",
        error: Some((kind, message)),
    }
}
