//! A folder and the articles kept the same: two writers, one on each side, lose nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    future::Future,
    io::Write,
    pin::pin,
    process::{Command, Stdio},
    task::Poll,
    time::{Duration, Instant},
};

use afterword::articles::{ArticlePatch, Articles, NewArticle, folder::Folder, front_matter::Document, slug::Slug};
use afterword::files::{ArticleChanges, Import, SyncError, SyncReport, SyncRequest, forget, sync};

use afterword_actors::store::sql::Sql;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::TestHost;
use crate::{
    notes::vault::{Vault, import, import_as, importing},
    support::{TOKIO, TestDatabase, article},
};

pub(super) fn asked(vault: &Vault) -> SyncRequest {
    SyncRequest { directory: vault.root(), folder: Folder::default(), many_deletions: true, dry_run: false }
}

/// A run, after a dry run that predicts the same.
pub(super) async fn run(articles: &Articles, vault: &Vault) -> SyncReport {
    let before = Vault::contents(&vault.root());
    let promised = sync(articles, &SyncRequest { dry_run: true, ..asked(vault) }).await.expect("a dry run");
    assert_eq!(Vault::contents(&vault.root()), before, "a dry run does nothing");
    let done = sync(articles, &asked(vault)).await.expect("a run");
    assert!(done.failed.is_empty(), "{:?}", done.failed);
    let done_as_promised = SyncReport { dry_run: true, ..done };
    assert_eq!(promised, done_as_promised, "what is done is what was promised");
    let done = SyncReport { dry_run: false, ..done_as_promised };
    let again = sync(articles, &asked(vault)).await.expect("a run");
    assert!(!again.did_something(), "both sides are the same then: {again:?}");
    done
}

/// The texts of files by their paths; without those that are being written.
pub(super) fn texts(vault: &Vault) -> BTreeMap<String, String> {
    texts_below(vault, |_| true)
}

/// The texts of those files whose place is wanted.
fn texts_below(vault: &Vault, is_wanted: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    let (root, mut texts) = (vault.root(), BTreeMap::new());
    for entry in walkdir::WalkDir::new(&root).into_iter().filter_map(Result::ok) {
        let place = entry.path().strip_prefix(&root).expect("below").to_str().expect("text");
        if entry.file_type().is_file() && !place.contains(".afterword-") && is_wanted(place) {
            texts.insert(place.to_owned(), fs::read_to_string(entry.path()).expect("a text"));
        }
    }
    texts
}

async fn slugs(articles: &Articles) -> Vec<String> {
    let page = articles.list(&Folder::default(), None, 1000).await.expect("a page");
    let mut slugs: Vec<String> = page.articles.into_iter().map(|article| article.slug).collect();
    slugs.sort();
    slugs
}

pub(super) async fn body(articles: &Articles, slug: &str) -> String {
    articles.read(slug).await.expect("an article").body
}

pub(super) async fn change(articles: &Articles, slug: &str, body: &str) {
    let changes = ArticlePatch { body: Some(body.to_owned()), ..ArticlePatch::default() };
    articles.update(slug, changes).await.expect("a save");
}

async fn put_in(articles: &Articles, slug: &str, folder: &str) {
    let folder = Some(Folder::parse(folder).expect("a folder"));
    articles.update(slug, ArticlePatch { folder, ..ArticlePatch::default() }).await.expect("a save");
}

