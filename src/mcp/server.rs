//! One session of a client: what it is told at the start, and where each of its requests goes.

use std::{
    collections::BTreeSet,
    panic::AssertUnwindSafe,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use afterword_actors::store::acting_as;
use futures_util::FutureExt;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    handler::server::tool::ToolCallContext,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, Implementation, JsonObject,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, SubscribeRequestParams,
        SubscriptionFilter, Tool, UnsubscribeRequestParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    access::{Tools, who},
    arguments,
    calls::Calls,
    changes::ResourceNotifier,
    client_gone::ClientGone,
    idle_timer::IdleTimer,
    problem::Problem,
};
use crate::{auth::Permission, host::Host, printable};

/// The instructions that a client gets before it asks anything.
const INSTRUCTIONS: &str = "\
Afterword keeps markdown articles and finds them by words and by meaning. Search with search_articles before you write.
Read what you need: read_article has section and offset; read_articles reads several; article_context shows links.
create_article never overwrites. Change a part with edit_article, and the whole with update_article; send the revision \
you read as expected_revision. A conflict shows what others changed; merge: true (edit_article) joins both where it can.
Several edits in one call are one revision, or none. edit_article answers with the changed lines, other saves with the \
new revision; article_history with since_revision shows what changed since.
Tags and properties are front matter: set them with properties, filter lists with tag:x, status:y, updated:<7d; \
list_folders with of shows which there are.
Link articles by [[slug]]; rename_article keeps old names working, and update_links changes the links too.
A save returns at once and its embedding is made in the background: until embedding.status is completed, searches find \
the article by its words (after an update also by its older meaning). A failed embedding never loses an article.
Nothing is lost: article_history lists revisions, restore_article brings one back, also of deleted articles.
Long answers come in parts and say how to go on: pass next_cursor as cursor, or offset to read_article.";

/// Longest name of a caller or an article in the log. *Units:* characters.
const LONGEST_NAME: usize = 100;

/// All tools; they are the same for every session.
static TOOLS: LazyLock<Tools<McpServer>> = LazyLock::new(|| {
    let reading = McpServer::articles_reading()
        + McpServer::around_reading()
        + McpServer::existing_reading()
        + McpServer::naming_reading()
        + McpServer::search_reading()
        + McpServer::queue_reading()
        + McpServer::bulk_reading();
    let writing = McpServer::articles_writing() + McpServer::naming_writing();
    let managing = McpServer::queue_managing() + McpServer::bulk_managing();
    Tools::new([(Permission::Read, reading), (Permission::Write, writing), (Permission::Admin, managing)])
});

/// How a client is connected.
#[derive(Clone, Copy)]
pub(super) enum Transport {
    /// It started this process, or is it: it may do everything, and its session ends with the pipe.
    Pipe,
    /// Each request names its caller, and a session ends when it was idle for too long.
    Http {
        /// How long; see [`IdleTimer`].
        idle: Duration,
    },
}

/// The handler of one session, or of one request where the protocol has no sessions.
pub struct McpServer {
    pub(super) host: Host,
    pub(super) changes: ResourceNotifier,
    calls: Calls,
    pub(super) way: Transport,
    pub(super) idle_timer: Arc<IdleTimer>,
    /// The resources that an older client subscribes to.
    pub(super) subscribed: Arc<Mutex<BTreeSet<String>>>,
    /// Whether it is told of changes already; a client may say more than once that it has begun.
    is_followed: AtomicBool,
    /// Cancelled when the client is gone, at the latest with the session.
    pub(super) alive: CancellationToken,
    _ends: DropGuard,
}

impl McpServer {
    pub(super) fn new(
        host: Host,
        changes: ResourceNotifier,
        calls: Calls,
        way: Transport,
        alive: CancellationToken,
    ) -> Self {
        let ends = alive.clone().drop_guard();
        let idle_timer = Arc::new(IdleTimer::start());
        let is_followed = AtomicBool::new(false);
        Self { host, changes, calls, way, idle_timer, subscribed: Arc::default(), is_followed, alive, _ends: ends }
    }

    /// Answers what is not a tool call and changes nothing, when it is its client's turn and as long as that waits.
    async fn question<T>(
        &self,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T, ErrorData>>,
    ) -> Result<T, ErrorData> {
        self.must(context, Permission::Read)?;
        let who = who(context);
        let work = async {
            let turn = self.calls.turn(&who).await;
            let _turn = turn.map_err(|problem| ErrorData::invalid_request(problem.into_text(), None))?;
            catch_panics(work).await
        };
        tokio::select! {
            answer = work => answer,
            () = wait_until_abandoned(context) => Err(nobody_waits()),
        }
    }

