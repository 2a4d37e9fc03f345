//! A span for each task, from the save until it is searchable, sent to an OpenTelemetry collector.
//!
//! It is made from the task's audit trail when the task has ended, so that it agrees with the record, includes attempts
//! on other hosts, and costs nothing while the task is being processed. Its trace id is the one in the log and in
//! `embedding_tasks.trace_id`.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use afterword_actors::{RuntimeHandle, TaskEvent};
use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks},
};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::{
    queue::{Queue, TaskDetail},
    time::Timestamp,
};

/// How long spans gather before they are sent together.
const BATCH_INTERVAL: Duration = Duration::from_secs(1);
/// Spans sent together.
const SPANS_PER_BATCH: usize = 512;

/// Sends a span for every task that ends on this host, until `stopping`.
///
/// # Errors
/// [`ExporterBuildError`] if the address cannot be used.
pub(crate) fn export(
    endpoint: &str,
    queue: Queue,
    runtime: &RuntimeHandle,
    stopping: CancellationToken,
) -> Result<impl Future<Output = ()> + Send + use<>, ExporterBuildError> {
    // The exporter's client requires one even without encryption.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let mut exporter = SpanExporter::builder().with_http().with_endpoint(address).build()?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let instance = KeyValue::new("service.instance.id", runtime.incarnation().to_owned());
    exporter
        .set_resource(&Resource::builder().with_service_name("afterword").with_attributes([version, instance]).build());
    let events = runtime.subscribe();
    Ok(run(exporter, queue, events, stopping))
}

async fn run(
    exporter: SpanExporter,
    queue: Queue,
    mut events: tokio::sync::broadcast::Receiver<TaskEvent>,
    stopping: CancellationToken,
) {
    let mut ended = HashSet::new();
    let mut tick = tokio::time::interval(BATCH_INTERVAL);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) if event.status.is_final() => drop(ended.insert(event.task_id)),
                // A listener that fell behind has lost spans, never tasks.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            _ = tick.tick() => send(&exporter, &queue, &mut ended).await,
            () = stopping.cancelled() => return send(&exporter, &queue, &mut ended).await,
        }
        if ended.len() >= SPANS_PER_BATCH {
            send(&exporter, &queue, &mut ended).await;
        }
    }
}

async fn send(exporter: &SpanExporter, queue: &Queue, ended: &mut HashSet<i64>) {
    let mut spans = Vec::with_capacity(ended.len());
    for id in ended.drain() {
        // A task that retention has removed meanwhile has no trail either.
        if let Ok(detail) = queue.task(id).await {
            spans.extend(span(&detail));
        }
    }
    if !spans.is_empty()
        && let Err(error) = exporter.export(spans).await
    {
        tracing::warn!(%error, "spans could not be sent to telemetry.otlp_endpoint");
    }
}

/// `None` for a task without a trace, which no save has made.
fn span(detail: &TaskDetail) -> Option<SpanData> {
    let task = &detail.task;
    let trace = TraceId::from_hex(task.trace_id.as_deref()?).ok()?;
    let mut id = [0; 8];
    getrandom::fill(&mut id).ok()?;
    let context = SpanContext::new(trace, SpanId::from_bytes(id), TraceFlags::SAMPLED, false, TraceState::default());
    let events = detail.events.iter().map(|event| {
        let mut attributes = vec![KeyValue::new("afterword.cause", event.event.clone())];
        attributes.extend(event.attempt.map(|attempt| KeyValue::new("afterword.attempt", i64::from(attempt))));
        attributes.extend(event.detail.clone().map(|detail| KeyValue::new("afterword.detail", detail)));
        Event::new(event.to_status.clone().unwrap_or_else(|| event.event.clone()), time(event.at), attributes, 0)
    });
    let mut trail = SpanEvents::default();
    trail.events = events.collect();
    Some(SpanData {
        span_context: context,
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Consumer,
        name: "embed article".into(),
        start_time: time(task.created_at),
        end_time: time(task.completed_at.unwrap_or(task.updated_at)),
        attributes: vec![
            KeyValue::new("afterword.task.id", task.id),
            KeyValue::new("afterword.article.slug", task.slug.clone()),
            KeyValue::new("afterword.article.revision", task.revision),
            KeyValue::new("afterword.task.operation", task.operation.clone()),
            KeyValue::new("afterword.task.status", task.status.clone()),
            KeyValue::new("afterword.task.attempts", i64::from(task.attempts)),
        ],
        dropped_attributes_count: 0,
        events: trail,
        links: SpanLinks::default(),
        status: match task.status.as_str() {
            "failed" => Status::error(task.error_message.clone().unwrap_or_default()),
            _ => Status::Ok,
        },
        instrumentation_scope: InstrumentationScope::builder("afterword").build(),
    })
}

fn time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or_default())
}
