//! An agent that speaks MCP, in either era of the protocol, to a host with a scripted provider.

use std::{collections::HashMap, sync::Arc, time::Duration};

use afterword::{
    config::Settings,
    embedding::Backends,
    host::{Host, RunningHost},
};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient,
    model::{
        CallToolRequestParams, CallToolResult, ProgressNotificationParam, ProtocolVersion,
        ResourceUpdatedNotificationParam,
    },
    service::{NotificationContext, Peer, RunningService, ServiceError},
    transport::IntoTransport,
};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::{TestDatabase, TestHost};

/// A test that waits for something is stuck if nothing happens for this long.
const STUCK: Duration = Duration::from_secs(60);

/// How a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2025-11-25: with a handshake.
    Handshake,
    /// 2026-07-28: without.
    Discover,
}

pub(crate) const ERAS: [Era; 2] = [Era::Handshake, Era::Discover];

impl Era {
    fn lifecycle(self) -> ClientLifecycleMode {
        match self {
            Self::Handshake => ClientLifecycleMode::Initialize,
            Self::Discover => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        }
    }
}

/// Notifications to an agent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AgentNotice {
    Updated(String),
    ListChanged,
    Progress { done: f64, of: Option<f64> },
}

struct NoticeHandler(mpsc::UnboundedSender<AgentNotice>);

impl ClientHandler for NoticeHandler {
    async fn on_resource_updated(&self, told: ResourceUpdatedNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.0.send(AgentNotice::Updated(told.uri));
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        let _ = self.0.send(AgentNotice::ListChanged);
    }

    async fn on_progress(&self, told: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.0.send(AgentNotice::Progress { done: told.progress, of: told.total });
    }
}

/// An agent with a session.
pub(crate) struct Agent {
    session: RunningService<RoleClient, NoticeHandler>,
    told: mpsc::UnboundedReceiver<AgentNotice>,
    answers: HashMap<String, jsonschema::Validator>,
}

impl Agent {
    /// Begins a session over `transport`.
    pub(crate) async fn over<T, E, A>(transport: T, era: Era) -> Self
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let (ears, told) = mpsc::unbounded_channel();
        let session = NoticeHandler(ears).serve_with_lifecycle(transport, era.lifecycle()).await.expect("a session");
        let tools = session.list_all_tools().await.expect("tools");
        let answers = tools
            .into_iter()
            .filter_map(|tool| {
                let schema = Value::Object(tool.output_schema?.as_ref().clone());
                Some((tool.name.into_owned(), jsonschema::validator_for(&schema).expect("a schema")))
            })
            .collect();
        Self { session, told, answers }
    }

    /// Begins a session with `host` in this process.
    pub(crate) async fn beside(host: Host, era: Era) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move { afterword::mcp::serve(host, theirs, CancellationToken::new()).await });
        Self::over(ours, era).await
    }

    pub(crate) fn peer(&self) -> &Peer<RoleClient> {
        self.session.peer()
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.session.call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await
    }

    /// The answer of a tool: the same as structure and as text, within its schema and within 8 KB.
    pub(crate) async fn answer(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments.clone()).await.expect("a result");
        assert_ne!(result.is_error, Some(true), "{tool} {arguments}: {result:?}");
        let size = serde_json::to_string(&result).expect("JSON").len();
        assert!(size <= 8_192, "{tool} answers {size} bytes");
        let structured = result.structured_content.clone().expect("structure");
        let text: Value = serde_json::from_str(&text_of(&result)).expect("JSON as text");
        assert_eq!(text, structured, "both are complete");
        let errors: Vec<_> = self.answers[tool]
            .iter_errors(&structured)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{tool}: {errors:?}");
        structured
    }

    /// The answer of a tool that answers in text alone.
    pub(crate) async fn text(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await.expect("a result");
        assert_ne!(result.is_error, Some(true), "{result:?}");
        assert_eq!(result.structured_content, None);
        text_of(&result)
    }

    /// The refusal of a tool, which is text alone.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments.clone()).await.expect("a result");
        assert_eq!(result.is_error, Some(true), "{tool} {arguments} is not refused: {result:?}");
        assert_eq!(result.structured_content, None);
        text_of(&result)
    }

    /// The refusal of a request that is not a tool call.
    pub(crate) fn error<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> ErrorData {
        match result {
            Err(ServiceError::McpError(error)) => error,
            other => panic!("no refusal: {other:?}"),
        }
    }

    /// The next notification.
    pub(crate) async fn told(&mut self) -> AgentNotice {
        tokio::time::timeout(STUCK, self.told.recv()).await.expect("to be told something").expect("a session")
    }

    /// Asks until the article's embedding has this status.
    pub(crate) async fn until(&self, slug: &str, status: &str) -> Value {
        let waiting = async {
            loop {
                let answer = self.answer("get_article_embedding_status", serde_json::json!({ "slug": slug })).await;
                if answer["embedding"]["status"] == status {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(STUCK, waiting).await.expect("the status comes")
    }

    /// Ends the session.
    pub(crate) async fn leave(self) {
        self.session.cancel().await.expect("an end");
    }
}

fn text_of(result: &CallToolResult) -> String {
    let [content] = &result.content[..] else { panic!("one content: {result:?}") };
    content.as_text().expect("text").text.clone()
}

/// A host on a world's database, with the world's provider.
pub(crate) fn host<P: TestDatabase>(world: &TestHost<P>) -> Host {
    let mut settings = Settings::default();
    let quick = &world.settings;
    settings.queue.slots = quick.slots.into();
    settings.queue.poll_interval = quick.poll_interval;
    settings.queue.retry_base = quick.retry.base;
    settings.queue.retry_max = quick.retry.max;
    settings.queue.circuit_base = quick.circuit.base;
    settings.queue.circuit_max = quick.circuit.max;
    settings.queue.heartbeat_interval = quick.heartbeat_interval;
    settings.queue.sweep_interval = quick.sweep_interval;
    settings.queue.restart_intensity = quick.restart.intensity;
    let backends: Arc<Backends> = Backends::with(&settings.embedding, world.model());
    Host::on(world.database.clone(), backends, &settings)
}

/// The same, working.
pub(crate) async fn worker<P: TestDatabase>(world: &TestHost<P>) -> RunningHost {
    host(world).start().await.expect("a runtime")
}
