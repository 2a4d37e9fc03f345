//! Folders of the settings, which a server keeps in step.

use std::{fs, time::Instant};

use serde_json::json;

use crate::support::process::{STUCK, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_the_settings_is_kept_in_step_and_told_of_when_it_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("config.toml"), "[[sync]]\npath = \"notes\"\nfolder = \"work\"\n").expect("a file");
    let notes = folder.path().join("notes");
    fs::create_dir(&notes).expect("a folder");
    fs::write(notes.join("a.md"), "# A\n").expect("a file");
    let server = Server::start_in(folder, &[]);
    let start = Instant::now();
    let go_on = |what: &str| assert!(start.elapsed() < STUCK, "never: {what}");

    while server.get("/api/articles/a").await.status() != 200 {
        go_on("the file is an article");
    }
    assert_eq!(server.json("/api/articles/a").await["folder"], "work");
    let aside = json!({ "title": "Aside", "body": "not of this folder\n" });
    assert_eq!(server.post("/api/articles", &aside).await.status(), 201);
    let made = json!({ "title": "Made here", "body": "text\n", "folder": "work/deep" });
    assert_eq!(server.post("/api/articles", &made).await.status(), 201);
    while !notes.join("deep/made-here.md").exists() {
        go_on("the article is a file");
    }
    assert!(!notes.join("aside.md").exists());

    let folders = || async {
        server.get("/ready").await.json::<serde_json::Value>().await.expect("JSON")["parts"]["folders"].clone()
    };
    assert_eq!(folders().await["state"], "ready");
    let copy = notes.join("a (conflict 1a2b3c4d).md");
    fs::write(&copy, "# A\n\nanother\n").expect("a file");
    let names_copy = |part: &serde_json::Value| {
        part["detail"].as_str().is_some_and(|detail| detail.contains("a (conflict 1a2b3c4d).md"))
            && part["state"] == "ready"
    };
    while !names_copy(&folders().await) {
        go_on("a copy is told of");
    }
    assert!(names_copy(&server.json("/api/status").await["health"]["parts"]["folders"]));
    for (header, of_others) in [("x-forwarded-for", "192.0.2.1"), ("host", "notes.example.org")] {
        let asked = server.request(reqwest::Method::GET, "/ready").header(header, of_others);
        let ready: serde_json::Value = asked.send().await.expect("an answer").json().await.expect("JSON");
        let told = &ready["parts"]["folders"];
        assert!(told["detail"].is_string() && !names_copy(told), "strangers get no names: {told}");
    }
    fs::remove_file(&copy).expect("a removal");
    while !folders().await["detail"].is_null() {
        go_on("it is gone");
    }
    // A file that cannot be a note is reported until `.afterwordignore` names it.
    fs::write(notes.join("latin.md"), b"# Caf\xe9\n").expect("a file");
    while folders().await["state"] != "degraded" {
        go_on("a file that is no text is told of");
    }
    let told = folders().await["detail"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains("latin.md") && told.contains(".afterwordignore"), "{told}");
    fs::write(notes.join(".afterwordignore"), "latin.md\n").expect("a file");
    while folders().await["state"] != "ready" {
        go_on("it is left out, and all is well");
    }
    fs::rename(&notes, notes.with_extension("aside")).expect("a rename");
    while folders().await["state"] != "degraded" {
        let _ = server.post("/api/articles", &json!({ "title": "Poke", "body": "text", "folder": "work" })).await;
        go_on("it is told");
    }
    assert!(folders().await["detail"].as_str().is_some_and(|detail| detail.contains("notes")), "{}", folders().await);
    assert_eq!(server.get("/api/articles/a").await.status(), 200, "and nothing was deleted for it");
    fs::rename(notes.with_extension("aside"), &notes).expect("a rename");
    while folders().await["state"] != "ready" || !notes.join("poke.md").exists() {
        go_on("all is well again");
    }
}
