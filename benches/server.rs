//! The queue and searches on PostgreSQL. A plain program, to be run with a PostgreSQL that syncs its commits:
//! `scripts/bench-server [WHAT]`, where WHAT is `drain`, `saves`, `history`, `snapshot [SECONDS]`, `vectors` or
//! `engines COLLECTION`; `drain COUNT SLOTS` prints one number, tasks for each second.

#[path = "server/engines.rs"]
mod engines;
mod no_op;
#[path = "server/queue.rs"]
mod queue;
#[path = "server/saves.rs"]
mod saves;
#[path = "../tests/support/test_database.rs"]
#[allow(dead_code, reason = "SQLite is not measured here")]
mod test_database;
#[path = "server/times.rs"]
mod times;
#[path = "server/vectors.rs"]
mod vectors;

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|text| !text.starts_with("--")).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u32>().ok());
    let what = arguments.first().map_or("all", String::as_str);
    if let (Some(count), Some(slots)) = (number(1), number(2)) {
        println!("{:.0}", queue::drain(count.into(), slots, 1).await);
        return;
    }
    let wanted = |name| what == "all" || what == name;
    if wanted("drain") {
        queue::rates().await;
    }
    if wanted("saves") {
        saves::latencies().await;
    }
    if wanted("history") {
        queue::history().await;
    }
    if wanted("snapshot") {
        queue::snapshot(std::time::Duration::from_secs(number(1).unwrap_or(600).into())).await;
    }
    if wanted("vectors") {
        vectors::recall_and_rate().await;
    }
    if let ("engines", Some(collection)) = (what, arguments.get(1)) {
        engines::agreement(collection.as_ref()).await;
    }
}
