//! What is stored: the queue, the vectors, the hosts. All SQL of the runtime is below this module.
//!
//! Rows are the truth and every function here is one step of their life; nothing here runs by itself except the writer
//! of SQLite, which groups commits, and the session with PostgreSQL, which listens for work. Time is the database's: no
//! statement is given the host's clock.

mod acting;
pub mod advisory_locks;
mod answer;
pub mod backlog;
pub mod bulk;
pub mod claim;
pub mod control;
mod database;
mod dialect;
mod error;
pub mod events;
mod failure;
pub mod folder;
mod host_lock;
pub mod hosts;
pub mod leases;
mod location;
pub mod locks;
pub mod metrics;
pub mod models;
mod open;
mod open_error;
mod outages;
mod postgres;
pub mod rate_limit;
pub mod retention;
pub mod settle;
pub mod sql;
mod sqlite;
pub mod stats;
pub mod subject;
pub mod suspects;
pub mod tasks;
pub mod vectors;

pub use acting::{acting, acting_as};
pub use database::Database;
pub use dialect::Engine;
pub use error::StoreError;
pub(crate) use host_lock::HostLock;
pub use host_lock::HostLockError;
use open::CLOSE_TIMEOUT;
pub use open::{OpenOptions, Tables};
pub use open_error::OpenError;
pub use sql::{Connection, Transaction, WriteBody};
pub use sqlite::{APPLICATION_ID, ExclusiveLock, LivenessError, UnopenedLock, VectorFilePath, is_there};
