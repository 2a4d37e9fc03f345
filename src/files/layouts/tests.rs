use std::collections::HashSet;

use super::*;

const ID: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f809";

fn read(layout: Layout, tables: &[&str], place: &str, text: &str) -> Content {
    let reading = Reading::of(layout, tables.iter().copied());
    reading.content(text, place, &Folder::default(), Limits::default()).expect("a text that fits")
}

/// Folder, slug and title.
fn named(content: &Content) -> [String; 3] {
    [content.folder.to_string(), content.slug.to_string(), content.title.clone()]
}

fn layout_of(files: &[&str], others: &[&str]) -> Layout {
    let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
    recognise(&files, &others.iter().copied().collect::<HashSet<_>>())
}

#[test]
fn a_layout_is_recognised_by_names_and_nothing_is_taken_for_one_by_chance() {
    let page = format!("Project {ID}.md");
    let below = format!("Project {ID}/Sub {ID}.md");
    assert_eq!(layout_of(&[&page, &below], &[]), Layout::Notion);
    assert_eq!(layout_of(&["a.md"], &["logseq/config.edn"]), Layout::Logseq);
    assert_eq!(layout_of(&["pages/a.md", "journals/2026_01_31.md"], &[]), Layout::Logseq);
    assert_eq!(layout_of(&["_posts/2026-01-31-a.md"], &[]), Layout::Jekyll);
    assert_eq!(layout_of(&["_drafts/a.md"], &["_config.yml"]), Layout::Jekyll);
    for plain in [
        &["pages/a.md", "journals/2026-01-31.md"][..],
        &["a.md", "b.md", &page][..],
        &["pages/a.md", "journals/nature.md"],
        &["_posts/a.md"],
        &["_drafts/a.md"],
        &["2026-01-31-a.md"],
        &["commit 1a2b3c4d.md", "Project 1A2B3C4D5E6F708192A3B4C5D6E7F809.md"],
        &[],
    ] {
        assert_eq!(layout_of(plain, &["_config.toml"]), Layout::Plain, "{plain:?}");
    }
}

#[test]
fn names_of_notion_lose_their_ids() {
    let read = |place: &str, text| named(&read(Layout::Notion, &[], place, text));
    assert_eq!(read(&format!("Project {ID}.md"), "# Project\n"), ["", "project", "Project"]);
    assert_eq!(read(&format!("Project {ID}/Sub v1.2 {ID}.md"), ""), ["Project", "sub-v1-2", "Sub v1.2"]);
    assert_eq!(read(&format!("Tasks {ID}_all.csv"), "Name\nA\n"), ["", "tasks", "Tasks"]);
    assert_eq!(read(&format!("Tasks {ID}.csv.md"), "text\n"), ["", "tasks", "Tasks"]);
    assert_eq!(read("Plain.md", "text\n"), ["", "plain", "Plain"]);
}

#[test]
fn columns_of_a_row_become_properties_and_those_of_other_pages_stay() {
    let text = "# Night train\n\nStatus: Under way\nTags: rail, deep work\nEstimate: 3\nDue: May 31, 2024\n\
                Created time: January 2, 2024 8:30 AM\nFolder: Red\nSee: [here](Other.md)\n\nText: of the page\n";
    let (table, page) = (format!("Tasks {ID}.csv"), format!("Tasks {ID}/Night train {ID}.md"));
    let row = read(Layout::Notion, &[&table], &page, text);
    assert_eq!(
        row.head,
        "---\nStatus: Under way\nTags: [rail, deep work]\nEstimate: 3\nDue: \"May 31, 2024\"\n\
         created: \"January 2, 2024 8:30 AM\"\n---\n"
    );
    assert_eq!(row.body, "# Night train\n\nFolder: Red\nSee: [here](Other.md)\n\nText: of the page\n");
    assert_eq!(row.created, Some(1_704_184_200_000));
    assert_eq!(named(&row), ["Tasks", "night-train", "Night train"]);
    let all = read(Layout::Notion, &[&table], &page, "# T\n\nStatus: Done\n\nText\n");
    assert_eq!((all.head.as_str(), all.body.as_str()), ("---\nStatus: Done\n---\n", "# T\n\nText\n"));
    for (tables, text) in [
        (&[][..], text),
        (&[table.as_str()], "# T\n\nA text\nStatus: Done\n"),
        (&[table.as_str()], "Status: Done\n"),
        (&[table.as_str()], "# T\n\nNotes: one\nand another line\n"),
        (&[table.as_str()], "# T\n"),
        (&[table.as_str()], ""),
    ] {
        let page = read(Layout::Notion, tables, &page, text);
        assert_eq!((page.head.as_str(), page.body.as_str()), ("", text));
    }
}

#[test]
fn a_table_keeps_every_cell() {
    let csv = "\u{feff}Name,Notes\r\n\"A, B\",\"say \"\"hi\"\"\nagain\"\r\na|b\r\n\nx,y,z\n";
    let table = read(Layout::Notion, &[], &format!("Tasks {ID}.csv"), csv);
    assert_eq!(
        table.body,
        "# Tasks\n\n| Name | Notes |  |\n| --- | --- | --- |\n| A, B | say \"hi\"<br>again |\n| a\\|b |\n| x | y | z |\n"
    );
    assert_eq!(read(Layout::Notion, &[], "Empty.csv", "").body, "# Empty\n");
}

