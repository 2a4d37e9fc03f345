//! The children of a supervisor as a table: which follows which, and which is started again when.
//!
//! A pure state machine. The supervisor starts, stops and waits as it says. While its leader is down, a follower is
//! started by the success of the leader's start and by nothing else: so no order of deaths and timers leaves a follower
//! running with a leader that does not know it.

use std::{hash::Hash, time::Duration};

use tokio::time::Instant;

use super::{ActorState, RestartDecision, Restarts};
use crate::settings::RestartSettings;

/// A child, and the one it follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec<R> {
    pub(crate) role: R,
    /// It ends and starts with this one, which is earlier in the table.
    pub(crate) restarts_with: Option<R>,
}

/// All children, in the order of their start.
#[derive(Debug)]
pub(crate) struct Plan<R>(Vec<PlannedChild<R>>);

#[derive(Debug)]
pub(crate) struct PlannedChild<R> {
    spec: Spec<R>,
    phase: Phase,
    /// Number of the last restart that was decided.
    generation: u64,
    restarts: Restarts,
    last_error: Option<String>,
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Up,
    /// Until the timer of its generation fires; given up for a while if it is `failed`.
    Waiting {
        failed: bool,
    },
    /// Until its leader has started.
    Behind,
    Retired,
}

/// What follows from the end of a child.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChildEnd<R> {
    /// Start it again after this delay, with this generation.
    pub(crate) restart: (Duration, u64),
    /// Whether it has failed too often.
    pub(crate) failed: bool,
    /// Followers to be stopped now.
    pub(crate) stop: Vec<R>,
}

impl<R: Copy + Eq + Hash> Plan<R> {
    /// Makes a plan with children that have not been started yet.
    pub(crate) fn new(specs: &[Spec<R>], settings: RestartSettings) -> Self {
        let planned = |&spec| PlannedChild {
            spec,
            phase: Phase::Behind,
            generation: 0,
            restarts: Restarts::new(settings),
            last_error: None,
            since: Instant::now(),
        };
        Self(specs.iter().map(planned).collect())
    }

    /// The children that follow no other: to be started first.
    pub(crate) fn leaders(&self) -> Vec<R> {
        let leaders = self.0.iter().filter(|child| child.spec.restarts_with.is_none());
        leaders.map(|child| child.spec.role).collect()
    }

    /// Whether the restart of this generation is to be done now.
    pub(crate) fn is_due(&mut self, role: R, generation: u64) -> bool {
        let leader_is_up = self.leader_is_up(role);
        let Some(child) = self.get(role) else { return false };
        let waits = matches!(child.phase, Phase::Waiting { .. }) && child.generation == generation;
        if waits && !leader_is_up {
            child.phase = Phase::Behind;
        }
        waits && leader_is_up
    }

    /// Records that a child has started; returns the followers to be started now.
    pub(crate) fn started(&mut self, role: R) -> Vec<R> {
        if let Some(child) = self.get(role) {
            (child.phase, child.since) = (Phase::Up, Instant::now());
        }
        let behind = self.0.iter().filter(|child| child.follows(role) && child.phase == Phase::Behind);
        behind.map(|child| child.spec.role).collect()
    }

    /// Records that a child has ended, or that its start failed; `None` if it was retired.
    pub(crate) fn ended(&mut self, role: R, reason: String, now: Instant) -> Option<ChildEnd<R>> {
        let child = self.get(role).filter(|child| child.phase != Phase::Retired)?;
        let (failed, delay) = match child.restarts.decide(now) {
            RestartDecision::Restart(delay) => (false, delay),
            RestartDecision::Escalate(delay) => (true, delay),
        };
        child.generation += 1;
        (child.phase, child.since, child.last_error) = (Phase::Waiting { failed }, now, Some(reason));
        let restart = (delay, child.generation);
        let mut stop = Vec::new();
        for follower in self.0.iter_mut().filter(|child| child.follows(role) && child.phase == Phase::Up) {
            (follower.phase, follower.since) = (Phase::Behind, now);
            stop.push(follower.spec.role);
        }
        Some(ChildEnd { restart, failed, stop })
    }

    /// Records that a child is not to be started again.
    pub(crate) fn retire(&mut self, role: R) {
        if let Some(child) = self.get(role) {
            child.phase = Phase::Retired;
        }
    }

    pub(crate) fn is_retired(&self, role: R) -> bool {
        self.0.iter().any(|child| child.spec.role == role && child.phase == Phase::Retired)
    }

