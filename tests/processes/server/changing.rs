//! Changes of the model beside a running server.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::support::process::{STUCK, Server, program};

/// Waits until `/ready` says this of the model.
async fn until_the_model_is(server: &Server, is_so: impl Fn(&Value) -> bool) -> Value {
    let waiting = async {
        loop {
            let model = server.json("/ready").await["parts"]["model"].clone();
            if is_so(&model) {
                return model;
            }
        }
    };
    tokio::time::timeout(STUCK, waiting).await.expect("a server that notices")
}

/// Begins a change to a model whose provider is away, and ends the process that would make it.
fn begin_and_leave(server: &Server) {
    let mut command = program(server.folder());
    command.args(["model", "switch", "--set", "embedding.provider=openai", "--set", "embedding.model=away"]);
    command.args(["--set", "embedding.openai.base_url=http://127.0.0.1:9/v1"]);
    let mut change = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a process");
    let mut said = BufReader::new(change.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(said.any(|line| line.contains("waiting: ")), "it makes the vectors itself, as no running host would");
    change.kill().expect("an end");
    change.wait().expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_no_running_host_makes_is_refused_or_told_by_every_door() {
    let server = Server::start(&["health.interval=50ms", "queue.heartbeat_interval=50ms"]);
    server.create("Bees", "They dance.").await;
    server.until_embedding("bees", "completed").await;
    let reported = async { while server.json("/api/status").await["tree"].is_null() {} };
    tokio::time::timeout(STUCK, reported).await.expect("a report");

    let mut detached = program(server.folder());
    let refused = detached.args(["model", "switch", "--detach", "--set", "embedding.model=another"]).output();
    let refused = refused.expect("a program that runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("no running host has the settings of another"), "{said}");
    assert!(
        server.command(&["model", "status"]).lines().all(|line| !line.contains("being built")),
        "nothing has begun"
    );

    begin_and_leave(&server);
    let stands_still = |told: &Value| told["detail"].as_str().is_some_and(|told| told.contains("away stands still"));
    let model = until_the_model_is(&server, stands_still).await;
    assert_eq!(model["state"], "degraded");
    let status: Value = serde_json::from_str(&server.command(&["model", "status", "--json"])).expect("JSON");
    assert!(status["building"]["waits_because"].as_str().is_some_and(|why| why.contains("stands still")), "{status}");
    assert!(server.command(&["model", "status"]).contains("stands still"));
    assert!(server.command(&["doctor"]).contains("stands still"));
    server.command(&["model", "cancel"]);
    until_the_model_is(&server, |told| told["state"] == "ready").await;

    let begun = server.command(&["model", "switch", "--set", "embedding.model=another", "--json"]);
    let begun: Value = serde_json::from_str(&begun).expect("JSON");
    assert_eq!(begun["in_use"]["model"], "another", "made by the command itself");
}
