//! The real program over standard input and output.

use std::process::Stdio;

use rmcp::transport::TokioChildProcess;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use crate::{
    mcp::visit::visit,
    support::TOKIO,
    support::agent::{Agent, ERAS, Era},
};

fn command(folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
    command
        .current_dir(folder)
        .env("AFTERWORD_DATABASE__URL", format!("sqlite://{}", folder.join("stdio.db").display()))
        .env("AFTERWORD_EMBEDDING__PROVIDER", "scripted")
        .env("AFTERWORD_EMBEDDING__SCRIPTED__LATENCY", "300ms")
        .arg("mcp")
        .kill_on_drop(true);
    command
}

async fn agent(folder: &std::path::Path, era: Era) -> Agent {
    Agent::over(TokioChildProcess::new(command(folder)).expect("a process"), era).await
}

#[test]
fn an_agent_visits_the_program_in_both_eras() {
    TOKIO.block_on(async {
        for era in ERAS {
            let folder = tempfile::tempdir().expect("a folder");
            let agent = agent(folder.path(), era).await;
            visit(&agent, || {}).await;
            agent.leave().await;
        }
    });
}

#[test]
fn an_article_as_large_as_the_settings_allow_comes_through() {
    TOKIO.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let agent = agent(folder.path(), Era::Discover).await;
        let body = "word ".repeat(4 << 20);
        let saved =
            agent.answer("create_article", json!({ "title": "Large", "body": body, "skip_embedding": true })).await;
        assert_eq!(saved["characters"], body.len());
        let read = agent.text("read_article", json!({ "slug": "large", "offset": body.len() - 10 })).await;
        assert!(read.ends_with("---\nword word "), "{read}");
        agent.leave().await;
    });
}

#[test]
fn two_programs_on_one_database_lose_no_save() {
    const EACH: usize = 20;
    TOKIO.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (agent(folder.path(), Era::Handshake).await, agent(folder.path(), Era::Discover).await);
        one.answer("create_article", json!({ "title": "Counter", "body": "0" })).await;
        let save = async |agent: &Agent, who: &str| {
            for n in 0..EACH {
                agent.answer("create_article", json!({ "title": format!("{who} {n}"), "body": "text" })).await;
                count_up(agent).await;
            }
        };
        tokio::join!(save(&one, "one"), save(&two, "two"));
        assert_eq!(one.answer("list_articles", json!({})).await["total"], 2 * EACH + 1);
        let counter = two.text("read_article", json!({ "slug": "counter" })).await;
        assert!(counter.ends_with(&format!("---\n{}", 2 * EACH)), "{counter}");
        one.leave().await;
        two.leave().await;
    });
}

/// Adds one to what an article says, as often as it takes.
async fn count_up(agent: &Agent) {
    loop {
        let read = agent.text("read_article", json!({ "slug": "counter" })).await;
        let value: usize = read.rsplit('\n').next().and_then(|n| n.parse().ok()).expect("a number");
        let revision = read.lines().find_map(|line| line.strip_prefix("revision: ")).expect("a revision");
        let revision: i64 = revision.parse().expect("a number");
        let edit = json!({ "slug": "counter", "body": (value + 1).to_string(), "expected_revision": revision });
        if agent.call("update_article", edit).await.expect("a result").is_error != Some(true) {
            return;
        }
    }
}

/// A process that is spoken to line by line.
struct Raw {
    child: Child,
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Raw {
    fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    async fn say(&mut self, message: Value) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(format!("{message}\n").as_bytes()).await.expect("room");
    }

    async fn say_bytes(&mut self, line: &[u8]) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(line).await.expect("room");
        stdin.write_all(b"\n").await.expect("room");
    }

    async fn hear(&mut self) -> Value {
        let line = self.lines.next_line().await.expect("text").expect("an answer");
        serde_json::from_str(&line).expect("JSON and nothing else on standard output")
    }

    /// The next refusal; notifications are skipped.
    async fn hear_error(&mut self) -> Value {
        loop {
            let heard = self.hear().await;
            if heard.get("error").is_some() {
                return heard;
            }
        }
    }

    /// The answer to a request; notifications are skipped.
    async fn answer(&mut self, id: i64) -> Value {
        loop {
            let heard = self.hear().await;
            if heard["id"] == id {
                return heard;
            }
        }
    }

    async fn initialize(&mut self) -> Value {
        let client = json!({ "name": "raw", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        self.say(json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })).await;
        self.hear().await
    }
}

