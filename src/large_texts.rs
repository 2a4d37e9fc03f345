//! Bounds the memory of large texts in answers, for each client and in total.

use crate::{
    auth::Who,
    share::{SharePermit, Shares},
};

/// Texts up to this size are not counted. *Units:* bytes.
const UNCOUNTED_BYTES: u64 = 256 << 10;
/// The unit of counting. *Units:* bytes.
const UNIT_BYTES: u64 = 1 << 10;
/// How many clients may be sent the largest text at the same time.
const LARGEST_AT_ONCE: u32 = 2;

/// Room for large texts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LargeTexts(Shares);

impl LargeTexts {
    /// Makes room for texts of up to `largest` bytes.
    pub(crate) fn new(largest: u64) -> Self {
        let each = units(largest);
        Self(Shares::new(each.saturating_mul(LARGEST_AT_ONCE), each))
    }

    /// Waits for room for a text of `size` bytes for the client `who`; a small one takes none.
    pub(crate) async fn room(&self, who: &Who, size: u64) -> Option<SharePermit> {
        if size <= UNCOUNTED_BYTES { None } else { self.0.take(who, units(size)).await }
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX / LARGEST_AT_ONCE).min(u32::MAX / LARGEST_AT_ONCE)
}
