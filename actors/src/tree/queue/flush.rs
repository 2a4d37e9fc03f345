//! Commits: what has finished, then new claims. They run beside the mailbox.

use std::sync::Arc;

use ractor::ActorRef;
use tokio::time::Instant;

use super::{
    super::{owned::Owned, worker::WorkerMessage},
    Applied, Decided, QueueMessage, apply, decide,
    state::{Outage, QueueState},
};
use crate::{
    embedder::EmbedError,
    store::{
        Engine, StoreError, Transaction,
        claim::{Claim, claim},
        leases,
        sql::{Number, Sql},
    },
    task::{ClaimedTask, Position, Slot},
};

/// What a commit did, and the tasks it claimed.
pub(crate) type Committed = Result<(Applied, Vec<ClaimedTask>), StoreError>;

/// A commit on its way.
pub(super) struct Commit {
    number: u64,
    pub(super) batch: Vec<Arc<Decided>>,
    /// It claims for these.
    pub(super) slots: Vec<Slot>,
    /// Where in the queue its claim begins.
    from: Option<Position>,
    pub(super) work: Owned,
}

/// A file has one writer. On a server, one commit is made ready while another is carried out.
const fn most_at_once(engine: Engine) -> usize {
    match engine {
        Engine::Sqlite => 1,
        Engine::Postgres => 2,
    }
}

impl QueueState {
    /// Looks whether there is work that nobody announced: another process queued it, or its time has come.
    pub(super) async fn poll(&mut self, myself: &ActorRef<QueueMessage>) {
        self.probe_if_due(myself);
        if self.outage.is_some() || self.flush_scheduled || !self.committing.is_empty() {
            return;
        }
        if !self.recovered || !self.decided.is_empty() {
            return self.schedule_flush(myself);
        }
        // A look costs no write lock; a claim does.
        if !self.claimable_slots().is_empty() {
            match self.context.database.reader().row::<Number>(DUE, []).await {
                Ok(Some(_)) => self.schedule_flush(myself),
                Ok(None) => {}
                Err(error) => self.database_failed(myself, error),
            }
        }
    }

    /// A second one beside the first is for much work only: little work is gathered until the first has ended.
    pub(super) fn may_commit(&self) -> bool {
        let much = self.context.settings.claim_batch as usize / 2;
        match self.committing.len() {
            0 => true,
            under_way if under_way < most_at_once(self.context.database.engine()) => {
                self.recovered && self.decided.len() > much
            }
            _ => false,
        }
    }

    /// Begins to commit what has been gathered and to claim for the idle.
    pub(super) fn flush(&mut self, myself: &ActorRef<QueueMessage>) {
        self.flush_scheduled = false;
        if !self.may_commit() {
            self.flush_wanted = true;
            return;
        }
        let batch = std::mem::take(&mut self.decided);
        let slots = self.claimable_slots();
        if batch.is_empty() && slots.is_empty() && self.recovered {
            return;
        }
        let (number, from) = (self.commits, self.place.next());
        self.commits += 1;
        let (end, myself) = (self.commit(batch.clone(), slots.clone(), from), myself.clone());
        let work = Owned::spawn(async move {
            let _ = myself.send_message(QueueMessage::Committed(number, Box::new(end.await)));
        });
        self.committing.push(Commit { number, batch, slots, from, work });
    }

    fn commit(
        &self,
        batch: Vec<Arc<Decided>>,
        slots: Vec<Slot>,
        from: Option<Position>,
    ) -> impl Future<Output = Committed> + Send + use<> {
        let (context, recover) = (Arc::clone(&self.context), !self.recovered);
        let database = self.context.database.clone();
        async move {
            database
                .write_behind(move |transaction| {
                    Box::pin(async move {
                        if recover {
                            give_back(transaction, &context.incarnation).await?;
                        }
                        let applied = apply(transaction, &batch, context.model_row.id).await?;
                        let claim_for = Claim {
                            incarnation: &context.incarnation,
                            slots: &slots,
                            lease: context.settings.lease,
                            from,
                            model_id: context.model_row.id,
                        };
                        let claimed = if slots.is_empty() { Vec::new() } else { claim(transaction, claim_for).await? };
                        Ok((applied, claimed))
                    })
                })
                .await
        }
    }

    /// Work for the workers first, then the next commit; what this one did is told while that one runs.
    pub(super) fn committed(&mut self, myself: &ActorRef<QueueMessage>, number: u64, end: Committed) {
        // Nothing is known of it if it was awaited at the release of everything.
        let Some(at) = self.committing.iter().position(|commit| commit.number == number) else { return };
        let Commit { batch, slots, from, .. } = self.committing.remove(at);
        match end {
            Ok((applied, claimed)) => {
                self.database_answered();
                self.recovered = true;
                let more = self.place.claimed(from, slots.len(), &claimed);
                if let Some(message) = &applied.wrong_dimension {
                    self.trip(EmbedError::config(message.clone()));
                }
                self.hand_out(claimed);
                if std::mem::take(&mut self.flush_wanted) || more || !self.decided.is_empty() {
                    self.schedule_flush(myself);
                }
                self.schedule_probe(myself);
                let _ = myself.send_message(QueueMessage::Tell(batch, Box::new(applied)));
            }
            Err(error) => {
                // Nothing was committed, or the fence will show that it was: both are safe to repeat.
                self.decided.splice(0..0, batch);
                self.database_failed(myself, error);
            }
        }
    }

    fn hand_out(&mut self, claimed: Vec<ClaimedTask>) {
        for task in claimed {
            let message = WorkerMessage::Embed(Box::new(task.clone()));
            let worker = self.workers.get(&task.slot).and_then(Option::as_ref);
            if worker.is_some_and(|worker| worker.send_message(message).is_ok()) {
                self.tell_started(&task);
                self.running.insert(task.slot, task);
            } else {
                // Its worker died meanwhile, and not of this task.
                self.decided.push(Arc::new(decide::returned(task)));
            }
        }
    }

    fn database_answered(&mut self) {
        if let Some(outage) = self.outage.take() {
            tracing::info!(lasted = ?outage.since.elapsed(), "the database answers again");
            self.outage_delays.reset();
        }
    }

    fn database_failed(&mut self, myself: &ActorRef<QueueMessage>, error: StoreError) {
        if self.outage.is_none() {
            tracing::error!(%error, "the database fails; nothing is lost, the queue waits for it");
        }
        let since = self.outage.as_ref().map_or_else(Instant::now, |outage| outage.since);
        self.outage = Some(Outage { since, error });
        if !self.flush_scheduled {
            self.flush_scheduled = true;
            myself.send_after(self.outage_delays.next_delay(), || QueueMessage::Flush);
        }
    }
}

const DUE: &str = "
    SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM embedding_tasks
                                WHERE status = 'pending' AND queue_key >= 0 AND scheduled_at <= {now})
                    AND NOT EXISTS (SELECT 1 FROM queue_control WHERE key = 'paused')";

/// What an earlier life of this host's QueueActor held.
async fn give_back(transaction: &Transaction, incarnation: &str) -> Result<(), StoreError> {
    while !leases::release(transaction, incarnation).await?.is_empty() {}
    Ok(())
}
