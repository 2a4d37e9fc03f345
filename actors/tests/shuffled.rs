//! The actor tree under shuffled time: actors die at any moment and in any order, restarts and requests take any time,
//! the provider is away, another process locks the database. In every order the tree is complete afterwards, every slot
//! works, and every task has ended once.
//!
//! Time is virtual and advanced at random while SQLite works; each seed gives another order. `SHUFFLES=1000` runs as
//! many seeds, `SHUFFLE=17` runs one again. A failure prints its story.

mod support;

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use afterword_actors::{
    Delays, RestartSettings, Runtime, RuntimeSettings, RuntimeStatus,
    embedder::EmbedError,
    store::{Database, OpenOptions, StoreError, sql::Sql},
};
use futures_util::FutureExt;
use support::{Fixture, OnSqlite, TestModel, quick};
use tokio::{sync::mpsc, time::Instant};

/// Orders that are tried unless `SHUFFLES` says otherwise.
const SEEDS: u64 = 60;
/// The virtual time within which everything must have ended.
const BOUND: Duration = Duration::from_secs(600);
const ARTICLES: u64 = 12;

#[test]
fn whatever_dies_in_whatever_order_the_tree_is_whole_again_and_every_task_ends_once() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SHUFFLE") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SHUFFLES").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        tokio.expect("a runtime").block_on(one_order(seed));
    }
}

async fn one_order(seed: u64) {
    let story = Story { seed, begun: Instant::now(), lines: Mutex::default() };
    let running = Arc::new(AtomicBool::new(true));
    let clock = clock(Chance(seed ^ 0xc10c), Arc::clone(&running));
    let order = AssertUnwindSafe(async { Order::begin(&story).await.run(&story).await }).catch_unwind();
    let ended = tokio::time::timeout(4 * BOUND, order).await;
    running.store(false, Ordering::Relaxed);
    clock.abort();
    match ended {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(what))) => story.fail(&what),
        Ok(Err(_)) => story.fail("it panicked, see above"),
        Err(_) => story.fail("it never ended"),
    }
}

/// Advances time by something at each tick. A blocking thread gives the ticks, which also keeps tokio from advancing
/// time by itself whenever it waits for SQLite.
fn clock(mut chance: Chance, running: Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    let (sender, mut ticks) = mpsc::channel::<()>(1);
    tokio::task::spawn_blocking(move || {
        while running.load(Ordering::Relaxed) && sender.blocking_send(()).is_ok() {
            std::thread::yield_now();
        }
    });
    tokio::spawn(async move {
        while ticks.recv().await.is_some() {
            tokio::time::advance(Duration::from_micros(chance.below(2_000))).await;
        }
    })
}

struct Order {
    chance: Chance,
    bench: Fixture<OnSqlite>,
    /// As another process has it.
    other: Database,
    model: Arc<TestModel>,
    runtime: Runtime,
    slots: u32,
    hanging: bool,
}

impl Order {
    async fn begin(story: &Story) -> Self {
        let mut chance = Chance(story.seed);
        let patience = if chance.below(2) == 0 { Duration::from_millis(1) } else { Duration::from_secs(10) };
        let bench = Fixture::<OnSqlite>::with(|options| OpenOptions { busy_timeout: patience, ..options }).await;
        let other = Database::open(&OpenOptions::new(bench.url())).await.expect("a database");
        let settings = settings(&mut chance);
        let slots = settings.slots;
        story.tell(format!("{slots} slots, restarts after {:?}", settings.restart.delays));
        let model = TestModel::new("one");
        *model.latency.lock().expect("the lock") = chance.time(30);
        let shared = usize::try_from(chance.below(4)).expect("a small number");
        model.shared.store(shared, Ordering::SeqCst);
        story.tell(format!("{shared} requests that articles share"));
        let runtime = Runtime::start(bench.database.clone(), model.model(), settings).await.expect("a runtime");
        Self { chance, bench, other, model, runtime, slots, hanging: false }
    }

    async fn run(mut self, story: &Story) -> Result<(), String> {
        for number in 0..ARTICLES {
            self.save(&format!("article-{number}"), number).await;
            self.something_happens(story).await;
        }
        for _ in 0..self.chance.below(25) {
            self.something_happens(story).await;
        }
        *self.model.outage.lock().expect("the lock") = None;
        self.hangs(false).await;
        story.tell("from now on nothing happens any more");
        self.check_all_ended(ARTICLES).await?;
        self.check_tree_is_whole().await?;
        self.check_every_slot_works().await?;
        self.check_all_ended(ARTICLES + u64::from(self.slots)).await?;
        let drained = self.runtime.stop(BOUND).await;
        if drained.finished && drained.released == 0 { Ok(()) } else { Err(format!("{drained:?}")) }
    }

    /// As another process saves: the runtime is not told.
    async fn save(&mut self, slug: &str, number: u64) {
        while self.bench.try_save(&self.other, slug, &format!("first {number}\nsecond {number}"), 1_000).await.is_err()
        {
            tokio::task::yield_now().await;
        }
    }

