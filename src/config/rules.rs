//! Collects what is wrong with settings.

use std::time::Duration;

/// The rules that do not hold: the key of a setting, and what is wrong and what to do.
#[derive(Debug, Default)]
pub(super) struct Rules(pub(super) Vec<(&'static str, String)>);

impl Rules {
    /// Notes `message` under `key` unless `holds`.
    pub(super) fn check(&mut self, holds: bool, key: &'static str, message: &str) {
        if !holds {
            self.0.push((key, message.to_owned()));
        }
    }

    /// The setting is a number and must be 1 or more.
    pub(super) fn at_least_one(&mut self, number: u64, key: &'static str) {
        self.check(number >= 1, key, "must be at least 1");
    }

    /// The settings are durations and must not be zero.
    pub(super) fn longer_than_zero(&mut self, durations: &[(&'static str, Duration)]) {
        for (key, duration) in durations {
            self.check(!duration.is_zero(), key, "must be longer than zero");
        }
    }
}

/// Whether `text` begins as an address of a web server does.
pub(super) fn is_http(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}
