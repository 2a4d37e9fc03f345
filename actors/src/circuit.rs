//! The provider's circuit: open while the provider as a whole fails, so that documents do not pay for it.
//!
//! A pure state machine. It knows no provider; its owner runs the probes it asks for.
//!
//! ```text
//! closed ──trip──► open ──probe works──► on trial ──vectors stored──► closed
//!                  ▲  └─probe fails─┐      │
//!                  └── longer delay ┴──────┘ (trip)
//! ```
//!
//! Only failed probes and failed trials make the delay longer: tasks that were being processed when it opened say
//! nothing new by failing. Only stored vectors close it: a provider that answers probes and nothing else stays on
//! trial, with one task at a time.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    embedder::{EmbedError, ErrorKind},
    settings::Delays,
};

/// The longest `retry_after` of a provider that is obeyed.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The circuit of one provider.
#[derive(Debug)]
pub struct Circuit {
    state: State,
    backoff: Backoff,
    max: Duration,
}

#[derive(Debug)]
enum State {
    Closed,
    Open { since: Instant, until: Instant, failure: EmbedError, probing: bool },
    Trial { since: Instant, task: Option<i64> },
}

/// How many tasks may be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Any number.
    All,
    /// One, to see whether the provider works for it too.
    One,
    /// None.
    None,
}

/// Why nothing is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCircuit {
    /// How long it has been open.
    pub since: Duration,
    /// Until the next probe.
    pub next_probe: Duration,
    /// What sort of failure opened it.
    pub kind: ErrorKind,
    /// What failed and what to do.
    pub message: String,
}

impl Circuit {
    /// Makes a closed circuit; `delays` lie between the probes once it is open.
    pub fn new(delays: Delays) -> Self {
        Self { state: State::Closed, backoff: Backoff::new(delays), max: delays.max }
    }

    /// Returns how many tasks may be claimed.
    pub fn admission(&self) -> Admission {
        match &self.state {
            State::Closed => Admission::All,
            State::Trial { task: None, .. } => Admission::One,
            State::Trial { task: Some(_), .. } | State::Open { .. } => Admission::None,
        }
    }

    /// Whether the provider is known to fail.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Whether `task` is the one that tries the provider.
    pub fn is_trial(&self, task: i64) -> bool {
        matches!(self.state, State::Trial { task: Some(on_trial), .. } if on_trial == task)
    }

    /// Records a failure of the provider as a whole. One that a person has to fix is probed at the longest delay from
    /// the start. If the circuit is open already, the failure can only lengthen the pause, by its `retry_after`.
    pub fn trip(&mut self, failure: EmbedError, now: Instant) {
        match &mut self.state {
            State::Open { until, .. } => *until = (*until).max(later(now, requested_pause(&failure))),
            State::Trial { since, .. } => {
                let since = *since;
                self.open(since, failure, now);
            }
            State::Closed => self.open(now, failure, now),
        }
    }

    /// Whether a probe is due; if so, records that it has begun.
    pub fn begin_probe(&mut self, now: Instant) -> bool {
        match &mut self.state {
            State::Open { until, probing, .. } if *until <= now && !*probing => {
                *probing = true;
                true
            }
            State::Open { .. } | State::Trial { .. } | State::Closed => false,
        }
    }

    /// Records the result of a probe. One that the circuit did not ask for cannot end a pause.
    pub fn probed(&mut self, result: Result<(), EmbedError>, now: Instant) {
        match (&self.state, result) {
            (&State::Open { since, probing: true, .. }, Ok(())) => self.state = State::Trial { since, task: None },
            (&State::Open { since, probing: true, .. }, Err(failure)) => self.open(since, failure, now),
            (_, Err(failure)) => self.trip(failure, now),
            (_, Ok(())) => {}
        }
    }

    /// Records that `task` has been claimed to be embedded.
    pub fn began(&mut self, task: i64) {
        if let State::Trial { task: on_trial @ None, .. } = &mut self.state {
            *on_trial = Some(task);
        }
    }

    /// Records that the end of an attempt at `task` is committed, and whether it stored vectors.
    pub fn committed(&mut self, task: i64, stored: bool) {
        match &mut self.state {
            State::Closed if stored => self.backoff.reset(),
            State::Trial { task: on_trial, .. } if *on_trial == Some(task) => {
                *on_trial = None;
                if stored {
                    self.state = State::Closed;
                    self.backoff.reset();
                }
            }
            State::Closed | State::Trial { .. } | State::Open { .. } => {}
        }
    }

    /// How long until a probe is due; `None` if none is needed or one is running.
    pub fn next_probe(&self, now: Instant) -> Option<Duration> {
        match &self.state {
            State::Open { until, probing: false, .. } => Some(until.saturating_duration_since(now)),
            State::Open { .. } | State::Trial { .. } | State::Closed => None,
        }
    }

