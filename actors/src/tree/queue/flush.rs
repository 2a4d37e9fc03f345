//! Commits under way: finished attempts are ended, then work is claimed for idle workers. They run beside the mailbox.

use std::{collections::HashSet, sync::Arc};

use tokio_util::task::AbortOnDropHandle;

use super::{
    active_set::ClaimableSets,
    commits::{ClaimFor, Commit},
    state::QueueState,
};
use crate::{
    context::Context,
    panics::catch_panic,
    settlement::{self, CommitItem, CommitResult, apply},
    store::{
        StoreError, Transaction,
        claim::{Claim, claim, new_token},
        leases, models,
    },
    task::{ArticleSnapshot, ClaimedTask, Vectors},
    tree::messages::{Committed, QueueMessage},
};

impl QueueState {
    /// Schedules a flush if there is something to commit or a worker to claim for.
    pub(super) fn schedule_flush(&mut self) {
        if !self.commits.may_begin(&self.arguments.context) {
            self.commits.flush_wanted = true;
        } else if !self.commits.flush_scheduled && (self.commits.has_something() || !self.claimable_slots().is_empty())
        {
            self.commits.flush_scheduled = true;
            // Behind what is in the mailbox already: all of that joins the same commit.
            let _ = self.myself.send_message(QueueMessage::Flush);
        }
    }

    /// Starts to commit what has been gathered and to claim for idle workers.
    pub(super) fn flush(&mut self) {
        self.commits.flush_scheduled = false;
        if !self.commits.may_begin(&self.arguments.context) {
            self.commits.flush_wanted = true;
            return;
        }
        let claims = self.commits.one_by_one == 0;
        let slots = if claims { self.claimable_slots() } else { Vec::new() };
        // During an outage, an empty commit finds out when it ends.
        if !self.commits.has_something() && slots.is_empty() {
            return;
        }
        let recovers = self.commits.recovers();
        let batch = self.commits.next_batch();
        let known_tokens = recovers.then(|| self.known_tokens(&batch));
        let claim = ClaimFor { token: new_token(), slots, from: self.claim_cursor.next() };
        let number = self.commits.number;
        self.commits.number += 1;
        let (context, claimable) = (Arc::clone(&self.arguments.context), self.claimable_sets());
        let end = commit(context, batch.clone(), claim.clone(), known_tokens, claimable);
        let myself = self.myself.clone();
        let work = AbortOnDropHandle::new(tokio::spawn(async move {
            let panicked = |text| StoreError::Failed(format!("the commit panicked: {text}"));
            let end = catch_panic(end).await.map_err(panicked).flatten();
            let _ = myself.send_message(QueueMessage::Committed(number, Box::new(end)));
        }));
        self.commits.under_way.push(Commit { number, batch, claim, recovers, work });
    }

    /// Gives the workers work first, then starts the next commit; the result of this one is reported while that one
    /// runs.
    pub(super) fn committed(&mut self, number: u64, end: Committed) {
        // It is missing if the release of everything has awaited it.
        let Some(at) = self.commits.under_way.iter().position(|commit| commit.number == number) else { return };
        let Commit { batch, claim, recovers, .. } = self.commits.under_way.remove(at);
        match end {
            Ok((applied, claimed, makes)) => {
                self.active_set.committed(makes, self.arguments.context.model_row.id);
                self.commits.answered(recovers);
                let more = self.claim_cursor.claimed(claim.from, claim.slots.len(), &claimed);
                let admitted = self.provider.admission();
                self.applied(&batch, &applied);
                let more = more || admitted != self.provider.admission();
                self.hand_out(claimed);
                let wanted = std::mem::take(&mut self.commits.flush_wanted);
                if wanted || more || self.commits.has_something() {
                    self.schedule_flush();
                }
                self.schedule_probe();
                let _ = self.myself.send_message(QueueMessage::Tell(batch, Box::new(applied)));
            }
            Err(error) => {
                let context = &self.arguments.context;
                self.commits.failed(batch, error, context.database.engine(), context.settings.retry);
                self.flush_after_a_while();
            }
        }
    }

    /// A look or a commit failed: try again, at growing delays.
    pub(super) fn database_failed(&mut self, error: StoreError) {
        let context = &self.arguments.context;
        self.commits.failed(Vec::new(), error, context.database.engine(), context.settings.retry);
        self.flush_after_a_while();
    }

