//! Article text is only text everywhere: nothing of it runs, loads, or becomes a part of the page.

use serde_json::json;

use crate::{page::browser::Browser, page::site::Site};

const PAYLOADS: [&str; 8] = [
    "<script>window.ran=1</script>",
    "\"><img src=x onerror=window.ran=1>",
    "'><svg onload=window.ran=1>",
    "</textarea></title><script>window.ran=1</script>",
    "<a href=\"javascript:window.ran=1\">x</a>[x](javascript:window.ran=1)",
    "<iframe srcdoc=\"<script>parent.ran=1</script>\"></iframe>",
    "{{constructor.constructor('window.ran=1')()}}${window.ran=1}",
    "<style>*{display:none}</style><base href=//evil.example><form action=/logout><button>go</button></form>",
];

const SETTINGS: [&str; 3] =
    ["embedding.scripted.fail_containing=window.ran", "queue.max_attempts=1", "queue.retry_base=1ms"];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_written_runs_on_sqlite() {
    nothing_that_is_written_runs(&Site::on_sqlite(&SETTINGS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_written_runs_on_postgres() {
    nothing_that_is_written_runs(&Site::on_postgres(&SETTINGS).await).await;
}

async fn nothing_that_is_written_runs(site: &Site) {
    let server = &site.server;
    let browser = Browser::open().await;
    browser.go(&server.url("/")).await;
    for (number, payload) in PAYLOADS.iter().enumerate() {
        let article = json!({ "title": format!("{payload} {number}"), "body": format!("# {payload}\n\n{payload}\n\n## b\n\n## c"), "slug": format!("p{number}"),
                              "properties": { "tags": [payload], "status": payload, "aliases": [payload, "two words"] },
                              "folder": payload.replace(['/', '\\'], "-") });
        let made = server.post("/api/articles", &article).await;
        assert_eq!(made.status(), 201);
        let made: serde_json::Value = made.json().await.expect("JSON");
        assert_eq!(made["title"], format!("{payload} {number}"), "stored as it was written");
    }
    let long = json!({ "title": "ت".repeat(299), "body": format!("{}\n\n| a | b |\n|---|---|\n| 1 | 2 |", "x".repeat(5000)), "slug": "long" });
    assert_eq!(server.post("/api/articles", &long).await.status(), 201);
    site.token("<img src=x onerror=window.ran=1>", "admin");
    let admin = site.token("looks", "admin");
    browser.go(&server.url("/login")).await;
    browser.write("#token", &admin).await;
    browser.follow("Sign in").await;
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let mut places: Vec<String> = [
        "/",
        "/runtime",
        "/runtime/tasks",
        "/runtime/trail",
        "/runtime/runs",
        "/settings",
        "/settings/tokens",
        "/settings/effective",
        "/deleted",
        "/tags",
        "/articles/long",
    ]
    .iter()
    .map(|&place| place.to_owned())
    .collect();
    for (number, payload) in PAYLOADS.iter().enumerate() {
        let text = encoded(payload);
        places.push(format!("/articles/p{number}"));
        places.push(format!("/articles/p{number}/edit"));
        places.push(format!("/articles/p{number}/delete"));
        places.push(format!("/articles/p{number}/history"));
        places.push(format!("/articles/p{number}/rename"));
        places.push(format!("/?filter={text}"));
        places.push(format!("/?filter={}", encoded(&format!("status:\"{payload}\""))));
        places.push(format!("/?q={text}"));
        places.push(format!("/?folder={}", encoded(&payload.replace(['/', '\\'], "-"))));
        places.push(format!("/?deleted={text}"));
        places.push(format!("/articles/{text}"));
        places.push(format!("/runtime/tasks?status={text}"));
        places.push(format!("/runtime/tasks?article={text}"));
        places.push(format!("/runtime/acts?act=retry-group&which={text}"));
    }
    for place in places {
        browser.go(&server.url(&place)).await;
        let found = browser
            .value(
                "[window.ran, document.querySelectorAll('main img, main script, main iframe, main style, main base, .prose form, main svg[onload]').length,
                  [...document.querySelectorAll('a')].some(a => a.protocol === 'javascript:'),
                  getComputedStyle(document.body).display]",
            )
            .await;
        assert_eq!(found, json!([null, 0, false, "flex"]), "{place}");
        let wide = browser.value("document.documentElement.scrollWidth > document.documentElement.clientWidth").await;
        assert_eq!(wide, false, "{place} fits its window");
    }
    browser.close().await;
}
