//! The OpenAI provider against a server that misbehaves in every way a real one does.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use afterword::{
    config::{Embedding, Encoding, OpenAi, Provider, Secret},
    embedding::{Backends, openai::OpenAiEmbedder},
};
use afterword_actors::embedder::{EmbedError, Embedder, ErrorKind, Fault, ModelIdentity, Purpose};
use base64::Engine;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{body_partial_json, header, method, path},
};

use crate::support::SqliteTestHost;

const KEY: &str = "sk-very-secret";

fn embedder(url: &str, dimension: Option<u32>, change: impl FnOnce(&mut OpenAi)) -> OpenAiEmbedder {
    let mut settings = OpenAi {
        base_url: format!("{url}/v1"),
        api_key: Secret::from(KEY.to_owned()),
        timeout: Duration::from_secs(5),
        ..OpenAi::default()
    };
    change(&mut settings);
    let identity = ModelIdentity {
        provider: "openai".into(),
        model: "test-model".into(),
        dimension,
        asked_dimension: None,
        document_prefix: "passage: ".into(),
        query_prefix: "query: ".into(),
        chunker: "none".into(),
    };
    OpenAiEmbedder::new(identity, &settings).expect("a back end")
}

/// The length of each input as its vector's direction, which shows the order.
fn vector_of(input: &str) -> Vec<f32> {
    vec![input.len() as f32, 1.0, 0.0]
}

/// A good server: answers in reverse order, as the protocol allows.
struct Good {
    base64: bool,
    most: usize,
}

impl Respond for Good {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let inputs: Vec<String> = serde_json::from_value(body["input"].clone()).expect("texts");
        if inputs.len() > self.most {
            let message = format!("batch size {} > maximum allowed batch size {}", inputs.len(), self.most);
            return ResponseTemplate::new(422).set_body_json(json!({ "error": message }));
        }
        let data = inputs.iter().enumerate().rev().map(|(index, input)| {
            let numbers = vector_of(input);
            let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            let text = base64::engine::general_purpose::STANDARD.encode(bytes);
            json!({ "index": index, "embedding": if self.base64 { json!(text) } else { json!(numbers) } })
        });
        ResponseTemplate::new(200).set_body_json(json!({ "data": data.collect::<Vec<_>>() }))
    }
}

async fn server(respond: impl Respond + 'static) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/v1/embeddings")).respond_with(respond).mount(&server).await;
    server
}

async fn error_of(response: ResponseTemplate) -> EmbedError {
    let server = server(response).await;
    let error = embedder(&server.uri(), Some(3), |_| {}).embed(&["text".into()], Purpose::Document).await;
    let error = error.expect_err("a refusal");
    assert!(!format!("{error:?}").contains(KEY), "no secret in {error:?}");
    error
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|n| "x".repeat(n + 1)).collect()
}

#[tokio::test]
async fn order_is_restored_by_index_and_prefixes_and_key_are_sent() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", format!("Bearer {KEY}")))
        .and(body_partial_json(json!({ "model": "test-model", "encoding_format": "float" })))
        .respond_with(Good { base64: false, most: 100 })
        .mount(&server)
        .await;
    let embedder = embedder(&server.uri(), Some(3), |_| {});
    for (purpose, prefix) in [(Purpose::Document, "passage: "), (Purpose::Query, "query: ")] {
        let vectors = embedder.embed(&texts(5), purpose).await.expect("vectors");
        for (vector, text) in vectors.iter().zip(texts(5)) {
            let length = (prefix.len() + text.len()) as f32;
            let expected = length / (length * length + 1.0).sqrt();
            assert!((vector.as_slice()[0] - expected).abs() < 1e-6);
        }
    }
}

#[tokio::test]
async fn base64_is_read() {
    let server = server(Good { base64: true, most: 100 }).await;
    let embedder = embedder(&server.uri(), None, |settings| settings.encoding = Encoding::Base64);
    assert_eq!(embedder.embed(&texts(3), Purpose::Document).await.expect("vectors").len(), 3);
}

#[tokio::test]
async fn a_smaller_batch_is_learnt_from_a_refusal() {
    let server = server(Good { base64: false, most: 4 }).await;
    let embedder = embedder(&server.uri(), Some(3), |settings| settings.batch_texts = 32);
    assert_eq!(embedder.embed(&texts(30), Purpose::Document).await.expect("vectors").len(), 30);
    assert!((2..=4).contains(&embedder.limits().texts), "halved until it fitted, and no further");
}

/// A server that refuses more than `most` texts, and does not say how many it takes.
struct Narrow {
    most: usize,
}

impl Respond for Narrow {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        if body["input"].as_array().is_some_and(|texts| texts.len() > self.most) {
            return ResponseTemplate::new(413);
        }
        Good { base64: false, most: usize::MAX }.respond(request)
    }
}

