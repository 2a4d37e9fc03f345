//! How articles look: on the screen, on paper, and what is at hand beside them.

use serde_json::json;

use crate::{page::browser::Browser, page::site::Site};

#[tokio::test(flavor = "multi_thread")]
async fn an_article_looks_as_it_is_written_on_the_screen_and_on_paper() {
    let site = Site::on_sqlite(&[]);
    let body = format!(
        "~~gone~~\n\n## Part\n\nSee https://example.org/a_b[^1].\n\n```\nlet x = \"{}\";\n```\n\n| a | b |\n|---|---|\n| {} | 2 |\n\n[^1]: A note.",
        "long ".repeat(80),
        "wide".repeat(60)
    );
    assert_eq!(site.server.post("/api/articles", &json!({ "title": "Looks", "body": body })).await.status(), 201);
    let browser = Browser::open().await;
    browser.go(&site.url("/articles/looks")).await;
    let style = async |css: &str, name: &str| {
        let value = browser.value(&format!("getComputedStyle(document.querySelector({css:?}))[{name:?}]")).await;
        value.as_str().unwrap_or_default().to_owned()
    };
    assert!(style(".prose del", "textDecorationLine").await.contains("line-through"));
    for css in [
        "a[href='https://example.org/a_b']",
        "h3 .permalink[href='#text-part']",
        ".code .copy",
        "a[href='#text-ref_1']",
    ] {
        assert!(browser.has(css).await, "{css}");
    }
    browser.press("Copy").await;
    browser.until("document.querySelector('.copy').textContent === 'Copied'").await;

    browser.run("localStorage.setItem('theme', 'dark')").await;
    browser.go(&site.url("/articles/looks")).await;
    browser.devtools("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
    browser.size(700, 900).await;
    assert_eq!(style("html", "colorScheme").await, "light", "black on white");
    let cut = "['.prose pre', '.prose table'].filter(css => { const box = document.querySelector(css); return box.scrollWidth > box.clientWidth + 1; })";
    assert_eq!(browser.value(cut).await, json!([]), "paper does not scroll");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_can_be_switched_off_and_a_form_is_saved_by_them() {
    let site = Site::on_sqlite(&[]);
    site.server.create("Keyed", "text").await;
    let browser = Browser::open().await;
    browser.go(&site.url("/articles/keyed")).await;
    browser.key("?").await;
    browser.run("document.querySelector('#single-keys').click(); document.querySelector('dialog').close()").await;
    browser.key("?").await;
    assert_eq!(browser.value("document.querySelector('dialog').open").await, false);
    browser.go(&site.url("/articles/keyed/edit")).await;
    browser.write("#body", "saved by a key").await;
    browser
        .run("window.left = true; document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 's', ctrlKey: true, bubbles: true, cancelable: true }))")
        .await;
    browser.until("!window.left && document.readyState === 'complete'").await;
    assert!(browser.text("article").await.contains("saved by a key"));
    // What has to be changed has the focus after a refusal.
    browser.go(&site.url("/new")).await;
    browser.write("#title", "Refused").await;
    browser.write("#folder", "..").await;
    browser.follow("Save").await;
    assert_eq!(browser.value("document.activeElement.id").await, "folder");
    browser.close().await;
}
