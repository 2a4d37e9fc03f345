//! Files that are imported and exported, twice, have the same bytes as before.

use afterword::articles::{
    ArticlePatch, NewArticle,
    folder::Folder,
    front_matter::{Setting, head},
    slug::Slug,
};
use proptest::{prelude::*, test_runner::Config};

use super::TestHost;
use crate::{
    notes::vault::{Vault, counts, export, import},
    support::{TOKIO, article},
};

/// Texts with what people and their programs put before them.
fn texts() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("title: 1.10"),
        Just("title: \"Quoted: yes\" # mine"),
        Just("Title: Capital"),
        Just("version: 1.10"),
        Just("sha: 1e10"),
        Just("phone: +49123"),
        Just("slug: /docs/intro"),
        Just("slug: same"),
        Just("folder: Else/where"),
        Just("created: 2024-05-31T08:30:00+02:00"),
        Just("updated: 2024-06-01"),
        Just("date: 1717750800000"),
        Just("lastmod: 2024-05-31 08:30"),
        Just("tags:\n  - a\n  - \"yes\""),
        Just("# a comment"),
        Just(""),
        Just("skip_embedding: true"),
        Just("former_slugs: [old-one]"),
        Just("created: {{date}}"),
        Just("a:\n\tb: c  "),
        Just("multi: |\n  one\n\n  two"),
        Just("not yaml at all"),
    ];
    let toml =
        prop_oneof![Just("title = 'T'"), Just("date = 2024-05-31"), Just("tags = [\n'a'\n]"), Just("[menu]\na = 1")];
    let lines = |lines: Vec<&'static str>| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let yaml = (proptest::collection::vec(line, 0..8), prop_oneof![Just("---"), Just("--- "), Just("...")])
        .prop_map(move |(given, end)| format!("---\n{}{end}\n", lines(given)));
    let toml = proptest::collection::vec(toml, 0..4).prop_map(move |given| format!("+++\n{}+++\n", lines(given)));
    let json = Just("{\n  \"title\": \"J\", \"v\": 1.10\n}\n".to_owned());
    let head = prop_oneof![2 => Just(String::new()), 6 => yaml, 1 => toml, 1 => json];
    let body = prop_oneof![
        Just(String::new()),
        Just("# Heading\n\ntext".to_owned()),
        Just("text  \n\n\n".to_owned()),
        Just("---\nmore: of it\n---\n".to_owned()),
        Just("title:: A property\n- x\n".to_owned()),
        "[ -~é\\n\\t\u{feff}]{0,40}",
    ];
    (head, body, any::<bool>(), any::<bool>()).prop_map(|(head, body, crlf, mark)| {
        let text = head + &body;
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        if mark { format!("\u{feff}{text}") } else { text }
    })
}

fn names() -> impl Strategy<Value = String> {
    "([aB]/|Über/){0,2}(README|C\\+\\+|C|my_file|my file|2024-05-31|🚀)\\.(md|MD|markdown)"
}

#[test]
fn files_go_out_as_they_came_in() {
    let run = |files: std::collections::BTreeMap<String, String>| async move {
        let (one, other) = (TestHost::new().await, TestHost::new().await);
        let vault = Vault::of(&[]);
        files.iter().for_each(|(file, text)| vault.put(file, text));
        let came_in = Vault::contents(&vault.root());
        let report = import(&one.articles(None), &vault.root()).await;
        assert_eq!(report.created, files.len(), "{:?}", report.failed);
        let in_place = export(&one.articles(None), &vault.root()).await;
        assert_eq!(in_place.unchanged, files.len(), "{in_place:?}");
        let (first, second) = (vault.path("../first"), vault.path("../second"));
        export(&one.articles(None), &first).await;
        assert_eq!(Vault::contents(&first), came_in);
        let report = import(&other.articles(None), &first).await;
        assert_eq!(report.created, files.len(), "{:?}", report.failed);
        export(&other.articles(None), &second).await;
        assert_eq!(Vault::contents(&second), came_in);
    };
    let files = proptest::collection::btree_map(names(), texts(), 1..6);
    proptest!(Config::with_cases(24), |(files in files)| TOKIO.block_on(run(files)));
}

