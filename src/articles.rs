//! The article service: saves that return at once, reading, past revisions, folders, links.
//!
//! It owns what an article is and every rule about its life. It never waits for an embedding: a save is one transaction
//! (article, words, task), an answer, and a hint to the runtime. It knows no door.

mod changed;
mod changes;
pub mod compared;
pub(crate) mod create;
mod cursor;
pub(crate) mod delete;
mod deleted;
pub(crate) mod edit;
pub mod editing;
mod error;
pub mod folder;
pub mod front_matter;
pub(crate) mod history;
mod known;
pub mod linking;
pub(crate) mod links;
mod list_query;
mod list_row;
mod listing;
pub(crate) mod names;
mod near;
pub mod properties;
pub(crate) mod reading;
pub(crate) mod request;
pub(crate) mod restore;
pub(crate) mod row;
mod save_result;
mod service;
pub mod slug;
mod subfolders;
pub mod tagged;
mod turns;
pub(crate) mod update;

pub use changes::{ArticleEvent, ChangeFeed, ChangeKind};
pub use edit::{EditResult, PartEdits};
pub use error::ArticleError;
pub use known::UnknownProperty;
pub(crate) use known::unknown_property;
pub use request::{ArticlePatch, Limits, NewArticle};
pub(crate) use row::FRONT_MATTER;
pub(crate) use row::{NotedSummary, VectorsNote, summaries};
pub use save_result::SaveResult;
pub use service::{AfterSave, Articles};

pub use crate::api::{
    Article, ArticleSummary, DeletedArticle, DeletedPage, EmbeddingState, EmbeddingStatus, FolderCount, Gone,
    OnConflict, Page, Revision,
};
