//! Claims on a server: hosts that claim at the same moment pass over each other's rows.
//!
//! The unique index on articles in work has the last word: two tasks of one article cannot both be taken. `OFFSET 0`
//! keeps the look into that index a look for each task, where a planner that takes tasks in work for rare would compare
//! all with all.

macro_rules! claim {
    ($which:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (",
            $which,
            " FOR UPDATE OF t SKIP LOCKED
             ), picked AS (
                 SELECT id AS picked_id,
                        (ARRAY(SELECT CAST(value AS INTEGER) FROM jsonb_array_elements_text(CAST($4 AS jsonb))))
                            [CAST(row_number() OVER (ORDER BY queue_key, id) AS INTEGER)] AS slot
                 FROM due
             )
             UPDATE embedding_tasks SET
                 status = 'processing', cause = 'claimed', attempts = attempts + 1, lease_token = $1,
                 lease_expires_at = {now} + $2, incarnation = $3, slot = picked.slot,
                 started_at = {now}, updated_at = {now}
             FROM picked WHERE id = picked_id
             RETURNING id, article_id, slug, operation, priority, queue_key, revision, attempts, max_attempts,
                       embedding_tasks.slot, started_at - scheduled_at AS waited, trace_id"
        )
    };
}

/// It begins no later than a few seconds ago: what is saved now never stands further to the front than now.
pub(super) const DUE: &str = claim!(
    "SELECT t.id, t.queue_key FROM embedding_tasks t
     WHERE t.status = 'pending' AND t.scheduled_at <= {now} AND t.queue_key >= CASE WHEN $6 IS NULL THEN 0 ELSE {least}($6, {now} - 5000) END
       AND NOT EXISTS (SELECT 1 FROM embedding_tasks p WHERE p.article_id = t.article_id AND p.status = 'processing'
                       OFFSET 0)
       AND NOT EXISTS (SELECT 1 FROM queue_control WHERE key = 'paused')
     ORDER BY t.queue_key, t.id LIMIT $5"
);

pub(super) const ONE: &str = claim!(
    "SELECT t.id, t.queue_key FROM embedding_tasks t
     WHERE t.status = 'pending' AND t.id = $6
       AND NOT EXISTS (SELECT 1 FROM embedding_tasks p WHERE p.article_id = t.article_id AND p.status = 'processing'
                       OFFSET 0)
     LIMIT $5"
);
