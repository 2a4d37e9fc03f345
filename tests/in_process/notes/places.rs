//! Names of files: links to articles that are renamed, and files that take each other's places.

use std::{collections::BTreeMap, fs};

use afterword::{
    articles::{ArticlePatch, Articles, folder::Folder},
    files::sync,
};
use afterword_actors::store::{Engine, sql::Sql};

use super::{
    TestHost,
    sync::{asked, body, change, run, slug, texts},
};
use crate::notes::vault::{Vault, export, import};

const LINKS: &str = "---\nup: \"[[tides|x]]\"\nall: [\"[[My Tides]]\", \"[[other]]\"]\n---\n\
    [m](tides.md) [[tides.md]] [[tides#Part]]\n\n| a |\n|---|\n| [[tides\\|shown]] |\n";

async fn broken(articles: &Articles) -> Vec<String> {
    articles.broken_links(100).await.expect("links").rows.into_iter().map(|link| link.target).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_alive_in_the_folder_after_a_rename() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[
        ("tides.md", "# Tides\n"),
        ("My Tides.md", "text\n"),
        ("sub/README.md", "# Read\n"),
        ("README.md", "# First\n\n[s](sub/README.md)\n"),
        ("kept.md", "---\nslug: named\n---\n[[kept]]\n"),
        ("one.md", "[m](tides.md) [n](My%20Tides.md) [[My Tides]] [k](kept.md)\n"),
        ("two.md", LINKS),
        ("other.md", "text\n"),
    ]);
    run(&articles, &vault).await;
    assert_eq!(broken(&articles).await, Vec::<String>::new());
    let linked = articles.linked("tides").await.expect("an article");
    let back = articles.backlinks(&linked, 10).await.expect("links");
    assert_eq!(back.iter().map(|link| (link.slug.as_str(), link.links)).collect::<Vec<_>>(), [("one", 1), ("two", 5)]);

    for (old, new) in [("tides", "ebb"), ("my-tides", "mine"), ("sub-readme", "read"), ("named", "called")] {
        let (_, relinked) = articles.rename_with_links(old, slug(new), None).await.expect("a rename");
        assert!(relinked.unmended.is_empty(), "{:?}", relinked.unmended);
    }
    assert_eq!(broken(&articles).await, Vec::<String>::new(), "they lead inside before the files are renamed");
    run(&articles, &vault).await;
    let all = texts(&vault);
    for file in ["ebb.md", "mine.md", "sub/read.md", "kept.md"] {
        assert!(all.contains_key(file), "{file}: {:?}", all.keys());
    }
    assert_eq!(all["one.md"], "[m](ebb.md) [n](mine.md) [[mine]] [k](kept.md)\n");
    let mended = LINKS.replace("[[My Tides]]", "[[mine]]").replace("tides", "ebb");
    assert_eq!(all["two.md"], mended);
    assert!(all["README.md"].contains("[s](sub/read.md)"), "{}", all["README.md"]);
    assert!(all["kept.md"].contains("[[kept]]"), "a file that keeps its name: {}", all["kept.md"]);
    assert_eq!(broken(&articles).await, Vec::<String>::new());
}

