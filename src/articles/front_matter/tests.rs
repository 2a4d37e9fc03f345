//! What is read, and what stays unchanged when something is set.

use proptest::prelude::*;

use super::{Document, Edit, Field, Fields, edited};

fn fields(text: &str) -> Fields {
    Document::split(text).fields().0
}

fn title(text: &str) -> Option<String> {
    fields(text).title
}

#[test]
fn values_are_read_as_they_are_written() {
    for (written, read) in [
        ("1.10", "1.10"),
        ("21E08", "21E08"),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("2024-05-31", "2024-05-31"),
        ("yes", "yes"),
        ("Re: hello", "Re: hello"),
        ("[draft]", "[draft]"),
        ("[draft] My plan", "[draft] My plan"),
        ("[[Jane]], [[Bob]]", "[[Jane]], [[Bob]]"),
        ("{{title}}", "{{title}}"),
        ("<% tp.file.title %>", "<% tp.file.title %>"),
        ("@home tasks", "@home tasks"),
        ("50% off", "50% off"),
        ("*star", "*star"),
        ("C# notes #draft", "C# notes"),
        ("Commented   # inline", "Commented"),
        ("\"quoted: \\\"yes\\\" \\u00e9\"", "quoted: \"yes\" é"),
        ("'it''s'", "it's"),
        ("\"a\" and \"b\"", "\"a\" and \"b\""),
        (">\n  folded\n  text", "folded text"),
        ("\n  below\n  its key", "below its key"),
    ] {
        let found = title(&format!("---\nfirst: 1\ntitle: {written}\nlast: 2\n---\nBody\n"));
        if written.starts_with('\n') {
            assert_eq!(found, None, "what stands below without being a list is not a title: {written}");
        } else {
            assert_eq!(found.as_deref(), Some(read), "{written}");
        }
    }
    for empty in ["", "\"\"", "''", "~", "null", " # nothing"] {
        assert_eq!(title(&format!("---\ntitle: {empty}\n---\n")), None, "{empty}");
    }
}

#[test]
fn blocks_of_all_sorts_are_found() {
    for (text, body) in [
        ("--- \ntitle: A\n---\nBody", "Body"),
        ("---\ntitle: A\n...\nBody", "Body"),
        ("---\r\ntitle: A\r\n---\r\nBody", "Body"),
        ("\u{feff}---\ntitle: A\n---\nBody", "Body"),
        ("---\ntitle: A\n---", ""),
        ("---\nTitle: A\n---\n\nBody", "\nBody"),
        ("---\ntitle: A\nmeta:\n\ta: b\n---\nBody", "Body"),
        ("---\ntags:\n- x\n- y\ntitle: A\n---\nBody", "Body"),
        ("---\ntitle: A\nthis is no YAML at all\n---\nBody", "Body"),
        ("---\n{\"title\": \"A\", \"tags\": [\"x\"]}\n---\nBody", "Body"),
        ("+++\ntitle = \"A\"\n[menu]\ntitle = 'no'\n+++\nBody", "Body"),
        ("+++\ndescription = \"\"\"\ntitle = 'no'\n\"\"\"\ntitle = 'A'\n+++\nBody", "Body"),
        ("{\n  \"date\": \"2024-05-31\",\n  \"title\": \"A\"\n}\nBody", "Body"),
        ("---\ntitle: One\ntitle: A\n---\nBody", "Body"),
    ] {
        let document = Document::split(text);
        assert_eq!(document.body, body, "{text:?}");
        assert_eq!(document.fields().0.title.as_deref(), Some("A"), "{text:?}");
    }
}

#[test]
fn a_text_without_front_matter_is_all_body() {
    for text in [
        "",
        "# Title\n",
        "---\ntitle: never closed\n",
        "---\n\njust a rule\n\n---\nmore",
        "---\n\nNot front matter: really\n\n---\n",
        "---\nDear all: hello\nhow are you\n---\n",
        "\n---\ntitle: too late\n---\n",
        "{\"a\": 1}\n",
        "{ is a bracket\n",
        "----\ntitle: a\n----\n",
    ] {
        assert_eq!(Document::split(text), Document { head: String::new(), body: text.to_owned() });
    }
}