#[tokio::test]
async fn an_odd_number_of_texts_is_divided_without_a_rest() {
    for count in [3, 5, 7] {
        let server = server(Narrow { most: count - 1 }).await;
        let embedder = embedder(&server.uri(), Some(3), |settings| settings.batch_texts = count);
        assert_eq!(embedder.embed(&texts(count), Purpose::Document).await.expect("vectors").len(), count);
        let requests = server.received_requests().await.expect("a record").len();
        assert_eq!(requests, 3, "one refusal, and two parts of {count}");
    }
}

/// A server that refuses texts of more than `longest` characters, in the words of text-embeddings-inference.
struct ShortSighted {
    longest: usize,
}

impl Respond for ShortSighted {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let inputs: Vec<String> = serde_json::from_value(body["input"].clone()).expect("texts");
        if let Some(input) = inputs.iter().find(|input| input.len() > self.longest) {
            let message = format!("`inputs` must have less than {} tokens. Given: {}", self.longest, input.len());
            return ResponseTemplate::new(413).set_body_json(json!({ "message": message, "type": "Validation" }));
        }
        Good { base64: false, most: usize::MAX }.respond(request)
    }
}

#[tokio::test]
async fn one_text_that_is_too_long_is_embedded_in_parts_and_later_requests_stay_full() {
    let server = server(ShortSighted { longest: 1_000 }).await;
    let embedder = embedder(&server.uri(), Some(3), |settings| settings.batch_texts = 32);
    let mut with_a_long_one = texts(32);
    with_a_long_one[20] = "long ".repeat(700);
    let vectors = embedder.embed(&with_a_long_one, Purpose::Document).await.expect("all of them");
    assert_eq!(vectors.len(), 32);
    let length = vectors[20].as_slice().iter().map(|number| number * number).sum::<f32>();
    assert!((length - 1.0).abs() < 1e-5, "a mean of unit length");
    assert_eq!(embedder.limits().texts, 32, "the text was to blame, not the number of texts");
    let before = server.received_requests().await.expect("a record").len();
    embedder.embed(&texts(32), Purpose::Document).await.expect("vectors");
    assert_eq!(server.received_requests().await.expect("a record").len(), before + 1);
}

#[tokio::test]
async fn a_limit_that_the_server_states_is_obeyed_at_once_and_outgrown_when_it_is_gone() {
    let limited = server(Good { base64: false, most: 10 }).await;
    let embedder = embedder(&limited.uri(), Some(3), |settings| settings.batch_texts = 16);
    embedder.embed(&texts(16), Purpose::Document).await.expect("vectors");
    assert_eq!(embedder.limits().texts, 10);
    assert_eq!(limited.received_requests().await.expect("a record").len(), 3, "one refusal, 10 texts, 6 texts");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let endless = server(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 128 << 10])).await;
    let error = embedder(&endless.uri(), Some(3), |_| {}).embed(&texts(1), Purpose::Document).await;
    let error = error.expect_err("too long");
    assert!(error.message.contains("more than"), "{}", error.message);
}

