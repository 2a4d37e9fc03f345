//! Hours in minutes: two hosts on one SQLite database, edits without end, bulk runs, changes of model, pauses and
//! cancellations, a provider that fails in every way, and `kill -9`. A plain program: `scripts/soak [MINUTES]`.
//!
//! One host is killed again and again, and returns with the present model; the other runs from start to end with the
//! settings of the start, and its memory is watched. At the end every article must be as it was last saved, and
//! embedded from exactly that text by the model in use.

#[path = "soak/host.rs"]
mod host;
#[path = "soak/ledger.rs"]
mod ledger;
#[path = "soak/operator.rs"]
mod operator;
#[path = "soak/provider.rs"]
mod provider;

use std::time::{Duration, Instant};

use afterword::{
    articles::{AfterSave, Articles, Limits},
    database,
};
use afterword_actors::store::{Database, OpenOptions, stats};

use host::HostProcess;
use ledger::Ledger;
use operator::Operator;
use provider::Provider;

/// The time before the first look at memory: until then caches fill.
const WARM_UP: Duration = Duration::from_secs(120);
/// How long everything may take once nothing is broken any more.
const SETTLE: Duration = Duration::from_secs(300);

/// A number below `end`, different each time.
fn random(end: u64) -> u64 {
    u64::try_from(uuid::Uuid::now_v7().as_u128() & u128::from(u64::MAX >> 2)).unwrap_or_default() % end
}

#[tokio::main]
async fn main() {
    if host::is_wanted() {
        return host::run().await;
    }
    let Some(minutes) = std::env::args().skip(1).find_map(|text| text.parse::<u64>().ok()) else {
        return println!("say for how many minutes: cargo bench --bench soak -- 30");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("soak.db").display());
    let database = Database::open(&OpenOptions::new(&url)).await.expect("a database");
    database::migrate(&database).await.expect("a schema");
    let provider = Provider::start().await;
    let mut operator = Operator::new(&url, &provider.url).await;
    let articles = Articles::new(database.clone(), Limits::default(), 50, AfterSave::Poll);
    let mut ledger = Ledger::new(articles);
    let steady = HostProcess::start(&url, &provider.url, &operator.model());
    let mut victim = HostProcess::start(&url, &provider.url, &operator.model());
    let (begun, mut kills, mut next_kill, mut next_line) = (Instant::now(), 0, 5, 60);
    let mut memory = Vec::new();
    while begun.elapsed() < Duration::from_secs(minutes * 60) {
        ledger.change_something().await;
        operator.act_if_due().await;
        tokio::time::sleep(Duration::from_millis(random(60))).await;
        let elapsed = begun.elapsed().as_secs();
        if elapsed >= next_kill {
            victim.kill();
            kills += 1;
            victim = HostProcess::start(&url, &provider.url, &operator.model());
            next_kill = elapsed + 2 + random(10);
        }
        provider.change_mood_if_due();
        if elapsed >= next_line {
            next_line += 60;
            if begun.elapsed() > WARM_UP {
                memory.push(steady.memory_mib());
            }
            let queue = stats::queue(database.reader()).await.expect("statistics");
            println!(
                "{:>3} min: {} articles, {} changes, {kills} kills, {} bulk runs, {} models, {} cancellations, {} calls, {} \
                 refused; waiting {}, memory {:.0} MiB",
                elapsed / 60,
                ledger.articles(),
                ledger.changes,
                operator.bulk_runs,
                operator.changes,
                operator.cancelled,
                provider.calls(),
                provider.refused(),
                queue.pending + queue.processing,
                steady.memory_mib()
            );
        }
    }
    provider.be_good();
    let model = settle(&database, &operator).await;
    let faults = ledger.faults(&database, &provider, &model).await;
    let damage = database::verify(&database).await.expect("a verification");
    println!("{} articles compared: {} faults", ledger.articles(), faults.len());
    faults.iter().take(20).for_each(|fault| println!("  {fault}"));
    println!("verification: {damage:?}");
    let grown = memory.last().zip(memory.first()).map(|(last, first)| last / first);
    println!("memory of the host that lived: {memory:.0?} MiB, last / first = {:.2}", grown.unwrap_or(1.0));
    assert!(faults.is_empty(), "something was lost or is stale");
    assert!(grown.unwrap_or(1.0) < 1.3, "memory grows");
}

/// Waits until no task waits and no change of model is under way; returns the model in use.
async fn settle(database: &Database, operator: &Operator) -> String {
    let begun = Instant::now();
    loop {
        let queue = stats::queue(database.reader()).await.expect("statistics");
        if queue.pending + queue.processing == 0
            && let Some(model) = operator.model_in_use().await
        {
            println!("settled in {:.1} s; failed for good: {}", begun.elapsed().as_secs_f64(), queue.failed);
            return model;
        }
        assert!(begun.elapsed() < SETTLE, "the queue is stuck: {queue:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
