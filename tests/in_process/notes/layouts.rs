//! Exports of other programs, read for what they are.

use std::collections::BTreeMap;

use afterword::articles::{Articles, folder::Folder, properties::Properties};
use afterword::files::{Export, Import, ImportReport, Layout, Reason, SyncRequest, sync};

use super::TestHost;
use crate::notes::vault::{Vault, counts, export_as, exporting, import, import_as, importing, slugs};

const ID: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f809";
const OTHER: &str = "0f9e8d7c6b5a49382716f5e4d3c2b1a0";

/// Imports a folder, after a dry run that must have promised what is done; and again, which must change nothing.
async fn imported(service: &Articles, vault: &Vault) -> ImportReport {
    let promised = import_as(service, Import { dry_run: true, ..importing(&vault.root()) }).await;
    let done = import(service, &vault.root()).await;
    assert_eq!(promised.files, done.files, "what is done is what was promised");
    assert_eq!((promised.left_out, promised.read_as), (done.left_out.clone(), done.read_as));
    let again = import(service, &vault.root()).await;
    assert_eq!(counts(&again)[..3], [0, 0, done.files.len()], "an import again changes nothing");
    assert_eq!(slugs(&again), slugs(&done));
    done
}

/// Folder and title of an article, and its front matter's properties as JSON.
async fn said(service: &Articles, slug: &str) -> (String, String, serde_json::Value) {
    let article = service.read(slug).await.expect("an article");
    let properties = Properties::of_front_matter(&article.front_matter);
    let mut json = properties.to_json();
    let tags: Vec<String> = properties.tags.iter().map(|(_, tag)| tag.clone()).collect();
    if !tags.is_empty() {
        json.insert("tags".to_owned(), tags.into());
    }
    (article.folder, article.title, json.into())
}

