//! A provider that fails, and a worker that dies: the sentence, the countdown, the restart.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::method};

use crate::{
    page::browser::Browser,
    page::site::{Site, on_both_engines},
};

on_both_engines!(a_lost_connection_is_said_and_found_again, &[]);

/// A provider that is away until it is switched on; its messages must not be read as markup.
async fn provider(is_there: Arc<AtomicBool>) -> MockServer {
    let server = MockServer::start().await;
    let answer = move |request: &Request| {
        if !is_there.load(Ordering::SeqCst) {
            let body = json!({ "error": { "message": "<img src=x onerror=\"window.ran=1\">overloaded" } });
            return ResponseTemplate::new(503).set_body_json(body);
        }
        let asked: Value = request.body_json().expect("JSON");
        let texts = asked["input"].as_array().map_or(1, Vec::len);
        let data: Vec<_> = (0..texts).map(|index| json!({ "index": index, "embedding": [0.6, 0.8] })).collect();
        ResponseTemplate::new(200).set_body_json(json!({ "data": data, "model": "m" }))
    };
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    server
}

/// Settings for a provider at this address, with short waits.
fn asking(provider: &MockServer) -> [String; 7] {
    [
        "embedding.provider=openai".to_owned(),
        "embedding.model=m".to_owned(),
        "embedding.openai.api_key=k".to_owned(),
        "queue.circuit_base=2s".to_owned(),
        "queue.circuit_max=3s".to_owned(),
        "health.interval=200ms".to_owned(),
        format!("embedding.openai.base_url={}", provider.uri()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_is_told_in_a_sentence_with_a_countdown_and_passes_on_sqlite() {
    let is_there = Arc::new(AtomicBool::new(false));
    let provider = provider(Arc::clone(&is_there)).await;
    let site = Site::on_sqlite(&asking(&provider).each_ref().map(String::as_str));
    a_provider_that_fails_is_told(&site, &is_there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_is_told_in_a_sentence_with_a_countdown_and_passes_on_postgres() {
    let is_there = Arc::new(AtomicBool::new(false));
    let provider = provider(Arc::clone(&is_there)).await;
    let site = Site::on_postgres(&asking(&provider).each_ref().map(String::as_str)).await;
    a_provider_that_fails_is_told(&site, &is_there).await;
}

async fn a_provider_that_fails_is_told(site: &Site, is_there: &AtomicBool) {
    let server = &site.server;
    let browser = Browser::open().await;
    browser.go(&server.url("/runtime")).await;
    server.create("Waits for it", "text").await;
    browser.until_said("#sentence", "It works, but not all of it: provider").await;
    browser.until_said("[data-fragment=provider]", "circuit open").await;
    browser.until("/in \\d+ s|now/.test(document.querySelector('.countdown')?.innerText)").await;
    let said = browser.text("[data-fragment=provider]").await;
    assert!(said.contains("overloaded"), "{said}");
    assert!(browser.value("window.ran").await.is_null(), "what a provider says is text");
    is_there.store(true, Ordering::SeqCst);
    browser.until_said("[data-fragment=provider]", "Requests go through").await;
    browser.until_said("#sentence", "Everything works").await;
    server.until_embedding("waits-for-it", "completed").await;
    browser.close().await;
}

async fn a_lost_connection_is_said_and_found_again(site: &Site) {
    let server = &site.server;
    let browser = Browser::open().await;
    browser.go(&server.url("/runtime")).await;
    browser.until("document.querySelector('#connection').innerText === 'Live'").await;
    server.signal("STOP");
    browser.press("Hold").await;
    browser.until("document.querySelector('#connection').innerText.includes('older')").await;
    server.signal("CONT");
    browser.press("Go on").await;
    browser.until("document.querySelector('#connection').innerText === 'Live'").await;
    server.signal("KILL");
    browser.until("document.querySelector('#connection').innerText.includes('lost')").await;
    assert!(browser.has(".runtime.stale").await, "what is old looks old");
    browser.close().await;
}
