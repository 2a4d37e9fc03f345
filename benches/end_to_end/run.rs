//! Hosts with default settings, and a collection on its way through them.

use std::time::{Duration, Instant};

use afterword::{
    articles::NewArticle,
    config::{LoadedSettings, Settings, Sources},
    host::{Host, RunningHost},
};
use afterword_actors::{
    store::{Database, sql::Sql},
    task::{Priority, TaskStatus},
};
use futures_util::StreamExt;

use crate::{collection::Collection, provider::Provider};

/// Saves at the same time.
const SAVING: usize = 16;
/// How often is looked whether all are embedded: to count them takes time that the hosts need.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) struct Site<'a> {
    pub(crate) url: String,
    pub(crate) provider: &'a Provider,
    pub(crate) hosts: usize,
}

pub(crate) struct Measured {
    /// From the first save until the last article is searchable.
    pub(crate) took: Duration,
    /// From a save by a person, halfway, until it is searchable.
    pub(crate) a_save: Duration,
}

pub(crate) async fn run(site: &Site<'_>, collection: Collection) -> Measured {
    let settings = settings(site);
    let mut workers = Vec::new();
    for _ in 0..site.hosts {
        workers.push(Host::open(&settings).await.expect("a host").start().await.expect("a runtime"));
    }
    let begun = Instant::now();
    let saved = save_all(&workers[0], collection);
    let halfway = async {
        while embedded(&workers[0].host.database).await < collection.articles / 2 {
            tokio::time::sleep(LOOK).await;
        }
        save_one(&workers[0]).await
    };
    let ((), a_save) = tokio::join!(saved, halfway);
    while embedded(&workers[0].host.database).await < collection.articles + 1 {
        tokio::time::sleep(LOOK).await;
    }
    let took = begun.elapsed();
    for worker in workers {
        worker.stop().await;
    }
    Measured { took, a_save }
}

fn settings(site: &Site<'_>) -> Settings {
    let flag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let flags = vec![
        flag("database.url", &site.url),
        flag("embedding.provider", "openai"),
        flag("embedding.model", "bench"),
        flag("embedding.openai.base_url", &site.provider.url),
    ];
    LoadedSettings::load(&Sources::of_process(None, flags)).expect("settings").settings
}

/// Saves as an import does: at low priority.
async fn save_all(worker: &RunningHost, collection: Collection) {
    let save = |number| async move {
        let (title, body) = (Collection::title(number), collection.body(number));
        let new = NewArticle { title, body, priority: Some(Priority::Low), ..NewArticle::default() };
        worker.host.articles.create(new).await.expect("a save");
    };
    futures_util::stream::iter((0..collection.articles).map(save)).buffer_unordered(SAVING).collect::<Vec<()>>().await;
}

/// Saves as a person does.
async fn save_one(worker: &RunningHost) -> Duration {
    let mut events = worker.runtime.subscribe();
    let begun = Instant::now();
    let new = NewArticle { title: "By a person".to_owned(), body: "A remark.".to_owned(), ..NewArticle::default() };
    let article = worker.host.articles.create(new).await.expect("a save").article;
    while !is_embedded(&worker.host.database, article.id).await {
        // Another host's events do not arrive here.
        let next = tokio::time::timeout(Duration::from_millis(5), async {
            while let Ok(event) = events.recv().await {
                if event.article_id == article.id && event.status == TaskStatus::Completed {
                    break;
                }
            }
        });
        let _ = next.await;
    }
    begun.elapsed()
}

async fn embedded(database: &Database) -> usize {
    let sql = "SELECT count(*) AS n FROM article_embeddings";
    let row = database.reader().row::<i64>(sql, []).await.expect("a count");
    row.and_then(|n| usize::try_from(n).ok()).unwrap_or_default()
}

async fn is_embedded(database: &Database, article: i64) -> bool {
    let sql = "SELECT count(*) AS n FROM article_embeddings WHERE article_id = $1";
    let row = database.reader().row::<i64>(sql, [article.into()]).await;
    row.expect("a count").is_some_and(|row| row > 0)
}

/// Resident memory of this process: hosts, provider and all.
pub(crate) fn memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
