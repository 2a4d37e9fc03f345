//! Committing ended attempts: fence, vectors, task state, in the transaction it is given.

use std::collections::{HashMap, HashSet};

use super::{
    Gathered,
    decide::{Decided, Write},
};
use crate::{
    embedder::ErrorKind,
    store::{
        StoreError, Transaction, models,
        settle::{Next, Settled, Verdict, settle, standing_of},
        vectors::{self, Standing},
    },
    task::{EmbeddedSet, Lease},
};

/// What a commit did.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// How the tasks stand whose lease held.
    pub(crate) settled: Vec<Settled>,
    /// Tasks (ids) by which vectors were stored.
    pub(crate) stored: HashSet<i64>,
    /// What is the matter, when the provider's vectors have another length than those stored: the model is not the one it claims.
    pub(crate) wrong_dimension: Option<String>,
}

/// Ends `batch`. An attempt whose lease no longer holds writes nothing; one that is in doubt is answered as it stands.
pub(crate) async fn apply(transaction: &Transaction, batch: &[Gathered], model_id: i64) -> Result<Applied, StoreError> {
    if batch.is_empty() {
        return Ok(Applied::default());
    }
    let tasks: Vec<_> = batch.iter().map(|gathered| &gathered.decided.task).collect();
    let standing = vectors::standing(transaction, &tasks, model_id).await?;
    let mut applied = Applied::default();
    let pinned = pinned_dimension(transaction, batch, model_id).await?;
    let mut verdicts = Vec::with_capacity(batch.len());
    for Gathered { decided, .. } in batch {
        if let Some(verdict) = one(transaction, decided, &standing, (model_id, pinned), &mut applied).await? {
            verdicts.push(verdict);
        }
    }
    applied.settled = settle(transaction, &verdicts).await?;
    let in_doubt = batch.iter().filter(|gathered| gathered.in_doubt).map(|gathered| &gathered.decided.task.lease);
    let ended_before: Vec<_> =
        in_doubt.filter(|lease| !standing.contains_key(lease)).map(|lease| lease.task_id).collect();
    applied.settled.extend(standing_of(transaction, &ended_before).await?);
    Ok(applied)
}

/// Writes what `decided` brings, and says what becomes of its task; nothing if its lease does not hold.
async fn one(
    transaction: &Transaction,
    decided: &Decided,
    standing: &HashMap<Lease, Standing>,
    (model_id, pinned): (i64, Option<u32>),
    applied: &mut Applied,
) -> Result<Option<Verdict>, StoreError> {
    let task = &decided.task;
    let Some(&standing) = standing.get(&task.lease) else { return Ok(None) };
    let verdict = |next, cause, error| Some(Verdict { lease: task.lease.clone(), next, cause, error });
    match (&decided.write, standing) {
        (Write::Store(_) | Write::Confirm(_), Standing::Gone) => {
            return Ok(verdict(Next::Cancelled, "article deleted", None));
        }
        (Write::Store(_) | Write::Confirm(_), Standing::Skipped) => {
            return Ok(verdict(Next::Cancelled, "embedding skipped", None));
        }
        // An older revision than the stored one would take the index back.
        (Write::Store(set), Standing::Wanted { stored }) if set.revision >= stored => {
            if let Some(message) = wrong_dimension(set, pinned) {
                applied.wrong_dimension = Some(message.clone());
                let next = Next::Refund { delay: std::time::Duration::ZERO };
                return Ok(verdict(next, "provider failed", Some((ErrorKind::Config, message))));
            }
            vectors::store(transaction, task.article_id, model_id, set, stored).await?;
            applied.stored.insert(task.lease.task_id);
        }
        (Write::Confirm(revision), Standing::Wanted { stored }) if *revision > stored => {
            vectors::confirm(transaction, task.article_id, model_id, *revision).await?;
        }
        (Write::Remove, Standing::Gone | Standing::Skipped) => vectors::remove(transaction, task.article_id).await?,
        (Write::Store(_) | Write::Confirm(_) | Write::Remove, Standing::Wanted { .. }) | (Write::Nothing, _) => {}
    }
    Ok(verdict(decided.next, decided.cause, decided.error.clone()))
}

/// The length of the model's vectors, pinned by the first; nothing if `batch` has none.
async fn pinned_dimension(
    transaction: &Transaction,
    batch: &[Gathered],
    model_id: i64,
) -> Result<Option<u32>, StoreError> {
    let first = batch.iter().find_map(|gathered| match &gathered.decided.write {
        Write::Store(set) => set.chunks.first(),
        Write::Confirm(_) | Write::Remove | Write::Nothing => None,
    });
    match first {
        Some(chunk) => models::pin_dimension(transaction, model_id, chunk.vector.dimension()).await.map(Some),
        None => Ok(None),
    }
}

fn wrong_dimension(set: &EmbeddedSet, pinned: Option<u32>) -> Option<String> {
    let pinned = pinned?;
    let wrong = set.chunks.iter().map(|chunk| chunk.vector.dimension()).find(|&dimension| dimension != pinned);
    wrong.map(|dimension| {
        format!(
            "the provider answered vectors of {dimension} numbers, but the index holds vectors of {pinned}; set \
             embedding.model to the model the index was built with, or give the new model its own name"
        )
    })
}