#[test]
fn the_program_ends_cleanly_when_its_client_leaves_or_the_system_asks() {
    TOKIO.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut raw = Raw::start(command(folder.path()));
        assert_eq!(raw.initialize().await["result"]["serverInfo"]["name"], "afterword");
        drop(raw.child.stdin.take());
        assert!(raw.child.wait().await.expect("an end").success(), "its input ended");

        let mut raw = Raw::start(command(folder.path()));
        raw.initialize().await;
        let pid = raw.child.id().expect("a process").to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill");
        assert!(raw.child.wait().await.expect("an end").success(), "it was asked to end");

        let mut raw = Raw::start(command(folder.path()));
        drop(raw.child.stdin.take());
        assert!(raw.child.wait().await.expect("an end").success(), "nobody ever spoke");
    });
}

#[test]
fn a_line_that_cannot_be_read_is_answered_and_the_session_goes_on() {
    TOKIO.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut raw = Raw::start(command(folder.path()));
        raw.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        assert_eq!(raw.initialize().await["id"], 1, "whoever tells something before it begins may begin all the same");
        raw.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        let surrogate =
            br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","arguments":{"title":"\ud83d"}}}"#;
        for (broken, id) in [
            (&b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":"[..], Value::Null),
            (b"nonsense", Value::Null),
            (b"{\"a\":\"\xff\"}", Value::Null),
            (surrogate, json!(7)),
        ] {
            raw.say_bytes(broken).await;
            let refused = raw.hear_error().await;
            assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32700), &id), "{refused}");
        }
        for (other, id) in [(json!([]), Value::Null), (json!({ "jsonrpc": "2.0", "id": 8 }), json!(8))] {
            raw.say(other).await;
            let refused = raw.hear_error().await;
            assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32600), &id), "{refused}");
        }
        raw.say_bytes(b"").await;
        let text = json!({ "name": "list_articles", "arguments": "{\"limit\": \"5\"}" });
        raw.say(json!({ "jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": text })).await;
        assert_eq!(raw.answer(9).await["result"]["structuredContent"]["total"], 0);
        drop(raw.child.stdin.take());
        assert!(raw.child.wait().await.expect("an end").success());
    });
}

#[test]
fn who_says_twice_that_it_has_begun_is_told_once() {
    TOKIO.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut raw = Raw::start(command(folder.path()));
        raw.initialize().await;
        for _ in 0..50 {
            raw.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        }
        let call = |id: u64, name: &str, arguments: Value| {
            let params = json!({ "name": name, "arguments": arguments });
            json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
        };
        for (at, title) in (0..).map(|at| 10 * at).zip(["One", "Two"]) {
            raw.say(call(10 + at, "create_article", json!({ "title": title, "body": "a", "skip_embedding": true })))
                .await;
            while raw.hear().await["method"] != "notifications/resources/list_changed" {}
            let uri = format!("article://{}", title.to_lowercase());
            raw.say(
                json!({ "jsonrpc": "2.0", "id": 11 + at, "method": "resources/subscribe", "params": { "uri": uri } }),
            )
            .await;
        }
        // The second change is told when all that there is to tell of the first has been told.
        let mut told = Vec::new();
        for (id, slug) in [(40, "one"), (41, "two")] {
            raw.say(call(id, "update_article", json!({ "slug": slug, "body": "b" }))).await;
            let uri = format!("article://{slug}");
            while told.last() != Some(&json!(uri)) {
                let heard = raw.hear().await;
                if heard["method"] == "notifications/resources/updated" {
                    told.push(heard["params"]["uri"].clone());
                }
            }
        }
        assert_eq!(told, [json!("article://one"), json!("article://two")]);
        drop(raw.child.stdin.take());
        raw.child.wait().await.expect("an end");
    });
}

