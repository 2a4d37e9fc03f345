//! A folder and the articles kept the same: two writers, one on each side, lose nothing.

#[path = "sync/branches.rs"]
mod branches;
#[path = "sync/deletions.rs"]
mod deletions;
#[path = "sync/disk.rs"]
mod disk;
#[path = "sync/folders.rs"]
mod folders;
#[path = "sync/killed.rs"]
mod killed;
#[path = "sync/two_writers.rs"]
mod two_writers;

use std::{collections::BTreeMap, fs, io::Write};

use afterword::articles::{ArticlePatch, Articles, NewArticle, folder::Folder, front_matter::Document, slug::Slug};
use afterword::files::{Import, SyncReport, SyncRequest, sync};

use afterword_actors::store::sql::Sql;

use super::TestHost;
use crate::{
    notes::vault::{Vault, import_as, importing},
    support::article,
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

/// The texts on both sides.
struct Both {
    files: Vec<String>,
    articles: Vec<String>,
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