/// Notes of one name are told apart by their paths, as Obsidian writes them, and names that make the same slug by how
/// they are written.
#[tokio::test(flavor = "multi_thread")]
async fn links_lead_to_the_file_that_they_name() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let all = "[[note]] [[b/note]] [[a/note.md]] [n](b/note.md) [[b/gone]]\n";
    let names = ["C", "C++", "A & B", "A + B", "Ü", "U"];
    let vault = Vault::of(&[
        ("a/note.md", "# One\n"),
        ("b/note.md", "# Two\n"),
        ("b/README.md", "# Read\n\n[[README]] [[a/README]]\n"),
        ("a/README.md", "# Read\n\n[[b/README]]\n"),
        ("gone.md", "text\n"),
        ("x.md", all),
        ("names.md", &names.map(|name| format!("[[{name}]]\n")).concat()),
    ]);
    names.iter().for_each(|name| vault.put(&format!("lang/{name}.md"), format!("# {name}\n")));
    run(&articles, &vault).await;
    let lead = async |slug: &str| {
        let linked = articles.linked(slug).await.expect("an article");
        let links = articles.links_of(&linked, 20).await.expect("links");
        links.into_iter().map(|link| link.title.unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(lead("x").await, ["One", "Two", "One", "Two", "gone"]);
    assert_eq!(lead("names").await, names);
    for (slug, targets) in [("readme", vec!["b-readme"]), ("b-readme", vec!["b-readme", "readme"])] {
        let linked = articles.linked(slug).await.expect("an article");
        let links = articles.links_of(&linked, 20).await.expect("links");
        let found: Vec<_> = links.iter().filter_map(|link| link.slug.as_deref()).collect();
        assert_eq!(found, targets, "{slug}");
    }

    let (_, relinked) = articles.rename_with_links("note", slug("first"), None).await.expect("a rename");
    assert!(relinked.unmended.is_empty(), "{:?}", relinked.unmended);
    articles.rename_with_links("gone", slug("other"), None).await.expect("a rename");
    run(&articles, &vault).await;
    let mended = "[[first]] [[b/note]] [[a/first.md]] [n](b/note.md) [[b/gone]]\n";
    assert_eq!(texts(&vault)["x.md"], mended);
    assert_eq!(lead("x").await, ["One", "Two", "One", "Two", "gone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_alive_in_an_export_after_a_rename() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[
        ("tides.md", "# Tides\n"),
        ("one.md", "[m](tides.md)\n"),
        ("two.md", "[m](tides.md) [[tides.md]]\n"),
    ]);
    import(&articles, &vault.root()).await;
    let (_, relinked) = articles.rename_with_links("tides", slug("ebb"), None).await.expect("a rename");
    let mended: Vec<_> = relinked.mended.iter().map(|mended| (mended.slug.as_str(), mended.links)).collect();
    assert_eq!(mended, [("one", 1), ("two", 2)]);
    export(&articles, &vault.root()).await;
    assert!(vault.path("ebb.md").exists());
    assert_eq!(fs::read_to_string(vault.path("one.md")).expect("a text"), "[m](ebb.md)\n");
    assert_eq!(fs::read_to_string(vault.path("two.md")).expect("a text"), "[m](ebb.md) [[ebb.md]]\n");
    let again = articles.rename_with_links("ebb", slug("ebb"), None).await.expect("a rename").1;
    assert!(again.mended.is_empty(), "{again:?}");
}

/// The text of each article.
async fn said<const N: usize>(articles: &Articles, slugs: [&str; N]) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    for slug in slugs {
        said.insert(slug.to_owned(), body(articles, slug).await);
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_go_along_with_files_that_take_each_others_places() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let names = ["a", "b", "c", "d", "e"];
    let files = names.map(|name| (format!("{name}.md"), format!("text of {name}\n")));
    let vault = Vault::of(&files.each_ref().map(|(file, text)| (file.as_str(), text.as_str())));
    run(&articles, &vault).await;
    let before = said(&articles, names).await;
    let moved = |from: &str, to: &str| fs::rename(vault.path(from), vault.path(to)).expect("a rename");
    // One file gets the name that another had, and two files swap their names.
    moved("b.md", "new.md");
    moved("a.md", "b.md");
    moved("c.md", "aside");
    moved("d.md", "c.md");
    moved("aside", "d.md");
    let done = run(&articles, &vault).await;
    assert!(done.articles.created.is_empty() && done.articles.deleted.is_empty(), "{done:?}");
    assert_eq!(said(&articles, names).await, before, "each keeps its slug and its text");
    let change = "text of a\nmore\n";
    vault.put("b.md", change);
    vault.put("d.md", "text of c\nmore\n");
    run(&articles, &vault).await;
    assert_eq!(said(&articles, ["a", "c"]).await.into_values().collect::<Vec<_>>(), [change, "text of c\nmore\n"]);

    // A text that is put over another one, or copied and then changed, is no move.
    fs::copy(vault.path("e.md"), vault.path("copy.md")).expect("a copy");
    vault.put("e.md", "changed\n");
    let done = run(&articles, &vault).await;
    assert_eq!((done.articles.created, done.articles.updated), (vec!["copy.md".to_owned()], vec!["e.md".to_owned()]));
    assert_eq!(body(&articles, "e").await, "changed\n");
}

/// Each of two files is saved by itself: one may be, and the other not, because the process dies or something is
/// faster.
#[tokio::test(flavor = "multi_thread")]
async fn a_swap_of_which_only_one_half_was_noted_is_gone_on_with() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n\ntext\n"), ("b.md", "# B\n\ntext\n")]);
    run(&articles, &vault).await;
    let (refuse, refuse_no_more) = match world.database.reader().engine() {
        Engine::Sqlite => (
            "CREATE TRIGGER refused BEFORE INSERT ON article_sources WHEN new.path = 'b.md'
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
            "DROP TRIGGER refused",
        ),
        Engine::Postgres => (
            "ALTER TABLE article_sources ADD CONSTRAINT refused CHECK (path <> 'b.md') NOT VALID",
            "ALTER TABLE article_sources DROP CONSTRAINT refused",
        ),
    };
    for (from, to) in [("a.md", "aside"), ("b.md", "a.md"), ("aside", "b.md")] {
        fs::rename(vault.path(from), vault.path(to)).expect("a rename");
    }
    world.run(refuse).await;
    let half = sync(&articles, &asked(&vault)).await.expect("a run");
    let failed: Vec<_> = half.failed.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!((failed, half.articles.updated), (vec!["b.md"], vec!["a.md".to_owned()]), "one half was noted");
    world.run(refuse_no_more).await;
    // So that its text tells nothing.
    let changed = "# A\n\nchanged here\n";
    change(&articles, "a", changed).await;
    let done = run(&articles, &vault).await;
    assert!(done.articles.created.is_empty() && done.articles.deleted.is_empty(), "{done:?}");
    let said = said(&articles, ["a", "b"]).await.into_values().collect::<Vec<_>>();
    assert_eq!(said, [changed, "# B\n\ntext\n"]);
    let files: Vec<_> = texts(&vault).into_iter().collect();
    let expected = [("a.md", "# B\n\ntext\n"), ("b.md", changed)];
    assert_eq!(files, expected.map(|(file, text)| (file.to_owned(), text.to_owned())));
    assert_eq!(world.number("SELECT count(*) AS n FROM article_sources").await, 2, "nothing is left of the way");
}

