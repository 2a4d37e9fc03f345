//! What goes to collectors.

use crate::config::{
    rules::{Rules, is_http},
    section::section,
};

section! {
    /// Traces.
    Telemetry {
        /// A collector of OpenTelemetry that gets a span of each task, e.g. "http://localhost:4318"; empty: none.
        otlp_endpoint: String = String::new(),
    }
}

impl Telemetry {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        let none = self.otlp_endpoint.is_empty();
        let http = none || is_http(&self.otlp_endpoint);
        rules.check(http, "telemetry.otlp_endpoint", "must begin with http:// or https://");
        let can_export = cfg!(feature = "otel") || none;
        rules.check(can_export, "telemetry.otlp_endpoint", "needs a program that was built with the feature otel");
    }
}
