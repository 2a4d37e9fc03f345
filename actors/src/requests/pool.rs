//! Texts that wait, and which of them a request carries next. Pure.
//!
//! Every second text belongs to the first attempt in the queue, the others to the attempts that have been given least.
//! So a save goes before bulk work, a long article is not put off by short ones that keep coming, and a short one does
//! not wait for all of a long one.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use super::{
    messages::{RequestRank, Text},
    under_way::{Member, TextKey},
};
use crate::embedder::BatchLimits;

/// A text to be sent, and the attempt that it is sent for.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) attempt: u64,
    pub(super) text: Arc<Text>,
    /// The attempt shares no requests.
    pub(super) alone: bool,
}

impl Item {
    pub(super) fn key(&self) -> TextKey {
        TextKey { hash: self.text.hash.clone(), alone: self.alone.then_some(self.attempt) }
    }
}

/// Which attempts' texts a request may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// All of them.
    All,
    /// Those that share requests: their articles have not failed.
    Unfailed,
}

#[derive(Debug, Default)]
pub(super) struct Pool {
    attempts: HashMap<u64, WaitingAttempt>,
    /// Attempts that share requests.
    shared: AttemptOrder,
    /// Attempts that share none.
    alone: AttemptOrder,
    /// Number of waiting shared texts.
    texts: usize,
    tokens: usize,
    next: Pick,
}

/// Which attempt sends the next text: the two take turns.
#[derive(Debug, Clone, Copy, Default)]
enum Pick {
    #[default]
    FirstInQueue,
    /// The one that has been given least.
    LeastServed,
}

impl Pick {
    fn other(self) -> Self {
        match self {
            Self::FirstInQueue => Self::LeastServed,
            Self::LeastServed => Self::FirstInQueue,
        }
    }
}

#[derive(Debug)]
struct WaitingAttempt {
    rank: RequestRank,
    texts: VecDeque<(usize, Arc<Text>)>,
    sent: usize,
}

/// Attempts in both orders: by queue key, and by how little they were given.
#[derive(Debug, Default)]
struct AttemptOrder {
    by_key: BTreeSet<(i64, u64)>,
    by_sent: BTreeSet<(usize, i64, u64)>,
}

impl AttemptOrder {
    fn insert(&mut self, attempt: u64, waiting: &WaitingAttempt) {
        let key = waiting.rank.queue_key;
        self.by_key.insert((key, attempt));
        self.by_sent.insert((waiting.sent, key, attempt));
    }

    fn remove(&mut self, attempt: u64, waiting: &WaitingAttempt) {
        let key = waiting.rank.queue_key;
        self.by_key.remove(&(key, attempt));
        self.by_sent.remove(&(waiting.sent, key, attempt));
    }

    fn next(&self, pick: Pick) -> Option<(usize, i64, u64)> {
        match pick {
            Pick::FirstInQueue => self.by_key.first().map(|&(key, attempt)| (0, key, attempt)),
            Pick::LeastServed => self.by_sent.first().copied(),
        }
    }
}

impl Pool {
    /// Adds an attempt with texts; it must have none here yet.
    pub(super) fn add(&mut self, attempt: u64, rank: RequestRank, texts: Vec<Arc<Text>>) {
        let waiting = WaitingAttempt { rank, texts: texts.into_iter().enumerate().collect(), sent: 0 };
        if waiting.texts.is_empty() {
            return;
        }
        if !rank.alone {
            self.texts += waiting.texts.len();
            self.tokens += waiting.tokens();
        }
        self.line(rank).insert(attempt, &waiting);
        self.attempts.insert(attempt, waiting);
    }

    /// Withdraws what waits for `attempt`; returns the number of texts.
    pub(super) fn remove(&mut self, attempt: u64) -> usize {
        let Some(waiting) = self.attempts.remove(&attempt) else { return 0 };
        self.line(waiting.rank).remove(attempt, &waiting);
        if !waiting.rank.alone {
            self.texts -= waiting.texts.len();
            self.tokens -= waiting.tokens();
        }
        waiting.texts.len()
    }

    /// Whether a text of `who` waits.
    pub(super) fn has_any(&self, who: Who) -> bool {
        match who {
            Who::All => !self.attempts.is_empty(),
            Who::Unfailed => !self.shared.by_key.is_empty(),
        }
    }

    /// Whether a request of `who` is full, or would not get fuller by waiting.
    pub(super) fn fills(&self, limits: BatchLimits, who: Who) -> bool {
        (who == Who::All && !self.alone.by_key.is_empty()) || self.texts >= limits.texts || self.tokens >= limits.tokens
    }

    /// Takes the texts of the next request, without those that `is_cared_for` says need not be sent.
    pub(super) fn next(
        &mut self,
        limits: BatchLimits,
        who: Who,
        mut is_cared_for: impl FnMut(&Item, Member) -> bool,
    ) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        let mut tokens = 0_usize;
        let mut only = None;
        while items.len() < limits.texts.max(1) {
            // Attempts that share nothing send only the first text of a request.
            let who = if items.is_empty() { who } else { Who::Unfailed };
            let Some(attempt) = only.or_else(|| self.pick(who)) else { break };
            let Some((place, item)) = self.first_of(attempt) else { break };
            let more = tokens.saturating_add(item.text.tokens as usize);
            if more > limits.tokens && !items.is_empty() {
                break;
            }
            self.take_first_of(attempt);
            if is_cared_for(&item, Member { attempt, place }) {
                continue;
            }
            tokens = more;
            only = item.alone.then_some(attempt);
            self.next = self.next.other();
            items.push(item);
        }
        items
    }

    /// Picks the attempt of `who` that sends the next text.
    fn pick(&self, who: Who) -> Option<u64> {
        let shared = self.shared.next(self.next);
        let alone = self.alone.next(self.next).filter(|_| who == Who::All);
        shared.into_iter().chain(alone).min().map(|(_, _, attempt)| attempt)
    }

    fn first_of(&self, attempt: u64) -> Option<(usize, Item)> {
        let waiting = self.attempts.get(&attempt)?;
        let (place, text) = waiting.texts.front()?;
        Some((*place, Item { attempt, text: Arc::clone(text), alone: waiting.rank.alone }))
    }

    fn take_first_of(&mut self, attempt: u64) {
        let Some(mut waiting) = self.attempts.remove(&attempt) else { return };
        self.line(waiting.rank).remove(attempt, &waiting);
        waiting.sent += 1;
        if let Some((_, text)) = waiting.texts.pop_front()
            && !waiting.rank.alone
        {
            self.texts -= 1;
            self.tokens -= text.tokens as usize;
        }
        if !waiting.texts.is_empty() {
            self.line(waiting.rank).insert(attempt, &waiting);
            self.attempts.insert(attempt, waiting);
        }
    }

    fn line(&mut self, rank: RequestRank) -> &mut AttemptOrder {
        if rank.alone { &mut self.alone } else { &mut self.shared }
    }
}

impl WaitingAttempt {
    fn tokens(&self) -> usize {
        self.texts.iter().map(|(_, text)| text.tokens as usize).sum()
    }
}