#[test]
fn pages_of_logseq_stand_where_their_namespaces_say_and_have_their_properties() {
    for name in ["my%2Fpage.md", "my___page.md"] {
        let page = read(Layout::Logseq, &[], &format!("pages/{name}"), "- # A heading\n- text\n");
        assert_eq!(named(&page), ["pages/my", "page", "page"], "{name}");
        assert_eq!(page.body, "- # A heading\n- text\n");
    }
    let text = "title:: my/page\ntags:: #a, [[b c]]\nalias:: Other\nrating:: 4\nsee:: [[Moon]]\n\n- text\n";
    let page = read(Layout::Logseq, &[], "pages/my.page.md", text);
    assert_eq!(named(&page), ["pages/my", "page", "page"]);
    assert_eq!(page.head, "---\ntitle: my/page\ntags: [a, b c]\nalias: [Other]\nrating: 4\n---\n");
    assert_eq!(page.body, "see:: [[Moon]]\n\n- text\n");
    let block = read(Layout::Logseq, &[], "pages/a.md", "- type:: book\n  year:: 1984\n- text\n");
    assert_eq!((block.head.as_str(), block.body.as_str()), ("---\ntype: book\nyear: 1984\n---\n", "- text\n"));
    for text in ["- type:: book\n  more of the block\n", "- text\n  type:: book\n", "std::vec\n", ""] {
        let page = read(Layout::Logseq, &[], "pages/a.md", text);
        assert_eq!((page.head.as_str(), page.body.as_str()), ("", text));
    }
    let day = read(Layout::Logseq, &[], "journals/2026_01_31.md", "- woke up\n");
    assert_eq!(named(&day), ["journals", "2026-01-31", "2026-01-31"]);
    assert_eq!(day.created, Some(1_769_817_600_000));
}

#[test]
fn posts_of_jekyll_have_the_date_of_their_name_and_drafts_say_that_they_are_some() {
    let post =
        read(Layout::Jekyll, &[], "blog/_posts/2026-01-31-night-train.md", "---\ntitle: Night train\n---\nText\n");
    assert_eq!(named(&post), ["blog/_posts", "night-train", "Night train"]);
    assert_eq!(post.created, Some(1_769_817_600_000));
    assert_eq!((post.head.as_str(), post.body.as_str()), ("---\ntitle: Night train\n---\n", "Text\n"));
    let dated = read(Layout::Jekyll, &[], "_posts/2026-01-31-a.md", "---\ndate: 2026-02-01\n---\n");
    assert_eq!(dated.created, Some(1_769_904_000_000));
    let page = read(Layout::Jekyll, &[], "pages/2026-01-31-a.md", "text\n");
    assert_eq!((page.slug.to_string().as_str(), page.created), ("2026-01-31-a", None));
    let draft = read(Layout::Jekyll, &[], "_drafts/a.md", "text\n");
    assert_eq!((draft.head.as_str(), draft.body.as_str()), ("---\ndraft: true\n---\n", "text\n"));
    let said = read(Layout::Jekyll, &[], "_drafts/a.md", "---\nstatus: idea\n---\ntext\n");
    assert_eq!(said.head, "---\nstatus: idea\n---\n");
}

#[test]
fn what_becomes_too_long_is_refused() {
    let reading = Reading::of(Layout::Notion, std::iter::empty());
    let limits = Limits { max_size: 1024, ..Limits::default() };
    let refused = reading.content(&",".repeat(1000), "T.csv", &Folder::default(), limits);
    assert!(refused.is_ok(), "a table without text has no rows");
    let refused = reading.content(&"a,".repeat(500), "T.csv", &Folder::default(), limits);
    assert!(refused.is_err_and(|error| error.contains("articles.max_size")));
}

mod any {
    use proptest::prelude::*;

    use super::{ID, Layout, Limits, Reading};
    use crate::articles::folder::Folder;

    proptest! {
        #[test]
        fn no_name_and_no_text_stops_a_reading_and_no_word_is_lost(
            name in "([a-z/_.% -]|%2F|___|\u{e9}){0,12}",
            text in "(# |[a-z]{1,3}:: |[a-z]{1,3}: |- |\n|\"|,|\\||[a-z]{1,4}|\u{e9}| |---\n){0,16}",
        ) {
            for layout in [Layout::Notion, Layout::Logseq, Layout::Jekyll] {
                for ending in ["md", "csv"] {
                    let (table, place) = (format!("T {ID}.csv"), format!("T {ID}/{name} {ID}.{ending}"));
                    let reading = Reading::of(layout, [table.as_str()].into_iter());
                    let content = reading.content(&text, &place, &Folder::default(), Limits::default());
                    let content = content.map_err(TestCaseError::fail)?;
                    let whole = format!("{}{}", content.head, content.body);
                    for word in text.split(|c: char| !c.is_alphabetic()) {
                        prop_assert!(whole.contains(word), "{word:?} is not in {whole:?}");
                    }
                }
            }
        }
    }
}