pub(super) fn slug(text: &str) -> Slug {
    Slug::parse(text).expect("a slug")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_on_one_side_changes_on_the_other() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n\ntext\n"), ("sub/b.md", "---\ntags: [x]\n---\n# B\n")]);
    articles.create(article("from-here", "made by an agent\n")).await.expect("an article");
    let first = run(&articles, &vault).await;
    assert_eq!((first.articles.created.len(), first.files.written.len()), (2, 1));
    assert_eq!(slugs(&articles).await, ["a", "b", "from-here"]);
    assert!(texts(&vault)["from-here.md"].ends_with("made by an agent\n"));

    // A file is saved, an article is saved, one is new.
    vault.put("a.md", "# A\n\nmore\n");
    change(&articles, "b", "# B\n\nedited here\n").await;
    vault.put("c.md", "# C\n");
    let second = run(&articles, &vault).await;
    assert_eq!((second.articles.updated, second.articles.created), (vec!["a.md".to_owned()], vec!["c.md".to_owned()]));
    assert_eq!(second.files.written, ["sub/b.md"]);
    assert_eq!(body(&articles, "a").await, "# A\n\nmore\n");
    assert_eq!(texts(&vault)["sub/b.md"], "---\ntags: [x]\n---\n# B\n\nedited here\n", "and nothing else of it");
    change(&articles, "b", "# B\n\nedited again\n").await;
    run(&articles, &vault).await;
    assert_eq!(texts(&vault)["sub/b.md"], "---\ntags: [x]\n---\n# B\n\nedited again\n", "and nothing else of it");

    // Deletions go both ways, and can be undone.
    fs::remove_file(vault.path("c.md")).expect("a removal");
    articles.delete("from-here", None).await.expect("a deletion");
    let report = run(&articles, &vault).await;
    assert_eq!(report.articles.deleted, ["c"]);
    assert_eq!(report.files.removed, ["from-here.md"]);
    assert_eq!(slugs(&articles).await, ["a", "b"]);
    articles.restore("c", None).await.expect("it comes back");
    articles.restore("from-here", None).await.expect("it comes back");
    run(&articles, &vault).await;
    assert!(["c.md", "from-here.md"].iter().all(|file| texts(&vault).contains_key(*file)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_on_one_side_moves_on_the_other() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n"), ("B++.md", "# B\n"), ("c.md", "---\nslug: sea\n---\n# C\n")]);
    run(&articles, &vault).await;
    fs::create_dir(vault.path("new")).expect("a folder");
    fs::rename(vault.path("a.md"), vault.path("new/a.md")).expect("a rename");
    put_in(&articles, "b", "deep/er").await;
    let moved = run(&articles, &vault).await;
    assert!(moved.articles.created.is_empty() && moved.articles.deleted.is_empty(), "a move is one: {moved:?}");
    assert_eq!(articles.read("a").await.expect("an article").folder, "new");
    assert_eq!(texts(&vault).keys().collect::<Vec<_>>(), ["c.md", "deep/er/B++.md", "new/a.md"]);

    // Both sides at once: moved there, changed here.
    fs::rename(vault.path("new/a.md"), vault.path("a moved.md")).expect("a rename");
    change(&articles, "a", "# A\n\nedited here\n").await;
    articles.rename("b", slug("bee"), None).await.expect("a rename");
    articles.rename("sea", slug("ocean"), None).await.expect("a rename");
    let moved = run(&articles, &vault).await;
    assert!(moved.articles.created.is_empty() && moved.articles.deleted.is_empty(), "a move is one: {moved:?}");
    assert_eq!(texts(&vault)["a moved.md"], "# A\n\nedited here\n");
    assert_eq!(articles.read("a").await.expect("an article").folder, "");
    assert!(texts(&vault).contains_key("deep/er/bee.md"));
    assert!(texts(&vault)["c.md"].contains("slug: ocean"), "{:?}", texts(&vault));

    // Moved and changed between two runs, and changed here as well.
    let lines: String =
        std::iter::once("# Title\n\n".to_owned()).chain((0..9).map(|n| format!("line {n}\n\n"))).collect();
    vault.put("long.md", &lines);
    vault.put("other.md", lines.replace("line", "other"));
    run(&articles, &vault).await;
    for file in ["long.md", "other.md"] {
        fs::remove_file(vault.path(file)).expect("a removal");
    }
    vault.put("new/name.md", lines.replace("line 7", "LINE 7"));
    vault.put("new/another.md", lines.replace("line", "other").replace("other 7", "OTHER 7"));
    change(&articles, "other", &lines.replace("line", "other").replace("other 0", "OTHER 0")).await;
    let moved = run(&articles, &vault).await;
    assert!(moved.articles.created.is_empty() && moved.articles.deleted.is_empty(), "a move is one: {moved:?}");
    assert_eq!(body(&articles, "long").await, lines.replace("line 7", "LINE 7"));
    let both = lines.replace("line", "other").replace("other 7", "OTHER 7").replace("other 0", "OTHER 0");
    assert_eq!((body(&articles, "other").await, &texts(&vault)["new/another.md"]), (both.clone(), &both));
    for (slug, file) in [("long", "new/name.md"), ("other", "new/another.md")] {
        articles.delete(slug, None).await.expect("a deletion");
        assert!(vault.path(file).exists());
    }
    run(&articles, &vault).await;

    // A name that is taken by a file that is left out.
    vault.put(".gitignore", "private/\nodd.md\n");
    vault.put("odd.md", "not a note\n");
    articles.create(article("odd", "text\n")).await.expect("an article");
    articles
        .create(NewArticle { folder: Folder::parse("private").expect("a folder"), ..article("p", "text\n") })
        .await
        .expect("an article");
    let report = run(&articles, &vault).await;
    assert_eq!(report.left_out, ["p"], "it would be gone at the next look");
    assert_eq!(texts(&vault)["odd.md"], "not a note\n");
    assert_eq!(report.files.written.len(), 1, "{report:?}");
    // A note that is left out from now on is not taken for deleted.
    vault.put(".gitignore", "private/\nodd.md\nc.md\n");
    let report = run(&articles, &vault).await;
    assert!(report.articles.deleted.is_empty(), "{report:?}");
    assert_eq!(slugs(&articles).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_both_sides_are_joined_or_both_kept() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n\none\n\ntwo\n\nthree\n"), ("b.md", "# B\n\nsame\n")]);
    run(&articles, &vault).await;
    vault.put("a.md", "# A\n\nONE\n\ntwo\n\nthree\n");
    change(&articles, "a", "# A\n\none\n\ntwo\n\nTHREE\n").await;
    vault.put("b.md", "# B\n\nthe file's\n");
    change(&articles, "b", "# B\n\nthe article's\n").await;
    let report = run(&articles, &vault).await;
    assert_eq!(report.merged, ["a.md"]);
    assert_eq!(body(&articles, "a").await, "# A\n\nONE\n\ntwo\n\nTHREE\n");
    assert_eq!(texts(&vault)["a.md"], "# A\n\nONE\n\ntwo\n\nTHREE\n");
    let [conflict] = &report.conflicts[..] else { panic!("{report:?}") };
    assert_eq!(texts(&vault)["b.md"], "# B\n\nthe article's\n");
    assert_eq!(texts(&vault)[&conflict.copy], "# B\n\nthe file's\n");
    assert_eq!(slugs(&articles).await.len(), 3, "the copy is an article as well");

    // A change goes before a deletion, whichever side it is on.
    fs::remove_file(vault.path("a.md")).expect("a removal");
    change(&articles, "a", "# A\n\nchanged after\n").await;
    vault.put("b.md", "# B\n\nchanged after\n");
    articles.delete("b", None).await.expect("a deletion");
    let report = run(&articles, &vault).await;
    assert!(report.articles.deleted.is_empty() && report.files.removed.is_empty(), "{report:?}");
    assert_eq!(texts(&vault)["a.md"], "# A\n\nchanged after\n");
    assert_eq!(body(&articles, "b").await, "# B\n\nchanged after\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_articles_is_kept_in_step_by_itself() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    articles.create(article("aside", "not of this folder\n")).await.expect("an article");
    let within = |slug: &str, folder: &str| NewArticle {
        folder: Folder::parse(folder).expect("a folder"),
        ..article(slug, "text\n")
    };
    articles.create(within("inner", "team/docs")).await.expect("an article");
    let vault = Vault::of(&[("a.md", "# A\n"), ("docs/aside.md", "# Another\n")]);
    let asked = SyncRequest { folder: Folder::parse("team").expect("a folder"), ..asked(&vault) };
    let report = sync(&articles, &asked).await.expect("a run");
    assert_eq!((report.articles.created.len(), report.files.written), (2, vec!["docs/inner.md".to_owned()]));
    assert_eq!(articles.read("a").await.expect("an article").folder, "team");
    assert!(!texts(&vault)["docs/inner.md"].contains("folder:"), "{:?}", texts(&vault));
    assert!(!sync(&articles, &asked).await.expect("a run").did_something());
    // What leaves the folder of articles leaves the folder of files, and is not deleted.
    put_in(&articles, "a", "elsewhere").await;
    let report = sync(&articles, &asked).await.expect("a run");
    assert_eq!(report.files.removed, ["a.md"]);
    put_in(&articles, "a", "team/back").await;
    let report = sync(&articles, &asked).await.expect("a run");
    assert_eq!(report.files.written, ["back/a.md"]);
    assert_eq!(slugs(&articles).await.len(), 4);
}

/// Articles that came from the same files before, and stand elsewhere: that the files move is told before.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_every_round() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n"), ("b.md", "# B\n\none\n\ntwo\n"), ("c.md", "# C\n"), ("d.md", "# D\n")]);
    let elsewhere = Import { folder: Folder::parse("w").expect("a folder"), ..importing(&vault.root()) };
    import_as(&articles, elsewhere).await;
    let moved = run(&articles, &vault).await;
    assert_eq!((moved.files.written.len(), moved.files.removed.len()), (4, 4), "{moved:?}");
    assert!(texts(&vault).contains_key("w/a.md"), "{:?}", texts(&vault));

    // Changed there, and moved, renamed, or both here; changed on both sides in the same lines, and moved.
    vault.put("w/b.md", "# B\n\nONE\n\ntwo\n");
    change(&articles, "b", "# B\n\none\n\nTWO\n").await;
    put_in(&articles, "b", "x").await;
    vault.put("w/c.md", "# C\n\nmore\n");
    put_in(&articles, "c", "x").await;
    articles.rename("c", slug("sea"), None).await.expect("a rename");
    vault.put("w/d.md", "# D\n\nthere\n");
    change(&articles, "d", "# D\n\nhere\n").await;
    put_in(&articles, "d", "x").await;
    // Written to after it was taken away.
    let mut held = fs::OpenOptions::new().append(true).open(vault.path("w/a.md")).expect("a file");
    change(&articles, "a", "# A\n\nmore\n").await;
    let report = run(&articles, &vault).await;
    assert_eq!((report.merged.len(), report.conflicts.len()), (2, 1), "{report:?}");
    assert_eq!(report.files.removed, ["w/b.md", "w/c.md", "w/d.md"]);
    held.write_all(b"late\n").expect("it is written");
    let report = run(&articles, &vault).await;
    assert_eq!((report.conflicts.len(), report.articles.created.len()), (1, 1), "{report:?}");
}

/// Each would take the files of the other for new ones, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn folders_that_overlap_are_refused_until_one_is_forgotten() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n"), ("sub dir/b.md", "# B\n"), ("sub dir/in/c.md", "# C\n")]);
    let of = |place: &str, folder: &str| SyncRequest {
        directory: vault.path(place),
        folder: Folder::parse(folder).expect("a folder"),
        ..asked(&vault)
    };
    let inner = of("sub dir", "team");
    sync(&articles, &inner).await.expect("a run");
    let before = texts(&vault);
    for overlapping in [asked(&vault), of("sub dir/in", ""), of("sub dir", ""), of("sub dir", "team/deep")] {
        for dry_run in [true, false] {
            let refused =
                sync(&articles, &SyncRequest { dry_run, ..overlapping.clone() }).await.expect_err("an overlap");
            assert!(matches!(refused, SyncError::Overlap { .. }), "{refused}");
            let told = refused.to_string();
            assert!(told.contains("sub dir' --folder team --forget`") && told.contains("kept in step"), "{told}");
        }
    }
    assert_eq!((texts(&vault), slugs(&articles).await.len()), (before.clone(), 2));
    sync(&articles, &inner).await.expect("the first goes on");
    assert!(matches!(forget(&articles, &asked(&vault)).await, Err(SyncError::NotKept { kept, .. }) if kept.len() == 1));
    forget(&articles, &inner).await.expect("it is forgotten");
    assert_eq!((texts(&vault), slugs(&articles).await.len()), (before, 2), "and nothing else is touched");
    assert!(matches!(forget(&articles, &inner).await, Err(SyncError::NotKept { .. })));
    sync(&articles, &asked(&vault)).await.expect("a run");
    // One that is gone is forgotten as well.
    let other = Vault::of(&[("x.md", "# X\n")]);
    let gone =
        SyncRequest { directory: other.path("x"), folder: Folder::parse("x").expect("a folder"), ..asked(&other) };
    fs::create_dir(&gone.directory).expect("a folder");
    sync(&articles, &gone).await.expect("a run");
    fs::remove_dir(&gone.directory).expect("a removal");
    let refused = sync(&articles, &asked(&other)).await.expect_err("an overlap");
    assert!(matches!(refused, SyncError::Overlap { .. }), "{refused}");
    forget(&articles, &gone).await.expect("it is forgotten");
    sync(&articles, &asked(&other)).await.expect("a run");
}

/// Folders beside each other may be kept in step with the same articles, or with some of them.
#[tokio::test(flavor = "multi_thread")]
async fn folders_beside_each_other_multiply_nothing() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vaults = [Vault::of(&[("a.md", "# A\n")]), Vault::of(&[("b.md", "# B\n")]), Vault::of(&[("b.md", "# B2\n")])];
    let asked = |number: usize| SyncRequest {
        folder: Folder::parse(["", "team", "team/deep"][number]).expect("a folder"),
        ..asked(&vaults[number])
    };
    let settle = async || {
        for round in 0.. {
            let mut did = false;
            for number in 0..3 {
                did |= sync(&articles, &asked(number)).await.expect("a run").did_something();
            }
            if !did {
                break;
            }
            assert!(round < 4, "they are never the same");
        }
    };
    settle().await;
    assert_eq!(slugs(&articles).await.len(), 3);
    for (number, vault) in vaults.iter().enumerate() {
        vault.put("new.md", format!("# New {number}\n"));
    }
    settle().await;
    assert_eq!(slugs(&articles).await.len(), 6);
    put_in(&articles, "a", "team/deep").await;
    let bees = slugs(&articles).await.into_iter().filter(|slug| slug.starts_with('b'));
    for (number, bee) in bees.enumerate() {
        articles.rename(&bee, slug(&format!("bee-{number}")), None).await.expect("a rename");
    }
    settle().await;
    fs::remove_file(vaults[2].path("a.md")).expect("a removal");
    settle().await;
    assert_eq!(slugs(&articles).await.len(), 5);
    for (number, files) in [(0, 5), (1, 4), (2, 2)] {
        assert_eq!(texts(&vaults[number]).len(), files, "{number}: {:?}", texts(&vaults[number]).keys());
    }
}

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

/// A full disk, or a program that dies while it writes, leaves empty files.
#[tokio::test(flavor = "multi_thread")]
async fn many_emptied_files_are_asked_about() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let names: Vec<String> = (0..30).map(|n| format!("note-{n}.md")).collect();
    let vault = Vault::of(&[("empty.md", "")]);
    names.iter().for_each(|name| vault.put(name, format!("# {name}\n")));
    run(&articles, &vault).await;
    names[..6].iter().for_each(|name| vault.put(name, ""));
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

/// A file that is gone is gone, whatever becomes of its article: what an agent changed meanwhile is not written to the place where a
/// disk was mounted, from where it would be undone when the disk is back.
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

/// A folder that was imported or copied before is not imported twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_known_goes_on_from_there() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("C++.md", "# C\n"), ("sub/b.md", "# B\n")]);
    import(&articles, &vault.root()).await;
    change(&articles, "b", "# B\n\nedited here\n").await;
    let report = run(&articles, &vault).await;
    assert_eq!((report.articles.created.len(), report.files.written), (0, vec!["sub/b.md".to_owned()]));
    // A second folder of the same articles.
    let second = Vault::of(&[("C++.md", "# C\n"), ("sub/b.md", "# B\n\nedited here\n")]);
    let report = run(&articles, &second).await;
    assert!(!report.did_something(), "{report:?}");
    second.put("C++.md", "# C\n\nmore\n");
    run(&articles, &second).await;
    run(&articles, &vault).await;
    assert_eq!(texts(&vault), texts(&second));
    assert_eq!(slugs(&articles).await.len(), 2);
    // Other front matter of the same text is not lost.
    let front_matter = "---\ntags: [kept]\n---\n".to_owned();
    articles.create(NewArticle { front_matter, ..article("d", "text\n") }).await.expect("an article");
    second.put("d.md", "---\ntitle: Title of d\n---\ntext\n");
    run(&articles, &second).await;
    assert!(texts(&second).values().any(|text| text.contains("tags: [kept]")), "{:?}", texts(&second));
}

