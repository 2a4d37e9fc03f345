//! The health of an actor, and of the tree.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Trouble;

/// One actor of the tree, with those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorStatus {
    /// Its role, e.g. `QueueActor` or `WorkerActor 0`.
    pub name: String,
    /// Its health.
    pub state: ActorState,
    /// How long it has been in this state. *Units:* milliseconds.
    pub for_ms: u64,
    /// How often it was started again.
    pub restarts: u64,
    /// Messages sent to it that it has not handled.
    pub mailbox: usize,
    /// What it does at the moment, for people.
    pub doing: Option<String>,
    /// Its last error, for people.
    pub last_error: Option<String>,
    /// What keeps it from its work now, for programs. Absent in reports of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<Trouble>,
    /// The actors it supervises.
    pub children: Vec<ActorStatus>,
}

/// The health of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorState {
    /// Working normally.
    Running,
    /// Alive, but something it needs is missing: [`ActorStatus::trouble`] says what.
    Degraded,
    /// Ended, and about to be started again.
    Restarting,
    /// Restart limit exceeded; it is tried again at long intervals.
    Failed,
    /// It did not answer in time.
    Unresponsive,
    /// Finishing what is being processed; nothing new is claimed.
    Draining,
}

impl ActorStatus {
    /// A running actor without children.
    pub(crate) fn running(name: impl Into<String>, since: Instant) -> Self {
        Self {
            name: name.into(),
            state: ActorState::Running,
            for_ms: elapsed_ms(since),
            restarts: 0,
            mailbox: 0,
            doing: None,
            last_error: None,
            trouble: Vec::new(),
            children: Vec::new(),
        }
    }

    /// The same, degraded if `error` says why.
    pub(crate) fn degraded_by(mut self, error: Option<&String>) -> Self {
        if let Some(error) = error {
            self.state = ActorState::Degraded;
            self.last_error = Some(error.clone());
        }
        self
    }

    /// The same, each actor with at most `most` children that have nothing to do, and a note of how many are left out.
    pub(crate) fn briefly(mut self, most: usize) -> Self {
        let before = self.children.len();
        let mut idle = 0;
        self.children.retain(|child| {
            let is_idle = child.doing.is_none() && child.children.is_empty() && child.is_healthy();
            idle += usize::from(is_idle);
            !is_idle || idle <= most
        });
        let left_out = before - self.children.len();
        if left_out > 0 {
            self.doing = Some(format!("{before} children, {left_out} of them idle and not listed"));
        }
        self.children = self.children.into_iter().map(|child| child.briefly(most)).collect();
        self
    }

    /// Whether this actor and all below it work normally.
    pub fn is_healthy(&self) -> bool {
        matches!(self.state, ActorState::Running | ActorState::Draining)
            && self.children.iter().all(ActorStatus::is_healthy)
    }

    /// Returns this actor and all below it, each before its children.
    pub fn walk(&self) -> Vec<&ActorStatus> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(ActorStatus::walk));
        all
    }
}

/// What a host reports of itself to other processes at each beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostReport {
    /// `embedding_models.id` of the model of its settings: of the sets that are being built, it makes that of this
    /// model alone. Absent in reports of earlier versions.
    #[serde(default)]
    pub model_id: Option<i64>,
    /// Its actors, the root first.
    #[serde(flatten)]
    pub tree: ActorStatus,
}

/// The health of a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeStatus {
    /// What keeps it from its work now; empty if nothing does.
    pub trouble: Vec<Trouble>,
    /// Its actors, the root first.
    pub tree: ActorStatus,
}

impl RuntimeStatus {
    /// Whether every actor works normally and nothing keeps the runtime from its work.
    pub fn is_healthy(&self) -> bool {
        self.tree.is_healthy() && self.trouble.iter().all(Trouble::is_no_fault)
    }

    /// Every actor, each before its children.
    pub fn walk(&self) -> Vec<&ActorStatus> {
        self.tree.walk()
    }
}

impl From<ActorStatus> for RuntimeStatus {
    fn from(tree: ActorStatus) -> Self {
        let trouble = tree.walk().into_iter().flat_map(|actor| actor.trouble.clone()).collect();
        Self { trouble, tree }
    }
}

pub(crate) fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
