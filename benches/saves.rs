//! How long a save takes while the queue drains, and how soon a saved article is found by meaning. A plain program:
//! `cargo bench --bench saves`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use afterword::{embedding::scripted::Script, search::Mode};
use afterword_actors::{
    Runtime, RuntimeSettings,
    store::{StoreError, sql::Sql},
};
use support::{DRAIN, article};

type TestHost = support::TestHost<support::OnSqlite>;

const ROUNDS: usize = 400;
const BACKLOG: i64 = 100_000;

/// Quantiles of durations, in milliseconds.
struct Times(Vec<f64>);

impl Times {
    fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations.iter().map(|duration| duration.as_secs_f64() * 1e3).collect())
    }

    fn quantile(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0[(last as f64 * share).round() as usize]
    }

    fn print(&self, what: &str) {
        println!("{what:<52} p50 {:>7.2} ms   p99 {:>7.2} ms", self.quantile(0.5), self.quantile(0.99));
    }
}

/// An insert on the connection that saves use, which SQLite commits by itself.
async fn bare(world: &TestHost) -> Times {
    let connection = world.database.write_connection();
    connection.run("CREATE TABLE IF NOT EXISTS bare (body TEXT)", []).await.expect("a table");
    let mut times = Vec::new();
    for n in 0..ROUNDS {
        let begun = Instant::now();
        connection.run("INSERT INTO bare VALUES ($1)", [text(n).into()]).await.expect("a row");
        times.push(begun.elapsed());
    }
    Times::of(times)
}

/// A page of text, different each time.
fn text(n: usize) -> String {
    format!("number {n} has words of its own ").repeat(60)
}

async fn saves(world: &TestHost, runtime: Option<&Runtime>, name: &str) -> Times {
    let service = world.articles(runtime);
    let mut times = Vec::new();
    for n in 0..ROUNDS {
        // People save independently of the queue's commits: 0 to 8 ms apart.
        tokio::time::sleep(Duration::from_micros((n as u64 * 2_654_435_761) % 8_000)).await;
        let new = article(&format!("{name}-{n}"), &text(n));
        let begun = Instant::now();
        service.create(new).await.expect("a save");
        times.push(begun.elapsed());
    }
    Times::of(times)
}

/// Articles with waiting tasks: real work for the queue, with a model that costs nothing.
async fn fill(world: &TestHost) {
    world
        .database
        .write::<_, StoreError, _>(async move |transaction| {
            transaction
                .run(
                    "INSERT INTO articles (slug, title, body, content_hash, created_at, updated_at)
                         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                         SELECT 'waiting-' || i, 'Title', 'Body ' || i, 'h' || i, {now}, {now} FROM n",
                    [BACKLOG.into()],
                )
                .await?;
            transaction
                .run(
                    "INSERT INTO embedding_tasks (article_id, slug, operation, status, priority, revision,
                             max_attempts, created_at, updated_at, scheduled_at, queue_key, cause)
                         SELECT id, slug, 'create', 'pending', 'low', 1, 3, {now}, {now}, {now}, {now}, 'bench'
                         FROM articles WHERE slug GLOB 'waiting-*'",
                    [],
                )
                .await
        })
        .await
        .expect("a backlog");
}

/// From the answer of the save to a search by meaning that finds it.
async fn commit_to_searchable() -> Times {
    let script = Script { dimension: 384, ..Script::default() };
    let world = TestHost::with(script, RuntimeSettings { slots: 2, ..RuntimeSettings::default() }).await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    let mut told = runtime.subscribe();
    let mut times = Vec::new();
    for n in 0..ROUNDS {
        service.create(article(&format!("fresh-{n}"), &format!("unheardof{n}"))).await.expect("a save");
        let committed = Instant::now();
        while !world.found(&format!("unheardof{n}"), Mode::Semantic).await.contains(&format!("fresh-{n}")) {
            let _ = tokio::time::timeout(Duration::from_millis(1), told.recv()).await;
        }
        times.push(committed.elapsed());
    }
    runtime.stop(DRAIN).await;
    Times::of(times)
}

#[tokio::main]
async fn main() {
    for slots in [1, 8] {
        let settings = RuntimeSettings { slots, ..RuntimeSettings::default() };
        let world = TestHost::with(Script::default(), settings).await;
        let bare = bare(&world).await;
        bare.print("a bare insert and commit, nothing else running");
        saves(&world, None, "alone").await.print("a save, nothing else running");
        let idle = world.start().await;
        saves(&world, Some(&idle), "idle").await.print(&format!("a save, {slots} slots embedding what is saved"));
        idle.stop(DRAIN).await;
        fill(&world).await;
        let runtime = world.start().await;
        let saves = saves(&world, Some(&runtime), "saved").await;
        saves.print(&format!("a save while {slots} slots drain a backlog"));
        println!(
            "    times the bare commit: p50 {:.1}, p99 {:.1}; still waiting: {}",
            saves.quantile(0.5) / bare.quantile(0.5),
            saves.quantile(0.99) / bare.quantile(0.99),
            world.stats().await.pending
        );
        runtime.stop(DRAIN).await;
    }
    commit_to_searchable().await.print("from commit to found by meaning");
}
