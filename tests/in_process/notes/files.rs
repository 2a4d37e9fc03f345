//! Which article a file is.

#[path = "files/exports.rs"]
mod exports;
#[path = "files/folders.rs"]
mod folders;

use std::{collections::BTreeSet, fs};

use afterword::{
    articles::{ArticlePatch, slug::Slug},
    files::{Import, OnConflict},
};

use super::TestHost;
use crate::{
    notes::vault::{Vault, counts, export, export_as, exporting, import, import_as, importing, slugs},
    support::article,
};

const MODES: [OnConflict; 3] = [OnConflict::Fail, OnConflict::Skip, OnConflict::Update];

/// Files that have been one article: by their stems, by what is left of them in a slug, by their beginnings.
fn lookalikes() -> Vault {
    let long = "l".repeat(96);
    let vault = Vault::of(&[]);
    let names = [
        "README.md",
        "a/README.md",
        "b/README.md",
        "b/c/README.md",
        "C.md",
        "C++.md",
        "C#.md",
        "my_file.md",
        "my-file.md",
        "my file.md",
        "北京.md",
        "背景.md",
        "Case.md",
        "case.md",
        "CASE.MD",
        "caf\u{e9}.md",
        "cafe\u{301}.md",
        "🚀.md",
        "[.md",
        "{.md",
        "....md",
        "page.mdx",
        "page.markdown",
        "back\\slash/x.md",
        " padded /x.md",
        "a-readme.md",
        "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/deep.md",
    ];
    for name in names {
        vault.put(name, format!("only in {name}\n"));
    }
    for end in ["one", "two"] {
        vault.put(&format!("{long}-{end}.md"), format!("only in {end}\n"));
    }
    vault
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_files_meet_in_one_article() {
    let (world, vault) = (TestHost::new().await, lookalikes());
    let service = world.articles(None);
    let all = Vault::contents(&vault.root()).len();
    let promised = import_as(&service, Import { dry_run: true, ..importing(&vault.root()) }).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, 0, "a dry run does nothing");
    assert_eq!(world.number("SELECT count(*) AS n FROM sources").await, 0, "a dry run does nothing");
    let done = import(&service, &vault.root()).await;
    assert_eq!(counts(&done), [all, 0, 0, 0, 0, 0], "{:?}", done.failed);
    assert_eq!(promised.files, done.files, "what is done is what was promised");
    let slugs = slugs(&done);
    assert_eq!(slugs.values().collect::<BTreeSet<_>>().len(), all);
    for (file, slug) in &slugs {
        let body = fs::read_to_string(vault.path(file)).expect("a file");
        assert_eq!(service.read(slug).await.expect("an article").body, body, "{file}");
    }
    for (file, slug) in [("README.md", "readme"), ("b/README.md", "b-readme"), ("C.md", "c"), ("my-file.md", "my-file")]
    {
        assert_eq!(slugs[file], slug);
    }
    for on_conflict in MODES {
        let again = import_as(&service, Import { on_conflict, ..importing(&vault.root()) }).await;
        assert_eq!(counts(&again), [0, 0, all, 0, 0, 0], "{on_conflict:?}: {:?}", again.failed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slugs_are_the_same_on_another_machine_and_stay_when_files_come() {
    let (one, other, vault) = (TestHost::new().await, TestHost::new().await, lookalikes());
    let first = slugs(&import(&one.articles(None), &vault.root()).await);
    let copy = tempfile::tempdir().expect("a folder");
    for (file, text) in Vault::contents(&vault.root()).into_iter().rev() {
        let path = copy.path().join(&file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    assert_eq!(slugs(&import(&other.articles(None), copy.path()).await), first);
    vault.put("0/README.md", "the first of all");
    vault.put("0-new/C.md", "of the name of another");
    let later = import(&one.articles(None), &vault.root()).await;
    assert_eq!((later.created, later.unchanged), (2, first.len()));
    for (file, slug) in slugs(&later).iter().filter(|(file, _)| first.contains_key(*file)) {
        assert_eq!(slug, &first[file], "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_changes_its_article_and_no_other() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[("a/note.md", "a one"), ("b/note.md", "b one")]);
    let first = slugs(&import(&service, &vault.root()).await);
    vault.put("b/note.md", "b two");
    assert_eq!(counts(&import(&service, &vault.root()).await), [0, 1, 1, 0, 0, 0]);
    assert_eq!(service.read(&first["a/note.md"]).await.expect("an article").body, "a one");
    assert_eq!(service.read(&first["b/note.md"]).await.expect("an article").body, "b two");
    // Renamed here, changed there: both are kept.
    service.rename(&first["b/note.md"], Slug::parse("second").expect("a slug"), None).await.expect("a rename");
    vault.put("b/note.md", "b three");
    assert_eq!(counts(&import(&service, &vault.root()).await), [0, 1, 1, 0, 0, 0]);
    assert_eq!(service.read("second").await.expect("an article").body, "b three");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_on_both_sides_is_a_conflict() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[("note.md", "one")]);
    import(&service, &vault.root()).await;
    let body = |text: &str| ArticlePatch { body: Some(text.to_owned()), ..ArticlePatch::default() };
    service.update("note", body("changed here")).await.expect("a save");
    assert_eq!(counts(&import(&service, &vault.root()).await), [0, 0, 1, 0, 0, 0], "the file says nothing new");
    vault.put("note.md", "changed there");
    for (on_conflict, expected, text) in [
        (OnConflict::Fail, [0, 0, 0, 0, 0, 1], "changed here"),
        (OnConflict::Skip, [0, 0, 0, 1, 0, 0], "changed here"),
        (OnConflict::Update, [0, 1, 0, 0, 0, 0], "changed there"),
    ] {
        for dry_run in [true, false] {
            let report = import_as(&service, Import { on_conflict, dry_run, ..importing(&vault.root()) }).await;
            assert_eq!(counts(&report), expected, "{on_conflict:?}");
        }
        assert_eq!(service.read("note").await.expect("an article").body, text, "{on_conflict:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_came_from_no_file_is_replaced_only_when_asked() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    service.create(article("tides", "written here")).await.expect("a save");
    let vault = Vault::of(&[("tides.md", "written there"), ("z/tides.md", "another")]);
    let failed = import(&service, &vault.root()).await;
    assert_eq!(counts(&failed), [1, 0, 0, 0, 0, 1]);
    assert!(failed.failed[0].error.contains("--on-conflict update"), "{:?}", failed.failed);
    let skipped = import_as(&service, Import { on_conflict: OnConflict::Skip, ..importing(&vault.root()) }).await;
    assert_eq!(counts(&skipped), [0, 0, 1, 1, 0, 0]);
    assert_eq!(service.read("tides").await.expect("an article").body, "written here");
    let updated = import_as(&service, Import { on_conflict: OnConflict::Update, ..importing(&vault.root()) }).await;
    assert_eq!(counts(&updated), [0, 1, 1, 0, 0, 0]);
    assert_eq!(service.read("tides").await.expect("an article").body, "written there");
    assert_eq!(service.read("z-tides").await.expect("an article").body, "another");
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_of_earlier_imports_are_found_again() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[("a/README.md", "of a"), ("b/README.md", "of b")]);
    import(&service, &vault.root()).await;
    // As an earlier version left it: no files are known, and b's text is under the name that both would have.
    world.run("DELETE FROM article_sources").await;
    world.run("DELETE FROM articles WHERE body = 'of a'").await;
    world.run("UPDATE articles SET slug = 'readme', title = 'README'").await;
    let report = import(&service, &vault.root()).await;
    assert_eq!(counts(&report), [1, 0, 1, 0, 0, 0], "{:?}", report.failed);
    assert_eq!(slugs(&report)["b/README.md"], "readme");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_moves_keeps_its_article() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[
        ("inbox/idea.md", "# An idea\n"),
        ("cafe\u{301}.md", "accents"),
        ("twin1.md", "t"),
        ("twin2.md", "t"),
    ]);
    let first = slugs(&import(&service, &vault.root()).await);
    fs::create_dir(vault.path("projects")).expect("a folder");
    fs::rename(vault.path("inbox/idea.md"), vault.path("projects/plan.md")).expect("a move");
    fs::remove_file(vault.path("cafe\u{301}.md")).expect("gone");
    vault.put("caf\u{e9}.md", "accents, written otherwise");
    let report = import(&service, &vault.root()).await;
    assert_eq!(counts(&report), [0, 2, 2, 0, 0, 0], "{:?}", report.failed);
    let moved = service.read(&first["inbox/idea.md"]).await.expect("an article");
    assert_eq!((moved.folder.as_str(), moved.title.as_str()), ("projects", "An idea"));
    assert_eq!(counts(&import(&service, &vault.root()).await), [0, 0, 4, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_does_not_come_back_with_a_file() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[("gone.md", "g"), ("stays.md", "s")]);
    import(&service, &vault.root()).await;
    let out = vault.path("../out");
    export(&service, &out).await;
    service.delete("gone", None).await.expect("a deletion");
    let report = export(&service, &out).await;
    assert_eq!((report.unchanged, report.stale.len()), (1, 1), "{report:?}");
    for folder in [vault.root(), out.clone()] {
        assert_eq!(counts(&import(&service, &folder).await), [0, 0, 1, 0, 1, 0]);
    }
    let report = export_as(&service, afterword::files::Export { prune: true, ..exporting(&out) }).await;
    assert_eq!(report.removed, ["gone.md"]);
    assert!(!out.join("gone.md").exists() && out.join("stays.md").exists());
    vault.put("gone.md", "written again");
    assert_eq!(counts(&import(&service, &vault.root()).await), [0, 0, 1, 0, 0, 1]);
    let update = Import { on_conflict: OnConflict::Update, ..importing(&vault.root()) };
    assert_eq!(counts(&import_as(&service, update).await), [1, 0, 1, 0, 0, 0]);
    assert_eq!(service.read("gone").await.expect("an article").body, "written again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_note_stays_out_and_is_told() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[
        (".gitignore", "drafts/\n*.tmp.md\n!keep.tmp.md\n"),
        (".afterwordignore", "private.md\n"),
        (".obsidian/plugins/readme.md", "no"),
        (".trash/old.md", "no"),
        ("node_modules/p/readme.md", "no"),
        ("drafts/d.md", "no"),
        ("x.tmp.md", "no"),
        ("keep.tmp.md", "yes"),
        ("private.md", "no"),
        ("sub/.gitignore", "/top.md"),
        ("sub/top.md", "no"),
        ("sub/deep/top.md", "yes"),
        ("image.png", "no"),
        ("UPPER.MD", "yes"),
    ]);
    let outside = Vault::of(&[("secret.md", "secret")]);
    std::os::unix::fs::symlink(outside.root(), vault.path("linked")).expect("a link");
    std::os::unix::fs::symlink(outside.path("secret.md"), vault.path("link.md")).expect("a link");
    let pipe = std::process::Command::new("mkfifo").arg(vault.path("pipe.md")).status().expect("mkfifo");
    assert!(pipe.success());
    let report = import(&service, &vault.root()).await;
    assert_eq!(counts(&report), [3, 0, 0, 0, 0, 0], "{:?}", report.files);
    let named: BTreeSet<_> = report.left_out.iter().map(|out| (out.path.as_str(), out.reason.as_str())).collect();
    for expected in [
        (".obsidian/", "hidden"),
        (".trash/", "hidden"),
        ("node_modules/", "node_modules"),
        ("drafts/", "ignored"),
        ("x.tmp.md", "ignored"),
        ("private.md", "ignored"),
        ("sub/top.md", "ignored"),
        ("image.png", "not markdown"),
        ("linked", "symbolic link"),
        ("link.md", "symbolic link"),
        ("pipe.md", "not a file"),
    ] {
        assert!(named.contains(&expected), "{expected:?} is not in {named:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_ends_nothing() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[("good.md", "good"), ("odd.md", "---\ncreated: soon\ntitle: Odd\n---\ntext")]);
    vault.put("utf16.md", [0xff, 0xfe, b'a', 0, b'b', 0]);
    vault.put("latin1.md", b"# Caf\xe9\n");
    vault.put("nul.md", b"a\0b");
    let sparse = fs::File::create(vault.path("huge.md")).expect("a file");
    sparse.set_len(3 << 30).expect("a length");
    vault.put("deep.md", format!("---\ntitle: Deep\na: {}\n---\n", "[".repeat(200_000)));
    vault.put(
        "bomb.md",
        format!("---\ntitle: Bomb\na: &a [{}]\nb: [{}]\n---\n", "x, ".repeat(9_000), "*a, ".repeat(9_000)),
    );
    let report = import(&service, &vault.root()).await;
    assert_eq!(counts(&report), [5, 0, 0, 0, 0, 3], "{:?}", report.failed);
    for (file, part) in [("huge.md", "articles.max_size"), ("latin1.md", "line 1"), ("utf16.md", "UTF-16")] {
        assert!(report.failed.iter().any(|failed| failed.file == file && failed.error.contains(part)), "{file}");
    }
    for (file, part) in [("odd.md", "line 2"), ("nul.md", "NUL")] {
        assert!(report.warnings.iter().any(|warning| warning.file == file && warning.error.contains(part)), "{file}");
    }
    assert_eq!(service.read("odd").await.expect("an article").title, "Odd");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_at_once_make_one_article_of_each_file() {
    const FILES: usize = 60;
    let world = TestHost::new().await;
    let vault = Vault::of(&[]);
    for n in 0..FILES {
        vault.put(&format!("{}/note {}.md", n % 7, n / 7), format!("text {n}"));
    }
    let beside = world.beside().await;
    let (one, other) = (world.articles(None), beside.articles(None));
    let root = vault.root();
    let (one, other) = tokio::join!(import(&one, &root), import(&other, &root));
    assert!(one.failed.is_empty() && other.failed.is_empty(), "{:?} {:?}", one.failed, other.failed);
    assert_eq!(one.created + other.created, FILES, "{:?} {:?}", counts(&one), counts(&other));
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, FILES as i64);
    assert_eq!(slugs(&one), slugs(&other));
}
