//! How an actor says how it is.

use serde::{Deserialize, Serialize};

/// One actor of the tree, with those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorStatus {
    /// Its role, e.g. `QueueActor` or `WorkerActor 0`.
    pub name: String,
    /// How it is.
    pub state: ActorState,
    /// For how long it has been so. *Units:* milliseconds.
    pub for_ms: u64,
    /// Times it was started again.
    pub restarts: u64,
    /// Messages sent to it that it has not taken up.
    pub mailbox: usize,
    /// What it does right now, for people.
    pub doing: Option<String>,
    /// What went wrong last, for people.
    pub last_error: Option<String>,
    /// The actors it supervises.
    pub children: Vec<ActorStatus>,
}

/// How an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorState {
    /// Well.
    Running,
    /// Alive, but something it needs is not: `last_error` says what.
    Degraded,
    /// Ended, and about to be started again.
    Restarting,
    /// Ended too often; it is tried again at long intervals.
    Failed,
    /// It did not answer in time.
    Unresponsive,
    /// Finishing what is in work.
    Draining,
}

impl ActorStatus {
    /// A running actor without children.
    pub fn running(name: impl Into<String>, for_ms: u64) -> Self {
        Self {
            name: name.into(),
            state: ActorState::Running,
            for_ms,
            restarts: 0,
            mailbox: 0,
            doing: None,
            last_error: None,
            children: Vec::new(),
        }
    }

    /// Whether this actor and all below it are well.
    pub fn is_healthy(&self) -> bool {
        matches!(self.state, ActorState::Running | ActorState::Draining)
            && self.children.iter().all(ActorStatus::is_healthy)
    }

    /// This actor and all below it, each before its children.
    pub fn walk(&self) -> Vec<&ActorStatus> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(ActorStatus::walk));
        all
    }
}
