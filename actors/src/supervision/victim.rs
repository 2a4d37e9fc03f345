//! Actors as tests see them, which kill them.

use ractor::ActorCell;

/// An actor that ran when it was asked for.
pub struct Victim(ActorCell);

impl Victim {
    pub(crate) fn new(cell: ActorCell) -> Self {
        Self(cell)
    }

    /// Ends it at once, if it still runs.
    pub fn kill(&self) {
        self.0.kill();
    }
}
