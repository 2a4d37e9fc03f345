//! The audit trail as a table.

use crate::{
    cli::{
        table::{name, number, short, status, table, text, time},
        text_style::TextStyle,
    },
    queue::Event,
};

pub(in crate::cli) fn events_table(look: TextStyle, events: &[Event]) -> String {
    let columns = [time("at"), number("task"), name("article"), name("event"), status("status"), text("detail")];
    table(look, columns, events.iter().map(|event| event_cells(look, event)))
}

pub(super) fn event_cells(look: TextStyle, event: &Event) -> [String; 6] {
    let change = match (&event.from_status, &event.to_status) {
        (Some(from), Some(to)) if from != to => format!("{from} → {to}"),
        (_, Some(to)) => to.clone(),
        (_, None) => String::new(),
    };
    [
        look.time(event.at),
        event.task_id.map(|id| id.to_string()).unwrap_or_default(),
        event.slug.clone().unwrap_or_default(),
        event.event.clone(),
        change,
        short(event.detail.as_deref().unwrap_or_default(), 100),
    ]
}
