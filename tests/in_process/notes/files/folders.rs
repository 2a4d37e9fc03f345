//! Which files are the same when their folder is imported from a part of it, from around it, or as a copy.

use std::fs;

use afterword::{
    articles::folder::Folder,
    files::{Import, OnConflict, SyncRequest, sync},
};

use super::TestHost;
use crate::notes::vault::{Vault, counts, import, import_as, importing};

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
