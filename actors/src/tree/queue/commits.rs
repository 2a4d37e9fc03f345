//! What is gathered for the next commit, and what is under way.
//!
//! A commit that fails may have been carried out all the same: its answer can be lost. So the next one asks the rows. What
//! it claimed stands there under a token that no worker has, and is given back uncounted; what it ended no longer has its
//! token, and is told as it stands.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    context::Context,
    settings::Delays,
    settlement::{self, Decided, Gathered, Write},
    store::{Engine, StoreError},
    task::{Lease, Position, Slot},
    tree::owned::Owned,
};

/// PostgreSQL may still be carrying a commit out whose connection is lost; after so long it has ended.
const IN_DOUBT: Duration = Duration::from_secs(60);

/// What is gathered, and what is under way.
pub(super) struct Commits {
    /// To be committed by the next flush.
    gathered: Vec<Gathered>,
    pub(super) under_way: Vec<Commit>,
    /// Commits begun so far; the number of the next.
    pub(super) number: u64,
    pub(super) flush_scheduled: bool,
    /// Something came up while no further commit could begin: the end of one begins the next.
    pub(super) flush_wanted: bool,
    recovery: Recovery,
    /// So many are committed one by one, because the database refused something among them.
    pub(super) one_by_one: usize,
    outage: Option<Outage>,
    pub(super) outage_delays: Backoff,
}

/// Whether this host may hold tasks under tokens that the queue does not know.
struct Recovery {
    due: bool,
    /// A commit may be carried out until then.
    in_doubt_until: Option<Instant>,
}

/// A commit on its way.
pub(super) struct Commit {
    pub(super) number: u64,
    pub(super) batch: Vec<Gathered>,
    pub(super) claim: ClaimFor,
    pub(super) recovers: bool,
    pub(super) work: Owned,
}

/// What a commit claims.
#[derive(Clone)]
pub(super) struct ClaimFor {
    pub(super) token: String,
    pub(super) slots: Vec<Slot>,
    /// Where in the queue it begins.
    pub(super) from: Option<Position>,
}

/// The database does not answer: a state, not a crash.
pub(super) struct Outage {
    pub(super) since: Instant,
    pub(super) error: StoreError,
}

/// SQLite has one writer. On PostgreSQL, one commit is made ready while another is carried out.
const fn most_at_once(engine: Engine) -> usize {
    match engine {
        Engine::Sqlite => 1,
        Engine::Postgres => 2,
    }
}

impl Commits {
    pub(super) fn new(delays: Delays) -> Self {
        Self {
            gathered: Vec::new(),
            under_way: Vec::new(),
            number: 0,
            flush_scheduled: false,
            flush_wanted: false,
            // An earlier life of this actor may have held some.
            recovery: Recovery { due: true, in_doubt_until: None },
            one_by_one: 0,
            outage: None,
            outage_delays: Backoff::new(delays),
        }
    }

    pub(super) fn gather(&mut self, decided: impl IntoIterator<Item = Decided>) {
        self.gathered.extend(decided.into_iter().map(Gathered::from));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.gathered.is_empty() && self.under_way.is_empty()
    }

    pub(super) fn outage(&self) -> Option<&Outage> {
        self.outage.as_ref()
    }

    /// Whether the next flush comes without being asked for.
    pub(super) fn is_busy(&self) -> bool {
        self.flush_scheduled || !self.under_way.is_empty()
    }

    /// Whether a commit is needed even if there is nothing to claim.
    pub(super) fn has_something(&self) -> bool {
        !self.gathered.is_empty() || self.recovers() || self.outage.is_some()
    }

    pub(super) fn recover(&mut self) {
        self.recovery.due = true;
    }

    /// What attempts that are not ended yet hold.
    pub(super) fn leases(&self) -> impl Iterator<Item = &Lease> {
        let on_their_way = self.under_way.iter().flat_map(|commit| &commit.batch);
        self.gathered.iter().chain(on_their_way).map(|gathered| &gathered.decided.task.lease)
    }

