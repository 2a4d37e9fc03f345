//! Articles that were deleted, and revisions that are past: what is told of them, and to whom.

use afterword::auth::{Caller, Permission};
use serde_json::json;

use crate::{
    mcp::http::{serve, transport},
    support::agent::{Agent, Era, host},
    support::{OnPostgres, OnSqlite, TOKIO, TestDatabase, TestHost},
};

async fn deleted<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let agent = Agent::beside(host(&world), Era::Discover).await;
    agent.answer("create_article", json!({ "title": "Tides", "body": "One.\n", "folder": "sea" })).await;
    agent.answer("update_article", json!({ "slug": "tides", "body": "Two, [[moon]].\n" })).await;
    agent.answer("update_article", json!({ "slug": "tides", "body": "Three.\n" })).await;

    let past = agent.text("read_article", json!({ "slug": "tides", "revision": 2 })).await;
    assert!(
        past.contains("revision: 2 (a past one; the present one is 3)") && past.ends_with("Two, [[moon]].\n"),
        "{past}"
    );
    assert!(!past.contains("embedding:"), "{past}");
    let part = agent.text("read_article", json!({ "slug": "tides", "revision": 2, "offset": 5 })).await;
    assert!(part.ends_with("[[moon]].\n") && part.contains("characters: 5 to 15 of 15"), "{part}");
    let present = agent.text("read_article", json!({ "slug": "tides", "revision": 3 })).await;
    assert!(present.contains("revision: 3\n") && present.contains("embedding:"), "{present}");
    let refused = agent.refusal("read_article", json!({ "slug": "tides", "revision": 9 })).await;
    assert!(refused.contains("no revision 9") && refused.contains("article_history"), "{refused}");

    agent.answer("update_article", json!({ "slug": "tides", "folder": "/" })).await;

    agent.answer("delete_article", json!({ "slug": "tides" })).await;
    for (tool, mut arguments) in [
        ("read_article", json!({})),
        ("read_article", json!({ "section": "X" })),
        ("update_article", json!({ "body": "x" })),
        ("edit_article", json!({ "edits": [{ "action": "append", "text": "x" }] })),
        ("rename_article", json!({ "to": "ebb" })),
        ("rename_article", json!({ "to": "ebb", "update_links": true })),
        ("delete_article", json!({})),
        ("article_context", json!({})),
        ("related_articles", json!({})),
        ("get_article_embedding_status", json!({})),
        ("retry_failed_embeddings", json!({})),
    ] {
        arguments["slug"] = "tides".into();
        let refused = agent.refusal(tool, arguments).await;
        assert!(refused.contains("it was deleted; restore_article, slug \"id:"), "{tool}: {refused}");
    }
    let several = agent.text("read_articles", json!({ "slugs": ["tides"] })).await;
    assert!(several.contains("it was deleted; restore_article"), "{several}");
    let linked = agent.refusal("list_folders", json!({ "of": "linked_from:tides" })).await;
    assert!(linked.contains("it was deleted; restore_article"), "{linked}");
    let since = agent.answer("article_history", json!({ "slug": "tides", "since_revision": 1 })).await;
    let changes = since["changes"].as_str().expect("changes");
    assert!(changes.contains("-One.") && changes.contains("+Three.") && changes.contains("-folder: sea"), "{changes}");
    let past = agent.text("read_article", json!({ "slug": "tides", "revision": 2 })).await;
    assert!(past.contains("revision: 2 (the article was deleted)"), "{past}");

    let reader = Caller { scope: Permission::Read, ..Caller::local() };
    let (url, stop) = serve(host(&world), Some(reader)).await;
    let reader = Agent::over(transport(&url), Era::Discover).await;
    for (tool, arguments) in [
        ("read_article", json!({ "slug": "tides" })),
        ("read_article", json!({ "slug": "tides", "revision": 2 })),
        ("article_history", json!({ "slug": "tides", "since_revision": 1 })),
        ("article_context", json!({ "slug": "tides" })),
        ("related_articles", json!({ "slug": "tides" })),
    ] {
        let refused = reader.refusal(tool, arguments).await;
        assert!(refused.contains("no article \"tides\"") && !refused.contains("deleted"), "{tool}: {refused}");
    }
    reader.leave().await;
    stop.cancel();
    agent.leave().await;
}

#[test]
fn what_was_deleted_is_said_to_those_who_may_restore_it_on_sqlite() {
    TOKIO.block_on(deleted::<OnSqlite>());
}

#[test]
fn what_was_deleted_is_said_to_those_who_may_restore_it_on_postgresql() {
    TOKIO.block_on(deleted::<OnPostgres>());
}