    /// The children that are supposed to run, in order.
    pub(crate) fn children(&self) -> impl Iterator<Item = &PlannedChild<R>> {
        self.0.iter().filter(|child| child.phase != Phase::Retired)
    }

    fn get(&mut self, role: R) -> Option<&mut PlannedChild<R>> {
        self.0.iter_mut().find(|child| child.spec.role == role)
    }

    fn leader_is_up(&self, role: R) -> bool {
        let find = |role| self.0.iter().find(move |child| child.spec.role == role);
        find(role)
            .and_then(|child| child.spec.restarts_with)
            .and_then(find)
            .is_none_or(|leader| leader.phase == Phase::Up)
    }
}

impl<R: Copy + Eq> PlannedChild<R> {
    pub(crate) fn role(&self) -> R {
        self.spec.role
    }

    pub(crate) fn state(&self) -> ActorState {
        match self.phase {
            Phase::Up => ActorState::Running,
            Phase::Waiting { failed: true } => ActorState::Failed,
            Phase::Waiting { failed: false } | Phase::Behind | Phase::Retired => ActorState::Restarting,
        }
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.total()
    }

    pub(crate) fn last_error(&self) -> Option<&String> {
        self.last_error.as_ref()
    }

    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    fn follows(&self, role: R) -> bool {
        self.spec.restarts_with == Some(role)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::settings::Delays;

    const TABLE: [Spec<u8>; 3] = [
        Spec { role: 0, restarts_with: None },
        Spec { role: 1, restarts_with: Some(0) },
        Spec { role: 2, restarts_with: None },
    ];

    fn plan() -> Plan<u8> {
        let delays = Delays { base: Duration::from_millis(10), max: Duration::from_secs(1) };
        let mut plan = Plan::new(&TABLE, RestartSettings { intensity: 1000, window: Duration::from_secs(60), delays });
        for role in plan.leaders() {
            start(&mut plan, role);
        }
        plan
    }

    fn start(plan: &mut Plan<u8>, role: u8) {
        for follower in plan.started(role) {
            start(plan, follower);
        }
    }

    #[test]
    fn a_follower_whose_time_comes_first_waits_for_its_leader() {
        let mut plan = plan();
        let follower = plan.ended(1, "killed".into(), Instant::now()).expect("a restart").restart.1;
        let leader = plan.ended(0, "killed".into(), Instant::now()).expect("a restart").restart.1;
        assert!(!plan.is_due(1, follower), "its leader is down");
        assert!(plan.is_due(0, leader));
        assert_eq!(plan.started(0), [1]);
        assert!(!plan.is_due(0, leader - 1), "a restart of an earlier generation is ignored");
    }

    #[test]
    fn what_is_retired_stays_down() {
        let mut plan = plan();
        plan.retire(1);
        assert_eq!(plan.ended(1, "killed".into(), Instant::now()), None);
        assert_eq!(plan.ended(0, "killed".into(), Instant::now()).map(|ended| ended.stop), Some(vec![]));
        assert!(plan.started(0).is_empty());
    }

    proptest! {
        /// Whatever ends and whichever timer fires when: a follower never runs with a leader that is down, it never
        /// outlives one, and when all timers have fired everything runs.
        #[test]
        fn whatever_happens_everything_runs_again(steps in prop::collection::vec((any::<bool>(), 0u8..3, any::<prop::sample::Index>()), 0..60)) {
            let (mut plan, mut timers) = (plan(), Vec::new());
            for (kills, role, index) in steps {
                if kills {
                    let up = plan.0.iter().any(|child| child.spec.role == role && child.phase == Phase::Up);
                    if up && let Some(ended) = plan.ended(role, "killed".into(), Instant::now()) {
                        timers.push((role, ended.restart.1));
                    }
                } else if !timers.is_empty() {
                    let (role, generation) = timers.swap_remove(index.index(timers.len()));
                    if plan.is_due(role, generation) {
                        start(&mut plan, role);
                    }
                }
                prop_assert!(plan.0[0].phase == Phase::Up || plan.0[1].phase != Phase::Up);
            }
            while let Some((role, generation)) = timers.pop() {
                if plan.is_due(role, generation) {
                    start(&mut plan, role);
                }
            }
            prop_assert!(plan.0.iter().all(|child| child.phase == Phase::Up), "{:?}", plan.0);
        }
    }
}
