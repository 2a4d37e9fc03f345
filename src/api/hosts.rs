//! Hosts, their actors and their workers.

use afterword_actors::Trouble;
use serde::Serialize;
use utoipa::ToSchema;

use super::Timestamp;

/// A running host, as it last reported itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LivingHost {
    /// The id of this start of the host; unique.
    pub incarnation: String,
    /// The machine's name.
    pub hostname: String,
    /// The id of its process.
    pub pid: i64,
    /// The version of the program.
    pub version: String,
    /// `running` or `draining`.
    pub state: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last sent its heartbeat.
    pub heartbeat_at: Timestamp,
    /// What keeps it from its work, or should be known: `what` is `provider`, `provider_in_use`, `database`, `loading`, `model`,
    /// `unwanted`, `not_in_effect` or `slots`.
    #[schema(value_type = Vec<Object>)]
    pub trouble: Vec<Trouble>,
    /// Its actors, the root first; `null` before the first report.
    pub tree: Option<Actor>,
}

/// One actor of a tree, with those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Actor {
    /// Its role, e.g. `QueueActor` or `WorkerActor 0`.
    pub name: String,
    /// `running`, `degraded`, `restarting`, `failed`, `unresponsive` or `draining`.
    pub state: &'static str,
    /// Time in this state. *Units:* milliseconds.
    pub for_ms: u64,
    /// How often it was started again.
    pub restarts: u64,
    /// Messages that wait in its mailbox.
    pub mailbox: usize,
    /// What it does right now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doing: Option<String>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The actors it supervises.
    #[schema(no_recursion)]
    pub children: Vec<Actor>,
}

/// A worker slot of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Worker {
    /// The host.
    pub incarnation: String,
    /// From 0.
    pub slot: i32,
    /// `idle`, `busy`, `restarting` or `stopped`.
    pub state: String,
    /// When this state began.
    pub since: Timestamp,
    /// The task it processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// Tasks completed since the host started.
    pub completed: i64,
    /// Attempts failed since the host started.
    pub failed: i64,
    /// How often it was started again.
    pub restarts: i64,
    /// Why it was started again, or why its last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

impl Actor {
    /// Whether this actor and all below it work normally.
    pub fn is_healthy(&self) -> bool {
        matches!(self.state, "running" | "draining") && self.children.iter().all(Self::is_healthy)
    }

    /// Returns this actor and all below it, each before its children.
    pub fn walk(&self) -> Vec<&Self> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(Self::walk));
        all
    }
}
