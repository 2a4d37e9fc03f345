//! What a person wrote is not lost, whatever happens to the save.

use reqwest::{Client, Method, StatusCode, redirect::Policy};
use serde_json::json;

use crate::{
    page::browser::Browser,
    page::site::{Site, filled, on_both_engines},
};

on_both_engines!(a_draft_is_kept_until_its_save_is_confirmed, &[]);
on_both_engines!(changes_that_go_together_are_joined, &[]);
on_both_engines!(a_deletion_is_undone_and_nothing_else, &[]);

const DRAFTS: &str = "Object.keys(localStorage).filter(key => key.startsWith('draft ')).length";

async fn signed_in(site: &Site, browser: &Browser, token: &str, place: &str) {
    browser.go(&site.url(&format!("/login?next={place}"))).await;
    browser.write("#token", token).await;
    browser.follow("Sign in").await;
    assert_eq!(browser.address().await, site.url(place));
}

async fn revoked(site: &Site, token: &str, by: &str) {
    let id = token.split('_').nth(1).expect("a number");
    let revoke = Client::new().post(site.url(&format!("/settings/tokens/{id}/revoke"))).bearer_auth(by).send().await;
    assert!(revoke.expect("an answer").status().is_success());
}

async fn body_of(site: &Site, slug: &str, token: &str) -> String {
    let article = Client::new().get(site.url(&format!("/api/articles/{slug}"))).bearer_auth(token).send().await;
    let article: serde_json::Value = article.expect("an answer").json().await.expect("JSON");
    article["body"].as_str().expect("a text").to_owned()
}

async fn a_draft_is_kept_until_its_save_is_confirmed(site: &Site) {
    site.server.create("Essay", "Before.").await;
    let admin = site.token("boss", "admin");
    let (first, second, reader) = (site.token("w1", "write"), site.token("w2", "write"), site.token("r", "read"));
    let browser = Browser::open().await;

    // The session ends before the save.
    signed_in(site, &browser, &first, "/articles/essay/edit").await;
    browser.write("#body", "A long thought.").await;
    revoked(site, &first, &admin).await;
    browser.follow("Save").await;
    assert_eq!(browser.text("h1").await, "Sign in");
    assert!(browser.text(".problem").await.contains("nothing was saved"));
    assert!(browser.value("!document.querySelector('#drafts-kept').hidden").await == true);
    browser.write("#token", &second).await;
    browser.follow("Sign in").await;
    assert_eq!(browser.address().await, site.url("/articles/essay/edit"), "where it was written");
    browser.go(&site.url("/articles/essay")).await;
    browser.go(&site.url("/articles/essay/edit")).await;
    assert_eq!(browser.value(DRAFTS).await, 1, "a view of the article is no save");
    browser.press("Go on with it").await;
    assert_eq!(browser.value("document.querySelector('#body').value").await, "A long thought.");

    // It is sent with a token that may not save.
    let writing = browser.window().await;
    browser.open_window().await;
    signed_in(site, &browser, &reader, "/").await;
    browser.switch_to(&writing).await;
    browser.follow("Save").await;
    assert_eq!(browser.text("h1").await, "Not allowed");
    assert!(browser.text(".problem").await.contains("Nothing was saved"));
    browser.follow("Sign in with another token").await;
    browser.write("#token", &second).await;
    browser.follow("Sign in").await;
    browser.press("Go on with it").await;
    browser.follow("Save").await;
    assert_eq!(browser.address().await, site.url("/articles/essay"));
    assert_eq!(browser.value(DRAFTS).await, 0, "it is saved");
    assert_eq!(browser.value("document.cookie").await, "");
    assert_eq!(body_of(site, "essay", &second).await, "A long thought.");

    // Back to the form, and on from there.
    browser.run("window.left = true; history.back()").await;
    browser.until("!window.left && document.readyState === 'complete' && location.pathname.endsWith('/edit')").await;
    browser.until("document.querySelector('[name=revision]').value === '2'").await;
    browser.write("#body", "A longer thought.").await;
    browser.follow("Save").await;
    assert_eq!(browser.address().await, site.url("/articles/essay"), "nobody saved in between");

    // Two windows write two articles.
    browser.go(&site.url("/new")).await;
    browser.write("#title", "One").await;
    browser.write("#body", "of the first window").await;
    browser
        .switch_to(&{
            let first = browser.window().await;
            browser.open_window().await;
            browser.go(&site.url("/new")).await;
            browser.write("#title", "Two").await;
            browser.write("#body", "of the second window").await;
            browser.follow("Save").await;
            first
        })
        .await;
    assert_eq!(browser.value(DRAFTS).await, 1, "each has a draft of its own");
    browser.go(&site.url("/new")).await;
    browser.until_said("#drafts", "One").await;
    browser.press("Go on with it").await;
    assert_eq!(browser.value("document.querySelector('#body').value").await, "of the first window");
    browser.follow("Save").await;
    assert_eq!(browser.value(DRAFTS).await, 0);

    // Without room nothing is kept, and that is said.
    browser.go(&site.url("/articles/one/edit")).await;
    let full = "for (let size = 1 << 22; size >= 1; size >>= 1) for (;;) {
                    try { localStorage.setItem(`fill ${localStorage.length}`, 'x'.repeat(size)); } catch { break; } }";
    browser.run(full).await;
    assert_eq!(browser.value("document.querySelector('#unkept').hidden").await, true);
    browser.write("#body", &"too much ".repeat(20)).await;
    assert_eq!(browser.value("document.querySelector('#unkept').hidden").await, false);
    browser.run("localStorage.clear()").await;
    browser.write("#body", "There is room.").await;
    assert_eq!(browser.value("document.querySelector('#unkept').hidden").await, true);
    browser.close().await;
}

