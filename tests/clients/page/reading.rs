//! What an article leads to: links, properties, tags and lists by filter, and a new name.

use reqwest::{Client, Response, StatusCode, redirect::Policy};
use serde_json::json;

use crate::page::site::{Site, filled, on_both_engines};

on_both_engines!(links_lead_to_articles_or_say_that_they_lead_nowhere, &[]);
on_both_engines!(properties_are_shown_changed_and_refused, &[]);
on_both_engines!(lists_are_by_filter_and_tags_lead_to_them, &[]);
on_both_engines!(a_new_name_takes_the_links_along_if_wanted, &[]);

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("a client")
}

async fn page(site: &Site, path: &str) -> String {
    let page = client().get(site.url(path)).header("accept", "text/html").send().await.expect("an answer");
    page.text().await.expect("text")
}

async fn send(site: &Site, path: &str, fields: &[(&str, &str)]) -> Response {
    filled(client().post(site.url(path)), fields).send().await.expect("an answer")
}

async fn create(site: &Site, article: serde_json::Value) {
    assert_eq!(site.server.post("/api/articles", &article).await.status(), 201);
}

async fn links_lead_to_articles_or_say_that_they_lead_nowhere(site: &Site) {
    create(site, json!({ "title": "The Handbook", "slug": "handbook", "body": "## High Tides\n\nx" })).await;
    create(
        site,
        json!({ "title": "By alias", "slug": "other", "body": "x", "properties": { "aliases": ["The Guide"] } }),
    )
    .await;
    let body = "[[The Guide]], [[handbook#High Tides|tides]], [[The Handbook]], [a](../a/handbook.md#high-tides), \
                [b](article://handbook), [[Nobody]], [c](gone.md), [d](photo.png), `[[handbook]]`, [e](#high-tides)\n\n\
                [[<img src=x onerror=window.ran=1>]]";
    create(site, json!({ "title": "Links", "slug": "links", "body": body })).await;
    let shown = page(site, "/articles/links").await;
    for part in [
        "href=\"/articles/other\" rel=\"noopener noreferrer nofollow\">The Guide</a>",
        "href=\"/articles/handbook#text-high-tides\" rel=\"noopener noreferrer nofollow\">tides</a>",
        "href=\"/articles/handbook\" rel=\"noopener noreferrer nofollow\">The Handbook</a>",
        "href=\"/articles/handbook#text-high-tides\" rel=\"noopener noreferrer nofollow\">a</a>",
        "href=\"/articles/handbook\" rel=\"noopener noreferrer nofollow\">b</a>",
        "href=\"#text-high-tides\" rel=\"noopener noreferrer nofollow\">e</a>",
        "title=\"No article has this name\">Nobody</span>",
        "title=\"No article has this name\">c</span>",
        "title=\"This file is not kept here\">d</span>",
        "<code>[[handbook]]</code>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("<img"), "{shown}");
    assert!(page(site, "/articles/handbook").await.contains("id=\"text-high-tides\""));
    let preview = send(site, "/preview", &[("body", "[[The Guide]] and [[Nobody]]"), ("of", "links")]).await;
    let preview = preview.text().await.expect("text");
    assert!(preview.contains("href=\"/articles/other\"") && preview.contains("No article has this name"), "{preview}");
    // Very many links cost no more than those that are resolved.
    let many: String = (0..5_000).map(|number| format!("[[n{number}]]\n")).collect();
    create(site, json!({ "title": "Many", "slug": "many", "body": format!("[[handbook]] {many}") })).await;
    let shown = page(site, "/articles/many").await;
    assert!(
        shown.contains("href=\"/articles/handbook\"") && shown.contains("This link was not looked up"),
        "it is shown"
    );
}

async fn properties_are_shown_changed_and_refused(site: &Site) {
    let form = [
        ("title", "Moon"),
        ("body", "It pulls."),
        ("properties", "status: in work\r\naliases: [Luna, \"<b>Selene</b>\"]\r\ndescription: The nearest."),
        ("act", "save"),
    ];
    assert_eq!(send(site, "/new", &form).await.status(), StatusCode::SEE_OTHER);
    let shown = page(site, "/articles/moon").await;
    for part in
        ["<dt dir=\"auto\">status</dt>", "in work", "Luna", "&lt;b&gt;Selene", "The nearest.", "<dt>created</dt>"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let edit = page(site, "/articles/moon/edit").await;
    assert!(edit.contains("\nstatus: in work\naliases: [Luna, &quot;&lt;b&gt;Selene&lt;/b&gt;&quot;]"), "{edit}");

    let save = async |revision: &str, properties: &str| {
        let form = [
            ("title", "Moon"),
            ("body", "It pulls."),
            ("properties", properties),
            ("revision", revision),
            ("act", "save"),
        ];
        send(site, "/articles/moon/edit", &form).await
    };
    let refused = save("1", "status: final\r\nthis is no property").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await.expect("text");
    assert!(refused.contains("aria-invalid=\"true\"") && refused.contains("id=\"properties-problem\""), "{refused}");
    assert!(refused.contains("this is no property</textarea>"), "what was written is not lost: {refused}");

    assert_eq!(save("1", "status: final").await.status(), StatusCode::SEE_OTHER);
    let article = site.server.json("/api/articles/moon").await;
    assert_eq!((&article["revision"], &article["properties"]), (&json!(2), &json!({ "status": "final" })));
    assert_eq!(save("2", "status: final\r\n").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(site.server.json("/api/articles/moon").await["revision"], 2, "nothing has changed");

    let conflict = save("1", "status: mine").await;
    assert_eq!(conflict.status(), StatusCode::CONFLICT);
    let conflict = conflict.text().await.expect("text");
    for part in ["<ins>status: final</ins>", "<ins>status: mine</ins>", "status: mine</textarea>"] {
        assert!(conflict.contains(part), "{part}: {conflict}");
    }
    // A form without the field leaves them as they are, and an empty one removes them.
    let form = [("title", "Moon"), ("body", "Less."), ("revision", "2"), ("act", "save")];
    assert_eq!(send(site, "/articles/moon/edit", &form).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(site.server.json("/api/articles/moon").await["properties"]["status"], "final");
    let emptied = [("title", "Moon"), ("body", "Less."), ("properties", ""), ("revision", "3"), ("act", "save")];
    assert_eq!(send(site, "/articles/moon/edit", &emptied).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(site.server.json("/api/articles/moon").await["properties"], json!({}));
}

async fn lists_are_by_filter_and_tags_lead_to_them(site: &Site) {
    for (title, body, status) in [("One", "#sea", "draft"), ("Two", "#sea #moon", "in work"), ("Three", "x", "draft")] {
        create(site, json!({ "title": title, "body": body, "properties": { "status": status } })).await;
    }
    let list = page(site, "/?filter=status%3Adraft").await;
    assert!(
        list.contains("2 articles") && list.contains("/articles/one") && list.contains("/articles/three"),
        "{list}"
    );
    assert!(!list.contains("/articles/two"), "{list}");
    let read = page(site, "/articles/two").await;
    let leads = ["href=\"/?filter=status%3A%22in%20work%22\"", "href=\"/?filter=tag%3Amoon\""];
    assert!(leads.iter().all(|lead| read.contains(lead)), "{read}");
    for place in ["/?filter=status%3A%22in%20work%22", "/?filter=tag%3Amoon", "/?filter=tag%3Asea%20-status%3Adraft"] {
        let list = page(site, place).await;
        assert!(list.contains("1 article<") && list.contains("/articles/two"), "{place}: {list}");
    }
    let searched = page(site, "/?q=sea&filter=status%3Adraft").await;
    assert!(searched.contains("/articles/one") && !searched.contains("/articles/two"), "{searched}");
    assert!(page(site, "/?filter=status%3Anone").await.contains("No article is like this"));

    let refused = client().get(site.url("/?filter=nonsense%20%3Cb%3E")).header("accept", "text/html").send().await;
    let refused = refused.expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await.expect("text");
    assert!(refused.contains("id=\"filter-problem\"") && refused.contains("is not a filter"), "{refused}");
    assert!(refused.contains("value=\"nonsense &lt;b&gt;\""), "{refused}");

    assert!(page(site, "/").await.contains("data-part=\"/tags\""));
    let tags = client().get(site.url("/tags")).header("accept", "text/html").header("x-part", "part").send().await;
    let tags = tags.expect("an answer").text().await.expect("text");
    let (sea, moon) = (tags.find("#sea").expect("a tag"), tags.find("#moon").expect("a tag"));
    assert!(sea < moon && !tags.contains("<html"), "the most used first: {tags}");
    assert!(page(site, "/tags").await.contains("href=\"/?filter=tag%3Asea\""));
}

async fn a_new_name_takes_the_links_along_if_wanted(site: &Site) {
    create(site, json!({ "title": "Moon", "slug": "moon", "body": "x" })).await;
    create(site, json!({ "title": "Taken", "slug": "taken", "body": "x" })).await;
    create(site, json!({ "title": "Tides", "slug": "tides", "body": "See [[moon]]." })).await;
    assert!(page(site, "/articles/moon").await.contains("href=\"/articles/moon/rename\""));
    let asked = page(site, "/articles/moon/rename").await;
    assert!(asked.contains("1 article links to it") && asked.contains("value=\"moon\""), "{asked}");
    let rename = async |slug: &str, to: &str, revision: &str, links: bool| {
        let form = [("to", to), ("revision", revision), ("links", "on")];
        send(site, &format!("/articles/{slug}/rename"), &form[..if links { 3 } else { 2 }]).await
    };
    for (to, revision, status, said) in [
        ("Not A Slug", "1", StatusCode::UNPROCESSABLE_ENTITY, "is not a slug"),
        ("taken", "1", StatusCode::CONFLICT, "exists already"),
        ("luna", "7", StatusCode::CONFLICT, "is at revision 1"),
    ] {
        let refused = rename("moon", to, revision, true).await;
        assert_eq!(refused.status(), status, "{to}");
        let refused = refused.text().await.expect("text");
        assert!(refused.contains(said) && refused.contains(&format!("value=\"{to}\"")), "{refused}");
    }
    assert_eq!(rename("nowhere", "luna", "1", true).await.status(), StatusCode::NOT_FOUND);
    let renamed = rename("moon", "luna", "1", true).await;
    assert_eq!(
        (renamed.status(), &renamed.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/articles/luna".parse().expect("text"))
    );
    assert_eq!(site.server.json("/api/articles/tides").await["body"], "See [[luna]].");
    assert_eq!(rename("luna", "selene", "2", false).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(site.server.json("/api/articles/tides").await["body"], "See [[luna]].");
    assert!(page(site, "/articles/tides").await.contains("href=\"/articles/selene\""), "a former name leads there");
}
