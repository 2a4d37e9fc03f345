//! Articles chosen by what their front matter says, in lists and in searches.

use afterword::{
    articles::{NewArticle, UnknownProperty, folder::Folder, properties::Filter},
    search::{Mode, Query, SearchError},
};

use super::TestHost;
use crate::support::article;

async fn with(front_matter: &[(&str, String)]) -> TestHost {
    let world = TestHost::new().await;
    for (slug, lines) in front_matter {
        let new = NewArticle { front_matter: format!("---\n{lines}\n---\n"), ..article(slug, "some words") };
        world.articles(None).create(new).await.expect("a save");
    }
    world
}

/// What a filter lets pass: the same in a list and in a search.
async fn passing(world: &TestHost, filter: &str) -> Vec<String> {
    let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{error}"));
    let page = world.articles(None).list_where(&Folder::default(), &filter, None, 50).await.expect("a page");
    let mut listed: Vec<_> = page.articles.into_iter().map(|article| article.slug).collect();
    listed.sort();
    assert_eq!(page.total, i64::try_from(listed.len()).ok());
    let query = Query { filter, ..Query::new("words", Mode::Keyword, 50) };
    let answer = world.search.search(&query).await.expect("an answer");
    let mut found: Vec<_> = answer.hits.into_iter().map(|hit| hit.slug).collect();
    found.sort();
    assert_eq!(found, listed);
    listed
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_is_found_as_it_is_written() {
    let long = "A long value ".repeat(40);
    let world = with(&[
        ("month", "month: 2026-03\ndue: 2026-03-15\nyear: 2026".to_owned()),
        ("april", "month: 2026-04\ndue: 2026-04-15\nyear: \"2026\"".to_owned()),
        ("named", "aliases: [The Other, Another]\n\"due date\": 2026".to_owned()),
        ("long", format!("summary: {long}\nweek: 2026-w12\nphone: 030-1234")),
        ("plain", "kind: none".to_owned()),
    ])
    .await;
    let quoted = format!("summary:\"{}\"", long.trim());
    let cases = [
        ("month:2026-03", &["month"][..]),
        ("-month:2026-03", &["april", "long", "named", "plain"]),
        ("due:2026-03-15", &["month"]),
        ("due:2026-03", &["month"]),
        ("due:2026-03..2026-04", &["april", "month"]),
        ("year:2026", &["april", "month"]),
        ("year:2026 month:2026-04", &["april"]),
        ("week:2026-w12", &["long"]),
        ("phone:030-1234", &["long"]),
        ("aliases:*", &["named"]),
        ("alias:*", &["named"]),
        ("-alias:*", &["april", "long", "month", "plain"]),
        ("alias:\"the other\"", &["named"]),
        ("\"due date\":2026", &["named"]),
        ("\"due date\":*", &["named"]),
        ("-\"Due Date\":*", &["april", "long", "month", "plain"]),
        (quoted.as_str(), &["long"]),
    ];
    for (filter, expected) in cases {
        assert_eq!(passing(&world, filter).await, expected, "{filter}");
    }
    for (filter, part) in
        [("tag:#", "tag:rust"), ("tag:///", "tag:rust"), ("\"a b\"", "tag:rust"), ("\"\":x", "no key")]
    {
        let error = Filter::parse(filter).expect_err("no filter").to_string();
        assert!(error.contains(part), "{filter}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_may_name_a_property_that_articles_have() {
    let world = with(&[
        ("a", "status: draft\nrating: 4".to_owned()),
        ("b", "status: \"in work\"\nrating: 9\ngröße: 3".to_owned()),
        ("c", "aliases: [The Other]".to_owned()),
    ])
    .await;
    for (question, expected) in [
        ("words status:draft", &["a"][..]),
        ("words Status:\"in work\"", &["b"]),
        ("words -status:draft", &["b", "c"]),
        ("words rating:>4", &["b"]),
        ("status:*", &["a", "b"]),
        ("words größe:3", &["b"]),
        ("alias:\"the other\"", &["c"]),
        ("words colour:red", &["a", "b", "c"]),
        ("words status:", &["a", "b", "c"]),
    ] {
        let mut found = world.found(question, Mode::Keyword).await;
        found.sort();
        assert_eq!(found, expected, "{question}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_counted_in_one_order() {
    let world = with(&[
        ("a", "status: [Zebra, apple, Äpfel]".to_owned()),
        ("b", "status: [zebra, Apple, Birne]".to_owned()),
        ("c", "status: [b-c, bc, b c]".to_owned()),
    ])
    .await;
    let values = world.articles(None).property_values("status", 50).await.expect("values");
    let values: Vec<_> = values.iter().map(|value| (value.articles, value.value.as_str())).collect();
    let mut ordered = values.clone();
    ordered.sort_by_key(|(articles, value)| (-articles, value.as_bytes()));
    assert_eq!(values, ordered);
    assert_eq!(values[..2], [(2, "Apple"), (2, "Zebra")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_that_no_article_has_is_refused_with_the_first_of_those_that_there_are() {
    let keys: Vec<_> = (0..25).map(|n| format!("key-{n:02}")).collect();
    let lines: Vec<_> = keys.iter().map(|key| format!("{key}: [1, 2]")).collect();
    let all = format!("aliases: [The Other]\nÄra: 1\n{}", lines.join("\n"));
    let refused = async |world: &TestHost| {
        let filter = Filter::parse("kye:1").expect("a filter");
        let query = Query { filter, ..Query::new("words", Mode::Keyword, 5) };
        match world.search.search(&query).await {
            Err(SearchError::NoProperty(UnknownProperty { key, known })) => (key, known),
            other => panic!("{other:?}"),
        }
    };
    let world = with(&[("a", all.clone()), ("b", all), ("c", "aliases: [Another]".to_owned())]).await;
    assert_eq!(refused(&world).await, ("kye".to_owned(), keys[..20].to_vec()));
    let world = with(&[("a", "ära: 1\nzone: 2\naliases: [x]".to_owned())]).await;
    assert_eq!(refused(&world).await.1, ["zone", "ära"], "in the order of their bytes");
    let world = with(&[("a", "aliases: [x]".to_owned())]).await;
    assert!(refused(&world).await.1.is_empty());
}
