//! What other programs do to files: rules that are being saved, late writes, times.

use std::{fs, io::Write, time::Duration};

use afterword::articles::NewArticle;
use afterword::files::{SyncRequest, sync};

use super::{TestHost, asked, change, run, slugs, texts};
use crate::{
    notes::vault::{Vault, import},
    support::article,
};

/// Rules that cannot be read, or are being saved, may leave out anything.
#[tokio::test(flavor = "multi_thread")]
async fn rules_that_cannot_be_read_are_not_taken_for_none() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let rules = "private/\n";
    let vault = Vault::of(&[(".gitignore", rules), ("a.md", "# A\n"), ("in/b.md", "# B\n"), ("private/p.md", "# P\n")]);
    run(&articles, &vault).await;
    assert_eq!(slugs(&articles).await, ["a", "b"]);
    vault.put(".gitignore", "#".repeat(1 << 20) + "\n" + rules);
    articles.create(article("from-here", "text\n")).await.expect("an article");
    for dry_run in [true, false] {
        let report = sync(&articles, &SyncRequest { dry_run, ..asked(&vault) }).await.expect("a run");
        let told: Vec<_> = report.failed.iter().map(|problem| problem.file.as_str()).collect();
        assert_eq!(told, ["/"], "{:?}", report.failed);
        assert!(report.failed[0].error.contains(".gitignore") && !report.did_something(), "{report:?}");
    }
    assert_eq!(import(&articles, &vault.root()).await.failed.len(), 1);
    assert_eq!(slugs(&articles).await, ["a", "b", "from-here"]);
    vault.put(".gitignore", rules);
    run(&articles, &vault).await;

    // An editor empties it, and writes it then.
    let path = vault.path(".gitignore");
    let emptied = fs::File::create(&path).expect("a file");
    let saver = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(60));
        (&emptied).write_all(rules.as_bytes()).expect("it is saved");
    });
    let report = sync(&articles, &asked(&vault)).await.expect("a run");
    saver.join().expect("it ends");
    assert!(!report.did_something() && report.failed.is_empty(), "{report:?}");
    vault.put(".gitignore", "");
    run(&articles, &vault).await;
    assert_eq!(slugs(&articles).await, ["a", "b", "from-here", "p"], "one that is empty says nothing");
}

/// A program that had a file open goes on writing to it, wherever it is by then.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_to_a_file_after_it_was_taken_away_is_kept() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("log.md", "# Log\n\none\n"), ("sub/gone.md", "# Gone\n"), ("still.md", "# Still\n")]);
    run(&articles, &vault).await;
    let open = |file: &str| fs::OpenOptions::new().append(true).open(vault.path(file)).expect("a file");
    let held = [open("log.md"), open("sub/gone.md")];
    change(&articles, "log", "# Log\n\none\nfrom there\n").await;
    articles.delete("gone", None).await.expect("a deletion");
    let report = run(&articles, &vault).await;
    assert_eq!((report.files.written.len(), report.files.removed.len()), (1, 1));
    assert!(!vault.path("sub").exists(), "nothing is left of an empty folder");
    for mut file in held {
        file.write_all(b"late\n").expect("it is written");
    }
    let report = sync(&articles, &asked(&vault)).await.expect("a run");
    let told: Vec<_> = report.conflicts.iter().map(|conflict| conflict.file.as_str()).collect();
    assert_eq!(told, ["log.md", "sub/gone.md"]);
    let copies: Vec<_> = report.conflicts.iter().map(|conflict| texts(&vault)[&conflict.copy].clone()).collect();
    assert_eq!(copies, ["# Log\n\none\nlate\n", "# Gone\nlate\n"]);
    assert_eq!(texts(&vault)["log.md"], "# Log\n\none\nfrom there\n");
    assert_eq!(slugs(&articles).await.len(), 4, "the copies are articles as well");
    run(&articles, &vault).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_go_along() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("old.md", "# Old\n")]);
    let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_500_000_000);
    let file = fs::File::options().write(true).open(vault.path("old.md")).expect("a file");
    file.set_modified(then).expect("a time");
    let at = Some(1_400_000_000_000);
    articles
        .create(NewArticle { created_at: at, updated_at: at, ..article("here", "text\n") })
        .await
        .expect("an article");
    run(&articles, &vault).await;
    let old = articles.read("old").await.expect("an article");
    assert_eq!((old.created_at.0, old.updated_at.0), (1_500_000_000_000, 1_500_000_000_000));
    let modified = fs::metadata(vault.path("here.md")).expect("a file").modified().expect("a time");
    assert_eq!(modified, std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_400_000_000));
    // A file whose front matter has an older save time is saved now.
    let text = texts(&vault)["here.md"].replace("text\n", "more\n");
    vault.put("here.md", text);
    run(&articles, &vault).await;
    assert!(articles.read("here").await.expect("an article").updated_at.0 > 1_500_000_000_000);
}