async fn changes_that_go_together_are_joined(site: &Site) {
    let body = "one\n\ntwo\n\nthree\n";
    assert_eq!(
        site.server
            .post("/api/articles", &json!({ "title": "Hands", "body": body, "properties": { "a": "1" } }))
            .await
            .status(),
        201
    );
    let browser = Browser::open().await;
    browser.go(&site.url("/articles/hands/edit")).await;
    browser.write("#body", "ONE\n\ntwo\n\nthree\n").await;
    let change = json!({ "title": "Both hands", "body": "one\n\ntwo\n\nTHREE\n" });
    let change = site.server.request(Method::PATCH, "/api/articles/hands").json(&change).send().await;
    assert!(change.expect("an answer").status().is_success());
    // A draft is offered although the article is at another revision by now.
    browser.go(&site.url("/articles/hands/edit")).await;
    browser.until_said("#drafts", "written on revision 1; the article is at revision 2 now").await;
    browser.press("Go on with it").await;
    browser.follow("Save").await;
    assert_eq!(browser.text("h1").await, "Saved in between");
    let changes = browser.text("#theirs").await;
    assert!(changes.contains("THREE") && changes.contains("Both hands") && !changes.contains("ONE"), "{changes}");
    let changes = browser.text("#yours").await;
    assert!(changes.contains("ONE") && !changes.contains("THREE") && !changes.contains("Both hands"), "{changes}");
    // Who leaves loses nothing.
    browser.go(&site.url("/articles/hands/edit")).await;
    browser.press("Go on with it").await;
    browser.follow("Save").await;
    if browser.text("h1").await == "Saved in between" {
        browser.follow("Save both as the next revision").await;
    }
    let article = site.server.json("/api/articles/hands").await;
    assert_eq!((&article["title"], &article["body"]), (&json!("Both hands"), &json!("ONE\n\ntwo\n\nTHREE\n")));
    assert_eq!(article["properties"], json!({ "a": "1" }));
    assert_eq!(browser.value(DRAFTS).await, 0);

    browser.go(&site.url("/articles/hands/edit")).await;
    browser.write("#body", "mine\n").await;
    let change =
        site.server.request(Method::PATCH, "/api/articles/hands").json(&json!({ "body": "theirs\n" })).send().await;
    assert!(change.expect("an answer").status().is_success());
    browser.follow("Save").await;
    browser.follow("Keep theirs, and discard mine").await;
    assert_eq!(browser.value(DRAFTS).await, 0, "nothing is offered later");
    browser.close().await;
}

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("a client")
}

async fn page(site: &Site, path: &str) -> String {
    let page = client().get(site.url(path)).header("accept", "text/html").send().await.expect("an answer");
    page.text().await.expect("text")
}

