//! The list of tools as clients and models read it, and what tools refuse.

use std::collections::BTreeMap;

use afterword::embedding::scripted::Rule;
use afterword_actors::embedder::EmbedError;
use rmcp::model::{ProtocolVersion, Tool};
use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, AgentNotice, ERAS, Era, host, worker},
    support::{SqliteTestHost as TestHost, TOKIO},
};

/// Name, whether it only reads, whether it may destroy, whether a repeated call does nothing more.
const TOOLS: [(&str, bool, bool, bool); 19] = [
    ("article_context", true, false, false),
    ("article_history", true, false, false),
    ("create_article", false, false, true),
    ("delete_article", false, true, true),
    ("edit_article", false, true, false),
    ("get_article_embedding_status", true, false, false),
    ("get_bulk_embedding_progress", true, false, false),
    ("get_embedding_queue_status", true, false, false),
    ("list_articles", true, false, false),
    ("list_folders", true, false, false),
    ("read_article", true, false, false),
    ("read_articles", true, false, false),
    ("related_articles", true, false, false),
    ("rename_article", false, false, true),
    ("restore_article", false, true, false),
    ("retry_failed_embeddings", false, false, false),
    ("search_articles", true, false, false),
    ("start_bulk_embedding", false, false, false),
    ("update_article", false, true, true),
];
/// Tools that answer in text alone, which is markdown.
const TEXTS: [&str; 3] = ["article_context", "read_article", "read_articles"];

async fn tools(era: Era) -> Vec<Tool> {
    let world = TestHost::new().await;
    let agent = Agent::beside(host(&world), era).await;
    let tools = agent.peer().list_all_tools().await.expect("tools");
    agent.leave().await;
    tools
}

#[test]
fn the_server_says_who_it_is_and_speaks_both_eras() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Handshake).await;
        let info = agent.peer().peer_info().expect("an introduction");
        assert_eq!(info.protocol_version, ProtocolVersion::V_2025_11_25);
        let us = info.server_info.clone().expect("a name");
        assert_eq!((us.name.as_str(), us.version.as_str()), ("afterword", env!("CARGO_PKG_VERSION")));
        assert!(info.instructions.as_ref().is_some_and(|text| text.contains("expected_revision")));
        agent.leave().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        let info = agent.peer().peer_info().expect("an introduction");
        assert_eq!(info.server_info.clone().expect("a name").name, "afterword");
        agent.leave().await;
    });
}

/// What clients have read once and agents have learnt. Review a difference, and accept it with `INSTA_UPDATE=always`.
#[test]
fn the_tools_are_described_as_before() {
    let mut tools = TOKIO.block_on(tools(Era::Discover));
    tools.sort_by(|one, other| one.name.cmp(&other.name));
    insta::assert_snapshot!(serde_json::to_string_pretty(&tools).expect("JSON"));
}

#[test]
fn the_tools_are_those_that_were_promised_and_say_truly_what_they_do() {
    TOKIO.block_on(async {
        for era in ERAS {
            let tools: BTreeMap<_, _> =
                tools(era).await.into_iter().map(|tool| (tool.name.to_string(), tool)).collect();
            assert_eq!(tools.keys().map(String::as_str).collect::<Vec<_>>(), TOOLS.map(|tool| tool.0));
            for (name, reads, destroys, idempotent) in TOOLS {
                let tool = &tools[name];
                let hints = tool.annotations.as_ref().expect("annotations");
                assert_eq!(hints.read_only_hint, Some(reads), "{name}");
                assert_eq!(hints.open_world_hint, Some(false), "{name}");
                assert!(hints.title.is_some() && tool.description.is_some(), "{name}");
                if !reads {
                    assert_eq!(
                        (hints.destructive_hint, hints.idempotent_hint),
                        (Some(destroys), Some(idempotent)),
                        "{name}"
                    );
                }
                assert_eq!(tool.output_schema.is_none(), TEXTS.contains(&name), "{name}");
            }
        }
    });
}

#[test]
fn the_list_of_tools_costs_less_than_four_thousand_tokens() {
    TOKIO.block_on(async {
        let list = serde_json::to_string(&tools(Era::Handshake).await).expect("JSON");
        let tokens = list.len() / 4;
        println!("{} bytes, about {tokens} tokens", list.len());
        assert!(tokens < 4_000, "{} bytes, about {tokens} tokens", list.len());
    });
}

