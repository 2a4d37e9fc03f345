//! Looks for work that was not announced: another process queued it, or its time has come. A look takes no write lock;
//! a claim does.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::{active_set::ClaimableSets, state::QueueState};
use crate::{
    context::Context,
    panics::catch_panic,
    store::{StoreError, claim::any_due, leases, models},
    tree::messages::{PollResult, QueueMessage, WorkerSupervisorMessage},
};

impl QueueState {
    pub(super) fn poll(&mut self) {
        self.provider.probe_if_due(&self.myself);
        if self.roster.filled() < self.roster.slots() {
            // Asks for all of them rather than for the missing ones: then no order of starts and messages leaves one
            // out.
            self.arguments.workers.send(WorkerSupervisorMessage::Muster);
        }
        if self.commits.is_busy() {
            return;
        }
        if self.commits.has_something() {
            return self.schedule_flush();
        }
        // Also while the own provider fails: the other set's provider may work.
        if self.look.as_ref().is_none_or(AbortOnDropHandle::is_finished) && !self.idle_slots().is_empty() {
            let (context, known_tokens) = (Arc::clone(&self.arguments.context), self.known_tokens(&[]));
            let claimable = self.claimable_sets();
            let myself = self.myself.clone();
            self.look = Some(AbortOnDropHandle::new(tokio::spawn(async move {
                let panicked = |text| StoreError::Failed(format!("the look panicked: {text}"));
                let look = catch_panic(look(&context, &known_tokens, claimable)).await.map_err(panicked).flatten();
                let _ = myself.send_message(QueueMessage::Looked(look));
            })));
        }
    }

    pub(super) fn looked(&mut self, look: Result<PollResult, StoreError>) {
        match look {
            Ok(PollResult { due, strays, makes, mismatch }) => {
                self.active_set.looked(makes, self.arguments.context.model_row.id, mismatch);
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

async fn look(context: &Context, known_tokens: &[String], claimable: ClaimableSets) -> Result<PollResult, StoreError> {
    let reader = context.database.runtime_reader();
    let strays = leases::has_strays(reader, &context.incarnation, known_tokens).await?;
    let wanted = models::wanted(reader).await?;
    let (makes, mismatch) = (context.sets.makes(&wanted), context.sets.mismatch(&wanted));
    let now = claimable.of(makes, context.model_row.id);
    let due = !now.nothing() && any_due(reader, now).await?;
    Ok(PollResult { due, strays, makes, mismatch })
}
