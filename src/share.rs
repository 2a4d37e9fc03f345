//! A resource that clients share: limited in total and for each client, so that none can take all of it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::Who;

/// Clients that are remembered before those are forgotten that have taken nothing.
const MAX_REMEMBERED_CLIENTS: usize = 256;

/// A countable resource that clients share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shares<K = Who>(Arc<Shared<K>>);

struct Shared<K> {
    all: Arc<Semaphore>,
    each: u32,
    clients: Mutex<HashMap<K, Weak<Semaphore>>>,
}

/// Units that are taken, until this is dropped.
pub(crate) struct SharePermit {
    _own: Option<OwnedSemaphorePermit>,
    _all: OwnedSemaphorePermit,
}

/// What an answer takes until all of it has been sent: a door that cannot keep it beside its answer puts it into the
/// answer's extensions, for the guards.
#[derive(Clone)]
pub(crate) struct UntilSent {
    _taken: Arc<SharePermit>,
}

impl From<SharePermit> for UntilSent {
    fn from(taken: SharePermit) -> Self {
        Self { _taken: Arc::new(taken) }
    }
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// Shares `all` units, of which one client takes at most `each`.
    pub(crate) fn new(all: u32, each: u32) -> Self {
        let (all, each) = (all.max(1), each.clamp(1, all.max(1)));
        Self(Arc::new(Shared { all: Arc::new(Semaphore::new(all as usize)), each, clients: Mutex::default() }))
    }

    /// Takes `units` for `who` as soon as they are free; if it wants more than its part, all of its part. Never `None`
    /// while this exists.
    pub(crate) async fn take(&self, who: &K, units: u32) -> Option<SharePermit> {
        let units = units.min(self.0.each);
        // The client's own part first: while it waits for that it blocks no other client.
        let own = self.own(who).acquire_many_owned(units).await.ok()?;
        let all = Arc::clone(&self.0.all).acquire_many_owned(units).await.ok()?;
        Some(SharePermit { _own: Some(own), _all: all })
    }

    /// The same for work that is nobody's in particular: only the total limits it.
    pub(crate) async fn take_for_nobody(&self, units: u32) -> Option<SharePermit> {
        let all = Arc::clone(&self.0.all).acquire_many_owned(units.min(self.0.each)).await.ok()?;
        Some(SharePermit { _own: None, _all: all })
    }

    /// The same as [`Shares::take`] if they are free now.
    pub(crate) fn try_take(&self, who: &K, units: u32) -> Option<SharePermit> {
        let own = self.own(who).try_acquire_many_owned(units).ok()?;
        let all = Arc::clone(&self.0.all).try_acquire_many_owned(units).ok()?;
        Some(SharePermit { _own: Some(own), _all: all })
    }

    fn own(&self, who: &K) -> Arc<Semaphore> {
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = clients.get(who).and_then(Weak::upgrade) {
            return own;
        }
        if clients.len() >= MAX_REMEMBERED_CLIENTS {
            clients.retain(|_, own| own.strong_count() > 0);
        }
        let own = Arc::new(Semaphore::new(self.0.each as usize));
        clients.insert(who.clone(), Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_client_leaves_something_to_the_others() {
        let shares = Shares::new(4, 3);
        let (one, other) = (Who::Token(1), Who::Token(2));
        let held = shares.take(&one, 100).await.expect("as much as one may have");
        assert!(shares.try_take(&one, 1).is_none(), "no more for this one");
        let more = shares.try_take(&other, 1).expect("something for the other");
        assert!(shares.try_take(&other, 1).is_none(), "and no more in all");
        drop((held, more));
        assert!(shares.try_take(&one, 3).is_some() && shares.try_take(&other, 3).is_some());
    }
}
