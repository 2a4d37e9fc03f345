//! Properties 1, 2, 3, 9 and 10 through a door: `Guest` is the parent module's.

use afterword::embedding::scripted::Rule;
use afterword_actors::{embedder::EmbedError, task::TaskStatus};
use proptest::{prelude::*, test_runner::Config};
use serde_json::json;

use super::Guest;
use crate::{
    properties::{
        acts::{Act, TRACES, WITHOUT_ARTICLE, WITHOUT_TASK, act},
        cases,
    },
    support::agent::{host, worker},
    support::visitor::Visitor,
    support::{DRAIN, OnSqlite, TOKIO, TestHost},
};

/// Carries it out; returns whether it was accepted.
async fn carry_out(guest: &Guest, act: &Act) -> bool {
    let slug = |n: &u8| format!("article-{n}");
    match act {
        Act::Create(n) => guest.create(&slug(n), "first text").await.is_some(),
        Act::Update(n, text) => guest.update(&slug(n), json!({ "body": format!("text {text}") }), None).await.is_some(),
        Act::Stale(n) => guest.update(&slug(n), json!({ "body": "never" }), Some(1000)).await.is_some(),
        Act::Delete(n) => guest.delete(&slug(n)).await,
        Act::Skip(n) => guest.update(&slug(n), json!({ "skip_embedding": true }), None).await.is_some(),
    }
}

