//! Files that are gone, emptied or no files any more: what becomes of their articles, and what is asked before.

use std::fs;

use afterword::articles::{NewArticle, folder::Folder};
use afterword::files::{SyncError, SyncRequest, sync};

use super::{TestHost, asked, body, change, put_in, run, slug, slugs};
use crate::{notes::vault::Vault, support::article};

/// What became of a file that is no note any more is told, and its article stays.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_any_more_is_told() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let notes = ["link.md", "in/a.md", "folder.md", "nul.md", "latin.md", "out.md", "was/b.md"];
    let vault = Vault::of(&notes.map(|note| (note, "# Note\n\ntext\n")));
    run(&articles, &vault).await;
    let there = slugs(&articles).await;
    let aside = tempfile::tempdir().expect("a folder");
    fs::rename(vault.path("link.md"), aside.path().join("link.md")).expect("a rename");
    fs::rename(vault.path("in"), aside.path().join("in")).expect("a rename");
    std::os::unix::fs::symlink(aside.path().join("link.md"), vault.path("link.md")).expect("a link");
    std::os::unix::fs::symlink(aside.path().join("in"), vault.path("in")).expect("a link");
    fs::remove_file(vault.path("folder.md")).expect("a removal");
    fs::create_dir(vault.path("folder.md")).expect("a folder");
    fs::remove_dir_all(vault.path("was")).expect("a removal");
    vault.put("was", "a file\n");
    vault.put("nul.md", "# Note\n\nte\0xt\n");
    vault.put("latin.md", b"# Note\n\nt\xe4xt\n");
    vault.put(".gitignore", "out.md\n");
    change(&articles, "out", "# Note\n\nmore\n").await;
    change(&articles, "nul", "# Note\n\nmore\n").await;
    let before = Vault::contents(&vault.root());
    let report = sync(&articles, &asked(&vault)).await.expect("a run");
    let told: Vec<_> = report.failed.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(told, ["folder.md", "in/a.md", "latin.md", "link.md", "nul.md", "was/b.md"], "{:?}", report.failed);
    assert!(!report.did_something(), "{report:?}");
    assert_eq!(Vault::contents(&vault.root()), before);
    assert_eq!(slugs(&articles).await, there);
}

/// A full disk, or a program that dies while it writes, leaves empty files; of some programs, a blank line is left.
#[tokio::test(flavor = "multi_thread")]
async fn many_emptied_files_are_asked_about() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let names: Vec<String> = (0..30).map(|n| format!("note-{n}.md")).collect();
    let vault = Vault::of(&[("empty.md", "")]);
    names.iter().for_each(|name| vault.put(name, format!("# {name}\n")));
    run(&articles, &vault).await;
    names[..6]
        .iter()
        .zip(["", "\n", "\r\n", " \n\t\n", "\u{feff}", "\u{a0}\n"])
        .for_each(|(name, blank)| vault.put(name, blank));
    change(&articles, "note-0", "edited here\n").await;
    let asking = SyncRequest { many_deletions: false, ..asked(&vault) };
    let refused = sync(&articles, &asking).await.expect_err("a question");
    assert!(matches!(refused, SyncError::ManyDeletions { gone: 0, deleted: 0, emptied: 6, .. }), "{refused}");
    assert_eq!(body(&articles, "note-1").await, "# note-1.md\n");
    vault.put(&names[0], format!("# {}\n", names[0]));
    assert_eq!(sync(&articles, &asking).await.expect("a few are meant").articles.updated.len(), 5);
}

/// What a file and its article say is joined before the file goes where its article went: what is asked is asked
/// before.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_asked_before_anything_is_done() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    let names: Vec<String> = (0..20).map(|n| format!("note-{n}.md")).collect();
    names.iter().for_each(|name| vault.put(name, format!("# {name}\n\none\n")));
    let team = SyncRequest { folder: Folder::parse("team").expect("a folder"), many_deletions: false, ..asked(&vault) };
    sync(&articles, &team).await.expect("a run");
    for name in &names[..8] {
        vault.put(name, format!("# {name}\n\none\n\nand more\n"));
        put_in(&articles, name.trim_end_matches(".md"), "elsewhere").await;
    }
    let before = Vault::contents(&vault.root());
    let refused = sync(&articles, &team).await.expect_err("a question");
    assert!(matches!(refused, SyncError::ManyDeletions { gone: 0, deleted: 8, .. }), "{refused}");
    assert!(refused.to_string().contains("nothing was done"), "{refused}");
    assert_eq!(Vault::contents(&vault.root()), before);
    assert_eq!(body(&articles, "note-0").await, "# note-0.md\n\none\n");
    let report = sync(&articles, &SyncRequest { many_deletions: true, ..team }).await.expect("a run");
    assert_eq!(report.files.removed.len(), 8);
    assert_eq!(body(&articles, "note-0").await, "# note-0.md\n\none\n\nand more\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deletions_are_asked_about() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    fs::create_dir_all(vault.root()).expect("a folder");
    let names: Vec<String> = (0..30).map(|n| format!("note-{n}.md")).collect();
    names.iter().for_each(|name| vault.put(name, format!("# {name}\n")));
    run(&articles, &vault).await;
    // The state of a disk that is not mounted.
    let aside = vault.root().parent().expect("a folder").join("aside");
    fs::rename(vault.root(), &aside).expect("a rename");
    fs::create_dir(vault.root()).expect("a folder");
    let asking = SyncRequest { many_deletions: false, ..asked(&vault) };
    let refused = sync(&articles, &asking).await.expect_err("a question");
    assert!(matches!(refused, SyncError::ManyDeletions { gone: 30, deleted: 0, known: 30, .. }), "{refused}");
    let SyncError::ManyDeletions { files, .. } = &refused else { unreachable!("it is one") };
    assert_eq!((files.gone.len(), files.all().count()), (30, 30), "all are named");
    assert!(refused.to_string().contains(" and 20 more"), "the first ten are told: {refused}");
    assert!(refused.to_string().contains("--yes"), "{refused}");
    assert_eq!(slugs(&articles).await.len(), 30);
    assert!(Vault::contents(&vault.root()).is_empty(), "nothing was done at all");
    fs::remove_dir(vault.root()).expect("a removal");
    fs::rename(&aside, vault.root()).expect("a rename");
    names[..5].iter().for_each(|name| fs::remove_file(vault.path(name)).expect("a removal"));
    assert_eq!(sync(&articles, &asking).await.expect("a run").articles.deleted.len(), 5, "a few are meant");
    for name in &names[5..11] {
        articles.delete(name.trim_end_matches(".md"), None).await.expect("a deletion");
    }
    let refused = sync(&articles, &asking).await.expect_err("a question");
    assert!(matches!(refused, SyncError::ManyDeletions { gone: 0, deleted: 6, known: 25, .. }), "{refused}");
    assert_eq!(sync(&articles, &asked(&vault)).await.expect("a run").files.removed.len(), 6);
}

