//! An agent's whole visit, for every transport to use.

use serde_json::json;

use crate::{
    support::agent::{Agent, ERAS, worker},
    support::{OnPostgres, OnSqlite, TOKIO, TestDatabase, TestHost},
};

/// From the first article to its deletion. Embeddings wait until `release`.
pub(crate) async fn visit(agent: &Agent, release: impl FnOnce()) {
    let body = "# Night trains\n\nSleeper carriages cross the Alps.";
    let created =
        agent.answer("create_article", json!({ "title": "Night trains", "body": body, "folder": "travel" })).await;
    assert_eq!(
        (&created["slug"], &created["revision"], &created["changed"]),
        (&json!("night-trains"), &json!(1), &json!(true))
    );
    assert!(
        ["pending", "processing"].contains(&created["embedding"]["status"].as_str().expect("a status")),
        "{created}"
    );

    let found = agent.answer("search_articles", json!({ "query": "sleeper" })).await;
    assert_eq!(found["hits"][0]["slug"], "night-trains", "found by words at once");
    assert_eq!(found["hits"][0]["embedding"]["searchable"], false);

    release();
    agent.until("night-trains", "completed").await;
    let found = agent.answer("search_articles", json!({ "query": "sleeper carriages", "mode": "semantic" })).await;
    assert_eq!(found["hits"][0]["slug"], "night-trains", "found by meaning after");
    assert_eq!(found["hits"][0]["embedding"]["status"], "completed");

    let text = json!({ "slug": "night-trains", "body": "Couchettes cross the Alps." });
    let mut stale = text.clone();
    stale["expected_revision"] = json!(7);
    let refusal = agent.refusal("update_article", stale).await;
    assert!(refusal.contains("revision 1, not 7") && refusal.contains("read_article"), "{refusal}");

    let mut fresh = text;
    fresh["expected_revision"] = json!(1);
    let updated = agent.answer("update_article", fresh).await;
    assert_eq!((&updated["revision"], updated.get("body")), (&json!(2), None), "what was sent does not come back");
    let read = agent.text("read_article", json!({ "slug": "night-trains" })).await;
    assert!(read.contains("revision: 2") && read.ends_with("Couchettes cross the Alps."), "{read}");

    let deleted = agent.answer("delete_article", json!({ "slug": "night-trains", "expected_revision": 2 })).await;
    assert_eq!(deleted["deleted"], true);
    let refusal = agent.refusal("read_article", json!({ "slug": "night-trains" })).await;
    assert!(
        refusal.contains("there is no article \"night-trains\" any more: it was deleted; restore_article"),
        "{refusal}"
    );
}

async fn visit_in_both_eras<P: TestDatabase>() {
    for era in ERAS {
        let world = TestHost::<P>::new().await;
        world.embedder.hold();
        let worker = worker(&world).await;
        let agent = Agent::beside(worker.host.clone(), era).await;
        visit(&agent, || world.embedder.release()).await;
        agent.leave().await;
        worker.stop().await;
    }
}

#[test]
fn an_agent_visits_in_both_eras_on_sqlite() {
    TOKIO.block_on(visit_in_both_eras::<OnSqlite>());
}

#[test]
fn an_agent_visits_in_both_eras_on_postgresql() {
    TOKIO.block_on(visit_in_both_eras::<OnPostgres>());
}