/// Each article, and where it stands.
const STAND: &str = "SELECT slug || ' ' || folder AS t FROM articles";

/// A folder that is new to the program, and whose files are articles already: whatever they are called, none is made twice.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_articles_already_are_those() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[
        ("a/README.md", "# A\n"),
        ("b/README.md", "# B\n"),
        ("b/c/README.md", "# B\n"),
        ("C++.md", "# C\n"),
        ("C#.md", "# Sharp\n"),
        ("empty/README.md", "# B\n"),
    ]);
    run(&articles, &vault).await;
    articles.rename("readme", slug("called-otherwise"), None).await.expect("a rename");
    run(&articles, &vault).await;
    let (before, named) = (texts(&vault), slugs(&articles).await);
    let folders = async || bodies(&world, STAND).await;
    let stand = folders().await;
    forget(&articles, &asked(&vault)).await.expect("it is forgotten");
    let report = run(&articles, &vault).await;
    assert!(report.articles.created.is_empty() && report.files.written.is_empty(), "{report:?}");
    assert_eq!((texts(&vault), slugs(&articles).await), (before.clone(), named.clone()));
    // Under another name.
    let moved = Vault::of(&[]);
    fs::rename(vault.root(), moved.root()).expect("a rename");
    forget(&articles, &asked(&vault)).await.expect("it is forgotten");
    run(&articles, &moved).await;
    assert_eq!((texts(&moved), slugs(&articles).await), (before, named));
    assert_eq!(folders().await, stand);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_files_of_a_folder_that_is_renamed_stay_the_articles_they_are() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let notes = ["a/x.md", "a/sub/x.md", "a/sub/deep/x.md", "a/sub/y.md", "one.md", "two.md"];
    let vault = Vault::of(&notes.map(|note| (note, "# Same\n")));
    run(&articles, &vault).await;
    let before = bodies(&world, STAND).await;
    fs::rename(vault.path("a"), vault.path("b")).expect("a rename");
    fs::create_dir(vault.path("c")).expect("a folder");
    for (file, to) in [("one.md", "c/first.md"), ("two.md", "c/second.md")] {
        fs::rename(vault.path(file), vault.path(to)).expect("a rename");
    }
    let report = run(&articles, &vault).await;
    assert!(report.articles.created.is_empty() && report.articles.deleted.is_empty(), "{report:?}");
    let moved = |stand: &String| match stand.split_once(' ').expect("a slug and a folder") {
        (slug, "") => format!("{slug} c"),
        (slug, folder) => format!("{slug} b{}", &folder[1..]),
    };
    assert_eq!(bodies(&world, STAND).await, before.iter().map(moved).collect::<Vec<_>>());
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

