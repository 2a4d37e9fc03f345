//! The number of connections. When there are too many, the longest idle one is closed; if all are busy, a few more are
//! accepted for the requests that are always answered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::Connection;

/// Connections beyond `server.max_connections`, for `/health` and `/ready`.
const RESERVED_CONNECTIONS: usize = 16;
/// How long a connection may take to close for another one.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a connection has to say something before it may have to make room. Of those that come together, the one
/// with a request may be the first that is served.
const FIRST_BYTE_GRACE: Duration = Duration::from_millis(100);

/// Room for connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct ConnectionLimit(Arc<Lanes>);

struct Lanes {
    usual: Lane,
    reserve: Lane,
}

struct Lane {
    free: Arc<Semaphore>,
    taken: Mutex<OpenConnections>,
}

#[derive(Default)]
struct OpenConnections {
    last: u64,
    connections: HashMap<u64, Weak<Connection>>,
}

/// The room of one connection; free again when it is dropped.
pub(super) struct ConnectionPermit {
    room: ConnectionLimit,
    number: u64,
    is_reserve: bool,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionLimit {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Lanes { usual: Lane::new(most), reserve: Lane::new(RESERVED_CONNECTIONS) }))
    }

    /// Takes room for one more; `None` if all are busy.
    pub(super) async fn take(&self) -> Option<(Arc<Connection>, ConnectionPermit)> {
        match self.0.usual.take().await {
            Some(permit) => Some(self.place(permit, false)),
            None => self.0.reserve.take().await.map(|permit| self.place(permit, true)),
        }
    }

    fn place(&self, permit: OwnedSemaphorePermit, is_reserve: bool) -> (Arc<Connection>, ConnectionPermit) {
        let connection = Connection::begin(is_reserve);
        let mut taken = self.lane(is_reserve).lock();
        taken.last += 1;
        let number = taken.last;
        taken.connections.insert(number, Arc::downgrade(&connection));
        drop(taken);
        (connection, ConnectionPermit { room: self.clone(), number, is_reserve, _permit: permit })
    }

    fn lane(&self, is_reserve: bool) -> &Lane {
        if is_reserve { &self.0.reserve } else { &self.0.usual }
    }
}

impl Lane {
    fn new(most: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(most)), taken: Mutex::default() }
    }

    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(permit);
        }
        let young = FIRST_BYTE_GRACE.saturating_sub(self.longest_idle()?.quiet_since().elapsed());
        if !young.is_zero() {
            tokio::time::sleep(young).await;
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                return Some(permit);
            }
        }
        self.longest_idle()?.leave();
        tokio::time::timeout(CLOSE_TIMEOUT, Arc::clone(&self.free).acquire_owned()).await.ok()?.ok()
    }

    fn longest_idle(&self) -> Option<Arc<Connection>> {
        let connections: Vec<_> = self.lock().connections.values().filter_map(Weak::upgrade).collect();
        let idle = connections.into_iter().filter_map(|connection| Some((connection.idle()?, connection)));
        // Those of whom least is known go first.
        idle.min_by_key(|(idle, _)| *idle).map(|(_, connection)| connection)
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.room.lane(self.is_reserve).lock().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_makes_room_and_nobody_who_is_at_work() {
        let room = ConnectionLimit::new(2);
        let (busy, _busy) = room.take().await.expect("room");
        busy.arrival.let_in();
        let _request = busy.work();
        let (idle, place) = room.take().await.expect("room");
        let next = tokio::spawn({
            let room = room.clone();
            async move { room.take().await.map(|(connection, place)| (connection.is_reserve, place)) }
        });
        idle.leave.cancelled().await;
        drop(place);
        let (is_reserve, _place) = next.await.expect("an end").expect("room");
        assert!(!is_reserve && busy.idle().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stranger_with_a_request_makes_room_before_a_client_that_was_let_in() {
        let room = ConnectionLimit::new(2);
        let (known, _known) = room.take().await.expect("room");
        known.arrival.let_in();
        let (stranger, place) = room.take().await.expect("room");
        stranger.has_spoken.store(true, std::sync::atomic::Ordering::Relaxed);
        stranger.is_writing.store(true, std::sync::atomic::Ordering::SeqCst);
        let _form = stranger.work();
        let next = tokio::spawn({
            let room = room.clone();
            async move { room.take().await.map(|(connection, place)| (connection.is_reserve, place)) }
        });
        stranger.leave.cancelled().await;
        drop(place);
        let (is_reserve, _place) = next.await.expect("an end").expect("room");
        assert!(!is_reserve && !known.leave.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_are_at_work_a_few_more_are_taken_for_short_questions() {
        let room = ConnectionLimit::new(1);
        let (busy, _place) = room.take().await.expect("room");
        busy.arrival.let_in();
        let _request = busy.work();
        let mut held = Vec::new();
        for _ in 0..RESERVED_CONNECTIONS {
            let (connection, place) = room.take().await.expect("room");
            assert!(connection.is_reserve);
            held.push((connection.work(), place));
        }
        assert!(room.take().await.is_none());
        held.pop();
        assert!(room.take().await.is_some());
    }
}
