//! The JSON of the doors: one type for each thing, serialised and described once, for REST, the page and the command
//! line's `--json`. MCP takes its arguments from here; its answers are shorter, because an agent pays for each word.
//!
//! Services fill these in, and doors choose how they are sent. A name here is the name in every answer: a field that is
//! renamed keeps its former name beside it for one release. This module knows no service and no door.

mod article;
mod bulk;
mod counted_rows;
mod editing;
mod health;
mod hosts;
mod links;
mod models;
mod permission;
mod queue;
mod search;
mod tags;
mod timestamp;

pub(crate) use article::MAX_COUNTED;
pub use article::{
    Article, ArticleSummary, DeletedArticle, DeletedPage, EmbeddingState, EmbeddingStatus, FolderCount, Gone, Page,
    Revision,
};
pub use bulk::{Backlog, BulkRun, BulkRunSummary, FailedArticle};
pub use counted_rows::CountedRows;
pub(crate) use editing::EditAction;
pub use editing::{AskedEdit, ChangedChunks, EditAnswer, OnConflict};
pub use health::{Part, Report, State};
pub use hosts::{Actor, LivingHost, Worker};
pub use links::{Backlink, BrokenLink, Mended, OutgoingLink, Renamed, Unmended};
pub use models::{Build, Estimate, SetView, SetsStatus};
pub use permission::{Permission, UnknownPermission};
pub use queue::{
    Coverage, Event, Numbers, Priority, QueueNumbers, Task, TaskDetail, TaskPage, TaskStatus, WorkerNumbers,
};
pub use search::{Correction, Explanation, Hit, Mode, Passage, Reranked, SearchAnswer, TermShare, Weights};
pub use tags::{PropertyCount, TagCount, ValueCount};
pub use timestamp::Timestamp;

/// What is wrong with a cursor that no page ended with.
pub(crate) const NOT_A_CURSOR: &str = "is not one that this server gave out; begin without one";
