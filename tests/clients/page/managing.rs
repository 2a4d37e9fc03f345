//! Managing the runtime: pause and resume, grouped failures and their retry, bulk runs, a change of model.

use serde_json::json;

use crate::{
    page::browser::Browser,
    page::site::{Site, on_both_engines},
    support::process::STUCK,
};

on_both_engines!(
    an_operator_pauses_retries_and_runs,
    &["embedding.scripted.fail_containing=poison", "embedding.scripted.fail_times=2", "queue.max_attempts=1"]
);

async fn an_operator_pauses_retries_and_runs(site: &Site) {
    let browser = Browser::open().await;
    browser.go(&site.url("/runtime")).await;
    browser.until_said("#sentence", "Everything works").await;
    assert!(browser.text("[data-fragment=hosts]").await.contains("WorkerActor 0"));

    browser.follow("Pause the queue…").await;
    assert!(browser.text("main").await.contains("All hosts finish what they have begun"), "it says what it will do");
    browser.follow("Yes, do it").await;
    browser.until_said("#sentence", "Paused").await;
    site.server.create("Waits", "nothing embeds this").await;
    browser.until_said("#figures", "1").await;
    browser.follow("Resume the queue…").await;
    assert!(browser.text("main").await.contains("1 task wait"));
    browser.follow("Yes, do it").await;
    browser.until_said("#sentence", "Everything works").await;
    site.server.until_embedding("waits", "completed").await;

    for name in ["First", "Second"] {
        site.server.create(name, &format!("poison of the {name}")).await;
        site.server.until_embedding(&name.to_lowercase(), "failed").await;
    }
    browser.until_said("[data-fragment=failures]", "2 articles").await;
    assert!(browser.text("[data-fragment=failures]").await.contains("scripted failure"));
    browser.follow("Retry all of these").await;
    assert!(browser.text("main").await.contains("2 articles that failed alike"));
    browser.follow("Yes, do it").await;
    site.server.until_embedding("second", "completed").await;
    browser.until_said("[data-fragment=failures]", "Nothing has failed").await;
    browser.until_said("[data-fragment=trail]", "completed").await;

    browser.go(&site.url("/runtime/tasks?article=second")).await;
    let task = browser.text("tbody td a").await;
    browser.go(&site.url(&format!("/runtime/tasks/{task}"))).await;
    assert!(browser.text(".legend").await.contains("worked"), "its life, told apart");

    browser.go(&site.url("/runtime/runs")).await;
    browser.run("document.querySelector('#which').value = 'all'").await;
    browser.follow("Start a run…").await;
    assert!(browser.text("main").await.contains("3 articles"), "to how many");
    browser.follow("Yes, do it").await;
    browser.go(&site.url("/runtime")).await;
    browser.until_said("[data-fragment=runs]", "completed").await;
    browser.until_said("[data-fragment=runs]", "3 embedded, 0 failed").await;
    let trail = browser.text("[data-fragment=trail]").await;
    assert!(trail.contains("by local") || trail.contains("completed"), "{trail}");
    browser.go(&site.url("/settings")).await;
    assert!(browser.text("main").await.contains("How it is"));
    browser.follow("Examine the disk, the data and the model's files").await;
    let examined = browser.text("main").await;
    for part in ["writing", "possible", "data", "sound", "3 articles, all embedded", "english"] {
        assert!(examined.contains(part), "{part}: {examined}");
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_model_is_followed_to_its_end_on_sqlite() {
    a_change_of_model_is_followed_to_its_end(Site::on_sqlite(&["embedding.model=old-words"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_model_is_followed_to_its_end_on_postgres() {
    a_change_of_model_is_followed_to_its_end(Site::on_postgres(&["embedding.model=old-words"]).await).await;
}

async fn a_change_of_model_is_followed_to_its_end(first: Site) {
    for number in 0..5 {
        first.server.create(&format!("Note {number}"), "text").await;
    }
    first.server.until_embedding("note-4", "completed").await;
    let site = first.restarted(&["embedding.model=new-words", "queue.slots=1"]);
    let server = &site.server;
    let browser = Browser::open().await;
    browser.go(&server.url("/runtime/runs")).await;
    browser.until("document.body.innerText.includes('new-words')").await;
    let whole = async {
        while server.json("/api/queue/stats").await["coverage"]["embedded"] != json!(5) {
            server.get("/api/events").await.chunk().await.expect("events");
        }
    };
    tokio::time::timeout(STUCK, whole).await.expect("all is embedded anew");
    let until_used = async {
        loop {
            browser.go(&server.url("/runtime/runs")).await;
            if browser.text("main").await.contains("Searches use new-words") {
                return;
            }
        }
    };
    tokio::time::timeout(STUCK, until_used).await.expect("the new model is used");
    browser.close().await;
}
