//! The audit trail as a table.

use crate::{
    cli::table::{short, table},
    queue::Event,
};

pub(super) fn events_table(events: &[Event]) -> String {
    table(["at", "task", "event", "status", "detail"], events.iter().map(event_cells))
}

pub(super) fn event_cells(event: &Event) -> [String; 5] {
    let change = match (&event.from_status, &event.to_status) {
        (Some(from), Some(to)) if from != to => format!("{from} → {to}"),
        (_, Some(to)) => to.clone(),
        (_, None) => String::new(),
    };
    [
        event.at.to_string(),
        event.task_id.map(|id| id.to_string()).unwrap_or_default(),
        event.event.clone(),
        change,
        short(event.detail.as_deref().unwrap_or_default(), 100),
    ]
}
