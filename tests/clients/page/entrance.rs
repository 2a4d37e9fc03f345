//! Who comes in, what they see, and what another page cannot do in their name.

use reqwest::{Client, Method, RequestBuilder, redirect::Policy};

use crate::{
    page::browser::Browser,
    page::site::{Site, filled, on_both_engines},
};

on_both_engines!(each_scope_sees_and_may_do_what_it_should, &[]);

async fn each_scope_sees_and_may_do_what_it_should(site: &Site) {
    let browser = Browser::open().await;
    browser.go(&site.url("/settings/tokens")).await;
    browser.write("#name", "boss").await;
    browser.run("document.querySelector('#scope').value = 'admin'").await;
    browser.follow("Make a token").await;
    let admin = browser.text("#token-made").await;
    // From now on every request needs a token.
    browser.go(&site.url("/runtime")).await;
    assert_eq!(browser.text("h1").await, "Sign in");
    browser.write("#token", "aw_1_wrong").await;
    browser.follow("Sign in").await;
    assert!(browser.text(".problem").await.contains("not valid"));
    browser.write("#token", &admin).await;
    browser.follow("Sign in").await;
    assert_eq!(browser.address().await, site.url("/runtime"), "where one wanted to go");
    assert_eq!(browser.value("document.cookie").await, "", "no script sees the token");
    assert!(browser.has("a[href*='act=pause']").await);
    browser.go(&site.url("/settings/tokens")).await;
    assert!(browser.text("table").await.contains("boss") && !browser.text("main").await.contains(&admin));
    browser.go(&site.url("/settings")).await;
    assert!(browser.text("main").await.contains("Database:"));

    let (write, read) = (site.token("writer", "write"), site.token("reader", "read"));
    for (token, may_write) in [(&write, true), (&read, false)] {
        browser.go(&site.url("/")).await;
        browser.run("localStorage.setItem('draft 0a', 'of this user'), localStorage.setItem('theme', 'dark')").await;
        browser.follow("Sign out").await;
        assert_eq!(browser.value("Object.keys(localStorage).join()").await, "theme", "a draft is its user's alone");
        browser.write("#token", token).await;
        browser.follow("Sign in").await;
        assert_eq!(browser.has("a[href='/new']").await, may_write);
        browser.go(&site.url("/runtime")).await;
        browser.until("document.querySelector('#connection').innerText === 'Live'").await;
        assert!(!browser.has("a[href*='/runtime/acts']").await, "what may not be done is not offered");
        for (path, may) in [
            ("/new", may_write),
            ("/settings", true),
            ("/settings/tokens", false),
            ("/settings/effective", false),
            ("/runtime/acts?act=pause", false),
        ] {
            browser.go(&site.url(path)).await;
            assert_eq!(browser.text("h1").await == "Not allowed", !may, "{path}");
            assert!(
                !browser.text("main").await.contains("Database:"),
                "where it lies is for who may see the settings in force"
            );
        }
    }
    // A session ends with its token.
    browser.go(&site.url("/runtime")).await;
    let client = Client::new();
    let tokens = client.get(site.url("/settings/tokens")).bearer_auth(&admin).send().await.expect("an answer");
    let page = tokens.text().await.expect("text");
    let id = read.split('_').nth(1).expect("a number");
    assert!(page.contains(&format!("/settings/tokens/{id}/revoke")));
    let revoke = client.post(site.url(&format!("/settings/tokens/{id}/revoke"))).bearer_auth(&admin).send().await;
    assert!(revoke.expect("an answer").status().is_success());
    browser.go(&site.url("/")).await;
    assert_eq!(browser.text("h1").await, "Sign in");
    browser.close().await;
}

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("a client")
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_page_cannot_act_in_somebodys_name_and_a_frame_shows_nothing() {
    let site = Site::on_sqlite(&["server.allowed_origins=https://app.example.org"]);
    let (client, home) = (client(), format!("http://{}", site.server.address()));
    let post = |name: &'static str, value: &str| {
        let title = format!("By {value}");
        let form = [("title", title.as_str()), ("body", ""), ("act", "save")];
        filled(client.post(site.url("/new")), &form).header(name, value)
    };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "https://app.example.org"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ] {
        assert_eq!(status(post(name, value)).await, 403, "{name}: {value}");
    }
    assert_eq!(site.server.json("/api/articles").await["total"], 0, "nothing was done");
    assert_eq!(status(post("origin", &home)).await, 303);
    assert_eq!(status(post("sec-fetch-site", "same-origin")).await, 303);
    assert_eq!(status(client.get(site.url("/")).header("host", "rebound.example")).await, 421);
    assert_eq!(
        status(client.get(site.url("/runtime")).header("x-forwarded-for", "10.0.0.1")).await,
        401,
        "no token, and passed on"
    );

    let page = client.get(site.url("/")).header("accept", "text/html").send().await.expect("an answer");
    let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
    for part in
        ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "script-src 'nonce-"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["x-frame-options"], "DENY");
    assert_eq!(page.headers()["referrer-policy"], "same-origin", "or a form would not say where it comes from");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
    let text = page.text().await.expect("text");
    assert_eq!(text.matches("<script").count(), text.matches(&format!("nonce=\"{nonce}\" defer")).count());
    let again = client.get(site.url("/")).header("accept", "text/html").send().await.expect("an answer");
    assert!(
        !again.headers()["content-security-policy"].to_str().expect("text").contains(&nonce),
        "a new one each time"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_opens_the_page_and_nothing_else_and_other_clients_find_what_they_always_found() {
    let site = Site::on_sqlite(&[]);
    let client = client();
    let found = client.get(site.url("/")).header("accept", "application/json").send().await.expect("an answer");
    assert_eq!(found.status(), 404);
    assert_eq!(found.headers()["content-type"], "application/problem+json");
    let token = site.token("one", "admin");
    let entered = filled(client.post(site.url("/login")), &[("token", token.as_str()), ("next", "//evil.example")]);
    let entered = entered.send().await.expect("an answer");
    assert_eq!(entered.headers()["location"], "/");
    let cookie = entered.headers()["set-cookie"].to_str().expect("text").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().expect("a pair");
    let with = |path: &str| client.get(site.url(path)).header("accept", "text/html").header("cookie", pair);
    assert_eq!(status(with("/")).await, 200);
    // Programs authenticate by the header: a cookie would be sent with another site's request, too.
    assert_eq!(status(with("/api/articles")).await, 401);
    assert_eq!(status(with("/metrics")).await, 401);
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/articles/x"),
        (Method::GET, "/runtime"),
        (Method::GET, "/runtime/tasks/1"),
        (Method::GET, "/settings/tokens"),
        (Method::GET, "/live/runtime"),
        (Method::POST, "/new"),
        (Method::POST, "/articles/x/edit"),
        (Method::POST, "/articles/x/rename"),
        (Method::POST, "/articles/x/delete"),
        (Method::POST, "/articles/x/restore"),
        (Method::POST, "/runtime/acts"),
        (Method::POST, "/settings/tokens"),
        (Method::POST, "/settings/tokens/1/revoke"),
    ] {
        let request = client.request(method.clone(), site.url(path)).header("accept", "text/html");
        assert_eq!(status(request).await, 401, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_scope_may_do_what_it_should_and_no_more() {
    let site = Site::on_sqlite(&[]);
    let tokens = [site.token("r", "read"), site.token("w", "write"), site.token("a", "admin")];
    let fields = [("title", " "), ("to", " "), ("act", "pause"), ("name", " "), ("scope", "read"), ("body", "")];
    for (method, path, needs) in [
        (Method::GET, "/", 0),
        (Method::GET, "/articles/none", 0),
        (Method::GET, "/runtime", 0),
        (Method::GET, "/runtime/tasks", 0),
        (Method::GET, "/runtime/runs", 0),
        (Method::GET, "/runtime/trail", 0),
        (Method::GET, "/settings", 0),
        (Method::GET, "/settings/figures", 0),
        (Method::GET, "/new", 1),
        (Method::POST, "/new", 1),
        (Method::POST, "/preview", 1),
        (Method::POST, "/title", 1),
        (Method::GET, "/deleted", 1),
        (Method::GET, "/articles/none/edit", 1),
        (Method::POST, "/articles/none/edit", 1),
        (Method::GET, "/tags", 0),
        (Method::GET, "/articles/none/rename", 1),
        (Method::POST, "/articles/none/rename", 1),
        (Method::GET, "/articles/none/delete", 1),
        (Method::POST, "/articles/none/delete", 1),
        (Method::POST, "/articles/none/restore", 1),
        (Method::GET, "/runtime/acts?act=pause", 2),
        (Method::POST, "/runtime/acts", 2),
        (Method::GET, "/settings/effective", 2),
        (Method::POST, "/settings/examination", 2),
        (Method::GET, "/settings/tokens", 2),
        (Method::POST, "/settings/tokens", 2),
        (Method::GET, "/settings/tokens/99/revoke", 2),
        (Method::POST, "/settings/tokens/99/revoke", 2),
    ] {
        for (has, token) in tokens.iter().enumerate() {
            let request = client().request(method.clone(), site.url(path)).header("accept", "text/html");
            let request = filled(request.header("cookie", format!("afterword={token}")), &fields);
            let found = status(request).await;
            let is_refused = matches!(found, 401 | 403);
            assert_eq!(is_refused, has < needs, "{method} {path} with the token of scope {has}: {found}");
        }
    }
    for (has, token) in tokens.iter().enumerate() {
        let request = client().get(site.url("/settings")).header("accept", "text/html").bearer_auth(token);
        let page = request.send().await.expect("an answer").text().await.expect("a page");
        assert_eq!(page.contains("Database:"), has == 2, "it is among the settings in force");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_page_has_none() {
    let site = Site::on_sqlite(&["server.page=false"]);
    for path in ["/", "/runtime", "/login", "/page/style.css"] {
        let found = client().get(site.url(path)).header("accept", "text/html").send().await.expect("an answer");
        assert_eq!(found.status(), 404, "{path}");
    }
    assert_eq!(site.server.get("/api/articles").await.status(), 200);
}
