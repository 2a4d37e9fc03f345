//! Lists of a million articles with five tags and a property each, by filter. A plain program:
//! `scripts/with-postgres cargo bench --bench filters` (`FILTERED=100000` for fewer articles; without TEST_POSTGRES_URL on
//! SQLite alone).

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use afterword::articles::{folder::Folder, properties::Filter};
use afterword_actors::store::{Engine, sql::Sql};
use support::{OnPostgres, OnSqlite, TestDatabase, TestHost};

/// How often each filter is asked.
const ROUNDS: usize = 30;
/// Different tags; each article has five of them, small numbers more often.
const FILTERS: [&str; 8] = [
    "tag:topic/17",
    "tag:topic/4000",
    "tag:common",
    "status:draft",
    "tag:topic/17 status:draft",
    "created:2026-01..2026-03",
    "updated:<1d",
    "tag:common -status:draft updated:>2020",
];

fn main() {
    let articles: i64 = std::env::var("FILTERED").ok().and_then(|number| number.parse().ok()).unwrap_or(1_000_000);
    support::TOKIO.block_on(async {
        measure::<OnSqlite>("SQLite", articles).await;
        if std::env::var_os("TEST_POSTGRES_URL").is_some() {
            measure::<OnPostgres>("PostgreSQL", articles).await;
        }
    });
}

async fn measure<P: TestDatabase>(name: &str, articles: i64) {
    let world = TestHost::<P>::new().await;
    fill(&world, articles).await;
    let service = world.articles(None);
    println!("{name}, {articles} articles");
    for filter in FILTERS {
        let parsed = Filter::parse(filter).expect("a filter");
        let (mut times, mut total) = (Vec::new(), None);
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let page = service.list_where(&Folder::default(), &parsed, None, 50).await.expect("a page");
            times.push(begun.elapsed());
            total = page.total;
        }
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        let total = total.map_or_else(|| "many".to_owned(), |total: i64| total.to_string());
        println!("  {filter:<42} {total:>8} found  p50 {:>9}  p95 {:>9}", shown(at(0.5)), shown(at(0.95)));
    }
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

async fn fill<P: TestDatabase>(world: &TestHost<P>, articles: i64) {
    const PAGE: i64 = 50_000;
    let series = match world.database.reader().engine() {
        Engine::Sqlite => {
            "(WITH RECURSIVE s(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < $2) SELECT n FROM s)"
        }
        Engine::Postgres => {
            "(SELECT CAST(n AS BIGINT) AS n FROM generate_series(CAST($1 AS BIGINT), CAST($2 AS BIGINT) - 1) n)"
        }
    };
    let statements = [
        // Created over two years, saved over the last days; 1,700,000,000,000 is in November 2023.
        "INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
         SELECT n, 'article-' || n, 'Article ' || n, 'text', 'h', 1700000000000 + n * 83000,
                {now} - CAST(864000000 AS BIGINT) + n * 860 FROM SERIES t",
        "INSERT INTO article_tags (article_id, tag, name)
         SELECT n, 'topic/' || ((n * 7919 + j.id * 104729) % 5000), 'x' FROM SERIES t CROSS JOIN {ids '[1,2,3,4]'} j
         WHERE TRUE ON CONFLICT DO NOTHING",
        "INSERT INTO article_tags (article_id, tag, name)
         SELECT n, CASE WHEN n % 5 = 0 THEN 'common' ELSE 'rest' END, 'x' FROM SERIES t WHERE TRUE ON CONFLICT DO NOTHING",
        "INSERT INTO article_properties (article_id, key, position, kind, value, folded)
         SELECT n, 'status', 0, 'text', 'x', CASE WHEN n % 100 = 0 THEN 'draft' ELSE 'done' END FROM SERIES t",
    ];
    for from in (1..=articles).step_by(PAGE as usize) {
        for statement in statements {
            let (sql, to) = (statement.replace("SERIES", series), (from + PAGE).min(articles + 1));
            let filled = world
                .database
                .write(async move |transaction| transaction.run(&sql, [from.into(), to.into()]).await.map(drop));
            filled.await.expect("rows");
        }
    }
    if world.database.reader().engine() == Engine::Postgres {
        world.run("ANALYZE").await;
    }
}
