//! What callers do in a property, and what must never be seen while they do it.

use proptest::prelude::*;

/// Something a caller does, by whichever door.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Create(u8),
    Update(u8, u8),
    Stale(u8),
    Delete(u8),
    Skip(u8),
}

pub(crate) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0u8..6).prop_map(Act::Create),
        4 => (0u8..6, any::<u8>()).prop_map(|(n, text)| Act::Update(n, text)),
        1 => (0u8..6).prop_map(Act::Stale),
        1 => (0u8..6).prop_map(Act::Delete),
        1 => (0u8..6).prop_map(Act::Skip),
    ]
}

/// Waiting tasks without their article, or for a revision that is not there.
pub(crate) const WITHOUT_ARTICLE: &str = "
    SELECT count(*) AS n FROM embedding_tasks t LEFT JOIN articles a ON a.id = t.article_id
    WHERE t.status = 'pending' AND (a.id IS NULL OR a.revision < t.revision OR a.skip_embedding)";
/// Articles that need an embedding, and have no task for it.
pub(crate) const WITHOUT_TASK: &str = "
    SELECT count(*) AS n FROM articles a WHERE NOT a.skip_embedding AND NOT EXISTS (
        SELECT 1 FROM embedding_tasks t WHERE t.article_id = a.id AND t.status = 'pending')";
/// How many rows there are that a refused save must not add to.
pub(crate) const TRACES: &str = "
    SELECT (SELECT count(*) FROM embedding_task_events) + (SELECT count(*) FROM article_versions) AS n";
