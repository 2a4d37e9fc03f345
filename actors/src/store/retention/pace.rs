//! How many rows a page has: as many as can be removed in a time that no save notices.

use std::time::Duration;

/// The longest time for which a page may block other writers.
const MAX_BLOCKING: Duration = Duration::from_millis(20);
/// Most rows of a page, however fast they go.
const MAX_PAGE_ROWS: i64 = 1_000;
/// Rows of the first page.
const FIRST_PAGE_ROWS: i64 = 50;

/// The size of the next page, learnt from those before.
#[derive(Debug)]
pub(super) struct Pace {
    page: i64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { page: FIRST_PAGE_ROWS }
    }
}

impl Pace {
    pub(super) fn page(&self) -> i64 {
        self.page
    }

    /// Learns from a page: `rows` were removed, and writers were blocked for `blocked`.
    pub(super) fn took(&mut self, blocked: Duration, rows: i64) {
        let fitting = MAX_BLOCKING.as_secs_f64() / blocked.as_secs_f64().max(1e-6) * rows as f64;
        // Grows step by step: one fast page says little about the next.
        let most = if rows < self.page { self.page } else { (self.page * 2).min(MAX_PAGE_ROWS) };
        self.page = (fitting as i64).clamp(1, most);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pages_come_to_last_as_long_as_they_may(row_us in 1_u32..200_000) {
            let row = Duration::from_micros(row_us.into());
            let mut pace = Pace::default();
            for _ in 0..12 {
                let page = pace.page();
                pace.took(row * u32::try_from(page).expect("few rows"), page);
            }
            let page = u32::try_from(pace.page()).expect("few rows");
            prop_assert!(page >= 1 && i64::from(page) <= MAX_PAGE_ROWS);
            prop_assert!(page == 1 || row * page <= MAX_BLOCKING, "{page} rows of {row:?}");
            let is_largest = i64::from(page) == MAX_PAGE_ROWS || row * (page + 1) * 11 / 10 >= MAX_BLOCKING;
            prop_assert!(is_largest, "{page} rows of {row:?}");
        }
    }

    #[test]
    fn a_page_that_takes_long_makes_the_next_small_at_once() {
        let mut pace = Pace { page: MAX_PAGE_ROWS };
        pace.took(MAX_BLOCKING * 100, MAX_PAGE_ROWS);
        assert_eq!(pace.page(), MAX_PAGE_ROWS / 100);
        pace.took(Duration::ZERO, 1);
        assert_eq!(pace.page(), MAX_PAGE_ROWS / 100, "a page that was not full says nothing about a larger one");
    }
}
