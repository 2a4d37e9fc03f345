//! The provider's circuit: open while the provider as a whole fails, so that documents do not pay for it.
//!
//! A pure state machine. It knows no provider; whoever owns it runs the probes it asks for.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    embedder::{EmbedError, ErrorKind},
    settings::Delays,
};

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
    /// A closed circuit; `delays` lie between the probes once it is open.
    pub fn new(delays: Delays) -> Self {
        Self { state: State::Closed, backoff: Backoff::new(delays), max: delays.max }
    }

    /// Whether tasks may be claimed.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Notes a failure of the provider as a whole. What needs a person is probed at the longest delay at once.
    pub fn trip(&mut self, failure: EmbedError, now: Instant) {
        let since = match &self.state {
            State::Open { since, .. } => *since,
            State::Closed => now,
        };
        let own = if failure.kind == ErrorKind::Config { self.max } else { self.backoff.next_delay() };
        // The provider's own wish is obeyed even where it is longer than our longest delay.
        let until = now + own.max(failure.retry_after.unwrap_or_default());
        self.state = State::Open { since, until, failure, probing: false };
    }

    /// Notes that the provider works.
    pub fn close(&mut self) {
        self.state = State::Closed;
        self.backoff.reset();
    }

    /// Whether a probe is due; if so, counts it as begun.
    pub fn begin_probe(&mut self, now: Instant) -> bool {
        match &mut self.state {
            State::Open { until, probing, .. } if *until <= now && !*probing => {
                *probing = true;
                true
            }
            State::Open { .. } | State::Closed => false,
        }
    }

    /// How long until a probe is due; `None` if none is needed or one is running.
    pub fn next_probe(&self, now: Instant) -> Option<Duration> {
        match &self.state {
            State::Open { until, probing: false, .. } => Some(until.saturating_duration_since(now)),
            State::Open { .. } | State::Closed => None,
        }
    }

    /// Why it is open, if it is.
    pub fn opened(&self, now: Instant) -> Option<OpenCircuit> {
        match &self.state {
            State::Closed => None,
            State::Open { since, until, failure, .. } => Some(OpenCircuit {
                since: now.saturating_duration_since(*since),
                next_probe: until.saturating_duration_since(now),
                kind: failure.kind,
                message: failure.message.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: Delays = Delays { base: Duration::from_secs(1), max: Duration::from_secs(60) };

    #[tokio::test(start_paused = true)]
    async fn it_probes_once_per_delay_and_closes_when_the_provider_works() {
        let mut circuit = Circuit::new(DELAYS);
        circuit.trip(EmbedError::unavailable("down"), Instant::now());
        assert!(!circuit.is_closed());
        assert!(!circuit.begin_probe(Instant::now()), "not yet due");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(circuit.begin_probe(Instant::now()));
        assert!(!circuit.begin_probe(Instant::now()), "one probe at a time");
        circuit.close();
        assert!(circuit.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_obeyed_even_beyond_the_longest_delay() {
        let mut circuit = Circuit::new(DELAYS);
        let wish = Duration::from_secs(600);
        circuit.trip(EmbedError::unavailable("429").retry_after(Some(wish)), Instant::now());
        assert_eq!(circuit.next_probe(Instant::now()), Some(wish));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_key_is_not_probed_in_haste() {
        let mut circuit = Circuit::new(DELAYS);
        circuit.trip(EmbedError::config("401"), Instant::now());
        assert_eq!(circuit.next_probe(Instant::now()), Some(DELAYS.max));
        assert_eq!(circuit.opened(Instant::now()).map(|open| open.kind), Some(ErrorKind::Config));
    }

    #[tokio::test(start_paused = true)]
    async fn it_remembers_since_when_it_has_been_open() {
        let mut circuit = Circuit::new(DELAYS);
        circuit.trip(EmbedError::unavailable("down"), Instant::now());
        tokio::time::advance(Duration::from_secs(30)).await;
        circuit.trip(EmbedError::unavailable("still down"), Instant::now());
        let open = circuit.opened(Instant::now()).expect("an open circuit");
        assert_eq!((open.since, open.message.as_str()), (Duration::from_secs(30), "still down"));
    }
}