    /// Returns why it is open, if it is.
    pub fn opened(&self, now: Instant) -> Option<OpenCircuit> {
        match &self.state {
            State::Closed | State::Trial { .. } => None,
            State::Open { since, until, failure, .. } => Some(OpenCircuit {
                since: now.saturating_duration_since(*since),
                next_probe: until.saturating_duration_since(now),
                kind: failure.kind,
                message: failure.message.clone(),
            }),
        }
    }

    fn open(&mut self, since: Instant, failure: EmbedError, now: Instant) {
        let own = if failure.kind == ErrorKind::Config { self.max } else { self.backoff.next_delay() };
        let until = later(now, own.max(requested_pause(&failure)));
        self.state = State::Open { since, until, failure, probing: false };
    }
}

/// The provider's `retry_after`, up to [`MAX_RETRY_AFTER`].
pub(crate) fn requested_pause(failure: &EmbedError) -> Duration {
    failure.retry_after.unwrap_or_default().min(MAX_RETRY_AFTER)
}

/// `now + delay`, or `now` + [`MAX_RETRY_AFTER`] where the clock cannot represent that.
fn later(now: Instant, delay: Duration) -> Instant {
    now.checked_add(delay).unwrap_or_else(|| now + MAX_RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: Delays = Delays { base: Duration::from_secs(1), max: Duration::from_secs(60) };

    fn down() -> EmbedError {
        EmbedError::unavailable("down")
    }

    fn opened_by(failure: EmbedError) -> Circuit {
        let mut circuit = Circuit::new(DELAYS);
        circuit.trip(failure, Instant::now());
        circuit
    }

    async fn until_probed(circuit: &mut Circuit, result: Result<(), EmbedError>) {
        tokio::time::advance(circuit.next_probe(Instant::now()).expect("a probe to come")).await;
        assert!(circuit.begin_probe(Instant::now()));
        circuit.probed(result, Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn it_probes_once_per_delay_and_closes_when_a_task_has_stored_vectors() {
        let mut circuit = opened_by(down());
        assert!(circuit.is_open() && !circuit.begin_probe(Instant::now()), "not yet due");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(circuit.begin_probe(Instant::now()));
        assert!(!circuit.begin_probe(Instant::now()), "one probe at a time");
        circuit.probed(Ok(()), Instant::now());
        assert_eq!(circuit.admission(), Admission::One);
        circuit.began(7);
        assert_eq!(circuit.admission(), Admission::None);
        circuit.committed(8, true);
        assert_eq!(circuit.admission(), Admission::None, "what was in flight says nothing");
        circuit.committed(7, false);
        assert_eq!(circuit.admission(), Admission::One, "the next one is tried");
        circuit.began(9);
        circuit.committed(9, true);
        assert_eq!(circuit.admission(), Admission::All);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_flight_make_no_pause_longer_and_successes_none_shorter() {
        let mut circuit = opened_by(down());
        let first = circuit.next_probe(Instant::now());
        for _ in 0..8 {
            circuit.trip(down(), Instant::now());
            circuit.committed(1, true);
        }
        assert_eq!(circuit.next_probe(Instant::now()), first);
        until_probed(&mut circuit, Err(down())).await;
        assert!(circuit.next_probe(Instant::now()) > first, "a probe that fails does");
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_answers_probes_only_is_asked_ever_more_rarely() {
        let mut circuit = opened_by(down());
        let mut waited = Duration::ZERO;
        for _ in 0..10 {
            waited = circuit.next_probe(Instant::now()).expect("a probe to come");
            until_probed(&mut circuit, Ok(())).await;
            circuit.began(1);
            circuit.trip(down(), Instant::now());
        }
        assert!(waited > DELAYS.max.mul_f64(0.7), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_obeyed_beyond_the_longest_delay_up_to_an_hour() {
        let longer = Duration::from_secs(600);
        let mut circuit = opened_by(down().retry_after(Some(longer)));
        assert_eq!(circuit.next_probe(Instant::now()), Some(longer));
        for wish in [Duration::MAX, Duration::from_secs(99_999_999_999)] {
            circuit.trip(down().retry_after(Some(wish)), Instant::now());
            assert_eq!(circuit.next_probe(Instant::now()), Some(MAX_RETRY_AFTER));
        }
        circuit.probed(Ok(()), Instant::now());
        assert!(circuit.is_open(), "a probe that was asked for by another ends no pause");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_key_is_not_probed_in_haste() {
        let circuit = opened_by(EmbedError::config("401"));
        assert_eq!(circuit.next_probe(Instant::now()), Some(DELAYS.max));
        assert_eq!(circuit.opened(Instant::now()).map(|open| open.kind), Some(ErrorKind::Config));
    }

    #[tokio::test(start_paused = true)]
    async fn it_remembers_since_when_it_has_been_open() {
        let mut circuit = opened_by(down());
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(circuit.begin_probe(Instant::now()));
        circuit.probed(Err(EmbedError::unavailable("still down")), Instant::now());
        let open = circuit.opened(Instant::now()).expect("an open circuit");
        assert_eq!((open.since, open.message.as_str()), (Duration::from_secs(30), "still down"));
    }
}