#[test]
fn other_names_of_a_field_are_known_and_faults_name_their_line() {
    let text =
        "---\ntitle: A\ncreated:\ndate: 2024-05-31\nlastmod: soon\nskip_embedding: \"TRUE\"\nfolder:\n  - a\n---\n";
    let (found, warnings) = Document::split(text).fields();
    assert_eq!(found.created, Some(1_717_113_600_000));
    assert_eq!((found.updated, found.skip_embedding, found.folder), (None, Some(true), None));
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("line 5: \"lastmod\" (\"soon\")"), "{warnings:?}");
    assert!(warnings[1].starts_with("line 7: \"folder\""), "{warnings:?}");
    assert_eq!(fields("+++\nformer_slugs = [\"a\", 'b']\n+++\n").former_slugs, ["a", "b"]);
    assert_eq!(fields("---\nformer_slugs:\n  - a\n  - \"b\"\n---\n").former_slugs, ["a", "b"]);
}

#[test]
fn an_edit_changes_its_value_and_nothing_else() {
    let title = |text: &str| (Field::Title, Edit::Text(text.to_owned()));
    for (before, after) in [
        ("---\n# mine\ntitle: Old   # inline\nv: 1.10\n---\n", "---\n# mine\ntitle: New   # inline\nv: 1.10\n---\n"),
        ("---\r\nTitle:  \"Old\"\r\n---\r\n", "---\r\nTitle:  New\r\n---\r\n"),
        ("---\ntitle:\nv: 1\n---\n", "---\ntitle: New\nv: 1\n---\n"),
        ("---\ntitle: >\n  Old\n  title\nv: 1\n---\n", "---\ntitle: New\nv: 1\n---\n"),
        ("---\nv: 1\n---", "---\nv: 1\ntitle: New\n---"),
        ("+++\nv = 1\n[t]\na = 1\n+++\n", "+++\nv = 1\ntitle = \"New\"\n[t]\na = 1\n+++\n"),
        ("{\n  \"title\": \"Old\", \"v\": 1.10\n}\n", "{\n  \"title\": \"New\", \"v\": 1.10\n}\n"),
        ("{\n  \"tags\": []\n}\n", "{\n  \"title\": \"New\",\n  \"tags\": []\n}\n"),
        ("\u{feff}", "\u{feff}---\ntitle: New\n---\n"),
    ] {
        assert_eq!(edited(before, "", &[title("New")]), after);
    }
    assert_eq!(edited("", "a\r\nb", &[title("1.10")]), "---\r\ntitle: \"1.10\"\r\n---\r\n");
}

