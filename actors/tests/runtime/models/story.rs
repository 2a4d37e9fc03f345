//! Whatever happens to a collection while models change, searches find what they found before.

use super::*;

/// What may happen to a collection while models change.
#[derive(Debug, Clone, Copy)]
enum Step {
    Save,
    Edit(usize),
    Delete(usize),
    Bulk,
    CancelBulk,
    Fail,
    SwitchTo(usize),
    CancelSwitch,
    Visit(usize),
    Restart(usize),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Save),
        2 => any::<usize>().prop_map(Step::Edit),
        1 => any::<usize>().prop_map(Step::Delete),
        2 => Just(Step::Bulk),
        2 => Just(Step::CancelBulk),
        1 => Just(Step::Fail),
        2 => (0usize..2).prop_map(Step::SwitchTo),
        1 => Just(Step::CancelSwitch),
        1 => (0usize..3).prop_map(Step::Visit),
        2 => (0usize..2).prop_map(Step::Restart),
        2 => Just(Step::Settle),
    ]
}

/// A collection, and the hosts on it.
struct Story {
    bench: Fixture,
    models: [Arc<TestModel>; 3],
    server: Option<Runtime>,
    visitor: Option<Runtime>,
    /// Ids and revisions.
    articles: Vec<(i64, i64)>,
    saved: usize,
    runs: Vec<i64>,
    found: BTreeSet<i64>,
}

impl Story {
    async fn new() -> Self {
        let models = [TestModel::new("one"), TestModel::new("two"), TestModel::new("three")];
        let bench = Fixture::new().await;
        Self {
            bench,
            models,
            server: None,
            visitor: None,
            articles: vec![],
            saved: 0,
            runs: vec![],
            found: BTreeSet::new(),
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Save => {
                self.saved += 1;
                let slug = format!("article-{}", self.saved);
                self.articles.push((self.bench.save(&slug, "text").await, 1));
            }
            Step::Edit(which) => {
                let count = self.articles.len();
                if let Some((id, revision)) = self.articles.get_mut(which.checked_rem(count).unwrap_or(0)) {
                    *revision += 1;
                    self.bench.edit(*id, "edited", *revision).await;
                }
            }
            Step::Delete(which) => {
                if !self.articles.is_empty() {
                    let (id, _) = self.articles.swap_remove(which % self.articles.len());
                    self.delete(id).await;
                }
            }
            Step::Bulk => self.runs.push(self.bench.bulk(20).await),
            Step::CancelBulk => {
                if let Some(run) = self.runs.pop() {
                    self.bench.cancel_bulk(run).await;
                }
            }
            Step::Fail => {
                let sql = "UPDATE embedding_tasks SET status = 'failed', cause = 'failed', completed_at = updated_at
                           WHERE id = (SELECT min(id) FROM embedding_tasks WHERE status = 'pending')
                             AND status = 'pending'";
                self.bench.change(sql).await;
            }
            Step::SwitchTo(model) => {
                self.bench.switch_to(&self.models[model]).await;
            }
            Step::CancelSwitch => drop(self.bench.cancel_switch().await),
            Step::Visit(model) => {
                let offer = self.models[model].model();
                let visitor = Runtime::join(self.bench.database.clone(), offer, quick()).await.expect("a runtime");
                if let Some(earlier) = self.visitor.replace(visitor) {
                    earlier.stop(DEADLINE).await;
                }
            }
            Step::Restart(model) => self.restart(model).await,
            Step::Settle => tokio::task::yield_now().await,
        }
    }

    async fn delete(&self, id: i64) {
        self.bench
            .database
            .write::<_, StoreError, _>(async move |transaction| {
                tasks::withdraw(transaction, id, "article deleted").await?;
                transaction.run("DELETE FROM articles WHERE id = $1", [id.into()]).await
            })
            .await
            .expect("a deletion");
    }

    async fn restart(&mut self, model: usize) {
        if let Some(earlier) = self.server.take() {
            earlier.stop(DEADLINE).await;
        }
        let offer = knowing(&self.models[model], &self.models[1 - model]);
        let database = self.bench.database.clone();
        self.server = Some(Runtime::start(database, offer, quick()).await.expect("a runtime"));
    }

    /// Every article that was found is found, unless it has been deleted.
    async fn look(&mut self) {
        let sql = "SELECT e.article_id AS n FROM article_embeddings e JOIN embedding_models m ON m.id = e.model_id
                   WHERE m.state = 'active'";
        let rows = self.bench.database.reader().rows::<i64>(sql, []).await.expect("rows");
        let found: BTreeSet<_> = rows.into_iter().collect();
        let there: BTreeSet<_> = self.articles.iter().map(|(id, _)| *id).collect();
        let lost: Vec<_> = self.found.intersection(&there).filter(|id| !found.contains(id)).collect();
        assert!(lost.is_empty(), "not found any more: {lost:?}");
        self.found = found;
    }

    async fn ends_whole(&mut self, model: usize) {
        self.bench.switch_to(&self.models[model]).await;
        self.restart(model).await;
        // No host may be left that makes the set in use: a task that waits for it half a minute goes to the next set.
        let half_a_minute = "UPDATE embedding_tasks SET scheduled_at = scheduled_at - 30000
                             WHERE status = 'pending' AND scheduled_at > {now} - 30000";
        // Tasks that were made to fail are retried, as an operator would.
        let server = self.server.take().expect("a server");
        let wanted = self.articles.len() as i64;
        let whole = "SELECT count(*) AS n FROM articles a JOIN article_embeddings e ON e.article_id = a.id
                         AND e.content_hash = a.content_hash
                     JOIN embedding_models m ON m.id = e.model_id WHERE m.state = 'active'";
        let waiting = async {
            while self.bench.number(ACTIVE).await != server.handle().model_id()
                || self.bench.number(whole).await < wanted
            {
                self.look().await;
                let retried =
                    self.bench.database.write(async move |transaction| tasks::retry_failed(transaction, 0, 100).await);
                retried.await.expect("a retry");
                self.bench.change(half_a_minute).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(60), waiting).await.is_err() {
            let stats = stats::queue(self.bench.database.reader()).await;
            panic!("it does not become whole: {stats:?}");
        }
        self.look().await;
        server.stop(DEADLINE).await;
        if let Some(visitor) = self.visitor.take() {
            visitor.stop(DEADLINE).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_model_takes_an_article_from_searches(
        steps in prop::collection::vec(step(), 4..24),
        last in 0usize..2,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut story = Story::new().await;
            for step in steps {
                story.take(step).await;
                story.look().await;
            }
            story.ends_whole(last).await;
        });
    }
}
