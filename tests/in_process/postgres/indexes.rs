//! Indexes of vectors, and counts that are folded.

use afterword::{
    database,
    embedding::scripted::Script,
    search::{Mode, Query},
};
use afterword_actors::{RuntimeSettings, store::sql::Sql};

use super::TestHost;
use crate::support::{DRAIN, article, quick};

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_vectors_finds_what_comparing_them_all_finds() {
    let world =
        TestHost::with(Script { dimension: 24, ..Script::default() }, RuntimeSettings { slots: 8, ..quick() }).await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    for n in 0..600 {
        let body = format!("alpha{} beta{} gamma{} delta{n}", n % 7, n % 31, n % 101);
        let new = article(&format!("article-{n}"), &body);
        let folder = afterword::articles::folder::Folder::parse(&format!("shelf/{}", n % 20)).expect("a folder");
        service.create(afterword::articles::NewArticle { folder, ..new }).await.expect("a save");
    }
    world.settled(&runtime).await;
    let queries: Vec<_> = (0..40).map(|n| format!("alpha{} beta{} gamma{}", n % 7, n % 31, n * 13 % 101)).collect();
    let mut exact = Vec::new();
    for query in &queries {
        exact.push(world.found(query, Mode::Semantic).await);
    }
    let rebuilt = database::rebuild(&world.database, "english", &|_| {}).await.expect("an index");
    assert_eq!((rebuilt.articles, rebuilt.vectors), (600, 600));
    let used = "SELECT count(*) AS n FROM pg_stat_user_indexes WHERE indexrelname LIKE 'article_chunks_near_%'";
    assert_eq!(world.number(used).await, 1, "one index for the one model");
    let (mut found, mut all) = (0, 0);
    for (query, exact) in queries.iter().zip(exact) {
        let indexed = world.found(query, Mode::Semantic).await;
        found += exact.iter().filter(|slug| indexed.contains(slug)).count();
        all += exact.len();
    }
    assert!(found * 100 >= all * 99, "recall@10 of {found} in {all}");
    // In a narrow folder, nothing is missed for the index being full of others.
    let folder = afterword::articles::folder::Folder::parse("shelf/3").expect("a folder");
    let query = Query { folder, ..Query::new(queries[0].clone(), Mode::Semantic, 30) };
    assert_eq!(world.search.search(&query).await.expect("an answer").hits.len(), 30);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_vectors_are_indexed_without_being_asked_for() {
    let world = TestHost::with(Script { dimension: 8, ..Script::default() }, quick()).await;
    let runtime = world.start().await;
    world.articles(Some(&runtime)).create(article("one", "a text")).await.expect("a save");
    world.settled(&runtime).await;
    let indexes = "SELECT count(*) AS n FROM pg_indexes WHERE indexname = 'article_chunks_near_1'";
    assert_eq!(world.number(indexes).await, 0, "not worth it");
    let copies = "INSERT INTO article_chunks
                      (article_id, model_id, position, heading_path, text, hash, tokens, vector, embedding)
                  SELECT article_id, model_id, n, '', text, hash || n, tokens, vector, embedding
                  FROM article_chunks CROSS JOIN generate_series(1, 20000) n";
    world.database.write_connection().run(copies, []).await.expect("chunks");
    runtime.stop(DRAIN).await;
    // The first sweep is at the start.
    let runtime = world.start().await;
    while world.number(indexes).await == 0 {
        tokio::task::yield_now().await;
    }
    let whole = "SELECT count(*) AS n FROM pg_index WHERE NOT indisvalid";
    assert_eq!(world.number(whole).await, 0);
    assert_eq!(world.found("a text", Mode::Semantic).await, ["one"]);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_exact_before_and_after_they_are_folded() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    for n in 0..20 {
        service.create(article(&format!("article-{n}"), "text")).await.expect("a save");
    }
    let before = world.stats().await;
    assert_eq!(before.pending, 20);
    let deltas = "SELECT count(*) AS n FROM embedding_task_deltas";
    assert!(world.number(deltas).await > 0);
    for _ in 0..2 {
        let fold = world.database.write(async |t| afterword_actors::store::stats::fold(t).await);
        fold.await.expect("a fold");
    }
    assert_eq!(world.number(deltas).await, 0);
    assert_eq!(world.stats().await.total(), before.total());
}
