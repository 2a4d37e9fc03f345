//! The properties that an agent can see, through the door for agents: its sessions take turns between the two eras of
//! the protocol.

mod support;

#[path = "support/agent.rs"]
mod agent;

use afterword::{embedding::scripted::Rule, host::Worker};
use afterword_actors::{embedder::EmbedError, task::TaskStatus};
use proptest::{prelude::*, test_runner::Config};
use serde_json::{Value, json};

use agent::{Agent, Era, host, worker};
use support::{TOKIO, World};

/// Cases of each property.
fn cases() -> Config {
    Config { cases: 100, max_shrink_iters: 64, failure_persistence: None, ..Config::default() }
}

fn era() -> impl Strategy<Value = Era> {
    prop_oneof![Just(Era::Handshake), Just(Era::Discover)]
}

/// Something an agent does.
#[derive(Debug, Clone)]
enum Act {
    Create(u8),
    Update(u8, u8),
    Stale(u8),
    Delete(u8),
    Skip(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0u8..6).prop_map(Act::Create),
        4 => (0u8..6, any::<u8>()).prop_map(|(n, text)| Act::Update(n, text)),
        1 => (0u8..6).prop_map(Act::Stale),
        1 => (0u8..6).prop_map(Act::Delete),
        1 => (0u8..6).prop_map(Act::Skip),
    ]
}

/// Carries it out; answers whether it was accepted.
async fn carry_out(agent: &Agent, act: &Act) -> bool {
    let slug = |n: &u8| format!("article-{n}");
    let (tool, arguments) = match act {
        Act::Create(n) => ("create_article", json!({ "title": slug(n), "slug": slug(n), "body": "first text" })),
        Act::Update(n, text) => ("update_article", json!({ "slug": slug(n), "body": format!("text {text}") })),
        Act::Stale(n) => ("update_article", json!({ "slug": slug(n), "body": "never", "expected_revision": 1000 })),
        Act::Delete(n) => ("delete_article", json!({ "slug": slug(n) })),
        Act::Skip(n) => ("update_article", json!({ "slug": slug(n), "skip_embedding": true })),
    };
    agent.call(tool, arguments).await.expect("a result").is_error != Some(true)
}

/// Waiting tasks without their article, or for a revision that is not there.
const WITHOUT_ARTICLE: &str = "
    SELECT count(*) AS n FROM embedding_tasks t LEFT JOIN articles a ON a.id = t.article_id
    WHERE t.status = 'pending' AND (a.id IS NULL OR a.revision < t.revision OR a.skip_embedding)";
/// Articles that want an embedding, and that no task is going to give one.
const WITHOUT_TASK: &str = "
    SELECT count(*) AS n FROM articles a WHERE NOT a.skip_embedding AND NOT EXISTS (
        SELECT 1 FROM embedding_tasks t WHERE t.article_id = a.id AND t.status = 'pending')";
/// Whatever a save leaves behind.
const TRACES: &str = "
    SELECT (SELECT count(*) FROM embedding_task_events) + (SELECT count(*) FROM article_versions) AS n";

/// The slugs that an agent finds, the best first.
async fn found(agent: &Agent, query: &str, mode: &str) -> Vec<String> {
    let answer = agent.answer("search_articles", json!({ "query": query, "mode": mode })).await;
    let hits = answer["hits"].as_array().expect("hits");
    hits.iter().map(|hit| hit["slug"].as_str().expect("a slug").to_owned()).collect()
}

async fn create(agent: &Agent, slug: &str, body: &str) -> Value {
    agent.answer("create_article", json!({ "title": slug, "slug": slug, "body": body })).await
}

async fn visit(world: &World, era: Era) -> (Worker, Agent) {
    let worker = worker(world).await;
    let agent = Agent::beside(worker.host.clone(), era).await;
    (worker, agent)
}