#[tokio::test]
async fn success_without_vectors_says_what_the_server_said() {
    for (body, kind, words) in [
        (r#"{"error":"Unexpected endpoint or method. (POST /embeddings)"}"#, ErrorKind::Config, "Unexpected endpoint"),
        (r#"{"error":{"message":"No models loaded"}}"#, ErrorKind::Config, "No models loaded"),
        (r#"{"error":{"message":"something odd"}}"#, ErrorKind::Transient, "something odd"),
        ("<!doctype html><title>Sign in</title>", ErrorKind::Transient, "\"Sign in\""),
        (r#"{"data":null}"#, ErrorKind::Transient, "embedding.openai.base_url"),
        (r#"{"object":"list"}"#, ErrorKind::Transient, "embedding.openai.base_url"),
        ("what?", ErrorKind::Transient, "not JSON"),
    ] {
        let error = error_of(ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
        assert_eq!(error.kind, kind, "{body}: {}", error.message);
        assert!(error.message.contains(words), "{body}: {}", error.message);
    }
}

#[tokio::test]
async fn a_vector_that_is_unusable_among_good_ones_is_its_texts_failure() {
    let good = json!([1.0, 0.0, 0.0]);
    for bad in [json!(null), json!([]), json!([null, null, null]), json!([0.0, 0.0, 0.0]), json!([[1.0]])] {
        let data = json!([{ "index": 0, "embedding": good }, { "index": 1, "embedding": bad }]);
        let server = server(ResponseTemplate::new(200).set_body_json(json!({ "data": data }))).await;
        let error = embedder(&server.uri(), None, |_| {}).embed(&texts(2), Purpose::Document).await;
        let error = error.expect_err("an unusable vector");
        assert_eq!((error.kind, error.fault), (ErrorKind::Data, Fault::Document), "{bad}: {}", error.message);
    }
}

#[tokio::test]
async fn retry_after_is_understood_as_seconds_and_as_a_date() {
    let error = error_of(ResponseTemplate::new(429).insert_header("retry-after", "17")).await;
    assert_eq!((error.kind, error.fault), (ErrorKind::Transient, Fault::Provider));
    assert_eq!(error.retry_after, Some(Duration::from_secs(17)));
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
    let error = error_of(ResponseTemplate::new(429).insert_header("retry-after", date.as_str())).await;
    let wait = error.retry_after.expect("a wish");
    assert!((Duration::from_secs(60)..=Duration::from_secs(100)).contains(&wait), "{wait:?}");
}

#[tokio::test]
async fn each_refusal_is_somebodys_fault() {
    for (status, body, kind, fault) in [
        (500, json!({}), ErrorKind::Transient, Fault::Unclear),
        (424, json!({}), ErrorKind::Transient, Fault::Unclear),
        (503, json!({}), ErrorKind::Transient, Fault::Provider),
        (401, json!({ "error": { "message": "bad key" } }), ErrorKind::Config, Fault::Provider),
        (403, json!({}), ErrorKind::Config, Fault::Unclear),
        (402, json!({}), ErrorKind::Config, Fault::Unclear),
        (404, json!({ "error": "model not found" }), ErrorKind::Config, Fault::Provider),
        (
            429,
            json!({ "error": { "message": "no", "code": "insufficient_quota" } }),
            ErrorKind::Config,
            Fault::Provider,
        ),
        (400, json!({ "error": { "message": "input is too long" } }), ErrorKind::Data, Fault::Document),
    ] {
        let error = error_of(ResponseTemplate::new(status).set_body_json(&body)).await;
        assert_eq!((error.kind, error.fault), (kind, fault), "{status} {body}");
        assert!(error.message.contains(&status.to_string()), "{}", error.message);
    }
}

#[tokio::test]
async fn wrong_answers_never_become_vectors() {
    let item = |index: usize, numbers: Vec<f32>| json!({ "index": index, "embedding": numbers });
    for (data, kind) in [
        (json!([]), ErrorKind::Transient),
        (json!([item(0, vec![1.0; 3]), item(1, vec![1.0; 3])]), ErrorKind::Transient),
        (json!([item(7, vec![1.0; 3])]), ErrorKind::Transient),
        (json!([item(0, vec![1.0; 4])]), ErrorKind::Config),
        (json!([item(0, vec![0.0; 3])]), ErrorKind::Transient),
        (json!([{ "index": 0, "embedding": "AAAA*" }]), ErrorKind::Transient),
        (json!("nonsense"), ErrorKind::Transient),
    ] {
        let error = error_of(ResponseTemplate::new(200).set_body_json(json!({ "data": data }))).await;
        assert_eq!(error.kind, kind, "{data}");
    }
}

#[tokio::test]
async fn a_slow_server_and_a_dropped_connection_may_pass_by_themselves() {
    let slow = server(ResponseTemplate::new(200).set_delay(Duration::from_secs(30))).await;
    let impatient = embedder(&slow.uri(), None, |settings| settings.timeout = Duration::from_millis(50));
    let error = impatient.embed(&texts(1), Purpose::Document).await.expect_err("too slow");
    assert_eq!((error.kind, error.fault), (ErrorKind::Transient, Fault::Unclear));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection)
        }
    });
    let error = embedder(&url, None, |_| {}).embed(&texts(1), Purpose::Document).await.expect_err("dropped");
    assert_eq!(error.kind, ErrorKind::Transient);
}

#[tokio::test]
async fn nobody_listening_is_the_providers_fault() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://user:password@{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = embedder(&url, None, |_| {}).embed(&texts(1), Purpose::Document).await.expect_err("refused");
    assert_eq!(error.fault, Fault::Provider);
    assert!(!error.message.contains("password"), "{}", error.message);
}

#[tokio::test]
async fn an_address_with_https_that_speaks_http_is_told_apart() {
    let server = MockServer::start().await;
    let error = embedder(&server.uri().replace("http://", "https://"), None, |_| {});
    let error = error.embed(&texts(1), Purpose::Document).await.expect_err("no answer");
    assert!(error.message.contains("does not speak TLS"), "{error:?}");
}

/// A server that takes ten texts and four requests, and then asks for a pause until it is `rested`. It remembers what
/// it has embedded.
#[derive(Default)]
struct Strict {
    taken: AtomicUsize,
    embedded: Mutex<Vec<String>>,
}

impl Strict {
    fn rested(&self) {
        self.taken.store(0, Ordering::SeqCst);
    }
}

impl Respond for &'static Strict {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let inputs: Vec<String> = serde_json::from_value(body["input"].clone()).expect("texts");
        if inputs.len() > 10 {
            return ResponseTemplate::new(413);
        }
        if self.taken.fetch_add(1, Ordering::SeqCst) >= 4 {
            return ResponseTemplate::new(429).insert_header("retry-after", "3");
        }
        self.embedded.lock().expect("the lock").extend(inputs);
        Good { base64: false, most: usize::MAX }.respond(request)
    }
}