/// A file that is gone is gone, whatever becomes of its article: what an agent changed meanwhile is not written to the
/// place where a disk was mounted, from where it would be undone when the disk is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_gone_is_not_written_anew() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    let names: Vec<String> = (0..12).map(|n| format!("note-{n}.md")).collect();
    names.iter().for_each(|name| vault.put(name, format!("# {name}\n")));
    run(&articles, &vault).await;
    let aside = vault.root().parent().expect("a folder").join("aside");
    let asking = SyncRequest { many_deletions: false, ..asked(&vault) };
    // One of them, one renamed, and all.
    for changed in [&names[..1], &names[..]] {
        fs::rename(vault.root(), &aside).expect("a rename");
        fs::create_dir(vault.root()).expect("a folder");
        for name in changed {
            change(&articles, name.trim_end_matches(".md"), "edited here\n").await;
        }
        if let [_] = changed {
            articles.rename("note-1", slug("renamed"), None).await.expect("a rename");
        }
        let refused = sync(&articles, &asking).await.expect_err("a question");
        assert!(matches!(refused, SyncError::ManyDeletions { gone: 12, known: 12, .. }), "{refused}");
        assert!(Vault::contents(&vault.root()).is_empty(), "nothing was done at all");
        fs::remove_dir(vault.root()).expect("a removal");
        fs::rename(&aside, vault.root()).expect("a rename");
        sync(&articles, &asking).await.expect("a run");
        for name in changed {
            assert_eq!(body(&articles, name.trim_end_matches(".md")).await, "edited here\n");
            let file = if name == "note-1.md" { "renamed.md" } else { name };
            assert!(fs::read_to_string(vault.path(file)).expect("a file").ends_with("edited here\n"));
        }
    }
}

/// An article that was deleted comes back with its file, with everything that it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_with_a_file_has_its_past() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n\none\n"), ("b.md", "# B\n"), ("c.md", "# C\n")]);
    run(&articles, &vault).await;
    let number = async |slug: &str| articles.read(slug).await.map(|article| article.id).expect("an article");
    let (a, b) = (number("a").await, number("b").await);
    // Deleted here, changed there.
    change(&articles, "a", "# A\n\ntwo\n").await;
    run(&articles, &vault).await;
    articles.delete("a", None).await.expect("a deletion");
    vault.put("a.md", "# A\n\nthree\n");
    let report = run(&articles, &vault).await;
    assert_eq!((report.articles.created, report.files.removed.len()), (vec!["a.md".to_owned()], 0));
    let back = articles.read("a").await.expect("an article");
    assert_eq!((back.id, back.body.as_str(), back.revision), (a, "# A\n\nthree\n", 4));
    assert_eq!(articles.read_revision("a", 1).await.expect("a revision").body, "# A\n\none\n");
    // Deleted there, and there again as it was; its name is another's by now.
    fs::remove_file(vault.path("b.md")).expect("a removal");
    run(&articles, &vault).await;
    let folder = Folder::parse("other").expect("a folder");
    articles.create(NewArticle { folder, ..article("b", "another\n") }).await.expect("an article");
    run(&articles, &vault).await;
    vault.put("b.md", "# B\n");
    run(&articles, &vault).await;
    let page = articles.list(&Folder::default(), None, 100).await.expect("a page");
    let back = page.articles.iter().find(|found| found.title == "B").expect("it is back");
    assert_eq!((number(&back.slug).await, back.slug.starts_with("b-")), (b, true));
    fs::remove_file(vault.path("c.md")).expect("a removal");
    run(&articles, &vault).await;
    vault.put("c.md", "# C\n");
    run(&articles, &vault).await;
    let back = articles.read("c").await.expect("an article");
    assert_eq!((back.body.as_str(), back.revision), ("# C\n", 2), "nothing is new of it");
    // Its past is kept no more: it is a new article.
    articles.delete("c", None).await.expect("a deletion");
    world.run("DELETE FROM article_versions WHERE slug = 'c'").await;
    vault.put("c.md", "# C\n\nmore\n");
    run(&articles, &vault).await;
    assert_eq!(articles.read("c").await.expect("an article").revision, 1);
}
