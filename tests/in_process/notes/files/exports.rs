//! What an export writes, keeps and removes.

use std::{collections::BTreeSet, fs};

use afterword::{
    articles::{ArticlePatch, folder::Folder},
    files::OnConflict,
};

use super::TestHost;
use crate::{
    notes::vault::{Vault, counts, export, export_as, exporting, import},
    support::article,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_and_never_leaves_its_folder() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    for slug in ["blocked", "linked", "free", "waits"] {
        service.create(article(slug, "text")).await.expect("a save");
    }
    let below = |slug: &str, folder: &str| afterword::articles::NewArticle {
        folder: Folder::parse(folder).expect("a folder"),
        ..article(slug, "text")
    };
    service.create(below("outside", "away")).await.expect("a save");
    service.create(below("inner", "guide.md")).await.expect("a save");
    service.create(article("guide", "beside a folder of its file's name")).await.expect("a save");
    service.create(below("dotted", ".hidden/node_modules")).await.expect("a save");
    let vault = Vault::of(&[("target.md", "mine"), ("elsewhere/x.md", "mine")]);
    let out = vault.path("../out");
    fs::create_dir_all(out.join("blocked.md")).expect("a folder");
    std::os::unix::fs::symlink(vault.path("target.md"), out.join("linked.md")).expect("a link");
    std::os::unix::fs::symlink(vault.path("target.md"), out.join("free.md.part")).expect("a link");
    std::os::unix::fs::symlink(vault.path("elsewhere"), out.join("away")).expect("a link");
    let pipe = std::process::Command::new("mkfifo").arg(out.join("waits.md")).status().expect("mkfifo");
    assert!(pipe.success());
    let update = afterword::files::Export { on_conflict: OnConflict::Update, ..exporting(&out) };
    let report = export_as(&service, update).await;
    let failed: BTreeSet<_> = report.failed.iter().map(|failed| failed.file.as_str()).collect();
    assert_eq!(
        failed,
        BTreeSet::from(["away/outside.md", "blocked.md", "linked.md", "waits.md"]),
        "{:?}",
        report.failed
    );
    assert_eq!(report.created, 4, "{report:?}");
    assert_eq!(fs::read_to_string(vault.path("target.md")).expect("a file"), "mine");
    assert_eq!(fs::read_dir(vault.path("elsewhere")).expect("a folder").count(), 1);
    assert!(out.join("guide.md/inner.md").exists());
    let other = TestHost::new().await;
    let service = other.articles(None);
    assert_eq!(counts(&import(&service, &out).await), [4, 0, 0, 0, 0, 0]);
    assert_eq!(service.read("dotted").await.expect("an article").folder, ".hidden/node_modules");
    assert_eq!(service.read("guide").await.expect("an article").title, "Title of guide");
}

/// An export never writes over what was saved after it had looked.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_during_an_export_is_somewhere_after_it() {
    const ROUNDS: usize = 80;
    let world = TestHost::new().await;
    let service = world.articles(None);
    service.create(article("note", "first")).await.expect("an article");
    let vault = Vault::of(&[]);
    for round in 0..ROUNDS {
        let update = afterword::files::Export { on_conflict: OnConflict::Update, ..exporting(&vault.root()) };
        export_as(&service, update).await;
        let body = Some(format!("changed here {round}"));
        service.update("note", ArticlePatch { body, ..ArticlePatch::default() }).await.expect("a save");
        let (path, saved) = (vault.path("note.md"), format!("saved there {round}"));
        let text = saved.clone();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let saver = std::thread::spawn(move || {
            let part = path.with_extension("part");
            fs::write(&part, text).expect("a file");
            let _ = begun.send(());
            std::hint::black_box((0..round * 20_000).map(std::hint::black_box).sum::<usize>());
            fs::rename(part, path).expect("a save");
        });
        begins.await.expect("it begins");
        export(&service, &vault.root()).await;
        saver.join().expect("it ends");
        let found = Vault::contents(&vault.root()).into_values().any(|text| text == saved.as_bytes());
        assert!(found, "round {round}: {:?}", Vault::contents(&vault.root()).keys());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_removes_a_file_only_when_its_article_stands_elsewhere() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    service.create(article("note", "text")).await.expect("an article");
    let vault = Vault::of(&[]);
    export(&service, &vault.root()).await;
    let folder = Some(Folder::parse("y").expect("a folder"));
    service.update("note", ArticlePatch { folder, ..ArticlePatch::default() }).await.expect("a save");
    vault.put("y/note.md", "of another");
    let prune = |on_conflict, dry_run| afterword::files::Export {
        prune: true,
        on_conflict,
        dry_run,
        ..exporting(&vault.root())
    };
    for on_conflict in [OnConflict::Fail, OnConflict::Skip] {
        for dry_run in [true, false] {
            let report = export_as(&service, prune(on_conflict, dry_run)).await;
            assert!(report.removed.is_empty() && vault.path("note.md").exists(), "{report:?}");
        }
    }
    let report = export_as(&service, prune(OnConflict::Update, false)).await;
    assert_eq!((report.removed, report.updated), (vec!["note.md".to_owned()], 1));
    assert!(!vault.path("note.md").exists());
}