/// The same on the other side: neither file is taken for the other's.
#[tokio::test(flavor = "multi_thread")]
async fn files_stay_apart_whose_articles_take_each_others_places() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("x/README.md", "# X\n\ntext\n"), ("y/README.md", "# Y\n\ntext\n")]);
    run(&articles, &vault).await;
    let named: Vec<String> = articles
        .list(&Folder::default(), None, 10)
        .await
        .expect("a page")
        .articles
        .into_iter()
        .map(|article| article.slug)
        .collect();
    assert_eq!(named.len(), 2);
    let mut expected = BTreeMap::new();
    for slug in &named {
        let article = articles.read(slug).await.expect("an article");
        let folder = if article.folder == "x" { "y" } else { "x" };
        let changes =
            ArticlePatch { folder: Some(Folder::parse(folder).expect("a folder")), ..ArticlePatch::default() };
        articles.update(slug, changes).await.expect("a save");
        expected.insert(slug.clone(), (folder.to_owned(), article.body));
    }
    let done = run(&articles, &vault).await;
    assert!(done.conflicts.is_empty() && done.articles.created.is_empty(), "{done:?}");
    for (slug, (folder, body)) in expected {
        let article = articles.read(&slug).await.expect("an article");
        assert_eq!((article.folder, article.body), (folder, body), "{slug}");
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, 2);
    assert_eq!(texts(&vault).len(), 2);
}
