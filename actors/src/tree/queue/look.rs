//! Looks for work that was not announced: another process queued it, or its time has come. A look takes no write lock;
//! a claim does.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::{second_set::ClaimableSets, state::QueueState};
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
            self.at.workers.send(WorkerSupervisorMessage::Muster);
        }
        if self.commits.is_busy() {
            return;
        }
        if self.commits.has_something() {
            return self.schedule_flush();
        }
        // Also while the own provider fails: the other set's provider may work.
        if self.look.as_ref().is_none_or(AbortOnDropHandle::is_finished) && !self.idle_slots().is_empty() {
            let (context, known) = (Arc::clone(&self.at.context), self.known_tokens(&[]));
            let may = self.may_make();
            let myself = self.myself.clone();
            self.look = Some(AbortOnDropHandle::new(tokio::spawn(async move {
                let panicked = |text| StoreError::Failed(format!("the look panicked: {text}"));
                let look = catch_panic(look(&context, &known, may)).await.map_err(panicked).flatten();
                let _ = myself.send_message(QueueMessage::Looked(look));
            })));
        }
    }

    pub(super) fn looked(&mut self, look: Result<PollResult, StoreError>) {
        match look {
            Ok(PollResult { due, strays, makes, apart }) => {
                self.second.looked(makes, self.at.context.model_row.id, apart);
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

async fn look(context: &Context, known: &[String], may: ClaimableSets) -> Result<PollResult, StoreError> {
    let reader = context.database.runtime_reader();
    let strays = leases::holds_others(reader, &context.incarnation, known).await?;
    let wanted = models::wanted(reader).await?;
    let (makes, apart) = (context.sets.makes(&wanted), context.sets.apart(&wanted));
    let now = may.of(makes, context.model_row.id);
    let due = !now.nothing() && any_due(reader, now).await?;
    Ok(PollResult { due, strays, makes, apart })
}
