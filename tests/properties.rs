//! The twelve properties: each drives the real runtime and the real database with a scripted back end, at least 100
//! times. The suite knows no database of its own: `support::World` brings it.

mod support;

#[path = "properties/saving.rs"]
mod saving;
#[path = "properties/searching.rs"]
mod searching;
#[path = "properties/telling.rs"]
mod telling;
#[path = "properties/working.rs"]
mod working;

use proptest::test_runner::Config;

/// Cases of each property.
fn cases() -> Config {
    Config { cases: 100, max_shrink_iters: 64, failure_persistence: None, ..Config::default() }
}
