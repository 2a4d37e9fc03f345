//! Commits ended attempts in the transaction it is given: fence, vectors, task state.

use std::collections::{BTreeSet, HashMap, HashSet, hash_map::Entry};

use super::{
    CommitItem,
    decide::{DecidedAttempt, Write},
};
use crate::{
    store::{
        StoreError, Transaction, backlog,
        models::{self, WantedSets},
        settle::{Next, SettledTask, TaskVerdict, present_states, settle},
        vectors::{self, ConfirmedVectors, NewSet, WriteCheck},
    },
    task::{ClaimedTask, EmbeddedSet, Lease},
};

/// The result of a commit.
#[derive(Debug, Default)]
pub(crate) struct CommitResult {
    /// The states of the tasks with a valid lease.
    pub(crate) settled: Vec<SettledTask>,
    /// Tasks (ids) for which vectors were stored.
    pub(crate) stored: HashSet<i64>,
    /// Attempts with vectors of another length than those stored. They are not ended: what is to blame is not known
    /// here.
    pub(crate) wrong_lengths: Vec<WrongLength>,
}

/// Vectors that do not fit those of their set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrongLength {
    /// The attempt's lease.
    pub(crate) lease: Lease,
    /// Length of the provider's vectors.
    pub(crate) answered: u32,
    /// Length of the set's vectors.
    pub(crate) stored: u32,
}

/// Ends `batch`. An attempt without a valid lease writes nothing; for one in doubt, the present state of its
/// task is returned.
/// The articles of ended tasks are queued for the next set that needs them, of those that are `wanted`.
pub(crate) async fn apply(
    transaction: &Transaction,
    batch: &[CommitItem],
    wanted: &WantedSets,
) -> Result<CommitResult, StoreError> {
    if batch.is_empty() {
        return Ok(CommitResult::default());
    }
    let tasks: Vec<_> = batch.iter().map(|gathered| &gathered.decided.task).collect();
    let checks = vectors::check_writes(transaction, &tasks).await?;
    let mut applied = CommitResult::default();
    let pinned = pinned_dimensions(transaction, batch).await?;
    let mut verdicts = Vec::with_capacity(batch.len());
    let mut writes = Writes::default();
    for CommitItem { decided, .. } in batch {
        verdicts.extend(verdict_of(decided, &checks, &pinned, &mut applied, &mut writes));
    }
    vectors::store(transaction, &writes.sets).await?;
    vectors::confirm(transaction, &writes.confirmed).await?;
    vectors::remove(transaction, &writes.removed).await?;
    afterword_faults::point!("settle.stored", StoreError::Failed);
    applied.settled = settle(transaction, &verdicts).await?;
    afterword_faults::point!("settle.ended", StoreError::Failed);
    let in_doubt = batch.iter().filter(|gathered| gathered.in_doubt).map(|gathered| &gathered.decided.task.lease);
    let ended_before: Vec<_> =
        in_doubt.filter(|lease| !checks.contains_key(lease)).map(|lease| lease.task_id).collect();
    applied.settled.extend(present_states(transaction, &ended_before).await?);
    queue_next(transaction, &tasks, &applied.settled, wanted).await?;
    Ok(applied)
}

/// Queues the articles of ended tasks for the set that may need them now.
async fn queue_next(
    transaction: &Transaction,
    tasks: &[&ClaimedTask],
    settled: &[SettledTask],
    wanted: &WantedSets,
) -> Result<(), StoreError> {
    let ended = settled.iter().filter(|settled| settled.status.is_final()).map(|settled| settled.task_id);
    let ended: HashSet<_> = ended.collect();
    let max_attempts = tasks.iter().map(|task| task.max_attempts).max().unwrap_or(1);
    for set in [&wanted.active, &wanted.building].into_iter().flatten().map(|set| set.id) {
        let before = tasks.iter().filter(|task| wanted.after(task.model_id) == Some(set));
        // Each once: two attempts at one task may end in one batch.
        let articles: BTreeSet<_> =
            before.filter(|task| ended.contains(&task.lease.task_id)).map(|task| task.article_id).collect();
        if !articles.is_empty() {
            let articles: Vec<_> = articles.into_iter().collect();
            backlog::queue_next(transaction, &articles, set, max_attempts).await?;
        }
    }
    Ok(())
}

/// What a batch does to vectors.
#[derive(Default)]
struct Writes<'d> {
    sets: Vec<NewSet<'d>>,
    confirmed: Vec<ConfirmedVectors>,
    /// Of these articles.
    removed: Vec<i64>,
}

/// Adds the result of `decided` to `writes`, and returns what becomes of its task; `None` if its lease is not valid.
fn verdict_of<'d>(
    decided: &'d DecidedAttempt,
    checks: &HashMap<Lease, WriteCheck>,
    pinned: &HashMap<i64, u32>,
    applied: &mut CommitResult,
    writes: &mut Writes<'d>,
) -> Option<TaskVerdict> {
    let task = &decided.task;
    let model_id = task.model_id;
    let &check = checks.get(&task.lease)?;
    let verdict = |next, cause, error| Some(TaskVerdict { lease: task.lease.clone(), next, cause, error });
    match (&decided.write, check) {
        (Write::Store(_) | Write::Confirm(_), WriteCheck::Gone) => {
            return verdict(Next::Cancelled, "article deleted", None);
        }
        (Write::Store(_) | Write::Confirm(_), WriteCheck::Skipped) => {
            return verdict(Next::Cancelled, "embedding skipped", None);
        }
        // An older revision than the stored one would take the index back.
        (Write::Store(set), WriteCheck::Wanted { stored }) if set.revision >= stored => {
            if let Some(stored) = pinned.get(&model_id).copied()
                && let Some(answered) = other_length(set, stored)
            {
                applied.wrong_lengths.push(WrongLength { lease: task.lease.clone(), answered, stored });
                return None;
            }
            writes.sets.push(NewSet { article_id: task.article_id, model_id, set, stored });
            applied.stored.insert(task.lease.task_id);
        }
        (Write::Confirm(revision), WriteCheck::Wanted { stored }) if *revision > stored => {
            writes.confirmed.push(ConfirmedVectors { article_id: task.article_id, model_id, revision: *revision });
        }
        (Write::Remove, WriteCheck::Gone | WriteCheck::Skipped) => writes.removed.push(task.article_id),
        (Write::Store(_) | Write::Confirm(_) | Write::Remove, WriteCheck::Wanted { .. }) | (Write::Nothing, _) => {}
    }
    verdict(decided.next, decided.cause, decided.error.clone())
}

/// The length of each model's vectors, fixed by its first one; only of models for which `batch` has vectors.
async fn pinned_dimensions(transaction: &Transaction, batch: &[CommitItem]) -> Result<HashMap<i64, u32>, StoreError> {
    let mut pinned = HashMap::new();
    for CommitItem { decided, .. } in batch {
        let Write::Store(set) = &decided.write else { continue };
        if let Some(chunk) = set.chunks.first()
            && let Entry::Vacant(of_model) = pinned.entry(decided.task.model_id)
        {
            let dimension = chunk.vector.dimension();
            of_model.insert(models::pin_dimension(transaction, decided.task.model_id, dimension).await?);
        }
    }
    Ok(pinned)
}

fn other_length(set: &EmbeddedSet, stored: u32) -> Option<u32> {
    set.chunks.iter().map(|chunk| chunk.vector.dimension()).find(|&answered| answered != stored)
}
