//! No-op jobs drained by effectum, as it comes. Prints jobs for each second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use effectum::{Error, Job, JobRunner, Queue, RunningJob, Worker};

async fn nothing(_: RunningJob, done: Arc<AtomicU64>) -> Result<(), Error> {
    done.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

#[tokio::main]
async fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let slots: u16 = std::env::args().nth(2).and_then(|text| text.parse().ok()).unwrap_or(64);
    let directory = tempfile::tempdir().expect("a directory");
    let queue = Queue::new(&directory.path().join("queue.db")).await.expect("a queue");
    for _ in 0..count / 500 {
        let jobs = (0..500).map(|_| Job::builder("nothing").build()).collect();
        queue.add_jobs(jobs).await.expect("jobs");
    }
    let done = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let worker = Worker::builder(&queue, Arc::clone(&done))
        .max_concurrency(slots)
        .min_concurrency(slots / 2)
        .jobs([JobRunner::builder("nothing", nothing).build()])
        .build()
        .await
        .expect("a worker");
    loop {
        let open = queue.num_active_jobs().await.expect("numbers");
        if open.pending + open.running == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(done.load(Ordering::Relaxed), count, "all were run");
    println!("{:.0}", count as f64 / begun.elapsed().as_secs_f64());
    worker.unregister(Some(Duration::from_secs(5))).await.expect("an end");
}
