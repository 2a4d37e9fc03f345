//! Hosts on one database, the articles they embed, and what must be true at the end.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use afterword::articles::{AfterSave, ArticlePatch, Articles, Limits, NewArticle, slug::Slug};
use afterword_actors::store::{Database, sql::Sql};
use tokio::task::JoinHandle;

use crate::{
    hosts::host::{HostProcess, LEASE, SLOTS},
    hosts::provider::CountingProvider,
    support::open,
};

/// A test that has waited this long is stuck.
const STUCK: Duration = Duration::from_secs(180);
/// Interval between two checks of another process's progress.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The hosts and their surroundings.
pub(crate) struct Fleet {
    hosts: Vec<HostProcess>,
    incarnations: Vec<String>,
    /// The database as the hosts reach it, through the network of the test.
    url: String,
    database: Database,
    provider: CountingProvider,
    begun: Instant,
}

impl Fleet {
    /// `count` hosts at `hosts_url`; the test itself goes to `url`.
    pub(crate) async fn start(url: String, hosts_url: String, count: usize) -> Self {
        let database = open(url).await;
        afterword::database::migrate(&database).await.expect("a schema");
        let provider = CountingProvider::start().await;
        let (hosts, incarnations, begun) = (Vec::new(), Vec::new(), Instant::now());
        let mut fleet = Self { hosts, incarnations, url: hosts_url, database, provider, begun };
        for _ in 0..count {
            fleet.add().await;
        }
        fleet
    }

    pub(crate) async fn add(&mut self) {
        let host = HostProcess::start(&self.url, &self.provider.url);
        let incarnation = self.incarnation_of(host.id()).await;
        self.hosts.push(host);
        self.incarnations.push(incarnation);
    }