proptest! {
    #![proptest_config(Config { cases: 30, ..cases() })]

    #[test]
    fn property_01_persistence_precedes_queuing(acts in prop::collection::vec(act(), 1..12)) {
        TOKIO.block_on(async {
            let world = TestHost::<OnSqlite>::new().await;
            let observer = world.beside().await;
            let worker = worker(&world).await;
            // No task is claimed, so that everything queued is seen as pending.
            worker.host.queue.pause().await.expect("a pause");
            let guest = Guest::beside(&worker).await;
            for act in &acts {
                let before = world.number(TRACES).await;
                let ((), accepted) = tokio::join!(
                    async { for _ in 0..3 {
                        // One snapshot shows both sides of every save, or neither.
                        assert_eq!(observer.number(WITHOUT_ARTICLE).await, 0);
                        assert_eq!(observer.number(WITHOUT_TASK).await, 0);
                    }},
                    carry_out(&guest, act),
                );
                if !accepted {
                    prop_assert_eq!(world.number(TRACES).await, before, "a refused save leaves no trace: {:?}", act);
                }
                prop_assert_eq!(world.number(WITHOUT_ARTICLE).await, 0);
                prop_assert_eq!(world.number(WITHOUT_TASK).await, 0);
            }
            guest.leave().await;
            worker.runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_02_immediate_response(bodies in prop::collection::vec("[a-z ]{0,60}", 1..6)) {
        TOKIO.block_on(async {
            let world = TestHost::<OnSqlite>::new().await;
            world.embedder.hold();
            let worker = worker(&world).await;
            let guest = Guest::beside(&worker).await;
            for (number, body) in bodies.iter().enumerate() {
                let slug = format!("article-{number}");
                // No embedding can be made: that the save returns proves that it does not wait for one.
                let saved = guest.create(&slug, body).await.expect("a save");
                prop_assert_eq!((&saved["slug"], &saved["revision"]), (&json!(slug), &json!(1)));
                prop_assert!(guest.read(&slug).await.ends_with(body.as_str()));
                let again = format!("{body} again");
                let saved = guest.update(&slug, json!({ "body": again }), Some(1)).await.expect("a save");
                prop_assert_eq!(&saved["revision"], &json!(2));
                prop_assert!(guest.read(&slug).await.ends_with(&again));
                let status = saved["embedding"]["status"].as_str().expect("a status");
                prop_assert!(matches!(status, "pending" | "processing"), "{}", saved);
            }
            prop_assert_eq!(world.number("SELECT count(*) AS n FROM article_embeddings").await, 0);
            world.embedder.release();
            prop_assert_eq!(world.settled(&worker.runtime).await.failed, 0);
            guest.leave().await;
            worker.runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_03_failure_isolation(good in 1usize..4, bad in 1usize..4, fault in 0u8..4, outage in any::<bool>()) {
        TOKIO.block_on(async {
            let world = TestHost::<OnSqlite>::new().await;
            world.embedder.fail(match fault {
                0 => Rule::containing("bad", EmbedError::data("unreadable")),
                1 => Rule::containing("bad", EmbedError::transient("flaky")),
                2 => Rule::containing("bad", EmbedError::resource("out of memory")),
                _ => Rule::panicking("bad"),
            });
            if outage {
                world.embedder.outage(Some(EmbedError::unavailable("down")));
            }
            let worker = worker(&world).await;
            let guest = Guest::beside(&worker).await;
            for n in 0..good {
                guest.create(&format!("good-{n}"), "good words").await.expect("a save");
            }
            for n in 0..bad {
                let slug = format!("bad-{n}");
                guest.create(&slug, "bad words").await.expect("a save");
                let saved = guest.update(&slug, json!({ "title": "bad title" }), None).await.expect("a save");
                prop_assert_eq!(&saved["revision"], 2);
                let read = guest.read(&slug).await;
                prop_assert!(read.contains("title: bad title") && read.ends_with("bad words"), "{}", read);
            }
            if outage {
                prop_assert_eq!(guest.found("words", "hybrid").await.len(), good + bad, "found by words");
                world.embedder.outage(None);
            }
            world.settled(&worker.runtime).await;
            for n in 0..good {
                prop_assert_eq!(&guest.embedding(&format!("good-{n}")).await["status"], "completed");
            }
            for n in 0..bad {
                let failed = guest.embedding(&format!("bad-{n}")).await;
                prop_assert_eq!((&failed["status"], &failed["searchable"]), (&json!("failed"), &json!(false)));
                prop_assert!(failed["error"].is_string(), "{}", failed);
            }
            guest.leave().await;
            worker.runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_09_search_while_processing(old in 0usize..3, new in 1usize..4) {
        TOKIO.block_on(async {
            let world = TestHost::<OnSqlite>::new().await;
            let worker = worker(&world).await;
            let guest = Guest::beside(&worker).await;
            for n in 0..old {
                guest.create(&format!("old-{n}"), "settled words about kites").await.expect("a save");
            }
            world.settled(&worker.runtime).await;
            world.embedder.hold();
            for n in 0..new {
                guest.create(&format!("new-{n}"), "fresh words about kites").await.expect("a save");
            }
            // No embedding can be made: that the searches return proves that they do not wait for one.
            prop_assert_eq!(guest.found("kites", "keyword").await.len(), old + new, "found by words at once");
            prop_assert_eq!(guest.found("kites", "hybrid").await.len(), old + new);
            if old > 0 {
                let meaning = guest.found("kites", "semantic").await;
                prop_assert!(meaning.len() == old && meaning.iter().all(|slug| slug.starts_with("old")));
            }
            world.embedder.release();
            world.settled(&worker.runtime).await;
            prop_assert_eq!(guest.found("kites", "semantic").await.len(), old + new);
            guest.leave().await;
            worker.runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }

    #[test]
    fn property_10_index_consistent_after_completion(edits in 1usize..4, delete in any::<bool>()) {
        TOKIO.block_on(async {
            let world = TestHost::<OnSqlite>::new().await;
            let worker = worker(&world).await;
            let guest = Guest::beside(&worker).await;
            let elsewhere = Guest::enter(host(&world.beside().await), worker.runtime.handle()).await;
            let mut told = worker.runtime.subscribe();
            guest.create("other", "nothing of the kind").await.expect("a save");
            guest.create("one", "marmalade").await.expect("a save");
            world.settled(&worker.runtime).await;
            for edit in 0..edits {
                let word = ["telescope", "volcano", "harpsichord"][edit];
                let saved = guest.update("one", json!({ "body": word }), None).await.expect("a save");
                let task = saved["embedding"]["task_id"].as_i64().expect("a task");
                loop {
                    let event = told.recv().await.expect("an event");
                    if event.task_id == task && event.status == TaskStatus::Completed {
                        break;
                    }
                }
                // The very next search, here and in another process.
                for place in [&guest, &elsewhere] {
                    let hits = place.hits(word, "semantic").await;
                    prop_assert_eq!((&hits[0]["slug"], &hits[0]["snippet"]), (&json!("one"), &json!(word)));
                    prop_assert_eq!(&hits[0]["embedding"]["status"], "completed");
                }
            }
            if delete {
                prop_assert!(guest.delete("one").await);
            } else {
                guest.update("one", json!({ "skip_embedding": true }), None).await.expect("a save");
            }
            for place in [&guest, &elsewhere] {
                prop_assert!(!place.found("volcano", "semantic").await.contains(&"one".to_owned()));
            }
            elsewhere.leave().await;
            guest.leave().await;
            worker.runtime.stop(DRAIN).await;
            Ok(())
        })?;
    }
}
