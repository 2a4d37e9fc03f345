//! What is measured, in the text format of Prometheus. Every name carries its unit.
//!
//! Requests are counted as they are answered; everything else is read for each scrape, from the same numbers that the
//! other doors show.

mod gauges;
pub(crate) mod log;
#[cfg(feature = "otel")]
pub(crate) mod traces;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use afterword_actors::RuntimeHandle;
use axum::http::Method;
use metrics::{Label, counter, histogram, with_local_recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use self::gauges::REQUEST_SECONDS;
use crate::{health::Health, host::Host, queue::QueueError};

/// Upper bounds of the buckets for durations of answers. *Units:* seconds.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Measurements are sorted into buckets after this many: until then each is kept, whether it is scraped or not.
const BUCKET_AFTER: u64 = 4_096;

/// The measurements of one server.
pub struct Telemetry {
    // Not the process's global one: several servers share a process in tests.
    recorder: PrometheusRecorder,
    requests: AtomicU64,
}

impl Default for Telemetry {
    fn default() -> Self {
        let builder =
            PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(REQUEST_SECONDS.to_owned()), &BUCKETS);
        // Refused only if there are no buckets.
        let recorder = builder.unwrap_or_default().build_recorder();
        with_local_recorder(&recorder, gauges::describe);
        Self { recorder, requests: AtomicU64::new(0) }
    }
}

impl Telemetry {
    /// Counts an answered request; `route` is the pattern, not the path.
    pub fn request(&self, method: &Method, route: &str, status: u16, elapsed: Duration) {
        let method = method_name(method);
        with_local_recorder(&self.recorder, || {
            let labels = vec![Label::new("method", method), Label::new("route", route.to_owned())];
            histogram!(REQUEST_SECONDS, labels.clone()).record(elapsed.as_secs_f64());
            let labels: Vec<_> = labels.into_iter().chain([Label::new("status", status.to_string())]).collect();
            counter!("afterword_http_requests_total", labels).increment(1);
        });
        if self.requests.fetch_add(1, Ordering::Relaxed) % BUCKET_AFTER == BUCKET_AFTER - 1 {
            self.recorder.handle().run_upkeep();
        }
    }

    /// Counts a caller that was not authenticated.
    pub fn unauthorized(&self) {
        with_local_recorder(&self.recorder, || counter!("afterword_http_unauthorized_total").increment(1));
    }

    /// Returns all measurements as they are now.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn scrape(&self, host: &Host, runtime: &RuntimeHandle, health: &Health) -> Result<String, QueueError> {
        let numbers = host.queue.gauges().await?;
        let (tree, snapshot) = tokio::join!(runtime.status(), runtime.metrics());
        with_local_recorder(&self.recorder, || {
            gauges::numbers(&numbers);
            gauges::health(&health.report());
            tree.iter().for_each(gauges::actors);
            snapshot.iter().for_each(gauges::workers);
            gauges::process();
        });
        let handle = self.recorder.handle();
        handle.run_upkeep();
        Ok(handle.render())
    }
}

/// Maps a method: a made-up one must not become a label that is kept.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
