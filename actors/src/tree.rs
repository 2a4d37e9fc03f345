//! The supervised tree, one actor a file.
//!
//! ```text
//! RuntimeSupervisor ── QueueActor        claims, commits, wakes
//!                   ├─ WorkerSupervisor ── WorkerActor × slots
//!                   ├─ HeartbeatActor    leases, host and worker rows, rescue
//!                   ├─ MetricsActor      histograms, rates, minute rows
//!                   └─ MaintenanceActor  sweep, bulk runs, model switch, retention
//! ```
//!
//! Each actor's `Arguments` contain the addresses that it sends to, and no others.
//!
//! Messages down are imperative, up past tense; a message to oneself is a tick. A handler's `Err` means a broken
//! invariant and fails the actor; a provider's or a database's failure is a value.

mod addresses;
pub(crate) mod heartbeat;
pub(crate) mod maintenance;
pub(crate) mod messages;
pub(crate) mod metrics;
pub(crate) mod queue;
pub(crate) mod role;
pub(crate) mod runtime_supervisor;
pub(crate) mod worker;
pub(crate) mod worker_supervisor;

pub(crate) use addresses::Addresses;
