//! RuntimeSupervisor: the root.
//!
//! Strategy: one for one, except that workers do not outlive the QueueActor they report to: when it ends they are
//! stopped, and start again after it. A child that fails too often is marked failed, which makes the host unready;
//! it is tried again at long intervals, because nobody is helped by a host that has given up.

mod children;

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::time::Instant;

use crate::{
    context::Context,
    supervision::{ActorState, ActorStatus, Decision, Restarts},
};

pub(crate) use children::Role;

/// How long a supervisor waits for its own supervisor's answer: longer than a worker's, shorter than an asker's.
const CHILD_TIMEOUT: Duration = Duration::from_millis(1500);

/// The root.
pub(crate) struct RuntimeSupervisor;

pub(crate) enum RuntimeSupervisorMessage {
    /// To itself: start this child again.
    Restart(Role),
    /// Stop this child for good: part of a shutdown.
    Retire(Role, RpcReplyPort<()>),
    /// How is the whole tree?
    Status(RpcReplyPort<ActorStatus>),
    /// The cell of a child: for tests that kill it.
    Child(Role, RpcReplyPort<Option<ActorCell>>),
}

pub(crate) struct RuntimeSupervisorState {
    context: Arc<Context>,
    children: HashMap<Role, Child>,
    since: Instant,
}

struct Child {
    cell: Option<ActorCell>,
    state: ActorState,
    restarts: Restarts,
    last_error: Option<String>,
    since: Instant,
    retired: bool,
    restart_at: Instant,
}

impl Actor for RuntimeSupervisor {
    type Msg = RuntimeSupervisorMessage;
    type State = RuntimeSupervisorState;
    type Arguments = Arc<Context>;

    async fn pre_start(
        &self,
        _myself: ActorRef<RuntimeSupervisorMessage>,
        context: Arc<Context>,
    ) -> Result<RuntimeSupervisorState, ActorProcessingErr> {
        Ok(RuntimeSupervisorState { context, children: HashMap::new(), since: Instant::now() })
    }

    async fn post_start(
        &self,
        myself: ActorRef<RuntimeSupervisorMessage>,
        state: &mut RuntimeSupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        state.context.addresses.root.enter(myself.clone());
        for role in Role::IN_ORDER {
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
        state.context.addresses.root.taken();
        match message {
            RuntimeSupervisorMessage::Restart(role) => state.start(&myself, role).await,
            RuntimeSupervisorMessage::Retire(role, reply) => {
                state.retire(role).await;
                let _ = reply.send(());
            }
            RuntimeSupervisorMessage::Status(reply) => state.report(reply),
            RuntimeSupervisorMessage::Child(role, reply) => {
                let _ = reply.send(state.children.get(&role).and_then(|child| child.cell.clone()));
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
    async fn start(&mut self, myself: &ActorRef<RuntimeSupervisorMessage>, role: Role) {
        let settings = self.context.settings.restart;
        let child = self.children.entry(role).or_insert_with(|| Child::new(settings));
        if child.cell.is_some() || child.retired {
            return;
        }
        match role.spawn(Arc::clone(&self.context), myself.get_cell()).await {
            Ok(cell) => {
                child.cell = Some(cell);
                child.state = ActorState::Running;
                child.since = Instant::now();
            }
            // A start that fails brings no supervision event.
            Err(error) => self.schedule_restart(myself, role, format!("could not start: {error}")),
        }
    }

    async fn ended(&mut self, myself: &ActorRef<RuntimeSupervisorMessage>, cell: &ActorCell, reason: String) {
        let is_it = |child: &Child| child.cell.as_ref().is_some_and(|own| own.get_id() == cell.get_id());
        let Some((&role, child)) = self.children.iter_mut().find(|(_, child)| is_it(child)) else {
            return; // One that was stopped on purpose.
        };
        child.cell = None;
        role.leave(&self.context.addresses);
        if child.retired {
            return;
        }
        tracing::error!(actor = role.name(), reason, "an actor ended; it is started again");
        self.schedule_restart(myself, role, reason);
        if role == Role::Queue {
            self.take_down(Role::Workers).await;
            self.schedule_restart_with(myself, Role::Queue, Role::Workers);
        }
    }

    fn schedule_restart(&mut self, myself: &ActorRef<RuntimeSupervisorMessage>, role: Role, reason: String) {
        let Some(child) = self.children.get_mut(&role) else { return };
        child.last_error = Some(reason);
        child.since = Instant::now();
        let (state, delay) = match child.restarts.decide(Instant::now()) {
            Decision::Restart(delay) => (ActorState::Restarting, delay),
            Decision::Escalate(delay) => (ActorState::Failed, delay),
        };
        if state == ActorState::Failed {
            tracing::error!(actor = role.name(), "it fails too often; this host is not ready until it holds");
        }
        child.state = state;
        child.next_start(myself, role, delay);
    }

    /// Starts `follower` once `leader` stands: it is asked to start right after it, in the same mailbox.
    fn schedule_restart_with(&mut self, myself: &ActorRef<RuntimeSupervisorMessage>, leader: Role, follower: Role) {
        let (leader, follower_child) = (self.children.get(&leader), self.children.get(&follower));
        let (Some(leader), Some(_)) = (leader, follower_child) else { return };
        let delay = leader.restart_delay();
        if let Some(child) = self.children.get_mut(&follower) {
            child.state = ActorState::Restarting;
            child.next_start(myself, follower, delay + Duration::from_millis(1));
        }
    }

    /// Stops a child without calling it a failure.
    async fn take_down(&mut self, role: Role) {
        let Some(cell) = self.children.get_mut(&role).and_then(|child| child.cell.take()) else { return };
        role.leave(&self.context.addresses);
        // Its tasks are given back by the queue's next life; there is nothing to wait for.
        let _ = cell.kill_and_wait(Some(Duration::from_secs(5))).await;
    }

    async fn retire(&mut self, role: Role) {
        if let Some(child) = self.children.get_mut(&role) {
            child.retired = true;
        }
        self.take_down(role).await;
    }

    /// Asks the children beside the mailbox, so that one that is stuck does not hold the root up.
    fn report(&self, reply: RpcReplyPort<ActorStatus>) {
        let mut own = ActorStatus::running("RuntimeSupervisor", elapsed_ms(self.since));
        own.mailbox = self.context.addresses.root.waiting();
        own.restarts = self.children.values().map(|child| child.restarts.total()).sum();
        let known: Vec<_> = Role::IN_ORDER
            .into_iter()
            .filter_map(|role| {
                let child = self.children.get(&role)?;
                (!child.retired).then(|| (role, child.as_seen_from_above(role)))
            })
            .collect();
        let context = Arc::clone(&self.context);
        tokio::spawn(async move {
            let asked = known.into_iter().map(|(role, seen)| ask(&context, role, seen));
            own.children = futures_util::future::join_all(asked).await;
            if own.children.iter().any(|child| child.state == ActorState::Failed) {
                own.state = ActorState::Failed;
            }
            let _ = reply.send(own);
        });
    }
}

async fn ask(context: &Context, role: Role, seen: ActorStatus) -> ActorStatus {
    if seen.state != ActorState::Running {
        return seen;
    }
    match role.ask_status(&context.addresses, CHILD_TIMEOUT).await {
        Some(own) => ActorStatus { restarts: seen.restarts, last_error: own.last_error.or(seen.last_error), ..own },
        None => ActorStatus { state: ActorState::Unresponsive, ..seen },
    }
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
