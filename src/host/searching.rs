//! Searches for clients that share the connections.

use afterword_actors::store::{acting, acting_as};
use tracing::Instrument;

use super::Host;
use crate::{
    auth::Who,
    search::{MAX_QUESTIONS, Query, SearchAnswer, SearchError},
    share::Taken,
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
async fn to_its_end<T: Send + 'static>(turn: Option<Taken>, search: impl Future<Output = T> + Send + 'static) -> T {
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
