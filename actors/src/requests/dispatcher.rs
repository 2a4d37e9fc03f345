//! The task that sends requests and distributes their results. It owns what waits and what is under way; attempts speak
//! to it by messages.

mod results;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::{AbortHandle, Id, JoinSet},
    time::Instant,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    call::{CallError, Request, call},
    messages::{Ask, Message},
    pool::{Item, Pool, Who},
    recent::Recent,
    replies::Replies,
    turn::Turn,
    under_way::UnderWay,
};
use crate::embedder::{BatchLimits, Embedder, Vector};

/// How long a request with room left waits for attempts that are still reading and cutting their articles.
const MORE_TEXTS_TIMEOUT: Duration = Duration::from_millis(10);

/// A running dispatcher, which ends when this value is dropped.
pub(super) struct Running {
    pub(super) messages: mpsc::UnboundedSender<Message>,
    _work: AbortOnDropHandle<()>,
}

pub(super) struct Dispatcher {
    embedder: Arc<dyn Embedder>,
    /// Most requests at the same time.
    most: usize,
    /// Attempts that may bring texts soon.
    entered: HashSet<u64>,
    replies: Replies,
    pool: Pool,
    under_way: UnderWay,
    recent: Recent,
    /// Parts of divided requests; they go first.
    parts: VecDeque<Request>,
    running: HashMap<Id, (Arc<Request>, AbortHandle)>,
    requests: JoinSet<Result<Vec<Vector>, CallError>>,
    turn: Turn,
    /// Since when a request with room left has waited for more texts.
    waits_since: Option<Instant>,
}

impl Dispatcher {
    /// Starts it, with `most` requests at the same time.
    pub(super) fn start(embedder: Arc<dyn Embedder>, most: usize) -> Running {
        let (messages, inbox) = mpsc::unbounded_channel();
        Running { messages, _work: AbortOnDropHandle::new(tokio::spawn(Self::new(embedder, most).run(inbox))) }
    }

    fn new(embedder: Arc<dyn Embedder>, most: usize) -> Self {
        Self {
            embedder,
            most: most.max(1),
            entered: HashSet::new(),
            replies: Replies::default(),
            pool: Pool::default(),
            under_way: UnderWay::default(),
            recent: Recent::default(),
            parts: VecDeque::new(),
            running: HashMap::new(),
            requests: JoinSet::new(),
            turn: Turn::default(),
            waits_since: None,
        }
    }

    /// Runs until every sender of messages is gone.
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        loop {
            self.dispatch();
            // Before its turn, no request is waited for: it goes with what is there then.
            let waits_since = self.waits_since.filter(|_| self.turn.has_come());
            let patience_ends = waits_since.map(|since| since + MORE_TEXTS_TIMEOUT);
            tokio::select! {
                message = inbox.recv() => {
                    let Some(message) = message else { return };
                    self.take(message);
                    // Messages that arrived together are handled together.
                    while let Ok(message) = inbox.try_recv() {
                        self.take(message);
                    }
                }
                Some(ended) = self.requests.join_next_with_id(), if !self.requests.is_empty() => self.ended(ended),
                () = self.turn.come() => {}
                () = sleep_until(patience_ends), if patience_ends.is_some() => {}
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Entered(id) => drop(self.entered.insert(id)),
            Message::Asked(ask) => {
                let Ask { id, rank, .. } = ask;
                self.entered.remove(&id);
                if !ask.texts.is_empty() {
                    let texts = self.replies.expect(ask);
                    self.pool.add(id, rank, texts);
                }
            }
            Message::NoMore(id) => self.no_more(id),
            Message::Left(id) => {
                self.entered.remove(&id);
                // Answers that have arrived are kept even though this attempt does not wait for them any more.
                while let Some(ended) = self.requests.try_join_next_with_id() {
                    self.ended(ended);
                }
                if self.replies.leave(id) {
                    self.pool.remove(id);
                    self.under_way.leave(id);
                    self.end_unawaited();
                }
            }
            Message::Forget => self.recent.forget(),
        }
    }

    /// Sends nothing more for `id`; its answers end with those of the texts that are under way.
    fn no_more(&mut self, id: u64) {
        let mut withdrawn = self.pool.remove(id);
        for item in self.parts.iter().flat_map(|part| &part.items) {
            withdrawn += usize::from(self.under_way.leave_one(&item.key(), id));
        }
        self.replies.expect_less(id, withdrawn);
    }

