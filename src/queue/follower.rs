//! Following the audit trail without missing an entry.
//!
//! On PostgreSQL an entry gets its number before it is committed, and one with a lower number may become visible after
//! one with a higher. A reader that follows by number alone would miss it. Numbers that are missing among new entries
//! are therefore looked for again, for as long as transactions last.

use std::{collections::BTreeMap, time::Duration};

use afterword_actors::store::{Database, StoreError, events, sql};
use afterword_entities::embedding_task_event;
use tokio::time::Instant;

use super::{error::QueueError, trail::Names};
use crate::api::Event;

/// How long a transaction is waited for. Each of its statements may take as long, so that one may last longer, which
/// then needs a PostgreSQL that hardly answers: its entries are in the trail, and only who follows misses them.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(30);
/// A wider gap comes from a PostgreSQL that lost its sequence's place in a crash, and not from running transactions.
const WIDEST_GAP: i64 = 1_000;
/// How many numbers before the start are looked through for missing ones.
const LOOKED_BACK: i64 = 500;

/// A reader of the trail, and how far it has read.
pub struct Follower {
    database: Database,
    names: Names,
    last: i64,
    /// Numbers below `last` that may still appear, and until when they are waited for.
    missing: BTreeMap<i64, Instant>,
}

impl Follower {
    /// Starts after the entry `last`, or, without one, after the newest.
    pub(super) async fn start(database: Database, names: Names, last: Option<i64>) -> Result<Self, StoreError> {
        let newest = events::list(database.reader(), &events::Filter { task_id: None, limit: 1 }).await?;
        let newest = newest.last().map_or(0, |event| event.id);
        // What a client has seen may be newer than a backup that was restored.
        let last = last.unwrap_or(newest).min(newest);
        let from = last.saturating_sub(LOOKED_BACK);
        let limit = u32::try_from(LOOKED_BACK).unwrap_or(u32::MAX);
        let before = events::following(database.reader(), from, limit).await?;
        let mut follower = Self { database, names, last, missing: BTreeMap::new() };
        let before: Vec<_> = before.into_iter().filter(|row| row.id <= last).collect();
        if let Some(first) = before.first().map(|row| row.id) {
            follower.note_gaps(first, &before).await?;
        }
        Ok(follower)
    }

    /// Returns the newest entry that was returned.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// Whether numbers are missing that may appear at any moment, without a newer entry.
    pub fn waits(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Returns up to `limit` new entries, and late ones.
    ///
    /// # Errors
    /// [`QueueError::Store`]; no entry is skipped because of it.
    pub async fn next(&mut self, limit: u32) -> Result<Vec<Event>, QueueError> {
        let reader = self.database.reader();
        let awaited: Vec<_> = self.missing.keys().copied().collect();
        let late = if awaited.is_empty() { Vec::new() } else { events::these(reader, &awaited).await? };
        let new = events::following(reader, self.last, limit).await?;
        self.note_gaps(self.last, &new).await?;
        let told: Vec<_> = late.into_iter().chain(new).collect();
        let events = self.names.of_events(&self.database, told).await?;
        for event in &events {
            self.missing.remove(&event.id);
            self.last = self.last.max(event.id);
        }
        let now = Instant::now();
        self.missing.retain(|_, until| *until > now);
        Ok(events)
    }

    /// Records the numbers that are missing between `before` and these entries, if they are new.
    async fn note_gaps(&mut self, before: i64, rows: &[embedding_task_event::Model]) -> Result<(), StoreError> {
        let befores = std::iter::once(before).chain(rows.iter().map(|row| row.id));
        let gaps: Vec<_> = befores.zip(rows).filter(|(before, row)| row.id - before > 1).collect();
        if gaps.is_empty() {
            return Ok(());
        }
        let patience = sql::millis(LONGEST_TRANSACTION);
        let since = sql::now(self.database.reader()).await? - patience;
        let until = Instant::now() + LONGEST_TRANSACTION;
        for (before, row) in gaps {
            // Entries removed long ago leave gaps, too.
            if row.at >= since && row.id - before <= WIDEST_GAP {
                self.missing.extend((before + 1..row.id).map(|id| (id, until)));
            }
        }
        Ok(())
    }
}
