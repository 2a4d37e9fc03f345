//! What the MaintenanceActor remembers between messages.

use std::{collections::BTreeMap, sync::Arc};

use tokio::time::Instant;

use crate::{context::Context, owned::Owned, supervision::Address, tree::messages::QueueMessage};

pub(crate) struct MaintenanceState {
    pub(super) context: Arc<Context>,
    pub(super) queue: Address<QueueMessage>,
    pub(super) doing: Option<String>,
    /// An index of vectors takes minutes: beside the mailbox.
    pub(super) building: Option<Owned>,
    /// A further advance is on its way.
    pub(super) soon: bool,
    /// So does a clean-up of much.
    pub(super) cleaning: Option<Owned>,
    pub(super) last_error: Option<String>,
    pub(super) since: Instant,
    /// How far each set has been filled, by its number.
    pub(super) fills: BTreeMap<i64, Fill>,
    /// The database's clock at the last look. *Units:* milliseconds since 1970.
    pub(super) clock: i64,
    /// Tasks may have been scheduled by a clock that has been set back since.
    pub(super) clock_stepped: bool,
}

/// How far one set has been filled.
#[derive(Debug, Default)]
pub(super) struct Fill {
    /// Articles up to this id have been looked at.
    pub(super) cursor: i64,
    /// All have; the next sweep begins again.
    pub(super) is_done: bool,
    /// Something may have changed since it was last counted.
    pub(super) is_uncounted: bool,
    /// It is not counted before: a count looks at every article.
    pub(super) count_after: Option<Instant>,
}

impl Fill {
    pub(super) fn begin_again(&mut self) {
        *self = Self { is_uncounted: true, ..Self::default() };
    }
}