    /// The tokens of claims under way.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &str> {
        self.under_way.iter().map(|commit| commit.claim.token.as_str())
    }

    /// The slots that commits under way claim for.
    pub(super) fn claimed_for(&self) -> HashSet<Slot> {
        self.under_way.iter().flat_map(|commit| &commit.claim.slots).copied().collect()
    }

    /// Waits for the end of all commits; what they claim is given back by the caller.
    pub(super) async fn ended(&mut self) {
        for commit in std::mem::take(&mut self.under_way) {
            commit.work.ended().await;
        }
        self.gathered.clear();
    }

    pub(super) fn recovers(&self) -> bool {
        self.recovery.due || self.recovery.in_doubt_until.is_some_and(|until| until <= Instant::now())
    }

    /// A second commit beside the first is for much work only: little is gathered until the first has ended.
    pub(super) fn may_begin(&self, context: &Context) -> bool {
        let much = context.settings.claim_batch as usize / 2;
        match self.under_way.len() {
            0 => true,
            under_way if under_way < most_at_once(context.database.engine()) => {
                !self.recovers() && self.one_by_one == 0 && self.gathered.len() > much
            }
            _ => false,
        }
    }

    /// What the next commit ends.
    pub(super) fn next_batch(&mut self) -> Vec<Gathered> {
        if self.one_by_one == 0 {
            return std::mem::take(&mut self.gathered);
        }
        self.one_by_one -= 1;
        let one = 1.min(self.gathered.len());
        self.gathered.drain(..one).collect()
    }

    pub(super) fn answered(&mut self, recovered: bool) {
        if let Some(outage) = self.outage.take() {
            tracing::info!(lasted = ?outage.since.elapsed(), "the database answers again");
            self.outage_delays.reset();
        }
        if recovered {
            self.recovery.due = false;
            if self.recovery.in_doubt_until.is_some_and(|until| until <= Instant::now()) {
                self.recovery.in_doubt_until = None;
            }
        }
    }

    /// Puts a batch back that may or may not have been committed.
    pub(super) fn failed(&mut self, batch: Vec<Gathered>, error: StoreError, engine: Engine, retry: Delays) {
        let refused = !error.is_of_the_database() && !batch.is_empty();
        let alone = batch.len() == 1;
        let again = batch.into_iter().map(|Gathered { decided, .. }| match &decided.write {
            Write::Store(_) if refused && alone => {
                Gathered { decided: Arc::new(settlement::unwritable(&decided, &error, retry)), in_doubt: true }
            }
            _ => Gathered { decided, in_doubt: true },
        });
        let again: Vec<_> = again.collect();
        self.one_by_one = if refused && !alone { again.len() } else { self.one_by_one };
        self.gathered.splice(0..0, again);
        self.recovery.due = true;
        self.recovery.in_doubt_until = match engine {
            Engine::Sqlite => None, // Its answer and its end are one.
            Engine::Postgres => Some(Instant::now() + IN_DOUBT),
        };
        if self.outage.is_none() {
            tracing::error!(%error, "the database fails; nothing is lost, the queue waits for it");
        }
        let since = self.outage.as_ref().map_or_else(Instant::now, |outage| outage.since);
        self.outage = Some(Outage { since, error });
    }
}
<<<<<<< HEAD
=======

impl QueueState {
    /// A flush is worth its transaction if there is something to commit or a worker to claim for.
    pub(super) fn schedule_flush(&mut self) {
        if !self.commits.may_begin(&self.at.context) {
            self.commits.flush_wanted = true;
        } else if !self.commits.flush_scheduled && (self.commits.has_something() || !self.claimable_slots().is_empty())
        {
            self.commits.flush_scheduled = true;
            // Behind what the mailbox holds already: all of that joins the same commit.
            let _ = self.myself.send_message(QueueMessage::Flush);
        }
    }

    /// Begins to commit what has been gathered and to claim for the idle.
    pub(super) fn flush(&mut self) {
        self.commits.flush_scheduled = false;
        if !self.commits.may_begin(&self.at.context) {
            self.commits.flush_wanted = true;
            return;
        }
        let claims = self.commits.one_by_one == 0;
        let slots = if claims { self.claimable_slots() } else { Vec::new() };
        // In an outage, an empty commit is how its end is found out.
        if !self.commits.has_something() && slots.is_empty() {
            return;
        }
        let recovers = self.commits.recovers();
        let batch = self.commits.next_batch();
        let known = recovers.then(|| self.known_tokens(&batch));
        let claim = ClaimFor { token: new_token(), slots, from: self.place.next() };
        let number = self.commits.number;
        self.commits.number += 1;
        let end = commit(Arc::clone(&self.at.context), batch.clone(), claim.clone(), known, self.may_make());
        let myself = self.myself.clone();
        let work = Owned::spawn(async move {
            let panicked = |text| StoreError::Failed(format!("the commit panicked: {text}"));
            let end = answer_of(end).await.map_err(panicked).flatten();
            let _ = myself.send_message(QueueMessage::Committed(number, Box::new(end)));
        });
        self.commits.under_way.push(Commit { number, batch, claim, recovers, work });
    }

