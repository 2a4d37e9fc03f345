//! MaintenanceActor: what has to be done now and then. It queues what nothing else queued, carries bulk runs on,
//! switches models, has the vectors indexed when there are many, and removes what has been kept long enough.

use std::sync::Arc;

use afterword_entities::bulk_operation;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::time::Instant;

use super::{owned::Owned, queue::QueueMessage};
use crate::{
    context::Context,
    store::{Engine, StoreError, bulk, missing, models, retention, stats, vectors},
    supervision::{ActorStatus, Address},
    task::Priority,
};

/// Tidies.
pub(crate) struct MaintenanceActor;

pub(crate) struct MaintenanceArguments {
    pub(crate) context: Arc<Context>,
    pub(crate) queue: Address<QueueMessage>,
}

pub(crate) enum MaintenanceMessage {
    /// To itself, and from whoever opened a bulk run: carry bulk runs on, and the switch of models.
    Advance,
    /// To itself: compare articles with their stored vectors.
    Sweep,
    /// To itself: remove what has been kept long enough.
    Clean,
    /// The health of the actor.
    Status(RpcReplyPort<ActorStatus>),
}

pub(crate) struct MaintenanceState {
    context: Arc<Context>,
    queue: Address<QueueMessage>,
    doing: Option<String>,
    /// An index of vectors takes minutes: beside the mailbox.
    building: Option<Owned>,
    /// So does a clean-up of much.
    cleaning: Option<Owned>,
    last_error: Option<String>,
    since: Instant,
}

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
            cleaning: None,
            last_error: None,
            since: Instant::now(),
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<MaintenanceMessage>,
        message: MaintenanceMessage,
        state: &mut MaintenanceState,
    ) -> Result<(), ActorProcessingErr> {
        let done = match message {
            MaintenanceMessage::Advance => state.advance().await,
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
    async fn advance(&mut self) -> Result<(), StoreError> {
        if self.context.database.engine() == Engine::Postgres {
            self.context
                .database
                .write_behind::<_, StoreError, _>(|transaction| Box::pin(stats::fold(transaction)))
                .await?;
        }
        for run in bulk::unfinished(self.context.database.reader()).await? {
            self.carry_on(run).await?;
        }
        self.switch_model().await
    }

    /// Queues a run's articles page by page, saves passing between the pages, and closes it when all have ended.
    async fn carry_on(&mut self, run: bulk_operation::Model) -> Result<(), StoreError> {
        let run = Arc::new(run);
        loop {
            let (context, page_of) = (Arc::clone(&self.context), Arc::clone(&run));
            let more = self
                .context
                .database
                .write_behind::<_, StoreError, _>(move |transaction| {
                    Box::pin(async move {
                        let max_attempts = context.settings.max_attempts;
                        bulk::advance(transaction, &page_of, context.model_row.id, max_attempts).await
                    })
                })
                .await?;
            if !more {
                break;
            }
            self.queue.send(QueueMessage::Wake);
        }
        if bulk::progress(self.context.database.reader(), run.id).await?.open == 0 {
            let id = run.id;
            let closed = self
                .context
                .database
                .write_behind::<_, StoreError, _>(move |transaction| Box::pin(bulk::close_if_done(transaction, id)))
                .await?;
            if let Some(summary) = closed {
                let bulk::Summary { succeeded, failed, skipped, cancelled, .. } = summary;
                tracing::info!(bulk = id, succeeded, failed, skipped, cancelled, "bulk run completed");
            }
        }
        Ok(())
    }

    async fn switch_model(&mut self) -> Result<(), StoreError> {
        let model_id = self.context.model_row.id;
        let active = models::active(self.context.database.reader()).await?;
        if active.is_some_and(|active| active.id == model_id)
            || missing::any_open(self.context.database.reader(), model_id).await?
        {
            return Ok(());
        }
        let switched = self
            .context
            .database
            .write_behind::<_, StoreError, _>(move |transaction| {
                Box::pin(models::activate_if_whole(transaction, model_id))
            })
            .await?;
        if switched {
            tracing::info!(model = model_id, "the new model's vectors are whole; searches use them from now on");
        }
        Ok(())
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

    async fn sweep(&mut self) -> Result<(), StoreError> {
        self.build_index();
        let settings = &self.context.settings;
        let (limit, max_attempts) = (settings.sweep_batch, settings.max_attempts);
        let articles = missing::unattended(self.context.database.reader(), self.context.model_row.id, limit).await?;
        if articles.is_empty() {
            self.doing = None;
            return Ok(());
        }
        let queued = self
            .context
            .database
            .write_behind::<_, StoreError, _>(move |transaction| {
                Box::pin(async move {
                    missing::enqueue_all(transaction, &articles, Priority::Low, max_attempts, "sweep").await
                })
            })
            .await?;
        tracing::info!(articles = queued.len(), "articles without their embedding have been queued");
        self.doing = Some(format!("the last sweep queued {} articles", queued.len()));
        self.queue.send(QueueMessage::Wake);
        Ok(())
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
