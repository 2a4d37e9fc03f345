//! On each engine.

use afterword::{
    articles::{NewArticle, folder::Folder},
    bulk::{Bulk, BulkError},
    embedding::scripted::Script,
    health, hosts,
};
use afterword_actors::{
    embedder::EmbedError,
    store::{backlog::Backlog, models},
};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_no_article_is_refused_and_one_beside_another_says_so() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let folder = |name: &str| Folder::parse(name).expect("a folder");
    for (slug, place) in [("one", "shelf/top"), ("two", "shelf2")] {
        let new = NewArticle { folder: folder(place), ..article(slug, "text") };
        service.create(new).await.expect("a save");
    }
    let bulk = Bulk::new(world.database.clone(), 3);
    for name in ["nosuch", "shel", "shelf/top/deeper"] {
        let refused = bulk.start(Backlog::All, &folder(name)).await;
        assert_eq!(refused, Err(BulkError::NoFolder(folder(name))));
        assert!(bulk.count(Backlog::All, &folder(name)).await.is_err());
    }
    let shelf = bulk.start(Backlog::All, &folder("shelf")).await.expect("above an article");
    let other = bulk.start(Backlog::All, &folder("shelf2")).await.expect("a run");
    assert!(bulk.run(other).await.expect("a run").shares_with.is_empty(), "of another folder");
    let top = bulk.start(Backlog::All, &folder("shelf/top")).await.expect("a run");
    assert_eq!(bulk.run(top).await.expect("a run").shares_with, [shelf]);
    let all = bulk.start(Backlog::All, &folder("")).await.expect("a run");
    assert_eq!(bulk.run(all).await.expect("a run").shares_with, [shelf, other, top]);
    bulk.cancel(all).await.expect("a cancellation");
    assert!(bulk.run(all).await.expect("a run").shares_with.is_empty(), "it has ended");
    assert_eq!(bulk.run(shelf).await.expect("a run").shares_with, [top]);
}
