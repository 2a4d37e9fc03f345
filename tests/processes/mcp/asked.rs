//! What agents ask in the wrong way, or of what is gone: taken as it is meant, or refused in words that lead on.

use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, Era, host},
    support::{SqliteTestHost as TestHost, TOKIO},
};

async fn agent_with(world: &TestHost, titles: &[&str]) -> Agent {
    let agent = Agent::beside(host(world), Era::Discover).await;
    for title in titles {
        agent.answer("create_article", json!({ "title": title, "body": "text" })).await;
    }
    agent
}

#[test]
fn the_fields_of_edits_are_understood_as_arguments_are() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = agent_with(&world, &["One"]).await;
        let edits = json!([
            { "action": "APPEND", "text": 5, "section": "", "find": null },
            { "action": "replace_text", "find": "text", "text": "", "count": "1" },
            { "action": "replace_text", "find": "5", "text": "6", "count": 1.0 },
        ]);
        agent.answer("edit_article", json!({ "slug": "one", "edits": edits })).await;
        let read = agent.text("read_article", json!({ "slug": "one" })).await;
        assert!(read.ends_with("6\n") || read.ends_with('6'), "{read}");
        for (edits, said) in [
            (json!(["append"]), "edits: number 1: is \"append\", and must be an object"),
            (json!([null]), "edits: number 1: is null, and must be an object"),
            (
                json!([{ "action": "append", "text": "x" }, { "action": "add", "text": "x" }]),
                "edits: number 2: action: is",
            ),
            (json!([{ "action": "append", "text": [1] }]), "edits: number 1: text: is a list, and must be a text"),
            (json!([{ "action": "append", "words": "x" }]), "edits: number 1: words: is not"),
            (json!([{ "text": "x" }]), "edits: number 1: action: is missing"),
        ] {
            let refused = agent.refusal("edit_article", json!({ "slug": "one", "edits": edits })).await;
            assert!(refused.starts_with(said), "{edits}: {refused}");
        }
        agent.leave().await;
    });
}

#[test]
fn long_texts_in_edits_and_properties_are_taken() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        let article = json!({ "title": "One", "body": "begin ", "skip_embedding": true });
        agent.answer("create_article", article).await;
        let long = json!([{ "action": "append", "text": "word\n".repeat(56_000) }]);
        agent.answer("edit_article", json!({ "slug": "one", "edits": long })).await;
        let many: Vec<_> = (0..100).map(|_| json!({ "action": "append", "text": "x".repeat(3_000) })).collect();
        agent.answer("edit_article", json!({ "slug": "one", "edits": many })).await;
        let properties = json!({ "note": "y".repeat(100_000), "other/one~": "z".repeat(100_000) });
        agent.answer("update_article", json!({ "slug": "one", "properties": properties })).await;
        let found = agent.answer("list_articles", json!({ "filter": "note:*" })).await;
        assert!(found["articles"][0]["size"].as_i64().is_some_and(|size| size > 570_000), "{found}");
        agent.leave().await;
    });
}

#[test]
fn an_empty_list_counts_as_left_out_and_what_excludes_each_other_is_refused() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = agent_with(&world, &[]).await;
        for n in 0..45 {
            let properties = json!({ "tags": ["t"] });
            agent
                .answer("create_article", json!({ "title": format!("T{n}"), "body": "x", "properties": properties }))
                .await;
        }
        let read = agent.text("read_articles", json!({ "slugs": [], "filter": "tag:t" })).await;
        let (shown, rest) = read.rsplit_once("not read, ask for them as slugs: ").expect("the rest is named");
        let named: Vec<_> = rest.split(';').next().expect("names").split(", ").collect();
        assert_eq!((shown.matches("slug: ").count(), named.len()), (20, 20), "{rest}");
        assert!(rest.contains("5 more match"), "{rest}");
        let next = agent.text("read_articles", json!({ "slugs": named })).await;
        assert_eq!(next.matches("slug: ").count(), 20);
        let both = json!({ "slugs": ["t1"], "filter": "tag:other" });
        assert!(agent.refusal("read_articles", both).await.starts_with("slugs: "));
        let found = agent.answer("search_articles", json!({ "query": "x", "queries": [] })).await;
        assert!(!found["hits"].as_array().expect("hits").is_empty());
        agent.leave().await;
    });
}

#[test]
fn no_limit_is_zero_and_the_context_says_that_it_was_cut() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = agent_with(&world, &["One"]).await;
        for (tool, arguments) in [
            ("list_articles", json!({ "limit": 0 })),
            ("search_articles", json!({ "query": "text", "limit": 0 })),
            ("related_articles", json!({ "slug": "one", "limit": 0 })),
            ("read_article", json!({ "slug": "one", "limit": 0 })),
            ("read_articles", json!({ "slugs": ["one"], "limit": 0 })),
            ("article_context", json!({ "slug": "one", "budget": 0 })),
        ] {
            let refused = agent.refusal(tool, arguments).await;
            assert!(refused.contains("whole number from 1"), "{tool}: {refused}");
        }
        for (tool, arguments) in [
            ("list_articles", json!({ "limit": 101 })),
            ("search_articles", json!({ "query": "text", "limit": 101 })),
            ("related_articles", json!({ "slug": "one", "limit": 101 })),
        ] {
            assert_eq!(agent.refusal(tool, arguments).await, "limit: must be from 1 to 100", "{tool}");
        }
        let context = agent.text("article_context", json!({ "slug": "one", "budget": 100 })).await;
        assert!(context.ends_with('…') && context.chars().count() <= 100, "{context}");
        agent.leave().await;
    });
}

#[test]
fn what_was_deleted_leads_to_its_restoration() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = agent_with(&world, &["Gone"]).await;
        let request = json!({ "title": "Once", "body": "x", "idempotency_key": "k" });
        agent.answer("create_article", request.clone()).await;
        for slug in ["gone", "once"] {
            agent.answer("delete_article", json!({ "slug": slug })).await;
        }
        let edits = json!([{ "action": "append", "text": "x" }]);
        for (tool, arguments) in [
            ("read_article", json!({ "slug": "gone" })),
            ("delete_article", json!({ "slug": "gone" })),
            ("update_article", json!({ "slug": "gone", "body": "y" })),
            ("edit_article", json!({ "slug": "gone", "edits": edits })),
        ] {
            let refused = agent.refusal(tool, arguments).await;
            assert!(refused.contains("it was deleted; restore_article"), "{tool}: {refused}");
        }
        let refused = agent.refusal("create_article", request).await;
        assert!(refused.contains("has been deleted") && refused.contains("\"id:"), "{refused}");
        agent.leave().await;
    });
}

#[test]
fn a_rename_is_refused_in_its_own_words() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = agent_with(&world, &["One", "Two"]).await;
        for to in ["Five!! x", "two"] {
            let refused = agent.refusal("rename_article", json!({ "slug": "one", "to": to })).await;
            assert!(refused.starts_with("to: ") && !refused.contains("create"), "{refused}");
        }
        let unknown = Agent::error(agent.call("write_article", json!({})).await);
        assert!(unknown.message.contains("write_article") && unknown.message.contains("create_article"), "{unknown}");
        let value: Value = agent.answer("rename_article", json!({ "slug": "one", "to": "three" })).await;
        assert_eq!(value["slug"], "three");
        agent.leave().await;
    });
}