/// Only one of two copies of a folder is there at a time: the files of the other are no reason to undo its changes.
#[tokio::test(flavor = "multi_thread")]
async fn copies_of_a_folder_take_nothing_back() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let notes: Vec<(String, String)> =
        (0..12).map(|n| (format!("a{n}.md"), format!("# A{n}\n\none\n\nbetween\n\ntwo\n"))).collect();
    let notes: Vec<(&str, &str)> = notes.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let (one, two) = (Vault::of(&notes), Vault::of(&notes));
    let away = |vault: &Vault| vault.root().with_extension("away");
    let leave = |vault: &Vault| fs::rename(vault.root(), away(vault)).expect("it goes");
    let come = |vault: &Vault| fs::rename(away(vault), vault.root()).expect("it comes");
    leave(&two);
    run(&articles, &one).await;
    leave(&one);
    come(&two);
    run(&articles, &two).await;
    leave(&two);
    come(&one);
    one.put("born.md", "# Born\n");
    one.put("a1.md", "# A1\n\nONE\n\nbetween\n\ntwo\n");
    run(&articles, &one).await;
    leave(&one);
    come(&two);
    two.put("a1.md", "# A1\n\none\n\nbetween\n\nTWO\n");
    let report = run(&articles, &two).await;
    assert!(report.articles.deleted.is_empty() && report.files.removed.is_empty(), "{report:?}");
    assert_eq!(body(&articles, "a1").await, "# A1\n\nONE\n\nbetween\n\nTWO\n");
    assert!(texts(&two).contains_key("born.md"), "{:?}", texts(&two).keys());
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

