//! The advisory locks of PostgreSQL: each number that a statement takes, and what it guards.
//!
//! PostgreSQL keeps locks of two numbers and locks of one number of 64 bits apart, so only those of one kind can meet.
//! Hosts of different versions run side by side, so numbers never change.
//!
//! | numbers | what they guard |
//! |---|---|
//! | 7165, 0 | names of articles, present and former |
//! | 7166, hash | creates with one idempotency key |
//! | 7167, article | a deleted article, which has no row to lock |
//! | 7237, 1 | building an index of vectors |
//! | 7237, 2 | changes of the sets: which there are, and what becomes of each |
//! | 7237, 3 | which set is in use |
//! | hash of a provider | its calls in the last minute |
//! | hash of an incarnation | the life of a host: `postgres::session` |
//! | 4712345678901234567 | the schema: `migration/src/runner.rs`, which imports nothing of this crate |

/// Shares the names of articles until the commit.
pub const SHARE_NAMES: &str = "SELECT pg_advisory_xact_lock_shared(7165, 0)";
/// Excludes all others from the names of articles until the commit.
pub const EXCLUDE_FROM_NAMES: &str = "SELECT pg_advisory_xact_lock(7165, 0)";
/// Lets creates with the idempotency key `$1` take turns, until the commit.
pub const TAKE_TURN_WITH_KEY: &str = "SELECT pg_advisory_xact_lock(7166, hashtext($1))";
/// Locks the deleted article `$1` (its id) until the commit.
pub(super) const LOCK_DELETED_ARTICLE: &str =
    "SELECT pg_advisory_xact_lock(7167, CAST(CAST($1 AS BIGINT) % 2147483647 AS INTEGER))";
/// Returns whether this session may build an index of vectors: one at a time, whichever host starts it.
pub(super) const TRY_TO_BUILD_INDEX: &str = "SELECT pg_try_advisory_lock(7237, 1)";
/// Lets changes of the sets take turns, until the commit.
pub(super) const TAKE_TURN_WITH_SETS: &str = "SELECT 1 AS n FROM pg_advisory_xact_lock(7237, 2)";
/// Keeps the set in use in use until the commit, together with others.
pub(super) const SHARE_SET_IN_USE: &str = "SELECT pg_advisory_xact_lock_shared(7237, 3)";
/// Excludes all others from the set in use until the commit.
pub(super) const EXCLUDE_FROM_SET_IN_USE: &str = "SELECT pg_advisory_xact_lock(7237, 3)";
/// Lets calls of the provider `$1` take turns, until the commit.
pub(super) const TAKE_TURN_WITH_PROVIDER: &str = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
/// Shows that the host of the key `$1` is alive, until the session ends. Shared: an earlier connection of this host
/// that PostgreSQL still takes for open must not block it.
pub(super) const SHOW_LIFE: &str = "SELECT pg_advisory_lock_shared($1)";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_guards_different_things_has_different_numbers() {
        let guards: [&[&str]; 8] = [
            &[SHARE_NAMES, EXCLUDE_FROM_NAMES],
            &[TAKE_TURN_WITH_KEY],
            &[LOCK_DELETED_ARTICLE],
            &[TRY_TO_BUILD_INDEX],
            &[TAKE_TURN_WITH_SETS],
            &[SHARE_SET_IN_USE, EXCLUDE_FROM_SET_IN_USE],
            &[TAKE_TURN_WITH_PROVIDER],
            &[SHOW_LIFE],
        ];
        let numbers = guards.map(|statements| {
            let numbers: BTreeSet<_> = statements.iter().map(|sql| sql.split_once('(').map(|(_, end)| end)).collect();
            assert_eq!(numbers.len(), 1, "one thing is guarded by one lock: {statements:?}");
            numbers
        });
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
    }
}
