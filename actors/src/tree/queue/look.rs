//! Looking for work that was not announced: another process queued it, or its time has come. A look costs no write lock;
//! a claim does.

use std::sync::Arc;

use super::{
    super::{
        owned::{Owned, answer_of},
        worker_supervisor::WorkerSupervisorMessage,
    },
    QueueMessage,
    state::QueueState,
};
use crate::{
    context::Context,
    store::{
        StoreError, leases,
        sql::{Number, Sql},
    },
};

/// What a look found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// A task may be claimed.
    due: bool,
    /// This host holds a task that no worker knows of.
    strays: bool,
}

impl QueueState {
    pub(super) fn poll(&mut self) {
        self.provider.probe_if_due(&self.myself);
        if self.roster.filled() < self.roster.slots() {
            // Not from whom they are, but whether all are known: no order of starts and messages leaves one out.
            self.at.workers.send(WorkerSupervisorMessage::Muster);
        }
        if self.commits.is_busy() {
            return;
        }
        if self.commits.has_something() {
            return self.schedule_flush();
        }
        if self.look.as_ref().is_none_or(Owned::has_ended) && !self.claimable_slots().is_empty() {
            let (context, known) = (Arc::clone(&self.at.context), self.known_tokens(&[]));
            let myself = self.myself.clone();
            self.look = Some(Owned::spawn(async move {
                let panicked = |text| StoreError::Failed(format!("the look panicked: {text}"));
                let look = answer_of(look(&context, &known)).await.map_err(panicked).flatten();
                let _ = myself.send_message(QueueMessage::Looked(look));
            }));
        }
    }

    pub(super) fn looked(&mut self, look: Result<Look, StoreError>) {
        match look {
            Ok(Look { due, strays }) => {
                if strays && !self.commits.is_busy() {
                    self.commits.recover();
                }
                if due || strays {
                    self.schedule_flush();
                }
            }
            Err(error) => self.database_failed(error),
        }
    }
}

async fn look(context: &Context, known: &[String]) -> Result<Look, StoreError> {
    let reader = context.database.runtime_reader();
    let strays = leases::holds_others(reader, &context.incarnation, known).await?;
    Ok(Look { due: reader.row::<Number>(DUE, []).await?.is_some(), strays })
}

const DUE: &str = "
    SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM embedding_tasks
                                WHERE status = 'pending' AND scheduled_at >= 0 AND scheduled_at <= {now})
                    AND NOT EXISTS (SELECT 1 FROM queue_control WHERE key = 'paused')";