/// What one of two writers does, or what happens to the sync.
#[derive(Debug, Clone)]
enum Step {
    /// Adds a line to a file, at its end or below its heading.
    Write {
        note: usize,
        at_end: bool,
    },
    /// Adds a line to an article.
    Save {
        note: usize,
        at_end: bool,
    },
    Remove {
        note: usize,
    },
    Delete {
        note: usize,
    },
    /// Moves a file.
    Move {
        note: usize,
    },
    /// Moves an article.
    Put {
        note: usize,
    },
    Rename {
        note: usize,
    },
    Sync,
    /// A run that ends in the middle.
    Cut {
        after: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step =
        (0_usize..16, 0_usize..4, any::<bool>(), 1_usize..60).prop_map(|(kind, note, at_end, after)| match kind {
            0..=3 => Step::Write { note, at_end },
            4..=6 => Step::Save { note, at_end },
            7 => Step::Remove { note },
            8 => Step::Delete { note },
            9 => Step::Move { note },
            10 => Step::Put { note },
            11 => Step::Rename { note },
            12 | 13 => Step::Cut { after },
            _ => Step::Sync,
        });
    proptest::collection::vec(step, 1..40)
}

/// The lines written on either side, and those that must be there.
#[derive(Default)]
struct Reference {
    /// Lines that both sides may have.
    known: BTreeSet<String>,
    /// Every line that must not be lost, at least not from the history.
    ever: BTreeSet<String>,
    /// Something was deleted since both sides were the same.
    deleted: bool,
    /// A run was cut off since.
    is_cut: bool,
}

/// The texts on both sides.
struct Both {
    files: Vec<String>,
    articles: Vec<String>,
}

fn lines(texts: &[String]) -> BTreeSet<String> {
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.filter(|line| line.starts_with("line ")).map(str::to_owned).collect()
}

async fn bodies(world: &TestHost, sql: &str) -> Vec<String> {
    let mut bodies: Vec<String> = world.database.reader().rows(sql, []).await.expect("rows");
    bodies.sort();
    bodies
}

async fn both(world: &TestHost, vault: &Vault) -> Both {
    let mut files: Vec<String> = texts(vault).into_values().map(|text| Document::split(&text).body).collect();
    files.sort();
    Both { files, articles: bodies(world, "SELECT body FROM articles").await }
}

fn with_line(text: &str, line: &str, at_end: bool) -> String {
    match text.split_once("first\n").filter(|_| !at_end) {
        Some((heading, rest)) => format!("{heading}{line}\n\nfirst\n{rest}"),
        None => format!("{text}\n{line}\n"),
    }
}

/// The file of a note, wherever it is now.
fn file_of(vault: &Vault, note: usize) -> Option<(String, String)> {
    let (name, renamed) = (format!("note-{note}.md"), format!("other-{note}.md"));
    texts(vault)
        .into_iter()
        .find(|(file, _)| file.rsplit('/').next().is_some_and(|last| last == name || last == renamed))
}

/// Polls a run `polls` times, then drops it, as if the process had died there.
async fn cut(running: impl Future, polls: usize) {
    let (mut running, mut left) = (pin!(running), polls);
    std::future::poll_fn(|context| {
        left = left.saturating_sub(1);
        match running.as_mut().poll(context) {
            Poll::Pending if left > 0 => Poll::Pending,
            Poll::Pending | Poll::Ready(_) => Poll::Ready(()),
        }
    })
    .await;
}

impl Reference {
    async fn checked_sync(&mut self, world: &TestHost, vault: &Vault) -> Result<(), TestCaseError> {
        let articles = world.articles(None);
        let before = both(world, vault).await;
        let (in_files, in_articles) = (lines(&before.files), lines(&before.articles));
        let mut wanted: BTreeSet<String> = in_files.union(&in_articles).cloned().collect();
        self.ever.extend(wanted.iter().cloned());
        wanted.retain(|line| !self.deleted || !self.known.contains(line));
        let promised = sync(&articles, &SyncRequest { dry_run: true, ..asked(vault) }).await.expect("a dry run");
        let report = sync(&articles, &asked(vault)).await.expect("a run");
        prop_assert!(report.failed.is_empty(), "{:?}", report.failed);
        let done_as_promised = SyncReport { dry_run: true, ..report.clone() };
        // What was cut off may be going on still.
        prop_assert!(self.is_cut || promised == done_as_promised, "{:?} but {:?}", promised, done_as_promised);
        let again = sync(&articles, &asked(vault)).await.expect("a run");
        prop_assert!(!again.did_something(), "not the same yet: {:?} and then {:?}", report, again);
        let after = both(world, vault).await;
        prop_assert_eq!(
            &after.files,
            &after.articles,
            "each file is an article, and each article a file: {:?}",
            report
        );
        let there = lines(&after.files);
        let lost: Vec<_> = wanted.difference(&there).collect();
        prop_assert!(lost.is_empty(), "lost: {:?} by {:?}", lost, report);
        let past = lines(&bodies(world, "SELECT body FROM article_versions").await);
        let lost: Vec<_> = self.ever.iter().filter(|line| !there.contains(*line) && !past.contains(*line)).collect();
        prop_assert!(lost.is_empty(), "lost also for the past: {:?} by {:?}", lost, report);
        (self.known, self.deleted, self.is_cut) = (there, false, false);
        Ok(())
    }
}

async fn two_writers(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    fs::create_dir_all(vault.root()).expect("a folder");
    let mut reference = Reference::default();
    for (number, step) in steps.into_iter().chain([Step::Sync]).enumerate() {
        let line = format!("line {number}");
        match step {
            Step::Write { note, at_end } => {
                let new = || (format!("note-{note}.md"), format!("# Note {note}\n\nfirst\n"));
                let (file, text) = file_of(&vault, note).unwrap_or_else(new);
                vault.put(&file, with_line(&text, &line, at_end));
            }
            Step::Save { note, at_end } => {
                let Ok(article) = articles.read(&format!("note-{note}")).await else { continue };
                change(&articles, &article.slug, &with_line(&article.body, &line, at_end)).await;
                reference.ever.insert(line);
            }
            Step::Remove { note } => {
                let Some((file, _)) = file_of(&vault, note) else { continue };
                fs::remove_file(vault.path(&file)).expect("a removal");
                reference.deleted = true;
            }
            Step::Delete { note } => {
                reference.deleted |= articles.delete(&format!("note-{note}"), None).await.is_ok();
            }
            Step::Move { note } => {
                let Some((file, _)) = file_of(&vault, note) else { continue };
                let to = if file.contains('/') { format!("note-{note}.md") } else { format!("sub/note-{note}.md") };
                fs::create_dir_all(vault.path("sub")).expect("a folder");
                if !vault.path(&to).exists() {
                    fs::rename(vault.path(&file), vault.path(&to)).expect("a rename");
                    // Moved and changed at once, it counts as a new one, and the old one as deleted.
                    reference.deleted = true;
                }
            }
            Step::Put { note } => {
                let Ok(article) = articles.read(&format!("note-{note}")).await else { continue };
                put_in(&articles, &article.slug, if article.folder.is_empty() { "sub" } else { "" }).await;
            }
            Step::Rename { note } => {
                let _ = articles.rename(&format!("note-{note}"), slug(&format!("other-{note}")), None).await;
            }
            Step::Cut { after } => {
                let before = both(&world, &vault).await;
                let seen: BTreeSet<String> = lines(&before.files).union(&lines(&before.articles)).cloned().collect();
                reference.known.extend(seen);
                cut(sync(&articles, &asked(&vault)), after).await;
                reference.is_cut = true;
                // A text that did not get that far may be removed for good by its owner.
                reference.ever.extend(lines(&bodies(&world, "SELECT body FROM articles").await));
            }
            Step::Sync => reference.checked_sync(&world, &vault).await?,
        }
    }
    Ok(())
}

#[test]
fn two_writers_lose_nothing() {
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    runner.run(&steps(), |steps| TOKIO.block_on(two_writers(steps))).expect("nothing is lost");
}

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

/// Files and articles of the test that kills processes.
const EACH: i64 = 150;
/// A test that has waited this long for something is stuck.
const STUCK: Duration = Duration::from_secs(120);

async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < STUCK, "never: {what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_is_gone_on_with_by_the_next() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    for number in 0..EACH {
        vault.put(&format!("sub/file-{number}.md"), format!("# File {number}\n\ntext of file {number}\n"));
        articles
            .create(article(&format!("article-{number}"), &format!("text of article {number}\n")))
            .await
            .expect("an article");
    }
    let process = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
        command.args(["--database", &world.place.url(), "--set", "embedding.provider=scripted", "sync", "--yes"]);
        command.arg(vault.root()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let count = || async { world.number("SELECT count(*) AS n FROM articles").await };
    let files = || i64::try_from(texts(&vault).len()).expect("few");
    // While files come in, at the first article that goes out, and in the middle of those.
    for (articles, on_disk) in [(EACH + 40, 0), (0, EACH + 1), (0, EACH + 60), (0, EACH + 110)] {
        let mut running = process().spawn().expect("a process");
        until("so much is done", || async { count().await >= articles && files() >= on_disk }).await;
        running.kill().expect("it dies");
        running.wait().expect("it is dead");
    }
    // A file that one of them left half done was changed since.
    change(&articles, "file-1", "# File 1\n\ntext of file 1\n\nand more\n").await;
    run(&articles, &vault).await;
    assert!(process().status().expect("a process").success());
    let both = both(&world, &vault).await;
    assert_eq!(both.files, both.articles);
    assert_eq!((count().await, files()), (2 * EACH, 2 * EACH), "nothing is there twice");
    assert!(process().status().expect("a process").success());
    assert_eq!(world.number("SELECT count(*) AS n FROM article_versions").await, 1, "and nothing was saved twice");
}