    fn flush_after_a_while(&mut self) {
        if !self.commits.flush_scheduled {
            self.commits.flush_scheduled = true;
            self.myself.send_after(self.commits.outage_delays.next_delay(), || QueueMessage::Flush);
        }
    }

    /// Records what a commit says about the provider.
    fn applied(&mut self, batch: &[CommitItem], applied: &CommitResult) {
        let own = self.arguments.context.model_row.id;
        let finals: HashSet<_> =
            applied.settled.iter().filter(|settled| settled.status.is_final()).map(|settled| settled.task_id).collect();
        for CommitItem { decided, .. } in batch {
            let task = decided.task.lease.task_id;
            let stored = applied.stored.contains(&task);
            if decided.task.model_id == own {
                self.provider.committed(task, stored, finals.contains(&task));
            } else if stored {
                self.active_set.works();
            }
        }
        for wrong in &applied.wrong_lengths {
            let ended = batch.iter().map(|gathered| &gathered.decided).find(|ended| ended.task.lease == wrong.lease);
            if let Some(ended) = ended {
                self.arguments.context.forget_answers(ended.task.model_id);
                self.odd_length(&ended.task, ended.elapsed, wrong);
            }
        }
    }

    fn hand_out(&mut self, claimed: Vec<ClaimedTask>) {
        for task in claimed {
            if !self.roster.has_room_for(&task) {
                // Another claim that was under way has claimed beside it a task that it must not be processed with.
                self.commits.gather([settlement::returned(task)]);
                continue;
            }
            let is_own = task.model_id == self.arguments.context.model_row.id;
            if is_own && task.subject == ArticleSnapshot::Changed {
                if self.provider.is_open() || self.provider.may_be_another_model() {
                    // The provider has failed since the claim was made.
                    self.commits.gather([settlement::returned(task)]);
                    continue;
                }
                self.provider.began(task.lease.task_id);
            }
            let made = if is_own { self.salvage.take(task.article_id) } else { Vectors::new() };
            let (article, id) = (task.article_id, task.lease.task_id);
            let started = task.clone();
            match self.roster.give(task, made) {
                Ok(()) => self.tell_started(&started),
                Err(task) => {
                    tracing::debug!(
                        article,
                        task = id,
                        "its worker died before it began this task; the task is released"
                    );
                    self.commits.gather([settlement::returned(*task)]);
                }
            }
        }
    }
}

/// Ends `batch` and claims; with `known_tokens`, first releases what this host has claimed under other tokens.
fn commit(
    context: Arc<Context>,
    batch: Vec<CommitItem>,
    claim_for: ClaimFor,
    known_tokens: Option<Vec<String>>,
    claimable: ClaimableSets,
) -> impl Future<Output = Committed> + Send {
    let database = context.database.clone();
    async move {
        let done = database
            .write_behind::<_, StoreError, _>(async move |transaction| {
                if let Some(known_tokens) = known_tokens {
                    release_others(transaction, &context.incarnation, &known_tokens).await?;
                }
                let wanted = models::wanted(transaction).await?;
                let applied = apply(transaction, &batch, &wanted).await?;
                let host_sets = context.sets.makes(&wanted);
                let makes = claimable.of(host_sets, context.model_row.id);
                let ClaimFor { token, slots, from } = &claim_for;
                let request = Claim {
                    token,
                    incarnation: &context.incarnation,
                    slots,
                    lease: context.settings.lease,
                    from: *from,
                    makes,
                };
                let idle = slots.is_empty() || makes.nothing();
                let claimed = if idle { Vec::new() } else { claim(transaction, request).await? };
                Ok((applied, claimed, host_sets))
            })
            .await?;
        // An error here is a lost answer.
        afterword_faults::point!("queue.committed", StoreError::Failed);
        Ok(done)
    }
}

/// Releases what an earlier run of this host's QueueActor claimed, or a commit that lost its answer.
async fn release_others(
    transaction: &Transaction,
    incarnation: &str,
    known_tokens: &[String],
) -> Result<(), StoreError> {
    while !leases::release(transaction, incarnation, known_tokens).await?.is_empty() {}
    Ok(())
}
