//! The protocol by which hosts share tasks, tried exhaustively: two hosts, two articles, two models, in every order.
//!
//! Modelled: save and coalescing, claim, processing, settlement with its fence, failure, expiry of a lease, rescue of
//! tasks of dead hosts and of expired ones, release, bulk runs and their cancellation, the start of a new set, its
//! count and the switch. Faults: hosts die, workers are paused beyond their lease, answers of claims and of commits are
//! lost, commits are repeated and arrive late, also after their sender's death.
//!
//! Not modelled: time (a lease may expire at any moment), the order of the queue (any task may be claimed next), partly
//! visible transactions (each action is one transaction; the tests on real databases cover statements that run between
//! each other), the size of pages, deletion and renaming (the reference machine in `tests/reference_machine` of the
//! host crate has them), the clean-up of retired sets, and the inside of an attempt.
//!
//! Each guard can be switched off. With all of them the checker finds nothing in the whole space; without any one of
//! them it finds the loss that this guard prevents.

mod guards;
mod may;
mod model;
mod state;
mod steps;

use std::collections::BTreeSet;

use guards::Guards;
use model::Protocol;
use state::Budget;
use stateright::{Checker, Model};

/// Only saves.
const CALM: Budget =
    Budget { saves: 2, crashes: 0, pauses: 0, failures: 0, losses: 0, runs: 0, cancellations: 0, switches: 0 };

/// The properties that fail in the space of `budget` without the guard that `off` switches off.
fn found(budget: Budget, off: impl FnOnce(&mut Guards)) -> BTreeSet<&'static str> {
    let mut guards = Guards::ALL;
    off(&mut guards);
    let checker = Protocol { guards, budget }.checker().threads(2).spawn_bfs().join();
    let found = checker.discoveries().into_keys().filter(|name| *name != "everything is embedded").collect();
    println!("{} states", checker.unique_state_count());
    found
}

#[track_caller]
fn nothing_is_found(budget: Budget) {
    let checker = Protocol { guards: Guards::ALL, budget }.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// A larger space if `AFTERWORD_PROTOCOL` asks for it.
fn more() -> u8 {
    std::env::var("AFTERWORD_PROTOCOL").map_or(0, |number| number.parse().expect("a number"))
}

#[test]
fn with_all_guards_deaths_and_lost_answers_lose_nothing() {
    nothing_is_found(Budget { saves: 3, crashes: 1 + more(), losses: 1, ..CALM });
}

#[test]
fn with_all_guards_death_after_death_costs_nothing_but_what_was_in_work_alone() {
    nothing_is_found(Budget { saves: 2, crashes: 3 + more(), ..CALM });
}

#[test]
fn with_all_guards_pauses_and_lost_answers_lose_nothing() {
    nothing_is_found(Budget { saves: 3, pauses: 1 + more(), losses: 1, ..CALM });
}

#[test]
fn with_all_guards_failing_texts_and_bulk_runs_lose_nothing() {
    nothing_is_found(Budget { saves: 3, crashes: more(), failures: 1, runs: 1, cancellations: 1, ..CALM });
}

#[test]
fn with_all_guards_a_change_of_model_loses_nothing() {
    nothing_is_found(Budget { saves: 3, crashes: 1, pauses: more(), switches: 1, ..CALM });
}

const NOTHING_LOST: &str = "what was saved is stored, waits, is in work, or was given up";
const NEVER_BACK: &str = "no model's vectors go back to an older revision";
const ONE_AT_A_TIME: &str = "one task of an article waits at most, one is in work at most";
const STILL_FOUND: &str = "what searches have found they find";
const NO_ATTEMPT_WASTED: &str = "no attempt is spent without a cause";

#[test]
fn without_the_fence_a_late_commit_ends_what_it_does_not_hold() {
    let budget = Budget { saves: 3, pauses: 1, losses: 1, ..CALM };
    assert!(found(budget, |guards| guards.fence = false).contains(NOTHING_LOST));
}

#[test]
fn an_older_revision_would_overwrite_a_newer_one() {
    // With one task processed at a time, two revisions are never embedded at once; this is the second line of defence.
    let budget = Budget { saves: 2, pauses: 1, losses: 1, ..CALM };
    let found = found(budget, |guards| (guards.never_older, guards.one_in_work) = (false, false));
    assert!(found.contains(NEVER_BACK));
}

#[test]
fn without_the_index_of_waiting_tasks_two_wait() {
    assert!(found(CALM, |guards| guards.one_waiting = false).contains(ONE_AT_A_TIME));
}

#[test]
fn without_the_index_of_tasks_in_work_two_are_in_work() {
    assert!(found(CALM, |guards| guards.one_in_work = false).contains(ONE_AT_A_TIME));
}

#[test]
fn without_liveness_a_living_hosts_attempts_are_spent() {
    assert!(found(CALM, |guards| guards.liveness = false).contains(NO_ATTEMPT_WASTED));
}

#[test]
fn a_host_that_takes_itself_for_dead_spends_its_own_attempts() {
    assert!(found(CALM, |guards| guards.own_incarnation = false).contains(NO_ATTEMPT_WASTED));
}

#[test]
fn without_the_tasks_model_a_host_makes_vectors_that_searches_do_not_use() {
    let budget = Budget { switches: 1, ..CALM };
    assert!(found(budget, |guards| guards.task_model = false).contains(NOTHING_LOST));
}

#[test]
fn counting_tasks_instead_of_articles_activates_a_set_with_holes() {
    let budget = Budget { switches: 1, cancellations: 1, ..CALM };
    let found = found(budget, |guards| guards.whole = false);
    assert!(found.contains(STILL_FOUND) && found.contains(NOTHING_LOST), "{found:?}");
}

#[test]
fn counting_before_the_switch_activates_a_set_with_holes() {
    let budget = Budget { switches: 1, ..CALM };
    assert!(found(budget, |guards| guards.counted_at_once = false).contains(STILL_FOUND));
}

#[test]
fn without_adoption_a_cancelled_bulk_run_takes_a_save_along() {
    let budget = Budget { runs: 1, cancellations: 1, ..CALM };
    assert!(found(budget, |guards| guards.adoption = false).contains(NOTHING_LOST));
}

#[test]
fn without_suspicion_a_death_spends_the_attempts_of_all_that_was_in_work() {
    let budget = Budget { crashes: 1, ..CALM };
    assert!(found(budget, |guards| guards.suspicion = false).contains(NO_ATTEMPT_WASTED));
}

#[test]
fn without_isolation_the_next_death_does() {
    let budget = Budget { crashes: 2, ..CALM };
    assert!(found(budget, |guards| guards.isolation = false).contains(NO_ATTEMPT_WASTED));
}

#[test]
fn what_is_not_put_back_is_lost() {
    let budget = Budget { crashes: 1, ..CALM };
    assert!(found(budget, |guards| guards.put_back = false).contains(NOTHING_LOST));
}
