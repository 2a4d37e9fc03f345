//! What attempts read: those that wait for each other are answered by one statement, so that many short articles take
//! few.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::oneshot;

use super::body_permits;
use crate::{
    embedder::Vector,
    store::{Database, StoreError, vectors},
    task::Vectors,
};

/// Most requests that are answered by one statement.
const MAX_TOGETHER: usize = 64;

/// The reads of all attempts of a host.
pub(crate) struct Reads {
    texts: Arc<SharedReads<i64, vectors::Reading>>,
    vectors: Arc<SharedReads<(i64, String), Vector>>,
}

impl Reads {
    /// Reads from `database`.
    pub(crate) fn new(database: &Database) -> Self {
        let (texts, vectors) = (database.clone(), database.clone());
        let texts = SharedReads::new(move |ids: Vec<i64>| {
            let database = texts.clone();
            async move { vectors::texts_up_to(database.runtime_reader(), &ids, body_permits::MAX_SHORT_BODY).await }
                .boxed()
        });
        let vectors = SharedReads::new(move |hashes: Vec<(i64, String)>| {
            let database = vectors.clone();
            async move { vectors::of_hashes(database.runtime_reader(), &hashes).await }.boxed()
        });
        Self { texts, vectors }
    }

    /// Returns the text of an article if it is short; `None` if the article is deleted.
    pub(super) async fn text(&self, article_id: i64) -> Result<Option<vectors::Reading>, StoreError> {
        Ok(self.texts.get(vec![article_id]).await?.remove(&article_id))
    }

    /// Returns the vectors that `model_id` has made before for inputs with these hashes.
    pub(super) async fn stored_vectors(&self, model_id: i64, hashes: HashSet<&str>) -> Result<Vectors, StoreError> {
        let keys = hashes.into_iter().map(|hash| (model_id, hash.to_owned())).collect();
        let found = self.vectors.get(keys).await?;
        Ok(found.into_iter().map(|((_, hash), vector)| (hash, vector)).collect())
    }
}

type ReadResult<K, V> = Result<HashMap<K, V>, StoreError>;
type ReadFn<K, V> = Box<dyn Fn(Vec<K>) -> BoxFuture<'static, ReadResult<K, V>> + Send + Sync>;

/// Reads of one kind.
struct SharedReads<K, V> {
    read: ReadFn<K, V>,
    waiting: Mutex<WaitingReads<K, V>>,
}

struct WaitingReads<K, V> {
    requests: Vec<ReadRequest<K, V>>,
    /// Whether a task answers them.
    are_served: bool,
}

struct ReadRequest<K, V> {
    keys: Vec<K>,
    answer: oneshot::Sender<ReadResult<K, V>>,
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + 'static> SharedReads<K, V> {
    fn new(read: impl Fn(Vec<K>) -> BoxFuture<'static, ReadResult<K, V>> + Send + Sync + 'static) -> Arc<Self> {
        let waiting = Mutex::new(WaitingReads { requests: Vec::new(), are_served: false });
        Arc::new(Self { read: Box::new(read), waiting })
    }

