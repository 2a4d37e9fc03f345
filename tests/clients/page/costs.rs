//! The cost of the page: the bytes of a first view, and that open views slow no one else down.

use reqwest::Client;

use crate::{page::site::Site, support::process::STUCK};

/// A first view with everything that it needs. *Units:* bytes.
const FIRST_VIEW: usize = 100 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_first_view_is_small_and_brings_all_it_needs() {
    let site = Site::on_sqlite(&[]);
    for number in 0..60 {
        site.server.create(&format!("A title of the usual length, number {number}"), "text").await;
    }
    let client = Client::new();
    for path in ["/", "/?q=title", "/runtime", "/runtime/tasks"] {
        let page = client.get(site.url(path)).header("accept", "text/html").send().await.expect("an answer");
        let page = page.text().await.expect("text");
        let mut sent = page.len();
        let addresses = page.split("\"").filter(|part| part.starts_with("/page/"));
        for address in addresses {
            let response = client.get(site.url(address)).send().await.expect("an answer");
            assert!(response.headers()["cache-control"].to_str().expect("text").contains("immutable"), "{address}");
            sent += response.bytes().await.expect("bytes").len();
        }
        assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "nothing from elsewhere");
        assert!(sent <= FIRST_VIEW, "{path}: {sent} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_happens_nothing_is_sent_but_that_the_server_is_there() {
    let site = Site::on_sqlite(&[]);
    site.server.create("A note", "text").await;
    site.server.until_embedding("a-note", "completed").await;
    let mut followed = site.server.get("/live/runtime").await;
    let silence = async {
        let mut heard = String::new();
        // It is sent when nothing else was sent for a while.
        while !heard.contains("event: alive") {
            let chunk = followed.chunk().await.expect("events").expect("a server that goes on");
            heard.push_str(&String::from_utf8_lossy(&chunk));
        }
        heard
    };
    let heard = tokio::time::timeout(STUCK, silence).await.expect("silence");
    assert!(heard.contains("WorkerActor 0") && heard.contains("Everything works"), "{heard}");
}
