//! Properties that are read and sent back are what they were.

use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, Era, host},
    support::{SqliteTestHost as TestHost, TOKIO},
};

/// The properties above an article's text.
async fn read(agent: &Agent, slug: &str) -> Value {
    let text = agent.text("read_article", json!({ "slug": slug })).await;
    let line = text.lines().find_map(|line| line.strip_prefix("properties: ")).expect("properties");
    serde_json::from_str(line).expect("JSON")
}

#[test]
fn what_was_read_and_is_sent_back_changes_nothing() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        let given = json!({ "score": 4.5, "below": -2.25, "whole": 10, "list": [1.5, 2, "x", true], "much": 1e30,
                            "text": "4.5", "no": "true", "day": "2026-05-31", "on": false, "s": "line one\nline two" });
        agent.answer("create_article", json!({ "title": "Rt", "body": "x", "properties": given })).await;
        let back = read(&agent, "rt").await;
        for key in ["score", "below", "whole", "list", "text", "no", "day", "on", "s"] {
            assert_eq!(back[key], given[key], "{key}");
        }
        let saved = agent.answer("update_article", json!({ "slug": "rt", "properties": back })).await;
        assert_eq!((&saved["changed"], &saved["revision"]), (&json!(false), &json!(1)));
        // As an author writes them: a version, and leading zeros, are no JSON numbers.
        let body = "---\nversion: 1.10\nprice: 4.50\nitems: [1.10, 2.5]\ndue: 2026-05-31\n---\ntext";
        agent.answer("create_article", json!({ "title": "By hand", "body": body })).await;
        let back = read(&agent, "by-hand").await;
        let saved = agent.answer("update_article", json!({ "slug": "by-hand", "properties": back })).await;
        assert_eq!(saved["changed"], false, "{back}");
        for (filter, slug) in
            [("score:>4", "rt"), ("below:<0", "rt"), ("version:>1", "by-hand"), ("price:4.5", "by-hand")]
        {
            let found = agent.answer("list_articles", json!({ "filter": filter })).await;
            assert_eq!((&found["total"], &found["articles"][0]["slug"]), (&json!(1), &json!(slug)), "{filter}");
        }
        agent.answer("update_article", json!({ "slug": "rt", "properties": { "score": "high" } })).await;
        assert_eq!(read(&agent, "rt").await["score"], "high");
        agent.leave().await;
    });
}

#[test]
fn the_articles_own_values_are_no_properties() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Handshake).await;
        agent.answer("create_article", json!({ "title": "Ign", "body": "x" })).await;
        for (key, said) in [
            ("title", "set title"),
            ("Slug", "rename"),
            ("folder", "set folder"),
            ("skip_embedding", "set skip_embedding"),
        ] {
            let properties = json!({ key: "other" });
            let update = json!({ "slug": "ign", "properties": properties });
            let create = json!({ "title": "New", "body": "x", "properties": properties });
            for (tool, arguments) in [("update_article", update), ("create_article", create)] {
                let refused = agent.refusal(tool, arguments).await;
                assert!(refused.starts_with("properties: ") && refused.contains(said), "{refused}");
            }
        }
        assert_eq!(agent.answer("list_articles", json!({})).await["articles"][0]["revision"], 1);
        agent.leave().await;
    });
}
