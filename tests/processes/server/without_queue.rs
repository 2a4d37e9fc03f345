//! With `queue.enabled = false` there is nobody who embeds later: whatever saves, embeds inside its save.

use reqwest::{Method, header};
use serde_json::{Value, json};

use super::limits::{begin, say};
use crate::support::process::Server;

/// No task is left to anybody, and the article has its vectors.
async fn is_embedded(server: &Server, slug: &str, door: &str) {
    let article = server.json(&format!("/api/articles/{slug}")).await;
    assert_eq!(article["embedding"]["status"], "completed", "over {door}: {}", article["embedding"]);
    let stats = server.json("/api/queue/stats").await;
    assert_eq!((&stats["queue"]["pending"], &stats["queue"]["processing"]), (&json!(0), &json!(0)), "{door}: {stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_of_a_server_embeds_inside_the_save() {
    let server = Server::start(&["queue.enabled=false"]);
    let created: Value = server.create("Rest", "text").await;
    assert_eq!(created["embedding"]["status"], "completed", "{created}");
    is_embedded(&server, "rest", "REST").await;
    let change = json!({ "edits": [{ "action": "append", "text": "more" }] });
    let edited = server.request(Method::PATCH, "/api/articles/rest/body").json(&change).send().await;
    assert_eq!(edited.expect("an answer").status(), 200);
    is_embedded(&server, "rest", "REST, an edit").await;

    let session = begin(&server, None).await;
    for (id, tool, arguments) in [
        (2, "create_article", json!({ "title": "Agent", "body": "text" })),
        (3, "update_article", json!({ "slug": "agent", "body": "another" })),
        (4, "rename_article", json!({ "slug": "agent", "to": "renamed" })),
        (5, "restore_article", json!({ "slug": "renamed", "revision": 1 })),
    ] {
        let params = json!({ "name": tool, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        let answer = say(&server, None, Some(&session), call.to_string()).await.text().await.expect("an answer");
        assert!(!answer.contains("\"isError\":true"), "{tool}: {answer}");
        let slug = if id < 4 { "agent" } else { "renamed" };
        is_embedded(&server, slug, tool).await;
    }

    let form = server.request(Method::POST, "/new").header("sec-fetch-site", "same-origin");
    let form = form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let saved = form.body("title=Page&body=text&folder=").send().await.expect("an answer");
    assert!(saved.status().is_success(), "{}: {:?}", saved.status(), saved.text().await);
    is_embedded(&server, "page", "the page").await;
}