    fn end_unawaited(&mut self) {
        let under_way = &mut self.under_way;
        let is_awaited = |request: &Request, under_way: &UnderWay| {
            request.items.iter().any(|item| under_way.is_awaited(&item.key()))
        };
        let forget = |request: &Request, under_way: &mut UnderWay| {
            request.items.iter().for_each(|item| drop(under_way.end(&item.key())));
        };
        self.running.retain(|_, (request, work)| {
            let awaited = is_awaited(request, under_way);
            if !awaited {
                work.abort();
                forget(request, under_way);
            }
            awaited
        });
        self.parts.retain(|part| {
            let awaited = is_awaited(part, under_way);
            if !awaited {
                forget(part, under_way);
            }
            awaited
        });
    }

    fn dispatch(&mut self) {
        self.waits_since = self.waits_since.filter(|_| self.running.len() < self.most);
        while self.running.len() < self.most
            && self.has_something()
            && self.turn.is_here(self.embedder.as_ref())
            && let Some(request) = self.next()
        {
            self.turn = Turn::NotAsked;
            let request = Arc::new(request);
            let work = self.requests.spawn(call(Arc::clone(&self.embedder), Arc::clone(&request)));
            self.running.insert(work.id(), (request, work));
        }
    }

    /// Whether anything waits to be sent.
    fn has_something(&mut self) -> bool {
        let has_something = !self.parts.is_empty() || self.pool.has_any(Who::All);
        if !has_something {
            self.waits_since = None;
        }
        has_something
    }

    fn next(&mut self) -> Option<Request> {
        if self.has_place_for_a_part()
            && let Some(part) = self.next_part()
        {
            return Some(part);
        }
        let who = self.whose_turn();
        while self.pool.has_any(who) {
            let limits = self.embedder.limits();
            if !self.pool.fills(limits, who)
                && !self.entered.is_empty()
                && self.waits_since.get_or_insert_with(Instant::now).elapsed() < MORE_TEXTS_TIMEOUT
            {
                return None;
            }
            let items = self.next_items(limits, who);
            if !items.is_empty() {
                self.waits_since = None;
                return Some(Request { items, is_part: false });
            }
        }
        self.waits_since = None;
        None
    }

    fn doubtful(&self) -> usize {
        self.running.values().filter(|(request, _)| request.is_doubtful()).count()
    }

    /// Whether doubtful texts, at which the provider may hang, leave a place free: of several places, one is kept for
    /// texts that have not failed.
    fn has_place_for_doubtful(&self) -> bool {
        self.doubtful() < self.most.saturating_sub(1).max(1)
    }

    fn has_place_for_a_part(&self) -> bool {
        let parts = self.running.values().filter(|(request, _)| request.is_part).count();
        self.has_place_for_doubtful() && (2 * parts < self.most || !self.pool.has_any(Who::Unfailed))
    }

    /// Attempts that have failed before take at most half of the places while others wait.
    fn whose_turn(&self) -> Who {
        let others_wait = !self.parts.is_empty() || self.pool.has_any(Who::Unfailed);
        let has_place = self.has_place_for_doubtful() && (2 * self.doubtful() < self.most || !others_wait);
        if has_place { Who::All } else { Who::Unfailed }
    }

    /// Returns the next texts that have to be sent: those answered a moment ago are answered here, those under way are
    /// waited for.
    fn next_items(&mut self, limits: BatchLimits, who: Who) -> Vec<Item> {
        let mut answered = Vec::new();
        let Self { pool, under_way, recent, replies, .. } = self;
        let items = pool.next(limits, who, |item, member| {
            replies.begin(member.attempt);
            match recent.get(&item.text.hash) {
                Some(vector) => {
                    answered.push((member, vector.clone()));
                    true
                }
                None => under_way.join(item.key(), member),
            }
        });
        for (member, vector) in answered {
            self.replies.tell(member, Ok(vector));
        }
        items
    }

    /// Returns the next part, without texts that no attempt waits for any more.
    fn next_part(&mut self) -> Option<Request> {
        while let Some(mut part) = self.parts.pop_front() {
            let (awaited, unwanted) = part.items.into_iter().partition(|item| self.under_way.is_awaited(&item.key()));
            part.items = awaited;
            let unwanted: Vec<Item> = unwanted;
            unwanted.iter().for_each(|item| drop(self.under_way.end(&item.key())));
            if !part.items.is_empty() {
                return Some(part);
            }
        }
        None
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline).await;
    }
}
