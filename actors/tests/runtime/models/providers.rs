//! Two providers at once: that of the set in use, and that of the set being built.

use super::*;

impl Fixture {
    /// Waits until the runtime tells of a trouble.
    async fn troubled(&self, runtime: &Runtime, which: impl Fn(&Trouble) -> bool) -> Trouble {
        loop {
            let status = runtime.status().await;
            if let Some(found) = status.into_iter().flat_map(|status| status.trouble).find(&which) {
                return found;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_embedded_for_the_set_in_use_while_the_build_keeps_every_slot_busy() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 10).await;
    new.hold().await;
    let settings = RuntimeSettings { slots: 1, ..quick() };
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), settings).await.expect("a runtime");
    new.runs(1).await;
    let id = bench.save("meanwhile", "text").await;
    runtime.wake();
    // One attempt for the new set ends, and the next one is for the save.
    new.let_one_end();
    let in_use = format!("{VECTORS_IN_USE} AND e.article_id = {id}");
    while bench.number(&in_use).await == 0 {
        tokio::task::yield_now().await;
    }
    assert_ne!(bench.number(ACTIVE).await, runtime.handle().model_id(), "while the new one is held");
    new.open();
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_provider_that_is_away_does_not_keep_the_old_one_from_its_work() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 4).await;
    *new.outage.lock().expect("the lock") = Some(EmbedError::unavailable("refused"));
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), quick()).await.expect("a runtime");
    while runtime.status().await.is_none_or(|status| status.trouble.is_empty()) {
        tokio::task::yield_now().await;
    }
    bench.save("meanwhile", "text").await;
    runtime.wake();
    while bench.number(VECTORS_IN_USE).await < 5 {
        tokio::task::yield_now().await;
    }
    *new.outage.lock().expect("the lock") = None;
    bench.changes_over(&runtime, 5).await;
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_provider_that_fails_during_a_change_costs_no_article_an_attempt() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 2).await;
    new.hold().await;
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), quick()).await.expect("a runtime");
    *old.outage.lock().expect("the lock") = Some(EmbedError::transient("502"));
    let requests = old.requests.load(Ordering::SeqCst);
    let id = bench.save("meanwhile", "text").await;
    runtime.wake();
    let charged = format!("SELECT max(attempts) AS n FROM embedding_tasks WHERE article_id = {id}");
    // More than its attempts would make, each with a probe.
    while old.requests.load(Ordering::SeqCst) < requests + 12 {
        assert!(bench.number(&charged).await <= 1, "one may be under way");
        tokio::task::yield_now().await;
    }
    *old.outage.lock().expect("the lock") = None;
    let in_use = format!("{VECTORS_IN_USE} AND e.article_id = {id}");
    while bench.number(&in_use).await == 0 {
        runtime.wake();
        tokio::task::yield_now().await;
    }
    new.open();
    bench.changes_over(&runtime, 3).await;
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_provider_that_fails_is_told_and_has_the_pause_that_it_asks_for() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 2).await;
    new.hold().await;
    let runtime = Runtime::start(bench.database.clone(), knowing(&new, &old), quick()).await.expect("a runtime");
    *old.outage.lock().expect("the lock") = Some(EmbedError::config("401"));
    bench.save("meanwhile", "text").await;
    runtime.wake();
    let fails = |trouble: &Trouble| {
        matches!(trouble, Trouble::ProviderInUse { model, kind: ErrorKind::Config, message, .. }
            if model == "old" && message == "401")
    };
    let told = bench.troubled(&runtime, fails).await.to_string();
    assert!(told.contains("old") && told.contains("401"), "{told}");
    // From its next answer on it asks for an hour: no further request is made.
    let asked = EmbedError::unavailable("429").retry_after(Some(Duration::from_secs(3600)));
    *old.outage.lock().expect("the lock") = Some(asked);
    let waits =
        |trouble: &Trouble| matches!(trouble, Trouble::ProviderInUse { next_try_ms, .. } if *next_try_ms > 3_000_000);
    bench.troubled(&runtime, waits).await;
    let requests = old.requests.load(Ordering::SeqCst);
    for number in 0..20 {
        bench.save(&format!("later-{number}"), "text").await;
        runtime.wake();
    }
    new.open();
    // The new set is made meanwhile.
    while bench.number("SELECT count(*) AS n FROM article_embeddings").await < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(old.requests.load(Ordering::SeqCst), requests, "it is left alone");
    runtime.stop(DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_embeds_for_a_model_of_other_settings_says_so_and_is_well() {
    let (bench, old, new) = (Fixture::new().await, TestModel::new("old"), TestModel::new("new"));
    bench.embedded_by(&old, 2).await;
    let newer = Runtime::start(bench.database.clone(), new.model(), quick()).await.expect("a runtime");
    bench.changes_over(&newer, 2).await;
    newer.stop(DEADLINE).await;
    let older = Runtime::start(bench.database.clone(), knowing(&old, &new), quick()).await.expect("a runtime");
    let told = bench.troubled(&older, |trouble| matches!(trouble, Trouble::NotInEffect { .. })).await.to_string();
    assert!(told.contains("old of this host is not in effect: new is in use"), "{told}");
    assert!(older.status().await.is_some_and(|status| status.is_healthy()), "nothing waits");
    bench.save("later", "text").await;
    older.wake();
    while bench.number(VECTORS_IN_USE).await < 3 {
        tokio::task::yield_now().await;
    }
    older.stop(DEADLINE).await;
}
