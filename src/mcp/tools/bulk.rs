//! Embedding many articles at once, with progress.

use std::time::Duration;

use rmcp::{
    RoleServer,
    handler::server::wrapper::{Json, Parameters},
    model::ProgressNotificationParam,
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_router,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{answers::MAX_REASON_CHARS, folder};
use crate::{
    api::{Backlog, BulkRun, FailedArticle, Permission},
    mcp::{access::caller, budget, problem::Problem, schema, server::McpServer},
};

/// Longest wait of one call: clients and proxies give up after a minute. *Units:* seconds.
const LONGEST_WAIT: u32 = 50;
/// How often a run is looked at while a call waits.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// Most failures that are named.
const NAMED_FAILURES: usize = 5;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StartBulk {
    /// default needed: missing, stale and failed ones
    scope: Option<Backlog>,
    /// only this folder and below
    folder: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BulkProgress {
    /// default: the last run
    id: Option<i64>,
    /// wait this many seconds for its end, at most 50; reports progress
    wait_seconds: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Run {
    id: i64,
    scope: String,
    folder: String,
    /// queuing, running, completed or cancelled
    state: String,
    requested_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    duration_ms: i64,
    queued: i64,
    open: i64,
    succeeded: i64,
    failed: i64,
    cancelled: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_because: Option<String>,
    /// the first ones
    failures: Vec<Failure>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Failure {
    slug: String,
    error: String,
}

#[tool_router(router = bulk_managing, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "Start to embed many articles; get_bulk_embedding_progress tells how far it is.",
        input_schema = schema::input::<StartBulk>(),
        output_schema = schema::output::<Run>(),
        annotations(
            title = "Start bulk embedding",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn start_bulk_embedding(&self, Parameters(arguments): Parameters<StartBulk>) -> Result<Json<Run>, Problem> {
        let scope = arguments.scope.unwrap_or_default().into();
        let id = self.host.bulk.start(scope, &folder(arguments.folder.as_deref())?).await?;
        Ok(Json(self.host.bulk.run(id).await?.into()))
    }
}

#[tool_router(router = bulk_reading, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "State of a bulk run, or how it ended.",
        input_schema = schema::input::<BulkProgress>(),
        output_schema = schema::output::<Run>(),
        annotations(title = "Bulk embedding progress", read_only_hint = true, open_world_hint = false)
    )]
    async fn get_bulk_embedding_progress(
        &self,
        Parameters(arguments): Parameters<BulkProgress>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<Run>, Problem> {
        let scope = caller(&context).map_or(Permission::Admin, |caller| caller.scope);
        let bulk = self.host.bulk.seen_by(scope);
        let mut run = match arguments.id {
            Some(id) => bulk.run(id).await?,
            None => bulk.last().await?,
        };
        // The guards in front abort what takes longer than any answer may.
        let most = self.host.settings().server.request_timeout.as_secs() * 4 / 5;
        let most = u32::try_from(most).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        let wait = arguments.wait_seconds.unwrap_or_default().min(most);
        let until = Instant::now() + Duration::from_secs(u64::from(wait));
        let mut told = None;
        while wait > 0 && !run.has_ended() && Instant::now() < until {
            tell(&context, &run, &mut told).await;
            tokio::select! {
                () = tokio::time::sleep(CHECK_INTERVAL) => {}
                () = context.ct.cancelled() => break,
                () = self.alive.cancelled() => break,
            }
            run = bulk.run(run.summary.id).await?;
        }
        tell(&context, &run, &mut told).await;
        Ok(Json(run.into()))
    }
}

/// Tells the client the progress of a run, if it asked for that and there is any.
async fn tell(context: &RequestContext<RoleServer>, run: &BulkRun, told: &mut Option<i64>) {
    let Some(token) = context.meta.get_progress_token() else { return };
    let ended = run.queued - run.open;
    if told.is_some_and(|told| ended <= told) {
        return;
    }
    *told = Some(ended);
    let message = format!("{ended} of {} articles, {} failed", run.queued, run.failed);
    let progress = ProgressNotificationParam::new(token, ended as f64).with_total(run.queued as f64);
    if let Err(error) = context.peer.notify_progress(progress.with_message(message)).await {
        tracing::debug!(%error, "progress was not told");
    }
}

impl From<BulkRun> for Run {
    fn from(run: BulkRun) -> Self {
        Self {
            id: run.summary.id,
            scope: run.summary.scope,
            folder: run.summary.folder,
            state: run.summary.state,
            requested_at: run.summary.requested_at.to_string(),
            finished_at: run.summary.finished_at.map(|at| at.to_string()),
            duration_ms: run.duration_ms,
            queued: run.queued,
            open: run.open,
            succeeded: run.succeeded,
            failed: run.failed,
            cancelled: run.cancelled,
            skipped: run.skipped,
            remaining_ms: run.remaining_ms,
            waits_because: run.waits_because.map(|reason| budget::clip(&reason, MAX_REASON_CHARS)),
            failures: run.failures.into_iter().take(NAMED_FAILURES).map(Failure::from).collect(),
        }
    }
}

impl From<FailedArticle> for Failure {
    fn from(failed: FailedArticle) -> Self {
        let error = failed.error_message.unwrap_or_else(|| "no reason recorded".to_owned());
        Self { slug: failed.slug, error: budget::clip(&error, MAX_REASON_CHARS) }
    }
}
