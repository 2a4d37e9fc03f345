//! Names of files: links to articles that are renamed, and files that take each other's places.

use std::{collections::BTreeMap, fs};

use afterword::articles::Articles;

use super::{
    TestHost,
    sync::{body, run, slug, texts},
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
    // One name is given on, and two are swapped.
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
