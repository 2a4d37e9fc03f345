//! Searches for clients that share the connections.

use afterword_actors::store::{acting, acting_as};
use tracing::Instrument;

use super::Host;
use crate::{
    auth::Who,
    search::{MAX_QUESTIONS, Query, SearchAnswer, SearchError},
    share::SharePermit,
};

impl Host {
    /// Searches when it is the client's turn.
    ///
    /// # Errors
    /// [`SearchError`]
    pub(crate) async fn find(&self, who: &Who, query: Query, others: Vec<String>) -> Result<SearchAnswer, SearchError> {
        // Refused before it waits for a turn that is as large as it is.
        if others.len() >= MAX_QUESTIONS {
            return Err(SearchError::Questions);
        }
        let turn = self.searches.take(who, 1 + u32::try_from(others.len()).unwrap_or(u32::MAX - 1)).await;
        let search = self.search.clone();
        to_its_end(turn, async move { search.search_several(&query, &others).await }).await
    }

    /// Finds what is like an article, when it is the client's turn.
    ///
    /// # Errors
    /// [`SearchError`]
    pub(crate) async fn related(&self, who: &Who, slug: &str, limit: usize) -> Result<SearchAnswer, SearchError> {
        let turn = self.searches.take(who, 1).await;
        let (search, slug) = (self.search.clone(), slug.to_owned());
        to_its_end(turn, async move { search.related(&slug, limit).await }).await
    }
}

/// A search goes on when its caller hangs up, and keeps its turn: the database carries out the statement that it was
/// given, and the connection is not free until then.
async fn to_its_end<T: Send + 'static>(
    turn: Option<SharePermit>,
    search: impl Future<Output = T> + Send + 'static,
) -> T {
    let search = async move {
        let _turn = turn;
        search.await
    };
    // A name for whom work is done is not passed on by itself.
    let who = acting();
    let search = async move {
        match who {
            Some(who) => acting_as(who, search).await,
            None => search.await,
        }
    };
    match tokio::spawn(search.in_current_span()).await {
        Ok(found) => found,
        Err(broken) if broken.is_panic() => std::panic::resume_unwind(broken.into_panic()),
        // The process is ending, and no caller waits for this any more.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use afterword_actors::{
        embedder::{BatchLimits, EmbedError, Embedder, Model, ModelIdentity, Purpose, Vector},
        store::{Database, OpenOptions, sql::Sql},
    };
    use async_trait::async_trait;
    use tokio::{sync::Semaphore, task::JoinHandle};

    use super::*;
    use crate::{
        articles::NewArticle,
        chunking::{ApproximateTokens, ChunkLimits, MarkdownChunker},
        config::Settings,
        embedding::{
            Backends,
            scripted::{Script, ScriptedEmbedder},
        },
        host::RunningHost,
        search::Mode,
    };

    /// A model that lets a question pass only when it is told to.
    struct Slow {
        model: Arc<ScriptedEmbedder>,
        asked: Mutex<Vec<String>>,
        gate: Semaphore,
    }

    #[async_trait]
    impl Embedder for Slow {
        fn identity(&self) -> &ModelIdentity {
            self.model.identity()
        }

        fn limits(&self) -> BatchLimits {
            self.model.limits()
        }

        async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
            if purpose == Purpose::Query {
                self.asked.lock().expect("the lock").extend(texts.iter().cloned());
                self.gate.acquire().await.expect("an open gate").forget();
            }
            self.model.embed(texts, purpose).await
        }
    }

    /// A host with four connections for reading, on a database with an embedded article.
    struct Fixture {
        host: Host,
        model: Arc<Slow>,
        _running: RunningHost,
        _folder: tempfile::TempDir,
    }

    impl Fixture {
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let url = format!("sqlite://{}", folder.path().join("a.db").display());
            let database = Database::open(&OpenOptions::new(url)).await.expect("a database");
            crate::database::migrate(&database).await.expect("a schema");
            let model = ScriptedEmbedder::new(Script::default());
            let model = Arc::new(Slow { model, asked: Mutex::default(), gate: Semaphore::new(0) });
            let chunker = MarkdownChunker::new(Arc::new(ApproximateTokens), ChunkLimits::new(64)).expect("limits");
            let mut settings = Settings::default();
            settings.database.read_connections = 4;
            settings.embedding.query_deadline = Duration::from_secs(600);
            let offered = Model { embedder: Arc::clone(&model) as _, chunker: Arc::new(chunker) };
            let host = Host::on(database, Backends::with(&settings.embedding, offered), &settings);
            let running = host.clone().start().await.expect("a runtime");
            let article =
                NewArticle { title: "Bees".to_owned(), body: "They dance.".to_owned(), ..NewArticle::default() };
            running.host.articles.create(article).await.expect("a save");
            let embedded = "SELECT count(*) AS n FROM article_embeddings";
            while host.database.reader().row::<i64>(embedded, []).await.expect("a count") != Some(1) {
                tokio::task::yield_now().await;
            }
            Self { host: running.host.clone(), model, _running: running, _folder: folder }
        }

        fn search(&self, who: i64, text: &str) -> JoinHandle<Option<String>> {
            let (host, query) = (self.host.clone(), Query::new(text, Mode::Hybrid, 5));
            tokio::spawn(
                async move { host.find(&Who::Token(who), query, Vec::new()).await.expect("an answer").degraded },
            )
        }

        /// Waits until so many questions are at the model, and returns them.
        async fn asked(&self, questions: usize) -> Vec<String> {
            loop {
                let asked = self.model.asked.lock().expect("the lock").clone();
                if asked.len() >= questions {
                    return asked;
                }
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn searches_take_half_of_the_connections_and_keep_their_turn_when_their_caller_leaves() {
        let fixture = Fixture::new().await;
        let held = [fixture.search(1, "one"), fixture.search(1, "two")];
        fixture.asked(2).await;
        let third = fixture.search(1, "three");
        let other = fixture.search(2, "other");
        held[0].abort();
        // Whatever is not a search goes on.
        for _ in 0..20 {
            fixture.host.articles.read("bees").await.expect("an article");
        }
        assert_eq!(fixture.asked(2).await.len(), 2, "two at once, also when the caller of one has left");
        fixture.model.gate.add_permits(1);
        let asked = fixture.asked(3).await;
        assert_eq!((asked.len(), asked[2].as_str()), (3, "other"), "another client comes before the first one's next");
        fixture.model.gate.add_permits(3);
        assert_eq!((third.await.expect("an end"), other.await.expect("an end")), (None, None));
    }
}
