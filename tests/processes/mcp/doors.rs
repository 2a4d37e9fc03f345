//! The same over HTTP and on the command line: parts, tags, properties and links.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{support::TOKIO, support::process::Server as Program};

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
