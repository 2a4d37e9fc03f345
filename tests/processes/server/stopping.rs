//! The end of a server, graceful or not.

use serde_json::json;

use crate::support::process::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_gives_back_what_it_holds() {
    let server =
        Server::start(&["embedding.scripted.latency=1h", "queue.drain_timeout=100ms", "queue.poll_interval=50ms"]);
    server.create("Long", "takes an hour").await;
    server.until_embedding("long", "processing").await;
    server.signal("TERM");
    let (status, folder) = server.ended();
    assert_eq!(status.code(), Some(0));

    let server = Server::start_in(folder, &[]);
    let article = server.until_embedding("long", "completed").await;
    assert_eq!(article["revision"], 1);
    let told: serde_json::Value = serde_json::from_str(&server.command(&["queue", "events", "--json"])).expect("JSON");
    let events = told["events"].as_array().expect("events");
    let released = events.iter().find(|event| event["event"] == "released").expect("given back");
    assert_eq!(released["attempt"], 0, "a shutdown burns no attempt");
    let completed = events.iter().find(|event| event["event"] == "completed").expect("completed");
    assert_eq!(completed["attempt"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_runs_is_finished_and_long_answers_end() {
    let server = Server::start(&["queue.enabled=false", "embedding.scripted.latency=500ms"]);
    let mut events = server.get("/api/events").await;
    let address = server.url("/api/articles");
    let saving = tokio::spawn(async move {
        let body = json!({ "title": "Late", "body": "embedded within the call" });
        reqwest::Client::new().post(address).json(&body).send().await
    });
    // The task exists once the save has begun.
    while events.chunk().await.expect("events").is_some_and(|chunk| !chunk.windows(5).any(|part| part == b"saved")) {}
    server.signal("TERM");
    let saved = saving.await.expect("a task").expect("an answer");
    assert_eq!(saved.status(), 201);
    while events.chunk().await.is_ok_and(|chunk| chunk.is_some()) {}
    assert_eq!(server.ended().0.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let server = Server::start(&["embedding.scripted.latency=1h", "queue.drain_timeout=1h"]);
    server.create("Long", "takes an hour").await;
    server.until_embedding("long", "processing").await;
    server.signal("TERM");
    server.until_logged("a second signal ends at once");
    server.signal("TERM");
    let (status, folder) = server.ended();
    assert_eq!(status.code(), Some(130));
    let server = Server::start_in(folder, &[]);
    server.until_embedding("long", "completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_one_database_and_one_dies() {
    let one = Server::start(&["embedding.scripted.latency=1h"]);
    one.create("Held", "by the one that dies").await;
    one.until_embedding("held", "processing").await;
    one.signal("KILL");
    let (_, folder) = one.ended();
    let other = Server::start_in(folder, &[]);
    other.until_embedding("held", "completed").await;
}
