//! What the conformance suite wants to find on a server under test: tools, prompts and resources of its own, served by
//! the same stack as the product's.
#![expect(deprecated, reason = "the suite asks for what the older era had")]

#[path = "fixture/answers.rs"]
mod answers;
#[path = "fixture/prompts.rs"]
mod prompts;
#[path = "fixture/requests.rs"]
mod requests;
#[path = "fixture/tools.rs"]
mod tools;

use std::time::Duration;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, CompleteRequestParams,
        CompleteResult, CompletionInfo, GetPromptRequestParams, GetPromptResponse, GetPromptResult,
        InputRequiredResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
        LoggingLevel, LoggingMessageNotificationParam, PaginatedRequestParams, ProgressNotificationParam,
        ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ServerCapabilities,
        ServerConfig, ServerRequest, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
        UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use answers::{content, round, text};
use prompts::{prompt, prompts, resource};
use requests::{elicit, every_enum, first_defaults, input, sample};
use tools::tools;

/// The suite wants pauses between notifications.
const PAUSE: Duration = Duration::from_millis(50);

/// A list that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    Tools,
    Prompts,
}

/// The fixture's handler.
#[derive(Clone)]
pub(crate) struct Fixture {
    changes: broadcast::Sender<Changed>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self { changes: broadcast::Sender::new(16) }
    }
}

fn of<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

/// Asks a client of the older era for something, within the call.
async fn ask(context: &RequestContext<RoleServer>, request: Value) -> Result<Value, ErrorData> {
    let answer = context.peer.send_request(of::<ServerRequest>(request)?).await;
    let answer = answer.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    serde_json::to_value(answer).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

impl Fixture {
    /// Answers of tools that send to their client during the call.
    async fn during(
        &self,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, ErrorData> {
        let argument =
            |name: &str| request.arguments.as_ref().and_then(|all| all.get(name)?.as_str()).unwrap_or_default();
        let capabilities = context.client_capabilities().unwrap_or_default();
        Ok(match request.name.as_ref() {
            "test_tool_with_logging" | "test_logging_tool" => {
                let newer = context.protocol_version() >= Some(ProtocolVersion::V_2026_07_28);
                if !newer || context.meta.log_level().is_some() {
                    for line in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
                        let line = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(line));
                        let _ = context.peer.notify_logging_message(line).await;
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                text("logged")
            }
            "test_tool_with_progress" => {
                for done in [0.0, 50.0, 100.0] {
                    if let Some(token) = context.meta.get_progress_token() {
                        let progress = ProgressNotificationParam::new(token, done).with_total(100.0);
                        let _ = context.peer.notify_progress(progress).await;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                text("done")
            }
            "test_sampling" => {
                let answer = ask(context, sample(argument("prompt"))).await?;
                text(format!("LLM response: {}", answer["content"]["text"].as_str().unwrap_or_default()))
            }
            "test_elicitation" => {
                let properties = json!({ "username": { "type": "string" }, "email": { "type": "string" } });
                let answer = ask(context, elicit(argument("message"), properties)).await?;
                text(format!("User response: {answer}"))
            }
            "test_elicitation_sep1034_defaults" => {
                text(format!("Elicitation completed: {}", ask(context, elicit("Defaults", first_defaults())).await?))
            }
            "test_elicitation_sep1330_enums" => {
                text(format!("Elicitation completed: {}", ask(context, elicit("Enums", every_enum())).await?))
            }
            "test_missing_capability" if capabilities.sampling.is_none() => {
                let needed = ClientCapabilities::builder().enable_sampling().build();
                return Err(ErrorData::missing_required_client_capability(needed));
            }
            "test_missing_capability" => text("sampling is there"),
            "test_input_required_result_capabilities" => {
                let mut requests = json!({});
                if capabilities.sampling.is_some() {
                    requests["sampled"] = sample("Say something");
                }
                if capabilities.elicitation.is_some() {
                    requests["elicited"] = elicit("Say something", json!({ "it": { "type": "string" } }));
                }
                input(requests, None)
            }
            "test_trigger_tool_change" => self.change(Changed::Tools),
            "test_trigger_prompt_change" => self.change(Changed::Prompts),
            other => return Err(ErrorData::invalid_params(format!("unknown tool {other}"), None)),
        })
    }

    fn change(&self, what: Changed) -> Value {
        // Perhaps no client listens.
        let _ = self.changes.send(what);
        text("changed")
    }
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_logging()
            .enable_completions()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed()
            .build();
        ServerConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(of(Value::Array(tools()))?))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let tool = tools().into_iter().find(|tool| tool["name"] == name)?;
        serde_json::from_value(tool).ok()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let given = request.input_responses.clone().unwrap_or_default();
        let answer = match (content(&request.name), round(&request.name, &given, request.request_state.as_deref())?) {
            (Some(answer), _) | (None, Some(answer)) => answer,
            (None, None) => self.during(&request, &context).await?,
        };
        if answer["resultType"] == "input_required" {
            return Ok(of::<InputRequiredResult>(answer)?.into());
        }
        Ok(of::<CallToolResult>(answer)?.into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(of(prompts())?))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let answer = prompt(&request)?;
        if answer["resultType"] == "input_required" {
            return Ok(of::<InputRequiredResult>(answer)?.into());
        }
        Ok(of::<GetPromptResult>(answer)?.into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let all = ["test://static-text", "test://static-binary", "test://watched-resource"];
        let all = all.map(|uri| json!({ "uri": uri, "name": uri, "description": "A resource" }));
        Ok(ListResourcesResult::with_all_items(of(json!(all))?))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let one =
            json!({ "uriTemplate": "test://template/{id}/data", "name": "template", "description": "A template" });
        Ok(ListResourceTemplatesResult::with_all_items(of(json!([one]))?))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let found = resource(&request.uri)
            .ok_or_else(|| ErrorData::resource_not_found("not found", Some(json!({ "uri": request.uri }))))?;
        Ok(of::<ReadResourceResult>(json!({ "resultType": "complete", "contents": [found] }))?.into())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let values = CompletionInfo::with_all_values(vec!["paris".to_owned(), "park".to_owned()]);
        values.map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            let changed = tokio::select! {
                () = context.cancelled() => return Ok(()),
                changed = changes.recv() => changed,
            };
            // The sink refuses notifications that the client did not ask for.
            let _ = match changed {
                Ok(Changed::Tools) => context.sink().notify_tool_list_changed().await,
                Ok(Changed::Prompts) => context.sink().notify_prompt_list_changed().await,
                Err(_) => return Ok(()),
            };
        }
    }
}
