//! A reranker against a server that misbehaves in every way a real one does.

use std::{sync::Arc, time::Duration};

use afterword::{
    config::{Rerank, Secret},
    reranking::Reranker,
};
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

use crate::support::reranker::{Judge, asked, named, reranker as server};

const KEY: &str = "key-of-a-reranker";

fn documents() -> Vec<String> {
    ["worth 2", "worth 9", "worth 4"].map(str::to_owned).to_vec()
}

fn of(server: &MockServer, change: impl FnOnce(&mut Rerank)) -> Arc<Reranker> {
    let mut settings = Rerank { api_key: Secret::from(KEY.to_owned()), ..named(server) };
    change(&mut settings);
    Reranker::of(&settings).expect("a reranker")
}

async fn scores(reranker: &Reranker, query: &str) -> Result<Vec<f64>, String> {
    let scores = reranker.scores(query, &documents()).await;
    scores.map(|scores| scores.to_vec()).map_err(|why| why.to_string())
}

#[tokio::test]
async fn scores_come_in_the_order_of_the_documents_and_the_key_and_the_model_are_sent() {
    let server = server(Judge::OfDocuments).await;
    let reranker = of(&server, |settings| settings.model = "judge-1".to_owned());
    assert_eq!(scores(&reranker, "q").await, Ok(vec![2.0, 9.0, 4.0]));
    let wanted = json!({ "model": "judge-1", "query": "q", "documents": documents(), "top_n": 3 });
    assert_eq!(asked(&server).await, [wanted]);
    let request = &server.received_requests().await.expect("a record")[0];
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(request.url.path(), "/v1/rerank");
}

#[tokio::test]
async fn a_server_that_wants_texts_is_recognised_by_what_it_says_and_asked_so_from_then_on() {
    let server = server(Judge::OfTexts).await;
    let reranker = of(&server, |_| {});
    assert_eq!(scores(&reranker, "one").await, Ok(vec![2.0, 9.0, 4.0]));
    assert_eq!(scores(&reranker, "two").await, Ok(vec![2.0, 9.0, 4.0]));
    let forms: Vec<_> = asked(&server).await.iter().map(|body| body["texts"].is_array()).collect();
    assert_eq!(forms, [false, true, true]);
    assert_eq!(asked(&server).await[2], json!({ "query": "two", "texts": documents(), "truncate": true }));
}

#[tokio::test]
async fn an_address_with_its_end_is_the_same_address() {
    let server = server(Judge::OfDocuments).await;
    for end in ["", "/", "/rerank", "/rerank/"] {
        let reranker = of(&server, |settings| settings.base_url = format!("{}/v1{end}", server.uri()));
        assert!(scores(&reranker, "q").await.is_ok(), "{end}");
    }
}

#[tokio::test]
async fn the_same_question_about_the_same_documents_is_asked_once() {
    let server = server(Judge::OfDocuments).await;
    let reranker = of(&server, |_| {});
    for _ in 0..3 {
        scores(&reranker, "q").await.expect("scores");
    }
    reranker.scores("q", &documents()[..2]).await.expect("scores");
    scores(&reranker, "another").await.expect("scores");
    assert_eq!(asked(&server).await.len(), 3);
}

/// What it says of a server that answers so; it is not asked again at once if `rests`.
async fn told(answer: ResponseTemplate, rests: bool) -> String {
    let server = server(answer).await;
    let reranker = of(&server, |_| {});
    let why = scores(&reranker, "one").await.expect_err("no scores");
    assert!(!why.contains(KEY), "no secret in {why}");
    let asked_once = asked(&server).await.len();
    let again = scores(&reranker, "two").await.expect_err("no scores");
    assert_eq!(asked(&server).await.len() == asked_once, rests, "{why}");
    assert_eq!(again.contains("asked again in"), rests, "{again}");
    why
}