    async fn incarnation_of(&self, pid: u32) -> String {
        let begun = Instant::now();
        loop {
            let sql = "SELECT incarnation FROM embedding_hosts WHERE pid = $1 AND state = 'running'";
            if let Ok(Some(incarnation)) = self.database.reader().row(sql, [i64::from(pid).into()]).await {
                return incarnation;
            }
            assert!(begun.elapsed() < STUCK, "the host does not come up");
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// Saves articles and edits some of them, however long the database is away.
    pub(crate) fn save(&self, count: usize) -> JoinHandle<()> {
        let articles = Articles::new(self.database.clone(), Limits::default(), 50, AfterSave::Poll);
        tokio::spawn(async move {
            for number in 0..count {
                persist(|| create(&articles, number)).await;
                if number % 5 == 4 {
                    persist(|| edit(&articles, number / 2)).await;
                }
            }
        })
    }

    async fn number(&self, sql: &str) -> usize {
        // While the server is away, nothing can be read.
        let row = self.database.reader().row::<i64>(sql, []).await.ok().flatten();
        row.and_then(|n| usize::try_from(n).ok()).unwrap_or_default()
    }

    async fn until(&self, what: &str, least: usize, sql: &str) {
        let begun = Instant::now();
        while self.number(sql).await < least {
            if begun.elapsed() > STUCK {
                let stats = afterword_actors::store::stats::queue(self.database.reader()).await;
                panic!("waited too long for {what}: {stats:?}");
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    pub(crate) async fn embedded_at_least(&self, least: usize) {
        self.until("embeddings", least, "SELECT count(*) AS n FROM article_embeddings").await;
    }

    /// Tasks that are processed now, on all hosts.
    pub(crate) async fn in_work(&self) -> usize {
        self.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing'").await
    }

    pub(crate) fn slots(&self) -> usize {
        self.hosts.len() * SLOTS as usize
    }

    async fn held_by(&self, host: usize) -> usize {
        let incarnation = &self.incarnations[host];
        let sql = format!(
            "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing' AND incarnation = '{incarnation}'"
        );
        self.number(&sql).await
    }

    /// `kill -9`; returns the tasks that it processed.
    pub(crate) async fn kill(&mut self, host: usize) -> usize {
        self.hosts[host].kill();
        self.held_by(host).await
    }

    /// SIGTERM, and waits for its end: it finishes what it has begun.
    pub(crate) async fn terminate(&mut self, host: usize) {
        self.hosts[host].signal("TERM");
        assert!(self.hosts[host].ended(), "a clean end");
        assert_eq!(self.held_by(host).await, 0, "nothing is left in its hands");
    }

    /// SIGSTOP; returns the tasks that it processes.
    pub(crate) async fn pause(&mut self, host: usize) -> usize {
        self.hosts[host].signal("STOP");
        self.held_by(host).await
    }

    pub(crate) fn resume(&self, host: usize) {
        self.hosts[host].signal("CONT");
    }

    /// Waits until a host's tasks have been taken from it.
    pub(crate) async fn rescued_from(&self, host: usize) {
        tokio::time::sleep(LEASE).await;
        let begun = Instant::now();
        while self.held_by(host).await > 0 {
            assert!(begun.elapsed() < STUCK, "nobody rescues the tasks of a silent host");
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    pub(crate) fn no_host_gave_up(&mut self) {
        assert!(self.hosts.iter_mut().all(HostProcess::lives), "a host has ended by itself");
    }

    /// Embeddings made beyond the first of a text.
    pub(crate) fn embedded_twice(&self) -> usize {
        self.provider.twice()
    }

    /// Waits until nothing is left to do, and checks what must be true then.
    pub(crate) async fn all_embedded(&self) {
        let idle = "SELECT count(*) AS n WHERE NOT EXISTS (
                        SELECT 1 FROM embedding_tasks WHERE status IN ('pending', 'processing'))";
        self.until("an empty queue", 1, idle).await;
        for (what, sql) in [
            ("failed", "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'failed'"),
            ("not embedded at its newest revision", NOT_EMBEDDED),
            ("torn", TORN),
            ("ended by another host than claimed it last", STOLEN),
            ("completed twice from one claim", TWICE),
        ] {
            assert_eq!(self.number(sql).await, 0, "{what}");
        }
        let found = afterword::database::verify(&self.database).await.expect("a look");
        assert!(found.sound && found.articles > 0, "{:?}", found.findings);
    }

    /// Prints the figures.
    pub(crate) async fn tell(&self, what: &str, in_work: usize) {
        let embedded = self.number("SELECT count(*) AS n FROM article_embeddings").await;
        let claims = self.number("SELECT count(*) AS n FROM embedding_task_events WHERE event = 'claimed'").await;
        let rescued = self.number("SELECT count(*) AS n FROM embedding_task_events WHERE event = 'rescued'").await;
        let text = format!(
            "{what}: {embedded} articles embedded in {:.1?}, {claims} claims, {rescued} rescued, {} requests, {} \
             embeddings made twice ({in_work} tasks were in work)\n",
            self.begun.elapsed(),
            self.provider.requests(),
            self.embedded_twice()
        );
        // Not by print!, whose output a test captures.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

const NOT_EMBEDDED: &str = "
    SELECT count(*) AS n FROM articles a LEFT JOIN article_embeddings e ON e.article_id = a.id
    WHERE e.content_hash IS DISTINCT FROM a.content_hash OR e.revision <> a.revision";
const TORN: &str = "
    SELECT count(*) AS n FROM article_embeddings e
    WHERE e.chunk_count <> (SELECT count(*) FROM article_chunks c WHERE c.article_id = e.article_id)";
/// Completions by a host that was not the last to claim the task.
const STOLEN: &str = "
    SELECT count(*) AS n FROM embedding_task_events e
    WHERE e.event = 'completed' AND e.incarnation IS DISTINCT FROM (
        SELECT c.incarnation FROM embedding_task_events c
        WHERE c.task_id = e.task_id AND c.event = 'claimed' AND c.id < e.id ORDER BY c.id DESC LIMIT 1)";
const TWICE: &str = "
    SELECT count(*) AS n FROM (
        SELECT 1 FROM embedding_task_events WHERE event = 'completed' GROUP BY task_id HAVING count(*) > 1) twice";

/// A person who tries again until it works.
async fn persist<F: Future<Output = bool>>(save: impl Fn() -> F) {
    let begun = Instant::now();
    while !save().await {
        assert!(begun.elapsed() < STUCK, "no save is accepted any more");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

async fn create(articles: &Articles, number: usize) -> bool {
    let new = NewArticle {
        title: format!("Fleet {number}"),
        body: format!("Text {number}, as it was first."),
        slug: Slug::parse(&format!("article-{number}")).ok(),
        idempotency_key: Some(format!("create-{number}")),
        ..NewArticle::default()
    };
    articles.create(new).await.is_ok()
}

async fn edit(articles: &Articles, number: usize) -> bool {
    let changes = ArticlePatch { body: Some(format!("Text {number}, as it is now.")), ..ArticlePatch::default() };
    articles.update(&format!("article-{number}"), changes).await.is_ok()
}
