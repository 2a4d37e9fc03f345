//! Lists of many articles by filter: whatever way they are found and counted, they are the same.

use afterword::articles::{folder::Folder, properties::Filter};
use afterword_actors::store::{Engine, sql::Sql};

use super::TestHost;

const ARTICLES: i64 = 40_000;
const PAGE: usize = 50;
/// More are not counted.
const MAX_COUNTED: usize = 1_000;

/// Whether the article of this number matches.
type Matches = fn(i64) -> bool;

/// The article `n` is saved after that before it, and what it has depends on its number.
const FILTERS: [(&str, Matches); 15] = [
    ("", |_| true),
    ("tag:rare", |n| n % 1_000 == 0),
    ("tag:even", |n| n % 2 == 0),
    ("tag:none", |_| false),
    ("tag:even tag:odd", |_| false),
    ("tag:even tag:third", |n| n % 6 == 0),
    ("tag:even -tag:third", |n| n % 2 == 0 && n % 3 != 0),
    ("-tag:even -tag:odd", |_| false),
    ("tag:third status:draft tag:even", |n| n % 60 == 0),
    ("tag:even tag:rare", |n| n % 1_000 == 0),
    ("-tag:rare status:draft", |n| n % 20 == 0 && n % 1_000 != 0),
    ("rating:4 tag:odd", |n| n % 5 == 4 && n % 2 == 1),
    ("rating:4 tag:rare", |_| false),
    ("folder:deep", |n| n % 7 == 0),
    ("folder:deep tag:rare rating:0", |n| n % 7_000 == 0),
];

async fn fill(world: &TestHost) {
    let series = match world.database.engine() {
        Engine::Sqlite => {
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 40000) SELECT n FROM s)"
        }
        Engine::Postgres => "(SELECT CAST(n AS BIGINT) AS n FROM generate_series(1, 40000) n)",
    };
    for statement in [
        "INSERT INTO articles (id, slug, title, folder, body, content_hash, created_at, updated_at)
         SELECT n, 'article-' || n, 'Article', CASE WHEN n % 7 = 0 THEN 'deep/er' ELSE '' END, '', 'h', n, n
         FROM SERIES s",
        "INSERT INTO article_tags (article_id, tag, name)
         SELECT n, CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END, 'x' FROM SERIES s",
        "INSERT INTO article_tags (article_id, tag, name) SELECT n, 'third', 'x' FROM SERIES s WHERE n % 3 = 0",
        "INSERT INTO article_tags (article_id, tag, name) SELECT n, 'rare', 'x' FROM SERIES s WHERE n % 1000 = 0",
        "INSERT INTO article_properties (article_id, key, position, kind, value, folded)
         SELECT n, 'status', 0, 'text', 'x', CASE WHEN n % 20 = 0 THEN 'draft' ELSE 'done' END FROM SERIES s",
        "INSERT INTO article_properties (article_id, key, position, kind, value, folded, number)
         SELECT n, 'rating', 0, 'number', 'x', 'x', n % 5 * 1000 FROM SERIES s",
    ] {
        let sql = statement.replace("SERIES", series);
        let filled = world.database.write(async move |transaction| transaction.run(&sql, []).await.map(drop));
        filled.await.expect("rows");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_lists_the_same_articles_however_many_match() {
    let world = TestHost::new().await;
    fill(&world).await;
    let articles = world.articles(None);
    for (filter, matches) in FILTERS {
        let expected: Vec<_> = (1..=ARTICLES).rev().filter(|n| matches(*n)).map(|n| format!("article-{n}")).collect();
        let parsed = Filter::parse(filter).expect("a filter");
        let mut cursor = None;
        for page in 0..3 {
            let found = articles.list_where(&Folder::default(), &parsed, cursor.as_deref(), PAGE as u32).await;
            let found = found.expect("a page");
            let counted = filter.is_empty() || expected.len() <= MAX_COUNTED;
            assert_eq!(found.total, counted.then_some(expected.len() as i64), "{filter}");
            let slugs: Vec<_> = found.articles.into_iter().map(|article| article.slug).collect();
            let wanted: Vec<_> = expected.iter().skip(page * PAGE).take(PAGE).cloned().collect();
            assert_eq!(slugs, wanted, "page {page} of {filter}");
            assert_eq!(found.next_cursor.is_some(), expected.len() > (page + 1) * PAGE, "page {page} of {filter}");
            let Some(next) = found.next_cursor else { break };
            cursor = Some(next);
        }
    }
}
