//! The state at one moment: rows, the memory of hosts, and messages on their way.

pub(crate) const HOSTS: usize = 2;
pub(crate) const MODELS: usize = 2;
pub(crate) const ARTICLES: usize = 2;

/// A task that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Waiting {
    pub(crate) model: usize,
    pub(crate) attempts: u8,
    /// It was processed when its host died.
    pub(crate) suspect: bool,
    /// A bulk run queued it, and no save has joined it since.
    pub(crate) of_run: bool,
}

/// A task that is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InWork {
    pub(crate) model: usize,
    pub(crate) attempts: u8,
    pub(crate) suspect: bool,
    pub(crate) of_run: bool,
    pub(crate) token: u8,
    pub(crate) host: usize,
    /// Whether that host's present process claimed it, not an earlier one.
    pub(crate) of_this_start: bool,
    pub(crate) expired: bool,
}

/// An attempt as its worker knows it; also as a message on its way to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Attempt {
    pub(crate) article: usize,
    pub(crate) token: u8,
    /// The model whose vectors it makes.
    pub(crate) model: usize,
    /// The revision it has embedded, once it has.
    pub(crate) made: Option<u8>,
}

/// The rows of one article.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Article {
    /// 0 before the first save.
    pub(crate) revision: u8,
    /// A person saved it, and no person cancelled that.
    pub(crate) promised: bool,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) in_work: Vec<InWork>,
    /// The revision each model has stored; 0 for none.
    pub(crate) stored: [u8; MODELS],
    /// The revision that failed with each model; 0 for none.
    pub(crate) given_up: [u8; MODELS],
    /// History: the newest revision each model had ever stored.
    pub(crate) newest: [u8; MODELS],
    /// History: searches by meaning have found it.
    pub(crate) shown: bool,
    /// History: the events for which an attempt may be spent, less the attempts that were spent.
    pub(crate) credit: i8,
}

/// What a host remembers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Host {
    pub(crate) lives: bool,
    pub(crate) model: usize,
    /// In order, so that equal memories are equal.
    pub(crate) attempts: Vec<Attempt>,
    /// It has counted the new set and found it complete; only without the guard that counts and switches at once.
    pub(crate) counted_whole: bool,
}

/// How often things may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Budget {
    pub(crate) saves: u8,
    pub(crate) crashes: u8,
    /// Leases that expire while their worker lives.
    pub(crate) pauses: u8,
    /// Texts that fail.
    pub(crate) failures: u8,
    /// Answers that are lost: of a claim, or of a commit, which is then repeated.
    pub(crate) losses: u8,
    /// Bulk runs, and cancellations by hand or of a run.
    pub(crate) runs: u8,
    pub(crate) cancellations: u8,
    /// Beginnings of a new set.
    pub(crate) switches: u8,
}

/// The whole state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct State {
    pub(crate) articles: Vec<Article>,
    pub(crate) hosts: Vec<Host>,
    /// Sent, and not yet arrived; the sender may have died.
    pub(crate) under_way: Vec<Attempt>,
    pub(crate) active: usize,
    pub(crate) building: Option<usize>,
    pub(crate) next_token: u8,
    pub(crate) left: Budget,
}

impl State {
    /// Whether the set of `model` has each article as it is now, or its task has failed.
    pub(crate) fn is_whole(&self, model: usize) -> bool {
        self.articles.iter().all(|article| {
            article.revision == 0
                || article.stored[model] == article.revision
                || article.given_up[model] == article.revision
        })
    }

    /// The tasks that the present start of `host` processes, according to the rows.
    pub(crate) fn in_work_of(&self, host: usize) -> impl Iterator<Item = &InWork> {
        let in_work = self.articles.iter().flat_map(|article| &article.in_work);
        in_work.filter(move |task| task.host == host && task.of_this_start)
    }

    /// One state for all that differ only in names: of articles, hosts and tokens.
    pub(crate) fn representative(self) -> Self {
        let with_hosts_exchanged = self.clone().exchange_hosts();
        let both = [self, with_hosts_exchanged];
        let all = both.into_iter().flat_map(|state| [state.clone().exchange_articles(), state]);
        all.map(Self::rename_tokens).min().expect("a state")
    }

    fn exchange_hosts(mut self) -> Self {
        self.hosts.reverse();
        let in_work = self.articles.iter_mut().flat_map(|article| &mut article.in_work);
        in_work.for_each(|task| task.host = HOSTS - 1 - task.host);
        self
    }

    fn exchange_articles(mut self) -> Self {
        self.articles.reverse();
        self.attempts().for_each(|attempt| attempt.article = ARTICLES - 1 - attempt.article);
        self
    }

    fn attempts(&mut self) -> impl Iterator<Item = &mut Attempt> {
        self.hosts.iter_mut().flat_map(|host| &mut host.attempts).chain(&mut self.under_way)
    }

    /// Tokens are compared with each other and with nothing else: they are numbered in the order in which they are met.
    fn rename_tokens(mut self) -> Self {
        // Rows and messages have no order of their own.
        self.under_way.sort_unstable();
        self.hosts.iter_mut().for_each(|host| host.attempts.sort_unstable());
        for article in &mut self.articles {
            article.waiting.sort_unstable();
            article.in_work.sort_unstable();
        }
        let mut names = vec![0];
        let mut name = |token: u8| match names.iter().position(|&known| known == token) {
            Some(at) => at as u8,
            None => {
                names.push(token);
                names.len() as u8 - 1
            }
        };
        for article in &mut self.articles {
            article.in_work.iter_mut().for_each(|task| task.token = name(task.token));
        }
        self.attempts().for_each(|attempt| attempt.token = name(attempt.token));
        self.next_token = names.len() as u8;
        self
    }
}
