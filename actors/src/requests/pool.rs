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
    under_way::{Key, Member},
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
    pub(super) fn key(&self) -> Key {
        Key { hash: self.text.hash.clone(), alone: self.alone.then_some(self.attempt) }
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
    attempts: HashMap<u64, Waiting>,
    /// Attempts that share requests.
    shared: Line,
    /// Attempts that share none.
    alone: Line,
    /// Number of waiting shared texts.
    texts: usize,
    tokens: usize,
    /// The next text goes to the attempt that has been given least.
    least_next: bool,
}

#[derive(Debug)]
struct Waiting {
    standing: RequestRank,
    texts: VecDeque<(usize, Arc<Text>)>,
    sent: usize,
}

/// Attempts in both orders: by queue key, and by how little they were given.
#[derive(Debug, Default)]
struct Line {
    by_key: BTreeSet<(i64, u64)>,
    by_sent: BTreeSet<(usize, i64, u64)>,
}

impl Line {
    fn insert(&mut self, attempt: u64, waiting: &Waiting) {
        let key = waiting.standing.queue_key;
        self.by_key.insert((key, attempt));
        self.by_sent.insert((waiting.sent, key, attempt));
    }

    fn remove(&mut self, attempt: u64, waiting: &Waiting) {
        let key = waiting.standing.queue_key;
        self.by_key.remove(&(key, attempt));
        self.by_sent.remove(&(waiting.sent, key, attempt));
    }

    fn next(&self, least: bool) -> Option<(usize, i64, u64)> {
        if least {
            return self.by_sent.first().copied();
        }
        self.by_key.first().map(|&(key, attempt)| (0, key, attempt))
    }
}

impl Pool {
    /// Adds an attempt with texts; it must have none here yet.
    pub(super) fn add(&mut self, attempt: u64, standing: RequestRank, texts: Vec<Arc<Text>>) {
        let waiting = Waiting { standing, texts: texts.into_iter().enumerate().collect(), sent: 0 };
        if waiting.texts.is_empty() {
            return;
        }
        if !standing.alone {
            self.texts += waiting.texts.len();
            self.tokens += waiting.tokens();
        }
        self.line(standing).insert(attempt, &waiting);
        self.attempts.insert(attempt, waiting);
    }

    /// Withdraws what waits for `attempt`; returns the number of texts.
    pub(super) fn remove(&mut self, attempt: u64) -> usize {
        let Some(waiting) = self.attempts.remove(&attempt) else { return 0 };
        self.line(waiting.standing).remove(attempt, &waiting);
        if !waiting.standing.alone {
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
            let Some(attempt) = only.or_else(|| self.pick(who == Who::All && items.is_empty())) else { break };
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
            self.least_next = !self.least_next;
            items.push(item);
        }
        items
    }

    /// Picks the attempt that sends the next text. `alone_too` allows attempts that share nothing: only as the first
    /// text of a request.
    fn pick(&self, alone_too: bool) -> Option<u64> {
        let shared = self.shared.next(self.least_next);
        let alone = self.alone.next(self.least_next).filter(|_| alone_too);
        shared.into_iter().chain(alone).min().map(|(_, _, attempt)| attempt)
    }

    fn first_of(&self, attempt: u64) -> Option<(usize, Item)> {
        let waiting = self.attempts.get(&attempt)?;
        let (place, text) = waiting.texts.front()?;
        Some((*place, Item { attempt, text: Arc::clone(text), alone: waiting.standing.alone }))
    }

    fn take_first_of(&mut self, attempt: u64) {
        let Some(mut waiting) = self.attempts.remove(&attempt) else { return };
        self.line(waiting.standing).remove(attempt, &waiting);
        waiting.sent += 1;
        if let Some((_, text)) = waiting.texts.pop_front()
            && !waiting.standing.alone
        {
            self.texts -= 1;
            self.tokens -= text.tokens as usize;
        }
        if !waiting.texts.is_empty() {
            self.line(waiting.standing).insert(attempt, &waiting);
            self.attempts.insert(attempt, waiting);
        }
    }

    fn line(&mut self, standing: RequestRank) -> &mut Line {
        if standing.alone { &mut self.alone } else { &mut self.shared }
    }
}

impl Waiting {
    fn tokens(&self) -> usize {
        self.texts.iter().map(|(_, text)| text.tokens as usize).sum()
    }
}
