//! Access: by which token, under which host name, from which page.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use afterword_actors::store::sql::Sql;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    server::life::refusal,
    support::{
        open,
        process::{STUCK, Server, program},
    },
};

async fn status(server: &Server, method: Method, path: &str, token: Option<&str>) -> u16 {
    let request = server.request(method, path).json(&json!({ "title": "T", "slug": "t" }));
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_token_closes_the_door_and_scopes_open_parts_of_it() {
    let server = Server::start(&[]);
    assert_eq!(status(&server, Method::GET, "/api/articles", None).await, 200, "this machine alone, and no token");
    let read = server.command(&["token", "create", "reader", "--scope", "read"]);
    let write = server.command(&["token", "create", "writer"]);
    let admin = server.command(&["token", "create", "boss", "--scope", "admin"]);

    let refused = server.get("/api/articles").await;
    let challenge = refused.headers()["www-authenticate"].to_str().expect("text").to_owned();
    assert_eq!(refusal(refused).await.0, 401);
    let metadata = format!("resource_metadata=\"{}\"", server.url("/.well-known/oauth-protected-resource"));
    assert!(challenge.starts_with("Bearer ") && challenge.contains(&metadata), "{challenge}");
    let metadata = server.json("/.well-known/oauth-protected-resource").await;
    assert_eq!(metadata["scopes_supported"], json!(["read", "write", "admin"]));
    assert_eq!(metadata["resource"], server.url(""));

    for (method, path, needs) in [
        (Method::GET, "/api/articles", 0),
        (Method::GET, "/api/search?q=x", 0),
        (Method::GET, "/api/queue/stats", 0),
        (Method::GET, "/api/status", 0),
        (Method::GET, "/metrics", 0),
        (Method::POST, "/api/articles", 1),
        (Method::PUT, "/api/articles/none", 1),
        (Method::DELETE, "/api/articles/none", 1),
        (Method::GET, "/api/deleted", 1),
        (Method::GET, "/api/tags", 0),
        (Method::GET, "/api/properties", 0),
        (Method::GET, "/api/links/broken", 0),
        (Method::GET, "/api/articles/none/links", 0),
        (Method::POST, "/api/articles/none/restore", 1),
        (Method::POST, "/api/articles/none/rename", 1),
        (Method::PATCH, "/api/articles/none", 1),
        (Method::PATCH, "/api/articles/none/body", 1),
        (Method::POST, "/api/queue/pause", 2),
        (Method::POST, "/api/queue/retry-failed", 2),
        (Method::POST, "/api/bulk", 2),
        (Method::DELETE, "/api/bulk/1", 2),
    ] {
        for (has, token) in [None, Some(&read), Some(&write), Some(&admin)].into_iter().enumerate() {
            let found = status(&server, method.clone(), path, token.map(String::as_str)).await;
            let name = format!("{method} {path} with {token:?}");
            match has {
                0 => assert_eq!(found, 401, "{name}"),
                has if has > needs => assert!(!matches!(found, 401 | 403), "{name}: {found}"),
                _ => assert_eq!(found, 403, "{name}"),
            }
        }
    }
    for open in ["/health", "/ready", "/api/openapi.json", "/api/docs/"] {
        assert_eq!(status(&server, Method::GET, open, None).await, 200, "{open}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_a_deleted_article_is_for_those_who_may_restore_it() {
    let server = Server::start(&[]);
    let read = server.command(&["token", "create", "reader", "--scope", "read"]);
    let write = server.command(&["token", "create", "writer"]);
    assert_eq!(status(&server, Method::POST, "/api/articles", Some(&write)).await, 201);
    let past = ["/api/articles/t/versions", "/api/articles/t/versions/1", "/articles/t/history"];
    let seen = async |token: &String| {
        let mut seen = Vec::new();
        for path in past {
            seen.push(status(&server, Method::GET, path, Some(token)).await);
        }
        seen
    };
    assert_eq!((seen(&read).await, seen(&write).await), (vec![200; 3], vec![200; 3]));
    assert_eq!(status(&server, Method::DELETE, "/api/articles/t", Some(&write)).await, 200);
    assert_eq!((seen(&read).await, seen(&write).await), (vec![404; 3], vec![200; 3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_deleted_article_is_for_those_who_may_restore_it() {
    let server = Server::start(&["embedding.scripted.fail_containing=poison", "queue.max_attempts=1"]);
    let read = server.command(&["token", "create", "reader", "--scope", "read"]);
    let write = server.command(&["token", "create", "writer"]);
    let article = json!({ "title": "Secretgone", "body": "some poison" });
    let created = server.request(Method::POST, "/api/articles").bearer_auth(&write).json(&article).send().await;
    assert_eq!(created.expect("an answer").status(), 201);
    let told = async |token: &str, path: &str| {
        let request = server.request(Method::GET, path).bearer_auth(token).header("accept", "text/html, */*");
        let request = request.header("cookie", format!("afterword={token}"));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.expect("text")
    };
    let failed = async { while !told(&read, "/api/queue/tasks?status=failed").await.contains("secretgone") {} };
    tokio::time::timeout(STUCK, failed).await.expect("a failure");
    server.command(&["bulk", "start", "--failed", "--detach"]);
    let ended = async { while !told(&read, "/api/bulk/1").await.contains("\"failures\":[{") {} };
    tokio::time::timeout(STUCK, ended).await.expect("a run with a failure");
    let deleted = server.request(Method::DELETE, "/api/articles/secretgone").bearer_auth(&write).send().await;
    assert_eq!(deleted.expect("an answer").status(), 200);
    let listed = told(&write, "/api/queue/tasks").await;
    let tasks: Value = serde_json::from_str(&listed).expect("JSON");
    let one = tasks["tasks"][0]["id"].as_i64().expect("a task");
    for path in [
        "/api/queue/tasks",
        "/api/queue/tasks?status=failed",
        &format!("/api/queue/tasks/{one}"),
        "/api/bulk/1",
        "/api/status",
        "/metrics",
        "/runtime",
        "/runtime/trail",
        "/runtime/tasks",
        &format!("/runtime/tasks/{one}"),
        "/runtime/runs/1",
    ] {
        let seen = told(&read, path).await;
        assert!(!seen.to_lowercase().contains("secretgone"), "{path}: {seen}");
    }
    for path in ["/api/queue/tasks", "/api/bulk/1", "/runtime/trail", "/runtime/tasks", "/runtime/runs/1"] {
        assert!(told(&write, path).await.contains("secretgone"), "{path}: who may restore it");
    }
    let mut events = server
        .request(Method::GET, "/api/events")
        .bearer_auth(&read)
        .header("last-event-id", "0")
        .send()
        .await
        .expect("an answer");
    let mut seen = String::new();
    while !seen.contains("article deleted") {
        let piece = tokio::time::timeout(STUCK, events.chunk()).await.expect("in time").expect("no failure");
        seen.push_str(&String::from_utf8_lossy(&piece.expect("more")));
    }
    assert!(!seen.contains("secretgone"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_failed_in_a_run_is_named_until_it_is_deleted_and_not_until_its_task_is_cleaned_up() {
    let server = Server::start(&["embedding.scripted.fail_containing=poison", "queue.max_attempts=1"]);
    server.create("Stillthere", "some poison").await;
    server.command(&["bulk", "start", "--detach"]);
    let read = server.command(&["token", "create", "reader", "--scope", "read"]);
    let run = async || {
        let answer = server.request(Method::GET, "/api/bulk/1").bearer_auth(&read).send().await.expect("an answer");
        answer.text().await.expect("text")
    };
    let ended = async { while !run().await.contains("finished_at") {} };
    tokio::time::timeout(STUCK, ended).await.expect("an end");
    assert!(run().await.contains("stillthere"), "{}", run().await);
    let database = open(format!("sqlite://{}", server.folder().join("server.db").display())).await;
    database.write_connection().run("DELETE FROM embedding_tasks", []).await.expect("a clean-up");
    assert!(run().await.contains("stillthere"), "{}", run().await);
    database.write_connection().run("DELETE FROM articles", []).await.expect("a deletion");
    assert!(!run().await.contains("stillthere"), "{}", run().await);
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_troubles_a_server_is_told_to_those_it_knows() {
    let settings =
        ["embedding.provider=openai", "embedding.openai.base_url=http://127.0.0.1:9/v1", "health.interval=50ms"];
    let server = Server::start(&settings);
    server.create("Waiting", "for a provider that is away").await;
    let here = async { while !server.get("/ready").await.text().await.expect("text").contains("127.0.0.1:9") {} };
    tokio::time::timeout(STUCK, here).await.expect("told to this machine");
    let read = server.command(&["token", "create", "reader", "--scope", "read"]);
    let told = async |token: Option<&str>| {
        let request = server.request(Method::GET, "/ready").header("x-forwarded-for", "203.0.113.7");
        let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
        request.send().await.expect("an answer").text().await.expect("text")
    };
    for stranger in [None, Some("aw_1_wrong")] {
        let seen = told(stranger).await;
        assert!(seen.contains("\"provider\":{\"state\":\"degraded\"") && !seen.contains("127.0.0.1:9"), "{seen}");
    }
    assert!(told(Some(&read)).await.contains("127.0.0.1:9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tokens_there_are_is_for_those_who_manage_them() {
    let server = Server::start(&[]);
    let read = server.command(&["token", "create", "reader", "--scope", "read"]);
    let admin = server.command(&["token", "create", "boss", "--scope", "admin"]);
    let trail = async |token: &str| {
        let answer = server.request(Method::GET, "/runtime/trail").header("cookie", format!("afterword={token}"));
        answer.send().await.expect("an answer").text().await.expect("text")
    };
    assert!(trail(&admin).await.contains("boss"));
    let seen = trail(&read).await;
    assert!(seen.contains("Audit trail") && !seen.contains("boss"), "{seen}");
}

#[test]
fn a_reader_sends_no_form_and_a_stranger_only_a_small_one() {
    let server = Server::start(&[]);
    let read = server.command(&["token", "create", "reader", "--scope", "read"]);
    // What is announced is never sent in full: the server answers all the same.
    let answered = |path: &str, sent: usize| {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream.set_read_timeout(Some(STUCK)).expect("a time-out");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncookie: afterword={read}\r\ncontent-length: 80000000\r\n\
             content-type: application/x-www-form-urlencoded\r\n\r\n{}",
            server.address(),
            "x".repeat(sent)
        );
        stream.write_all(head.as_bytes()).expect("a request");
        let mut status = [0; 12];
        stream.read_exact(&mut status).expect("an answer");
        String::from_utf8_lossy(&status).into_owned()
    };
    assert_eq!(answered("/preview", 0), "HTTP/1.1 403");
    assert_eq!(answered("/login", 20 << 10), "HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_former_times_keeps_nobody_out_of_an_open_server() {
    let server = Server::start(&[]);
    let home = async |cookie: &str| {
        let request = server.request(Method::GET, "/").header("accept", "text/html");
        request.header("cookie", format!("afterword={cookie}")).send().await.expect("an answer")
    };
    assert_eq!(home("aw_1_of_another_server").await.status(), 200);
    server.command(&["token", "create", "boss", "--scope", "admin"]);
    let refused = home("aw_1_of_another_server").await;
    assert_eq!(refused.status(), 401);
    assert!(refused.headers()["set-cookie"].to_str().is_ok_and(|cookie| cookie.contains("Max-Age=0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_holds_until_it_is_revoked_or_runs_out_and_comes_by_header_alone() {
    let server = Server::start(&[]);
    let token = server.command(&["token", "create", "one"]);
    server.command(&["token", "create", "other"]);
    assert_eq!(status(&server, Method::GET, "/api/articles", Some(&token)).await, 200);
    for path in ["/api/articles?token=", "/api/articles?access_token="] {
        assert_eq!(status(&server, Method::GET, &format!("{path}{token}"), None).await, 401, "{path}");
    }
    let last = token.chars().last().expect("a character");
    let forged = format!("{}{}", &token[..token.len() - 1], if last == 'A' { 'B' } else { 'A' });
    for wrong in [forged.as_str(), "", "aw_1_", "aw_99_x", "nonsense", &token[..token.len() - 1]] {
        assert_eq!(status(&server, Method::GET, "/api/articles", Some(wrong)).await, 401, "{wrong:?}");
    }
    server.command(&["token", "revoke", "one"]);
    assert_eq!(status(&server, Method::GET, "/api/articles", Some(&token)).await, 401, "at once");
    let short = server.command(&["token", "create", "short", "--expires-in", "1s"]);
    let run_out = async { while status(&server, Method::GET, "/api/articles", Some(&short)).await != 401 {} };
    tokio::time::timeout(STUCK, run_out).await.expect("it runs out");

    let listed = server.command(&["token", "list", "--json"]);
    let secret = token.rsplit('_').next().expect("a secret");
    assert!(!listed.contains(secret), "a token is never shown again");
    let database = std::fs::read(std::path::Path::new(
        &server
            .command(&["config", "show"])
            .lines()
            .find_map(|line| {
                Some(line.split("sqlite://").nth(1)?.split_whitespace().next()?.trim_matches('"').to_owned())
            })
            .expect("a path"),
    ))
    .expect("a database");
    assert!(!database.windows(secret.len()).any(|window| window == secret.as_bytes()), "nor stored");
    let told: Value = serde_json::from_str(&server.command(&["queue", "events", "--json"])).expect("JSON");
    let entries = told["events"].as_array().expect("entries");
    for act in ["token created", "token revoked"] {
        assert!(entries.iter().any(|entry| entry["event"] == act), "{act} is in the audit trail");
    }
}

#[test]
fn beyond_this_machine_nobody_is_let_in_without_a_token() {
    let folder = tempfile::tempdir().expect("a folder");
    for (bind, public_url, named) in
        [("0.0.0.0:0", "", "0.0.0.0"), ("127.0.0.1:0", "https://notes.example.org", "notes.example.org")]
    {
        let public_url = format!("server.public_url={public_url}");
        let mut command = program(folder.path());
        let refused = command.args(["serve", "--bind", bind, "--set", &public_url]).output().expect("a program");
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{message}");
        assert!(message.contains("afterword token create") && message.contains(named), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_names_and_strange_pages_are_turned_away() {
    let settings = ["server.allowed_origins=https://app.example.org", "server.allowed_hosts=notes.example.org"];
    let server = Server::start(&settings);
    let with = |header: &'static str, value: &str| {
        let request = server.request(Method::GET, "/api/articles").header(header, value);
        request.send()
    };
    for (header, value, status) in [
        ("host", "rebound.example", 421),
        ("host", "127.0.0.1.rebound.example", 421),
        ("host", "notes.example.org", 200),
        ("host", "localhost:9", 200),
        ("origin", "https://rebound.example", 403),
        ("origin", "null", 403),
        ("origin", "https://app.example.org", 200),
        ("origin", &format!("http://{}", server.address()), 200),
    ] {
        let response = with(header, value).await.expect("an answer");
        assert_eq!(response.status(), status, "{header}: {value}");
        let lets = response.headers().get("access-control-allow-origin").map(|value| value.to_str().expect("text"));
        let expected = (value == "https://app.example.org").then_some(value);
        assert_eq!(lets, expected, "{header}: {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_a_hurry_is_told_when_to_come_back() {
    let server = Server::start(&["server.rate_limit=1", "server.rate_burst=3"]);
    let mut refused = None;
    for _ in 0..10 {
        let response = server.get("/api/articles").await;
        if response.status() == 429 {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("a limit");
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refusal(refused).await.1["code"], "rate_limited");
    assert_eq!(server.get("/health").await.status(), 200, "whoever watches is not counted");
}
