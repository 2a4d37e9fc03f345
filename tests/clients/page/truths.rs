//! What the page says is so: numbers of articles, what has changed meanwhile, and that nothing was answered.

use reqwest::{Client, Method, StatusCode};
use serde_json::json;

use crate::{
    page::browser::Browser,
    page::site::{Site, on_both_engines},
};

const FAILING: [&str; 2] = ["embedding.scripted.fail_containing=poison", "queue.max_attempts=1"];

on_both_engines!(failures_are_counted_by_article, &super::FAILING);
on_both_engines!(all_that_is_found_can_be_reached, &[]);
on_both_engines!(what_changes_elsewhere_is_told, &[]);

async fn get(site: &Site, path: &str) -> (StatusCode, String) {
    let page = Client::new().get(site.url(path)).header("accept", "text/html").send().await.expect("an answer");
    (page.status(), page.text().await.expect("text"))
}

async fn patched(site: &Site, slug: &str, change: serde_json::Value) {
    let path = format!("/api/articles/{slug}");
    let answer = site.server.request(Method::PATCH, &path).json(&change).send().await.expect("an answer");
    assert!(answer.status().is_success());
}

async fn failures_are_counted_by_article(site: &Site) {
    for number in 0..6 {
        let slug = format!("bad-{number}");
        site.server.create(&format!("Bad {number}"), "poison").await;
        site.server.until_embedding(&slug, "failed").await;
        patched(site, &slug, json!({ "body": "poison once more" })).await;
        site.server.until_embedding(&slug, "failed").await;
    }
    let (_, page) = get(site, "/runtime").await;
    for said in ["It works, but 6 articles have failed", " · 6 articles", ">all 6</a>"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let which = page.split("/runtime/failures?which=").nth(1).and_then(|rest| rest.split('"').next()).expect("a group");
    let (_, group) = get(site, &format!("/runtime/failures?which={which}")).await;
    assert!((0..6).all(|number| group.contains(&format!("href=\"/articles/bad-{number}\""))), "{group}");
    let (_, asked) = get(site, &format!("/runtime/acts?act=retry-group&which={which}")).await;
    assert!(asked.contains("6 articles"), "{asked}");
    let gone = site.server.request(Method::DELETE, "/api/articles/bad-0").send().await.expect("an answer");
    assert!(gone.status().is_success());
    assert!(get(site, &format!("/runtime/failures?which={which}")).await.1.contains(" · 5 articles"));
    assert_eq!(get(site, "/runtime/failures?which=none").await.0, StatusCode::NOT_FOUND);
}

async fn all_that_is_found_can_be_reached(site: &Site) {
    for number in 0..45 {
        site.server.create(&format!("Rust {number}"), "rust").await;
    }
    let shown = async |place: &str| {
        let (_, page) = get(site, place).await;
        let hits = page.matches("class=\"snippet\"").count();
        let heading = page.split("<div id=\"results\"").nth(1).and_then(|rest| rest.split("<h2>").nth(1));
        let heading = heading.and_then(|rest| rest.split("</h2>").next()).expect("a heading").to_owned();
        (hits, heading, page.contains(">Show more</a>"))
    };
    assert_eq!(shown("/?q=rust&mode=keyword").await, (20, "The best 20 articles".to_owned(), true));
    assert_eq!(shown("/?q=rust&mode=keyword&hits=40").await, (40, "The best 40 articles".to_owned(), true));
    assert_eq!(shown("/?q=rust&mode=keyword&hits=60").await, (45, "45 articles, the best first".to_owned(), false));
}

async fn what_changes_elsewhere_is_told(site: &Site) {
    site.server.create("First", "text").await;
    let browser = Browser::open().await;
    browser.go(&site.url("/runtime/tasks")).await;
    browser.until_said("#connection", "Live").await;
    site.server.create("Second", "text").await;
    browser.until_said("[data-fragment=tasks]", "second").await;
    browser.go(&site.url("/runtime/trail")).await;
    browser.until_said("#connection", "Live").await;
    site.server.create("Third", "text").await;
    browser.until_said("[data-fragment=trail]", "third").await;

    browser.go(&site.url("/articles/first")).await;
    browser.until_said("#connection", "Live").await;
    assert_eq!(browser.text("[data-fragment=newer]").await, "");
    patched(site, "first", json!({ "body": "other text" })).await;
    browser.until_said("[data-fragment=newer]", "Revision 2 was saved meanwhile").await;
    browser.follow("Read it").await;
    assert!(browser.text("article").await.contains("other text"));
    browser.until_said("#connection", "Live").await;
    let gone = site.server.request(Method::DELETE, "/api/articles/first").send().await.expect("an answer");
    assert!(gone.status().is_success());
    browser.until_said("[data-fragment=newer]", "This article was deleted").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_answered_is_told() {
    let site = Site::on_sqlite(&[]);
    site.server.create("Tides", "The moon pulls.").await;
    let (admin, reader) = (site.token("boss", "admin"), site.token("writer", "write"));
    let browser = Browser::open().await;
    browser.go(&site.url("/login")).await;
    browser.write("#token", &reader).await;
    browser.follow("Sign in").await;
    browser.write("#q", "moon").await;
    browser.until_said("#results", "Tides").await;
    browser.until("document.title.startsWith('moon · Search')").await;
    browser.until("document.querySelector('#found').textContent.includes('1 article')").await;
    let live = browser.window().await;
    browser.open_window().await;
    browser.go(&site.url("/new")).await;
    let writing = browser.window().await;
    browser.switch_to(&live).await;

    let id = reader.split('_').nth(1).expect("a number");
    let revoke =
        Client::new().post(site.url(&format!("/settings/tokens/{id}/revoke"))).bearer_auth(&admin).send().await;
    assert!(revoke.expect("an answer").status().is_success());
    browser.write("#q", "water").await;
    browser.until_said("#results", "Your session has ended").await;
    assert!(!browser.text("#results").await.contains("Tides"), "no older hits below another question");
    assert!(browser.address().await.contains("q=moon"), "the address is of what was answered");
    browser.switch_to(&writing).await;
    browser.press("Preview").await;
    browser.until("document.querySelector('#preview-text a[href^=\"/login\"]')").await;

    browser.go(&site.url("/login")).await;
    browser.write("#token", &admin).await;
    browser.follow("Sign in").await;
    site.server.signal("KILL");
    browser.write("#q", "moon").await;
    browser.until_said("#results", "The server does not answer").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_may_not_go_on_says_to_sign_in() {
    let site = Site::on_sqlite(&[]);
    let (admin, reader) = (site.token("boss", "admin"), site.token("reader", "read"));
    let browser = Browser::open().await;
    browser.go(&site.url("/login?next=/runtime/tasks")).await;
    browser.write("#token", &reader).await;
    browser.follow("Sign in").await;
    browser.until_said("#connection", "Live").await;
    let id = reader.split('_').nth(1).expect("a number");
    let revoke =
        Client::new().post(site.url(&format!("/settings/tokens/{id}/revoke"))).bearer_auth(&admin).send().await;
    assert!(revoke.expect("an answer").status().is_success());
    // However the connection ends, the next one is refused.
    browser.run("source.close(); follow()").await;
    browser.until_said("#connection", "Your session has ended: sign in").await;
    browser.follow("sign in").await;
    browser.write("#token", &admin).await;
    browser.follow("Sign in").await;
    assert_eq!(browser.address().await, site.url("/runtime/tasks"));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_address_is_told_in_words_for_a_person() {
    let site = Site::on_sqlite(&[]);
    for (path, status, said) in [
        ("/runtime/acts", StatusCode::BAD_REQUEST, "this address is not complete"),
        ("/runtime/tasks/abc", StatusCode::NOT_FOUND, "nothing at this address"),
        ("/runtime/runs/abc", StatusCode::NOT_FOUND, "nothing at this address"),
        ("/settings/tokens/abc/revoke", StatusCode::NOT_FOUND, "nothing at this address"),
        ("/runtime/tasks?before=x", StatusCode::BAD_REQUEST, "this address is not complete"),
        ("/?mode=none", StatusCode::BAD_REQUEST, "this address is not complete"),
        ("/runtime/acts?act=start-run&which=all&folder=nope", StatusCode::NOT_FOUND, "no article in folder"),
    ] {
        let (found, page) = get(&site, path).await;
        assert_eq!(found, status, "{path}");
        assert!(page.contains(said) && !page.contains("eserialize") && !page.contains("`"), "{path}: {page}");
    }
}
