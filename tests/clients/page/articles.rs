//! Writing, reading, finding, and a conflict with another save.

use crate::{
    page::browser::Browser,
    page::site::{Site, filled, on_both_engines},
};

on_both_engines!(a_person_writes_reads_and_finds, &[]);
on_both_engines!(two_windows_meet, &[]);
on_both_engines!(folders_lead_to_those_below_them, &[]);

async fn a_person_writes_reads_and_finds(site: &Site) {
    let browser = Browser::open().await;
    browser.go(&site.url("/")).await;
    assert!(browser.text("main").await.contains("Nothing is written here yet"));
    browser.follow("Write an article").await;
    browser.write("#title", "Tides of the North Sea").await;
    browser.write("#folder", "sea/north").await;
    browser
        .write("#body", "# Springs\n\nThe moon pulls the water.\n\n## Neaps\n\nLess so.\n\n## Storms\n\nWind.")
        .await;
    browser.press("Preview").await;
    browser.until_said("#preview-text", "The moon pulls the water.").await;
    browser.follow("Save").await;
    assert_eq!(browser.address().await, site.url("/articles/tides-of-the-north-sea"));
    assert_eq!(browser.text("h1").await, "Tides of the North Sea");
    assert!(browser.text(".contents").await.contains("Neaps"));
    // It becomes searchable while its view is open.
    browser.until_said("#status", "searchable").await;

    browser.go(&site.url("/")).await;
    browser.write("#q", "What does the moon do to the water?").await;
    browser.until_said("#results", "by its meaning").await;
    assert!(browser.has("#results mark").await, "what was looked for is marked");
    browser.follow("Tides of the North Sea").await;

    // Keys.
    browser.key("?").await;
    browser.until("document.querySelector('dialog').open").await;
    browser.run("document.querySelector('dialog').close()").await;
    browser.key("e").await;
    browser.until("location.pathname.endsWith('/edit') && document.readyState === 'complete'").await;
    // A draft that was not saved is offered again.
    browser.write("#body", "An unsaved thought.").await;
    browser.go(&site.url("/articles/tides-of-the-north-sea/edit")).await;
    browser.press("Go on with it").await;
    assert_eq!(browser.value("document.querySelector('#body').value").await, "An unsaved thought.");
    browser.follow("Save").await;
    browser.until_said("article", "An unsaved thought.").await;
    browser.go(&site.url("/articles/tides-of-the-north-sea/history")).await;
    assert!(browser.text(".difference").await.contains("The moon pulls the water."));

    browser.go(&site.url("/articles/tides-of-the-north-sea")).await;
    browser.follow("Delete").await;
    browser.follow("Delete").await;
    browser.follow("Undo").await;
    assert_eq!(browser.text("h1").await, "Tides of the North Sea");
    browser.close().await;
}

async fn folders_lead_to_those_below_them(site: &Site) {
    for (number, folder) in ["a", "a/b/deep", "a/b c", "a/b", "a0", "ä/文", ""].into_iter().enumerate() {
        let new = serde_json::json!({ "title": format!("Note {number}"), "body": "text", "folder": folder });
        assert_eq!(site.server.post("/api/articles", &new).await.status(), 201);
    }
    for (place, below) in [
        ("/", vec!["a", "a0", "ä"]),
        ("/?folder=a", vec!["b", "b c"]),
        ("/?folder=a/b", vec!["deep"]),
        ("/?folder=a0", vec![]),
    ] {
        let page = site.server.request(reqwest::Method::GET, place).header("accept", "text/html").send().await;
        let page = page.expect("an answer").text().await.expect("text");
        let list = page
            .split("<nav class=\"folders\"")
            .nth(1)
            .and_then(|rest| rest.split("</nav>").next())
            .unwrap_or_default();
        let found: Vec<_> = list.split("</a>").filter_map(|link| link.rsplit_once('>')).map(|(_, name)| name).collect();
        assert_eq!(found[..found.len().saturating_sub(1)], below, "{place}");
    }
}