async fn leave(worker: Worker, agent: Agent) {
    agent.leave().await;
    worker.runtime.stop(support::DRAIN).await;
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn property_01_persistence_precedes_queuing_through_mcp(acts in prop::collection::vec(act(), 1..12), era in era()) {
        TOKIO.block_on(async {
            let world = World::new().await;
            let observer = world.beside().await;
            let agent = Agent::beside(host(&world), era).await;
            for act in &acts {
                let before = world.number(TRACES).await;
                let ((), accepted) = tokio::join!(
                    async { for _ in 0..3 {
                        // One snapshot shows both sides of every save, or neither.
                        assert_eq!(observer.number(WITHOUT_ARTICLE).await, 0);
                        assert_eq!(observer.number(WITHOUT_TASK).await, 0);
                    }},
                    carry_out(&agent, act),
                );
                if !accepted {
                    prop_assert_eq!(world.number(TRACES).await, before, "a refused save leaves no trace: {:?}", act);
                }
                prop_assert_eq!(world.number(WITHOUT_ARTICLE).await, 0);
                prop_assert_eq!(world.number(WITHOUT_TASK).await, 0);
            }
            agent.leave().await;
            Ok(())
        })?;
    }

    #[test]
    fn property_02_immediate_response_through_mcp(bodies in prop::collection::vec("[a-z ]{0,60}", 1..6), era in era()) {
        TOKIO.block_on(async {
            let world = World::new().await;
            world.embedder.hold();
            let (worker, agent) = visit(&world, era).await;
            for (number, body) in bodies.iter().enumerate() {
                let slug = format!("article-{number}");
                // No embedding can be made: that the save returns is the proof that it does not wait for one.
                let saved = create(&agent, &slug, body).await;
                let stored = (&saved["slug"], &saved["body"], &saved["revision"]);
                prop_assert_eq!(stored, (&json!(slug), &json!(body), &json!(1)));
                let again = format!("{body} again");
                let saved = agent.answer("update_article", json!({ "slug": slug, "body": again })).await;
                prop_assert_eq!((&saved["body"], &saved["revision"]), (&json!(again), &json!(2)));
                let status = saved["embedding"]["status"].as_str().expect("a status");
                prop_assert!(matches!(status, "pending" | "processing"), "{}", saved);
            }
            prop_assert_eq!(world.number("SELECT count(*) AS n FROM article_embeddings").await, 0);
            world.embedder.release();
            prop_assert_eq!(world.settled(&worker.runtime).await.failed, 0);
            leave(worker, agent).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_03_failure_isolation_through_mcp(
        good in 1usize..4, bad in 1usize..4, fault in 0u8..4, outage in any::<bool>(), era in era(),
    ) {
        TOKIO.block_on(async {
            let world = World::new().await;
            world.embedder.fail(match fault {
                0 => Rule::containing("bad", EmbedError::data("unreadable")),
                1 => Rule::containing("bad", EmbedError::transient("flaky")),
                2 => Rule::containing("bad", EmbedError::resource("out of memory")),
                _ => Rule::panicking("bad"),
            });
            if outage {
                world.embedder.outage(Some(EmbedError::unavailable("down")));
            }
            let (worker, agent) = visit(&world, era).await;
            for n in 0..good {
                create(&agent, &format!("good-{n}"), "good words").await;
            }
            for n in 0..bad {
                let slug = format!("bad-{n}");
                create(&agent, &slug, "bad words").await;
                let saved = agent.answer("update_article", json!({ "slug": slug, "title": "bad title" })).await;
                prop_assert_eq!(&saved["revision"], 2);
                let read = agent.text("read_article", json!({ "slug": slug })).await;
                prop_assert!(read.contains("title: bad title") && read.ends_with("bad words"), "{}", read);
            }
            if outage {
                prop_assert_eq!(found(&agent, "words", "hybrid").await.len(), good + bad, "found by words");
                world.embedder.outage(None);
            }
            world.settled(&worker.runtime).await;
            for n in 0..good {
                agent.until(&format!("good-{n}"), "completed").await;
            }
            for n in 0..bad {
                let failed = agent.until(&format!("bad-{n}"), "failed").await;
                let embedding = &failed["embedding"];
                prop_assert!(embedding["error"].is_string() && embedding["searchable"] == false, "{}", failed);
            }
            leave(worker, agent).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_09_search_while_processing_through_mcp(old in 0usize..3, new in 1usize..4, era in era()) {
        TOKIO.block_on(async {
            let world = World::new().await;
            let (worker, agent) = visit(&world, era).await;
            for n in 0..old {
                create(&agent, &format!("old-{n}"), "settled words about kites").await;
            }
            world.settled(&worker.runtime).await;
            world.embedder.hold();
            for n in 0..new {
                create(&agent, &format!("new-{n}"), "fresh words about kites").await;
            }
            // No embedding can be made; that the searches return is the proof that they do not wait for one.
            prop_assert_eq!(found(&agent, "kites", "keyword").await.len(), old + new, "found by words at once");
            prop_assert_eq!(found(&agent, "kites", "hybrid").await.len(), old + new);
            if old > 0 {
                let meaning = found(&agent, "kites", "semantic").await;
                prop_assert!(meaning.len() == old && meaning.iter().all(|slug| slug.starts_with("old")));
            }
            world.embedder.release();
            world.settled(&worker.runtime).await;
            prop_assert_eq!(found(&agent, "kites", "semantic").await.len(), old + new);
            leave(worker, agent).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_10_index_consistent_after_completion_through_mcp(
        edits in 1usize..4, delete in any::<bool>(), era in era(),
    ) {
        TOKIO.block_on(async {
            let world = World::new().await;
            let (worker, agent) = visit(&world, era).await;
            let elsewhere = Agent::beside(host(&world.beside().await), era).await;
            let mut told = worker.runtime.subscribe();
            create(&agent, "other", "nothing of the kind").await;
            create(&agent, "one", "marmalade").await;
            world.settled(&worker.runtime).await;
            for edit in 0..edits {
                let word = ["telescope", "volcano", "harpsichord"][edit];
                while told.try_recv().is_ok() {}
                agent.answer("update_article", json!({ "slug": "one", "body": word })).await;
                loop {
                    let event = told.recv().await.expect("an event");
                    if event.slug == "one" && event.status == TaskStatus::Completed {
                        break;
                    }
                }
                // The very next search, here and in another process.
                for place in [&agent, &elsewhere] {
                    let answer = place.answer("search_articles", json!({ "query": word, "mode": "semantic" })).await;
                    let best = &answer["hits"][0];
                    prop_assert_eq!((&best["slug"], &best["snippet"]), (&json!("one"), &json!(word)));
                    prop_assert_eq!(&best["embedding"]["status"], "completed");
                }
            }
            if delete {
                agent.answer("delete_article", json!({ "slug": "one" })).await;
            } else {
                agent.answer("update_article", json!({ "slug": "one", "skip_embedding": true })).await;
            }
            for place in [&agent, &elsewhere] {
                prop_assert!(!found(place, "volcano", "semantic").await.contains(&"one".to_owned()));
            }
            elsewhere.leave().await;
            leave(worker, agent).await;
            Ok(())
        })?;
    }
}
