//! The same over HTTP and on the command line: parts, tags, properties and links.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    mcp::http::transport,
    support::agent::{Agent, Era},
    support::{TOKIO, process::Server as Program},
};

async fn send(server: &Program, method: Method, path: &str, revision: Option<i64>, body: &Value) -> (u16, Value) {
    let request = server.request(method, path);
    let request = match revision {
        Some(revision) => request.header("if-match", format!("\"{revision}\"")),
        None => request,
    };
    let answer = if body.is_null() { request.send().await } else { request.json(body).send().await };
    let answer = answer.expect("an answer");
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[test]
fn parts_tags_and_links_are_at_hand_over_http_and_on_the_command_line() {
    TOKIO.block_on(async {
        let server = Program::start(&[]);
        let new = json!({ "title": "Tides", "body": "# A\n\na\n\n# B\n\nb\n", "properties": { "tags": ["sea"], "status": "draft" } });
        let (status, created) = send(&server, Method::POST, "/api/articles", None, &new).await;
        assert_eq!((status, &created["tags"], &created["properties"]["status"]), (201, &json!(["sea"]), &json!("draft")));

        let append = json!({ "edits": [{ "action": "append", "text": "[[harbour]] #coast" }] });
        let (status, edited) = send(&server, Method::PATCH, "/api/articles/tides/body", Some(1), &append).await;
        assert_eq!((status, &edited["revision"], edited.get("body")), (200, &json!(2), None), "{edited}");
        assert!(edited["changes"].as_str().is_some_and(|changes| changes.contains("+[[harbour]] #coast")), "{edited}");
        let (status, refused) = send(&server, Method::PATCH, "/api/articles/tides/body", Some(1), &append).await;
        assert_eq!((status, &refused["present_revision"]), (412, &json!(2)), "{refused}");
        assert!(refused["changed"].as_str().is_some_and(|changed| changed.contains("+[[harbour]]")), "{refused}");
        let merge = json!({ "on_conflict": "merge", "edits": [{ "action": "replace_section", "section": "A", "text": "aa" }] });
        let (status, merged) = send(&server, Method::PATCH, "/api/articles/tides/body", Some(1), &merge).await;
        assert_eq!((status, &merged["merged"]), (200, &json!(true)), "{merged}");
        let wrong = json!({ "edits": [{ "action": "delete_section", "section": "C" }] });
        let (status, refused) = send(&server, Method::PATCH, "/api/articles/tides/body", None, &wrong).await;
        assert_eq!((status, &refused["code"]), (422, &json!("no_section")), "{refused}");

        let listed = |path: &'static str| {
            let server = &server;
            async move { send(server, Method::GET, path, None, &Value::Null).await }
        };
        assert_eq!(listed("/api/articles?filter=tag:coast%20status:draft").await.1["total"], 1);
        let (status, refused) = listed("/api/articles?filter=coast").await;
        assert_eq!((status, &refused["field"]), (422, &json!("filter")));
        assert_eq!(listed("/api/tags").await.1["tags"], json!([{ "tag": "coast", "articles": 1 }, { "tag": "sea", "articles": 1 }]));
        assert_eq!(listed("/api/properties").await.1["keys"][0]["key"], "status");
        assert_eq!(listed("/api/properties?key=status").await.1["values"], json!([{ "value": "draft", "articles": 1 }]));
        assert_eq!(listed("/api/links/broken").await.1["links"][0]["target"], "harbour");
        // A change of properties alone leaves what is embedded as it is.
        server.until_embedding("tides", "completed").await;
        let (_, set) = send(&server, Method::PATCH, "/api/articles/tides", None, &json!({ "properties": { "status": null } })).await;
        assert_eq!((&set["properties"], &set["embedding"]["stale"]), (&json!({}), &json!(false)), "{set}");

        server.create("Harbour", "By the [[tides]].").await;
        let (_, links) = listed("/api/articles/harbour/links").await;
        assert_eq!((&links["links"][0]["slug"], &links["backlinks"][0]["slug"]), (&json!("tides"), &json!("tides")));
        let rename = json!({ "slug": "ebb", "update_links": true });
        let (_, renamed) = send(&server, Method::POST, "/api/articles/tides/rename", None, &rename).await;
        assert_eq!((&renamed["slug"], &renamed["mended"][0]["slug"]), (&json!("ebb"), &json!("harbour")));

        // The command line beside it.
        let edited = server.command(&["article", "edit", "ebb", "--insert-before", "B", "--text", "# New\n\nn"]);
        assert!(edited.contains("+# New") && edited.contains("edited ebb"), "{edited}");
        assert!(server.command(&["tags"]).contains("coast"));
        assert!(server.command(&["article", "list", "--tag", "coast", "--since", "1d"]).contains("ebb"));
        assert!(server.command(&["article", "update", "ebb", "--property", "tags=[x,y]", "--property", "n=4"]).contains("updated ebb"));
        assert!(server.command(&["properties", "n"]).contains('4'));
        assert!(server.command(&["links", "ebb"]).contains("linked from"));
        assert!(server.command(&["article", "show", "ebb"]).contains("coast, x, y"));
    });
}

