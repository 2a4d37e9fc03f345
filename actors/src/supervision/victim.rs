//! Handles by which tests kill actors.

use ractor::ActorCell;

/// An actor that was running when this handle was made.
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
