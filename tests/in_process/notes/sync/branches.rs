//! Another branch is checked out: hundreds of files change at once.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
};

use afterword::articles::Articles;
use afterword::files::ArticleChanges;

use super::{TestHost, body, change, run, slugs, texts_below};
use crate::notes::vault::Vault;

/// Runs git in the folder, as someone whose settings are not known.
fn git(vault: &Vault, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(vault.root()).args(["-c", "user.name=someone", "-c", "user.email=someone@example.org"]);
    command.args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false", "-c", "core.hooksPath=/dev/null"]);
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").stdin(Stdio::null());
    let output = command.args(arguments).output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The notes in the folder, without what git keeps there.
fn checked_out(vault: &Vault) -> BTreeMap<String, String> {
    texts_below(vault, |place| !place.starts_with(".git/"))
}

/// The articles by the places of their files.
async fn as_files(articles: &Articles) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for slug in slugs(articles).await {
        let article = articles.read(&slug).await.expect("an article");
        let folder = if article.folder.is_empty() { String::new() } else { format!("{}/", article.folder) };
        files.insert(format!("{folder}{slug}.md"), article.body);
    }
    files
}

/// Hundreds of files change, come, go and move at once, and on the way back once more.
#[tokio::test(flavor = "multi_thread")]
async fn another_branch_is_checked_out() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    let text = |name: &str, more: &str| format!("# {name}\n\nwords of {name} alone\n{more}");
    let put = |folder: &str, name: &str, more: &str| vault.put(&format!("{folder}/{name}.md"), text(name, more));
    for n in 0..300 {
        put(&format!("part-{}", n % 3), &format!("note-{n}"), "");
    }
    let sync = async || {
        let report = run(&articles, &vault).await;
        assert!(report.conflicts.is_empty() && report.merged.is_empty(), "{report:?}");
        assert_eq!(as_files(&articles).await, checked_out(&vault), "both sides are the same");
        report
    };
    git(&vault, &["init", "--quiet", "--initial-branch=main"]);
    sync().await;
    git(&vault, &["add", "."]);
    git(&vault, &["commit", "--quiet", "--message=first"]);
    let on_main = checked_out(&vault);

    git(&vault, &["checkout", "--quiet", "-b", "other"]);
    for n in 0..100 {
        put(&format!("part-{}", n % 3), &format!("note-{n}"), "changed on the other branch\n");
    }
    for n in 100..150 {
        fs::remove_file(vault.path(&format!("part-{}/note-{n}.md", n % 3))).expect("a removal");
    }
    fs::create_dir(vault.path("moved")).expect("a folder");
    for n in 150..200 {
        let name = format!("note-{n}.md");
        let from = vault.path(&format!("part-{}/{name}", n % 3));
        fs::rename(from, vault.path(&format!("moved/{name}"))).expect("a move");
    }
    for n in 300..340 {
        put("more", &format!("note-{n}"), "");
    }
    git(&vault, &["add", "."]);
    git(&vault, &["commit", "--quiet", "--message=other"]);
    let on_other = checked_out(&vault);
    git(&vault, &["checkout", "--quiet", "main"]);
    assert_eq!(checked_out(&vault), on_main);
    let nothing = sync().await;
    assert!(!nothing.did_something(), "there and back between two runs: {nothing:?}");

    for _ in 0..2 {
        git(&vault, &["checkout", "--quiet", "other"]);
        let there = sync().await;
        assert_eq!(checked_out(&vault), on_other, "the files are those of the branch");
        assert!(there.files.written.is_empty() && there.files.removed.is_empty(), "{there:?}");
        let ArticleChanges { created, updated: _, deleted } = &there.articles;
        assert_eq!((created.len(), deleted.len()), (40, 50), "a move is a move");
        assert_eq!(articles.read("note-160").await.expect("an article").folder, "moved");

        // Work that is not committed goes along, and what is changed here is changed there.
        change(&articles, "note-250", &text("note-250", "changed here\n")).await;
        assert_eq!(sync().await.files.written, ["part-1/note-250.md"]);
        git(&vault, &["checkout", "--quiet", "main"]);
        let back = sync().await;
        assert_eq!((back.articles.created.len(), back.articles.deleted.len()), (50, 40), "{back:?}");
        assert_eq!(body(&articles, "note-250").await, text("note-250", "changed here\n"));
        git(&vault, &["checkout", "--quiet", "--", "."]);
        sync().await;
        assert_eq!(checked_out(&vault), on_main);
    }
}
