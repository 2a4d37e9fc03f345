//! One session of a client: what it is told at the start, and where each of its requests goes.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use afterword_actors::store::acting_as;
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

use super::{access::Tools, arguments, changes::Changes, idle_timer::IdleTimer, problem::Problem};
use crate::{auth::Permission, host::Host, printable};

/// The instructions that a client gets before it asks anything.
const INSTRUCTIONS: &str = "\
Afterword keeps markdown articles and finds them by words and by meaning. Search with search_articles before you write.
Read what you need: read_article has section and offset; read_articles reads several; article_context shows links.
create_article never overwrites. Change a part with edit_article, and the whole with update_article; send the revision \
you read as expected_revision. A conflict shows what others changed; merge: true joins both where it can.
Several edits in one call are one revision, or none. Answers show what changed and never repeat the text you sent.
Tags and properties are front matter: set them with properties, filter lists with tag:x, status:y, updated:<7d.
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
    pub(super) changes: Changes,
    pub(super) way: Transport,
    pub(super) idle_timer: Arc<IdleTimer>,
    /// The resources that an older client subscribes to.
    pub(super) subscribed: Arc<Mutex<BTreeSet<String>>>,
    /// Cancelled when the client is gone, at the latest with the session.
    pub(super) alive: CancellationToken,
    _ends: DropGuard,
}

impl McpServer {
    pub(super) fn new(host: Host, changes: Changes, way: Transport, alive: CancellationToken) -> Self {
        let ends = alive.clone().drop_guard();
        let idle_timer = Arc::new(IdleTimer::start());
        Self { host, changes, way, idle_timer, subscribed: Arc::default(), alive, _ends: ends }
    }
}

/// What the log tells of a tool that changes something: the caller, the tool and the article.
struct Told {
    tool: String,
    caller: String,
    article: String,
}

impl Told {
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
        mut request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.idle_timer.reset();
        let Some(tool) = TOOLS.router.get(&request.name) else {
            return TOOLS.router.call(ToolCallContext::new(self, request, context)).await;
        };
        let needed = TOOLS.needed(&tool.name);
        if !self.may(&context, needed) {
            return Ok(Problem::not_allowed(needed).into());
        }
        let arguments = match arguments::understood(tool, request.arguments.take(), self.large(&context)) {
            Ok(arguments) => arguments,
            Err(problem) => return Ok(problem.into()),
        };
        let caller = printable::line(&self.caller(&context), LONGEST_NAME);
        let told = (needed > Permission::Read).then(|| Told::of(tool, &arguments, caller.clone()));
        request.arguments = Some(arguments);
        let answer = acting_as(caller, TOOLS.router.call(ToolCallContext::new(self, request, context))).await;
        if let (Some(told), Ok(CallToolResponse::Complete(answer))) = (told, &answer) {
            told.after(answer.is_error == Some(true));
        }
        answer
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.must(&context, Permission::Read)?;
        self.resources(page.and_then(|page| page.cursor)).await
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
        self.must(&context, Permission::Read)?;
        Ok(self.resource(&request.uri).await?.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.must(&context, Permission::Read)?;
        self.completion(request).await
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
        self.follow(context.peer);
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(Self::acceptable(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.must(context.request_context(), Permission::Read)?;
        self.tell(&context).await
    }
}