fn notion() -> Vault {
    let vault = Vault::of(&[]);
    vault.put(
        &format!("Project {ID}.md"),
        format!(
            "# Project\n\n[Tasks](Project%20{ID}/Tasks%20{OTHER}.csv) and [plan](Project%20{ID}/Plan%20{OTHER}.md)\n"
        ),
    );
    vault.put(&format!("Project {ID}/Plan {OTHER}.md"), "# Plan\n\nText: of a page\n");
    vault.put(&format!("Project {ID}/Tasks {OTHER}.csv"), "Name,Status,Points\nLay rails,Done,3\n");
    vault.put(&format!("Project {ID}/Tasks {OTHER}_all.csv"), "Name,Status,Points\nLay rails,Done,3\nPaint,,\n");
    vault.put(
        &format!("Project {ID}/Tasks {OTHER}/Lay rails {ID}.md"),
        "# Lay rails\n\nStatus: Done\nPoints: 3\nTags: track, heavy work\n\nBy night.\n",
    );
    vault.put(&format!("Project {ID}/diagram.png"), "no text");
    vault
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_notion_has_names_without_ids_and_its_databases() {
    let (world, vault) = (TestHost::new().await, notion());
    let service = world.articles(None);
    vault.put(&format!("Bad {OTHER}.md"), b"caf\xe9");
    vault.put(&format!("Large {ID}.csv"), "a,b\n".repeat(100_000));
    let done = imported(&service, &vault).await;
    assert_eq!((done.read_as, counts(&done)), ("notion", [4, 0, 0, 0, 0, 1]), "{:?}", done.failed);
    assert!(done.notes.iter().any(|note| note.contains("Notion") && note.contains("--as plain")), "{:?}", done.notes);
    let left_out: BTreeMap<_, _> = done.left_out.iter().map(|left| (left.path.as_str(), left.reason)).collect();
    let (large, second) = (format!("Large {ID}.csv"), format!("Project {ID}/Tasks {OTHER}_all.csv"));
    let picture = format!("Project {ID}/diagram.png");
    assert_eq!(
        left_out,
        BTreeMap::from([
            (large.as_str(), Reason::LargeTable),
            (second.as_str(), Reason::SecondView),
            (picture.as_str(), Reason::NotMarkdown)
        ])
    );
    let none = serde_json::json!({});
    assert_eq!(said(&service, "project").await, (String::new(), "Project".to_owned(), none.clone()));
    assert_eq!(said(&service, "plan").await, ("Project".to_owned(), "Plan".to_owned(), none));
    assert_eq!(
        said(&service, "lay-rails").await,
        (
            "Project/Tasks".to_owned(),
            "Lay rails".to_owned(),
            serde_json::json!({ "Status": "Done", "Points": 3, "tags": ["track", "heavy work"] })
        )
    );
    let table = service.read("tasks").await.expect("an article").body;
    assert_eq!(table, "# Tasks\n\n| Name | Status | Points |\n| --- | --- | --- |\n| Lay rails | Done | 3 |\n");

    // Links lead by the files, ids and all.
    let project = service.linked("project").await.expect("an article");
    let to: Vec<_> = service.links_of(&project, 10).await.expect("links").into_iter().map(|link| link.slug).collect();
    assert_eq!(to, [Some("tasks".to_owned()), Some("plan".to_owned())]);
    let plan = service.linked("plan").await.expect("an article");
    assert_eq!(service.backlinks(&plan, 10).await.expect("links").len(), 1);
    assert!(service.broken_links(10).await.expect("links").is_empty());

    // A file that changes changes its article.
    vault.put(&format!("Project {ID}/Tasks {OTHER}.csv"), "Name\nSweep\n");
    assert_eq!(counts(&import(&service, &vault.root()).await)[..3], [0, 1, 3]);
    assert!(service.read("tasks").await.expect("an article").body.contains("Sweep"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_never_overwrites_or_removes_a_table() {
    let (world, vault) = (TestHost::new().await, notion());
    let service = world.articles(None);
    import(&service, &vault.root()).await;
    let table = format!("Project {ID}/Tasks {OTHER}.csv");
    let before = std::fs::read(vault.path(&table)).expect("a table");
    for _ in 0..2 {
        let report = export_as(&service, Export { prune: true, ..exporting(&vault.root()) }).await;
        assert!(report.failed.is_empty() && report.removed.is_empty(), "{report:?}");
        assert_eq!(std::fs::read(vault.path(&table)).expect("a table"), before);
        assert!(vault.path(&format!("{table}.md")).is_file());
    }
    let again = import(&service, &vault.root()).await;
    assert_eq!((again.created, again.updated, again.failed.len()), (0, 0, 0), "{:?}", again.files);
    // What was written is read elsewhere for the same articles.
    let other = TestHost::new().await;
    let elsewhere = other.articles(None);
    for table in [&table, &format!("Project {ID}/Tasks {OTHER}_all.csv")] {
        std::fs::remove_file(vault.path(table)).expect("a removal");
    }
    let read = import(&elsewhere, &vault.root()).await;
    assert_eq!(read.read_as, "notion");
    for slug in ["project", "plan", "tasks"] {
        assert_eq!(said(&elsewhere, slug).await, said(&service, slug).await, "{slug}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_of_logseq_has_namespaces_properties_and_days() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[
        ("logseq/config.edn", "{}"),
        ("logseq/bak/pages/my/1.md", "an old copy"),
        ("pages/my%2Fpage.md", "tags:: a, [[b]]\nalias:: Mine\n\n- # Not the title\n"),
        ("pages/trains___night.md", "- see [[my/page]]\n"),
        ("journals/2026_01_31.md", "- woke up\n"),
    ]);
    let done = imported(&service, &vault).await;
    assert_eq!((done.read_as, counts(&done)), ("logseq", [3, 0, 0, 0, 0, 0]), "{:?}", done.failed);
    assert!(done.left_out.iter().any(|left| left.reason == Reason::OfTheProgram), "{:?}", done.left_out);
    assert_eq!(
        said(&service, "page").await,
        ("pages/my".to_owned(), "page".to_owned(), serde_json::json!({ "alias": ["Mine"], "tags": ["a", "b"] }))
    );
    let night = service.linked("night").await.expect("an article");
    let to: Vec<_> = service.links_of(&night, 10).await.expect("links").into_iter().map(|link| link.slug).collect();
    assert_eq!(to, [Some("page".to_owned())]);
    let day = service.read("2026-01-31").await.expect("an article");
    assert_eq!((day.title.as_str(), day.created_at.0), ("2026-01-31", 1_769_817_600_000));
    // A part of it is read as the whole was.
    let part = import(&service, &vault.path("pages")).await;
    assert_eq!((part.read_as, counts(&part)), ("logseq", [0, 0, 2, 0, 0, 0]), "{:?}", part.files);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_of_jekyll_has_dates_and_drafts() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[
        ("_config.yml", "title: Site"),
        ("_posts/2026-01-31-night-train.md", "---\ntitle: The night train\n---\nText\n"),
        ("_drafts/ferry.md", "Text\n"),
        ("_site/about.md", "made from the others"),
        ("about.md", "# About\n"),
    ]);
    let done = imported(&service, &vault).await;
    assert_eq!((done.read_as, counts(&done)), ("jekyll", [3, 0, 0, 0, 0, 0]), "{:?}", done.failed);
    let post = service.read("night-train").await.expect("an article");
    assert_eq!((post.title.as_str(), post.created_at.0), ("The night train", 1_769_817_600_000));
    assert_eq!(said(&service, "ferry").await.2, serde_json::json!({ "draft": true }));
    assert_eq!(said(&service, "about").await.2, serde_json::json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_as_they_are_where_that_is_asked_or_they_are_kept_in_step() {
    let (world, vault) = (TestHost::new().await, notion());
    let service = world.articles(None);
    let plain = Import { layout: Some(Layout::Plain), ..importing(&vault.root()) };
    let done = import_as(&service, plain).await;
    assert_eq!((done.read_as, counts(&done)), ("plain", [3, 0, 0, 0, 0, 0]));
    let row = service.read(&format!("lay-rails-{ID}")).await.expect("an article");
    assert!(row.front_matter.is_empty() && row.body.contains("Status: Done"), "{row:?}");

    let (world, before) = (TestHost::new().await, Vault::contents(&vault.root()));
    let service = world.articles(None);
    let asked =
        SyncRequest { directory: vault.root(), folder: Folder::default(), many_deletions: true, dry_run: false };
    let report = sync(&service, &asked).await.expect("a run");
    assert_eq!(report.articles.created.len(), 3, "{report:?}");
    assert_eq!(Vault::contents(&vault.root()), before, "files that are kept in step stay as they are");
    let row = service.read(&format!("lay-rails-{ID}")).await.expect("an article");
    assert!(row.front_matter.is_empty() && row.body.contains("Status: Done"), "{row:?}");
}
