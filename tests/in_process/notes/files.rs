//! Which article a file is.

use std::{collections::BTreeSet, fs};

use afterword::articles::{ArticlePatch, folder::Folder, slug::Slug};
use afterword::files::{Import, OnConflict, SyncRequest, sync};

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
async fn a_part_of_a_folder_that_was_taken_over_is_a_part_of_the_folder_around_it() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[("p/q/a.md", "1")]);
    assert_eq!(import(&service, &vault.path("p")).await.created, 1);
    assert_eq!(counts(&import(&service, &vault.root()).await), [0, 1, 0, 0, 0, 0], "it stands in p/q now");
    for place in ["p/q", "p", "", "p/q"] {
        assert_eq!(counts(&import(&service, &vault.path(place)).await), [0, 0, 1, 0, 0, 0], "{place}");
    }
    assert_eq!(service.read("a").await.expect("an article").folder, "p/q");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_is_the_same_from_a_part_of_it_around_it_and_elsewhere() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault =
        Vault::of(&[("a/one.md", "1"), ("a/two.md", "2"), ("b/one.md", "3"), ("three.md", "4"), ("c/four.md", "5")]);
    assert_eq!(import(&service, &vault.path("a")).await.created, 2);
    assert_eq!(counts(&import(&service, &vault.root()).await), [3, 2, 0, 0, 0, 0], "around it: they stand in a now");
    assert_eq!(counts(&import(&service, &vault.root()).await), [0, 0, 5, 0, 0, 0]);
    assert_eq!(counts(&import(&service, &vault.path("a")).await), [0, 0, 2, 0, 0, 0]);
    assert_eq!(counts(&import(&service, &vault.path("b")).await), [0, 0, 1, 0, 0, 0], "a part of it");
    vault.put("b/five.md", "6");
    vault.put("b/one.md", "3, changed");
    assert_eq!(counts(&import(&service, &vault.path("b")).await), [1, 1, 0, 0, 0, 0]);
    for slug in ["five", "b-one"] {
        assert_eq!(service.read(slug).await.expect("an article").folder, "b", "where it stands in the whole");
    }
    assert_eq!(counts(&import(&service, &vault.root()).await), [0, 0, 6, 0, 0, 0]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let moved = elsewhere.path().join("moved");
    fs::rename(vault.root(), &moved).expect("a move");
    let report = import(&service, &moved).await;
    assert_eq!(counts(&report), [0, 0, 6, 0, 0, 0], "moved: {:?}", report.failed);
    assert_eq!(report.notes.len(), 1, "it is said");
    fs::write(moved.join("three.md"), "changed after the move").expect("a file");
    assert_eq!(counts(&import(&service, &moved).await), [0, 1, 5, 0, 0, 0]);
    // Another vault with the same names is another vault.
    let other = Vault::of(&[("a/one.md", "x"), ("a/two.md", "y"), ("three.md", "z")]);
    assert_eq!(counts(&import(&service, &other.root()).await), [3, 0, 0, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_the_same_until_it_differs() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let vault = Vault::of(&[("1.md", "1"), ("2.md", "2"), ("3.md", "3"), ("4.md", "4"), ("5.md", "5")]);
    let copy = Vault::of(&[("1.md", "1"), ("2.md", "2"), ("3.md", "3"), ("4.md", "4"), ("5.md", "other")]);
    import(&service, &vault.root()).await;
    let report = import(&service, &copy.root()).await;
    assert_eq!(counts(&report), [0, 0, 4, 0, 0, 1]);
    assert!(report.failed[0].error.contains("--source"), "{:?}", report.failed);
    let named = import_as(&service, Import { source: Some("copy".to_owned()), ..importing(&copy.root()) }).await;
    assert_eq!(counts(&named), [5, 0, 0, 0, 0, 0]);
    assert_eq!(service.read("5").await.expect("an article").body, "5", "the first one is as it was");
    let again = import_as(&service, Import { source: Some("copy".to_owned()), ..importing(&copy.root()) }).await;
    assert_eq!(counts(&again), [0, 0, 5, 0, 0, 0]);
    let below = Import { folder: Folder::parse("v2").expect("a folder"), ..importing(&vault.root()) };
    assert_eq!(
        counts(&import_as(&service, below.clone()).await),
        [5, 0, 0, 0, 0, 0],
        "elsewhere here, another article"
    );
    assert_eq!(counts(&import_as(&service, below).await), [0, 0, 5, 0, 0, 0]);
}

/// What an import notes of a copy is not taken for a change of the files that are kept in step.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_a_copy_changes_nothing_of_a_folder_that_is_kept_in_step() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let notes = ["1.md", "2.md", "3.md", "4.md", "5.md", "6.md", "7.md", "8.md", "9.md"].map(|file| (file, "# Note\n"));
    let (kept, copy) = (Vault::of(&notes), Vault::of(&notes));
    let in_step =
        SyncRequest { directory: kept.root(), folder: Folder::default(), many_deletions: true, dry_run: false };
    sync(&service, &in_step).await.expect("a run");
    copy.put("new.md", "# New\n");
    copy.put("6.md", "# Other\n");
    for (dry_run, on_conflict, expected) in [
        (true, OnConflict::Fail, [1, 0, 8, 0, 0, 1]),
        (false, OnConflict::Fail, [1, 0, 8, 0, 0, 1]),
        (false, OnConflict::Fail, [0, 0, 9, 0, 0, 1]),
        (false, OnConflict::Skip, [0, 0, 9, 1, 0, 0]),
        (false, OnConflict::Update, [0, 1, 9, 0, 0, 0]),
        (false, OnConflict::Fail, [0, 0, 10, 0, 0, 0]),
    ] {
        let report = import_as(&service, Import { dry_run, on_conflict, ..importing(&copy.root()) }).await;
        assert_eq!(counts(&report), expected, "{on_conflict:?}: {report:?}");
    }
    let report = sync(&service, &in_step).await.expect("a run");
    assert!(report.articles.deleted.is_empty() && report.articles.updated.is_empty(), "{report:?}");
    assert_eq!(report.files.written, ["6.md", "new.md"], "they go out");
    assert_eq!(service.read("6").await.expect("an article").body, "# Other\n");

    // One that is elsewhere for a while.
    let moved = tempfile::tempdir().expect("a folder");
    fs::rename(kept.root(), moved.path().join("notes")).expect("a move");
    import(&service, &moved.path().join("notes")).await;
    fs::rename(moved.path().join("notes"), kept.root()).expect("a move back");
    assert!(!sync(&service, &in_step).await.expect("a run").did_something());
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_around_a_folder_that_is_kept_in_step_takes_nothing_over() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let kept = Vault::of(&[("gone.md", "# Gone\n"), ("changes.md", "# Changes\n"), ("stays.md", "# Stays\n")]);
    let in_step =
        SyncRequest { directory: kept.root(), folder: Folder::default(), many_deletions: true, dry_run: false };
    sync(&service, &in_step).await.expect("a run");
    kept.put("new.md", "# New\n");
    import(&service, kept.root().parent().expect("a folder")).await;
    fs::remove_file(kept.path("gone.md")).expect("a removal");
    kept.put("changes.md", "# Changes\n\nmore\n");
    let report = sync(&service, &in_step).await.expect("a run");
    assert_eq!((report.articles.deleted, report.articles.created), (vec!["gone".to_owned()], vec![]));
    assert_eq!(service.read("changes").await.expect("an article").body, "# Changes\n\nmore\n");
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, 3);
    assert!(!sync(&service, &in_step).await.expect("a run").did_something());
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
