//! Whole trees of files, as programs write them: each file becomes an article or is named, and all go out as they came
//! in.

use std::{collections::BTreeSet, path::Path};

use afterword::files::{Import, ImportReport};

use super::TestHost;
use crate::notes::vault::{Vault, counts, export, import, import_as, importing, slugs};

/// Every file of the tree is in one list of the report, and in one only.
fn is_accounted_for(root: &Path, report: &ImportReport) {
    let entries = walkdir::WalkDir::new(root).into_iter().map(|entry| entry.expect("an entry"));
    let all = entries
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| entry.path().strip_prefix(root).expect("below").to_str().expect("text").to_owned());
    let imported: BTreeSet<_> = report.files.iter().map(|file| file.file.as_str()).collect();
    let failed: BTreeSet<_> = report.failed.iter().map(|file| file.file.as_str()).collect();
    let is_left_out = |file: &str| {
        let is_it = |path: &str| file == path || path.ends_with('/') && file.starts_with(path);
        report.left_out.iter().any(|left| is_it(&left.path))
    };
    let mut wrong = Vec::new();
    for file in all {
        let lists = [imported.contains(&*file), failed.contains(&*file), is_left_out(&file)];
        if lists.iter().filter(|is_in| **is_in).count() != 1 {
            wrong.push((file, lists));
        }
    }
    assert!(wrong.is_empty(), "not in one list (imported, failed, left out): {wrong:#?}");
    assert_eq!(imported.len(), report.files.len(), "no file is named twice");
}

