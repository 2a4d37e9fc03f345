//! The guards of the protocol, each with a switch.

/// The guards that keep tasks from being lost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guards {
    /// A commit writes only under the lease token it was claimed with.
    pub(crate) fence: bool,
    /// An older revision never replaces a newer one.
    pub(crate) never_older: bool,
    /// At most one task of an article waits.
    pub(crate) one_waiting: bool,
    /// At most one task of an article is processed at a time.
    pub(crate) one_in_work: bool,
    /// Before its lease has expired, only a task of a dead process is put back.
    pub(crate) liveness: bool,
    /// A host does not take its own present start for a dead one.
    pub(crate) own_incarnation: bool,
    /// A task names the model of its vectors, and only a host with that model claims it.
    pub(crate) task_model: bool,
    /// A set is complete when every article is in it, not when no task is open.
    pub(crate) whole: bool,
    /// It is counted in the transaction that switches.
    pub(crate) counted_at_once: bool,
    /// A save takes over a bulk run's waiting task, and so does a save's task that gives way to it.
    pub(crate) adoption: bool,
    /// A task that spent an attempt is put back into the queue.
    pub(crate) put_back: bool,
    /// A death of a host counts for a task only if the task was processed at an earlier one.
    pub(crate) suspicion: bool,
    /// A task that was processed at a death is processed alone from then on.
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
