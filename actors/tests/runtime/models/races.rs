//! What is saved, claimed or stored at the very moment of a change.

use super::*;

/// Ends all tasks, and saves each article once more.
async fn begin_again(bench: &Fixture, hosts: &Hosts<'_>, claimed: Vec<ClaimedTask>, ids: &[i64], revision: i64) {
    hosts.complete(claimed).await;
    hosts.complete(hosts.claim(50).await).await;
    for (number, id) in ids.iter().enumerate() {
        bench.edit(*id, &format!("article-{number}"), revision).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_run_counts_what_is_claimed_while_it_is_queued() {
    let bench = Fixture::new().await;
    let hosts = Hosts::of(&bench, &TestModel::new("one")).await;
    let mut ids = Vec::new();
    for number in 0..50 {
        ids.push(bench.save(&format!("article-{number}"), "text").await);
    }
    for revision in 2..10 {
        let (run, claimed) = tokio::join!(bench.bulk(500), hosts.claim_one_by_one(50));
        let counted = format!("SELECT count(*) AS n FROM bulk_items WHERE bulk_id = {run}");
        assert_eq!(bench.number(&counted).await, 50, "in round {revision}");
        begin_again(&bench, &hosts, claimed, &ids, revision).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_queued_for_a_new_set_behind_what_is_claimed_at_that_moment() {
    let (bench, new) = (Fixture::new().await, TestModel::new("new"));
    let hosts = Hosts::of(&bench, &TestModel::new("one")).await;
    assert_eq!(bench.switch_to(&new).await, Switch::Begun { instead_of: None });
    let building = models::wanted(bench.database.reader()).await.expect("the sets").building.expect("a set").id;
    let mut ids = Vec::new();
    for number in 0..50 {
        ids.push(bench.save(&format!("article-{number}"), "text").await);
    }
    for revision in 2..10 {
        let all = ids.clone();
        let queued = bench.database.write::<_, StoreError, _>(async move |transaction| {
            let order = Order { model_id: building, priority: Priority::Low, max_attempts: 3, cause: "new model" };
            backlog::enqueue_wanted(transaction, &all, &order).await
        });
        let (queued, claimed) = tokio::join!(queued, hosts.claim_one_by_one(50));
        queued.expect("an answer");
        // It would take the place of an attempt that fails.
        let behind = format!(
            "SELECT count(*) AS n FROM embedding_tasks t JOIN embedding_tasks p ON p.article_id = t.article_id
             WHERE t.status = 'pending' AND t.model_id = {building} AND p.status = 'processing'"
        );
        assert_eq!(bench.number(&behind).await, 0, "in round {revision}");
        begin_again(&bench, &hosts, claimed, &ids, revision).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_model_embeds_while_the_new_one_takes_over_is_embedded_by_the_new_one_at_once() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 3).await;
    new.hold().await;
    // No sweep comes before the end of the test.
    let settings = RuntimeSettings { sweep_interval: Duration::from_secs(3600), ..quick() };
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), settings).await.expect("a runtime");
    while new.peak.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    old.hold().await;
    bench.save("meanwhile", "text").await;
    runtime.wake();
    let in_work = "SELECT count(*) AS n FROM embedding_tasks t JOIN embedding_models m ON m.id = t.model_id
                   WHERE t.status = 'processing' AND m.state = 'active'";
    while bench.number(in_work).await == 0 {
        tokio::task::yield_now().await;
    }
    new.open();
    bench.changes_over(&runtime, 3).await;
    old.open();
    bench.settled(&runtime).await;
    assert_eq!(bench.number(VECTORS_IN_USE).await, 4, "what was saved meanwhile is found by meaning");
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_that_are_being_stored_while_the_sets_change_over_stay_found() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 2).await;
    let hosts = Hosts::of(&bench, &old).await;
    bench.switch_to(&new).await;
    let building = models::wanted(bench.database.reader()).await.expect("the sets").building.expect("a set").id;
    let complete =
        "INSERT INTO article_embeddings (article_id, model_id, revision, content_hash, chunk_count, embedded_at)
                    SELECT e.article_id, b.id, e.revision, e.content_hash, e.chunk_count, e.embedded_at
                    FROM article_embeddings e CROSS JOIN embedding_models b WHERE b.state = 'building'";
    bench.change(complete).await;
    // Neither set has it: so it keeps nobody from changing over, until the set in use has it.
    let id = bench.save("meanwhile", "text").await;
    let claimed = hosts.claim(1).await;
    let ((stored, is_stored), (release, released)) = (oneshot::channel(), oneshot::channel::<()>());
    let storing = bench.database.write::<_, StoreError, _>(async move |transaction| {
        vectors::check_writes(transaction, &claimed.iter().collect::<Vec<_>>()).await?;
        let set = EmbeddedSet { revision: 1, content_hash: hash_of("meanwhile", "text"), chunks: vec![] };
        let [task] = claimed.as_slice() else { panic!("one task is claimed") };
        let new = NewSet { article_id: id, model_id: task.model_id, set: &set, stored: 0 };
        vectors::store(transaction, &[new]).await?;
        // A question, so that what has gathered is sent.
        transaction.rows::<i64>("SELECT count(*) AS n FROM article_embeddings", []).await?;
        let _ = stored.send(());
        let _ = released.await;
        Ok(())
    });
    let changing_over = async {
        is_stored.await.expect("vectors");
        let change =
            bench.database.write(async move |transaction| models::activate_if_whole(transaction, building).await);
        let mut change = std::pin::pin!(change);
        // If it does not wait, it changes over now; if it does, it must not be waited for.
        let early = tokio::time::timeout(Duration::from_millis(200), &mut change).await;
        let _ = release.send(());
        match early {
            Ok(early) => early,
            Err(_) => change.await,
        }
    };
    let (storing, changed_over) = tokio::join!(storing, changing_over);
    storing.expect("a commit");
    assert!(!changed_over.expect("an answer"), "the new set does not have what the one in use has");
    assert_eq!(bench.number(VECTORS_IN_USE).await, 3);
}
