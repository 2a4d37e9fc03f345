//! Which folder it is: one that is known, one that is new, one beside another or inside of it.

use std::fs;

use afterword::articles::{NewArticle, folder::Folder};
use afterword::files::{SyncError, SyncRequest, forget, sync};

use super::{TestHost, asked, bodies, body, change, put_in, run, slug, slugs, texts};
use crate::{
    notes::vault::{Vault, import},
    support::article,
};

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

/// A folder that is new to the program, and whose files are articles already: whatever they are called, none is made
/// twice.
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
