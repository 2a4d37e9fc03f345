//! What all supervisors share: how often a child may be restarted, where its present reference is found, and how it
//! says how it is. Strategies stand with the supervisors themselves.

pub(crate) mod address;
pub(crate) mod restarts;
mod status;

pub(crate) use address::Address;
pub(crate) use restarts::{Decision, Restarts};
pub use status::{ActorState, ActorStatus};
