//! Moments remembered from one snapshot of the runtime to the next, so that what has not changed looks the same.

use std::collections::HashMap;

/// Two moments this close are the same one. *Units:* milliseconds.
const SAME_MOMENT_MS: i64 = 2_500;

/// Moments remembered from one snapshot to the next, so that what has not changed looks the same.
#[derive(Default)]
pub(super) struct Memory {
    moments: HashMap<String, (i64, bool)>,
}

impl Memory {
    /// Returns `moment`, or the earlier value if it is the same.
    pub(super) fn steady(&mut self, name: String, moment: i64) -> i64 {
        let known = self.moments.entry(name).or_insert((moment, true));
        if (known.0 - moment).abs() > SAME_MOMENT_MS {
            known.0 = moment;
        }
        known.1 = true;
        known.0
    }

    pub(super) fn begin(&mut self) {
        self.moments.retain(|_, (_, used)| std::mem::take(used));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_changed_looks_the_same_and_what_is_gone_is_forgotten() {
        let mut memory = Memory::default();
        memory.begin();
        assert_eq!(memory.steady("a".to_owned(), 10_000), 10_000);
        memory.begin();
        assert_eq!(memory.steady("a".to_owned(), 10_900), 10_000, "a look later, by a clock that is never exact");
        assert_eq!(memory.steady("a".to_owned(), 60_000), 60_000, "it began anew");
        memory.begin();
        memory.begin();
        assert!(memory.moments.is_empty());
    }
}
