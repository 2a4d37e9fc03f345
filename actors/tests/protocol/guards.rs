//! The guards of the protocol, each with a switch.

/// What keeps tasks from being lost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guards {
    /// A commit writes only under the lease token it was claimed with.
    pub(crate) fence: bool,
    /// Never an older revision over a newer one.
    pub(crate) never_older: bool,
    /// At most one task of an article waits.
    pub(crate) one_waiting: bool,
    /// At most one task of an article is in work.
    pub(crate) one_in_work: bool,
    /// Only what a dead process held is put back before its lease has run out.
    pub(crate) liveness: bool,
    /// A host does not take its own present start for one that has ended.
    pub(crate) own_incarnation: bool,
    /// A task says whose vectors it is to make, and only a host with that model takes it.
    pub(crate) task_model: bool,
    /// A set is whole when every article is in it, not when no task is open.
    pub(crate) whole: bool,
    /// It is counted in the transaction that switches.
    pub(crate) counted_at_once: bool,
    /// A save makes a bulk run's waiting task its own, and so does a save's task that gives way to it.
    pub(crate) adoption: bool,
    /// What an attempt spends is put back into the queue.
    pub(crate) put_back: bool,
    /// A death of a host counts for a task only if the task has been in work at one before.
    pub(crate) suspicion: bool,
    /// What was in work at a death is in work alone from then on.
    pub(crate) isolation: bool,
}

impl Guards {
    pub(crate) const ALL: Self = Self {
        fence: true,
        never_older: true,
        one_waiting: true,
        one_in_work: true,
        liveness: true,
        own_incarnation: true,
        task_model: true,
        whole: true,
        counted_at_once: true,
        adoption: true,
        put_back: true,
        suspicion: true,
        isolation: true,
    };
}