async fn two_windows_meet(site: &Site) {
    site.server.create("Two hands", "one\ntwo\nthree").await;
    let browser = Browser::open().await;
    browser.go(&site.url("/articles/two-hands/edit")).await;
    let first = browser.window().await;
    browser.open_window().await;
    browser.go(&site.url("/articles/two-hands/edit")).await;
    browser.write("#body", "one\nTWO of the second\nthree").await;
    browser.follow("Save").await;
    browser.switch_to(&first).await;
    browser.write("#body", "one\nTWO of the first\nthree").await;
    browser.follow("Save").await;
    assert_eq!(browser.text("h1").await, "Saved in between");
    let changed = async |name: &str| browser.text(&format!("#{name} ins")).await;
    assert_eq!(changed("theirs").await, "TWO of the second");
    assert_eq!(changed("yours").await, "TWO of the first");
    assert_eq!(browser.value("document.querySelector('#body').value").await, "one\nTWO of the first\nthree");
    browser.follow("Save mine instead of theirs").await;
    assert!(browser.text("article").await.contains("TWO of the first"));
    let article = site.server.json("/api/articles/two-hands").await;
    assert_eq!((&article["revision"], &article["body"]), (&3.into(), &"one\nTWO of the first\nthree".into()));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_searching_and_writing_need_no_script() {
    let site = Site::on_sqlite(&[]);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let form = [("title", "Plain"), ("body", "Words without a script."), ("act", "save")];
    let saved = filled(client.post(site.url("/new")), &form).send().await.expect("an answer");
    assert_eq!(saved.status(), 303);
    assert_eq!(saved.headers()["location"], "/articles/plain");
    let get = |path: &'static str| client.get(site.url(path)).header("accept", "text/html").send();
    for (path, said) in [
        ("/articles/plain", "Words without a script."),
        ("/?q=script", "<mark>script</mark>"),
        ("/", "Plain"),
        ("/articles/plain/history", "Revision 1"),
        ("/articles/plain/edit", "Words without a script."),
    ] {
        let page = get(path).await.expect("an answer").text().await.expect("text");
        assert!(page.contains(said), "{path}: {page}");
    }
    let preview = filled(client.post(site.url("/new")), &[("title", "T"), ("body", "*new*"), ("act", "preview")]);
    let preview = preview.send().await.expect("an answer").text().await.expect("text");
    assert!(preview.contains("<em>new</em>") && preview.contains("*new*</textarea>"), "{preview}");
    let refused =
        filled(client.post(site.url("/new")), &[("title", " "), ("body", "kept all the same"), ("act", "save")]);
    let refused = refused.send().await.expect("an answer");
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.expect("text").contains("kept all the same"), "what was written is not lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_shows_its_tags_and_what_links_to_it() {
    let site = Site::on_sqlite(&[]);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    for (title, body) in [("Moon", "It pulls. #sea #<b>"), ("Tides", "See [[moon]].")] {
        let form = [("title", title), ("body", body), ("act", "save")];
        assert_eq!(filled(client.post(site.url("/new")), &form).send().await.expect("an answer").status(), 303);
    }
    let textless = filled(client.post(site.url("/articles/moon/edit")), &[("title", "Moon"), ("act", "save")]);
    assert!(textless.send().await.expect("an answer").status().is_client_error(), "nothing is emptied by mistake");
    let get = |path: &'static str| client.get(site.url(path)).header("accept", "text/html").send();
    let page = get("/articles/moon").await.expect("an answer").text().await.expect("text");
    assert!(page.contains("Linked from") && page.contains("href=\"/articles/tides\""), "{page}");
    assert!(page.contains("href=\"/?filter=tag%3Asea\""), "{page}");
    let page = get("/?q=tag%3Asea").await.expect("an answer").text().await.expect("text");
    assert!(page.contains("1 article"), "{page}");
    let page = get("/articles/tides").await.expect("an answer").text().await.expect("text");
    assert!(!page.contains("Linked from"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_form_cannot_keep_is_kept() {
    let site = Site::on_sqlite(&[]);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let body = "---\r\nstatus: draft\r\n---\r\n# Lines\r\n\r\none\r\ntwo\r\n";
    let new = serde_json::json!({ "title": "Lines", "body": body });
    assert_eq!(site.server.post("/api/articles", &new).await.status(), 201);
    let page = client.get(site.url("/articles/lines")).header("accept", "text/html").send().await.expect("an answer");
    let page = page.text().await.expect("text");
    assert!(page.contains("one") && !page.contains("status: draft"), "front matter is no text: {page}");
    // As a browser sends it.
    let save = async |revision: &str, body: &str| {
        let form = [("title", "Lines"), ("body", body), ("revision", revision), ("act", "save")];
        let saved = filled(client.post(site.url("/articles/lines/edit")), &form).send().await.expect("an answer");
        assert_eq!(saved.status(), 303);
        site.server.json("/api/articles/lines").await
    };
    assert_eq!(save("1", body).await["revision"], 1, "nothing has changed");
    let changed = body.replace("two", "three");
    assert_eq!(save("1", &changed).await["body"], changed);
}
