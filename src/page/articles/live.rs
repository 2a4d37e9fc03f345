//! The state of one article's embedding, as it changes.

use std::time::Duration;

use afterword_actors::store::StoreError;
use axum::extract::{Path, State};
use futures_util::stream;
use tokio::sync::broadcast::{self, error::RecvError};

use super::read::{self, status};
use crate::{
    articles::summaries,
    page::{
        app::PageState,
        changes::ChangedArticles,
        refusal::Refusal,
        stream::{Events, fragment, sent},
        visit::Visit,
    },
};

/// When a read that has failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A client that follows one article.
struct Reader {
    app: PageState,
    id: i64,
    changes: broadcast::Receiver<ChangedArticles>,
    known: Option<String>,
}

/// `/live/articles/{slug}`: the state of one article's embedding, as it changes.
pub(in crate::page) async fn article(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
) -> Result<Events, Refusal> {
    // Subscribed first, so that no change is missed between the read and the stream.
    let changes = app.changes.follow();
    let id = {
        let _room = read::room(&app, &visit, &slug).await?;
        app.host.articles.read(&slug).await?.id
    };
    let reader = Reader { app, id, changes, known: None };
    Ok(sent(stream::unfold(reader, |mut reader| async {
        let html = reader.next().await?;
        Some((Ok(fragment("status", &html)), reader))
    })))
}

impl Reader {
    /// Returns the state once it has changed; `None` when the server stops.
    async fn next(&mut self) -> Option<String> {
        loop {
            match shown(&self.app, self.id).await {
                Ok(html) => {
                    if html.is_some() && html != self.known {
                        self.known.clone_from(&html);
                        return html;
                    }
                    self.changed().await?;
                }
                // What has changed is not announced again.
                Err(error) => {
                    tracing::debug!(%error, article = self.id, "the state of an article cannot be read");
                    tokio::select! {
                        () = tokio::time::sleep(AGAIN) => {}
                        () = self.app.stopping.cancelled() => return None,
                    }
                }
            }
        }
    }

    /// Waits for a change of the article's tasks.
    async fn changed(&mut self) -> Option<()> {
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

/// Returns `None` if the article was deleted.
async fn shown(app: &PageState, id: i64) -> Result<Option<String>, StoreError> {
    let found = summaries(app.host.database.reader(), &[id]).await?;
    Ok(found.first().map(|found| status(&found.article.embedding).into_string()))
}
