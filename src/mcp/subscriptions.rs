//! Tells clients that articles have changed: by `resources/subscribe` in the older era, by `subscriptions/listen` in
//! the newer one.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{ResourceUpdatedNotificationParam, SubscriptionFilter},
    service::{ServiceError, SubscriptionContext, SubscriptionSendError, SubscriptionSink},
};

use super::{
    changes::ChangeNotice,
    resources::{LISTS, not_found, slug as slug_of},
    server::{McpServer, Transport},
};
use crate::articles::{ArticleEvent, ChangeKind};

/// Most resources that one session may follow.
const MAX_RESOURCES: usize = 256;

type SubscribedUris = Arc<Mutex<BTreeSet<String>>>;

impl McpServer {
    pub(super) fn want(&self, uri: String) -> Result<(), ErrorData> {
        if uri.starts_with(LISTS) {
            let reason =
                "a list of articles cannot be subscribed to; resources/list_changed tells when it may have changed";
            return Err(ErrorData::invalid_params(reason, None));
        }
        if slug_of(&uri).is_none() {
            return Err(not_found(&uri));
        }
        let mut subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
        if subscribed.len() >= MAX_RESOURCES && !subscribed.contains(&uri) {
            let reason = format!("one session follows at most {MAX_RESOURCES} resources; end a subscription first");
            return Err(ErrorData::invalid_request(reason, None));
        }
        subscribed.insert(uri);
        Ok(())
    }

    pub(super) fn want_no_longer(&self, uri: &str) {
        self.subscribed.lock().unwrap_or_else(PoisonError::into_inner).remove(uri);
    }

    /// Notifies a client of the older era of the protocol, until its session ends.
    pub(super) fn follow(&self, peer: Peer<RoleServer>) {
        let (changes, wanted, alive) = (self.changes.clone(), Arc::clone(&self.subscribed), self.alive.clone());
        let (idle_timer, patience) = (Arc::clone(&self.idle_timer), self.patience());
        tokio::spawn(alive.run_until_cancelled_owned(async move {
            let Some(mut listener) = changes.listen().await else { return };
            let mut has_missed = false;
            while let Some(heard) = listener.next().await {
                // What is sent would keep the session of a client alive that does nothing.
                if idle_timer.elapsed() > patience {
                    has_missed = true;
                    continue;
                }
                let heard = if std::mem::take(&mut has_missed) { ChangeNotice::Missed } else { heard };
                if let Err(error) = tell_peer(&peer, &wanted, &heard).await {
                    return tracing::debug!(%error, "a client is no longer told of changes");
                }
            }
        }));
    }

    fn patience(&self) -> Duration {
        match self.way {
            Transport::Pipe => Duration::MAX,
            Transport::Http { idle } => idle,
        }
    }

    /// Returns the part of a newer client's request that can be served.
    pub(super) fn acceptable(requested: &SubscriptionFilter) -> SubscriptionFilter {
        let mut acceptable = SubscriptionFilter::new();
        acceptable.resources_list_changed = requested.resources_list_changed;
        let uris = requested.resource_subscriptions.iter().flatten();
        acceptable.resource_subscriptions =
            Some(uris.filter(|uri| slug_of(uri).is_some()).take(MAX_RESOURCES).cloned().collect());
        acceptable
    }

    /// Tells a client of the newer era, until it cancels its request or is gone.
    pub(super) async fn tell(&self, context: &SubscriptionContext) -> Result<(), ErrorData> {
        let Some(mut listener) = self.changes.listen().await else { return Ok(()) };
        loop {
            let heard = tokio::select! {
                () = context.cancelled() => return Ok(()),
                () = self.alive.cancelled() => return Ok(()),
                heard = listener.next() => heard,
            };
            let Some(heard) = heard else { return Ok(()) };
            if let Err(error) = tell_sink(context.sink(), &heard).await {
                tracing::debug!(%error, "a client is no longer told of changes");
                return Ok(());
            }
        }
    }
}

/// Whether the list of articles has changed.
fn changes_list(heard: &ChangeNotice) -> bool {
    match heard {
        ChangeNotice::Change(change) => !matches!(change.kind, ChangeKind::Saved),
        ChangeNotice::Missed => true,
    }
}

/// Which of the `wanted` resources may have changed: also those by a former name, which still leads to the article.
fn updated(heard: &ChangeNotice, wanted: &BTreeSet<String>) -> Vec<String> {
    match heard {
        ChangeNotice::Change(ArticleEvent { slug, former_slugs, .. }) => {
            let names: BTreeSet<&str> = std::iter::once(slug).chain(former_slugs).map(String::as_str).collect();
            let is_one = |wanted: &&String| slug_of(wanted).is_some_and(|slug| names.contains(&*slug));
            wanted.iter().filter(is_one).cloned().collect()
        }
        ChangeNotice::Missed => wanted.iter().cloned().collect(),
    }
}

async fn tell_peer(peer: &Peer<RoleServer>, wanted: &SubscribedUris, heard: &ChangeNotice) -> Result<(), ServiceError> {
    let updated = updated(heard, &wanted.lock().unwrap_or_else(PoisonError::into_inner));
    for uri in updated {
        peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await?;
    }
    if changes_list(heard) { peer.notify_resource_list_changed().await } else { Ok(()) }
}

async fn tell_sink(sink: &SubscriptionSink, heard: &ChangeNotice) -> Result<(), SubscriptionSendError> {
    let wanted = sink.accepted().resource_subscriptions.iter().flatten().cloned().collect();
    for uri in updated(heard, &wanted) {
        sink.notify_resource_updated(uri).await?;
    }
    let wants_list = sink.accepted().resources_list_changed == Some(true);
    if wants_list && changes_list(heard) { sink.notify_resource_list_changed().await } else { Ok(()) }
}
