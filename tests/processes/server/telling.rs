//! What a server reports of itself.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use crate::support::{
    process::{STUCK, Server},
    reranker::{Judge, reranker},
};

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_the_part_that_is_not_well_and_since_when() {
    let settings =
        ["embedding.provider=openai", "embedding.openai.base_url=http://127.0.0.1:9/v1", "health.interval=50ms"];
    let server = Server::start(&settings);
    server.create("Waiting", "for a provider that is away").await;
    let waiting = async {
        loop {
            let report = server.json("/ready").await;
            if report["parts"]["provider"]["state"] == "degraded" {
                return report;
            }
        }
    };
    let report = tokio::time::timeout(STUCK, waiting).await.expect("a server that notices");
    assert_eq!(report["state"], "degraded", "it serves all the same");
    let provider = &report["parts"]["provider"];
    assert!(provider["detail"].as_str().is_some_and(|detail| detail.contains("127.0.0.1:9")), "{provider}");
    assert_eq!(server.json("/ready").await["parts"]["provider"]["since"], provider["since"]);
    assert_eq!(report["parts"]["database"]["state"], "ready");
    let found = server.json("/api/search?q=provider").await;
    assert_eq!(found["hits"][0]["slug"], "waiting");
    assert!(found["degraded"].as_str().is_some(), "a search says that it is less than it could be");
    let tree = &server.json("/api/status").await["tree"];
    assert_eq!(tree["name"], "RuntimeSupervisor");
}

