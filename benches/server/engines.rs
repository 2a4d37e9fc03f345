//! One collection with known answers, on SQLite and on PostgreSQL: the quality of the answers, and how far they agree.

use std::{path::Path, time::Duration};

use afterword::{
    articles::{NewArticle, slug::Slug},
    config::{LoadedSettings, Settings, Sources},
    database,
    evaluation::{Collection, SearchVariant, measure},
    host::Host,
    search::{Mode, Query, Search},
};

use afterword_actors::store::stats;

use crate::test_database::{OnPostgres, TestDatabase};

const TOP: usize = 10;

pub(crate) async fn agreement(directory: &Path) {
    let collection = Collection::read(directory).expect("a collection");
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = settings(format!("sqlite://{}", folder.path().join("engines.db").display()));
    fill(&sqlite, &collection).await;
    let place = OnPostgres::fresh().await;
    let postgres = Host::open(&settings(place.url())).await.expect("PostgreSQL");
    let sqlite = Host::open(&sqlite).await.expect("SQLite");
    database::copy(&sqlite.database, &postgres.database, &|_| {}).await.expect("a copy");
    database::rebuild(&postgres.database, "english", &|_| {}).await.expect("an index");
    for host in [&sqlite, &postgres] {
        host.backends.preparation().expect("a local model").run(&|_| {}).await.expect("a local model");
    }
    for mode in [Mode::Keyword, Mode::Semantic, Mode::Hybrid] {
        for (engine, search) in [("SQLite", &sqlite.search), ("PostgreSQL", &postgres.search)] {
            let ways = [SearchVariant { search: search.clone(), mode }];
            let measured = measure(&ways, &collection, || {}).await.expect("a measurement");
            let [quality] = measured.as_slice() else { panic!("one mode, one figure") };
            println!("{mode} on {engine}: nDCG@10 {:.4}, recall@100 {:.4}", quality.ndcg_at_10, quality.recall_at_100);
        }
        compare(&sqlite.search, &postgres.search, &collection, mode).await;
    }
}

async fn compare(sqlite: &Search, postgres: &Search, collection: &Collection, mode: Mode) {
    let (mut queries, mut shared, mut all, mut same_first, mut same) = (0, 0, 0, 0, 0);
    for (text, _) in collection.judged_queries() {
        let (ours, theirs) = (top(sqlite, text, mode).await, top(postgres, text, mode).await);
        queries += 1;
        shared += ours.iter().filter(|slug| theirs.contains(slug)).count();
        all += ours.len();
        same_first += usize::from(ours.first() == theirs.first());
        same += usize::from(ours == theirs);
    }
    println!(
        "{mode}: {:.1} % of the first ten are the same articles; the first is in {same_first} of {queries} queries, all ten \
         in the same order in {same}",
        100.0 * shared as f64 / all as f64
    );
}

async fn top(search: &Search, text: &str, mode: Mode) -> Vec<String> {
    let query = Query::new(text, mode, TOP);
    search.search(&query).await.expect("an answer").hits.into_iter().map(|hit| hit.slug).collect()
}

fn settings(url: String) -> Settings {
    let sources = Sources::of_process(None, vec![("database.url".to_owned(), url)]);
    LoadedSettings::load(&sources).expect("settings").settings
}

async fn fill(settings: &Settings, collection: &Collection) {
    let worker = Host::open(settings).await.expect("SQLite").start().await.expect("a host");
    worker.host.backends.preparation().expect("a local model").run(&|_| {}).await.expect("a local model");
    for document in &collection.documents {
        let slug = document.slug();
        let title = if document.title.trim().is_empty() { slug.clone() } else { document.title.clone() };
        let title: String = title.chars().take(300).collect();
        let slug = Some(Slug::parse(&slug).expect("a slug"));
        let new = NewArticle { title, body: document.text.clone(), slug, ..NewArticle::default() };
        worker.host.articles.create(new).await.expect("a save");
    }
    while stats::queue(worker.host.database.reader()).await.is_ok_and(|stats| stats.pending + stats.processing > 0) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    worker.stop().await;
}