#[test]
fn a_line_that_is_too_long_is_answered_and_not_kept() {
    TOKIO.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut small = command(folder.path());
        small.env("AFTERWORD_ARTICLES__MAX_SIZE", "10KiB").env("AFTERWORD_SERVER__MAX_BODY", "20KiB");
        let mut raw = Raw::start(small);
        raw.initialize().await;
        let body = "x".repeat(1 << 20);
        let create = json!({ "name": "create_article", "arguments": { "title": "Long", "body": body } });
        raw.say(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": create })).await;
        let refused = raw.hear_error().await;
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        raw.say(json!({ "jsonrpc": "2.0", "id": 3, "method": "ping" })).await;
        assert!(raw.answer(3).await["result"].is_object());
        drop(raw.child.stdin.take());
        assert!(raw.child.wait().await.expect("an end").success());
    });
}

#[test]
fn a_client_that_leaves_while_it_listens_is_answered_at_once() {
    TOKIO.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut raw = Raw::start(command(folder.path()));
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "raw", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({ "_meta": meta.clone(), "notifications": { "resourcesListChanged": true } });
        raw.say(json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params })).await;
        assert_eq!(raw.hear().await["method"], "notifications/subscriptions/acknowledged");
        // An answer now proves that the listener was there.
        raw.say(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": { "_meta": meta } })).await;
        raw.answer(2).await;
        drop(raw.child.stdin.take());
        // Had the session been cut off, there would be no answer.
        assert_eq!(raw.answer(1).await["result"]["resultType"], "complete");
        assert!(raw.child.wait().await.expect("an end").success());
    });
}

#[test]
fn no_model_is_needed_to_answer_and_logs_go_to_standard_error() {
    TOKIO.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut local = command(folder.path());
        // A model that can never be loaded: a request that waited for it would never end.
        local
            .env("AFTERWORD_EMBEDDING__PROVIDER", "local")
            .env("AFTERWORD_EMBEDDING__MODEL_DIR", folder.path().join("nowhere"))
            .env("AFTERWORD_LOG__LEVEL", "debug");
        let mut raw = Raw::start(local);
        let mut pipe = raw.child.stderr.take().expect("a pipe");
        let log = tokio::spawn(async move {
            let mut log = String::new();
            pipe.read_to_string(&mut log).await.expect("a log");
            log
        });
        assert!(raw.initialize().await["result"]["capabilities"]["tools"].is_object());
        raw.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        let create = json!({ "name": "create_article", "arguments": { "title": "Early", "body": "words" } });
        raw.say(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": create })).await;
        let saved = raw.answer(2).await;
        assert_eq!(saved["result"]["structuredContent"]["slug"], "early", "{saved}");
        let search = json!({ "name": "search_articles", "arguments": { "query": "words" } });
        raw.say(json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": search })).await;
        let found = raw.answer(3).await;
        assert_eq!(found["result"]["structuredContent"]["hits"][0]["slug"], "early", "{found}");
        drop(raw.child.stdin.take());
        assert!(!log.await.expect("a log").is_empty());
    });
}

#[test]
fn a_client_that_never_reads_the_log_is_answered() {
    const MANY: i64 = 300;
    /// The least that fills a pipe, so that no further line fits.
    const PIPE: usize = 32 << 10;
    TOKIO.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut talkative = command(folder.path());
        talkative.env("AFTERWORD_LOG__LEVEL", "trace");
        let mut raw = Raw::start(talkative);
        raw.initialize().await;
        raw.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        // More lines than fit into any pipe.
        for n in 2..MANY {
            let list = json!({ "name": "list_articles", "arguments": { "folder": "x".repeat(200) } });
            raw.say(json!({ "jsonrpc": "2.0", "id": n, "method": "tools/call", "params": list })).await;
            raw.answer(n).await;
        }
        drop(raw.child.stdin.take());
        assert!(raw.child.wait().await.expect("an end").success());
        let mut log = Vec::new();
        raw.child.stderr.take().expect("a pipe").read_to_end(&mut log).await.expect("what the pipe held");
        assert!(log.len() >= PIPE, "the pipe was full: {}", log.len());
    });
}
