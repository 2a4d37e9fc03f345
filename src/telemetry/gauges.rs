//! What is read for each scrape.

use std::collections::BTreeMap;

use afterword_actors::{ActorState, ActorStatus, Distribution, MetricsSnapshot, RuntimeStatus, WorkerMetrics};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};

use crate::{
    health::{Report, State},
    queue::Numbers,
};

/// How long requests take.
pub(super) const REQUEST_SECONDS: &str = "afterword_http_request_duration_seconds";

/// What each measurement is.
pub(super) fn describe() {
    describe_histogram!(REQUEST_SECONDS, "From the head of a request to the head of its answer.");
    describe_counter!("afterword_http_requests_total", "Requests answered.");
    describe_counter!("afterword_http_unauthorized_total", "Requests refused because they had no valid token.");
    describe_gauge!("afterword_tasks", "Tasks kept, by status.");
    describe_gauge!("afterword_tasks_delayed", "Pending tasks that wait for the time of their next attempt.");
    describe_gauge!("afterword_oldest_due_task_seconds", "Time since the longest-waiting due task became due.");
    describe_gauge!("afterword_queue_paused", "1 while the queue is paused.");
    describe_gauge!("afterword_articles", "Articles by the state of their vectors.");
    describe_gauge!("afterword_ready", "1 while the server or its part is ready, 0.5 while it is degraded, else 0.");
    describe_gauge!("afterword_reranker_up", "1 if the reranker answered the last search that asked it.");
    describe_gauge!("afterword_actor_running", "1 while the actor works normally; of the workers, all of them.");
    describe_gauge!(
        "afterword_actor_mailbox_messages",
        "Messages that wait in the mailbox of the actor, or of the workers together."
    );
    describe_counter!("afterword_actor_restarts_total", "Times the actor was started again, or the workers together.");
    describe_counter!("afterword_worker_tasks_total", "Attempts by their outcome.");
    describe_gauge!(
        "afterword_task_processing_seconds",
        "From claim to end of an attempt, over this start of the host."
    );
    describe_gauge!("afterword_task_wait_seconds", "From due to claim, over this start of the host.");
    describe_gauge!("afterword_tasks_per_second", "Tasks this host completes, over the last 1, 5 and 60 minutes.");
    describe_gauge!("afterword_success_ratio", "Completed of completed and failed, over this start of the host.");
    describe_gauge!("afterword_uptime_seconds", "Time since the runtime started.");
    describe_gauge!("afterword_build_info", "The version that runs.");
    describe_gauge!("process_resident_memory_bytes", "Memory in use.");
    describe_gauge!("process_open_fds", "Open files and sockets.");
}

pub(super) fn numbers(numbers: &Numbers) {
    let queue = &numbers.queue;
    for (status, count) in [
        ("pending", queue.pending),
        ("processing", queue.processing),
        ("completed", queue.completed),
        ("failed", queue.failed),
        ("cancelled", queue.cancelled),
    ] {
        gauge!("afterword_tasks", "status" => status).set(count as f64);
    }
    gauge!("afterword_tasks_delayed").set(queue.delayed as f64);
    gauge!("afterword_oldest_due_task_seconds").set(queue.oldest_due_ms.unwrap_or(0) as f64 / 1000.0);
    gauge!("afterword_queue_paused").set(f64::from(u8::from(queue.paused)));
    let coverage = &numbers.coverage;
    for (state, count) in [
        ("embedded", coverage.embedded),
        ("stale", coverage.stale),
        ("missing", coverage.missing),
        ("skipped", coverage.skipped),
    ] {
        gauge!("afterword_articles", "embedding" => state).set(count as f64);
    }
}

pub(super) fn health(report: &Report) {
    let value = |state| match state {
        State::Ready => 1.0,
        State::Degraded => 0.5,
        State::Unready => 0.0,
    };
    gauge!("afterword_ready", "part" => "all").set(value(report.state));
    for (name, part) in &report.parts {
        gauge!("afterword_ready", "part" => *name).set(value(part.state));
    }
}

