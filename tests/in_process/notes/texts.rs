//! What a file says when its article was changed here: front matter at two places, and slugs that are not used.

use std::fs;

use afterword::articles::ArticlePatch;
use afterword::files::{SyncRequest, sync};

use super::{
    TestHost,
    sync::{asked, body, change, run, texts},
};
use crate::{
    notes::vault::{Vault, export, import},
    support::article,
};

const BY_AGENT: &str = "---\ntags: [b]\n---\n# Note\n\ntext by agent\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_front_matter_goes_to_a_file_as_one_block() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let one = "---\n# mine\ncreated: 2024-01-01\ntags: [a]\nmenu:\n  main: 1\n---\n# Note\n\ntext\n";
    let two = "---\ntitle: Two\n---\n---\ntags: [a]\n---\ntext\n";
    let vault = Vault::of(&[("n.md", one), ("two.md", two)]);
    run(&articles, &vault).await;
    articles.create(article("here", "text\n")).await.expect("an article");
    run(&articles, &vault).await;
    // A person saves the file of an article that was made here.
    vault.put("here.md", texts(&vault)["here.md"].clone() + "more\n");
    run(&articles, &vault).await;
    for slug in ["n", "here"] {
        change(&articles, slug, BY_AGENT).await;
    }
    change(&articles, "two", "---\ntags: [a]\n---\ntext\n\nmore\n").await;
    run(&articles, &vault).await;
    let merged = "---\ntags: [b]\n# mine\ncreated: 2024-01-01\nmenu:\n  main: 1\n---\n# Note\n\ntext by agent\n";
    let all = texts(&vault);
    assert_eq!(all["n.md"], merged);
    assert_eq!(all["two.md"], "---\ntitle: Two\n---\n---\ntags: [a]\n---\ntext\n\nmore\n", "its two blocks stay");
    assert_eq!(all["here.md"].matches("---\n").count(), 2, "{}", all["here.md"]);
    assert_eq!(body(&articles, "n").await, BY_AGENT, "what was sent is what is read back");

    // Both sides are changed in other lines: the file has one block still.
    vault.put("n.md", merged.replace("main: 1", "main: 2"));
    change(&articles, "n", &(BY_AGENT.to_owned() + "\nonce more\n")).await;
    let joined = run(&articles, &vault).await;
    assert_eq!((joined.merged, joined.conflicts.len()), (vec!["n.md".to_owned()], 0));
    assert_eq!(texts(&vault)["n.md"], merged.replace("main: 1", "main: 2") + "\nonce more\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_over_an_import_has_one_block_as_well() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let two = "---\ntitle: Two\n---\n---\ntags: [a]\n---\ntext\n";
    let vault = Vault::of(&[("n.md", "---\ncreated: 2024-01-01\n---\n# Note\n"), ("two.md", two)]);
    import(&articles, &vault.root()).await;
    change(&articles, "n", BY_AGENT).await;
    change(&articles, "two", "---\ntags: [a]\n---\ntext\nmore\n").await;
    export(&articles, &vault.root()).await;
    let text = |file: &str| fs::read_to_string(vault.path(file)).expect("a text");
    assert_eq!(text("n.md"), "---\ntags: [b]\ncreated: 2024-01-01\n---\n# Note\n\ntext by agent\n");
    assert_eq!(text("two.md"), two.to_owned() + "more\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slug_in_a_file_that_its_article_does_not_get_is_told() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "---\nslug: bar\n---\ntext\n")]);
    assert!(run(&articles, &vault).await.warnings.is_empty());
    vault.put("a.md", "---\nslug: baz\n---\ntext\n");
    let promised = sync(&articles, &SyncRequest { dry_run: true, ..asked(&vault) }).await.expect("a dry run");
    let done = run(&articles, &vault).await;
    assert_eq!(promised.warnings, done.warnings);
    let told = &done.warnings[0];
    assert!(told.file == "a.md" && told.error.contains("article rename bar baz"), "{told:?}");
    articles.read("bar").await.expect("an article keeps its slug");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_an_import_read_otherwise_stays_as_it_was_read() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let id = "1a2b3c4d5e6f708192a3b4c5d6e7f809";
    let (folder, row) = (format!("Projects {id}"), format!("Projects {id}/Row {id}.md"));
    let vault =
        Vault::of(&[(&format!("{folder}.csv"), "Name,Status\nRow,Done\n"), (&row, "# Row\n\nStatus: Done\n\ntext\n")]);
    import(&articles, &vault.root()).await;
    let before = articles.read("row").await.expect("an article");
    assert_eq!(before.properties["Status"], "Done");
    let first = run(&articles, &vault).await;
    assert!(first.articles.updated.is_empty(), "{first:?}");
    assert!(first.notes.iter().any(|note| note.contains("Notion")), "{:?}", first.notes);
    assert_eq!(articles.read("row").await.expect("an article"), before);
    let changes = ArticlePatch { title: Some("Line".to_owned()), ..ArticlePatch::default() };
    articles.update("row", changes).await.expect("a save");
    let next = run(&articles, &vault).await;
    assert!(next.notes.is_empty() && vault.path(&row).exists(), "{next:?}");
}