async fn a_deletion_is_undone_and_nothing_else(site: &Site) {
    site.server.create("Victim", "first").await;
    let change = site.server.request(Method::PATCH, "/api/articles/victim").json(&json!({ "body": "second" })).send();
    assert!(change.await.expect("an answer").status().is_success());
    assert!(!page(site, "/?deleted=victim").await.contains("Undo"), "it is not deleted");
    let undo =
        async || filled(client().post(site.url("/articles/victim/restore")), &[]).send().await.expect("an answer");
    assert_eq!(undo().await.status(), StatusCode::CONFLICT);
    let article = site.server.json("/api/articles/victim").await;
    assert_eq!((&article["revision"], &article["body"]), (&json!(2), &json!("second")));

    let deleted = filled(client().post(site.url("/articles/victim/delete")), &[("revision", "2")]).send().await;
    let place = deleted.expect("an answer").headers()["location"].to_str().expect("text").to_owned();
    let said = page(site, &place).await;
    assert!(said.contains("Undo") && said.contains("Victim"), "{said}");
    assert_eq!(undo().await.status(), StatusCode::SEE_OTHER);
    assert_eq!(site.server.json("/api/articles/victim").await["body"], "second");
    assert!(!page(site, &place).await.contains("Undo"), "it is there again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_is_not_lost_to_the_beginning_of_the_text() {
    let site = Site::on_sqlite(&[]);
    let body = "---\r\nstatus: draft\r\n---\r\nText";
    let send = async |path: &str, fields: &[(&str, &str)]| {
        filled(client().post(site.url(path)), fields).send().await.expect("an answer")
    };
    let new = [("title", "Twice"), ("body", body), ("properties", "status: final"), ("act", "save")];
    let refused = send("/new", &new).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await.expect("text");
    assert!(refused.contains("id=\"properties-problem\"") && refused.contains("status: final</textarea>"), "{refused}");
    let new = [("title", "Once"), ("body", body), ("properties", "rating: 4"), ("act", "save")];
    assert_eq!(send("/new", &new).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(site.server.json("/api/articles/once").await["properties"], json!({ "status": "draft", "rating": 4 }));

    // Pasted in later, it is the same.
    let new = [("title", "Later"), ("body", "Text"), ("properties", "status: final"), ("act", "save")];
    assert_eq!(send("/new", &new).await.status(), StatusCode::SEE_OTHER);
    let edit =
        [("title", "Later"), ("body", body), ("properties", "status: final"), ("revision", "1"), ("act", "save")];
    assert_eq!(send("/articles/later/edit", &edit).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(site.server.json("/api/articles/later").await["properties"], json!({ "status": "final" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_brought_in_as_an_import_reads_them() {
    let site = Site::on_sqlite(&[]);
    let browser = Browser::open().await;
    browser.go(&site.url("/new")).await;
    let bring = async |kind: &str, target: &str, file: &str| {
        let script = format!(
            "const files = new DataTransfer(); files.items.add({file});
             const event = new {};
             {target}.dispatchEvent(event);",
            if kind == "paste" {
                "ClipboardEvent('paste', { clipboardData: files, bubbles: true, cancelable: true })"
            } else {
                "DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })"
            }
        );
        browser.run(&script).await;
    };
    let body = "document.querySelector('#body')";
    bring("drop", body, "new File([new Uint8Array([0x4d, 0xfc, 0x6c, 0x6c])], 'latin.md', { type: 'text/markdown' })")
        .await;
    browser.until_said("#editor-problem", "latin.md is not in UTF-8").await;
    assert_eq!(browser.value(&format!("{body}.value")).await, "", "nothing became something else");
    // A browser would leave the page for what is dropped beside the field.
    bring("drop", "document.body", "new File(['%PDF'], 'paper.pdf', { type: 'application/pdf' })").await;
    browser.until_said("#editor-problem", "paper.pdf is no text").await;
    let note = "new File(['---\\ntitle: \"The name\"\\n---\\n# A heading\\n\\nText.\\n'], 'note.md')";
    bring("drop", "document.body", note).await;
    browser.until(&format!("{body}.value.includes('# A heading')")).await;
    assert_eq!(browser.value("document.querySelector('#title').value").await, "The name");
    assert_eq!(browser.value("document.querySelector('#editor-problem').hidden").await, true);
    browser.write("#body", "before after").await;
    browser.run(&format!("{body}.setSelectionRange(6, 6)")).await;
    bring("paste", body, "new File(['pasted'], 'piece.txt', { type: 'text/plain' })").await;
    browser.until(&format!("{body}.value === 'before\\n\\npasted after'")).await;
    browser.close().await;
}
