//! The view of the runtime as it was rendered last, for all open views.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use tokio::sync::{Mutex, Notify, watch};

use super::memory::Memory;

/// The parts of a view by their names.
pub(super) type Fragments = BTreeMap<&'static str, Arc<str>>;

/// The view of the runtime, for callers that may manage it and for all others.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub(super) managing: Fragments,
    pub(super) watching: Fragments,
}

impl View {
    /// The parts that a caller may see.
    pub(super) fn of(&self, may_manage: bool) -> &Fragments {
        if may_manage { &self.managing } else { &self.watching }
    }
}

/// The rendered view, and what is remembered of the last snapshot.
#[derive(Default)]
pub(super) struct Followed {
    pub(super) view: watch::Sender<Arc<View>>,
    pub(super) arrived: Notify,
    pub(super) looked: Mutex<(Option<Instant>, Memory)>,
}