/// Every schema within a schema, itself included.
fn walk<'a>(schema: &'a Value, all: &mut Vec<&'a Value>) {
    match schema {
        Value::Object(keys) => {
            all.push(schema);
            keys.values().for_each(|value| walk(value, all));
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, all)),
        _ => {}
    }
}

#[test]
fn every_argument_has_one_plain_type() {
    TOKIO.block_on(async {
        for tool in tools(Era::Handshake).await {
            let input = Value::Object(tool.input_schema.as_ref().clone());
            assert_eq!(input["additionalProperties"], false, "{}: a misspelt argument is refused", tool.name);
            let properties = input["properties"].as_object().cloned().unwrap_or_default();
            for (name, argument) in &properties {
                // A list of edits is one argument; within it all is plain again.
                let of_list = argument["items"]["properties"].as_object().into_iter().flatten();
                let plain = of_list.chain([(name, argument)].into_iter().filter(|_| argument["type"] != "array"));
                let plain = plain.filter(|(name, _)| name.as_str() != "properties");
                for (name, argument) in plain {
                    let kind = argument["type"].as_str();
                    assert!(matches!(kind, Some("string" | "integer" | "boolean")), "{} {name}: {argument}", tool.name);
                }
            }
            let output = tool.output_schema.map(|schema| Value::Object(schema.as_ref().clone())).unwrap_or_default();
            let mut all = Vec::new();
            walk(&input, &mut all);
            walk(&output, &mut all);
            for schema in all {
                for forbidden in ["$ref", "$defs", "format", "anyOf", "oneOf", "$schema"] {
                    let is_property = properties.contains_key(forbidden);
                    assert!(is_property || schema.get(forbidden).is_none(), "{}: {forbidden}: {schema}", tool.name);
                }
                assert!(!schema["type"].is_array(), "{}: {schema}", tool.name);
            }
        }
    });
}

#[test]
fn refusals_say_what_to_do_next() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        agent.answer("create_article", json!({ "title": "Tides", "body": "The moon." })).await;
        for (tool, arguments, parts) in [
            ("create_article", json!({ "title": "Tides", "body": "Other." }), &["exists", "update_article"][..]),
            ("create_article", json!({ "title": " ", "body": "x" }), &["title"]),
            ("create_article", json!({ "title": "X", "body": "x", "slug": "Not A Slug" }), &["slug", "not-a-slug"]),
            ("create_article", json!({ "title": "X", "body": "x", "folder": "../up" }), &["folder"]),
            ("create_article", json!({ "body": "x" }), &["title"]),
            ("create_article", json!({ "title": "X", "body": "x", "tags": "y" }), &["tags"]),
            ("read_article", json!({ "slug": "tidse" }), &["did you mean \"tides\""]),
            ("read_article", json!({ "slug": "zzz" }), &["search_articles"]),
            ("read_article", json!({ "slug": "tides", "offset": 99 }), &["offset", "9 characters"]),
            ("read_article", json!({ "slug": "tides", "section": "Moon" }), &["section", "no headings"]),
            ("update_article", json!({ "slug": "tides", "body": "y", "expected_revision": 3 }), &["revision 1, not 3"]),
            ("delete_article", json!({ "slug": "tides", "expected_revision": 3 }), &["revision 1, not 3"]),
            ("search_articles", json!({ "query": " " }), &["query", "empty"]),
            ("search_articles", json!({ "query": "x", "limit": 0 }), &["limit"]),
            ("search_articles", json!({ "query": "x", "cursor": "%" }), &["cursor"]),
            ("search_articles", json!({ "query": "x", "mode": "magic" }), &["magic", "hybrid"]),
            ("list_articles", json!({ "cursor": "nonsense" }), &["cursor"]),
            ("list_folders", json!({ "cursor": "%" }), &["cursor"]),
            ("get_bulk_embedding_progress", json!({}), &["start_bulk_embedding"]),
            ("get_bulk_embedding_progress", json!({ "id": 9 }), &["no bulk run 9"]),
        ] {
            let refusal = agent.refusal(tool, arguments.clone()).await;
            for part in parts {
                assert!(refusal.contains(part), "{tool} {arguments}: {refusal:?} does not say {part:?}");
            }
        }
        let quoted = agent.refusal("read_article", json!({ "slug": "x".repeat(100_000) })).await;
        assert!(quoted.len() < 4_000, "{} bytes", quoted.len());
        let read = agent.text("read_article", json!({ "slug": "tides" })).await;
        assert!(read.contains("revision: 1") && read.ends_with("The moon."), "nothing was overwritten: {read}");
        agent.leave().await;
    });
}

