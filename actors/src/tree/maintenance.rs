//! MaintenanceActor: periodic work. It queues articles that nothing else queued, advances bulk runs, switches models,
//! has the vectors indexed when there are many, and removes expired records.
//!
//! All of it runs beside the mailbox: the actor answers at once, however slow the database is.

mod bulk_runs;
mod clock;
mod fill;
mod upkeep;

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use self::upkeep::{Upkeep, UpkeepRequest};
use super::messages::QueueMessage;
use crate::{
    context::Context,
    panics::catch_panic,
    store::{StoreError, retention, vectors},
    supervision::{ActorStatus, Address},
};

/// Tidies.
pub(crate) struct MaintenanceActor;

pub(crate) struct MaintenanceArguments {
    pub(crate) context: Arc<Context>,
    pub(crate) queue: Address<QueueMessage>,
}

pub(crate) enum MaintenanceMessage {
    /// To itself, and from a host that has opened a bulk run: advance bulk runs, and the filling of the sets.
    Advance,
    /// To itself: there was more to advance.
    AdvanceAgain,
    /// To itself: compare articles with their stored vectors, from the first one again.
    Sweep,
    /// To itself: remove expired records.
    Clean,
    /// To itself: the work that was started has ended; the text is that of a panic.
    Worked(Result<Box<RoundResult>, String>),
    /// The health of the actor.
    Status(RpcReplyPort<ActorStatus>),
}

/// The result of a round of upkeep.
pub(crate) struct RoundResult {
    upkeep: Upkeep,
    /// Whether there is more to do soon.
    result: Result<bool, StoreError>,
}

pub(crate) struct MaintenanceState {
    context: Arc<Context>,
    /// Missing while it works.
    upkeep: Option<Upkeep>,
    work: Option<AbortOnDropHandle<()>>,
    /// What to do when it is back.
    wanted: UpkeepRequest,
    /// A further advance is scheduled.
    soon: bool,
    /// Building an index of vectors takes minutes.
    building: Option<AbortOnDropHandle<()>>,
    /// So does a large clean-up.
    cleaning: Option<AbortOnDropHandle<()>>,
    doing: Option<String>,
    last_error: Option<String>,
    since: Instant,
}

/// The delay between looks at the sets while they are being filled.
const FILL_INTERVAL: Duration = Duration::from_millis(100);

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
        // A requested run comes before the sweep, which would queue its articles without it.
        let _ = myself.send_message(MaintenanceMessage::Advance);
        let _ = myself.send_message(MaintenanceMessage::Sweep);
        myself.send_interval(settings.poll_interval, || MaintenanceMessage::Advance);
        myself.send_interval(settings.sweep_interval, || MaintenanceMessage::Sweep);
        myself.send_interval(settings.cleanup_interval, || MaintenanceMessage::Clean);
        Ok(MaintenanceState {
            upkeep: Some(Upkeep::new(Arc::clone(&context), queue)),
            context,
            work: None,
            wanted: UpkeepRequest::default(),
            soon: false,
            building: None,
            cleaning: None,
            doing: None,
            last_error: None,
            since: Instant::now(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<MaintenanceMessage>,
        message: MaintenanceMessage,
        state: &mut MaintenanceState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            MaintenanceMessage::Advance => state.want(&myself, UpkeepRequest { advance: true, sweep: false }),
            MaintenanceMessage::AdvanceAgain => {
                state.soon = false;
                state.want(&myself, UpkeepRequest { advance: true, sweep: false });
            }
            MaintenanceMessage::Sweep => {
                state.build_index();
                state.want(&myself, UpkeepRequest { advance: false, sweep: true });
            }
            MaintenanceMessage::Clean => state.clean(),
            MaintenanceMessage::Worked(worked) => state.worked(&myself, *worked?),
            MaintenanceMessage::Status(reply) => drop(reply.send(state.status())),
        }
        Ok(())
    }
}

impl MaintenanceState {
    fn want(&mut self, myself: &ActorRef<MaintenanceMessage>, wanted: UpkeepRequest) {
        self.wanted = self.wanted.and(wanted);
        let Some(mut upkeep) = self.upkeep.take() else { return };
        let (wanted, myself) = (std::mem::take(&mut self.wanted), myself.clone());
        self.work = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let worked = catch_panic(async {
                let result = upkeep.work(wanted).await;
                Box::new(RoundResult { upkeep, result })
            });
            let _ = myself.send_message(MaintenanceMessage::Worked(worked.await));
        })));
    }

    fn worked(&mut self, myself: &ActorRef<MaintenanceMessage>, RoundResult { upkeep, result }: RoundResult) {
        self.doing = upkeep.doing().map(str::to_owned);
        self.upkeep = Some(upkeep);
        if matches!(result, Ok(true)) {
            self.advance_soon(myself);
        }
        // The database is away or busy: the next tick tries again.
        self.last_error = result.err().map(|error| error.to_string());
        if self.wanted != UpkeepRequest::default() {
            self.want(myself, UpkeepRequest::default());
        }
    }

    /// Advances again soon, as fast as slots become free: a poll interval is too long for a fast model.
    fn advance_soon(&mut self, myself: &ActorRef<MaintenanceMessage>) {
        if !std::mem::replace(&mut self.soon, true) {
            myself.send_after(FILL_INTERVAL, || MaintenanceMessage::AdvanceAgain);
        }
    }

    fn build_index(&mut self) {
        if self.building.as_ref().is_some_and(|building| !building.is_finished()) {
            return;
        }
        let context = Arc::clone(&self.context);
        self.building = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let model = &context.model.embedder.identity().model;
            match vectors::index::build_if_worthwhile(&context.database, context.model_row.id).await {
                Ok(true) => tracing::info!(model, "the index of the vectors is complete; searches use it from now on"),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(model, %error, "the index of the vectors was not built; the next sweep tries again")
                }
            }
        })));
    }

    fn clean(&mut self) {
        if self.cleaning.as_ref().is_some_and(|cleaning| !cleaning.is_finished()) {
            return;
        }
        let context = Arc::clone(&self.context);
        self.cleaning = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            match retention::clean(&context.database, &context.settings.retention).await {
                Ok(removed) => tracing::debug!(?removed, "cleaned up"),
                Err(error) => tracing::warn!(%error, "the clean-up stopped; the next one goes on"),
            }
        })));
    }

    fn status(&self) -> ActorStatus {
        let status = ActorStatus::running("MaintenanceActor", self.since).degraded_by(self.last_error.as_ref());
        ActorStatus { doing: self.doing.clone(), ..status }
    }
}
