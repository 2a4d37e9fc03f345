//! The workers of this host as the queue knows them, and what each works on.

use std::collections::BTreeMap;

use ractor::ActorRef;
use tokio::time::Instant;

use crate::{
    outcome::{FinishedAttempt, Outcome},
    store::{hosts::WorkerRow, suspects::together},
    supervision::{Trouble, elapsed_ms},
    task::{ClaimedTask, Lease, Slot, Vectors},
    tree::messages::WorkerMessage,
};

/// One seat for each slot, with or without a worker.
pub(super) struct Roster {
    seats: BTreeMap<Slot, Seat>,
    /// Since when a seat has been empty.
    short_since: Option<Instant>,
}

#[derive(Default)]
struct Seat {
    worker: Option<ActorRef<WorkerMessage>>,
    task: Option<ClaimedTask>,
    completed: u64,
    failed: u64,
    restarts: u64,
    last_error: Option<String>,
}

impl Roster {
    pub(super) fn of_slots(slots: u32) -> Self {
        let seats = (0..slots.max(1)).map(|slot| (slot, Seat::default())).collect();
        Self { seats, short_since: Some(Instant::now()) }
    }

    /// Seats `worker`. Returns the task that was lost with the worker before it; `None` if this worker sits there
    /// already.
    pub(super) fn seat(&mut self, slot: Slot, worker: ActorRef<WorkerMessage>) -> Option<ClaimedTask> {
        let seat = self.seats.entry(slot).or_default();
        let sits = seat.worker.as_ref().is_some_and(|present| present.get_id() == worker.get_id());
        seat.worker = Some(worker);
        let lost = if sits { None } else { seat.task.take() };
        if self.filled() == self.slots() {
            self.short_since = None;
        }
        lost
    }

    /// Records that a worker has died; returns the task that it was processing.
    pub(super) fn vacate(&mut self, slot: Slot, reason: &str) -> Option<ClaimedTask> {
        self.short_since.get_or_insert_with(Instant::now);
        let seat = self.seats.entry(slot).or_default();
        seat.worker = None;
        let task = seat.task.take()?;
        seat.restarts += 1;
        seat.failed += 1;
        seat.last_error = Some(reason.to_owned());
        Some(task)
    }

    /// Records that all workers are gone; returns the tasks that they were processing.
    pub(super) fn dismiss(&mut self) -> Vec<ClaimedTask> {
        self.short_since.get_or_insert_with(Instant::now);
        self.seats.values_mut().for_each(|seat| seat.worker = None);
        self.take_tasks()
    }

    /// Forgets and returns what the workers are processing.
    pub(super) fn take_tasks(&mut self) -> Vec<ClaimedTask> {
        self.seats.values_mut().filter_map(|seat| seat.task.take()).collect()
    }

    /// Whether `task` may be processed together with those that are.
    pub(super) fn has_room_for(&self, task: &ClaimedTask) -> bool {
        let in_work = self.seats.values().filter_map(|seat| seat.task.as_ref());
        let most = in_work.chain([task]).map(|task| together(task.crashes)).min();
        most.is_none_or(|most| self.busy() < most as usize)
    }

    /// Gives `task` to the worker of its slot; returns it if there is none.
    pub(super) fn give(&mut self, task: ClaimedTask, made: Vectors) -> Result<(), Box<ClaimedTask>> {
        let Some(seat) = self.seats.get_mut(&task.slot) else { return Err(Box::new(task)) };
        let message = WorkerMessage::Embed(Box::new(task.clone()), made);
        if seat.task.is_none() && seat.worker.as_ref().is_some_and(|worker| worker.send_message(message).is_ok()) {
            seat.task = Some(task);
            return Ok(());
        }
        if seat.task.is_none() {
            // It has died, and its supervisor has not reported it yet.
            seat.worker = None;
            self.short_since.get_or_insert_with(Instant::now);
        }
        Err(Box::new(task))
    }

    /// Records the end of an attempt. Returns false for a worker that was given up meanwhile: its lease has been dealt
    /// with.
    pub(super) fn end(&mut self, finished: &FinishedAttempt) -> bool {
        let Some(seat) = self.seats.get_mut(&finished.slot()) else { return false };
        if seat.task.as_ref().is_none_or(|task| task.lease != finished.task.lease) {
            return false;
        }
        seat.task = None;
        match &finished.outcome {
            Outcome::Embedded(_) | Outcome::Unchanged { .. } | Outcome::Discard { .. } => seat.completed += 1,
            Outcome::Failed(failure) => {
                seat.failed += 1;
                seat.last_error = Some(failure.message.clone());
            }
            Outcome::Unread(error) => {
                seat.failed += 1;
                seat.last_error = Some(error.to_string());
            }
        }
        true
    }

    /// Slots with a worker that has nothing to do.
    pub(super) fn idle(&self) -> impl Iterator<Item = Slot> {
        let idle = self.seats.iter().filter(|(_, seat)| seat.worker.is_some() && seat.task.is_none());
        idle.map(|(&slot, _)| slot)
    }

    pub(super) fn slots(&self) -> u32 {
        u32::try_from(self.seats.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn filled(&self) -> u32 {
        u32::try_from(self.seats.values().filter(|seat| seat.worker.is_some()).count()).unwrap_or(u32::MAX)
    }

    /// Returns what is missing, if anything is.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let since = self.short_since?;
        Some(Trouble::Slots { filled: self.filled(), wanted: self.slots(), for_ms: elapsed_ms(since) })
    }

    pub(super) fn busy(&self) -> usize {
        self.tasks().count()
    }

    pub(super) fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.tasks().map(|task| &task.lease)
    }

    fn tasks(&self) -> impl Iterator<Item = &ClaimedTask> {
        self.seats.values().filter_map(|seat| seat.task.as_ref())
    }

    /// The workers as they are shown to other processes.
    pub(super) fn rows(&self) -> Vec<WorkerRow> {
        let row = |(&slot, seat): (&Slot, &Seat)| WorkerRow {
            slot,
            state: match (&seat.worker, &seat.task) {
                (None, _) => "restarting",
                (Some(_), Some(_)) => "busy",
                (Some(_), None) => "idle",
            },
            task_id: seat.task.as_ref().map(|task| task.lease.task_id),
            completed: seat.completed,
            failed: seat.failed,
            restarts: seat.restarts,
            last_error: seat.last_error.clone(),
        };
        self.seats.iter().map(row).collect()
    }
}