#[test]
fn a_repeated_create_with_one_key_creates_one_article() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Handshake).await;
        let request = json!({ "title": "Once", "body": "text", "idempotency_key": "k-1" });
        let first = agent.answer("create_article", request.clone()).await;
        let again = agent.answer("create_article", request).await;
        assert_eq!((&first["changed"], &again["changed"]), (&json!(true), &json!(false)));
        assert_eq!(first["slug"], again["slug"]);
        let other = json!({ "title": "Twice", "body": "text", "idempotency_key": "k-1" });
        assert!(agent.refusal("create_article", other).await.contains("new key"));
        assert_eq!(agent.answer("list_articles", json!({})).await["total"], 1);
        agent.leave().await;
    });
}

#[test]
fn optional_arguments_may_be_null() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Handshake).await;
        let mut nulls = json!({ "title": "Nulls", "body": "text" });
        for optional in ["slug", "folder", "skip_embedding", "priority", "idempotency_key"] {
            nulls[optional] = Value::Null;
        }
        assert_eq!(agent.answer("create_article", nulls).await["slug"], "nulls");
        agent.leave().await;
    });
}

#[test]
fn what_failed_is_told_and_tried_again() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        world.embedder.fail(Rule::containing("poison", EmbedError::data("unreadable")).times(2));
        let worker = worker(&world).await;
        let agent = Agent::beside(worker.host.clone(), Era::Discover).await;
        for slug in ["one", "two"] {
            agent.answer("create_article", json!({ "title": slug, "body": "poison" })).await;
            let failed = agent.until(slug, "failed").await;
            assert!(
                failed["embedding"]["error"].as_str().is_some_and(|error| error.contains("unreadable")),
                "{failed}"
            );
            assert_eq!(failed["task"]["error_kind"], "data", "{failed}");
        }
        assert_eq!(agent.answer("get_embedding_queue_status", json!({})).await["failed"], 2);
        assert_eq!(agent.answer("retry_failed_embeddings", json!({ "slug": "one" })).await["retried"], 1);
        agent.until("one", "completed").await;
        assert_eq!(agent.answer("retry_failed_embeddings", json!({})).await["retried"], 1);
        agent.until("two", "completed").await;
        let status = agent.answer("get_embedding_queue_status", json!({})).await;
        assert_eq!((&status["failed"], &status["embedded"], &status["hosts"]), (&json!(0), &json!(2), &json!(1)));
        agent.leave().await;
        worker.stop().await;
    });
}

#[test]
fn a_bulk_run_tells_its_progress_and_its_summary() {
    TOKIO.block_on(async {
        for era in ERAS {
            let world = TestHost::new().await;
            let writer = Agent::beside(host(&world), era).await;
            for n in 0..5 {
                writer.answer("create_article", json!({ "title": format!("Article {n}"), "body": "text" })).await;
            }
            writer.leave().await;
            world.embedder.hold();
            let worker = worker(&world).await;
            let mut agent = Agent::beside(worker.host.clone(), era).await;
            let run = agent.answer("start_bulk_embedding", json!({ "scope": "all" })).await;
            let waiting = agent.answer("get_bulk_embedding_progress", json!({ "id": run["id"], "wait_seconds": 50 }));
            let releasing = async {
                world.embedder.release();
            };
            let (ended, ()) = tokio::join!(waiting, releasing);
            assert_eq!(
                (&ended["state"], &ended["succeeded"], &ended["failed"]),
                (&json!("completed"), &json!(5), &json!(0))
            );
            loop {
                let AgentNotice::Progress { done, of } = agent.told().await else { continue };
                if done == 5.0 && of == Some(5.0) {
                    break;
                }
            }
            agent.leave().await;
            worker.stop().await;
        }
    });
}
