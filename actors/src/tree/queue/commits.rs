//! What is gathered for the next commit, and what is under way.
//!
//! A commit that fails may have been carried out all the same: its answer can be lost. So the next one asks the rows.
//! What it claimed is there under a token that no worker has, and is released uncounted; what it ended no longer has
//! its token, and is reported with its present state.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    backoff::Backoff,
    context::Context,
    settings::Delays,
    settlement::{self, CommitItem, DecidedAttempt, Write},
    store::{Engine, StoreError},
    task::{Lease, Position, Slot},
};

/// PostgreSQL may still be carrying out a commit after the connection is lost; after this long it has ended.
const LOST_COMMIT_TIMEOUT: Duration = Duration::from_secs(60);

/// What is gathered, and what is under way.
pub(super) struct Commits {
    /// To be committed by the next flush.
    gathered: Vec<CommitItem>,
    pub(super) under_way: Vec<Commit>,
    /// Commits begun so far, which is the number of the next one.
    pub(super) number: u64,
    pub(super) flush_scheduled: bool,
    /// Something came up while no further commit could begin: the end of a running one starts the next.
    pub(super) flush_wanted: bool,
    recovery: Recovery,
    /// How many are still to be committed one by one, because the database refused something among them.
    pub(super) one_by_one: usize,
    outage: Option<Outage>,
    pub(super) outage_delays: Backoff,
}

/// Whether this host may have claimed tasks under tokens that the queue does not know.
struct Recovery {
    due: bool,
    /// Until then a lost commit may still be carried out.
    in_doubt_until: Option<Instant>,
}

/// A commit under way.
pub(super) struct Commit {
    pub(super) number: u64,
    pub(super) batch: Vec<CommitItem>,
    pub(super) claim: ClaimFor,
    pub(super) recovers: bool,
    pub(super) work: AbortOnDropHandle<()>,
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

/// SQLite has one writer. On PostgreSQL, one commit is prepared while another is carried out.
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
            // An earlier run of this actor may have claimed some.
            recovery: Recovery { due: true, in_doubt_until: None },
            one_by_one: 0,
            outage: None,
            outage_delays: Backoff::new(delays),
        }
    }

    pub(super) fn gather(&mut self, decided: impl IntoIterator<Item = DecidedAttempt>) {
        self.gathered.extend(decided.into_iter().map(CommitItem::from));
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

    /// The leases of attempts that are not ended yet.
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

    /// Waits for the end of all commits; the caller releases what they claim.
    pub(super) async fn ended(&mut self) {
        for commit in std::mem::take(&mut self.under_way) {
            // One that panicked has ended too.
            let _ = commit.work.await;
        }
        self.gathered.clear();
    }

    pub(super) fn recovers(&self) -> bool {
        self.recovery.due || self.recovery.in_doubt_until.is_some_and(|until| until <= Instant::now())
    }

    /// Whether another commit may begin. A second one beside the first is for much work only: little is gathered until
    /// the first has ended.
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

    /// Takes what the next commit ends.
    pub(super) fn next_batch(&mut self) -> Vec<CommitItem> {
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

    /// Puts back a batch that may or may not have been committed.
    pub(super) fn failed(&mut self, batch: Vec<CommitItem>, error: StoreError, engine: Engine, retry: Delays) {
        let refused = !error.is_of_the_database() && !batch.is_empty();
        let alone = batch.len() == 1;
        let again = batch.into_iter().map(|CommitItem { decided, .. }| match &decided.write {
            Write::Store(_) if refused && alone => {
                CommitItem { decided: Arc::new(settlement::unwritable(&decided, &error, retry)), in_doubt: true }
            }
            _ => CommitItem { decided, in_doubt: true },
        });
        let again: Vec<_> = again.collect();
        self.one_by_one = if refused && !alone { again.len() } else { self.one_by_one };
        // One that is refused alone goes behind all others, which would never be tried.
        let place = if refused && alone { self.gathered.len() } else { 0 };
        self.gathered.splice(place..place, again);
        self.recovery.due = true;
        self.recovery.in_doubt_until = match engine {
            Engine::Sqlite => None, // Its answer and its end coincide.
            Engine::Postgres => Some(Instant::now() + LOST_COMMIT_TIMEOUT),
        };
        if self.outage.is_none() {
            tracing::error!(%error, "the database fails; nothing is lost, the queue waits for it");
        }
        let since = self.outage.as_ref().map_or_else(Instant::now, |outage| outage.since);
        self.outage = Some(Outage { since, error });
    }
}
