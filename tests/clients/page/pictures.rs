//! Pictures of every view, for developers and for the README. `scripts/screenshots` takes them.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{page::browser::Browser, support::process::Server};

const TEXT: &str = "The moon raises **two bulges** of water, one below it and one on the far side. The coast turns beneath \
both, so the water rises twice a day.\n\n## Springs and neaps\n\nAt new and full moon the sun pulls along the same line: a *spring tide*. \
A week later it pulls across: a *neap tide*.\n\n| moon | range |\n|---|---|\n| new, full | 6.1 m |\n| quarters | 2.4 m |\n\n\
> What the almanac does not know is the wind.\n\n## Storm surges\n\nA gale of three days piles up as much as the moon.\n\n\
```rust\nlet height = tide(moon, sun) + surge(wind);\n```\n\n## What to bring\n\n- [x] the tables of the year\n- [ ] a barometer\n";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes pictures, and finds no fault; scripts/screenshots runs it"]
async fn of_every_view() {
    let server = Server::start(&[
        "embedding.scripted.fail_containing=unreadable",
        "queue.max_attempts=1",
        "queue.slots=3",
        "queue.metrics_interval=1s",
    ]);
    write(&server).await;
    let browser = Browser::open().await;
    let task = server.json("/api/queue/tasks?status=failed").await["tasks"][0]["id"].to_string();
    let task = format!("/runtime/tasks/{task}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder").join("screenshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    let views = [
        ("home", "/"),
        ("search", "/?q=why%20does%20the%20water%20rise%3F"),
        ("read", "/articles/tides-of-the-north-sea"),
        ("new", "/new"),
        ("edit", "/articles/tides-of-the-north-sea/edit"),
        ("history", "/articles/tides-of-the-north-sea/history"),
        ("runtime", "/runtime"),
        ("tasks", "/runtime/tasks"),
        ("task", task.as_str()),
        ("runs", "/runtime/runs"),
        ("trail", "/runtime/trail"),
        ("settings", "/settings"),
        ("tokens", "/settings/tokens"),
        ("figures", "/settings/figures"),
        ("effective", "/settings/effective"),
        ("login", "/login"),
        ("asked", "/runtime/acts?act=pause"),
        ("missing", "/articles/nowhere"),
    ];
    for (width, height) in [(390, 844), (1024, 768), (1600, 1000)] {
        browser.size(width, height).await;
        for scheme in ["light", "dark"] {
            browser.scheme(scheme).await;
            for (name, place) in views {
                browser.go(&server.url(place)).await;
                take(&browser, &folder.join(format!("{name}-{width}-{scheme}.png")), false).await;
            }
        }
    }
    let shown = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    std::fs::create_dir_all(&shown).expect("a folder");
    browser.size(1280, 800).await;
    for (name, place, scheme) in
        [("articles", "/articles/tides-of-the-north-sea", "light"), ("runtime", "/runtime", "dark")]
    {
        browser.scheme(scheme).await;
        browser.go(&server.url(place)).await;
        take(&browser, &shown.join(format!("{name}.png")), true).await;
    }
    browser.close().await;
}

async fn write(server: &Server) {
    let articles = [
        ("Tides of the North Sea", "sea/tides", TEXT),
        (
            "Reading a weather map",
            "sea/weather",
            "Isobars, fronts, and the wind between them. Why does the water rise before a storm?",
        ),
        ("Knots that hold", "sea/craft", "A bowline for the bow, a clove hitch for the fender."),
        ("Baking bread at sea", "galley", "Half the salt, twice the time."),
        ("יומן מסע בים התיכון", "logs", "הים היה שקט, והרוח באה ממערב."),
        ("A scan that nobody can read", "logs/scans", "unreadable page 17"),
        ("Another scan", "logs/scans", "unreadable page 4"),
        (
            "A very long title that goes on and on, as titles of reports from committees on the harmonisation of tidal predictions tend to do",
            "logs",
            "Short.",
        ),
    ];
    for (title, folder, body) in articles {
        let made = server.post("/api/articles", &json!({ "title": title, "folder": folder, "body": body })).await;
        assert_eq!(made.status(), 201);
    }
    for number in 0..40 {
        server
            .create(
                &format!("Log of day {number}"),
                "Wind from the west, force five. The water rose to the third mark.",
            )
            .await;
    }
    let changed = json!({ "body": TEXT.replace("three days", "two days") });
    let change = server.request(reqwest::Method::PATCH, "/api/articles/tides-of-the-north-sea").json(&changed);
    assert!(change.send().await.expect("an answer").status().is_success());
    server.post("/api/bulk", &json!({ "scope": "all", "folder": "sea" })).await;
    server.until_embedding("tides-of-the-north-sea", "completed").await;
    server.until_embedding("log-of-day-39", "completed").await;
}

/// What is on the screen, or the whole page.
async fn take(browser: &Browser, path: &Path, is_screen: bool) {
    // Waits until the live parts were sent once.
    browser
        .until("!document.querySelector('[data-live]') || document.querySelector('#connection').innerText === 'Live'")
        .await;
    let picture = browser
        .devtools("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": !is_screen }))
        .await;
    let picture = STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("base64");
    std::fs::write(path, picture).expect("a file");
}