/// A provider whose key was repaired: doctor asks it now, the host at its next probe.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_explains_why_a_host_says_that_a_provider_fails_which_answers() {
    let provider = MockServer::start().await;
    let refuse = ResponseTemplate::new(401).set_body_json(json!({ "error": { "message": "wrong key" } }));
    let refusing = Mock::given(method("POST")).respond_with(refuse).mount_as_scoped(&provider).await;
    let url = format!("embedding.openai.base_url={}/v1", provider.uri());
    let model = ["embedding.provider=openai", "embedding.model=m1", &url];
    let slowly = ["queue.circuit_base=1h", "queue.circuit_max=1h", "queue.heartbeat_interval=50ms"];
    let server = Server::start(&[&model[..], &slowly[..]].concat());
    server.create("Waiting", "for a key").await;
    let arguments: Vec<_> = ["doctor"].into_iter().chain(model.iter().flat_map(|setting| ["--set", setting])).collect();
    server.until_logged("not well part=\"provider\"");
    while !server.command(&["status"]).contains("wrong key") {}
    drop(refusing);
    let vectors = json!({ "data": [{ "index": 0, "embedding": [0.6, 0.8] }] });
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200).set_body_json(vectors)).mount(&provider).await;
    let told = server.command(&arguments);
    assert!(
        told.contains("m1 of the provider openai works") && told.contains("has just answered this command"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_says_what_the_reranker_did_and_why_it_did_nothing() {
    let judge = reranker(Judge::OfTexts).await;
    let address = format!("search.rerank.base_url={}/v1", judge.uri());
    let server = Server::start(&[&address, "search.rerank.deadline=30s", "search.rerank.weight=1"]);
    for (title, worth) in [("One", 1), ("Two", 2), ("Three", 3)] {
        server.create(title, &format!("A kite is worth {worth}.")).await;
        server.until_embedding(&title.to_lowercase(), "completed").await;
    }
    let found = server.json("/api/search?q=kite&explain=true").await;
    assert_eq!((&found["hits"][0]["slug"], &found["degraded"]), (&json!("three"), &Value::Null), "{found}");
    let why = &found["hits"][0]["explanation"]["reranked"];
    assert_eq!((&why["score"], &why["share"], &why["to"]), (&json!(3.0), &json!(1.0), &json!(1)), "{why}");
    assert!(why["from"].is_u64() && why["fused"].is_f64(), "{why}");
    judge.reset().await;
    let found = server.json("/api/search?q=kite+worth").await;
    assert!(found["degraded"].as_str().is_some_and(|why| why.starts_with("not reranked: ")), "{found}");
    assert_eq!((found["hits"].as_array().map(Vec::len), &found["mode"]), (Some(3), &json!("hybrid")));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_to_the_events_has_missed_nothing() {
    let server = Server::start(&[]);
    for number in 0..20 {
        server.create(&format!("Number {number}"), "text").await;
    }
    for number in 0..20 {
        server.until_embedding(&format!("number-{number}"), "completed").await;
    }
    let told: Value =
        serde_json::from_str(&server.command(&["queue", "events", "--json", "--limit", "1000"])).expect("JSON");
    let all = told["events"].as_array().expect("events");
    assert!(all.iter().all(|event| event["article_id"].is_null() || event["slug"].is_string()), "{told}");
    let request = server.request(Method::GET, "/api/events").header("last-event-id", "7");
    let mut response = request.send().await.expect("an answer");
    let (mut text, mut ids) = (String::new(), Vec::new());
    while ids.len() < all.len() - 7 {
        let chunk = tokio::time::timeout(STUCK, response.chunk()).await.expect("more").expect("events").expect("more");
        text.push_str(std::str::from_utf8(&chunk).expect("text"));
        ids = text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse::<i64>().ok()).collect();
    }
    let expected: Vec<_> = all.iter().map(|event| event["id"].as_i64().expect("an id")).filter(|id| *id > 7).collect();
    assert_eq!(ids, expected);
    let bad = server.request(Method::GET, "/api/events").header("last-event-id", "x").send().await.expect("an answer");
    assert_eq!(bad.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn measurements_carry_their_units_and_tell_the_truth() {
    let server = Server::start(&[]);
    server.create("Measured", "text").await;
    server.until_embedding("measured", "completed").await;
    server.get("/api/articles/nobody").await;
    let text = server.get("/metrics").await.text().await.expect("text");
    let samples: BTreeMap<&str, f64> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            line.rsplit_once(' ').and_then(|(name, value)| Some((name, value.parse().ok()?))).expect("a sample")
        })
        .collect();
    assert_eq!(samples["afterword_tasks{status=\"completed\"}"], 1.0);
    assert_eq!(samples["afterword_articles{embedding=\"embedded\"}"], 1.0);
    let missing = "afterword_http_requests_total{method=\"GET\",route=\"/api/articles/{slug}\",status=\"404\"}";
    assert_eq!(samples[missing], 1.0, "the pattern, not the path");
    assert!(samples.keys().any(|name| name.starts_with("afterword_http_request_duration_seconds_bucket")));
    assert!(!text.contains("nobody"), "no name of an article becomes a name of a measurement");
    let described: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# HELP ")).collect();
    for name in samples.keys().map(|name| name.split('{').next().unwrap_or(name)) {
        let name = name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count");
        assert!(described.iter().any(|line| line.starts_with(&format!("{name} "))), "{name} is not described");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_for_programs_is_an_object_a_line_and_holds_no_secret() {
    let server = Server::start(&["log.format=json", "log.level=debug"]);
    let token = server.command(&["token", "create", "logged"]);
    let body = json!({ "title": "Logged", "body": "s3cret-text" });
    server.request(Method::POST, "/api/articles").bearer_auth(&token).json(&body).send().await.expect("an answer");
    server.signal("TERM");
    let lines = server.rest_of_the_log();
    assert!(lines.iter().any(|line| line.contains("\"status\":201") || line.contains("embedding started")));
    for line in lines {
        assert!(serde_json::from_str::<Value>(&line).is_ok_and(|line| line.is_object()), "{line}");
        assert!(!line.contains(&token) && !line.contains("s3cret-text"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_a_span_for_each_task_from_save_to_searchable() {
    let (sender, mut spans) = tokio::sync::mpsc::unbounded_channel();
    let collector = axum::Router::new().route(
        "/v1/traces",
        axum::routing::post(move |body: axum::body::Bytes| async move { drop(sender.send(body)) }),
    );
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let endpoint = format!("telemetry.otlp_endpoint=http://{}", socket.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(socket, collector).await });
    let server = Server::start(&[&endpoint]);
    server.create("Traced", "text").await;
    server.until_embedding("traced", "completed").await;
    let span = tokio::time::timeout(STUCK, spans.recv()).await.expect("a span").expect("a collector");
    let task = &server.json("/api/queue/tasks?article=traced").await["tasks"][0];
    let trace = task["trace_id"].as_str().expect("a trace").to_owned();
    let bytes: Vec<_> = (0..trace.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&trace[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    let holds = |part: &[u8]| span.windows(part.len()).any(|window| window == part);
    assert!(holds(&bytes), "the trace is the one that the task's row keeps");
    for part in ["embed article", "afterword.article.slug", "traced", "pending", "processing", "completed"] {
        assert!(holds(part.as_bytes()), "{part}");
    }
}
