//! The root of a tree: started by no actor, stopped by its owner.

use std::time::Duration;

use ractor::{Actor, ActorRef, Message};

use super::{Address, CountingActor};

/// A root that runs.
pub(crate) struct Root<M>(ActorRef<M>);

impl<M: Message> Root<M> {
    /// Starts `actor` and enters it at `address`: messages sent while it starts its children wait in its mailbox.
    ///
    /// # Errors
    /// Why its start failed, for people.
    pub(crate) async fn start<A: Actor<Msg = M>>(
        actor: A,
        address: &Address<M>,
        arguments: A::Arguments,
    ) -> Result<Self, String> {
        let counted = CountingActor { actor, address: address.clone() };
        let (root, _) = Actor::spawn(None, counted, arguments).await.map_err(|error| error.to_string())?;
        address.enter(root.clone());
        Ok(Self(root))
    }

    /// Stops the root and its children after the message that it is handling. Waits for their end, at most for
    /// `patience`.
    pub(crate) async fn stop(&self, patience: Duration) {
        let _ = self.0.stop_and_wait(None, Some(patience)).await;
    }

    /// Ends it at once, and its children with it.
    pub(crate) fn kill(&self) {
        self.0.kill();
    }
}
