//! On each engine.

use afterword::{embedding::scripted::Script, health, hosts};
use afterword_actors::{embedder::EmbedError, store::models};

use super::TestHost;
use crate::support::{DRAIN, article};

fn named(model: &str) -> Script {
    Script { model: model.to_owned(), ..Script::default() }
}

impl TestHost {
    /// Waits until this number of hosts has reported which model it has.
    async fn reported(&self, number: i64) {
        let told = "SELECT count(*) AS n FROM embedding_hosts WHERE state = 'running' AND tree LIKE '%\"model_id\"%'";
        while self.number(told).await < number {
            tokio::task::yield_now().await;
        }
    }

    /// What is told of a change that stands still.
    async fn standing_still(&self) -> Option<String> {
        health::unattended_build(&self.database).await.and_then(|finding| finding.detail)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_no_running_host_makes_is_told_until_one_makes_it() {
    let old = TestHost::with(named("old"), crate::support::quick()).await;
    let first = old.start().await;
    old.articles(Some(&first)).create(article("one", "text")).await.expect("a save");
    old.settled(&first).await;
    assert_eq!(old.standing_still().await, None, "there is no change");

    let new = old.beside_with(named("new")).await;
    new.embedder.outage(Some(EmbedError::unavailable("connection refused")));
    let second = new.start().await;
    old.reported(2).await;
    let building = models::wanted(old.database.reader()).await.expect("sets").building.expect("a change").id;
    assert_eq!(building, second.handle().model_id());
    assert!(hosts::any_would_build(&old.database, building).await.expect("a look"));
    assert_eq!(old.standing_still().await, None, "the other host makes it");

    second.stop(DRAIN).await;
    let told = old.standing_still().await.expect("the first host has other settings");
    assert!(told.contains("the change to new stands still") && told.contains("model switch"), "{told}");
    assert!(!hosts::any_would_build(&old.database, building).await.expect("a look"));

    new.embedder.outage(None);
    let third = new.start().await;
    assert_eq!(old.standing_still().await, None);
    while models::wanted(old.database.reader()).await.expect("sets").building.is_some() {
        tokio::task::yield_now().await;
    }
    third.stop(DRAIN).await;
    assert_eq!(old.standing_still().await, None, "it is complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_reaches_none_of_the_models_in_use_does_no_work() {
    let old = TestHost::with(named("old"), crate::support::quick()).await;
    let first = old.start().await;
    old.articles(Some(&first)).create(article("one", "text")).await.expect("a save");
    old.settled(&first).await;
    let new = old.beside_with(named("new")).await;
    let second = new.start().await;
    while models::wanted(old.database.reader()).await.expect("sets").building.is_some() {
        tokio::task::yield_now().await;
    }
    second.stop(DRAIN).await;
    while hosts::any_at_work(&old.database).await {
        tokio::task::yield_now().await;
    }
    assert!(hosts::any_running(&old.database).await, "the first host runs on");
    let third = new.start().await;
    assert!(hosts::any_at_work(&old.database).await);
    third.stop(DRAIN).await;
    first.stop(DRAIN).await;
}
