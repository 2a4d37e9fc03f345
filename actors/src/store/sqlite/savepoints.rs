//! The savepoints of a batch: each job runs in one of its own.
//!
//! Their beginnings and ends go together with the statements of the jobs. Two names take turns: if the savepoint of one
//! job has failed to end, undoing the next job does not undo that one too.

use crate::store::{StoreError, sql::Transaction};

const BEGIN: [&str; 2] = ["SAVEPOINT even", "SAVEPOINT odd"];
const END: [&str; 2] = ["RELEASE even", "RELEASE odd"];
const UNDO: [&str; 2] = ["ROLLBACK TO even", "ROLLBACK TO odd"];

/// The savepoint of the job that runs.
pub(super) struct Savepoints<'t> {
    transaction: &'t Transaction,
    /// Which of the two names it has.
    present: usize,
    /// The one before, if its end waits to be sent.
    before: Option<usize>,
    /// Whether its beginning had been sent when the job began.
    is_open: bool,
    /// What had been sent when the job began.
    journeys: u64,
}

/// What became of a job that was to be kept.
pub(super) enum SavepointOutcome {
    Whole,
    /// One of its statements has failed, and all of it was undone.
    Undone(StoreError),
}

impl<'t> Savepoints<'t> {
    /// Begins the first.
    pub(super) fn begin(transaction: &'t Transaction) -> Self {
        let mut savepoints = Self { transaction, present: 0, before: None, is_open: false, journeys: 0 };
        savepoints.begin_next(None);
        savepoints
    }

    /// Keeps what the job has written, and begins the savepoint of the next one.
    ///
    /// # Errors
    /// [`StoreError`] if the transaction is lost.
    pub(super) async fn keep(&mut self) -> Result<SavepointOutcome, StoreError> {
        let Err(error) = self.end().await else { return Ok(SavepointOutcome::Whole) };
        match self.undo().await {
            Ok(()) => Ok(SavepointOutcome::Undone(error)),
            Err(lost) => Err(if error.is_outage() { error } else { lost }),
        }
    }

    /// Undoes what the job has written; the next one gets its savepoint.
    ///
    /// # Errors
    /// [`StoreError`] if the transaction is lost.
    pub(super) async fn undo(&mut self) -> Result<(), StoreError> {
        self.transaction.forget_later();
        if !self.is_open && !self.has_sent() {
            self.begin_next(self.before);
            return Ok(());
        }
        self.transaction.control(UNDO[self.present]).await?;
        (self.is_open, self.journeys) = (true, self.transaction.journeys());
        Ok(())
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        self.transaction.failed()?;
        if self.transaction.has_later() {
            self.transaction.control(END[self.present]).await?;
            self.present = 1 - self.present;
            self.begin_next(None);
        } else if self.has_sent() {
            self.present = 1 - self.present;
            self.begin_next(Some(1 - self.present));
        }
        Ok(())
    }

    fn begin_next(&mut self, before: Option<usize>) {
        if let Some(before) = before {
            self.transaction.control_later(END[before]);
        }
        self.transaction.control_later(BEGIN[self.present]);
        (self.before, self.is_open, self.journeys) = (before, false, self.transaction.journeys());
    }

    fn has_sent(&self) -> bool {
        self.transaction.journeys() > self.journeys
    }
}