pub(super) fn actors(status: &RuntimeStatus) {
    for (name, group) in group_by_role(&status.walk()) {
        gauge!("afterword_actor_running", "actor" => name.clone()).set(f64::from(u8::from(group.all_run)));
        gauge!("afterword_actor_mailbox_messages", "actor" => name.clone()).set(group.mailbox as f64);
        counter!("afterword_actor_restarts_total", "actor" => name).absolute(group.restarts);
    }
}

/// Actors of one role together.
struct Group {
    all_run: bool,
    mailbox: usize,
    restarts: u64,
}

/// Puts the actors of each role together: there may be hundreds of workers, and their numbers mean nothing.
fn group_by_role(actors: &[&ActorStatus]) -> BTreeMap<String, Group> {
    let mut groups = BTreeMap::new();
    for actor in actors {
        let role = actor.name.trim_end_matches(|digit: char| digit.is_ascii_digit()).trim_end();
        let group = groups.entry(role.to_owned()).or_insert(Group { all_run: true, mailbox: 0, restarts: 0 });
        group.all_run &= matches!(actor.state, ActorState::Running | ActorState::Draining);
        group.mailbox += actor.mailbox;
        group.restarts += actor.restarts;
    }
    groups
}

pub(super) fn workers(snapshot: &MetricsSnapshot) {
    for (slot, worker) in &snapshot.workers {
        outcomes(&slot.to_string(), worker);
    }
    distribution("afterword_task_processing_seconds", &snapshot.total.processing);
    distribution("afterword_task_wait_seconds", &snapshot.total.wait);
    for (span, rate) in
        [("1m", snapshot.throughput_1m), ("5m", snapshot.throughput_5m), ("60m", snapshot.throughput_60m)]
    {
        gauge!("afterword_tasks_per_second", "over" => span).set(rate);
    }
    if let Some(ratio) = snapshot.total.success_rate {
        gauge!("afterword_success_ratio").set(ratio);
    }
    gauge!("afterword_uptime_seconds").set(snapshot.uptime_seconds);
}

fn outcomes(slot: &str, worker: &WorkerMetrics) {
    for (outcome, count) in [
        ("completed", worker.completed),
        ("failed", worker.failed),
        ("retried", worker.retried),
        ("cancelled", worker.cancelled),
    ] {
        counter!("afterword_worker_tasks_total", "slot" => slot.to_owned(), "outcome" => outcome).absolute(count);
    }
}

fn distribution(name: &'static str, of: &Distribution) {
    for (quantile, milliseconds) in [("0.5", of.p50_ms), ("0.95", of.p95_ms), ("0.99", of.p99_ms)] {
        gauge!(name, "quantile" => quantile).set(milliseconds / 1000.0);
    }
}

/// What the system reports about this process; nothing without `/proc`.
pub(super) fn process() {
    gauge!("afterword_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    if let Some(kilobytes) = resident {
        gauge!("process_resident_memory_bytes").set(kilobytes * 1024.0);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(files.count() as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &str, state: ActorState, restarts: u64) -> ActorStatus {
        ActorStatus {
            name: name.to_owned(),
            state,
            for_ms: 0,
            restarts,
            mailbox: 1,
            doing: None,
            last_error: None,
            trouble: Vec::new(),
            children: Vec::new(),
        }
    }

    #[test]
    fn workers_are_one_series_however_many_there_are() {
        let workers: Vec<_> =
            (0..576).map(|slot| actor(&format!("WorkerActor {slot}"), ActorState::Running, 1)).collect();
        let (failed, queue) =
            (actor("WorkerActor 576", ActorState::Restarting, 3), actor("QueueActor", ActorState::Running, 0));
        let all: Vec<_> = workers.iter().chain([&failed, &queue]).collect();
        let groups = group_by_role(&all);
        assert_eq!(groups.keys().collect::<Vec<_>>(), ["QueueActor", "WorkerActor"]);
        let workers = &groups["WorkerActor"];
        assert_eq!((workers.all_run, workers.mailbox, workers.restarts), (false, 577, 579));
        assert!(groups["QueueActor"].all_run);
    }
}