/// Imports the tree after a dry run, which must promise the same, and exports it: the same bytes, and nothing else.
async fn goes_in_and_out(root: &Path) -> ImportReport {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let promised = import_as(&service, Import { dry_run: true, ..importing(root) }).await;
    is_accounted_for(root, &promised);
    let report = import(&service, root).await;
    is_accounted_for(root, &report);
    assert_eq!((&promised.files, &promised.left_out), (&report.files, &report.left_out));
    assert_eq!(counts(&promised), counts(&report));
    let out = tempfile::tempdir().expect("a folder");
    let exported = export(&service, out.path()).await;
    assert_eq!(exported.failed, [], "{exported:?}");
    let mut expected = Vault::contents(root);
    let slugs = slugs(&report);
    expected.retain(|file, _| slugs.contains_key(file));
    let written = Vault::contents(out.path());
    assert_eq!(written.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let changed: Vec<_> =
        expected.iter().filter(|(file, bytes)| written[*file] != **bytes).map(|(file, _)| file).collect();
    assert!(changed.is_empty(), "not as they came in: {changed:?}");
    report
}

fn strange() -> Vault {
    let vault = Vault::of(&[
        ("....md", "dots"),
        ("[.md", "bracket"),
        ("{.md", "brace"),
        ("C.md", "c"),
        ("C#.md", "sharp"),
        ("C++.md", "plus"),
        ("Percent %20.md", "100 %"),
        (" leading space /x.md", "spaces"),
        ("back\\slash/x.md", "one folder"),
        ("dir.md/inside.md", "below a folder of a file's name"),
        ("Résumé.md", "composed"),
        ("nfd/Re\u{301}sume\u{301}.md", "decomposed"),
        ("🚀 Launch 🚀.md", "up"),
        ("Areas/README.md", "areas"),
        ("Projects/README.md", "projects"),
        ("README.md", "all"),
        ("Upper.MD", "upper"),
        ("page.Markdown", "page"),
        ("page.mdx", "import X from 'y'\n\n<X />\n"),
        ("Empty.md", ""),
        ("Only fm.md", "---\ntitle: Only front matter\n---\n"),
        ("Unclosed.md", "---\ntitle: Never closed\n\ntext"),
        ("Two blocks.md", "---\na: 1\n---\n---\nb: 2\n---\ntext"),
        ("Top rule.md", "---\n\ntext under a rule"),
        ("Duplicate keys.md", "---\ntitle: One\ntitle: Two\n---\ntext"),
        ("Tabs.md", "---\n\ttitle: Tab\n---\ntext"),
        ("Bom.md", "\u{feff}---\r\ntitle: Mark\r\n---\r\ntext\r\n"),
        ("Json.md", "{\n  \"title\": \"J\"\n}\ntext"),
        ("Conflict (sync-conflict-20240101).md", "mine"),
        ("Templates/Templater.md", "---\ncreated: {{date}}\n---\n<% tp.date.now() %>"),
        ("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/deep.md", "deep"),
        ("note.txt", "no markdown"),
        (".obsidian/plugins/p/README.md", "theirs"),
        (".trash/Deleted.md", "gone"),
        (".hidden.md", "hidden"),
        ("node_modules/pkg/readme.md", "theirs"),
        (".gitignore", "drafts/\n*.tmp.md\n"),
        ("drafts/one.md", "not yet"),
        ("x.tmp.md", "not"),
    ]);
    vault.put("Latin1.md", b"# Caf\xe9\n");
    vault.put("Utf16.md", [0xff, 0xfe, b'a', 0]);
    vault.put("picture.png", [0x89, b'P', b'N', b'G']);
    std::os::unix::fs::symlink("C.md", vault.path("link.md")).expect("a link");
    std::os::unix::fs::symlink("Areas", vault.path("linked")).expect("a link");
    let pipe = std::process::Command::new("mkfifo").arg(vault.path("pipe.md")).status().expect("mkfifo");
    assert!(pipe.success());
    vault
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_of_a_strange_vault_is_in_or_named() {
    let vault = strange();
    let report = goes_in_and_out(&vault.root()).await;
    let failed: BTreeSet<_> = report.failed.iter().map(|failed| failed.file.as_str()).collect();
    assert_eq!(failed, BTreeSet::from(["Latin1.md", "Utf16.md"]));
    assert_eq!(report.created, 31, "{:?}", report.files);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_of_this_project_goes_in_and_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let report = goes_in_and_out(&root).await;
    assert_eq!(report.failed, []);
    assert!(report.created > 50 && report.left_out.iter().any(|left| left.path.ends_with(".png")), "{report:?}");
}

/// Articles of these slugs have this folder, this title and these tags.
async fn are(vault: &Vault, expected: &[(&str, &str, &str, &[&str])]) {
    let report = goes_in_and_out(&vault.root()).await;
    assert_eq!((report.failed.len(), report.warnings.len()), (0, 0), "{:?} {:?}", report.failed, report.warnings);
    let world = TestHost::new().await;
    let service = world.articles(None);
    let slugs = slugs(&import(&service, &vault.root()).await);
    for (file, folder, title, tags) in expected {
        let slug = slugs.get(*file).unwrap_or_else(|| panic!("{file} is not in {slugs:?}"));
        let mut article = service.read(slug).await.expect("an article");
        article.tags.sort();
        assert_eq!((article.folder.as_str(), article.title.as_str()), (*folder, *title), "{file}");
        assert_eq!(article.tags, *tags, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_of_obsidian() {
    let vault = Vault::of(&[
        (".obsidian/app.json", "{}"),
        (".obsidian/workspace.json", "{}"),
        (
            "Welcome.md",
            "This is your new *vault*.\n\nMake a note, [[create a link]], or try [the Importer](https://help.obsidian.md)!\n",
        ),
        (
            "Daily/2024-05-31.md",
            "---\ntags:\n  - daily\naliases: [Last of May]\ncreated: 2024-05-31T08:30\n---\n- [ ] call [[Zoë Müller|Zoë]] #todo/phone\n- [x] ![[Map.canvas]]\n",
        ),
        (
            "People/Zoë Müller.md",
            "---\ncssclasses:\n  - wide\nbirthday: 1990-02-01\n---\n> [!note] A callout\n> ^block-id\n\n%% not shown %%\n",
        ),
        ("Templates/Daily.md", "---\ncreated: {{date}}T{{time}}\ntags: [daily]\n---\n# {{title}}\n"),
        ("Map.canvas", "{\"nodes\":[],\"edges\":[]}"),
        (
            "Drawing.excalidraw.md",
            "---\nexcalidraw-plugin: parsed\ntags: [excalidraw]\n---\n%%\n# Drawing\n```json\n{}\n```\n%%",
        ),
        ("Attachments/Pasted image 20240531.png", "PNG"),
    ]);
    let report = goes_in_and_out(&vault.root()).await;
    assert_eq!((report.created, report.failed.len()), (5, 0), "{:?}", report.files);
    let world = TestHost::new().await;
    let service = world.articles(None);
    let slugs = slugs(&import(&service, &vault.root()).await);
    let day = service.read(&slugs["Daily/2024-05-31.md"]).await.expect("an article");
    assert_eq!((day.folder.as_str(), day.title.as_str()), ("Daily", "2024-05-31"));
    assert!(["daily", "todo/phone"].iter().all(|tag| day.tags.iter().any(|has| has == tag)), "{:?}", day.tags);
    assert!(day.created_at.to_string().starts_with("2024-05-31"), "{}", day.created_at);
    let person = service.read(&slugs["People/Zoë Müller.md"]).await.expect("an article");
    assert_eq!((person.folder.as_str(), person.title.as_str()), ("People", "Zoë Müller"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_of_hugo() {
    let vault = Vault::of(&[
        ("hugo.toml", "baseURL = 'https://example.org/'\n"),
        ("content/_index.md", "+++\ntitle = 'Home'\n+++\n"),
        (
            "content/posts/night-trains.md",
            "+++\ntitle = 'Night trains'\ndate = 2024-05-31T08:30:00+02:00\nlastmod = 2024-06-02\ndraft = true\ntags = ['rail', 'night']\n\n[params]\nauthor = 'Ada'\n+++\n{{< figure src=\"a.png\" >}}\n",
        ),
        (
            "content/posts/alps/index.md",
            "---\ntitle: \"The Alps: a bundle\"\ndate: 2024-01-02\ncategories: [places]\ntags: [rail]\nweight: 10\n---\nText.\n",
        ),
        ("content/posts/alps/pass.jpg", "JPG"),
        ("content/about.md", "{\n  \"title\": \"About\",\n  \"type\": \"page\"\n}\n\nWho we are.\n"),
        ("layouts/index.html", "<html></html>"),
    ]);
    are(
        &vault,
        &[
            ("content/_index.md", "content", "Home", &[]),
            ("content/posts/night-trains.md", "content/posts", "Night trains", &["night", "rail"]),
            ("content/posts/alps/index.md", "content/posts/alps", "The Alps: a bundle", &["rail"]),
            ("content/about.md", "content", "About", &[]),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_of_docusaurus() {
    let vault = Vault::of(&[
        ("docusaurus.config.js", "export default {};\n"),
        ("sidebars.js", "export default {};\n"),
        (
            "docs/intro.md",
            "---\nid: intro\nslug: /docs/intro\nsidebar_position: 1\n---\n\n# Tutorial Intro\n\nLet's go.\n",
        ),
        ("docs/basics/_category_.json", "{\"label\": \"Basics\", \"position\": 2}\n"),
        (
            "docs/basics/markdown.mdx",
            "---\ntitle: Markdown Features\ntags: [mdx, demo]\nlast_update:\n  date: 5/31/2024\n  author: ada\n---\n\nimport Tabs from '@theme/Tabs';\n\n:::tip[My tip]\n\nUse it.\n\n:::\n\n<Tabs />\n",
        ),
        (
            "blog/2024-05-31-night-trains.md",
            "---\ntitle: Night trains\nauthors: [ada]\ntags: [rail]\n---\n\nFirst.\n\n<!-- truncate -->\n\nMore.\n",
        ),
        ("blog/authors.yml", "ada:\n  name: Ada\n"),
        ("node_modules/@docusaurus/core/README.md", "theirs"),
        ("static/img/logo.svg", "<svg/>"),
    ]);
    are(
        &vault,
        &[
            ("docs/intro.md", "docs", "Tutorial Intro", &[]),
            ("docs/basics/markdown.mdx", "docs/basics", "Markdown Features", &["demo", "mdx"]),
            ("blog/2024-05-31-night-trains.md", "blog", "Night trains", &["rail"]),
        ],
    )
    .await;
}

/// What a file says of its slug and its title, in the forms of other programs.
#[tokio::test(flavor = "multi_thread")]
async fn names_and_titles_of_files_are_taken_as_far_as_they_can_be() {
    let long = "many words ".repeat(50);
    let vault = Vault::of(&[
        ("intro.md", "---\nslug: /docs/intro\n---\n# An introduction\n"),
        ("fifth.md", "---\nslug: 2024/06/fifth\n---\ntext"),
        ("empty.md", "---\ntitle: \"\"\n---\n# Real heading\n\ntext"),
        ("null.md", "---\ntitle:\n---\n# From the body\n\ntext"),
        ("list.md", "---\ntitle: [draft]\n---\ntext"),
    ]);
    vault.put("long.md", format!("# {long}\n\ntext"));
    let world = TestHost::new().await;
    let service = world.articles(None);
    let report = import(&service, &vault.root()).await;
    assert_eq!(counts(&report), [6, 0, 0, 0, 0, 0], "{:?}", report.failed);
    let slugs = slugs(&report);
    for (file, slug, title) in [
        ("intro.md", "docs-intro", "An introduction"),
        ("fifth.md", "2024-06-fifth", "fifth"),
        ("empty.md", "empty", "Real heading"),
        ("null.md", "null", "From the body"),
        ("list.md", "list", "[draft]"),
    ] {
        let title_of = service.read(&slugs[file]).await.expect("an article").title;
        assert_eq!((slugs[file].as_str(), title_of.as_str()), (slug, title), "{file}");
    }
    let title = service.read(&slugs["long.md"]).await.expect("an article").title;
    assert!(title.starts_with("many words") && title.chars().count() <= 300, "{title}");
}
