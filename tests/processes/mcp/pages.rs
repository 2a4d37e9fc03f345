//! Answers that come in parts: nothing is lost between them, nothing comes twice, and none is too long.

use std::collections::BTreeSet;

use afterword::{config::Rerank, reranking::Reranker};
use proptest::{prelude::*, test_runner::Config};
use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, Era, host},
    support::reranker::{Judge, named, reranker},
    support::{SqliteTestHost as TestHost, TOKIO},
};

/// All pages of a list.
async fn pages(agent: &Agent, tool: &str, arguments: Value, list: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut asked = arguments.clone();
        asked["cursor"] = cursor;
        let page = agent.answer(tool, asked).await;
        let items = page[list].as_array().expect("a list").clone();
        assert!(!items.is_empty() || all.is_empty(), "no empty page follows");
        all.extend(items);
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return all;
        }
    }
}

fn names(items: &[Value], key: &str) -> BTreeSet<String> {
    items.iter().map(|item| item[key].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn lists_and_searches_are_whole_over_all_their_pages() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        const MANY: usize = 60;
        for n in 0..MANY {
            let title = format!("Kite {n} {}", "long title with \"quotes\" ".repeat(8));
            let folder = format!("flying/things/number-{n:03}/{}", "deep/".repeat(8));
            let body = format!("# Strings\n\n{}", "A kite has \"strings\" and \\ tails. ".repeat(20));
            agent
                .answer(
                    "create_article",
                    json!({ "title": title, "body": body, "slug": format!("kite-{n}"), "folder": folder }),
                )
                .await;
        }
        let listed = pages(&agent, "list_articles", json!({ "limit": 100 }), "articles").await;
        assert_eq!((listed.len(), names(&listed, "slug").len()), (MANY, MANY));
        assert!(listed.iter().all(|article| article["embedding"]["status"] == "pending"));
        let found = pages(&agent, "search_articles", json!({ "query": "strings" }), "hits").await;
        assert_eq!((found.len(), names(&found, "slug").len()), (MANY, MANY));
        assert!(found.iter().all(
            |hit| hit["embedding"]["status"] == "pending" && hit["snippet"].as_str().is_some_and(|s| s.len() < 400)
        ));
        let folders = pages(&agent, "list_folders", json!({}), "folders").await;
        assert_eq!((folders.len(), names(&folders, "folder").len()), (MANY, MANY));
        agent.leave().await;
    });
}

#[test]
fn the_pages_of_a_reranked_search_are_one_order_and_say_what_the_reranker_did() {
    TOKIO.block_on(async {
        let (world, server) = (TestHost::new().await, reranker(Judge::OfDocuments).await);
        let mut host = host(&world);
        host.search = host.search.reranking(Reranker::of(&Rerank { top: 5, weight: 1.0, ..named(&server) }));
        let agent = Agent::beside(host, Era::Discover).await;
        for n in 1..=9 {
            let body = format!("A kite{}. It is worth {n}.", " and a kite".repeat(n));
            agent.answer("create_article", json!({ "title": format!("K{n}"), "body": body })).await;
        }
        let asked = json!({ "query": "kite", "limit": 2, "explain": true });
        let found = pages(&agent, "search_articles", asked, "hits").await;
        assert_eq!(names(&found, "slug").len(), 9);
        let said = |hit: &Value| hit["reranked"].as_str().map(str::to_owned);
        assert!(found[..5].iter().all(|hit| said(hit).is_some_and(|said| said.contains("→"))), "{found:?}");
        assert!(found[5..].iter().all(|hit| said(hit).is_none()), "{found:?}");
        let page = agent.answer("search_articles", json!({ "query": "kite", "limit": 1 })).await;
        assert_eq!(page["hits"][0]["slug"], found[0]["slug"]);
        assert_eq!(said(&page["hits"][0]), None, "nobody asked why");
        agent.leave().await;
    });
}

