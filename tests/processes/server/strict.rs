//! Requests that are nearly right: refused with what is wrong, instead of done in another way.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::process::Server;

async fn told(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

async fn send(server: &Server, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let request = server.request(method, path);
    let request = body.iter().fold(request, |request, body| request.json(body));
    told(request.send().await.expect("an answer")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_a_route_does_not_have_are_refused_everywhere() {
    let server = Server::start(&[]);
    server.create("Note", "a").await;
    send(&server, Method::PATCH, "/api/articles/note", Some(json!({ "body": "b" }))).await;
    let patch = json!({ "body": "c" });
    let edits = json!({ "edits": [{ "action": "append", "text": "d" }] });
    for (method, path, body) in [
        (Method::DELETE, "/api/articles/note?expected_revision=1", None),
        (Method::PATCH, "/api/articles/note?expected_revision=1", Some(patch.clone())),
        (Method::PATCH, "/api/articles/note/body?merge=true", Some(edits)),
        (Method::POST, "/api/articles/note/rename?update_links=true", Some(json!({ "slug": "other" }))),
        (Method::POST, "/api/articles?folder=x", Some(json!({ "title": "T" }))),
        (Method::GET, "/api/articles/note?revision=1", None),
        (Method::GET, "/api/articles?limt=1", None),
        (Method::GET, "/api/search?q=x&fodler=y", None),
        (Method::GET, "/api/folders?of=tags", None),
        (Method::POST, "/api/queue/pause?x", None),
        (Method::GET, "/api/events?x=1", None),
    ] {
        let (status, refused) = send(&server, method, path, body).await;
        assert_eq!((status, &refused["code"]), (400, &json!("malformed")), "{path} {refused}");
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("unknown field")), "{path} {refused}");
    }
    let note = server.json("/api/articles/note").await;
    assert_eq!((&note["revision"], &note["body"]), (&json!(2), &json!("b")), "nothing was done");
    for path in [
        "/api/articles?limit=1&folder=",
        "/api/search?q=a&q=b&mode=keyword",
        "/api/articles/note?",
        "/api/articles?&limit=1",
    ] {
        assert_eq!(send(&server, Method::GET, path, None).await.0, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mistake_has_one_status_and_names_its_field() {
    let server = Server::start(&[]);
    for (query, field) in [
        ("/api/articles?limit=-1", "limit"),
        ("/api/articles?limit=0", "limit"),
        ("/api/articles?limit=x", "limit"),
        ("/api/articles?limit=99999999999999999999", "limit"),
        ("/api/search?q=x&explain=maybe", "explain"),
        ("/api/search?q=x&mode=magic", "mode"),
        ("/api/queue/tasks?status=odd", "status"),
    ] {
        let (status, refused) = send(&server, Method::GET, query, None).await;
        assert_eq!(
            (status, &refused["code"], &refused["field"]),
            (422, &json!("invalid"), &json!(field)),
            "{query} {refused}"
        );
    }
    for query in ["/api/search?q=%FF", "/api/articles?folder=%C3"] {
        let (status, refused) = send(&server, Method::GET, query, None).await;
        assert_eq!(status, 400, "{query} {refused}");
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("UTF-8")), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_of_its_list_alone() {
    let server = Server::start(&[]);
    for n in 0..6 {
        let new = json!({ "title": format!("N{n}"), "folder": if n % 2 == 0 { "a" } else { "b" }, "properties": { "tags": ["t"] } });
        send(&server, Method::POST, "/api/articles", Some(new)).await;
        send(&server, Method::POST, "/api/articles", Some(json!({ "title": format!("D{n}"), "folder": "a" }))).await;
        send(&server, Method::DELETE, &format!("/api/articles/d{n}"), None).await;
    }
    let cursor = async |path: &str| {
        let page = server.json(path).await;
        page["next_cursor"].as_str().unwrap_or_else(|| panic!("{path}: {page}")).to_owned()
    };
    let lists = [
        "/api/articles?limit=1",
        "/api/articles?limit=1&folder=a",
        "/api/articles?limit=1&filter=tag:t",
        "/api/articles?limit=1&since=7d&folder=b",
        "/api/deleted?limit=1",
        "/api/deleted?limit=1&folder=a",
    ];
    for of in lists {
        let cursor = cursor(of).await;
        for list in lists {
            let (status, answer) = send(&server, Method::GET, &format!("{list}&cursor={cursor}"), None).await;
            let expected = if of == list { 200 } else { 422 };
            assert_eq!(status, expected, "{of} {list} {answer}");
            assert!(of == list || answer["field"] == "cursor", "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_object_is_a_body_and_only_json_of_its_own_kind() {
    let server = Server::start(&[]);
    server.create("Note", "a").await;
    for (method, path, body) in [
        (Method::POST, "/api/articles", json!(["Title", "body"])),
        (Method::PUT, "/api/articles/note", json!(["Title", "body"])),
        (Method::PATCH, "/api/articles/note", json!([])),
        (Method::PATCH, "/api/articles/note", json!("x")),
        (Method::PATCH, "/api/articles/note/body", json!([[{ "action": "append", "text": "x" }]])),
        (Method::PATCH, "/api/articles/note/body", json!({ "edits": [["append", null, "x"]] })),
        (Method::POST, "/api/articles/note/rename", json!(["other", true])),
        (Method::POST, "/api/articles/note/restore", json!([1])),
        (Method::POST, "/api/queue/retry-failed", json!(["note"])),
        (Method::POST, "/api/bulk", json!(["all"])),
    ] {
        let (status, refused) = send(&server, method, path, Some(body.clone())).await;
        assert_eq!((status, &refused["code"]), (422, &json!("invalid")), "{path} {body} {refused}");
        let detail = refused["detail"].as_str().expect("words");
        assert!(detail.contains("JSON object") && !detail.contains("struct"), "{path} {body} {detail}");
    }
    for (kind, expected) in [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/merge-patch+json", 200),
        ("application/json-patch+json", 415),
        ("application/ld+json", 415),
        ("text/plain", 415),
    ] {
        let patch = server.request(Method::PATCH, "/api/articles/note").header("content-type", kind);
        let (status, answer) = told(patch.body("{\"body\": \"b\"}").send().await.expect("an answer")).await;
        assert_eq!(status, expected, "{kind} {answer}");
    }
    assert_eq!(server.json("/api/articles/note").await["revision"], 2);
}
