//! Files that rest are not read again, and whatever wakes one is seen: clocks, letters, limits, and places.

use std::{
    fs,
    io::Write,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use afterword::{
    articles::{AfterSave, ArticlePatch, Articles, Limits, NewArticle, folder::Folder, slug::Slug},
    files::{SyncReport, SyncRequest, left_copies, sync},
    search::Mode,
};

use super::TestHost;
use crate::{
    notes::vault::Vault,
    support::{TestDatabase, article},
};

/// A test that has waited this long for something is stuck.
const STUCK: Duration = Duration::from_secs(60);

fn asked(vault: &Vault) -> SyncRequest {
    SyncRequest { directory: vault.root(), folder: Folder::default(), many_deletions: true, dry_run: false }
}

/// A run, after a dry run that predicts the same.
async fn run(articles: &Articles, vault: &Vault) -> SyncReport {
    let promised = sync(articles, &SyncRequest { dry_run: true, ..asked(vault) }).await.expect("a dry run");
    let done = sync(articles, &asked(vault)).await.expect("a run");
    assert_eq!(promised, SyncReport { dry_run: true, ..done.clone() }, "what is done is what was promised");
    done
}

/// Brings both sides into step until every file rests.
async fn rest<P: TestDatabase>(world: &crate::support::TestHost<P>, vault: &Vault) {
    let (articles, start) = (world.articles(None), Instant::now());
    loop {
        let report = sync(&articles, &asked(vault)).await.expect("a run");
        assert!(report.failed.is_empty(), "{report:?}");
        let awake = "SELECT count(*) AS n FROM article_sources WHERE stamp = ''";
        if !report.did_something() && world.number(awake).await == 0 {
            return;
        }
        assert!(start.elapsed() < STUCK, "it never rests");
    }
}

async fn body(articles: &Articles, slug: &str) -> String {
    articles.read(slug).await.expect("an article").body
}

async fn change(articles: &Articles, slug: &str, changes: ArticlePatch) {
    articles.update(slug, changes).await.expect("a save");
}

fn saying(text: &str) -> ArticlePatch {
    ArticlePatch { body: Some(text.to_owned()), ..ArticlePatch::default() }
}

fn set_time(path: &Path, time: SystemTime) {
    fs::File::options().write(true).open(path).expect("a file").set_modified(time).expect("a time");
}

fn text(vault: &Vault, file: &str) -> String {
    fs::read_to_string(vault.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_wakes_a_file_that_rests_is_seen() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    for number in 0..12 {
        vault.put(&format!("Sub/Note {number}.md"), format!("# Note {number}\n\none\n"));
    }
    rest(&world, &vault).await;
    assert!(!run(&articles, &vault).await.did_something());

    // As long as before, and as old: a program may set the time.
    let file = vault.path("Sub/Note 1.md");
    let then = fs::metadata(&file).expect("a file").modified().expect("a time");
    vault.put("Sub/Note 1.md", "# Note 1\n\nTWO\n");
    set_time(&file, then);
    change(&articles, "note-2", saying("# Note 2\n\nhere\n")).await;
    let folder = Some(Folder::parse("other").expect("a folder"));
    change(&articles, "note-3", ArticlePatch { folder, ..ArticlePatch::default() }).await;
    articles.rename("note-4", Slug::parse("four").expect("a slug"), None).await.expect("a rename");
    articles.delete("note-5", None).await.expect("a deletion");
    fs::remove_file(vault.path("Sub/Note 6.md")).expect("a removal");
    fs::rename(vault.path("Sub/Note 7.md"), vault.path("Seven.md")).expect("a rename");
    // The places of files that rest are taken, whatever the case of their letters.
    let new = |slug: &str, folder: &str| NewArticle {
        folder: Folder::parse(folder).expect("a folder"),
        ..article(slug, "new\n")
    };
    articles.create(new("below", "sub/note 8.md")).await.expect("an article");
    vault.put("note 9.md", "# Another\n");
    let report = run(&articles, &vault).await;
    assert!(report.failed.is_empty() && report.conflicts.is_empty(), "{report:?}");
    assert_eq!((report.articles.updated.len(), report.articles.created.len()), (2, 1), "{report:?}");
    assert_eq!(
        (&report.articles.deleted, &report.files.removed),
        (
            &vec!["note-6".to_owned()],
            &vec!["Sub/Note 3.md".to_owned(), "Sub/Note 4.md".to_owned(), "Sub/Note 5.md".to_owned(),]
        )
    );
    assert_eq!(body(&articles, "note-1").await, "# Note 1\n\nTWO\n");
    assert_eq!(text(&vault, "Sub/Note 2.md"), "# Note 2\n\nhere\n");
    assert_eq!(text(&vault, "other/Note 3.md"), "# Note 3\n\none\n");
    assert!(text(&vault, "Sub/four.md").ends_with("# Note 4\n\none\n"), "{}", text(&vault, "Sub/four.md"));
    assert_eq!(articles.read("note-7").await.expect("an article").folder, "");
    assert_eq!(text(&vault, "Sub/Note 8.md"), "# Note 8\n\none\n", "no folder is made of a file");
    assert!(vault.path("sub/note 8.md_/below.md").exists(), "{report:?}");
    assert_eq!(body(&articles, "note-9").await, "# Note 9\n\none\n", "a file that rests keeps its article");
    assert!(!run(&articles, &vault).await.did_something());
}

/// A question counts files that rest.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_rest_count_when_it_is_asked_whether_many_are_gone() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    (0..70).for_each(|number| vault.put(&format!("note-{number}.md"), format!("# Note {number}\n")));
    rest(&world, &vault).await;
    let asking = SyncRequest { many_deletions: false, ..asked(&vault) };
    (0..7).for_each(|number| fs::remove_file(vault.path(&format!("note-{number}.md"))).expect("a removal"));
    assert_eq!(sync(&articles, &asking).await.expect("a tenth is meant").articles.deleted.len(), 7);
    (10..17).for_each(|number| fs::remove_file(vault.path(&format!("note-{number}.md"))).expect("a removal"));
    let refused = sync(&articles, &asking).await.expect_err("a question");
    assert!(refused.to_string().contains("of 63 files, 7 are gone"), "{refused}");
}

/// A clock that was set back makes what is written late look old.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_late_is_kept_whatever_the_clock_says() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("log.md", "# Log\n\none\n")]);
    run(&articles, &vault).await;
    let mut held = fs::OpenOptions::new().append(true).open(vault.path("log.md")).expect("a file");
    change(&articles, "log", saying("# Log\n\none\nfrom there\n")).await;
    run(&articles, &vault).await;
    held.write_all(b"late\n").expect("it is written");
    held.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("a time");
    let report = run(&articles, &vault).await;
    let [conflict] = &report.conflicts[..] else { panic!("{report:?}") };
    assert_eq!(text(&vault, &conflict.copy), "# Log\n\none\nlate\n");
}

