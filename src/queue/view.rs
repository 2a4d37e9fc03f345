//! Tasks and their audit trail as callers see them.

use afterword_entities::{embedding_task, embedding_task_event};

use crate::api::{Event, Task, Timestamp};

impl From<embedding_task::Model> for Task {
    fn from(row: embedding_task::Model) -> Self {
        Self {
            id: row.id,
            article_id: row.article_id,
            slug: row.slug,
            operation: row.operation,
            status: row.status,
            priority: row.priority,
            revision: row.revision,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            scheduled_at: Timestamp(row.scheduled_at),
            started_at: row.started_at.map(Timestamp),
            completed_at: row.completed_at.map(Timestamp),
            error_kind: row.error_kind,
            error_message: row.error_message,
            cause: row.cause,
            incarnation: row.incarnation,
            slot: row.slot,
            lease_expires_at: row.lease_expires_at.map(Timestamp),
            trace_id: row.trace_id,
        }
    }
}

impl Event {
    pub(super) fn of(row: embedding_task_event::Model, slug: Option<String>) -> Self {
        Self {
            id: row.id,
            at: Timestamp(row.at),
            task_id: row.task_id,
            article_id: row.article_id,
            slug,
            event: row.event,
            from_status: row.from_status,
            to_status: row.to_status,
            attempt: row.attempt,
            incarnation: row.incarnation,
            slot: row.slot,
            error_kind: row.error_kind,
            detail: row.detail.filter(|detail| !detail.is_empty()),
        }
    }
}
