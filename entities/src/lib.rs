//! The rows of an Afterword database, and nothing else: no behaviour, no SQL, no defaults.
//!
//! Times are milliseconds since 1970-01-01T00:00Z. Rows never leave the program as they are: the host turns them into
//! its own answers.

pub mod api_token;
pub mod article;
pub mod article_chunk;
pub mod article_embedding;
pub mod article_version;
pub mod bulk_operation;
pub mod embedding_host;
pub mod embedding_metric;
pub mod embedding_model;
pub mod embedding_task;
pub mod embedding_task_event;
pub mod embedding_worker_status;
pub mod slug_alias;
