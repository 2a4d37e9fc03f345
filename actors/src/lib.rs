//! The supervised runtime of Afterword: a tree of actors over a durable queue of embedding tasks.
//!
//! A host saves an article and its task in one transaction ([`store::tasks::enqueue`]), answers its caller, and wakes
//! the runtime ([`RuntimeHandle::wake`]). The runtime does the rest: see `tree` for who does what.
//!
//! Here is no HTTP, no MCP, no command line and no model: a host brings an [`embedder::Model`].
//!
//! - [`embedder`]: what the runtime asks of a model
//! - [`task`]: the values of a task's life
//! - [`store`]: the rows, and all SQL
//! - [`circuit`], [`backoff`]: when to try again
//! - `pipeline`: one attempt at one task
//! - `settlement`: what its outcome means, and the commit; [`attempt`]: all of that for one attempt, without the actors
//! - `tree`, `supervision`: the actors
//! - [`Runtime`]: all of it, started and stopped

pub mod attempt;
pub mod backoff;
pub mod circuit;
mod context;
pub mod embedder;
mod event;
mod inline;
mod pipeline;
mod runtime;
mod sets;
mod settings;
mod settlement;
pub mod store;
mod supervision;
pub mod task;
mod tree;

pub use event::TaskEvent;
pub use inline::embed_now;
pub use runtime::{Drained, Runtime, RuntimeHandle, StartError};
pub use sets::{Offer, OtherModels};
pub use settings::{Delays, RestartSettings, RuntimeSettings};
pub use supervision::{ActorState, ActorStatus, RuntimeStatus, Trouble};
pub use tree::metrics::{Distribution, MetricsSnapshot, WorkerMetrics};
