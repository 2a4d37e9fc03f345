//! The messages of the actors, by receiver. A message imports no actor, so two actors may know each other's messages
//! without knowing each other. MetricsActor and MaintenanceActor send to no actor: their messages are in their own
//! files.

use ractor::{ActorRef, RpcReplyPort};

use super::role::Role;
use crate::{
    embedder::EmbedError,
    outcome::{FinishedAttempt, Outcome},
    settlement::{CommitItem, CommitResult},
    store::{StoreError, claim::HostSets, hosts::WorkerRow},
    supervision::{ActorStatus, RuntimeStatus, Trouble, Victim},
    task::{ClaimedTask, Lease, Slot, Vectors},
};

/// To the RuntimeSupervisor.
pub(crate) enum RuntimeSupervisorMessage {
    /// To itself: start this child again, if this is still the latest restart of it.
    Restart(Role, u64),
    /// Stop this child for good: part of a shutdown.
    Retire(Role, RpcReplyPort<()>),
    /// The health of the whole tree.
    Status(RpcReplyPort<RuntimeStatus>),
    /// A child: for tests that kill it.
    Child(Role, RpcReplyPort<Option<Victim>>),
}

/// To the QueueActor.
pub(crate) enum QueueMessage {
    /// There may be work.
    Wake,
    /// To itself: look whether there is work that was not announced.
    Poll,
    /// To itself: a look has ended.
    Looked(Result<PollResult, StoreError>),
    /// To itself: commit what has been gathered.
    Flush,
    /// To itself: a commit has ended.
    Committed(u64, Box<Committed>),
    /// To itself: report what a commit did.
    Tell(Vec<CommitItem>, Box<CommitResult>),
    /// This worker fills the slot.
    Seated(Slot, ActorRef<WorkerMessage>),
    /// The worker of this slot has died.
    Vacated(Slot, String),
    /// All workers are gone with their supervisor.
    Dismissed,
    /// A worker has ended an attempt.
    Finished(Box<FinishedAttempt>),
    /// To itself: the provider has been probed.
    Probed(Result<(), EmbedError>),
    /// The leases that this host works under.
    Held(RpcReplyPort<Vec<Lease>>),
    /// The workers as the queue sees them.
    Roster(RpcReplyPort<Vec<WorkerRow>>),
    /// Claim no more; answer when nothing is being processed.
    Drain(RpcReplyPort<()>),
    /// Release all tasks that are still claimed, uncounted; answers how many.
    Release(RpcReplyPort<u64>),
    /// The health of the actor.
    Status(RpcReplyPort<ActorStatus>),
}

/// The result of a commit, and the tasks it claimed.
pub(crate) type Committed = Result<(CommitResult, Vec<ClaimedTask>, HostSets), StoreError>;

/// The result of a look.
#[derive(Debug, Clone)]
pub(crate) struct PollResult {
    /// A task may be claimed.
    pub(super) due: bool,
    /// This host has claimed a task that no worker knows of.
    pub(super) strays: bool,
    /// Which sets this host makes.
    pub(super) makes: HostSets,
    /// The trouble to report if its own set is none of the wanted ones.
    pub(super) mismatch: Option<Trouble>,
}

/// To the WorkerSupervisor.
pub(crate) enum WorkerSupervisorMessage {
    /// To itself: start the worker of this slot again.
    Restart(Slot),
    /// Tell the queue again which workers exist.
    Muster,
    /// The health of the supervisor and of its workers.
    Status(RpcReplyPort<ActorStatus>),
    /// All workers: for tests that kill them.
    Workers(RpcReplyPort<Vec<Victim>>),
}

/// To a WorkerActor.
pub(crate) enum WorkerMessage {
    /// Work on this task, starting with the vectors of an earlier attempt.
    Embed(Box<ClaimedTask>, Vectors),
    /// To itself: the attempt has ended.
    Ended(AttemptResult),
    /// The health of the worker.
    Status(RpcReplyPort<ActorStatus>),
}

/// An attempt that has ended, and all the vectors it made or was given.
pub(crate) struct AttemptResult {
    pub(super) outcome: Outcome,
    pub(super) made: Vectors,
    pub(super) gained: bool,
}

/// To the HeartbeatActor.
pub(crate) enum HeartbeatMessage {
    /// It is time, or something has changed that other processes should see.
    Beat,
    /// To itself: a beat has ended.
    Beaten(Result<(), StoreError>),
    /// The health of the actor.
    Status(RpcReplyPort<ActorStatus>),
}
