//! What the MetricsActor is told about an attempt.

use std::time::Duration;

use crate::task::{Slot, TaskStatus};

/// One attempt that has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observation {
    pub(crate) slot: Slot,
    /// The task's status after it; `pending` means that it is tried again.
    pub(crate) status: TaskStatus,
    pub(crate) processing: Duration,
    pub(crate) waited: Duration,
}
