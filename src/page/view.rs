//! The view of the runtime as it was rendered last, for all who look on.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use tokio::sync::{Mutex, Notify, watch};

use super::memory::Memory;

/// The parts of a view by their names.
pub(super) type Fragments = BTreeMap<&'static str, Arc<str>>;

/// The view of the runtime, for whoever may manage it and for all others.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub(super) managing: Fragments,
    pub(super) watching: Fragments,
}

impl View {
    /// What somebody may see of it.
    pub(super) fn of(&self, may_manage: bool) -> &Fragments {
        if may_manage { &self.managing } else { &self.watching }
    }
}

/// What is followed, and how it was seen last.
#[derive(Default)]
pub(super) struct Followed {
    pub(super) view: watch::Sender<Arc<View>>,
    pub(super) somebody_came: Notify,
    pub(super) looked: Mutex<(Option<Instant>, Memory)>,
}
