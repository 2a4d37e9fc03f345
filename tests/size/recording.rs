//! Records all statements with their values, while a recording runs.

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Mutex, Once, PoisonError},
};

use tracing::{Subscriber, field::Visit};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

/// At most this many executions of each statement are kept: the first, and others spread over all.
const MAX_KEPT_EXECUTIONS: usize = 12;

/// The recording: each statement, and some of its executions with values.
pub(crate) type Recording = Vec<(String, Vec<String>)>;

/// How often each statement was executed, and some of the executions with values.
type Executions = HashMap<String, (usize, Vec<String>)>;

static HEARD: Mutex<Option<Executions>> = Mutex::new(None);
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Only one recording at a time: it has the statements of all.
pub(crate) async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    ALONE.lock().await
}

pub(crate) struct Recorder;

pub(crate) fn listen() -> Recorder {
    static EARS: Once = Once::new();
    EARS.call_once(|| {
        let only = tracing_subscriber::filter::Targets::new().with_target("afterword::sql", tracing::Level::TRACE);
        tracing_subscriber::registry().with(RecordingLayer.with_filter(only)).init();
    });
    *HEARD.lock().unwrap_or_else(PoisonError::into_inner) = Some(HashMap::new());
    Recorder
}

impl Recorder {
    pub(crate) fn heard(self) -> Recording {
        let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        let mut said: Recording = heard.into_iter().map(|(sql, (_, times))| (sql, times)).collect();
        said.sort();
        said
    }
}

struct RecordingLayer;

#[derive(Default)]
struct StatementFields {
    sql: String,
    with_values: String,
}

impl Visit for StatementFields {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "sql" {
            self.sql = value.to_owned();
        }
    }

    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        if field.name() == "with_values" {
            self.with_values = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for RecordingLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut words = StatementFields::default();
        event.record(&mut words);
        let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(heard) = heard.as_mut() else { return };
        let (times, kept) = heard.entry(words.sql).or_default();
        *times += 1;
        if kept.len() < MAX_KEPT_EXECUTIONS {
            kept.push(words.with_values);
        } else if times.is_power_of_two() {
            let at = *times % MAX_KEPT_EXECUTIONS;
            kept[at] = words.with_values;
        }
    }
}