    /// Returns what there is of `keys`.
    async fn get(self: &Arc<Self>, keys: Vec<K>) -> ReadResult<K, V> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.requests.push(ReadRequest { keys, answer });
            !std::mem::replace(&mut waiting.are_served, true)
        };
        if begins {
            // A task of its own: it goes on when the attempt that began it is dropped.
            tokio::spawn(Arc::clone(self).serve());
        }
        answered.await.unwrap_or_else(|_| Err(broken()))
    }

    /// Answers until none waits: those together that came meanwhile.
    async fn serve(self: Arc<Self>) {
        while let Some(requests) = self.next() {
            let keys: HashSet<K> = requests.iter().flat_map(|request| request.keys.iter().cloned()).collect();
            match self.caught(keys.into_iter().collect()).await {
                Ok(found) => requests.into_iter().for_each(|request| request.answer_from(&found)),
                Err(error) if requests.len() == 1 => requests.into_iter().for_each(|it| it.refuse(error.clone())),
                // What cannot be read for one of them must not keep the others from being read.
                Err(_) => self.serve_each(requests).await,
            }
        }
    }

    async fn serve_each(&self, requests: Vec<ReadRequest<K, V>>) {
        for request in requests {
            match self.caught(request.keys.clone()).await {
                Ok(found) => request.answer_from(&found),
                Err(error) => request.refuse(error),
            }
        }
    }

    fn next(&self) -> Option<Vec<ReadRequest<K, V>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.requests.len().min(MAX_TOGETHER);
        waiting.are_served = count > 0;
        (count > 0).then(|| waiting.requests.drain(..count).collect())
    }

    async fn caught(&self, keys: Vec<K>) -> ReadResult<K, V> {
        AssertUnwindSafe((self.read)(keys)).catch_unwind().await.unwrap_or_else(|_| Err(broken()))
    }
}

impl<K: Clone + Eq + Hash, V: Clone> ReadRequest<K, V> {
    /// No waiter is left.
    fn answer_from(self, found: &HashMap<K, V>) {
        let own = self.keys.iter().filter_map(|key| Some((key.clone(), found.get(key)?.clone()))).collect();
        let _ = self.answer.send(Ok(own));
    }

    fn refuse(self, error: StoreError) {
        let _ = self.answer.send(Err(error));
    }
}

fn broken() -> StoreError {
    StoreError::Failed("a read ended without an answer".to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    /// Notes what is read, and waits for a permit each time; 7 cannot be read.
    struct Table {
        reads: Mutex<Vec<usize>>,
        turns: Semaphore,
    }

    fn shared(table: &Arc<Table>) -> Arc<SharedReads<i64, i64>> {
        let table = Arc::clone(table);
        SharedReads::new(move |keys: Vec<i64>| {
            let table = Arc::clone(&table);
            async move {
                table.turns.acquire().await.expect("open").forget();
                table.reads.lock().expect("no panic").push(keys.len());
                match keys.contains(&7) {
                    true => Err(StoreError::Failed("7".to_owned())),
                    false => Ok(keys.into_iter().map(|key| (key, 10 * key)).collect()),
                }
            }
            .boxed()
        })
    }

    fn table(turns: usize) -> Arc<Table> {
        Arc::new(Table { reads: Mutex::default(), turns: Semaphore::new(turns) })
    }

    #[tokio::test]
    async fn those_that_wait_are_read_together_and_each_gets_its_own() {
        let table = table(0);
        let shared = shared(&table);
        let first = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move { shared.get(vec![1]).await }
        });
        tokio::task::yield_now().await;
        let others = futures_util::future::join_all((2..=5).map(|key| shared.get(vec![key, 1])));
        let (others, ()) = tokio::join!(others, async {
            tokio::task::yield_now().await;
            table.turns.add_permits(2);
        });
        assert_eq!(first.await.expect("no panic").expect("found"), HashMap::from([(1, 10)]));
        for (found, key) in others.into_iter().zip(2..) {
            assert_eq!(found.expect("found"), HashMap::from([(key, 10 * key), (1, 10)]));
        }
        assert_eq!(*table.reads.lock().expect("no panic"), [1, 5]);
    }

    #[tokio::test]
    async fn what_cannot_be_read_keeps_no_other_from_being_read_and_a_caller_that_is_gone_none_from_being_served() {
        let table = table(0);
        let shared = shared(&table);
        let gone = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move { shared.get(vec![1]).await }
        });
        tokio::task::yield_now().await;
        gone.abort();
        let all = futures_util::future::join_all([6, 7, 8].map(|key| shared.get(vec![key])));
        let (all, ()) = tokio::join!(all, async {
            tokio::task::yield_now().await;
            table.turns.add_permits(10);
        });
        assert_eq!(all.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(*table.reads.lock().expect("no panic"), [1, 3, 1, 1, 1]);
    }
}
