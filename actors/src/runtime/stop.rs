//! The end of a runtime: finish what is being processed, up to a deadline; release the rest; report both.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use super::Runtime;
use crate::{
    store::hosts,
    tree::{
        messages::{QueueMessage, RuntimeSupervisorMessage},
        metrics::MetricsMessage,
        role::Role,
    },
};

// While the database does not answer, the time of all steps together stays below what a supervisor of processes waits
// for. What is not done then, the hosts do that find this one dead.

/// Longest wait until workers have ended and their tasks are released.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(6);
/// Longest wait for the last measurements and the host's row.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(4);
/// Longest wait for the tree of actors.
const TREE_TIMEOUT: Duration = Duration::from_secs(2);

/// How a drain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DrainReport {
    /// Whether everything that was being processed ended before the deadline.
    pub finished: bool,
    /// Tasks released, their attempts uncounted.
    pub released: u64,
}

impl Runtime {
    /// Stops claiming and waits until nothing is being processed, at most for `deadline`; then stops the workers and
    /// releases what is left. No attempt is lost by it.
    pub async fn drain(&self, deadline: Duration) -> DrainReport {
        let queue = &self.addresses.queue;
        let finished = queue.ask_for(QueueMessage::Drain, deadline).await.is_some();
        let release = async {
            self.retire(Role::Workers).await;
            queue.ask_for(QueueMessage::Release, RELEASE_TIMEOUT).await
        };
        let released = timeout(RELEASE_TIMEOUT, release).await.ok().flatten().unwrap_or(0);
        DrainReport { finished, released }
    }

    /// Drains, writes the last metrics, and stops the tree. It takes little longer than `deadline`, whatever the database
    /// does.
    pub async fn stop(mut self, deadline: Duration) -> DrainReport {
        let drained = self.drain(deadline).await;
        if timeout(FAREWELL_TIMEOUT, self.say_farewell()).await.is_err() {
            tracing::warn!("the host's row could not be closed in time; others will find it dead");
        }
        // Children end with their supervisor.
        self.root.stop(TREE_TIMEOUT).await;
        drop(self.presence.take());
        drained
    }

    async fn say_farewell(&self) {
        self.addresses.metrics.ask(MetricsMessage::Flush).await;
        self.retire(Role::Heartbeat).await;
        let incarnation = self.context.incarnation.clone();
        let said = self
            .context
            .database
            .write(async move |transaction| hosts::end(transaction, &incarnation, "stopped").await)
            .await;
        if let Err(error) = said {
            tracing::warn!(%error, "the host's row could not be closed; others will find it dead");
        }
    }

    async fn retire(&self, role: Role) {
        let retire = |reply| RuntimeSupervisorMessage::Retire(role, reply);
        self.addresses.root.ask_for(retire, Duration::from_secs(10)).await;
    }
}
