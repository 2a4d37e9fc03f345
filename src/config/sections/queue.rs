//! How tasks are queued, claimed, tried again and given up.

use std::time::Duration;

use crate::config::{
    rules::Rules,
    section::{
        section,
        times::{MINUTE, SECOND},
    },
    slots::{self, Slots},
};

section! {
    /// The queue and its workers.
    Queue {
        /// Embed in the background; false: inside the save call, which never fails for it.
        enabled: bool = true,
        /// Articles embedded at the same time: a number (1: strictly one request after the other), or auto: four for each thread of the
        /// local model (embedding.local.threads), as many as fill the requests of a remote provider (576 with the defaults).
        slots: Slots = Slots::Auto,
        /// Tasks claimed in one transaction, at most.
        claim_batch: u32 = 64,
        /// How often to look for tasks that another process queued.
        #[serde(with = "humantime_serde")]
        poll_interval: Duration = SECOND,
        /// Attempts at a task, the first included.
        max_attempts: u32 = 3,
        /// Delay after the first failed attempt; doubles with each.
        #[serde(with = "humantime_serde")]
        retry_base: Duration = SECOND,
        /// Longest delay between attempts.
        #[serde(with = "humantime_serde")]
        retry_max: Duration = 5 * MINUTE,
        /// First delay between probes of a provider that is down; doubles with each that fails.
        #[serde(with = "humantime_serde")]
        circuit_base: Duration = SECOND,
        /// Longest delay between probes, unless the provider asks for a longer one (1h at most).
        #[serde(with = "humantime_serde")]
        circuit_max: Duration = MINUTE,
        /// How long a claim is valid unless its host renews it; then another host rescues the task.
        #[serde(with = "humantime_serde")]
        lease: Duration = 30 * SECOND,
        /// Longest time one task may take; waiting for memory, or behind other articles, does not count.
        #[serde(with = "humantime_serde")]
        max_processing_time: Duration = 30 * MINUTE,
        /// How long a shutdown waits for tasks in processing; the rest is released.
        #[serde(with = "humantime_serde")]
        drain_timeout: Duration = 20 * SECOND,
        /// How often leases are renewed; at most a third of lease.
        #[serde(with = "humantime_serde")]
        heartbeat_interval: Duration = 5 * SECOND,
        /// How often metrics are written.
        #[serde(with = "humantime_serde")]
        metrics_interval: Duration = MINUTE,
        /// How often articles are compared with their vectors.
        #[serde(with = "humantime_serde")]
        sweep_interval: Duration = 5 * MINUTE,
        /// Tasks of sweeps, bulk runs and new models that are queued at a time, at most; more follow as these end.
        sweep_batch: u32 = 500,
        /// Restarts of one actor within restart_window before the host calls itself failed.
        restart_intensity: u32 = 10,
        /// The time in which restart_intensity counts.
        #[serde(with = "humantime_serde")]
        restart_window: Duration = MINUTE,
    }
}

impl Queue {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        let slots = match self.slots {
            Slots::Auto => true,
            Slots::Number(number) => (1..=slots::MAX_SLOTS).contains(&number),
        };
        rules.check(slots, "queue.slots", "must be auto, or a number from 1 to 1024");
        rules.at_least_one(self.claim_batch.into(), "queue.claim_batch");
        rules.check((1..=100).contains(&self.max_attempts), "queue.max_attempts", "must be from 1 to 100");
        rules.check(self.retry_max >= self.retry_base, "queue.retry_max", "must not be shorter than queue.retry_base");
        let circuit = self.circuit_max >= self.circuit_base;
        rules.check(circuit, "queue.circuit_max", "must not be shorter than queue.circuit_base");
        rules.at_least_one(self.sweep_batch.into(), "queue.sweep_batch");
        rules.check(
            self.lease >= 3 * self.heartbeat_interval,
            "queue.lease",
            "must be at least three times queue.heartbeat_interval, or a lease runs out when one renewal is late",
        );
        rules.longer_than_zero(&[
            ("queue.poll_interval", self.poll_interval),
            ("queue.heartbeat_interval", self.heartbeat_interval),
            ("queue.metrics_interval", self.metrics_interval),
            ("queue.sweep_interval", self.sweep_interval),
            ("queue.max_processing_time", self.max_processing_time),
            ("queue.retry_base", self.retry_base),
            ("queue.restart_window", self.restart_window),
            ("queue.circuit_base", self.circuit_base),
        ]);
    }
}
