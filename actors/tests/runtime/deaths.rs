//! A dead host does not say which task has killed it: that task is found, and no other loses an attempt.

use std::{collections::HashSet, sync::Arc, time::Duration};

use afterword_actors::{
    Runtime,
    store::{
        StoreError,
        claim::{Claim, HostSets, claim, new_token},
        leases,
        settle::{Next, TaskVerdict, settle},
        suspects::{FREE_DEATHS, together},
    },
    task::ClaimedTask,
};

use super::Fixture;
use crate::support::{TestModel, quick};

/// Hosts that consist only of their claims.
pub(super) struct Hosts<'a> {
    bench: &'a Fixture,
    makes: HostSets,
    starts: usize,
    deaths: usize,
}

impl<'a> Hosts<'a> {
    pub(super) async fn of(bench: &'a Fixture, model: &Arc<TestModel>) -> Self {
        let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await;
        let runtime = runtime.expect("a runtime");
        let makes = HostSets::only(runtime.handle().model_id());
        runtime.stop(Duration::from_secs(30)).await;
        Self { bench, makes, starts: 0, deaths: 0 }
    }

    fn name(&self) -> String {
        format!("start {}", self.starts)
    }

    pub(super) async fn claim(&self, slots: u32) -> Vec<ClaimedTask> {
        let (name, makes) = (self.name(), self.makes);
        let claimed = self.bench.database.write::<_, StoreError, _>(async move |transaction| {
            let slots: Vec<_> = (0..slots).collect();
            let lease = Duration::from_secs(60);
            let (token, incarnation, slots) = (&new_token(), name.as_str(), slots.as_slice());
            claim(transaction, Claim { token, incarnation, slots, lease, from: None, makes }).await
        });
        claimed.await.expect("a claim")
    }

    /// Claims `count` tasks, each in a transaction of its own.
    pub(super) async fn claim_one_by_one(&self, count: usize) -> Vec<ClaimedTask> {
        let mut claimed = Vec::new();
        for _ in 0..count {
            claimed.extend(self.claim(1).await);
        }
        claimed
    }

    pub(super) async fn complete(&self, tasks: Vec<ClaimedTask>) {
        let done = self.bench.database.write::<_, StoreError, _>(async move |transaction| {
            let verdict = |task: ClaimedTask| TaskVerdict {
                lease: task.lease,
                next: Next::Completed,
                cause: "completed",
                error: None,
            };
            settle(transaction, &tasks.into_iter().map(verdict).collect::<Vec<_>>()).await
        });
        done.await.expect("an end");
    }

    /// The process ends, and another one sees it.
    async fn die(&mut self) {
        let name = self.name();
        let rescued =
            self.bench.database.write(async move |transaction| leases::rescue_all_from(transaction, &name).await);
        rescued.await.expect("a rescue");
        (self.starts, self.deaths) = (self.starts + 1, self.deaths + 1);
    }

    /// Processes until no task waits; a host dies of the tasks that `kills` names.
    async fn work(&mut self, slots: u32, kills: &HashSet<String>) {
        loop {
            let claimed = self.claim(slots).await;
            if claimed.is_empty() {
                return;
            }
            if claimed.iter().any(|task| kills.contains(&task.slug)) {
                self.die().await;
            } else {
                self.complete(claimed).await;
            }
        }
    }
}

async fn save_articles(bench: &Fixture, articles: usize) {
    for number in 0..articles {
        bench.save(&format!("article-{number}"), "text").await;
    }
}

