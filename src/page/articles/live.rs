//! The state of one article's embedding, as it changes, and whether the article itself has changed.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use afterword_actors::store::StoreError;
use axum::{extract::State, response::sse::Event};
use futures_util::stream;
use maud::html;
use serde::Deserialize;
use tokio::sync::broadcast::{self, error::RecvError};

use super::read::{self, status};
use crate::{
    articles::summaries,
    page::{
        app::PageState,
        changes::ChangedArticles,
        given::{Path, Query},
        pieces::percent_encode,
        refusal::Refusal,
        stream::{Events, event_stream, fragment},
        visit::Visit,
    },
};

/// When a read that has failed is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// A client that follows one article.
struct Reader {
    app: PageState,
    id: i64,
    /// What it reads, if it says so.
    revision: Option<i64>,
    changes: broadcast::Receiver<ChangedArticles>,
    known: BTreeMap<&'static str, String>,
    waiting: VecDeque<Event>,
}

/// The revision that is shown.
#[derive(Deserialize)]
pub(in crate::page) struct ShownQuery {
    revision: Option<i64>,
}

/// `/live/articles/{slug}?revision=`: the state of one article's embedding, as it changes, and whether there is another
/// revision.
pub(in crate::page) async fn article(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
    Query(ShownQuery { revision }): Query<ShownQuery>,
) -> Result<Events, Refusal> {
    // Subscribed first, so that no change is missed between the read and the stream.
    let changes = app.changes.follow();
    let id = {
        let _room = read::room(&app, &visit, &slug).await?;
        app.host.articles.read(&slug).await?.id
    };
    let known = BTreeMap::from([("newer", String::new())]);
    let reader = Reader { app, id, revision, changes, known, waiting: VecDeque::new() };
    Ok(event_stream(stream::unfold(reader, |mut reader| async {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    })))
}

impl Reader {
    /// Returns a part once it has changed; `None` when the server stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            match parts(&self.app, self.id, self.revision).await {
                Ok(parts) => {
                    for (name, html) in parts {
                        if self.known.get(name) != Some(&html) {
                            self.waiting.push_back(fragment(name, &html));
                            self.known.insert(name, html);
                        }
                    }
                    if self.waiting.is_empty() {
                        self.wait_for_change().await?;
                    }
                }
                // What has changed is not announced again.
                Err(error) => {
                    tracing::debug!(%error, article = self.id, "the state of an article cannot be read");
                    tokio::select! {
                        () = tokio::time::sleep(RETRY_DELAY) => {}
                        () = self.app.stopping.cancelled() => return None,
                    }
                }
            }
        }
    }

    /// Waits for a change of the article's tasks.
    async fn wait_for_change(&mut self) -> Option<()> {
        loop {
            tokio::select! {
                changed = self.changes.recv() => match changed {
                    Ok(Some(articles)) if !articles.contains(&self.id) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return Some(()),
                    Err(RecvError::Closed) => return None,
                },
                () = self.app.stopping.cancelled() => return None,
            }
        }
    }
}

/// The parts of the view by their names. Of a deleted article, the state of its embedding stays as it was.
async fn parts(app: &PageState, id: i64, revision: Option<i64>) -> Result<Vec<(&'static str, String)>, StoreError> {
    let found = summaries(app.host.database.reader(), &[id]).await?;
    let Some(found) = found.first() else {
        let deleted = html! { p.notice { "This article was deleted; what you see is its last text." } };
        return Ok(vec![("newer", deleted.into_string())]);
    };
    let article = &found.article;
    let newer = html! {
        @if revision.is_some_and(|shown| shown != article.revision) {
            p.notice {
                "Revision " (article.revision) " was saved meanwhile. "
                a href={ "/articles/" (percent_encode(&article.slug)) } { "Read it" }
            }
        }
    };
    Ok(vec![("status", status(&article.embedding).into_string()), ("newer", newer.into_string())])
}
