//! RuntimeSupervisor: the root.
//!
//! Strategy: one for one, except that the workers go down with the QueueActor they report to and start again when it
//! has started ([`Role::TABLE`]). A child that exceeds the restart limit is marked failed, which makes the host
//! unready; it is started again at long intervals, because a host that has given up is of no use.

mod children;

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::time::Instant;

use super::{
    Addresses,
    messages::{QueueMessage, RuntimeSupervisorMessage},
    role::Role,
};
use crate::{
    context::Context,
    supervision::{ActorState, ActorStatus, Mailbox, Plan, RuntimeStatus, Victim},
};

/// How long the root waits for a child's status: longer than a child waits for a worker's, shorter than the asker waits
/// for the root.
const CHILD_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long a killed child may take to end.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// The root.
pub(crate) struct RuntimeSupervisor;

pub(crate) struct RuntimeSupervisorArguments {
    pub(crate) context: Arc<Context>,
    /// The root starts all the others, and gives each the addresses that it needs.
    pub(crate) addresses: Addresses,
}

pub(crate) struct RuntimeSupervisorState {
    context: Arc<Context>,
    addresses: Addresses,
    plan: Plan<Role>,
    cells: HashMap<Role, ActorCell>,
    since: Instant,
}

impl Actor for RuntimeSupervisor {
    type Msg = RuntimeSupervisorMessage;
    type State = RuntimeSupervisorState;
    type Arguments = RuntimeSupervisorArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<RuntimeSupervisorMessage>,
        RuntimeSupervisorArguments { context, addresses }: RuntimeSupervisorArguments,
    ) -> Result<RuntimeSupervisorState, ActorProcessingErr> {
        let plan = Plan::new(&Role::TABLE, context.settings.restart);
        Ok(RuntimeSupervisorState { context, addresses, plan, cells: HashMap::new(), since: Instant::now() })
    }

    async fn post_start(
        &self,
        myself: ActorRef<RuntimeSupervisorMessage>,
        state: &mut RuntimeSupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        for role in state.plan.leaders() {
            state.start(&myself, role).await;
        }
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<RuntimeSupervisorMessage>,
        message: RuntimeSupervisorMessage,
        state: &mut RuntimeSupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RuntimeSupervisorMessage::Restart(role, generation) => {
                if state.plan.is_due(role, generation) {
                    state.start(&myself, role).await;
                }
            }
            RuntimeSupervisorMessage::Retire(role, reply) => {
                state.plan.retire(role);
                state.take_down(role).await;
                let _ = reply.send(());
            }
            RuntimeSupervisorMessage::Status(reply) => state.report(reply),
            RuntimeSupervisorMessage::Child(role, reply) => {
                drop(reply.send(state.cells.get(&role).cloned().map(Victim::new)))
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<RuntimeSupervisorMessage>,
        event: SupervisionEvent,
        state: &mut RuntimeSupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => state.ended(&myself, &cell, error.to_string()).await,
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                state.ended(&myself, &cell, reason.unwrap_or_else(|| "killed".to_owned())).await;
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}

impl RuntimeSupervisorState {
    /// Starts a child, and then those that follow it.
    async fn start(&mut self, myself: &ActorRef<RuntimeSupervisorMessage>, role: Role) {
        let mut to_start = vec![role];
        while let Some(role) = to_start.pop() {
            match role.spawn(&self.context, &self.addresses, myself.get_cell()).await {
                Ok(cell) => {
                    self.cells.insert(role, cell);
                    to_start.extend(self.plan.started(role));
                }
                // A failed start brings no supervision event.
                Err(error) => self.schedule(myself, role, format!("could not start: {error}")).await,
            }
        }
    }

    async fn ended(&mut self, myself: &ActorRef<RuntimeSupervisorMessage>, cell: &ActorCell, reason: String) {
        let found = self.cells.iter().find(|(_, own)| own.get_id() == cell.get_id());
        let Some((&role, _)) = found else { return }; // It was stopped on purpose.
        tracing::error!(actor = role.name(), reason, "an actor ended; it is started again");
        self.forget(role);
        self.schedule(myself, role, reason).await;
    }

    /// Schedules a child's restart, and stops those that follow it.
    async fn schedule(&mut self, myself: &ActorRef<RuntimeSupervisorMessage>, role: Role, reason: String) {
        let Some(ended) = self.plan.ended(role, reason, Instant::now()) else { return };
        if ended.failed {
            tracing::error!(actor = role.name(), "restart limit exceeded; not ready until the actor stays up");
        }
        let (delay, generation) = ended.restart;
        myself.send_after(delay, move || RuntimeSupervisorMessage::Restart(role, generation));
        for follower in ended.stop {
            self.take_down(follower).await;
        }
    }

    /// Stops a child without counting a failure.
    async fn take_down(&mut self, role: Role) {
        let Some(cell) = self.forget(role) else { return };
        let _ = cell.kill_and_wait(Some(KILL_TIMEOUT)).await;
    }

    /// Removes a child that is gone, or about to be.
    fn forget(&mut self, role: Role) -> Option<ActorCell> {
        let cell = self.cells.remove(&role)?;
        role.mailbox(&self.addresses).leave();
        if role == Role::Workers && !self.plan.is_retired(role) {
            // None of them will report, and their tasks are not to blame. At a shutdown, its release returns these
            // tasks.
            self.addresses.queue.send(QueueMessage::Dismissed);
        }
        Some(cell)
    }

    /// Asks the children beside the mailbox, so that one that is stuck does not block the root.
    fn report(&self, reply: RpcReplyPort<RuntimeStatus>) {
        let mut own = ActorStatus::running("RuntimeSupervisor", self.since);
        own.mailbox = self.addresses.root.waiting();
        own.restarts = self.plan.children().map(|child| child.restarts()).sum();
        let seen_from_above = self.plan.children().map(|child| {
            let mut status = ActorStatus::running(child.role().name(), child.since());
            (status.state, status.restarts) = (child.state(), child.restarts());
            status.last_error = child.last_error().cloned();
            (child.role(), status)
        });
        let (children, addresses): (Vec<_>, _) = (seen_from_above.collect(), self.addresses.clone());
        tokio::spawn(async move {
            let answers = children.into_iter().map(|(role, seen)| ask(&addresses, role, seen));
            own.children = futures_util::future::join_all(answers).await;
            if own.children.iter().any(|child| child.state == ActorState::Failed) {
                own.state = ActorState::Failed;
            }
            let _ = reply.send(RuntimeStatus::from(own));
        });
    }
}

async fn ask(addresses: &Addresses, role: Role, seen: ActorStatus) -> ActorStatus {
    if seen.state != ActorState::Running {
        return seen;
    }
    match role.ask_status(addresses, CHILD_TIMEOUT).await {
        Some(own) => ActorStatus {
            restarts: seen.restarts,
            mailbox: role.mailbox(addresses).waiting(),
            last_error: own.last_error.or(seen.last_error),
            ..own
        },
        None => ActorStatus { state: ActorState::Unresponsive, ..seen },
    }
}
