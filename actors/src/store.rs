//! What is stored: the queue, the vectors, the hosts. All SQL of the runtime stands below this module.
//!
//! Rows are the truth and every function here is one step of their life; nothing here runs by itself except the
//! writer, which groups commits. Time is the database's: no statement is given the host's clock.

pub mod bulk;
pub mod claim;
pub mod control;
mod database;
mod error;
pub mod events;
pub mod hosts;
pub mod leases;
mod liveness;
pub mod metrics;
pub mod missing;
pub mod models;
mod open;
pub mod retention;
pub mod settle;
pub mod sql;
pub mod stats;
pub mod subject;
pub mod tasks;
pub mod vectors;
mod writer;

pub use database::{Database, Transaction, WriteFuture};
pub use error::StoreError;
pub use liveness::{Liveness, LivenessError};
pub use open::{OpenError, OpenOptions};