    /// Work for the workers first, then the next commit; what this one did is told while that one runs.
    pub(super) fn committed(&mut self, number: u64, end: Committed) {
        // It is not there if it was awaited at the release of everything.
        let Some(at) = self.commits.under_way.iter().position(|commit| commit.number == number) else { return };
        let Commit { batch, claim, recovers, .. } = self.commits.under_way.remove(at);
        match end {
            Ok((applied, claimed)) => {
                self.commits.answered(recovers);
                let more = self.place.claimed(claim.from, claim.slots.len(), &claimed);
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
                let context = &self.at.context;
                self.commits.failed(batch, error, context.database.engine(), context.settings.retry);
                self.flush_after_a_while();
            }
        }
    }

    /// The database failed a look or a commit: try again, ever more rarely.
    pub(super) fn database_failed(&mut self, error: StoreError) {
        let context = &self.at.context;
        self.commits.failed(Vec::new(), error, context.database.engine(), context.settings.retry);
        self.flush_after_a_while();
    }

    fn flush_after_a_while(&mut self) {
        if !self.commits.flush_scheduled {
            self.commits.flush_scheduled = true;
            self.myself.send_after(self.commits.outage_delays.next_delay(), || QueueMessage::Flush);
        }
    }

    /// What a commit says of the provider.
    fn applied(&mut self, batch: &[Gathered], applied: &Applied) {
        let own = self.at.context.model_row.id;
        let finals: HashSet<_> =
            applied.settled.iter().filter(|settled| settled.status.is_final()).map(|settled| settled.task_id).collect();
        for Gathered { decided, .. } in batch {
            let task = decided.task.lease.task_id;
            let stored = applied.stored.contains(&task);
            if decided.task.model_id == own {
                self.provider.committed(task, stored, finals.contains(&task));
            } else if stored {
                self.second.works();
            }
        }
        match &applied.wrong_dimension {
            Some((set, message)) if *set == own => self.provider.trip(EmbedError::config(message.clone())),
            Some((_, message)) => self.rest_second(message),
            None => {}
        }
    }

    fn hand_out(&mut self, claimed: Vec<ClaimedTask>) {
        for task in claimed {
            let is_own = task.model_id == self.at.context.model_row.id;
            if is_own && task.subject == Subject::Changed {
                if self.provider.is_open() {
                    // It has failed since the claim was made.
                    self.commits.gather([settlement::returned(task)]);
                    continue;
                }
                self.provider.began(task.lease.task_id);
            }
            let made = if is_own { self.salvage.take(task.article_id) } else { Vectors::new() };
            let (article, id) = (task.article_id, task.lease.task_id);
            let told = task.clone();
            match self.roster.give(task, made) {
                Ok(()) => self.tell_started(&told),
                Err(task) => {
                    tracing::debug!(article, task = id, "its worker died meanwhile, and not of this task");
                    self.commits.gather([settlement::returned(*task)]);
                }
            }
        }
    }
}

/// Ends `batch` and claims; with `known`, first gives back what this host holds under other tokens.
fn commit(
    context: Arc<Context>,
    batch: Vec<Gathered>,
    claim_for: ClaimFor,
    known: Option<Vec<String>>,
    may: MayMake,
) -> impl Future<Output = Committed> + Send {
    let database = context.database.clone();
    async move {
        let done = database
            .write_behind::<_, StoreError, _>(move |transaction| {
                Box::pin(async move {
                    if let Some(known) = known {
                        give_back(transaction, &context.incarnation, &known).await?;
                    }
                    let makes = context.sets.makes(&models::wanted(transaction).await?);
                    let applied = apply(transaction, &batch, makes.building).await?;
                    let makes = may.of(makes, context.model_row.id);
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
                    Ok((applied, claimed))
                })
            })
            .await?;
        // An error here is an answer that is lost.
        afterword_faults::point!("queue.committed", StoreError::Failed);
        Ok(done)
    }
}

/// What an earlier life of this host's QueueActor held, or a commit whose answer was lost.
async fn give_back(transaction: &Transaction, incarnation: &str, known: &[String]) -> Result<(), StoreError> {
    while !leases::release(transaction, incarnation, known).await?.is_empty() {}
    Ok(())
}
>>>>>>> 7fa500a (queue: a type that the compiler asks for)
