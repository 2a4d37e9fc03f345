//! Accessible to everyone: no violation of axe-core on any page, in both colour schemes, on a phone and on a wide
//! screen.

use std::path::PathBuf;

use serde_json::Value;

use crate::{page::browser::Browser, support::process::Server};

fn axe() -> String {
    let home = PathBuf::from(std::env::var_os("HOME").expect("a home"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|| home.join(".cache"));
    let path = cache.join("afterword-test/axe/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(path).expect("axe-core; scripts/test installs it")
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page_in_either_scheme() {
    let server = Server::start(&["embedding.scripted.fail_containing=poison", "queue.max_attempts=1"]);
    let browser = Browser::open().await;
    let look = axe()
        + "; window.look = async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
        .map(found => `${found.id}: ${found.nodes.slice(0, 3).map(node => node.html).join(' | ')}`)";
    browser.go(&server.url("/")).await;
    violations(&browser, &look, "/ while it is empty").await;
    let body = "# Markup\n\nA [link](https://example.org), `code`, ~~old~~.\n\n- [x] done\n\n> said\n\n```rust\nfn main() {}\n```\n\n\
                ## Tables\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## עברית\n\nטקסט מימין לשמאל.";
    server.create("Everything at once", body).await;
    server.create("Fails", "poison").await;
    server.until_embedding("fails", "failed").await;
    server.until_embedding("everything-at-once", "completed").await;
    browser.go(&server.url("/articles/everything-at-once/edit")).await;
    browser.write("#body", "# Markup\n\nChanged.").await;
    browser.follow("Save").await;
    let task = server.json("/api/queue/tasks").await["tasks"][0]["id"].to_string();
    let task = format!("/runtime/tasks/{task}");
    for (width, height) in [(390, 800), (1280, 900)] {
        browser.size(width, height).await;
        for place in [
            "/",
            "/?q=everything",
            "/new",
            "/articles/everything-at-once",
            "/articles/everything-at-once/edit",
            "/articles/everything-at-once/history",
            "/articles/fails/delete",
            "/articles/nowhere",
            "/deleted",
            "/login",
            "/runtime",
            "/runtime/tasks",
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
    browser.close().await;
}

async fn violations(browser: &Browser, look: &str, place: &str) {
    browser.run(look).await;
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        let found = browser.awaited("look().then(done, error => done([String(error)]))").await;
        assert_eq!(found, Value::Array(Vec::new()), "{place}, {scheme}");
    }
}
