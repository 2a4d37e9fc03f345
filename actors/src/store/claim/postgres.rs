//! Claims on PostgreSQL: hosts that claim at the same moment skip each other's locked rows.
//!
//! The unique index on articles in `processing` decides: two tasks of one article cannot both be claimed. `OFFSET 0`
//! makes the planner look into that index once per task, where it would otherwise take such tasks for rare and compare
//! all with all. The tasks are named in an array, so that each is looked up: a join would be planned once for any
//! number of tasks, as one that reads the whole history. `width_bucket` is the index of an id in the sorted array.

use crate::store::suspects::together_of_row;

macro_rules! claim {
    ($($which:expr),+ $(,)?) => {
        concat!(
            "WITH due AS MATERIALIZED (",
            $($which,)+
            " FOR UPDATE OF t SKIP LOCKED
             ), held AS MATERIALIZED (
                 SELECT count(*) AS tasks, coalesce(min(",
            together_of_row!(),
            "), 1000000) AS together FROM embedding_tasks WHERE status = 'processing' AND incarnation = $3
             ), fit AS MATERIALIZED (
                 SELECT p.id FROM held CROSS JOIN (
                     SELECT id, row_number() OVER so_far AS place, min(",
            together_of_row!(),
            ") OVER so_far AS most
                     FROM due WINDOW so_far AS (ORDER BY queue_key, id ROWS UNBOUNDED PRECEDING)) p
                 WHERE p.place + held.tasks <= least(p.most, held.together)
             ), taken AS MATERIALIZED (
                 SELECT ARRAY(SELECT id FROM fit ORDER BY id) AS ids,
                        ARRAY(SELECT CAST(value AS INTEGER) FROM jsonb_array_elements_text(CAST($4 AS jsonb))) AS slots
             )
             UPDATE embedding_tasks SET
                 status = 'processing', cause = 'claimed', attempts = attempts + 1, lease_token = $1,
                 lease_expires_at = {now} + $2, incarnation = $3, model_id = ",
            claimed_for!(),
            ",
                 slot = ((SELECT slots FROM taken))[width_bucket(id, (SELECT ids FROM taken))],
                 started_at = {now}, updated_at = {now}
             WHERE id = ANY (CAST((SELECT ids FROM taken) AS BIGINT[]))
             RETURNING id, article_id, slug, operation, priority, queue_key, revision, attempts, max_attempts, slot,
                       started_at - scheduled_at AS waited, trace_id, model_id, crashes"
        )
    };
}

/// A claim looks back at least five seconds, so that a task saved now is never skipped. That no key is negative is a
/// condition of the index `embedding_tasks_claim`.
pub(super) const DUE: &str = claim!(
    "SELECT t.id, t.queue_key, t.crashes FROM embedding_tasks t
     WHERE t.status = 'pending' AND t.queue_key >= 0 AND t.scheduled_at <= {now} AND ",
    makeable!("$6", "$7", "$9"),
    " AND (t.queue_key, t.id) > ({least}($10, {now} - 5000), CASE WHEN $10 <= {now} - 5000 THEN $11 ELSE 0 END)
       AND NOT EXISTS (SELECT 1 FROM embedding_tasks p WHERE p.article_id = t.article_id AND p.status = 'processing'
                       OFFSET 0)
       AND NOT EXISTS (SELECT 1 FROM queue_control WHERE key = 'paused')
     ORDER BY t.queue_key, t.id LIMIT $5"
);

pub(super) const ONE: &str = claim!(
    "SELECT t.id, t.queue_key, t.crashes FROM embedding_tasks t
     WHERE t.status = 'pending' AND t.id = $10 AND (CASE WHEN t.model_id = $6 THEN $7 ELSE $9 END) = 1
       AND NOT EXISTS (SELECT 1 FROM embedding_tasks p WHERE p.article_id = t.article_id AND p.status = 'processing'
                       OFFSET 0)
     LIMIT $5"
);
