//! The variables that earlier deployments use, as plain numbers in the unit their name implies.

use figment::value::Value;

/// A variable, the setting it stands for, and how its number is meant.
struct Legacy {
    variable: &'static str,
    key: &'static str,
    unit: Unit,
}

enum Unit {
    /// `true` or `false`.
    Switch,
    /// A number without a unit.
    Count,
    Milliseconds,
    Hours,
    Days,
}

const LEGACY: &[Legacy] = &[
    Legacy { variable: "EMBEDDING_QUEUE_ENABLED", key: "queue.enabled", unit: Unit::Switch },
    Legacy { variable: "EMBEDDING_QUEUE_WORKER_INTERVAL", key: "queue.poll_interval", unit: Unit::Milliseconds },
    Legacy { variable: "EMBEDDING_QUEUE_MAX_RETRIES", key: "queue.max_attempts", unit: Unit::Count },
    Legacy { variable: "EMBEDDING_QUEUE_RETRY_BACKOFF_BASE", key: "queue.retry_base", unit: Unit::Milliseconds },
    Legacy { variable: "EMBEDDING_QUEUE_BATCH_SIZE", key: "queue.claim_batch", unit: Unit::Count },
    Legacy { variable: "EMBEDDING_QUEUE_CLEANUP_INTERVAL", key: "retention.cleanup_interval", unit: Unit::Hours },
    Legacy { variable: "EMBEDDING_QUEUE_CLEANUP_RETENTION_DAYS", key: "retention.tasks", unit: Unit::Days },
    Legacy {
        variable: "EMBEDDING_QUEUE_HEARTBEAT_INTERVAL",
        key: "queue.heartbeat_interval",
        unit: Unit::Milliseconds,
    },
    Legacy { variable: "EMBEDDING_QUEUE_METRICS_INTERVAL", key: "queue.metrics_interval", unit: Unit::Milliseconds },
    Legacy {
        variable: "EMBEDDING_QUEUE_MAX_PROCESSING_TIME",
        key: "queue.max_processing_time",
        unit: Unit::Milliseconds,
    },
];

/// What `variable` takes, if it is one of these.
pub(super) fn wanted(variable: &str) -> Option<&'static str> {
    let legacy = LEGACY.iter().find(|legacy| legacy.variable == variable)?;
    Some(match legacy.unit {
        Unit::Switch => "must be true or false",
        Unit::Count => "must be a whole number, e.g. 5",
        Unit::Milliseconds => "must be a whole number of milliseconds, e.g. 5000",
        Unit::Hours => "must be a whole number of hours, e.g. 24",
        Unit::Days => "must be a whole number of days, e.g. 7",
    })
}

/// The setting that `variable` stands for and its value in today's form; `None` for any other variable. A value that
/// is no number is passed on as it is, for its fault to be reported under the variable's name.
pub(super) fn translate(variable: &str, text: &str) -> Option<(&'static str, Value)> {
    let legacy = LEGACY.iter().find(|legacy| legacy.variable == variable)?;
    let with_unit = |unit| match text.trim().parse::<u64>() {
        Ok(number) => Value::from(format!("{number}{unit}")),
        Err(_) => Value::from(text),
    };
    let value = match legacy.unit {
        Unit::Switch => text.trim().to_lowercase().parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        Unit::Count => text.trim().parse::<u32>().map_or_else(|_| Value::from(text), Value::from),
        Unit::Milliseconds => with_unit("ms"),
        Unit::Hours => with_unit("h"),
        Unit::Days => with_unit("d"),
    };
    Some((legacy.key, value))
}