#[test]
fn articles_written_here_go_out_and_come_in_again() {
    let run = |made: Vec<(String, String, String, bool)>| async move {
        let (one, other) = (TestHost::new().await, TestHost::new().await);
        let service = one.articles(None);
        for (title, body, folder, skip_embedding) in made {
            let folder = Folder::parse(&folder).expect("a folder");
            // A title may come twice, and is refused then.
            let _ = service.create(NewArticle { title, body, folder, skip_embedding, ..NewArticle::default() }).await;
        }
        let place = Vault::of(&[]);
        let (first, second) = (place.path("first"), place.path("second"));
        export(&service, &first).await;
        let written = Vault::contents(&first);
        let all = one.number("SELECT count(*) AS n FROM articles").await;
        let report = import(&other.articles(None), &first).await;
        assert_eq!(report.created as i64, all, "{:?}", report.failed);
        for file in &report.files {
            let (before, after) = (service.read(&file.slug).await, other.articles(None).read(&file.slug).await);
            let (before, after) = (before.expect("the same slug"), after.expect("an article"));
            // What a text begins with goes out as the front matter of its file.
            let text = &before.body[head(&before.body).len()..];
            assert_eq!(
                (before.title.as_str(), text, before.folder),
                (after.title.as_str(), after.body.as_str(), after.folder)
            );
            assert_eq!((before.created_at, before.updated_at), (after.created_at, after.updated_at));
            assert_eq!(before.skip_embedding, after.skip_embedding);
        }
        export(&other.articles(None), &second).await;
        assert_eq!(Vault::contents(&second), written);
    };
    let body = prop_oneof![
        Just("---\ntitle: no\n---\nbody".to_owned()),
        Just("# One\n".to_owned()),
        "[ -~\\n\u{feff}é]{0,30}"
    ];
    let made = ("[^\\p{C}\\s][^\\p{C}]{0,12}", body, "[a-c.]{0,3}(/[a-c]{1,2})?", any::<bool>())
        .prop_filter("folders have no dots alone", |(_, _, folder, _)| Folder::parse(folder).is_ok());
    proptest!(Config::with_cases(24), |(made in proptest::collection::vec(made, 1..6))| TOKIO.block_on(run(made)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_changes_its_line_and_a_rename_the_file() {
    let (world, other) = (TestHost::new().await, TestHost::new().await);
    let service = world.articles(None);
    let text = "---\n# mine\ntitle: Numbers # here\nversion: 1.10\nupdated: 2024-06-01\n---\nBody.\n";
    let vault = Vault::of(&[("Sub/Note.md", text), ("hugo.md", "+++\nslug = 'fixed'\n+++\n")]);
    import(&service, &vault.root()).await;
    assert_eq!(service.read("note").await.expect("an article").updated_at.to_string(), "2024-06-01T00:00:00Z");
    let title = ArticlePatch { title: Some("Figures: all".to_owned()), ..ArticlePatch::default() };
    let saved = service.update("note", title).await.expect("a save").article;
    service.rename("note", Slug::parse("figures").expect("a slug"), None).await.expect("a rename");
    service.rename("fixed", Slug::parse("free").expect("a slug"), None).await.expect("a rename");
    let updated = service.read("figures").await.expect("an article").updated_at;
    assert!(updated >= saved.updated_at);
    let out = vault.path("../out");
    export(&service, &out).await;
    let written = std::fs::read_to_string(out.join("Sub/figures.md")).expect("a file of the new name");
    let expected = format!(
        "---\n# mine\ntitle: \"Figures: all\" # here\nversion: 1.10\nupdated: {updated}\nformer_slugs: [note]\n---\nBody.\n"
    );
    assert_eq!(written, expected);
    let hugo = std::fs::read_to_string(out.join("hugo.md")).expect("a file of its old name");
    assert_eq!(hugo, "+++\nslug = \"free\"\nformer_slugs = [\"fixed\"]\n+++\n");
    let service = other.articles(None);
    assert_eq!(counts(&import(&service, &out).await), [2, 0, 0, 0, 0, 0]);
    assert_eq!(service.read("note").await.expect("by its former name").slug, "figures");
    assert_eq!(service.read("fixed").await.expect("by its former name").slug, "free");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_kept_of_front_matter_goes_out() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    service.create(article("old", "text")).await.expect("a save");
    world.run("UPDATE articles SET extra = 'tags:\n- a\n', front_matter = ''").await;
    let place = Vault::of(&[]);
    export(&service, &place.root()).await;
    let written = std::fs::read_to_string(place.path("old.md")).expect("a file");
    assert!(written.starts_with("---\ntags:\n- a\ntitle: Title of old\n"), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn front_matter_of_a_text_and_beside_it_goes_out_as_one_block() {
    let (world, other) = (TestHost::new().await, TestHost::new().await);
    let service = world.articles(None);
    let new = NewArticle {
        properties: vec![("status".to_owned(), Some(Setting::Text("done".to_owned())))],
        ..article("hi", "---\n# own\ntags: [a]\n---\nText\n")
    };
    service.create(new).await.expect("a save");
    let place = Vault::of(&[]);
    export(&service, &place.root()).await;
    let written = std::fs::read_to_string(place.path("hi.md")).expect("a file");
    assert!(written.starts_with("---\n# own\ntags: [a]\nstatus: done\ntitle: Title of hi\n"), "{written}");
    assert!(written.ends_with("---\nText\n") && written.matches("---\n").count() == 2, "{written}");
    import(&other.articles(None), &place.root()).await;
    let read = other.articles(None).read("hi").await.expect("an article");
    assert_eq!(
        (read.tags, &read.properties["status"], read.body.as_str()),
        (vec!["a".to_owned()], &"done".into(), "Text\n")
    );
}
