//! What all supervisors share: which child follows which, how often one may be restarted, how it is started and found
//! again, and how it reports its health.

pub(crate) mod address;
mod plan;
pub(crate) mod restarts;
mod root;
mod spawn;
mod status;
mod trouble;
mod victim;

pub(crate) use address::{Address, Mailbox};
pub(crate) use plan::{Plan, Spec};
pub(crate) use restarts::{RestartDecision, Restarts};
pub(crate) use root::Root;
pub(crate) use spawn::{CountingActor, spawn};
pub(crate) use status::elapsed_ms;
pub use status::{ActorState, ActorStatus, HostReport, RuntimeStatus};
pub use trouble::Trouble;
pub use victim::Victim;
