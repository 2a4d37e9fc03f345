//! The operator of the hosts: bulk runs, changes of model, pauses, and cancellations of each.

use std::time::{Duration, Instant};

use afterword::{
    articles::folder::Folder,
    host::Host,
    queue::{QueueError, TaskFilter},
};
use afterword_actors::{
    store::{backlog::Backlog, models::Switch},
    task::TaskStatus,
};

use crate::{host, random};

/// Seconds from one act to the next, on average.
const ACT: u64 = 3;
/// From one change of model to the next.
const CHANGE: Duration = Duration::from_secs(45);

/// Acts through the same calls as the command line.
pub(super) struct Operator {
    database: String,
    provider: String,
    host: Host,
    number: u64,
    next_act: Instant,
    next_change: Instant,
    pub(super) bulk_runs: u64,
    pub(super) changes: u64,
    pub(super) cancelled: u64,
}

impl Operator {
    pub(super) async fn new(database: &str, provider: &str) -> Self {
        let host = Host::open(&host::settings(database, provider, &model(0))).await.expect("a database");
        let (next_act, next_change) = (Instant::now(), Instant::now() + CHANGE);
        let (database, provider) = (database.to_owned(), provider.to_owned());
        Self { database, provider, host, number: 0, next_act, next_change, bulk_runs: 0, changes: 0, cancelled: 0 }
    }

    /// The model that hosts are started with.
    pub(super) fn model(&self) -> String {
        model(self.number)
    }

    pub(super) async fn act_if_due(&mut self) {
        let now = Instant::now();
        if now >= self.next_change {
            self.next_change = now + CHANGE;
            self.change_model().await;
        } else if now >= self.next_act {
            self.next_act = now + Duration::from_millis(random(2 * ACT * 1000));
            self.act().await;
        }
    }

    async fn act(&mut self) {
        match random(10) {
            0..4 => self.start_bulk().await,
            4..7 => self.cancel_bulk().await,
            7..9 => self.take_back_a_task().await,
            _ => {
                self.host.queue.pause().await.expect("a pause");
                tokio::time::sleep(Duration::from_millis(random(500))).await;
                self.host.queue.resume().await.expect("an end of the pause");
            }
        }
    }

    async fn start_bulk(&mut self) {
        let scope = if random(2) == 0 { Backlog::All } else { Backlog::Missing };
        self.host.bulk.start(scope, &Folder::default()).await.expect("a run");
        self.bulk_runs += 1;
    }

    async fn cancel_bulk(&mut self) {
        if let Ok(run) = self.host.bulk.last().await {
            self.cancelled += u64::from(self.host.bulk.cancel(run.summary.id).await.expect("an answer"));
        }
    }

    /// Cancels the first waiting task, and retries it.
    async fn take_back_a_task(&mut self) {
        let waiting = TaskFilter { status: Some(TaskStatus::Pending), article_id: None, before: None, limit: 1 };
        let Some(task) = self.host.queue.tasks(&waiting).await.expect("tasks").tasks.pop() else { return };
        match self.host.queue.cancel(task.id).await {
            Ok(()) => self.cancelled += 1,
            Err(QueueError::Store(error)) => panic!("{error}"),
            // It has ended, or is being processed.
            Err(_) => return,
        }
        // Refused if a newer save waits already.
        if let Err(QueueError::Store(error)) = self.host.queue.retry(task.id).await {
            panic!("{error}");
        }
    }

    /// Starts a change to the next model; sometimes after cancelling the change before.
    async fn change_model(&mut self) {
        if random(4) == 0 {
            self.cancelled += u64::from(self.host.sets().cancel().await.expect("an answer"));
        }
        self.number += 1;
        self.host =
            Host::open(&host::settings(&self.database, &self.provider, &self.model())).await.expect("a database");
        let begun = self.host.sets().switch().await.expect("a change");
        assert!(!matches!(begun, Switch::InUse { .. }), "a model that was never used is in use");
        self.changes += 1;
    }

    /// The name of the model in use, once no change is under way.
    pub(super) async fn model_in_use(&self) -> Option<String> {
        let status = self.host.sets().status().await.expect("the sets");
        status.in_use.filter(|_| status.building.is_none()).map(|set| set.model)
    }
}

fn model(number: u64) -> String {
    format!("soak-{number}")
}