    /// Does what a call asks for.
    async fn carry_out(
        &self,
        mut request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = TOOLS.router.get(&request.name) else {
            let name = printable::line(&request.name, LONGEST_NAME);
            let all: Vec<_> = TOOLS.router.list_all().into_iter().map(|tool| tool.name).collect();
            let reason = format!("there is no tool \"{name}\"; there are {}", all.join(", "));
            return Err(ErrorData::invalid_params(reason, None));
        };
        let needed = TOOLS.required_permission(&tool.name);
        if !self.may(&context, needed) {
            return Ok(Problem::not_allowed(needed).into());
        }
        let arguments = match arguments::understood(tool, request.arguments.take(), self.large(&context)) {
            Ok(arguments) => arguments,
            Err(problem) => return Ok(problem.into()),
        };
        let caller = printable::line(&self.caller(&context), LONGEST_NAME);
        let told = (needed > Permission::Read).then(|| ToolLogEntry::of(tool, &arguments, caller.clone()));
        request.arguments = Some(arguments);
        let answer = acting_as(caller, TOOLS.router.call(ToolCallContext::new(self, request, context))).await;
        if let (Some(told), Ok(CallToolResponse::Complete(answer))) = (told, &answer) {
            told.after(answer.is_error == Some(true));
        }
        answer
    }
}

/// What the log tells of a tool that changes something: the caller, the tool and the article.
struct ToolLogEntry {
    tool: String,
    caller: String,
    article: String,
}

impl ToolLogEntry {
    fn of(tool: &Tool, arguments: &JsonObject, caller: String) -> Self {
        let article = ["slug", "title"].iter().find_map(|name| arguments.get(*name)?.as_str());
        let article = printable::line(article.unwrap_or_default(), LONGEST_NAME);
        Self { tool: tool.name.to_string(), caller, article }
    }

    fn after(self, was_refused: bool) {
        let Self { tool, caller, article } = self;
        if was_refused {
            tracing::debug!(caller, tool, article, "refused");
        } else {
            tracing::info!(caller, tool, article, "done");
        }
    }
}

/// Returns when nobody waits for the answer any more: the client cancelled its request, or hung up and did not come
/// back, or its session has ended.
fn wait_until_abandoned(context: &RequestContext<RoleServer>) -> impl Future<Output = ()> + Send + use<> {
    let (cancelled, line) = (context.ct.clone(), context.extensions.get::<ClientGone>().cloned());
    async move {
        let gone = async {
            match &line {
                Some(line) => line.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cancelled.cancelled() => {}
            () = gone => {}
        }
    }
}

fn nobody_waits() -> ErrorData {
    ErrorData::internal_error("the call was given up: nobody waits for its answer", None)
}

/// Answers also if `work` panics: the client of a session would wait for ever.
async fn catch_panics<T>(work: impl Future<Output = Result<T, ErrorData>>) -> Result<T, ErrorData> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        let reason = "the server failed, and its log says why; read the article again before you repeat a save";
        Err(ErrorData::internal_error(reason, None))
    })
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_completions()
            .build();
        let ours = Implementation::new("afterword", env!("CARGO_PKG_VERSION")).with_title("Afterword");
        ServerConfig::new(capabilities).with_server_info(ours).with_instructions(INSTRUCTIONS)
    }

    async fn ping(&self, _context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.idle_timer.reset();
        Ok(())
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.idle_timer.reset();
        Ok(ListToolsResult::with_all_items(TOOLS.router.list_all()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        TOOLS.router.get(name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.idle_timer.reset();
        let (who, left) = (who(&context), wait_until_abandoned(&context));
        tokio::pin!(left);
        let _turn = tokio::select! {
            turn = self.calls.turn(&who) => match turn {
                Ok(turn) => turn,
                Err(problem) => return Ok(problem.into()),
            },
            () = &mut left => return Err(nobody_waits()),
        };
        // A change that was begun is carried out.
        let is_question = TOOLS.required_permission(&request.name) == Permission::Read;
        let answer = catch_panics(self.carry_out(request, context));
        tokio::select! {
            answer = answer => answer,
            () = &mut left, if is_question => Err(nobody_waits()),
        }
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.question(&context, self.resources(page.and_then(|page| page.cursor))).await
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(Self::resource_templates())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        Ok(self.question(&context, self.resource(&request.uri)).await?.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.question(&context, self.completion(request)).await
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.must(&context, Permission::Read)?;
        self.want(request.uri)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.want_no_longer(&request.uri);
        Ok(())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if !self.is_followed.swap(true, Ordering::SeqCst) {
            self.follow(context.peer);
        }
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(Self::acceptable(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.must(context.request_context(), Permission::Read)?;
        self.tell(&context).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered() {
        let broken = catch_panics(async { if true { panic!("a fault") } else { Ok(()) } }).await;
        assert_eq!(broken.expect_err("an error").code, rmcp::model::ErrorCode::INTERNAL_ERROR);
        assert_eq!(catch_panics(async { Ok(1) }).await.expect("an answer"), 1);
    }
}
