//! The root's children by role: the order of their start, and which follows which.

use crate::supervision::Spec;

/// A child of the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Metrics,
    Queue,
    Workers,
    Heartbeat,
    Maintenance,
}

impl Role {
    /// Each child comes after those that it sends to; a follower after its leader.
    pub(crate) const TABLE: [Spec<Self>; 5] = [
        Spec { role: Self::Metrics, restarts_with: None },
        Spec { role: Self::Queue, restarts_with: None },
        Spec { role: Self::Workers, restarts_with: Some(Self::Queue) },
        Spec { role: Self::Heartbeat, restarts_with: None },
        Spec { role: Self::Maintenance, restarts_with: None },
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Metrics => "MetricsActor",
            Self::Queue => "QueueActor",
            Self::Workers => "WorkerSupervisor",
            Self::Heartbeat => "HeartbeatActor",
            Self::Maintenance => "MaintenanceActor",
        }
    }
}