#[test]
fn a_folder_or_a_property_that_no_article_has_is_refused_at_every_door() {
    TOKIO.block_on(async {
        let server = Program::start(&[]);
        let new =
            json!({ "title": "Tides", "body": "The moon.", "folder": "sea", "properties": { "status": "draft" } });
        send(&server, Method::POST, "/api/articles", None, &new).await;
        let gone = json!({ "title": "Gone", "body": "x", "folder": "inbox" });
        send(&server, Method::POST, "/api/articles", None, &gone).await;
        send(&server, Method::DELETE, "/api/articles/gone", None, &Value::Null).await;
        let agent = Agent::over(transport(&server.url("/mcp")), Era::Discover).await;
        for (field, value, said) in [
            ("folder", "see", "no article is in \"see\"; there are \"sea\""),
            ("filter", "folder:see", "no article is in \"see\"; there are \"sea\""),
            ("filter", "stauts:draft", "no article has the property \"stauts\"; some have status:"),
        ] {
            for path in ["/api/articles?", "/api/search?q=moon&mode=keyword&"] {
                let (status, refused) =
                    send(&server, Method::GET, &format!("{path}{field}={value}"), None, &Value::Null).await;
                assert_eq!((status, &refused["field"]), (422, &json!(field)), "{path} {refused}");
                assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains(said)), "{refused}");
            }
            for (tool, mut arguments) in [
                ("list_articles", json!({})),
                ("read_articles", json!({})),
                ("search_articles", json!({ "query": "moon", "mode": "keyword" })),
            ] {
                arguments[field] = value.into();
                let refused = agent.refusal(tool, arguments).await;
                assert!(refused.starts_with(field) && refused.contains(said), "{tool}: {refused}");
            }
            for command in [&["article", "list"][..], &["search", "moon", "--mode", "keyword"]] {
                let (code, refused) = server.refused(&[command, &[&format!("--{field}"), value]].concat());
                assert_eq!(code, Some(2), "{command:?} {refused}");
                assert!(refused.contains(said), "{command:?}: {refused}");
            }
        }
        // What can be there and is not, and what was there and can come back, is an empty list.
        for (folder, filter) in [
            ("", "status:done"),
            ("sea", "tag:none"),
            ("inbox", ""),
            ("", "-other:*"),
            ("", "-folder:see"),
            ("", "folder:inbox"),
            ("", "created:<1d -tag:x"),
        ] {
            let path =
                format!("/api/articles?folder={folder}&filter={}", filter.replace(' ', "%20").replace('<', "%3C"));
            let (status, page) = send(&server, Method::GET, &path, None, &Value::Null).await;
            assert_eq!(status, 200, "{path} {page}");
            let page = agent.answer("list_articles", json!({ "folder": folder, "filter": filter })).await;
            assert!(page["articles"].is_array(), "{page}");
        }
        agent.leave().await;
    });
}
