//! The end of a server, graceful or not.

use serde_json::json;

use crate::support::process::{Server, serve};

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

/// Starts a server that cannot open its database yet, and tells it to stop as soon as it says that it waits.
fn is_stopped_while_it_waits(folder: &std::path::Path, database: &str) {
    use std::io::BufRead;
    let url = format!("database.url={database}");
    let mut child = serve(folder, &[&url, "database.busy_timeout=10m"]).spawn().expect("a process");
    let mut log = std::io::BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let waits = log.find(|line| line.contains("waiting for the database"));
    assert!(waits.is_some(), "it says that it waits");
    let told = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(told.expect("kill").success());
    // A server that goes on waiting does so for ten minutes.
    assert_eq!(child.wait().expect("an end").code(), Some(0), "{:?}", log.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_waits_for_its_database_can_be_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    // A port where nothing listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port");
    is_stopped_while_it_waits(folder.path(), &format!("postgres://me@{free}/none"));
    let url = format!("sqlite://{}", folder.path().join("server.db").display());
    let database = afterword_actors::store::Connection::open(&format!("{url}?mode=rwc")).await.expect("a database");
    database.script("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE").await.expect("a lock");
    is_stopped_while_it_waits(folder.path(), &url);
}

/// The environment's own answer to a closed terminal is not this test's matter.
#[cfg(target_os = "linux")]
fn with_hangup(answer: &str, folder: &std::path::Path) -> std::process::Command {
    let own = serve(folder, &["embedding.scripted.latency=1h", "queue.drain_timeout=100ms"]);
    let mut command = std::process::Command::new("env");
    command.arg(answer).arg(own.get_program()).args(own.get_args()).current_dir(folder);
    for (name, value) in own.get_envs() {
        command.env(name, value.expect("a value"));
    }
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    command
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_stops_a_server_as_gently_as_a_signal_unless_it_is_to_be_ignored() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::started(with_hangup("--default-signal=HUP", folder.path()), folder);
    server.create("Long", "takes an hour").await;
    server.until_embedding("long", "processing").await;
    server.signal("HUP");
    let (status, folder) = server.ended();
    assert_eq!(status.code(), Some(0));
    let server = Server::started(with_hangup("--ignore-signal=HUP", folder.path()), folder);
    let told: serde_json::Value = serde_json::from_str(&server.command(&["queue", "events", "--json"])).expect("JSON");
    let events = told["events"].as_array().expect("events");
    assert!(events.iter().any(|event| event["event"] == "released"), "given back, and no attempt is spent: {told}");
    server.signal("HUP");
    assert!(server.get("/health").await.status().is_success(), "as under nohup");
    server.signal("TERM");
    assert_eq!(server.ended().0.code(), Some(0));
}
