//! The end of this host's work: nothing more is claimed, and what cannot be finished is released.

use ractor::RpcReplyPort;

use super::{provider::Judgement, state::QueueState};
use crate::store::leases;

impl QueueState {
    pub(super) fn drain(&mut self, reply: RpcReplyPort<()>) {
        self.drain.begun = true;
        self.drain.replies.push(reply);
        let undecided = self.provider.give_up_deciding();
        self.judged(Judgement::Provider(undecided));
        self.schedule_flush();
        self.answer_drained();
    }

    pub(super) fn answer_drained(&mut self) {
        let nothing_left = self.roster.busy() == 0 && self.commits.is_empty() && !self.provider.has_undecided();
        if self.drain.begun && nothing_left {
            self.drain.replies.drain(..).for_each(|reply| drop(reply.send(())));
        }
    }

    /// Releases everything; the workers have been stopped before.
    pub(super) async fn release(&mut self) -> u64 {
        self.drain.begun = true;
        self.commits.ended().await;
        self.roster.take_tasks();
        self.provider.give_up_deciding();
        let mut released = 0;
        loop {
            let incarnation = self.arguments.context.incarnation.clone();
            let page = self
                .arguments
                .context
                .database
                .write_behind(async move |transaction| leases::release(transaction, &incarnation, &[]).await)
                .await;
            match page {
                Ok(page) if page.is_empty() => return released,
                Ok(page) => released += page.len() as u64,
                Err(error) => {
                    tracing::warn!(%error, "tasks could not be released; another host rescues them");
                    return released;
                }
            }
        }
    }
}
