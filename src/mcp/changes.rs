//! One watcher for all listeners of a process: it looks for changed articles as long as there are listeners.

use std::{collections::VecDeque, time::Duration};

use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time::{Instant, MissedTickBehavior},
};

use crate::articles::{ArticleEvent, Articles};

/// How often it looks.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// A new listener is also told changes that are no older than this: they may have been told just before it listened.
const REPEATED_PERIOD: Duration = Duration::from_secs(2);
/// Changes that a slow listener may be behind before it is told that it missed some.
const MAX_BEHIND: usize = 256;

/// Gives access to the watcher. Cheap to clone; the watcher ends with the last clone.
#[derive(Clone)]
pub(super) struct ResourceNotifier {
    joins: mpsc::Sender<oneshot::Sender<Listener>>,
}

/// What a listener is told.
#[derive(Debug, Clone)]
pub(super) enum ChangeNotice {
    /// An article changed.
    Change(ArticleEvent),
    /// More changed than the listener could take; some were not told.
    Missed,
}

/// A listener, as long as it is kept.
pub(super) struct Listener {
    recent: VecDeque<ArticleEvent>,
    told: broadcast::Receiver<ArticleEvent>,
}

impl ResourceNotifier {
    /// Starts the watcher.
    pub(super) fn watch(articles: Articles) -> Self {
        let (joins, joining) = mpsc::channel(16);
        tokio::spawn(watch(articles, joining));
        Self { joins }
    }

    /// Listens from now on; `None` if the watcher has ended.
    pub(super) async fn listen(&self) -> Option<Listener> {
        let (reply, listener) = oneshot::channel();
        self.joins.send(reply).await.ok()?;
        listener.await.ok()
    }
}

impl Listener {
    /// Returns the next change; `None` when there will be none.
    pub(super) async fn next(&mut self) -> Option<ChangeNotice> {
        if let Some(change) = self.recent.pop_front() {
            return Some(ChangeNotice::Change(change));
        }
        match self.told.recv().await {
            Ok(change) => Some(ChangeNotice::Change(change)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(ChangeNotice::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

async fn watch(articles: Articles, mut joining: mpsc::Receiver<oneshot::Sender<Listener>>) {
    let (tell, _) = broadcast::channel(MAX_BEHIND);
    while let Some(first) = joining.recv().await {
        let mut recent: VecDeque<(Instant, ArticleEvent)> = VecDeque::new();
        let mut feed = articles.changes();
        join(first, &tell, &recent);
        let mut tick = tokio::time::interval(CHECK_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while tell.receiver_count() > 0 {
            tokio::select! {
                another = joining.recv() => match another {
                    Some(another) => join(another, &tell, &recent),
                    None => return,
                },
                now = tick.tick() => {
                    recent.retain(|(at, _)| now - *at < REPEATED_PERIOD);
                    let changes = feed.next().await.unwrap_or_else(|error| {
                        tracing::debug!(%error, "changes are looked for again");
                        Vec::new()
                    });
                    for change in changes {
                        recent.push_back((now, change.clone()));
                        // No listener may be left, which the loop notices.
                        let _ = tell.send(change);
                    }
                }
            }
        }
    }
}

fn join(
    who: oneshot::Sender<Listener>,
    tell: &broadcast::Sender<ArticleEvent>,
    recent: &VecDeque<(Instant, ArticleEvent)>,
) {
    let recent = recent.iter().map(|(_, change)| change.clone()).collect();
    // A listener that is gone needs no answer.
    let _ = who.send(Listener { recent, told: tell.subscribe() });
}
