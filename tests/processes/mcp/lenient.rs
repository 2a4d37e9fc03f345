//! What clients send for arguments: what is plain is understood, and what is not is refused by name.

use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, Era, host},
    support::{SqliteTestHost as TestHost, TOKIO, article},
};

/// A call of each tool that could be carried out.
fn calls() -> Vec<(&'static str, Value)> {
    vec![
        ("create_article", json!({ "title": "New", "body": "x" })),
        ("update_article", json!({ "slug": "there", "body": "x" })),
        ("read_article", json!({ "slug": "there" })),
        ("list_articles", json!({})),
        ("list_folders", json!({})),
        ("search_articles", json!({ "query": "x" })),
        ("related_articles", json!({ "slug": "there" })),
        ("get_embedding_queue_status", json!({})),
        ("get_article_embedding_status", json!({ "slug": "there" })),
        ("get_bulk_embedding_progress", json!({})),
        ("start_bulk_embedding", json!({})),
        ("retry_failed_embeddings", json!({})),
        ("delete_article", json!({ "slug": "there" })),
        ("edit_article", json!({ "slug": "there", "edits": [{ "action": "append", "text": "x" }] })),
        ("read_articles", json!({ "folder": "sea" })),
        ("article_context", json!({ "slug": "there" })),
        ("article_history", json!({ "slug": "there" })),
        ("rename_article", json!({ "slug": "there", "to": "elsewhere" })),
        ("restore_article", json!({ "slug": "there" })),
    ]
}

/// The tool's answer to these arguments.
async fn said(agent: &Agent, tool: &str, arguments: &Value) -> String {
    let result =
        agent.call(tool, arguments.clone()).await.unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"));
    let text = result.content.first().and_then(|content| content.as_text()).map(|text| text.text.clone());
    assert!(text.as_ref().is_none_or(|text| !text.contains("deserialize")), "{tool} {arguments}: {text:?}");
    text.unwrap_or_default()
}

/// Values that mean something for an argument of this schema, and one that does not.
fn plain(schema: &Value) -> (Vec<Value>, Value) {
    match (schema["type"].as_str(), schema["enum"].as_array()) {
        (Some("integer"), _) => (vec![json!(1), json!("1"), json!(1.0), json!(" 1 "), json!("1.0")], json!("many")),
        (Some("boolean"), _) => {
            (vec![json!(true), json!("true"), json!("False"), json!(0), json!("1")], json!("maybe"))
        }
        (Some("array"), _) if schema["items"]["type"] == "object" => {
            let one = json!({ "action": "append", "text": "x" });
            (vec![json!([one]), one.clone(), json!(json!([one]).to_string())], json!("append"))
        }
        (Some("array"), _) => (vec![json!(["there"]), json!("there"), json!("there, here")], json!(5)),
        (Some("object"), _) => (vec![json!({ "a": 1 }), json!("{\"a\": 1}")], json!([1])),
        (_, Some(choices)) => {
            let first = choices[0].as_str().expect("a name");
            (vec![json!(first), json!(first.to_uppercase()), json!(format!(" {first} "))], json!("none of them"))
        }
        _ => (vec![json!("there"), json!(5), json!(5.5), json!(true)], json!(["a", "list"])),
    }
}

