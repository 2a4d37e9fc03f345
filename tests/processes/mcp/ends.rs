//! What does not fit into one answer can be read by further calls, and a shortened answer says that it is one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, Era, host},
    support::{SqliteTestHost as TestHost, TOKIO},
};

/// All rows of a list, page by page.
async fn rows(agent: &Agent, tool: &str, arguments: Value, list: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut asked = arguments.clone();
        asked["cursor"] = cursor;
        let page = agent.answer(tool, asked).await;
        all.extend(page[list].as_array().expect("a list").clone());
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return all;
        }
    }
}

#[test]
fn deleted_articles_and_revisions_come_in_pages() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        for n in 0..5 {
            agent.answer("create_article", json!({ "title": format!("T{n}"), "body": "x" })).await;
            agent.answer("delete_article", json!({ "slug": format!("t{n}") })).await;
        }
        let deleted = rows(&agent, "list_articles", json!({ "deleted": true, "limit": 2 }), "articles").await;
        assert_eq!(deleted.len(), 5);
        for filter in ["tag:nothing", "foo"] {
            let refused = agent.refusal("list_articles", json!({ "deleted": true, "filter": filter })).await;
            assert!(refused.starts_with("filter: "), "{refused}");
        }

        agent.answer("create_article", json!({ "title": "Often", "body": "0" })).await;
        for n in 1..60 {
            agent.answer("update_article", json!({ "slug": "often", "body": n.to_string() })).await;
        }
        let past = rows(&agent, "article_history", json!({ "slug": "often" }), "revisions").await;
        let numbers: Vec<_> = past.iter().map(|one| one["revision"].as_i64().expect("a number")).collect();
        assert_eq!(numbers, (1..=60).rev().collect::<Vec<_>>());
        // A place among the revisions is none among the changes.
        let place = URL_SAFE_NO_PAD.encode("history:often 30");
        let page = agent.answer("article_history", json!({ "slug": "often", "cursor": place })).await;
        assert_eq!(page["revisions"][0]["revision"], 29);
        let both = json!({ "slug": "often", "cursor": place, "since_revision": 1 });
        let refused = agent.refusal("article_history", both).await;
        assert!(refused.starts_with("cursor: ") && refused.contains("since_revision"), "{refused}");
        agent.leave().await;
    });
}

#[test]
fn a_long_difference_says_where_it_was_cut() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Handshake).await;
        let text = |word: &str| (0..600).map(|n| format!("{word} {n}\n")).collect::<String>();
        agent.answer("create_article", json!({ "title": "Long", "body": text("line") })).await;
        agent.answer("update_article", json!({ "slug": "long", "body": text("row") })).await;
        let since = agent.answer("article_history", json!({ "slug": "long", "since_revision": 1 })).await;
        let changes = since["changes"].as_str().expect("a text");
        assert!(changes.lines().last().is_some_and(|line| line.starts_with('…')), "{changes}");
        assert_eq!((&since["revisions"][0]["revision"], &since["total"]), (&json!(2), &json!(2)));
        agent.leave().await;
    });
}

#[test]
fn a_cursor_of_one_question_or_list_is_refused_by_another() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        for n in 0..9 {
            let title = format!("Kite {n}");
            agent
                .answer("create_article", json!({ "title": title, "body": "kite apple", "folder": format!("f{n}") }))
                .await;
        }
        let first = agent.answer("search_articles", json!({ "query": "kite", "limit": 2 })).await;
        let cursor = first["next_cursor"].clone();
        for other in [
            json!({ "query": "apple" }),
            json!({ "query": "kite", "mode": "keyword" }),
            json!({ "query": "kite", "folder": "f1" }),
            json!({ "query": "kite", "filter": "tag:x" }),
            json!({ "query": "kite", "queries": ["apple"] }),
        ] {
            let mut asked = other.clone();
            asked["cursor"] = cursor.clone();
            assert!(agent.refusal("search_articles", asked).await.starts_with("cursor: "), "{other}");
        }
        let next = json!({ "query": "kite", "limit": 3, "cursor": cursor });
        assert_eq!(agent.answer("search_articles", next).await["hits"].as_array().map(Vec::len), Some(3));
        let listed = agent.answer("list_articles", json!({ "limit": 2 })).await["next_cursor"].clone();
        for other in [json!({ "folder": "f1" }), json!({ "filter": "tag:x" }), json!({ "deleted": true })] {
            let mut asked = other.clone();
            asked["cursor"] = listed.clone();
            assert!(agent.refusal("list_articles", asked).await.starts_with("cursor: "), "{other}");
        }
        for cursor in [cursor, listed] {
            assert!(agent.refusal("list_folders", json!({ "cursor": cursor })).await.starts_with("cursor: "));
        }
        agent.leave().await;
    });
}

#[test]
fn an_agent_learns_which_tags_properties_and_broken_links_there_are() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        for n in 0..150 {
            let properties =
                json!({ "tags": ["all", format!("tag-{n}")], "status": if n % 3 == 0 { "draft" } else { "done" } });
            let article =
                json!({ "title": format!("T{n}"), "body": format!("[[nowhere-{n}]]"), "properties": properties });
            agent.answer("create_article", article).await;
        }
        let tags = rows(&agent, "list_folders", json!({ "of": "tags" }), "listed").await;
        assert_eq!((&tags[0], tags.len()), (&json!({ "name": "all", "articles": 150 }), 151));
        let keys = rows(&agent, "list_folders", json!({ "of": "properties" }), "listed").await;
        assert_eq!(keys, [json!({ "name": "status", "articles": 150, "kind": "text" })]);
        let values = rows(&agent, "list_folders", json!({ "of": "status" }), "listed").await;
        assert_eq!(values[0], json!({ "name": "done", "articles": 100 }));
        let broken = rows(&agent, "list_folders", json!({ "of": "broken_links" }), "listed").await;
        assert_eq!((broken.len(), &broken[0]), (150, &json!({ "name": "nowhere-0", "slug": "t0" })));
        assert!(agent.refusal("list_folders", json!({ "of": "colour" })).await.contains("properties"));
        assert_eq!(
            agent.answer("list_folders", json!({})).await["folders"],
            json!([{ "folder": "", "articles": 150 }])
        );
        agent.leave().await;
    });
}
