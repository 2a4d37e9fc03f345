//! Runs work that takes a processor for a while away from the threads that answer requests, and only little at once: a
//! text of many megabytes takes several times its size while it is read.
//!
//! There are three lanes, so that a save never waits for a page or a search. In each, one caller has half of the
//! threads, and waits for its own work before it stands in line with the others. What a page asks for has a [`Turn`]:
//! it ends early when its time is over, or when nobody waits for it any more.

use std::{
    sync::{Arc, LazyLock, Weak},
    time::{Duration, Instant},
};

use afterword_actors::store::acting;

use crate::share::Shares;

/// Work of saves.
static SAVES: LazyLock<Lane> = LazyLock::new(Lane::new);
/// Work of answers: searches, parts of articles.
static ANSWERS: LazyLock<Lane> = LazyLock::new(Lane::new);
/// Work of pages for people, which may be given up: long texts, colours of code, differences.
static PAGES: LazyLock<Lane> = LazyLock::new(Lane::new);

/// Texts up to this size are read in place: moving them would take longer. *Units:* bytes.
pub(crate) const SMALL_TEXT_BYTES: usize = 16 << 10;
/// How long work of one page may take; it shows what is ready by then.
const LONGEST_TURN: Duration = Duration::from_secs(2);
/// Threads of a lane in any case: one caller leaves one to the others.
const LEAST_THREADS: usize = 2;

/// Reads `text` for a save: in place, or, if that takes a while, on another thread.
pub(crate) async fn read<T: Send + 'static>(text: &str, reading: fn(&str) -> T) -> T {
    if text.len() <= SMALL_TEXT_BYTES {
        return reading(text);
    }
    let text = text.to_owned();
    save(move || reading(&text)).await
}

/// Does `work` of a save on another thread, when one of the few is free. It runs to its end even if its caller is
/// dropped.
///
/// # Panics
/// If `work` does.
pub(crate) async fn save<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    SAVES.run(work).await
}

/// The same for work of an answer.
///
/// # Panics
/// If `work` does.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    ANSWERS.run(work).await
}

/// The same for work of a page, which is not begun if its caller is dropped before, and should look at its turn.
///
/// # Panics
/// If `work` does.
pub(crate) async fn show<T: Send + 'static>(work: impl FnOnce(&Turn) -> T + Send + 'static) -> T {
    let caller = Arc::new(());
    let waits = Arc::downgrade(&caller);
    let shown = PAGES.run(move || {
        let turn = Turn::of(waits);
        (!turn.is_over()).then(|| work(&turn))
    });
    let shown = shown.await;
    drop(caller);
    match shown {
        Some(shown) => shown,
        // Its caller was dropped, so nobody waits for this.
        None => std::future::pending().await,
    }
}

/// Does small work of a page in place.
pub(crate) fn show_here<T>(work: impl FnOnce(&Turn) -> T) -> T {
    let caller = Arc::new(());
    work(&Turn::of(Arc::downgrade(&caller)))
}

/// The time that work of a page has.
pub(crate) struct Turn {
    until: Instant,
    caller: Weak<()>,
}

impl Turn {
    fn of(caller: Weak<()>) -> Self {
        Self { until: Instant::now() + LONGEST_TURN, caller }
    }

    /// Whether the time is over, or nobody waits any more.
    pub(crate) fn is_over(&self) -> bool {
        self.caller.strong_count() == 0 || Instant::now() >= self.until
    }
}

/// A few threads for one kind of work, shared by the callers by their names.
struct Lane(Shares<String>);

impl Lane {
    /// As many threads as half of the cores, and half of those for one caller.
    fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let all = u32::try_from((cores / 2).clamp(LEAST_THREADS, 8)).unwrap_or(2);
        Self(Shares::new(all, all / 2))
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let room = match acting() {
            Some(who) => self.0.take(&who, 1).await,
            None => self.0.take_for_nobody(1).await,
        };
        let done = tokio::task::spawn_blocking(move || {
            let _room = room;
            work()
        });
        match done.await {
            Ok(done) => done,
            Err(broken) if broken.is_panic() => std::panic::resume_unwind(broken.into_panic()),
            // The process is ending, and no caller waits for this any more.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use afterword_actors::store::acting_as;
    use tokio::task::JoinSet;

    use super::*;

    /// Holds a lane's threads until the returned sender is dropped.
    async fn fill(lane: &'static Lane, who: &str) -> (mpsc::Sender<()>, JoinSet<()>) {
        let (release, held) = mpsc::channel::<()>();
        let held = std::sync::Arc::new(std::sync::Mutex::new(held));
        let mut work = JoinSet::new();
        let (began, mut begun) = tokio::sync::mpsc::channel(1);
        for _ in 0..64 {
            let (held, began, who) = (std::sync::Arc::clone(&held), began.clone(), who.to_owned());
            work.spawn(acting_as(
                who,
                lane.run(move || {
                    let _ = began.try_send(());
                    // An error: it was dropped, and everybody may go on.
                    let _ = held.lock().map(|held| held.recv());
                }),
            ));
        }
        begun.recv().await.expect("work that began");
        (release, work)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_save_waits_for_no_page_and_no_search() {
        let (pages, at_pages) = fill(&PAGES, "a reader").await;
        let (answers, at_answers) = fill(&ANSWERS, "a reader").await;
        assert_eq!(acting_as("a reader".to_owned(), save(|| 1)).await, 1, "not even its own ones");
        drop((pages, answers));
        at_pages.join_all().await;
        at_answers.join_all().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_page_of_one_caller_waits_for_none_of_another() {
        let (pages, at_pages) = fill(&PAGES, "who reads long texts").await;
        assert_eq!(acting_as("another".to_owned(), show(|_| 1)).await, 1);
        drop(pages);
        at_pages.join_all().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_turn_of_a_page_is_over_when_its_client_has_gone() {
        let (began, begun) = tokio::sync::oneshot::channel();
        let (go_on, held) = mpsc::channel::<()>();
        let (said, heard) = tokio::sync::oneshot::channel();
        let page = tokio::spawn(show(move |turn| {
            let before = turn.is_over();
            let _ = began.send(());
            let _ = held.recv();
            let _ = said.send((before, turn.is_over()));
        }));
        begun.await.expect("work that began");
        page.abort();
        assert!(page.await.expect_err("a client that has gone").is_cancelled());
        drop(go_on);
        assert_eq!(heard.await.expect("the end of the work"), (false, true));
        assert!(!show_here(Turn::is_over), "somebody waits for what is done in place");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_one_caller_only_the_first_stand_in_line() {
        static LANE: LazyLock<Lane> = LazyLock::new(|| Lane(Shares::new(2, 1)));
        let (release, at_work) = fill(&LANE, "one").await;
        assert_eq!(acting_as("another".to_owned(), LANE.run(|| 1)).await, 1);
        assert_eq!(LANE.run(|| 2).await, 2, "nobody in particular");
        drop(release);
        at_work.join_all().await;
    }
}
