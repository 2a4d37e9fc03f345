//! Articles over REST.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::process::Server;

/// Status and code of a refusal, which must be a problem as in RFC 9457.
pub(crate) async fn refusal(response: Response) -> (u16, Value) {
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{status}");
    let problem: Value = response.json().await.expect("JSON");
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["type"], format!("urn:afterword:problem:{}", problem["code"].as_str().expect("a code")));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
    (status.as_u16(), problem)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_lives_its_life_over_rest() {
    let server = Server::start(&["embedding.scripted.latency=200ms"]);
    let created = server.post("/api/articles", &json!({ "title": "Sharing data", "body": "threads and locks" })).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    assert_eq!(created.headers()["etag"], "\"1\"");
    assert_eq!(created.headers()["location"], "/api/articles/sharing-data");
    let article: Value = created.json().await.expect("JSON");
    assert_eq!(article["embedding"]["status"], "pending", "the answer does not wait for the embedding");

    let found = server.json("/api/search?q=locks&mode=hybrid").await;
    assert_eq!(found["hits"][0]["slug"], "sharing-data", "found by its words at once");
    assert_ne!(found["hits"][0]["embedding"]["status"], "completed");
    server.until_embedding("sharing-data", "completed").await;
    let found = server.json("/api/search?q=threads%20and%20locks&mode=semantic").await;
    assert_eq!(found["hits"][0]["slug"], "sharing-data", "the very next search sees its vectors");
    let found = server.json("/api/search?q=nothing&limit=3&q=locks%20%26%20threads&mode=keyword").await;
    assert_eq!((&found["hits"][0]["slug"], &found["hits"][0]["questions"]), (&json!("sharing-data"), &json!([2])));

    let change = json!({ "body": "channels" });
    let stale = server.request(Method::PATCH, "/api/articles/sharing-data").header("if-match", "\"7\"").json(&change);
    let (status, problem) = refusal(stale.send().await.expect("an answer")).await;
    assert_eq!((status, &problem["code"], &problem["present_revision"]), (412, &json!("conflict"), &json!(1)));
    let fresh = server.request(Method::PATCH, "/api/articles/sharing-data").header("if-match", "\"1\"").json(&change);
    let updated = fresh.send().await.expect("an answer");
    assert_eq!(updated.headers()["etag"], "\"2\"");
    assert_eq!(updated.json::<Value>().await.expect("JSON")["title"], "Sharing data", "what is not named stays");

    let renamed = server.post("/api/articles/sharing-data/rename", &json!({ "slug": "shared" })).await;
    assert_eq!(renamed.headers()["content-location"], "/api/articles/shared");
    assert_eq!(server.json("/api/articles/sharing-data").await["slug"], "shared", "the former name leads there");
    let versions = server.json("/api/articles/shared/versions").await;
    assert!(versions["versions"].as_array().is_some_and(|versions| versions.len() >= 2));
    assert_eq!(server.json("/api/articles/shared/versions/1").await["body"], "threads and locks");

    let gone = server.request(Method::DELETE, "/api/articles/shared").send().await.expect("an answer");
    assert_eq!(gone.status(), StatusCode::OK);
    let gone = gone.json::<Value>().await.expect("JSON");
    assert_eq!((&gone["slug"], &gone["deleted"]), (&json!("shared"), &json!(true)));
    assert_eq!(refusal(server.get("/api/articles/shared").await).await.0, 404);
    let deleted = server.json("/api/deleted?since=1h").await;
    assert_eq!((&deleted["total"], &deleted["articles"][0]["slug"]), (&json!(1), &json!("shared")));
    assert_eq!(server.json("/api/deleted?folder=elsewhere").await["total"], 0);
    let back = server.request(Method::POST, "/api/articles/shared/restore").send().await.expect("an answer");
    assert_eq!(back.status(), StatusCode::OK, "without a body, the deletion is undone");
    assert_eq!(back.json::<Value>().await.expect("JSON")["body"], "channels");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_never_overwrites_and_a_repeated_one_creates_nothing_twice() {
    let server = Server::start(&[]);
    let create = |key: &'static str, body: &'static str| {
        let request = server.request(Method::POST, "/api/articles").header("idempotency-key", key);
        request.json(&json!({ "title": "Once", "body": body })).send()
    };
    assert_eq!(create("k1", "text").await.expect("an answer").status(), 201);
    let again = create("k1", "text").await.expect("an answer");
    assert_eq!(again.status(), 200);
    assert_eq!(again.json::<Value>().await.expect("JSON")["slug"], "once");
    let (status, problem) = refusal(create("k1", "another text").await.expect("an answer")).await;
    assert_eq!((status, &problem["code"]), (422, &json!("key_reused")));
    let (status, problem) = refusal(create("k2", "another text").await.expect("an answer")).await;
    assert_eq!((status, &problem["code"], &problem["slug"]), (409, &json!("exists"), &json!("once")));
    assert_eq!(server.json("/api/articles").await["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_folders_are_listed() {
    let server = Server::start(&[]);
    for number in 0..5 {
        let article = json!({ "title": format!("Number {number}"), "folder": format!("shelf/{}", number % 2) });
        assert_eq!(server.post("/api/articles", &article).await.status(), 201);
    }
    let (mut slugs, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.json(&format!("/api/articles?limit=2{cursor}")).await;
        assert_eq!(page["total"], 5);
        let articles = page["articles"].as_array().expect("articles");
        slugs.extend(articles.iter().map(|article| article["slug"].as_str().expect("a slug").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(slugs, ["number-4", "number-3", "number-2", "number-1", "number-0"]);
    let folders = server.json("/api/folders").await;
    assert_eq!(folders["total"], 2);
    assert_eq!(server.json("/api/articles?since=1h").await["total"], 5);
    assert_eq!(server.json("/api/articles?since=2999-01-01").await["total"], 0);
    assert_eq!(server.json("/api/queue/tasks?article=number-1").await["total"], 1);
    assert_eq!(
        folders["folders"],
        json!([{ "folder": "shelf/0", "articles": 3 }, { "folder": "shelf/1", "articles": 2 }])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_request_is_a_problem_that_says_what_to_do() {
    let server = Server::start(&[]);
    server.create("First", "text").await;
    let get = |path: &'static str| server.request(Method::GET, path);
    let post = |path: &'static str, body: Value| server.request(Method::POST, path).json(&body);
    let raw = |body: &'static str| {
        server.request(Method::POST, "/api/articles").header("content-type", "application/json").body(body)
    };
    let if_match = |tag: &'static str| {
        let request = server.request(Method::PATCH, "/api/articles/first").header("if-match", tag);
        request.json(&json!({ "body": "x" }))
    };
    for (request, status, code) in [
        (get("/api/articles/frist"), 404, "not_found"),
        (get("/api/articles/first/versions/9"), 404, "no_revision"),
        (get("/api/articles?limit=0"), 422, "invalid"),
        (get("/api/articles?limit=many"), 400, "malformed"),
        (get("/api/articles?cursor=mine"), 422, "invalid"),
        (get("/api/articles?folder=../up"), 422, "invalid"),
        (get("/api/articles?nonsense=1"), 400, "malformed"),
        (get("/api/search?q="), 422, "invalid"),
        (get("/api/search"), 400, "malformed"),
        (get("/api/search?q=x&mode=psychic"), 400, "malformed"),
        (get("/api/search?q=x&limit=1&limit=2"), 400, "malformed"),
        (get("/api/search?q=x&q=y&nonsense=1"), 400, "malformed"),
        (get("/api/search?q=1&q=2&q=3&q=4&q=5&q=6"), 422, "invalid"),
        (get("/api/search?q=1&q="), 422, "invalid"),
        (get("/api/search?q=x&limit=1000"), 422, "invalid"),
        (get("/api/search?q=x&passages=0"), 422, "invalid"),
        (get("/api/search?q=x&passages=11"), 422, "invalid"),
        (get("/api/queue/tasks/99"), 404, "not_found"),
        (get("/api/queue/tasks/one"), 400, "malformed"),
        (get("/api/bulk/99"), 404, "not_found"),
        (post("/api/bulk", json!({ "folder": "nosuch" })), 404, "not_found"),
        (post("/api/bulk", json!({ "folder": "nosuch", "dry_run": true })), 404, "not_found"),
        (get("/api/nothing"), 404, "no_route"),
        (get("/api/articles/shelf/first"), 404, "no_route"),
        (get("/api/articles/shelf%2Ffirst"), 404, "not_found"),
        (get("/api/articles?since=yesterday"), 422, "invalid"),
        (get("/api/deleted?limit=0"), 422, "invalid"),
        (server.request(Method::DELETE, "/api/search"), 405, "no_method"),
        (server.request(Method::POST, "/api/articles").body("{}"), 415, "unsupported_media_type"),
        (raw("{\"title\": "), 400, "malformed"),
        (raw("{\"body\": \"no title\"}"), 422, "invalid"),
        (raw("{\"title\": \"x\", \"boby\": \"y\"}"), 422, "invalid"),
        (raw("{\"title\": \"x\", \"priority\": \"urgent\"}"), 422, "invalid"),
        (post("/api/articles", json!({ "title": "  " })), 422, "invalid"),
        (post("/api/articles", json!({ "title": "x", "slug": "Not A Slug" })), 422, "invalid"),
        (post("/api/articles/first/rename", json!({ "slug": "" })), 422, "invalid"),
        (post("/api/articles/first/restore", json!({})), 409, "no_past"),
        (post("/api/articles/first/restore", json!({ "revision": 9 })), 404, "no_revision"),
        (post("/api/articles/first/restore", json!({})).header("if-match", "\"7\""), 412, "conflict"),
        (post("/api/queue/tasks/99/cancel", json!({})), 404, "not_found"),
        (post("/api/bulk", json!({ "scope": "some" })), 422, "invalid"),
        (post("/api/bulk", json!([])), 422, "invalid"),
        (if_match("1"), 400, "malformed"),
        (if_match("W/1"), 400, "malformed"),
        (if_match("W/\"7\""), 412, "conflict"),
    ] {
        let request = request.build().expect("a request");
        let name = format!("{} {}", request.method(), request.url());
        let (found, problem) = refusal(reqwest::Client::new().execute(request).await.expect("an answer")).await;
        assert_eq!((found, problem["code"].as_str()), (status, Some(code)), "{name}: {problem}");
    }
    for path in ["/api/articles/shelf/first", "/api/articles/shelf%2Ffirst"] {
        let (_, problem) = refusal(server.get(path).await).await;
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("first")), "{problem}");
    }
    assert_eq!(server.json("/api/articles").await["total"], 1, "nothing was changed by any of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_every_sort_come_back_as_they_were_sent() {
    let server = Server::start(&[]);
    for (title, body) in [
        ("数据库管理系统", "事务处理与并发控制"),
        ("مرحبا بالعالم", "نص من اليمين إلى اليسار"),
        ("Zalgo h̷e̷l̷l̷o̷", "combining \u{301} marks, \u{200b}zero width, \u{2028}separators"),
        ("Control", "tab\tbell\u{7}escape\u{1b}"),
        ("Empty", ""),
    ] {
        let article = server.create(title, body).await;
        let read = server.json(&format!("/api/articles/{}", article["slug"].as_str().expect("a slug"))).await;
        assert_eq!((read["title"].as_str(), read["body"].as_str()), (Some(title), Some(body)));
    }
    let cut = server.create("Nul", "before\0after").await;
    assert_eq!(cut["body"], "beforeafter", "no database holds NUL, and the answer says what is stored");
    let injected = server.create("x\r\nSet-Cookie: a=b", "").await;
    assert_eq!(injected["slug"], "x-set-cookie-a-b");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_and_bulk_runs_are_managed_over_rest() {
    let server = Server::start(&["embedding.scripted.fail_containing=broken", "queue.max_attempts=1"]);
    let paused = server.post("/api/queue/pause", &json!({})).await;
    assert_eq!(paused.json::<Value>().await.expect("JSON"), json!({ "paused": true, "changed": true }));
    server.create("Broken", "this is broken").await;
    server.create("Whole", "this is whole").await;
    let waiting = server.json("/api/queue/tasks?status=pending&limit=1").await;
    assert_eq!(waiting["tasks"][0]["slug"], "whole");
    let next =
        server.json(&format!("/api/queue/tasks?cursor={}", waiting["next_cursor"].as_str().expect("more"))).await;
    let task = next["tasks"][0]["id"].as_i64().expect("a task");
    let detail = server.json(&format!("/api/queue/tasks/{task}")).await;
    assert!(detail["explanation"].as_str().is_some_and(|why| why.contains("paused")), "{detail}");
    server.post("/api/queue/resume", &json!({})).await;
    server.until_embedding("broken", "failed").await;
    server.until_embedding("whole", "completed").await;
    let stats = server.json("/api/queue/stats").await;
    assert_eq!((&stats["queue"]["completed"], &stats["queue"]["failed"]), (&json!(1), &json!(1)));
    let retried = server.post(&format!("/api/queue/tasks/{task}/retry"), &json!({})).await;
    assert_eq!(retried.status(), 200);
    server.until_embedding("broken", "failed").await;

    let would_be = server.post("/api/bulk", &json!({ "scope": "failed", "dry_run": true })).await;
    assert_eq!(would_be.json::<Value>().await.expect("JSON"), json!({ "articles": 1, "skipped": 0 }));
    let started = server.post("/api/bulk", &json!({ "scope": "failed" })).await;
    assert_eq!(started.status(), StatusCode::ACCEPTED);
    let place = started.headers()["location"].to_str().expect("a place").to_owned();
    let mut events = server.get("/api/events").await;
    let ended = loop {
        let run = server.json(&place).await;
        if run["state"] == "completed" {
            break run;
        }
        events.chunk().await.expect("events").expect("a server that goes on");
    };
    assert_eq!((&ended["failed"], &ended["failures"][0]["slug"]), (&json!(1), &json!("broken")));
    assert_eq!(server.json("/api/bulk").await["runs"].as_array().map(Vec::len), Some(1));
}

/// What rsync, a synchronised folder or a careless restore does.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_replaced_under_the_server_makes_it_unready() {
    let server = Server::start(&["health.interval=50ms"]);
    server.create("Kept", "in the backup").await;
    server.command(&["db", "backup", "backup.db"]);
    let backup = server.folder().join("backup.db");
    std::fs::rename(backup, server.folder().join("server.db")).expect("a replacement");
    let (status, problem) = refusal(server.post("/api/articles", &json!({ "title": "Lost" })).await).await;
    assert_eq!((status, &problem["code"]), (503, &json!("database_unavailable")));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("replaced by another file")), "{problem}");
    server.until_logged("is kept as");
    // The next look at the parts finds it, if the last one has not.
    let ready: Value = loop {
        let ready = server.get("/ready").await;
        if ready.status() == StatusCode::SERVICE_UNAVAILABLE {
            break ready.json().await.expect("JSON");
        }
    };
    assert_eq!(ready["parts"]["database"]["state"], "unready", "{ready}");
    assert!(server.command(&["article", "create", "Next", "--body", "by the next process"]).contains("next"));
    server.signal("TERM");
    let (_, folder) = server.ended();
    let again = Server::start_in(folder, &[]);
    assert_eq!(again.json("/api/articles").await["total"], 2, "the backup, and what was saved in it since");
    assert!(again.command(&["db", "verify"]).contains("sound"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn doctor_sees_a_server_that_has_the_file_open_which_another_replaced() {
    let server = Server::start(&[]);
    let other = format!("database.url=sqlite://{}", server.folder().join("other.db").display());
    server.command(&["db", "migrate", "--set", &other]);
    assert!(!server.command(&["doctor"]).contains("reported nothing"));
    std::fs::rename(server.folder().join("other.db"), server.folder().join("server.db")).expect("a replacement");
    server.until_logged("is kept as");
    // A lock of a moment ago may be that of a host that is about to enter itself.
    for lock in std::fs::read_dir(server.folder().join("server.db.hosts")).expect("locks").flatten() {
        let before = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        let file = std::fs::File::options().append(true).open(lock.path()).expect("a lock");
        file.set_modified(before).expect("a time");
    }
    let told = server.command(&["doctor"]);
    assert!(told.contains("reported nothing to this database") && told.contains("had this name before"), "{told}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_removed_under_the_server_costs_neither_it_nor_the_next_process_a_save() {
    for _ in 0..3 {
        let server = Server::start(&[]);
        server.create("First", "only in the log").await;
        for log in ["server.db-wal", "server.db-shm"] {
            std::fs::remove_file(server.folder().join(log)).expect("a file");
        }
        // It is there before the server has noticed, or after that has kept what it had.
        server.command(&["article", "create", "Second", "--body", "by the next process"]);
        server.signal("TERM");
        let (_, folder) = server.ended();
        let named = |name: &str| {
            std::fs::read_dir(folder.path())
                .expect("a folder")
                .flatten()
                .find(|file| file.file_name().to_str().is_some_and(|found| found.starts_with(name)))
        };
        let copy = named("server.db.left-").map(|copy| format!("database.url=sqlite://{}", copy.path().display()));
        let again = Server::start_in(folder, &[]);
        assert!(again.command(&["db", "verify"]).contains("sound"));
        let listed = again.command(&["article", "list"]);
        assert!(listed.contains("second"), "{listed}");
        let kept = copy.map(|copy| again.command(&["article", "list", "--set", &copy])).unwrap_or_default();
        assert!(listed.contains("first") || kept.contains("first"), "{listed}{kept}");
    }
}