#[tokio::test]
async fn what_a_divided_request_has_got_before_it_failed_is_not_lost_and_its_size_is_learnt() {
    let strict: &'static Strict = Box::leak(Box::default());
    let server = server(strict).await;
    let embedder = embedder(&server.uri(), Some(3), |settings| settings.batch_texts = 60);
    let error = embedder.embed(&texts(60), Purpose::Document).await.expect_err("a pause");
    assert_eq!((error.fault, error.retry_after), (Fault::Provider, Some(Duration::from_secs(3))));
    let learnt = embedder.limits().texts;
    assert!((5..=10).contains(&learnt), "{learnt}");
    let mut calls = 1;
    let vectors = loop {
        strict.rested();
        calls += 1;
        match embedder.embed(&texts(60), Purpose::Document).await {
            Ok(vectors) => break vectors,
            Err(error) => assert!(error.retry_after.is_some() && calls < 4, "{error:?}"),
        }
    };
    for (vector, text) in vectors.iter().zip(texts(60)) {
        let length = ("passage: ".len() + text.len()) as f32;
        assert!((vector.as_slice()[0] - length / length.hypot(1.0)).abs() < 1e-6, "in their order");
    }
    let mut embedded = strict.embedded.lock().expect("the lock").clone();
    assert_eq!(embedded.len(), 60, "none was paid for twice");
    embedded.sort_unstable();
    embedded.dedup();
    assert_eq!(embedded.len(), 60);
    embedder.embed(&texts(1), Purpose::Document).await.expect_err("a pause: it is asked again");
}

/// A server that refuses texts of more than `longest` characters, and those with the word, without saying why.
struct Silent {
    longest: usize,
    word: &'static str,
}

impl Respond for Silent {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let inputs: Vec<String> = serde_json::from_value(body["input"].clone()).expect("texts");
        if inputs.iter().any(|input| input.len() > self.longest || input.contains(self.word)) {
            return ResponseTemplate::new(422).set_body_json(json!({ "error": "unprocessable" }));
        }
        Good { base64: false, most: usize::MAX }.respond(request)
    }
}

#[tokio::test]
async fn a_text_that_is_refused_without_a_reason_is_tried_in_halves_once() {
    let server = server(Silent { longest: 1_000, word: "poison" }).await;
    let embedder = embedder(&server.uri(), Some(3), |_| {});
    let long = "long ".repeat(300);
    assert_eq!(embedder.embed(std::slice::from_ref(&long), Purpose::Document).await.expect("a vector").len(), 1);
    for bad in [format!("{}poison", &long[..400]), "poison".to_owned(), "long ".repeat(900)] {
        let before = server.received_requests().await.expect("a record").len();
        let error = embedder.embed(&[bad], Purpose::Document).await.expect_err("a refusal");
        assert_eq!((error.kind, error.fault), (ErrorKind::Data, Fault::Document), "{error:?}");
        assert!(server.received_requests().await.expect("a record").len() <= before + 3);
    }
}

#[tokio::test]
async fn a_body_in_an_encoding_that_was_not_asked_for_is_named() {
    let error =
        error_of(ResponseTemplate::new(200).insert_header("content-encoding", "gzip").set_body_bytes([31, 139])).await;
    assert!(error.message.contains("gzip"), "{}", error.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_takes_a_turn_of_the_limit_and_probes_and_questions_take_none() {
    let server = server(Good { base64: false, most: 100 }).await;
    let world = SqliteTestHost::new().await;
    let openai = OpenAi {
        base_url: format!("{}/v1", server.uri()),
        batch_texts: 4,
        requests_per_minute: 100,
        ..OpenAi::default()
    };
    let settings = Embedding { provider: Provider::OpenAi, model: "m".into(), openai, ..Embedding::default() };
    let limited = Backends::new(&settings).expect("back ends").limited(&world.database).embedder;
    limited.embed(&texts(10), Purpose::Document).await.expect("vectors");
    assert_eq!(world.number("SELECT count(*) AS n FROM provider_calls").await, 3, "three requests of one call");
    limited.probe().await.expect("a vector");
    limited.embed(&texts(1), Purpose::Query).await.expect("a vector");
    assert_eq!(world.number("SELECT count(*) AS n FROM provider_calls").await, 3);
    assert_eq!(server.received_requests().await.expect("a record").len(), 5);
}
