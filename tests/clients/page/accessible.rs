//! Accessible to everyone: no violation of axe-core on any page, in both colour schemes, on a phone and on a wide
//! screen.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{page::browser::Browser, page::site::Site};

fn axe() -> String {
    let home = PathBuf::from(std::env::var_os("HOME").expect("a home"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|| home.join(".cache"));
    let path = cache.join("afterword-test/axe/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(path).expect("axe-core; scripts/test installs it")
}

const SETTINGS: [&str; 2] = ["embedding.scripted.fail_containing=poison", "queue.max_attempts=1"];

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page_in_either_scheme_on_sqlite() {
    axe_finds_nothing_on_any_page_in_either_scheme(&Site::on_sqlite(&SETTINGS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page_in_either_scheme_on_postgres() {
    axe_finds_nothing_on_any_page_in_either_scheme(&Site::on_postgres(&SETTINGS).await).await;
}

async fn axe_finds_nothing_on_any_page_in_either_scheme(site: &Site) {
    let server = &site.server;
    let browser = Browser::open().await;
    let look = axe()
        + "; window.look = async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
        .map(found => `${found.id}: ${found.nodes.slice(0, 3).map(node => node.html).join(' | ')}`)";
    browser.go(&server.url("/")).await;
    violations(&browser, &look, "/ while it is empty").await;
    let front_matter = "status: in work\naliases: [All, Every thing]\ndescription: What there is";
    let body = "# Markup\n\nA [link](https://example.org), `code`, ~~old~~[^1], https://example.org, [[fails]], [[nobody]], #tag.\n\n- [x] done\n\n> said\n\n```rust\nfn main() {}\n```\n\n\
                ## Tables\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## עברית\n\nטקסט מימין לשמאל.\n\n[^1]: A note.";
    server.create("Everything at once", body).await;
    server.create("Fails", "poison").await;
    let elsewhere =
        json!({ "title": "Elsewhere", "body": "In a folder.", "folder": "a folder/with a long name/of three" });
    assert_eq!(server.post("/api/articles", &elsewhere).await.status(), 201);
    server.until_embedding("fails", "failed").await;
    server.until_embedding("everything-at-once", "completed").await;
    browser.go(&server.url("/articles/everything-at-once/edit")).await;
    browser.run("document.querySelector('#body').value += '\\n\\nChanged.'").await;
    browser.write("#properties", front_matter).await;
    browser.follow("Save").await;
    let task = server.json("/api/queue/tasks").await["tasks"][0]["id"].to_string();
    let task = format!("/runtime/tasks/{task}");
    let runtime = server.request(reqwest::Method::GET, "/runtime").header("accept", "text/html").send().await;
    let runtime = runtime.expect("an answer").text().await.expect("text");
    let which = runtime.split("act=retry-group&amp;which=").nth(1).and_then(|rest| rest.split('"').next());
    let group = format!("/runtime/failures?which={}", which.expect("a group"));
    for (width, height) in [(390, 800), (1280, 900)] {
        browser.size(width, height).await;
        for place in [
            "/",
            "/?q=everything",
            "/?filter=status%3A%22in%20work%22",
            "/?filter=nonsense",
            "/tags",
            "/new",
            "/articles/everything-at-once",
            "/articles/everything-at-once/edit",
            "/articles/everything-at-once/history",
            "/articles/fails/delete",
            "/articles/fails/rename",
            "/articles/nowhere",
            "/deleted",
            "/login",
            "/runtime",
            "/runtime/tasks",
            &group,
            &task,
            "/runtime/runs",
            "/runtime/trail",
            "/runtime/acts?act=pause",
            "/settings",
            "/settings/tokens",
            "/settings/effective",
            "/settings/figures",
        ] {
            browser.go(&server.url(place)).await;
            violations(&browser, &look, &format!("{place} at {width}")).await;
            let wide =
                browser.value("document.documentElement.scrollWidth > document.documentElement.clientWidth").await;
            assert_eq!(wide, false, "{place} fits {width}");
        }
    }
    after_an_act(site, &browser, &look).await;
    browser.close().await;
}

/// What is shown only after something was sent: a refusal, a conflict, a question about a token.
async fn after_an_act(site: &Site, browser: &Browser, look: &str) {
    browser.go(&site.url("/new")).await;
    browser.write("#title", "Refused").await;
    browser.write("#properties", "this is no property").await;
    browser.follow("Save").await;
    assert!(browser.has("#properties-problem").await);
    violations(browser, look, "/new after a refusal").await;
    browser.go(&site.url("/articles/everything-at-once/edit")).await;
    let change = json!({ "body": "Changed in between.", "properties": { "status": "final" } });
    let change = site.server.request(reqwest::Method::PATCH, "/api/articles/everything-at-once").json(&change);
    assert!(change.send().await.expect("an answer").status().is_success());
    browser.follow("Save").await;
    assert_eq!(browser.text("h1").await, "Saved in between");
    violations(browser, look, "a conflict").await;
    browser.go(&site.url("/articles/fails/rename")).await;
    browser.write("#to", "Not A Slug").await;
    browser.follow("Rename").await;
    assert!(browser.has("p.problem").await);
    violations(browser, look, "a refused new name").await;
    let admin = site.token("looks", "admin");
    let id = admin.split('_').nth(1).expect("a number");
    browser.go(&site.url(&format!("/settings/tokens/{id}/revoke"))).await;
    violations(browser, look, "signing in").await;
    browser.write("#token", &admin).await;
    browser.follow("Sign in").await;
    assert_eq!(browser.text("h1").await, "Revoke this token?");
    violations(browser, look, "the question about a token").await;
}

async fn violations(browser: &Browser, look: &str, place: &str) {
    browser.run(look).await;
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        let found = browser.awaited("look().then(done, error => done([String(error)]))").await;
        assert_eq!(found, Value::Array(Vec::new()), "{place}, {scheme}");
    }
}
