//! HeartbeatActor: keeps this host's leases and rows alive, and frees what dead hosts held.
//!
//! The beat runs beside the mailbox: it asks the whole tree how it is, this actor included.

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::time::Instant;

use super::{owned::Owned, queue::QueueMessage, runtime_supervisor::RuntimeSupervisorMessage};
use crate::{
    context::Context,
    store::{Engine, StoreError, hosts, leases},
    supervision::{ActorState, ActorStatus},
};

/// Beats.
pub(crate) struct HeartbeatActor;

pub(crate) enum HeartbeatMessage {
    /// To itself: it is time.
    Beat,
    /// To itself: a beat has ended.
    Beaten(Result<(), StoreError>),
    /// How are you?
    Status(RpcReplyPort<ActorStatus>),
}

pub(crate) struct HeartbeatState {
    context: Arc<Context>,
    beat: Option<Owned>,
    last: Instant,
    last_error: Option<String>,
    since: Instant,
}

impl Actor for HeartbeatActor {
    type Msg = HeartbeatMessage;
    type State = HeartbeatState;
    type Arguments = Arc<Context>;

    async fn pre_start(
        &self,
        myself: ActorRef<HeartbeatMessage>,
        context: Arc<Context>,
    ) -> Result<HeartbeatState, ActorProcessingErr> {
        let _ = myself.send_message(HeartbeatMessage::Beat);
        myself.send_interval(context.settings.heartbeat_interval, || HeartbeatMessage::Beat);
        let now = Instant::now();
        Ok(HeartbeatState { context, beat: None, last: now, last_error: None, since: now })
    }

    async fn handle(
        &self,
        myself: ActorRef<HeartbeatMessage>,
        message: HeartbeatMessage,
        state: &mut HeartbeatState,
    ) -> Result<(), ActorProcessingErr> {
        state.context.addresses.heartbeat.taken();
        match message {
            HeartbeatMessage::Beat => state.begin(&myself),
            HeartbeatMessage::Beaten(result) => state.end(result),
            HeartbeatMessage::Status(reply) => drop(reply.send(state.status())),
        }
        Ok(())
    }
}

impl HeartbeatState {
    fn begin(&mut self, myself: &ActorRef<HeartbeatMessage>) {
        // A beat that still runs waits for the database; a second one would only wait beside it.
        if self.beat.as_ref().is_some_and(|beat| !beat.has_ended()) {
            return;
        }
        let (context, myself) = (Arc::clone(&self.context), myself.clone());
        self.beat = Some(Owned::spawn(async move {
            let result = beat(&context).await;
            let _ = myself.send_message(HeartbeatMessage::Beaten(result));
        }));
    }

    fn end(&mut self, result: Result<(), StoreError>) {
        match result {
            Ok(()) => {
                self.last = Instant::now();
                self.last_error = None;
            }
            Err(error) => self.last_error = Some(format!("leases not renewed: {error}")),
        }
    }

    fn status(&self) -> ActorStatus {
        let millis = |since: Instant| u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut status = ActorStatus::running("HeartbeatActor", millis(self.since));
        status.mailbox = self.context.addresses.heartbeat.waiting();
        status.doing = Some(format!("last beat {:.1?} ago", self.last.elapsed()));
        if self.last_error.is_some() {
            status.state = ActorState::Degraded;
            status.for_ms = millis(self.last);
            status.last_error.clone_from(&self.last_error);
        }
        status
    }
}

/// First what keeps tasks safe, then what is only told.
async fn beat(context: &Arc<Context>) -> Result<(), StoreError> {
    renew(context).await?;
    rescue(context).await?;
    report(context).await
}

async fn renew(context: &Arc<Context>) -> Result<(), StoreError> {
    // No answer: the queue is being restarted, and gives everything back itself.
    let Some(held) = context.addresses.queue.ask(QueueMessage::Held).await else { return Ok(()) };
    let lease = context.settings.lease;
    context
        .database
        .write_behind(move |transaction| {
            Box::pin(async move { leases::renew(transaction, &held, lease).await.map(drop) })
        })
        .await
}

/// Frees what hosts held that are known to be dead, and whatever lease has run out.
async fn rescue(context: &Arc<Context>) -> Result<(), StoreError> {
    let mut rescued = 0;
    let others = hosts::others(context.database.reader(), &context.incarnation, silence_of_the_dead(context)).await?;
    for dead in context.database.dead_among(&others).await? {
        rescued += rescue_from(context, &dead).await?;
    }
    rescued += rescue_expired(context).await?;
    if rescued > 0 {
        tracing::warn!(rescued, "tasks of dead hosts are back in the queue");
        context.addresses.queue.send(QueueMessage::Wake);
    }
    Ok(())
}

/// A file lock is free only when its process has ended. A session also ends when its connection is cut, or the server
/// is restarted: a host that lives beats all the same, and has its lock again soon.
fn silence_of_the_dead(context: &Context) -> Duration {
    match context.database.engine() {
        Engine::Sqlite => Duration::ZERO,
        Engine::Postgres => 2 * context.settings.heartbeat_interval,
    }
}

async fn rescue_from(context: &Arc<Context>, other: &str) -> Result<usize, StoreError> {
    let mut rescued = 0;
    loop {
        let incarnation = other.to_owned();
        let page = context
            .database
            .write_behind::<_, StoreError, _>(move |transaction| {
                Box::pin(async move {
                    let page = leases::rescue_from(transaction, &incarnation).await?;
                    if page.is_empty() {
                        hosts::end(transaction, &incarnation, "lost").await?;
                    }
                    Ok(page)
                })
            })
            .await?;
        if page.is_empty() {
            return Ok(rescued);
        }
        rescued += page.len();
    }
}

async fn rescue_expired(context: &Arc<Context>) -> Result<usize, StoreError> {
    let mut rescued = 0;
    loop {
        let page = context
            .database
            .write_behind::<_, StoreError, _>(|transaction| Box::pin(leases::rescue_expired(transaction)))
            .await?;
        if page.is_empty() {
            return Ok(rescued);
        }
        rescued += page.len();
    }
}

async fn report(context: &Arc<Context>) -> Result<(), StoreError> {
    let tree = context.addresses.root.ask(RuntimeSupervisorMessage::Status).await;
    let roster = context.addresses.queue.ask(QueueMessage::Roster).await.unwrap_or_default();
    let draining = tree.as_ref().is_some_and(|tree| tree.walk().iter().any(|a| a.state == ActorState::Draining));
    let tree = tree.and_then(|tree| serde_json::to_string(&tree).ok()).unwrap_or_else(|| "null".to_owned());
    let incarnation = context.incarnation.clone();
    context
        .database
        .write_behind(move |transaction| {
            Box::pin(async move {
                let state = if draining { "draining" } else { "running" };
                hosts::beat(transaction, &incarnation, state, &tree, &roster).await
            })
        })
        .await
}
