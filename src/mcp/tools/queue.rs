//! The state of the queue, the state of one article's embedding, and another attempt for what failed.

use rmcp::{
    RoleServer,
    handler::server::wrapper::{Json, Parameters},
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_router,
};
use serde::{Deserialize, Serialize};

use super::answers::{Embedding, MAX_REASON_CHARS};
use crate::{
    files::{left_copies, told_of},
    health::diagnosis,
    hosts,
    mcp::{budget, problem::Problem, schema, server::McpServer},
    queue::TaskDetail,
};

/// Most of what is said of copies. *Units:* characters.
const MAX_COPIES_CHARS: usize = 500;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// Tasks by status, articles by the state of their vectors.
#[derive(Debug, Serialize, JsonSchema)]
struct QueueStatus {
    pending: i64,
    processing: i64,
    completed: i64,
    failed: i64,
    cancelled: i64,
    /// part of pending: waits for its next attempt
    delayed: i64,
    paused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_due_ms: Option<i64>,
    articles: i64,
    embedded: i64,
    stale: i64,
    missing: i64,
    skipped: i64,
    completed_per_second: f64,
    /// of the last hour
    #[serde(skip_serializing_if = "Option::is_none")]
    success_rate: Option<f64>,
    /// processes that embed
    hosts: usize,
    /// why nothing is embedded
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// copies that conflicts left in synced folders
    #[serde(skip_serializing_if = "Option::is_none")]
    conflicts: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneArticle {
    slug: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ArticleStatus {
    slug: String,
    revision: i64,
    /// revision that meaning finds
    #[serde(skip_serializing_if = "Option::is_none")]
    embedded_revision: Option<i64>,
    embedding: Embedding,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskStatus>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TaskStatus {
    attempts: i32,
    max_attempts: i32,
    /// not claimed before
    scheduled_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_kind: Option<String>,
    explanation: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetryFailed {
    /// only this article
    slug: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Retried {
    /// tasks that are back in the queue
    retried: u64,
}

#[tool_router(router = queue_reading, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "State of the embedding queue: exact counts, coverage, rate, trouble.",
        input_schema = schema::input::<NoArguments>(),
        output_schema = schema::output::<QueueStatus>(),
        annotations(title = "Embedding queue status", read_only_hint = true, open_world_hint = false)
    )]
    async fn get_embedding_queue_status(
        &self,
        Parameters(NoArguments {}): Parameters<NoArguments>,
    ) -> Result<Json<QueueStatus>, Problem> {
        let numbers = self.host.queue.numbers().await?;
        let living = hosts::living(&self.host.database).await?;
        let copies = left_copies(&self.host.database).await?;
        let (queue, coverage) = (numbers.queue, numbers.coverage);
        Ok(Json(QueueStatus {
            pending: queue.pending,
            processing: queue.processing,
            completed: queue.completed,
            failed: queue.failed,
            cancelled: queue.cancelled,
            delayed: queue.delayed,
            paused: queue.paused,
            oldest_due_ms: queue.oldest_due_ms,
            articles: coverage.articles,
            embedded: coverage.embedded,
            stale: coverage.stale,
            missing: coverage.missing,
            skipped: coverage.skipped,
            completed_per_second: numbers.throughput_per_second.get("1m").copied().unwrap_or_default(),
            success_rate: numbers.success_rate,
            hosts: living.len(),
            trouble: diagnosis::of_hosts(&living)
                .into_iter()
                .find_map(|finding| finding.detail)
                .map(|trouble| budget::clip(&trouble, MAX_REASON_CHARS)),
            conflicts: told_of(&copies).map(|told| budget::clip(&told, MAX_COPIES_CHARS)),
        }))
    }

    #[tool(
        description = "State of one article's embedding, and why it waits or failed.",
        input_schema = schema::input::<OneArticle>(),
        output_schema = schema::output::<ArticleStatus>(),
        annotations(title = "Article embedding status", read_only_hint = true, open_world_hint = false)
    )]
    async fn get_article_embedding_status(
        &self,
        Parameters(OneArticle { slug }): Parameters<OneArticle>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<ArticleStatus>, Problem> {
        let _room = self.room(&context, &slug).await?;
        let article = self.found(&context, self.host.articles.read(&slug).await)?;
        let task = match article.embedding.task_id {
            Some(id) => Some(self.host.queue.task(id).await?.into()),
            None => None,
        };
        Ok(Json(ArticleStatus {
            slug: article.slug,
            revision: article.revision,
            embedded_revision: article.embedding.revision,
            embedding: article.embedding.into(),
            task,
        }))
    }
}

#[tool_router(router = queue_managing, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "Put failed embeddings back into the queue with fresh attempts.",
        input_schema = schema::input::<RetryFailed>(),
        output_schema = schema::output::<Retried>(),
        annotations(
            title = "Retry failed embeddings",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn retry_failed_embeddings(
        &self,
        Parameters(RetryFailed { slug }): Parameters<RetryFailed>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<Retried>, Problem> {
        let Some(slug) = slug else {
            return Ok(Json(Retried { retried: self.host.queue.retry_failed().await? }));
        };
        let _room = self.room(&context, &slug).await?;
        let embedding = self.found(&context, self.host.articles.read(&slug).await)?.embedding;
        Ok(Json(Retried { retried: self.host.queue.retry_failed_of(&embedding).await? }))
    }
}

impl From<TaskDetail> for TaskStatus {
    fn from(detail: TaskDetail) -> Self {
        let TaskDetail { task, explanation, events: _ } = detail;
        // An agent has a tool for it, and perhaps no command line.
        let command = format!("`afterword queue retry {}`", task.id);
        Self {
            attempts: task.attempts,
            max_attempts: task.max_attempts,
            scheduled_at: task.scheduled_at.to_string(),
            error_kind: task.error_kind,
            explanation: budget::clip(&explanation, MAX_REASON_CHARS).replace(&command, "retry_failed_embeddings"),
        }
    }
}
