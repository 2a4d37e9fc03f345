use proptest::prelude::*;

use super::*;
use crate::markdown::sample;

fn tags(body: &str) -> Vec<String> {
    Mentions::read(body).tags
}

fn links(body: &str) -> Vec<(String, String, Form)> {
    Mentions::read(body).links.into_iter().map(|link| (link.target, link.anchor, link.form)).collect()
}

#[test]
fn tags_count_as_obsidian_counts_them() {
    for (body, expected) in [
        ("#rust and #rust/async, #Été!", &["rust", "rust/async", "Été"][..]),
        ("- #todo\n> #quoted\n\n| a |\n|---|\n| #cell |", &["todo", "quoted", "cell"]),
        ("# Heading with #tag\n\n#no_space-1", &["tag", "no_space-1"]),
        ("#1984 is a number, #y1984 is none, #1984/a", &["y1984", "1984/a"]),
        ("`#code` \\#escaped a#b (#c) x/#d [#e](f) [[g#h]] [[#i]]", &[]),
        ("```\n#fenced\n```\n\n    #indented\n\n<p>\n#html\n</p>", &[]),
        ("#tag/ #🦀 #a.b", &["tag", "🦀", "a"]),
        ("#twice #twice #Twice", &["twice", "Twice"]),
    ] {
        assert_eq!(tags(body), expected, "{body}");
    }
}

#[test]
fn links_to_articles_are_told_from_others() {
    let body = "[[One]] [[Two#Part|shown]] ![[Three]] [a](../guides/four.md#top) [b](article://five) \
                [c](http://x.y) [d](mailto:a@b.c) [e](#here) [f](picture.png) [g](six) `[[code]]` [h](v1.2) \
                ![[Night map.PNG]] [[talk.pdf#page=2]] ![[Three.js]] [k](rows.csv)\n\n\
                [i][r]\n\n[r]: seven.md\n";
    let expected = [
        ("One", "", Form::Wiki),
        ("Two", "Part", Form::Wiki),
        ("Three", "", Form::Wiki),
        ("../guides/four.md", "top", Form::Path),
        ("five", "", Form::Address),
        ("six", "", Form::Path),
        ("Three.js", "", Form::Wiki),
        ("rows.csv", "", Form::Path),
        ("seven.md", "", Form::Path),
    ];
    assert_eq!(links(body), expected.map(|(target, anchor, form)| (target.to_owned(), anchor.to_owned(), form)));
}

#[test]
fn a_bar_in_a_table_is_no_part_of_the_name() {
    let body = "| a | b |\n|---|---|\n| [[tides\\|x]] | [[Ebb#Part\\|y]] |\n\n[[flow\\|z]]\n";
    let expected = [("tides", ""), ("Ebb", "Part"), ("flow", "")];
    let all = Mentions::read(body).links;
    assert!(all.iter().all(|link| link.place.clone().is_some_and(|place| body[place] == link.target)), "{all:?}");
    assert_eq!(links(body), expected.map(|(target, anchor)| (target.to_owned(), anchor.to_owned(), Form::Wiki)));
}

#[test]
fn footnotes_are_no_links_and_what_they_say_is_read() {
    let body = "Text[^1] and [^note].\n\n[^1]: seven.md\n[^note]: see [[Eight]] and #nine\n";
    assert_eq!(links(body), [("Eight".to_owned(), String::new(), Form::Wiki)]);
    assert_eq!(tags(body), ["nine"]);
}

#[test]
fn a_name_with_brackets_is_read_whole() {
    for (body, target) in [
        ("[[A [2]]]", "A [2]"),
        ("[[A [2]|shown]]", "A [2]"),
        ("[[[2] A]]", "[2] A"),
        ("[[[2] A|shown]]", "[2] A"),
        ("[[A [2] b]] and [[C]]", "A [2] b"),
        ("[[A]]] and [[[B]]", "A"),
    ] {
        let all = Mentions::read(body).links;
        assert!(all.iter().all(|link| link.place.clone().is_some_and(|place| body[place] == link.target)), "{body}");
        assert_eq!(links(body).first().map(|link| link.0.as_str()), Some(target), "{body}: {:?}", links(body));
    }
}

proptest! {
    #[test]
    fn places_of_links_are_where_their_targets_stand(body in sample::anything(), other in "[a-z ]{1,9}") {
        let body = format!("{body}\n\n[[{other}x]] [t](a{}.md)\n", other.trim());
        for link in Mentions::read(&body).links {
            if let Some(place) = link.place {
                prop_assert_eq!(&body[place], link.target.as_str());
            }
        }
    }
}

#[test]
fn a_long_text_is_read_in_parts_and_mentions_the_same() {
    let part = format!("{}\n\n#tag{{n}} and [[link{{n}}]]\n\n```\n#code\n```\n\n", "word ".repeat(2000));
    let body: String = (0..40).map(|n| part.replace("{n}", &n.to_string())).collect();
    assert!(parts(&body).len() > 2);
    let mentions = Mentions::read(&body);
    let expected: Vec<_> = (0..40).map(|n| format!("tag{n}")).collect();
    assert_eq!(mentions.tags, expected);
    assert_eq!(mentions.links.len(), 40);
    assert!(mentions.links.iter().all(|link| link.place.clone().is_some_and(|place| body[place] == link.target)));
}
