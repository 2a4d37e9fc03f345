//! The twelve properties: each drives the real runtime and the real database with a scripted provider, at least 100
//! times. One suite over both engines: `TestHost` is the parent module's.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

#[path = "."]
mod sqlite {
    type TestHost = crate::support::TestHost<crate::support::OnSqlite>;

    #[path = "properties/saving.rs"]
    mod saving;
    #[path = "properties/searching.rs"]
    mod searching;
    #[path = "properties/telling.rs"]
    mod telling;
    #[path = "properties/working.rs"]
    mod working;
}

#[path = "."]
mod postgres {
    type TestHost = crate::support::TestHost<crate::support::OnPostgres>;

    #[path = "properties/saving.rs"]
    mod saving;
    #[path = "properties/searching.rs"]
    mod searching;
    #[path = "properties/telling.rs"]
    mod telling;
    #[path = "properties/working.rs"]
    mod working;
}

pub(crate) mod acts;

use proptest::test_runner::Config;

/// Cases of each property.
pub(crate) fn cases() -> Config {
    Config { cases: 100, max_shrink_iters: 64, failure_persistence: None, ..Config::default() }
}