    async fn something_happens(&mut self, story: &Story) {
        match self.chance.below(12) {
            0..5 => {
                let victims: Vec<_> = self.runtime.victims().await.into_iter().collect();
                if victims.is_empty() {
                    return;
                }
                let (name, victim) = &victims[self.chance.below(victims.len() as u64) as usize];
                for _ in 0..self.chance.below(40) {
                    tokio::task::yield_now().await;
                }
                story.tell(format!("{name} is killed"));
                victim.kill();
            }
            5 => {
                let outage = (self.chance.below(2) == 0).then(|| EmbedError::unavailable("away"));
                story.tell(format!("the provider: {outage:?}"));
                *self.model.outage.lock().expect("the lock") = outage;
            }
            6 => {
                let length = self.chance.time(300);
                story.tell(format!("another process locks the database for {length:?}"));
                let locked = self.other.write::<_, StoreError, _>(async move |transaction| {
                    transaction.run("SELECT 1", []).await?;
                    tokio::time::sleep(length).await;
                    Ok(())
                });
                let _ = locked.await;
            }
            7 => self.runtime.wake(),
            8 => {
                let hangs = self.chance.below(2) == 0;
                story.tell(if hangs { "the provider hangs" } else { "the provider answers" });
                self.hangs(hangs).await;
            }
            _ => tokio::time::sleep(self.chance.time(400)).await,
        }
    }

    /// From now on the provider fails, or answers again.
    async fn hangs(&mut self, hangs: bool) {
        if hangs != std::mem::replace(&mut self.hanging, hangs) {
            if hangs { self.model.hold().await } else { self.model.open() }
        }
    }

    async fn check_all_ended(&self, articles: u64) -> Result<(), String> {
        let articles = i64::try_from(articles).expect("a small number");
        let completed = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'completed'";
        self.until("every task is completed", async || self.bench.number(completed).await == articles).await?;
        for (what, sql, expected) in [
            ("tasks", "SELECT count(*) AS n FROM embedding_tasks", articles),
            ("sets of vectors", "SELECT count(*) AS n FROM article_embeddings", articles),
            ("vectors", "SELECT count(*) AS n FROM article_chunks", 3 * articles),
            ("stored sets", "SELECT count(*) AS n FROM vector_changes", articles),
            (
                "tasks that ended",
                "SELECT count(*) AS n FROM embedding_task_events WHERE to_status IN ('completed', 'failed', 'cancelled')",
                articles,
            ),
        ] {
            let found = self.bench.number(sql).await;
            if found != expected {
                return Err(format!("{found} {what} instead of {expected}"));
            }
        }
        Ok(())
    }

    async fn check_tree_is_whole(&self) -> Result<(), String> {
        let is_whole = |status: RuntimeStatus| {
            status.is_healthy() && status.trouble.is_empty() && status.walk().len() == 6 + self.slots as usize
        };
        self.until("the tree is whole", async || self.runtime.status().await.is_some_and(is_whole)).await
    }

    async fn check_every_slot_works(&mut self) -> Result<(), String> {
        self.model.hold().await;
        for slot in 0..self.slots {
            self.save(&format!("slot-{slot}"), 1_000 + u64::from(slot)).await;
        }
        let (slots, shared) = (self.slots as usize, self.model.shared.load(Ordering::SeqCst));
        let busy = "SELECT count(DISTINCT slot) AS n FROM embedding_tasks WHERE status = 'processing'";
        self.until("every slot works", async || self.bench.number(busy).await == i64::from(self.slots)).await?;
        let requests = if shared == 0 { slots } else { 1 };
        self.until("the provider is asked", async || self.model.running() >= requests).await?;
        self.model.open();
        Ok(())
    }

    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) -> Result<(), String> {
        let ends = Instant::now() + BOUND;
        while !is_so().await {
            if Instant::now() > ends {
                let stats = self.runtime.handle().queue_stats().await;
                return Err(format!("not so: {what}\n{stats:?}\n{:#?}", self.runtime.status().await));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn settings(chance: &mut Chance) -> RuntimeSettings {
    let restart = Delays { base: chance.time(200), max: Duration::from_secs(2) };
    let circuit = Delays { base: chance.time(100), max: Duration::from_secs(2) };
    RuntimeSettings {
        slots: 1 + u32::try_from(chance.below(5)).expect("a small number"),
        poll_interval: chance.time(300),
        heartbeat_interval: chance.time(500),
        restart: RestartSettings { delays: restart, ..quick().restart },
        circuit,
        ..quick()
    }
}

/// What happened, to find out why.
struct Story {
    seed: u64,
    begun: Instant,
    lines: Mutex<Vec<String>>,
}

impl Story {
    fn tell(&self, what: impl AsRef<str>) {
        let line = format!("{:>12.3?}  {}", self.begun.elapsed(), what.as_ref());
        self.lines.lock().expect("the lock").push(line);
    }

    fn fail(&self, what: &str) {
        let lines = self.lines.lock().expect("the lock").join("\n");
        panic!("seed {} (SHUFFLE={} runs it again):\n{lines}\n{what}", self.seed, self.seed);
    }
}

/// Random numbers that repeat for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// At least one millisecond, less than `millis`.
    fn time(&mut self, millis: u64) -> Duration {
        Duration::from_millis(1 + self.below(millis - 1))
    }
}