async fn tasks(bench: &Fixture, which: &str) -> i64 {
    bench.number(&format!("SELECT count(*) AS n FROM embedding_tasks WHERE {which}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kills_its_host_is_found_and_nothing_else_pays() {
    for slots in [1, 4, 64] {
        let bench = Fixture::new().await;
        let mut hosts = Hosts::of(&bench, &TestModel::new("one")).await;
        save_articles(&bench, 100).await;
        let kills = HashSet::from(["article-7", "article-50"].map(str::to_owned));
        hosts.work(slots, &kills).await;
        assert_eq!(tasks(&bench, "status = 'completed' AND attempts = 1").await, 98, "{slots} slots");
        let found =
            "status = 'failed' AND error_kind = 'crashed' AND attempts = 3 AND slug IN ('article-7', 'article-50')";
        assert_eq!(tasks(&bench, found).await, 2, "{slots} slots");
        let most = kills.len() * (FREE_DEATHS as usize + 3);
        assert!(hosts.deaths <= most, "{} deaths with {slots} slots", hosts.deaths);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_killed_again_and_again_fail_no_article() {
    let bench = Fixture::new().await;
    let mut hosts = Hosts::of(&bench, &TestModel::new("one")).await;
    save_articles(&bench, 40).await;
    for _ in 0..20 {
        assert!(!hosts.claim(30).await.is_empty());
        hosts.die().await;
    }
    assert_eq!(tasks(&bench, "status = 'failed'").await, 0);
    hosts.work(30, &HashSet::new()).await;
    assert_eq!(tasks(&bench, "status = 'completed'").await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_in_work_at_deaths_has_little_company_and_then_none() {
    let bench = Fixture::new().await;
    let mut hosts = Hosts::of(&bench, &TestModel::new("one")).await;
    save_articles(&bench, 20).await;
    assert_eq!(hosts.claim(15).await.len(), 15);
    hosts.die().await;
    // Five were not processed; only few of the others are processed beside them.
    let few = hosts.claim(15).await;
    assert_eq!(few.len(), together(1) as usize);
    assert_eq!(few.iter().filter(|task| task.crashes == 0).count(), 5);
    assert!(hosts.claim(15).await.is_empty(), "no more while these are in work");
    hosts.complete(few).await;
    assert_eq!(hosts.claim(3).await.len(), 3);
    hosts.die().await;
    // A task that was processed at two deaths is behind nine that were at one: it is processed alone.
    loop {
        let claimed = hosts.claim(15).await;
        if claimed.iter().any(|task| task.crashes == FREE_DEATHS) {
            assert_eq!(claimed.len(), 1);
            bench.save("late", "text").await;
            assert!(hosts.claim(15).await.is_empty(), "it is alone");
            hosts.complete(claimed).await;
            break;
        }
        hosts.complete(claimed).await;
    }
    hosts.work(15, &HashSet::new()).await;
    assert_eq!(tasks(&bench, "status = 'completed'").await, 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_does_not_make_a_suspect_a_harmless_one() {
    let bench = Fixture::new().await;
    let mut hosts = Hosts::of(&bench, &TestModel::new("one")).await;
    let article = bench.save("article", "text").await;
    assert_eq!(hosts.claim(4).await.len(), 1);
    super::requests::edit(&bench, article, "edited").await;
    hosts.die().await;
    assert_eq!(tasks(&bench, "status = 'cancelled' AND cause = 'superseded'").await, 1);
    assert_eq!(tasks(&bench, "status = 'pending' AND crashes = 1").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_host_has_a_suspect_in_work_alone() {
    let (bench, model) = (Fixture::new().await, super::requests::sharing(4));
    for number in 0..12 {
        bench.save(&format!("title {number}"), "").await;
    }
    bench.run("UPDATE embedding_tasks SET crashes = 2 WHERE slug IN ('title 4', 'title 8')").await;
    model.hold().await;
    let runtime = Runtime::start(bench.database.clone(), model.model(), quick()).await.expect("a runtime");
    while tasks(&bench, "status = 'processing'").await < 4 {
        tokio::task::yield_now().await;
    }
    while tasks(&bench, "status IN ('pending', 'processing')").await > 0 {
        model.let_one_end();
        let both = "SELECT count(*) AS n FROM embedding_tasks t JOIN embedding_tasks o ON o.incarnation = t.incarnation
                    WHERE t.status = 'processing' AND o.status = 'processing' AND t.crashes = 2 AND o.id <> t.id";
        assert_eq!(bench.number(both).await, 0);
        tokio::task::yield_now().await;
    }
    model.open();
    assert_eq!(bench.settled(&runtime).await.completed, 12);
}
