//! One beat: first what keeps tasks safe, then what is only shown.

use std::{sync::Arc, time::Duration};

use crate::{
    context::Context,
    store::{Engine, StoreError, hosts, leases},
    supervision::{ActorState, Address, HostReport},
    tree::messages::{QueueMessage, RuntimeSupervisorMessage},
};

#[derive(Clone)]
pub(crate) struct HeartbeatArguments {
    pub(crate) context: Arc<Context>,
    pub(crate) root: Address<RuntimeSupervisorMessage>,
    pub(crate) queue: Address<QueueMessage>,
}

/// Most idle workers that are written one by one with the tree; of the others, only their number is.
const WORKERS_SHOWN: usize = 16;

pub(super) async fn beat(arguments: &HeartbeatArguments) -> Result<(), StoreError> {
    renew(arguments).await?;
    rescue(arguments).await?;
    report(arguments).await
}

async fn renew(HeartbeatArguments { context, queue, .. }: &HeartbeatArguments) -> Result<(), StoreError> {
    let lease = context.settings.lease;
    match queue.ask(QueueMessage::Held).await {
        Some(held) => {
            let renewed = context
                .database
                .write_behind(async move |transaction| leases::renew(transaction, &held, lease).await.map(drop));
            renewed.await
        }
        // No answer does not mean "no leases": this host is alive, so every lease of its incarnation is renewed.
        None => {
            let incarnation = context.incarnation.clone();
            let renewed = context.database.write_behind(async move |transaction| {
                leases::renew_all_of(transaction, &incarnation, lease).await.map(drop)
            });
            renewed.await
        }
    }
}

/// Releases the tasks of hosts known to be dead, and every expired lease of another host.
async fn rescue(HeartbeatArguments { context, queue, .. }: &HeartbeatArguments) -> Result<(), StoreError> {
    let mut rescued = 0;
    let silence = silence_of_the_dead(context);
    let others = hosts::others(context.database.runtime_reader(), &context.incarnation, silence).await?;
    for dead in context.database.dead_among(&others).await? {
        rescued += rescue_from(context, &dead).await?;
    }
    rescued += rescue_expired(context).await?;
    if rescued > 0 {
        tracing::warn!(rescued, "tasks of dead hosts are back in the queue");
        queue.send(QueueMessage::Wake);
    }
    Ok(())
}

/// How long a host without its lock must have been silent to be taken for dead. On SQLite the lock is free only when
/// the process has ended. PostgreSQL also ends a session when the connection is cut or PostgreSQL restarts: a host that
/// is alive still beats, and soon has its lock again.
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
            .write_behind::<_, StoreError, _>(async move |transaction| {
                let page = leases::rescue_from(transaction, &incarnation).await?;
                if page.is_empty() {
                    hosts::end(transaction, &incarnation, "lost").await?;
                }
                Ok(page)
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
        let own = context.incarnation.clone();
        let page = context
            .database
            .write_behind(async move |transaction| leases::rescue_expired(transaction, Some(&own)).await)
            .await?;
        if page.is_empty() {
            return Ok(rescued);
        }
        rescued += page.len();
    }
}

async fn report(HeartbeatArguments { context, root, queue }: &HeartbeatArguments) -> Result<(), StoreError> {
    let tree = root.ask(RuntimeSupervisorMessage::Status).await.map(|status| status.tree);
    let roster = queue.ask(QueueMessage::Roster).await.unwrap_or_default();
    let draining = tree.as_ref().is_some_and(|tree| tree.walk().iter().any(|a| a.state == ActorState::Draining));
    let model_id = Some(context.model_row.id);
    let report = tree.map(|tree| HostReport { model_id, tree: tree.briefly(WORKERS_SHOWN) });
    let report = report.and_then(|report| serde_json::to_string(&report).ok()).unwrap_or_else(|| "null".to_owned());
    let host = context.host.clone();
    context
        .database
        .write_behind(async move |transaction| {
            let state = if draining { "draining" } else { "running" };
            hosts::beat(transaction, &host, state, &report, &roster).await
        })
        .await
}
