//! What does not fit into an answer: the answer says what it shows and how to get the rest.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, Era, host},
    support::{SqliteTestHost as TestHost, TOKIO},
};

/// A text in which each character tells its place.
fn numbered(characters: usize) -> String {
    let text: String = (0..).map(|n| format!("{n:06} wörter\n")).take(characters / 10).collect();
    text.chars().take(characters).collect()
}

async fn create(agent: &Agent, slug: &str, title: &str, body: &str) {
    agent.answer("create_article", json!({ "slug": slug, "title": title, "body": body, "folder": "book" })).await;
}

/// Articles of an answer: the slug, the head and the text of each.
fn articles(answer: &str) -> Vec<(&str, &str, &str)> {
    let parts = answer.split("---\nslug: ").skip(1);
    parts
        .map(|part| {
            let (slug, rest) = part.split_once('\n').expect("a slug");
            let (head, text) = rest.split_once("---\n").expect("a text");
            (slug, head, text)
        })
        .collect()
}

/// What the head says is shown is what is shown.
fn is_told(bodies: &BTreeMap<&str, String>, (slug, head, text): (&str, &str, &str)) {
    let body = &bodies[slug];
    let told = head.lines().find_map(|line| line.strip_prefix("characters: 0 to "));
    let shown = match told {
        Some(told) => told.split(' ').next().and_then(|end| end.parse().ok()).expect("a number"),
        None => body.chars().count(),
    };
    let expected: String = body.chars().take(shown).collect();
    let behind = text.strip_prefix(&expected).unwrap_or_else(|| panic!("{slug} is not whole: {head}{text}"));
    assert!(behind.trim().is_empty() || behind.trim_start().starts_with("---\nthere is no"), "{slug}: {head}");
    assert!(told.is_none() || head.contains(&format!("go on with offset {shown}")), "{slug}: {head}");
}

#[test]
fn several_articles_are_cut_where_their_heads_say() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        let title = "Ein langer Titel 長い題 ".repeat(12);
        let headings: String = (0..60).map(|n| format!("# Heading {n} {}\n\n", "long ".repeat(12))).collect();
        let bodies = BTreeMap::from([
            ("short", "A short one.".to_owned()),
            ("middle", numbered(5_039)),
            ("long", numbered(40_000)),
            ("headings", headings + &numbered(9_000)),
            ("quoted", "\"\\\"\n".repeat(3_000)),
        ]);
        for (slug, body) in &bodies {
            create(&agent, slug, &title, body).await;
        }
        let all: Vec<_> = bodies.keys().copied().collect();
        for asked in [
            json!({ "slugs": ["middle", "long"] }),
            json!({ "slugs": all }),
            json!({ "slugs": all, "limit": 3_000 }),
            json!({ "slugs": all, "limit": 10 }),
            json!({ "folder": "book" }),
            json!({ "slugs": ["short", "nothing", "x".repeat(9_000), "long"] }),
        ] {
            let answer = agent.text("read_articles", asked.clone()).await;
            assert!(serde_json::to_string(&answer).expect("JSON").len() <= 8_000, "{asked}: {}", answer.len());
            let found = articles(&answer);
            let known = asked["slugs"].as_array().map_or(all.len(), |slugs| {
                slugs.iter().filter(|slug| slug.as_str().is_some_and(|slug| bodies.contains_key(slug))).count()
            });
            assert_eq!(found.len(), known, "{answer}");
            found.into_iter().for_each(|article| is_told(&bodies, article));
        }
        let two = agent.text("read_articles", json!({ "slugs": ["short", "middle"] })).await;
        assert!(two.contains(bodies["middle"].trim_end()), "what the first does not need is the second's");
        for (budget, slug) in [(None, "middle"), (None, "long"), (Some(2_000), "headings"), (Some(1_200), "quoted")] {
            let answer = agent.text("article_context", json!({ "slug": slug, "budget": budget })).await;
            assert!(serde_json::to_string(&answer).expect("JSON").len() <= 8_000);
            assert!(answer.chars().count() <= budget.unwrap_or(8_000), "{answer}");
            let [article] = articles(&answer)[..] else { panic!("one article: {answer}") };
            is_told(&bodies, article);
        }
        let read = agent.text("read_article", json!({ "slug": "headings" })).await;
        is_told(&bodies, articles(&read)[0]);
        agent.leave().await;
    });
}

/// All pages of a list, and its total.
async fn all(agent: &Agent, of: &str) -> (Vec<Value>, Value) {
    let (mut rows, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = agent.answer("list_folders", json!({ "of": of, "cursor": cursor })).await;
        rows.extend(page["listed"].as_array().expect("rows").clone());
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return (rows, page["total"].clone());
        }
    }
}

#[test]
fn lists_have_all_their_rows_and_say_how_many_more_there_are() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        create(&agent, "hub", "Hub", "The middle of it.").await;
        for n in 0..60 {
            let tags: String = (0..24).map(|tag| format!("#t{n}x{tag} ")).collect();
            let nowhere: String = (0..20).map(|link| format!("[[nowhere {n} {link}]] ")).collect();
            let values: Vec<_> = (0..20).map(|value| format!("value {n} {value}")).collect();
            let body = format!("[[hub]] {tags}{nowhere}");
            let slug = format!("a-rather-long-name-of-spoke-number-{n:03}");
            let new =
                json!({ "slug": slug, "title": format!("Spoke {n}"), "body": body, "properties": { "many": values } });
            agent.answer("create_article", new).await;
        }
        for (of, total) in [("tags", 1_440), ("broken_links", 1_200), ("many", 1_200), ("linked_from:hub", 60)] {
            let (rows, told) = all(&agent, of).await;
            assert_eq!((rows.len(), &told), (total, &json!(total)), "{of}");
            let mut names: Vec<_> = rows.iter().map(|row| format!("{} {}", row["name"], row["slug"])).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), total, "{of}: none comes twice");
        }
        let refused = agent.refusal("list_folders", json!({ "of": "linked_from:nothing" })).await;
        assert!(refused.contains("no article \"nothing\""), "{refused}");
        let read = agent.text("read_article", json!({ "slug": "hub" })).await;
        assert!(read.contains("and at least 42 more") && read.contains("linked_from:SLUG"), "{read}");
        let context = agent.text("article_context", json!({ "slug": "hub", "budget": 3_000 })).await;
        let shown = context.matches("- a-rather-long-name").count() - 5;
        assert!(shown < 60 && context.contains(&format!("- and {} more", 60 - shown)), "{shown}: {context}");
        let renamed =
            agent.answer("rename_article", json!({ "slug": "hub", "to": "centre", "update_links": true })).await;
        let named = renamed["mended"].as_array().map(Vec::len).expect("slugs");
        assert!(named < 60 && renamed["mended_total"] == 60, "{renamed}");
        agent.leave().await;
    });
}
