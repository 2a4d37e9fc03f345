//! What requests over REST say besides their values: preconditions, empty and unknown bodies, forms of bodies, limits.

use std::io::{Read, Write};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{server::life::refusal, support::process::Server};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_not_overwritten_and_what_is_known_is_not_sent_again() {
    let server = Server::start(&[]);
    server.create("Note", "text").await;
    let article = json!({ "title": "Other", "body": "b" });
    for (method, path, body) in [
        (Method::PUT, "/api/articles/note", article.clone()),
        (Method::PATCH, "/api/articles/note", article),
        (Method::PATCH, "/api/articles/note/body", json!({ "edits": [{ "action": "append", "text": "x" }] })),
        (Method::POST, "/api/articles/note/rename", json!({ "slug": "other" })),
        (Method::POST, "/api/articles/note/restore", json!({})),
        (Method::DELETE, "/api/articles/note", json!({})),
    ] {
        for tags in ["*", "\"1\"", "\"7\", W/\"1\""] {
            let request = server.request(method.clone(), path).header("if-none-match", tags).json(&body);
            let (status, problem) = refusal(request.send().await.expect("an answer")).await;
            let expected = (412, &json!("conflict"), &json!(1));
            assert_eq!((status, &problem["code"], &problem["present_revision"]), expected, "{method} {path} {tags}");
        }
    }
    assert_eq!(server.json("/api/articles/note").await["revision"], 1);
    let get = |method: Method, tags: &'static str| {
        server.request(method, "/api/articles/note").header("if-none-match", tags).send()
    };
    for method in [Method::GET, Method::HEAD] {
        for tags in ["\"1\"", "W/\"1\"", "\"2\", \"1\"", "*"] {
            let unchanged = get(method.clone(), tags).await.expect("an answer");
            assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED, "{method} {tags}");
            assert_eq!(unchanged.headers()["etag"], "\"1\"");
            assert_eq!(unchanged.text().await.expect("text"), "");
        }
        assert_eq!(get(method, "\"2\"").await.expect("an answer").status(), StatusCode::OK);
    }
    let put = server.request(Method::PUT, "/api/articles/note").header("if-none-match", "\"7\"");
    let put = put.json(&json!({ "title": "Other", "body": "b" })).send().await.expect("an answer");
    assert_eq!(put.status(), StatusCode::OK, "it is at another revision");
    let create = server.request(Method::POST, "/api/articles").header("if-none-match", "*");
    let create = create.json(&json!({ "title": "New" })).send().await.expect("an answer");
    assert_eq!(create.status(), StatusCode::CREATED);
    let absent = server.request(Method::PUT, "/api/articles/absent").header("if-none-match", "*");
    assert_eq!(
        refusal(absent.json(&json!({ "title": "A", "body": "" })).send().await.expect("an answer")).await.0,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failed_article_is_tried_again_and_unknown_fields_are_refused() {
    let server = Server::start(&["embedding.scripted.fail_containing=poison", "queue.max_attempts=1"]);
    for title in ["One", "Two"] {
        server.create(title, "poison").await;
    }
    server.create("Three", "text").await;
    for (slug, status) in [("one", "failed"), ("two", "failed"), ("three", "completed")] {
        server.until_embedding(slug, status).await;
    }
    server.post("/api/queue/pause", &json!({})).await;
    let retry = async |body: Value| server.post("/api/queue/retry-failed", &body).await;
    assert_eq!(retry(json!({ "slug": "three" })).await.json::<Value>().await.expect("JSON")["retried"], 0);
    assert_eq!(refusal(retry(json!({ "slug": "nope" })).await).await.0, 404);
    assert_eq!(refusal(retry(json!({ "bogus": 1 })).await).await.0, 422);
    assert_eq!(retry(json!({ "slug": "one" })).await.json::<Value>().await.expect("JSON")["retried"], 1);
    let all = server.request(Method::POST, "/api/queue/retry-failed").send().await.expect("an answer");
    assert_eq!(all.json::<Value>().await.expect("JSON")["retried"], 1, "the other one, and without a body");
    for path in ["/api/queue/pause", "/api/queue/resume", "/api/queue/tasks/1/retry", "/api/queue/tasks/1/cancel"] {
        assert_eq!(refusal(server.post(path, &json!({ "bogus": 1 })).await).await.0, 422, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_in_another_form_are_refused_as_that() {
    let server = Server::start(&[]);
    for path in ["/api/articles", "/api/bulk", "/mcp"] {
        let request = server.request(Method::POST, path).header("accept", "application/json, text/event-stream");
        let refused = request.header("content-encoding", "gzip").json(&json!({ "title": "T" })).send().await;
        assert_eq!(refused.expect("an answer").status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
    }
    let request = |kind: &'static str| {
        server.request(Method::POST, "/api/articles").header("content-type", kind).body("{\"title\":\"T\"}").send()
    };
    assert_eq!(refusal(request("application/json; charset=utf-16").await.expect("an answer")).await.0, 415);
    assert_eq!(request("application/json; charset=\"UTF-8\"").await.expect("an answer").status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_before_sending_too_much_is_refused_at_once() {
    let server = Server::start(&[]);
    let mut connection = std::net::TcpStream::connect(server.address()).expect("a connection");
    let head = format!(
        "POST /api/articles HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n\
         content-length: 999999999\r\n\r\n",
        server.address()
    );
    connection.write_all(head.as_bytes()).expect("sent");
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_values_are_refused_in_plain_words() {
    let server = Server::start(&[]);
    server.create("Note", "text").await;
    for (path, said) in [
        ("/api/search?q=x&limit=0", "limit: must be from 1 to 100"),
        ("/api/search?q=x&passages=99", "passages: must be from 1 to 10"),
        ("/api/articles/note/related?limit=0", "limit: must be from 1 to 100"),
        ("/api/search?q=x&limit=-1", "limit: must be a whole number from 0"),
        ("/api/articles?limit=1&limit=2", "the query: duplicate field \"limit\""),
        ("/api/deleted?cursor=x", "cursor: "),
        ("/api/articles/note/versions?limit=0", "limit: must be"),
        ("/api/queue/tasks/x", "the address: "),
    ] {
        let (_, problem) = refusal(server.get(path).await).await;
        let detail = problem["detail"].as_str().expect("a reason");
        assert!(detail.starts_with(said) && !detail.contains('`'), "{path}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_articles_and_versions_come_in_pages() {
    let server = Server::start(&[]);
    for n in 0..5 {
        server.create(&format!("T{n}"), "x").await;
        server.request(Method::DELETE, &format!("/api/articles/t{n}")).send().await.expect("an answer");
    }
    server.create("Often", "0").await;
    for n in 1..5 {
        let change = server.request(Method::PATCH, "/api/articles/often").json(&json!({ "body": n.to_string() }));
        change.send().await.expect("an answer");
    }
    for (path, list) in [("/api/deleted", "articles"), ("/api/articles/often/versions", "versions")] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = server.json(&format!("{path}?limit=2{cursor}")).await;
            assert_eq!(page["total"], 5, "{path}");
            found.extend(
                page[list]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|one| one["slug"].to_string() + &one["revision"].to_string()),
            );
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        found.dedup();
        assert_eq!(found.len(), 5, "{path}: {found:?}");
    }
    assert_eq!(server.json("/api/articles/often/versions").await["versions"].as_array().map(Vec::len), Some(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_create_whose_article_was_deleted_says_so() {
    let server = Server::start(&[]);
    let create = || {
        let request = server.request(Method::POST, "/api/articles").header("idempotency-key", "k");
        request.json(&json!({ "title": "Once" })).send()
    };
    assert_eq!(create().await.expect("an answer").status(), 201);
    server.request(Method::DELETE, "/api/articles/once").send().await.expect("an answer");
    let (status, problem) = refusal(create().await.expect("an answer")).await;
    assert_eq!((status, &problem["code"]), (409, &json!("deleted")));
}
