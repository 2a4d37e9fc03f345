//! Starts an actor and enters it at its address.

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};

use super::Address;

/// Starts `actor` below `supervisor` and enters it at `address`.
///
/// # Errors
/// [`SpawnErr`] if its start fails; `address` then keeps its last actor.
pub(crate) async fn spawn<A: Actor>(
    actor: A,
    address: &Address<A::Msg>,
    arguments: A::Arguments,
    supervisor: ActorCell,
) -> Result<ActorRef<A::Msg>, SpawnErr> {
    let counted = CountingActor { actor, address: address.clone() };
    let (reference, _) = Actor::spawn_linked(None, counted, arguments, supervisor).await?;
    address.enter(reference.clone());
    Ok(reference)
}

/// An actor with an address that counts the messages which it has not handled.
pub(crate) struct CountingActor<A: Actor> {
    pub(crate) actor: A,
    pub(crate) address: Address<A::Msg>,
}

impl<A: Actor> Actor for CountingActor<A> {
    type Msg = A::Msg;
    type State = A::State;
    type Arguments = A::Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<A::Msg>,
        arguments: A::Arguments,
    ) -> Result<A::State, ActorProcessingErr> {
        self.actor.pre_start(myself, arguments).await
    }

    async fn post_start(&self, myself: ActorRef<A::Msg>, state: &mut A::State) -> Result<(), ActorProcessingErr> {
        self.actor.post_start(myself, state).await
    }

    async fn post_stop(&self, myself: ActorRef<A::Msg>, state: &mut A::State) -> Result<(), ActorProcessingErr> {
        self.actor.post_stop(myself, state).await
    }

    async fn handle(
        &self,
        myself: ActorRef<A::Msg>,
        message: A::Msg,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.address.taken();
        self.actor.handle(myself, message, state).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<A::Msg>,
        event: SupervisionEvent,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.actor.handle_supervisor_evt(myself, event, state).await
    }
}