#[test]
fn every_argument_of_every_tool_is_understood_or_refused_by_its_name() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let host = host(&world);
        host.articles.create(article("there", "x")).await.expect("a save");
        let agent = Agent::beside(host, Era::Handshake).await;
        for tool in agent.peer().list_all_tools().await.expect("tools") {
            let (_, call) = calls().into_iter().find(|(name, _)| *name == tool.name).expect("a call");
            let schema = Value::Object(tool.input_schema.as_ref().clone());
            let required: Vec<_> = schema["required"].as_array().cloned().unwrap_or_default();
            let with = |name: &str, value: Value| {
                let mut call = call.clone();
                call[name] = value;
                call
            };
            for (name, argument) in schema["properties"].as_object().cloned().unwrap_or_default() {
                let (plain, senseless) = plain(&argument);
                for value in plain {
                    let said = said(&agent, &tool.name, &with(&name, value.clone())).await;
                    assert!(!said.starts_with(&format!("{name}: is {value}")), "{} {name} {value}: {said}", tool.name);
                    assert!(!said.contains("must be a text") && !said.contains("must be true"), "{said}");
                }
                let refused = said(&agent, &tool.name, &with(&name, senseless)).await;
                assert!(refused.starts_with(&format!("{name}: ")), "{} {name}: {refused}", tool.name);
                assert!(refused.contains("must be"), "it says what is allowed: {refused}");
                for nothing in [Value::Null, json!("")] {
                    let said = said(&agent, &tool.name, &with(&name, nothing.clone())).await;
                    // The only question of a search may be left out, but not here, where there is no other.
                    if required.contains(&json!(name)) || (tool.name == "search_articles" && name == "query") {
                        assert!(nothing == "" || said.starts_with(&format!("{name}: is missing")), "{said}");
                    } else {
                        assert!(!said.starts_with(&format!("{name}: ")), "{} {name} {nothing}: {said}", tool.name);
                    }
                }
            }
            for name in &required {
                let mut call = call.clone();
                call.as_object_mut().expect("an object").remove(name.as_str().expect("a name"));
                let refused = said(&agent, &tool.name, &call).await;
                assert!(refused.starts_with(&format!("{}: is missing", name.as_str().expect("a name"))), "{refused}");
            }
            let extra = said(&agent, &tool.name, &with("nonsense", json!("x"))).await;
            let takes_none = schema["properties"].as_object().is_none_or(serde_json::Map::is_empty);
            assert_eq!(extra.starts_with("nonsense: is not an argument"), !takes_none, "{}: {extra}", tool.name);
        }
        agent.leave().await;
    });
}

#[test]
fn an_empty_text_leaves_an_article_as_it_is_but_an_empty_body_empties_it() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let host = host(&world);
        let agent = Agent::beside(host, Era::Discover).await;
        let created = json!({ "title": "Tides", "body": "The moon.", "folder": "sea", "slug": "" });
        assert_eq!(agent.answer("create_article", created).await["slug"], "tides");
        let same = json!({ "slug": "tides", "title": "", "folder": "", "priority": "", "expected_revision": "1" });
        let same = agent.answer("update_article", same).await;
        assert_eq!((&same["changed"], &same["folder"]), (&json!(false), &json!("sea")));
        let empty = agent.answer("update_article", json!({ "slug": "tides", "body": "" })).await;
        assert_eq!((&empty["characters"], &empty["revision"]), (&json!(0), &json!(2)));
        let root = agent.answer("update_article", json!({ "slug": "tides", "folder": "/" })).await;
        assert_eq!(root["folder"], "");
        agent.leave().await;
    });
}

#[test]
fn names_and_sections_are_found_as_they_were_seen() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        let body = "# Sea\n\n## Tides\n\nThe moon.\n\n# Land\n\n## Tides\n\nNone here.\n";
        agent.answer("create_article", json!({ "title": "Night Trains", "body": body })).await;
        for same in ["Night-Trains", " NIGHT-TRAINS "] {
            let read = agent.text("read_article", json!({ "slug": same })).await;
            assert!(read.contains("The moon."), "no slug has capitals: {same}: {read}");
            let changed = agent.answer("update_article", json!({ "slug": same, "title": "Night Trains" })).await;
            assert_eq!(changed["slug"], "night-trains");
        }
        for meant in ["Night Trains", "night-train"] {
            let refusal = agent.refusal("read_article", json!({ "slug": meant })).await;
            assert!(refusal.contains("did you mean \"night-trains\""), "{meant}: {refusal}");
        }
        let found = agent.answer("search_articles", json!({ "query": "none here", "mode": "keyword" })).await;
        let path = found["hits"][0]["heading_path"].as_str().expect("a path").to_owned();
        assert_eq!(path, "Land > Tides");
        for section in [path.as_str(), "land > tides", "Land>Tides"] {
            let read = agent.text("read_article", json!({ "slug": "night-trains", "section": section })).await;
            assert!(read.contains("None here.") && !read.contains("The moon."), "{section}: {read}");
        }
        let read = agent.text("read_article", json!({ "slug": "night-trains", "section": "Tides" })).await;
        assert!(read.contains("The moon."), "the first of that name: {read}");
        let nowhere = agent.refusal("search_articles", json!({ "query": "moon", "folder": "nope" })).await;
        assert!(nowhere.starts_with("folder: ") && nowhere.contains("\"nope\""), "{nowhere}");
        let long = agent.refusal("read_article", json!({ "slug": "x".repeat(100_000) })).await;
        assert!(long.contains("there is no article") && long.len() < 4_000, "{long}");
        agent.leave().await;
    });
}