#[test]
fn a_search_answers_ten_snippets_at_most_if_nobody_asks_for_more() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Handshake).await;
        for n in 0..14 {
            agent.answer("create_article", json!({ "title": format!("T{n}"), "body": "kite" })).await;
        }
        let page = agent.answer("search_articles", json!({ "query": "kite" })).await;
        assert_eq!(page["hits"].as_array().map(Vec::len), Some(10));
        assert!(page["next_cursor"].is_string());
        // Places that no page has: 99999999999999999999, 18446744073709551615, 1000000.
        for cursor in ["OTk5OTk5OTk5OTk5OTk5OTk5OTk", "MTg0NDY3NDQwNzM3MDk1NTE2MTU", "MTAwMDAwMA"] {
            let refused = agent.refusal("search_articles", json!({ "query": "kite", "cursor": cursor })).await;
            assert!(refused.contains("cursor"), "{refused}");
        }
        agent.leave().await;
    });
}

/// A text with its head taken off, and where to go on.
fn taken_apart(read: &str) -> (&str, Option<u64>) {
    let (head, text) = read.strip_prefix("---\n").and_then(|rest| rest.split_once("---\n")).expect("a head");
    let go_on = head
        .split_once("go on with offset ")
        .and_then(|(_, rest)| rest.lines().next())
        .map(|n| n.parse().expect("a number"));
    (text, go_on)
}

proptest! {
    #![proptest_config(Config { cases: 24, max_shrink_iters: 8, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_parts_of_a_long_article_are_the_article(
        paragraphs in prop::collection::vec("[a-zé文\"\\\\ ]{1,900}", 1..40), limit in prop::option::of(1000u32..9000),
    ) {
        let body = paragraphs.join("\n\n");
        TOKIO.block_on(async {
            let world = TestHost::new().await;
            let agent = Agent::beside(host(&world), Era::Discover).await;
            let saved = agent.answer("create_article", json!({ "title": "Long", "body": body })).await;
            prop_assert_eq!(saved["characters"].as_u64(), Some(body.chars().count() as u64));
            prop_assert_eq!(saved.get("body"), None);
            let (mut whole, mut offset) = (String::new(), 0);
            loop {
                let read = agent.text("read_article", json!({ "slug": "long", "offset": offset, "limit": limit })).await;
                prop_assert!(limit.is_some() || serde_json::to_string(&read).expect("JSON").len() <= 8_000);
                let (text, go_on) = taken_apart(&read);
                whole.push_str(text);
                let Some(next) = go_on else { break };
                prop_assert!(next > offset);
                offset = next;
            }
            prop_assert_eq!(whole, body);
            agent.leave().await;
            Ok(())
        })?;
    }
}

#[test]
fn a_section_is_read_by_its_heading() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Handshake).await;
        let flour = "## Flour\n\nRye.\n\n### Sieves\n\nFine.\n\n```\n## no heading\n```\n\n";
        let body = format!("# Bread\n\nIntro.\n\n{flour}## Water\n\nWarm.\n");
        agent.answer("create_article", json!({ "title": "Bread", "body": body })).await;
        let read = agent.text("read_article", json!({ "slug": "bread", "section": "flour" })).await;
        let (text, go_on) = taken_apart(&read);
        assert_eq!(text, flour);
        assert_eq!(go_on, None);
        let read = agent.text("read_article", json!({ "slug": "bread", "section": "## Water" })).await;
        assert_eq!(taken_apart(&read).0, "## Water\n\nWarm.\n");
        let refusal = agent.refusal("read_article", json!({ "slug": "bread", "section": "Salt" })).await;
        assert!(refusal.contains("Flour | Sieves | Water"), "{refusal}");
        agent.leave().await;
    });
}

#[test]
fn what_was_deleted_and_what_is_new_is_listed() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        for title in ["Tides", "Bees"] {
            agent.answer("create_article", json!({ "title": title, "body": "x" })).await;
        }
        agent.answer("delete_article", json!({ "slug": "bees" })).await;
        let listed = |arguments: Value| async { agent.answer("list_articles", arguments).await };
        let deleted = listed(json!({ "deleted": true, "since": "1h" })).await;
        let gone = &deleted["articles"][0];
        assert_eq!((&deleted["total"], &gone["slug"]), (&json!(1), &json!("bees")));
        assert!(gone["name"].as_str().is_some_and(|name| name.starts_with("id:")) && gone["deleted_at"].is_string());
        assert_eq!(listed(json!({ "since": "1h" })).await["articles"][0]["slug"], "tides");
        for deleted in [true, false] {
            assert_eq!(listed(json!({ "deleted": deleted, "since": "2999-01-01" })).await["total"], 0);
        }
    });
}
