//! Lets edits of one article that lost the race for a revision take turns. Each is applied to the newest text, so of
//! all that try at once only one succeeds; one after the other, each competes only with newcomers and other processes.

use std::{
    array,
    hash::{BuildHasher, RandomState},
    sync::LazyLock,
};

use tokio::sync::{Mutex, MutexGuard};

/// Articles share turns; there are enough that few have to wait for edits of another article.
const LOCKS: usize = 64;

static TURNS: LazyLock<(RandomState, [Mutex<()>; LOCKS])> =
    LazyLock::new(|| (RandomState::new(), array::from_fn(|_| Mutex::const_new(()))));

/// Waits for the turn of an edit of this article; the first to ask is the first to have it.
pub(super) async fn turn(slug: &str) -> MutexGuard<'static, ()> {
    let (hasher, turns) = &*TURNS;
    turns[hasher.hash_one(slug) as usize % LOCKS].lock().await
}
