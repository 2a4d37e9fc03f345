//! The supervised runtime of Afterword: a tree of actors over a durable queue of embedding tasks.
//!
//! A host saves an article and its task in one transaction, answers its caller, and wakes the runtime. The runtime does
//! the rest: it claims the task, cuts the article, has the pieces embedded, and commits the vectors and the end of the
//! task together. No task is lost by a crash, a restart, a provider or a database that is away; `README.md` of this
//! crate says what is guaranteed for messages, restarts, mailboxes and shutdown.
//!
//! # A host in five steps
//!
//! 1. [`store::Database::open`] a database, SQLite or PostgreSQL, and bring its tables up to date: [`schema::migrate`].
//! 2. Bring a model: an [`embedder::Embedder`] that makes vectors and an [`embedder::Chunker`] that cuts articles.
//! 3. [`Runtime::start`] the runtime.
//! 4. Save in [`store::Database::write`], [`store::tasks::enqueue`] in the same transaction, then [`Runtime::wake`] it.
//! 5. [`Runtime::stop`] it at the end: what is being processed is finished, or released.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use afterword_actors::{Runtime, RuntimeSettings, embedder::*, schema, store::*};
//!
//! struct Length(ModelIdentity);
//!
//! #[async_trait::async_trait]
//! impl Embedder for Length {
//!     fn identity(&self) -> &ModelIdentity {
//!         &self.0
//!     }
//!     fn limits(&self) -> BatchLimits {
//!         BatchLimits { texts: 16, tokens: 1_000 }
//!     }
//!     async fn embed(&self, texts: &[String], _: Purpose) -> Result<Vec<Vector>, EmbedError> {
//!         let vector = |text: &String| Vector::normalised(vec![1.0, text.len() as f32]);
//!         texts.iter().map(|text| vector(text).map_err(|error| EmbedError::data(error.to_string()))).collect()
//!     }
//! }
//!
//! /// Articles are embedded whole.
//! struct Whole;
//!
//! impl Chunker for Whole {
//!     fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
//!         let (text, input) = (source.body.to_owned(), format!("{}\n\n{}", source.title, source.body));
//!         Ok(vec![Chunk { heading_path: String::new(), text, input, tokens: 10 }])
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let url = format!("sqlite://{}/doc.db", folder.path().display());
//! let database = Database::open(&OpenOptions::new(url)).await?;
//! schema::migrate(&database).await?;
//! let identity = ModelIdentity {
//!     provider: "example".to_owned(),
//!     model: "length".to_owned(),
//!     dimension: Some(2),
//!     asked_dimension: None,
//!     document_prefix: String::new(),
//!     query_prefix: String::new(),
//!     chunker: "whole-1".to_owned(),
//! };
//! let model = Model { embedder: Arc::new(Length(identity)), chunker: Arc::new(Whole) };
//! let runtime = Runtime::start(database, model, RuntimeSettings::default()).await?;
//! assert!(runtime.status().await.is_some(), "the root of the tree answers");
//! assert!(runtime.stop(Duration::from_secs(10)).await.finished);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/own_host.rs` continues from here: a host with a table of its own that saves, waits, changes and removes.
//! What each of these has to write is in `README.md`.
//!
//! # Map
//!
//! It contains no HTTP, no MCP, no command line and no model.
//!
//! - [`embedder`]: what the runtime asks of a model
//! - [`task`]: the values of a task's life; [`outcome`]: what came of an attempt
//! - [`store`]: the rows, and all SQL; [`schema`]: the tables
//! - [`circuit`], [`backoff`]: when to try again
//! - `pipeline`: one attempt at one task; `requests`: what the texts of all attempts share
//! - `settlement`: what its outcome means, and the commit; [`attempt`]: all of that for one attempt, without the actors
//! - `tree`, `supervision`: the actors
//! - [`Runtime`]: all of it, to be started and stopped

// What `FromRow` derives names this crate from outside, and from inside too.
extern crate self as afterword_actors;

pub mod attempt;
pub mod backoff;
pub mod circuit;
mod context;
pub mod embedder;
mod event;
mod hostname;
mod inline;
pub mod outcome;
mod panics;
mod pipeline;
mod requests;
mod runtime;
pub mod schema;
mod sets;
mod settings;
mod settlement;
pub mod store;
mod supervision;
pub mod task;
mod tree;

pub use event::TaskEvent;
pub use hostname::hostname;
pub use inline::embed_now;
pub use runtime::{DrainReport, Runtime, RuntimeHandle, StartError};
pub use sets::{Offer, OtherModels};
pub use settings::{Delays, RestartSettings, Retention, RuntimeSettings};
#[doc(hidden)]
pub use supervision::Victim;
pub use supervision::{ActorState, ActorStatus, HostReport, RuntimeStatus, Trouble};
pub use tree::metrics::{Distribution, MetricsSnapshot, WorkerMetrics};
