//! MaintenanceActor: what has to be done now and then. It queues what nothing else queued, carries bulk runs on,
//! switches models, has the vectors indexed when there are many, and removes what has been kept long enough.

mod bulk_runs;
mod clock;
mod fill;
mod state;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::time::Instant;

use self::state::MaintenanceState;
use super::messages::QueueMessage;
use crate::{
    context::Context,
    owned::Owned,
    store::{Engine, StoreError, retention, stats, vectors},
    supervision::{ActorStatus, Address},
};

/// Tidies.
pub(crate) struct MaintenanceActor;

pub(crate) struct MaintenanceArguments {
    pub(crate) context: Arc<Context>,
    pub(crate) queue: Address<QueueMessage>,
}

pub(crate) enum MaintenanceMessage {
    /// To itself, and from a host that has opened a bulk run: carry bulk runs on, and the filling of the sets.
    Advance,
    /// To itself: there was more to carry on.
    AdvanceAgain,
    /// To itself: compare articles with their stored vectors, once more from the first on.
    Sweep,
    /// To itself: remove what has been kept long enough.
    Clean,
    /// The health of the actor.
    Status(RpcReplyPort<ActorStatus>),
}

/// From one look at the sets to the next while they are being filled.
const SOON: Duration = Duration::from_millis(100);

impl Actor for MaintenanceActor {
    type Msg = MaintenanceMessage;
    type State = MaintenanceState;
    type Arguments = MaintenanceArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<MaintenanceMessage>,
        MaintenanceArguments { context, queue }: MaintenanceArguments,
    ) -> Result<MaintenanceState, ActorProcessingErr> {
        let settings = &context.settings;
        // A run that was asked for comes before the sweep, which would queue its articles without it.
        let _ = myself.send_message(MaintenanceMessage::Advance);
        let _ = myself.send_message(MaintenanceMessage::Sweep);
        myself.send_interval(settings.poll_interval, || MaintenanceMessage::Advance);
        myself.send_interval(settings.sweep_interval, || MaintenanceMessage::Sweep);
        myself.send_interval(settings.cleanup_interval, || MaintenanceMessage::Clean);
        Ok(MaintenanceState {
            context,
            queue,
            doing: None,
            building: None,
            soon: false,
            cleaning: None,
            last_error: None,
            since: Instant::now(),
            fills: BTreeMap::new(),
            clock: 0,
            clock_stepped: true,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<MaintenanceMessage>,
        message: MaintenanceMessage,
        state: &mut MaintenanceState,
    ) -> Result<(), ActorProcessingErr> {
        let done = match message {
            MaintenanceMessage::Advance => state.advance(&myself).await,
            MaintenanceMessage::AdvanceAgain => {
                state.soon = false;
                state.advance(&myself).await
            }
            MaintenanceMessage::Sweep => state.sweep().await,
            MaintenanceMessage::Clean => {
                state.clean();
                return Ok(());
            }
            MaintenanceMessage::Status(reply) => {
                let _ = reply.send(state.status());
                return Ok(());
            }
        };
        // The database is away, or busy: the next tick tries again.
        state.last_error = done.err().map(|error| error.to_string());
        Ok(())
    }
}

impl MaintenanceState {
    async fn advance(&mut self, myself: &ActorRef<MaintenanceMessage>) -> Result<(), StoreError> {
        if self.context.database.engine() == Engine::Postgres {
            self.context
                .database
                .write_behind::<_, StoreError, _>(|transaction| Box::pin(stats::fold(transaction)))
                .await?;
        }
        self.follow_the_clock().await?;
        let runs_go_on = self.carry_bulk_runs_on().await?;
        if self.fill_sets().await? || runs_go_on {
            // The tasks go out as fast as there are slots: a poll interval is too long for a fast model.
            self.advance_soon(myself);
        }
        Ok(())
    }

    fn advance_soon(&mut self, myself: &ActorRef<MaintenanceMessage>) {
        if !std::mem::replace(&mut self.soon, true) {
            myself.send_after(SOON, || MaintenanceMessage::AdvanceAgain);
        }
    }

    /// Most tasks of low priority that wait for one set: enough for every slot, while the next are queued.
    fn ahead(&self) -> u32 {
        let settings = &self.context.settings;
        settings.sweep_batch.max(settings.slots.saturating_mul(2))
    }

    fn build_index(&mut self) {
        if self.building.as_ref().is_some_and(|building| !building.has_ended()) {
            return;
        }
        let context = Arc::clone(&self.context);
        self.building = Some(Owned::spawn(async move {
            let model = context.model_row.id;
            match vectors::index::build_if_worthwhile(&context.database, model).await {
                Ok(true) => tracing::info!(model, "the index of the vectors is whole; searches use it from now on"),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(model, %error, "the index of the vectors was not built; the next sweep tries again")
                }
            }
        }));
    }

    /// Compares all articles with their vectors, from the first on.
    async fn sweep(&mut self) -> Result<(), StoreError> {
        self.build_index();
        self.clock_stepped = true;
        self.fills.iter_mut().for_each(|(_, fill)| fill.begin_again());
        self.fill_sets().await.map(drop)
    }

    fn clean(&mut self) {
        if self.cleaning.as_ref().is_some_and(|cleaning| !cleaning.has_ended()) {
            return;
        }
        let context = Arc::clone(&self.context);
        self.cleaning = Some(Owned::spawn(async move {
            match retention::clean(&context.database, &context.settings.retention).await {
                Ok(removed) => tracing::debug!(?removed, "cleaned up"),
                Err(error) => tracing::warn!(%error, "the clean-up stopped; the next one goes on"),
            }
        }));
    }

    fn status(&self) -> ActorStatus {
        let status = ActorStatus::running("MaintenanceActor", self.since).degraded_by(self.last_error.as_ref());
        ActorStatus { doing: self.doing.clone(), ..status }
    }
}