#[tokio::test]
async fn no_lie_becomes_a_score_and_a_liar_has_a_rest() {
    let item = |index: i64, score: Value| json!({ "index": index, "relevance_score": score });
    for (results, part) in [
        (json!([item(0, json!(1)), item(1, json!(2))]), "2 scores for 3"),
        (json!([item(0, json!(1)), item(1, json!(2)), item(2, json!(3)), item(3, json!(4))]), "4 scores for 3"),
        (json!([item(0, json!(1)), item(1, json!(2)), item(1, json!(3))]), "wrong index: 1"),
        (json!([item(0, json!(1)), item(1, json!(2)), item(3, json!(3))]), "wrong index: 3"),
        (json!([item(0, json!(1)), item(1, json!(2)), item(-1, json!(3))]), "wrong index: -1"),
        (json!([item(0, json!(1)), item(1, json!(2)), item(2, json!(null))]), "no number: null"),
        (json!([item(0, json!(1)), item(1, json!(2)), item(2, json!("NaN"))]), "no number: \"NaN\""),
        (json!("many"), "no scores"),
    ] {
        let why = told(ResponseTemplate::new(200).set_body_json(json!({ "results": results })), true).await;
        assert!(why.contains(part), "{results}: {why}");
    }
    for (body, part) in [
        (r#"{"results":[{"index":0,"relevance_score":NaN}]}"#.to_owned(), "not JSON"),
        ("<!doctype html><title>Sign in</title>".to_owned(), "\"Sign in\""),
        (format!(r#"{{"error":{{"message":"{KEY} is not known"}}}}"#), "(hidden) is not known"),
        (" ".repeat(8 << 20), "more than"),
    ] {
        let why = told(ResponseTemplate::new(200).set_body_raw(body, "application/json"), true).await;
        assert!(why.contains(part), "{why}");
    }
}

#[tokio::test]
async fn each_refusal_says_what_to_do_and_only_a_server_that_failed_has_a_rest() {
    for (status, body, part, rests) in [
        (401, json!({ "message": format!("invalid api token {KEY}") }), "search.rerank.api_key", true),
        (429, json!({}), "a pause", true),
        (500, json!({}), "failed", true),
        (404, json!({}), "search.rerank.base_url", true),
        (404, json!({ "error": "model not found" }), "search.rerank.model", true),
        (413, json!({}), "too long", false),
        (422, json!({ "error": "batch size 33 > maximum allowed batch size 32" }), "too many", false),
        (400, json!({ "message": "odd" }), "odd", false),
    ] {
        let why = told(ResponseTemplate::new(status).set_body_json(&body), rests).await;
        assert!(why.contains(part) && why.contains(&status.to_string()), "{why}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = server(Judge::OfDocuments).await;
    let location = format!("{}/v1/rerank", elsewhere.uri());
    let why = told(ResponseTemplate::new(307).insert_header("location", location.as_str()), true).await;
    assert!(why.contains("elsewhere"), "{why}");
    assert!(asked(&elsewhere).await.is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let base_url = format!("http://user:password@{address}");
    let reranker = Reranker::of(&Rerank { base_url, deadline: Duration::from_secs(30), ..Rerank::default() });
    let why = scores(&reranker.expect("a reranker"), "q").await.expect_err("nobody listens");
    assert!(why.contains(&address.to_string()) && !why.contains("password"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_left_at_the_deadline_and_asked_again_after_a_rest() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    let reranker = Reranker::of(&Rerank { base_url, ..Rerank::default() }).expect("a reranker");
    let why = scores(&reranker, "q").await.expect_err("too slow");
    assert_eq!(why, "the reranker did not answer within 800ms (search.rerank.deadline)");
    assert_eq!(scores(&reranker, "q").await, Err(format!("{why}; it is asked again in 2 s")));
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(scores(&reranker, "q").await, Err(why));
}

#[tokio::test]
async fn a_check_asks_whatever_was_asked_before() {
    let server = server(Judge::OfTexts).await;
    let reranker = of(&server, |_| {});
    for _ in 0..2 {
        reranker.check().await.expect("it works");
    }
    assert_eq!(asked(&server).await.len(), 3, "the form is asked for once");
}
