//! A provider that fails, as a whole or at one text: what each failure costs.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_costs_no_document_an_attempt() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    *model.outage.lock().expect("the lock") = Some(EmbedError::unavailable("connection refused"));
    for number in 0..10 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    let mut events = runtime.subscribe();
    while events.recv().await.expect("an event").status != TaskStatus::Pending {}
    let status = runtime.status().await.expect("a tree");
    assert!(!status.is_healthy());
    let refused =
        |trouble: &Trouble| matches!(trouble, Trouble::Provider { message, .. } if message == "connection refused");
    assert!(status.trouble.iter().any(refused), "{:?}", status.trouble);
    *model.outage.lock().expect("the lock") = None;
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (10, 0));
    assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_documents_fail_with_their_reason_and_hold_nobody_up() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    bench.save("poison", "good line\nPOISON line").await;
    bench.save("flaky", "FLAKY").await;
    bench.save("panic", "PANIC").await;
    for number in 0..10 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (10, 3));
    for (slug, kind, attempts) in [("poison", "data", 1), ("flaky", "transient", 3), ("panic", "crashed", 3)] {
        let sql = format!(
            "SELECT attempts AS n FROM embedding_tasks
             WHERE slug = '{slug}' AND status = 'failed' AND error_kind = '{kind}'"
        );
        assert_eq!(bench.number(&sql).await, attempts, "{slug}");
    }
    assert!(runtime.status().await.expect("a tree").is_healthy(), "a bad document is no fault of the tree");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_attempt_has_embedded_is_not_embedded_again() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let lines: Vec<_> = (0..40).map(|line| format!("line {line}")).collect();
    bench.save("long", &format!("{}\nFRAIL", lines.join("\n"))).await;
    // A request of many texts is sent three times: the first attempt fails, after five batches.
    model.fail("FRAIL", EmbedError::transient("500"), 3);
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    assert_eq!(bench.settled(&runtime).await.completed, 1);
    let again: Vec<_> =
        model.calls.lock().expect("the lock").iter().filter(|(_, times)| **times > 1).map(|(t, _)| t.clone()).collect();
    assert_eq!(again, ["probe"; 0], "each text was embedded once");
    assert_eq!(bench.number("SELECT attempts AS n FROM embedding_tasks").await, 1, "and no attempt was spent on it");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_text_that_is_always_answered_as_by_a_provider_that_is_away_fails_and_the_others_do_not() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    bench.save("first", "AWAY").await;
    for number in 0..20 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    model.fail("AWAY", EmbedError::unavailable("503"), usize::MAX);
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (20, 1));
    let paid = "SELECT attempts AS n FROM embedding_tasks WHERE slug = 'first' AND status = 'failed'";
    assert_eq!(bench.number(paid).await, 3);
    assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks WHERE slug <> 'first'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_text_that_is_refused_as_by_a_wrong_key_stops_nothing() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    bench.save("forbidden", "FORBIDDEN").await;
    for number in 0..10 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    model.fail("FORBIDDEN", EmbedError::config("403"), usize::MAX);
    let settings = asked_again_in_a_minute();
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    let stats = tokio::time::timeout(DEADLINE, bench.settled(&runtime)).await.expect("no pause of a minute");
    assert_eq!((stats.completed, stats.failed), (10, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_refuses_every_text_is_to_blame_and_no_text_is() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    *model.outage.lock().expect("the lock") = Some(EmbedError::data("API key not valid"));
    for number in 0..10 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    loop {
        let trouble = runtime.status().await.expect("a tree").trouble;
        if trouble.iter().any(|trouble| matches!(trouble, Trouble::Provider { kind: ErrorKind::Config, .. })) {
            break;
        }
        tokio::task::yield_now().await;
    }
    *model.outage.lock().expect("the lock") = None;
    let stats = bench.settled(&runtime).await;
    assert_eq!((stats.completed, stats.failed), (10, 0));
    assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_whose_vectors_change_their_length_is_not_asked_again_and_again() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let settings = asked_again_in_a_minute();
    let slots = settings.slots as usize;
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    bench.save("before", "text").await;
    assert_eq!(bench.settled(&runtime).await.completed, 1);
    model.dimension.store(5, Ordering::SeqCst);
    let before = model.requests.load(Ordering::SeqCst);
    for number in 0..20 {
        bench.save(&format!("article-{number}"), &format!("text {number}")).await;
    }
    runtime.wake();
    while runtime.status().await.expect("a tree").trouble.is_empty()
        || bench.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing'").await > 0
    {
        tokio::task::yield_now().await;
    }
    // Each look at the tree passes through the mailbox of the queue, which would have claimed by now.
    for _ in 0..200 {
        runtime.wake();
        runtime.status().await.expect("a tree");
    }
    let asked = model.requests.load(Ordering::SeqCst) - before;
    assert!(asked <= slots + 1, "{asked} requests by {slots} slots within the minute, a probe among them");
    assert_eq!(bench.number("SELECT max(attempts) AS n FROM embedding_tasks WHERE status = 'pending'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_whose_vector_has_another_length_fails_and_stalls_nobody() {
    let (bench, model) = (Fixture::new().await, super::super::requests::sharing(2));
    let settings = asked_again_in_a_minute();
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    bench.save("before", "text").await;
    assert_eq!(bench.settled(&runtime).await.completed, 1);
    bench.save("odd", "good line\nODD line").await;
    for number in 0..20 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    runtime.wake();
    let stats = tokio::time::timeout(DEADLINE, bench.settled(&runtime)).await.expect("an end within the minute");
    assert_eq!((stats.completed, stats.failed), (21, 1));
    let failed = "SELECT attempts AS n FROM embedding_tasks
                  WHERE slug = 'odd' AND status = 'failed' AND error_kind = 'data' AND error_message LIKE '%of 5 numbers%'";
    assert_eq!(bench.number(failed).await, 2, "it was asked for alone before it failed");
    assert!(runtime.status().await.expect("a tree").is_healthy());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_answered_503_alone_pays_alone() {
    let (bench, model) = (Fixture::new().await, super::super::requests::sharing(2));
    model.fail("GATEWAY", EmbedError::unavailable("a 503"), usize::MAX);
    bench.save("gateway", "GATEWAY").await;
    for number in 0..20 {
        bench.save(&format!("article-{number}"), "text").await;
    }
    let settings = asked_again_in_a_minute();
    let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
    let stats = tokio::time::timeout(DEADLINE, bench.settled(&runtime)).await.expect("an end within the minute");
    assert_eq!((stats.completed, stats.failed), (20, 1));
    assert_eq!(bench.number("SELECT attempts AS n FROM embedding_tasks WHERE status = 'failed'").await, 3);
    assert!(runtime.status().await.expect("a tree").is_healthy());
}