/// Also if it was changed at the same time, so that no content tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_other_capitals_or_accents_is_a_new_name() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("readme.md", "# One\n"), ("sub/Übung.md", "# Two\n"), ("sub/caf\u{e9}.md", "# Three\n")]);
    run(&articles, &vault).await;
    for (from, to) in
        [("readme.md", "README.md"), ("sub/Übung.md", "Sub/übung.md"), ("sub/caf\u{e9}.md", "sub/cafe\u{301}.md")]
    {
        fs::remove_file(vault.path(from)).expect("a removal");
        vault.put(to, "# Changed\n");
    }
    let report = run(&articles, &vault).await;
    assert!(report.articles.created.is_empty() && report.articles.deleted.is_empty(), "a rename is one: {report:?}");
    for slug in ["readme", "ubung", "cafe"] {
        assert_eq!(body(&articles, slug).await, "# Changed\n");
    }
    assert!(!run(&articles, &vault).await.did_something());
}

/// What would not be read again is not written.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_the_limits_refuse() {
    let world = TestHost::new().await;
    let limits = Limits { max_size: 200, ..Limits::default() };
    let articles = Articles::new(world.database.clone(), limits, 3, AfterSave::Poll);
    let both = |first: &str, last: &str| format!("# Both\n\n{first}\n\nmiddle\n\n{last}\n");
    let vault = Vault::of(&[("both.md", &both("first", "last"))]);
    run(&articles, &vault).await;
    vault.put("both.md", both(&"first ".repeat(20), "last"));
    change(&articles, "both", saying(&both("first", &"last ".repeat(20)))).await;
    articles.create(article("long", &"x".repeat(190))).await.expect("an article");
    let before = Vault::contents(&vault.root());
    let report = run(&articles, &vault).await;
    let told: Vec<_> = report.failed.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(told, ["both.md", "long.md"], "{report:?}");
    assert!(report.failed.iter().all(|problem| problem.error.contains("articles.max_size")), "{:?}", report.failed);
    assert_eq!(Vault::contents(&vault.root()), before, "neither is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_told_of_until_they_are_gone() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n\none\n"), ("a (conflict of interest).md", "no copy")]);
    run(&articles, &vault).await;
    // As an earlier version has marked the files that it knew.
    let marked = "UPDATE article_sources SET is_copy = TRUE WHERE path LIKE '% (conflict %).%'";
    world.run(marked).await;
    vault.put("a.md", "# A\n\nthere\n");
    change(&articles, "a", saying("# A\n\nhere\n")).await;
    let report = run(&articles, &vault).await;
    let copies = left_copies(&world.database).await.expect("copies");
    assert_eq!(copies.iter().map(|copy| &copy.file).collect::<Vec<_>>(), [&report.conflicts[0].copy]);
    fs::remove_file(vault.path(&copies[0].file)).expect("a removal");
    run(&articles, &vault).await;
    assert_eq!(left_copies(&world.database).await.expect("copies"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_is_taken_for_a_file_is_found_by_what_the_file_calls_it() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let new = NewArticle { title: "One".to_owned(), ..article("one", "# One\n\ntext\n") };
    let revision = articles.create(new).await.expect("an article").article.revision;
    let vault = Vault::of(&[("one.md", "---\naliases: [Singular]\n---\n# One\n\ntext\n")]);
    run(&articles, &vault).await;
    assert_eq!(articles.read("one").await.expect("the article").revision, revision, "it says the same");
    assert_eq!(world.found("Singular", Mode::Keyword).await, ["one"]);
}