/// Blocks as people write them.
fn heads() -> impl Strategy<Value = String> {
    let entry = prop_oneof![
        "[a-z]{1,8}: [ -~&&[^#]]{0,20}",
        Just("tags:\n  - x\n\n  - 'y'".to_owned()),
        Just("# a comment".to_owned()),
        Just("title: An old one   # inline".to_owned()),
        Just("Title: 'Capital'".to_owned()),
        Just("date: 2024-05-31".to_owned()),
        Just("skip_embedding:".to_owned()),
        Just("version: 1.10".to_owned()),
        Just("text: |\n  title: no\n  more".to_owned()),
    ];
    let toml = prop_oneof![
        Just("title = 'old' # inline".to_owned()),
        Just("tags = [\n  \"x\", # a\n  \"y\",\n]".to_owned()),
        Just("[menu]\ntitle = 1".to_owned()),
        Just("version = 1.10".to_owned()),
    ];
    let json = prop_oneof![Just("\"title\": \"old\""), Just("\"v\": 1.10"), Just("\"tags\": [1, {\"a\": []}]")];
    let block = |fence: &'static str| {
        move |lines: Vec<String>| {
            format!("{fence}\n{}{fence}\n", lines.iter().map(|line| format!("{line}\n")).collect::<String>())
        }
    };
    let yaml = proptest::collection::vec(entry, 0..6)
        .prop_map(|lines| [vec!["id: 1".to_owned()], lines].concat())
        .prop_map(block("---"));
    let toml = proptest::collection::vec(toml, 0..5).prop_map(block("+++"));
    let json = proptest::collection::vec(json, 0..4).prop_map(|lines| {
        format!("{{\n  \"id\": 1{}\n}}\n", lines.iter().map(|l| format!(",\n  {l}")).collect::<String>())
    });
    let blocks = prop_oneof![Just(String::new()), yaml, toml, json];
    (blocks, any::<bool>(), any::<bool>()).prop_map(|(head, crlf, mark)| {
        let head = if crlf { head.replace('\n', "\r\n") } else { head };
        if mark && !head.is_empty() { format!("\u{feff}{head}") } else { head }
    })
}

proptest! {
    #[test]
    fn head_and_body_are_the_text(text in prop_oneof![any::<String>(), (heads(), any::<String>()).prop_map(|(h, b)| h + &b)]) {
        let document = Document::split(&text);
        prop_assert_eq!(document.head + &document.body, text);
    }

    #[test]
    fn what_is_written_is_read_again_and_the_rest_stays(
        head in heads(),
        title in "[^\\p{C}\\s]([^\\p{C}]{0,20}[^\\p{C}\\s])?",
        slug in "[a-z]{1,5}(-[a-z0-9]{1,5}){0,2}",
        at in 0_i64..253_402_300_799_999,
        skip in any::<bool>(),
        former in proptest::collection::vec("[a-z]{1,5}-[0-9]", 0..3),
        body in "[^-+{]{0,20}",
    ) {
        let edits = [
            (Field::Title, Edit::Text(title.clone())),
            (Field::Slug, Edit::Text(slug.clone())),
            (Field::Created, Edit::Time(at)),
            (Field::Updated, Edit::Time(at)),
            (Field::SkipEmbedding, Edit::Switch(skip)),
            (Field::FormerSlugs, Edit::Names(former.clone())),
        ];
        let after = edited(&head, &body, &edits);
        let document = Document::split(&format!("{after}{body}"));
        prop_assert_eq!(&document.head, &after);
        let (found, warnings) = document.fields();
        prop_assert_eq!(warnings, vec![]);
        let expected = Fields {
            title: Some(title), slug: Some(slug), folder: found.folder.clone(), created: Some(at), updated: Some(at),
            skip_embedding: Some(skip), former_slugs: former,
        };
        prop_assert_eq!(found, expected);
        for kept in head.lines().filter(|line| line.contains("version") || line.starts_with('#') || line.contains("tags")) {
            prop_assert!(after.contains(kept), "{:?} is gone from {:?}", kept, after);
        }
        prop_assert_eq!(edited(&after, &body, &edits), after, "written once more, nothing changes");
    }
}

#[test]
fn a_large_block_costs_its_length_and_no_more() {
    let deep = format!("---\ntitle: A\na: {}\n---\nBody", "[".repeat(200_000));
    assert_eq!(title(&deep).as_deref(), Some("A"));
    let bomb = format!("---\ntitle: A\na: &a [{}]\nb: [{}]\n---\n", "x, ".repeat(20_000), "*a, ".repeat(20_000));
    assert_eq!(title(&bomb).as_deref(), Some("A"));
    let json = format!("{{\"title\": \"A\", \"a\": {}", "[".repeat(200_000));
    assert_eq!(Document::split(&json).head, "");
    let lines = format!("---\ntitle: A\n{}---\n", "a: 1\n".repeat(100_000));
    assert_eq!(title(&lines).as_deref(), Some("A"));
}
