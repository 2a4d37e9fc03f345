//! Hosts: claims, attempts, renewals, deaths. A host's memory is separate from what is stored, and may be wrong.

use afterword_actors::{
    embedder::ErrorKind,
    task::{Operation, TaskStatus},
};

use super::{
    LEASE, Machine, No, Vectors,
    tasks::{LATER, Next},
};
use crate::step::{Fate, Mood};

/// The memory of one host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) starts: usize,
    /// Empty while it does not run.
    pub(crate) incarnation: Option<String>,
    pub(crate) model: No,
    /// In the order of their tasks.
    pub(crate) attempts: Vec<Attempt>,
    /// Starts that died.
    pub(crate) dead: Vec<String>,
}

/// An attempt as its host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) task: No,
    pub(crate) article: No,
    pub(crate) claim: u64,
    pub(crate) number: i32,
    pub(crate) operation: Operation,
    /// The model whose vectors it makes.
    pub(crate) model: No,
    pub(crate) seen: SeenArticle,
    pub(crate) made: Option<AttemptOutcome>,
    /// Whether its commit got no answer, so that it may or may not be committed.
    pub(crate) in_doubt: bool,
}

/// What a claim saw of its article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeenArticle {
    Gone,
    Skipped,
    Unchanged(i64),
    Changed,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Vectors { revision: i64, content: usize },
    Nothing { revision: i64 },
    Discard(&'static str),
    Failed(Mood),
}

/// A task's status and attempts after a settlement.
pub(crate) type SettledTask = (No, TaskStatus, i32);

impl Machine {
    pub(crate) fn start(&mut self, host: usize, model: No) {
        let memory = &mut self.memories[host];
        memory.starts += 1;
        let incarnation = incarnation(host, memory.starts);
        (memory.incarnation, memory.model) = (Some(incarnation.clone()), model);
        self.offer(model);
        self.rows.hosts.insert(incarnation, "running".to_owned());
    }

    /// The process is killed: its memory is lost, stored rows stay.
    pub(crate) fn crash(&mut self, host: usize) {
        let memory = &mut self.memories[host];
        memory.attempts.clear();
        memory.dead.extend(memory.incarnation.take());
    }

    /// Another host sees that processes have ended, and puts back their tasks.
    pub(crate) fn bury(&mut self) -> usize {
        let dead: Vec<String> = self.memories.iter_mut().flat_map(|memory| std::mem::take(&mut memory.dead)).collect();
        let mut rescued = 0;
        for incarnation in dead {
            rescued += self.rescue(|task| task.host.as_ref() == Some(&incarnation)).len();
            self.rows.hosts.insert(incarnation, "lost".to_owned());
        }
        rescued
    }

    /// Puts back every task whose lease has expired.
    pub(crate) fn rescue_expired(&mut self) -> Vec<SettledTask> {
        let now = self.now;
        self.rescue(|task| task.lease.is_some_and(|(_, until)| until <= now))
    }

    fn rescue(&mut self, which: impl Fn(&super::Task) -> bool) -> Vec<SettledTask> {
        let held = self.held(which);
        for &no in &held {
            // A task that was processed at two deaths was alone at this one.
            let next = if self.rows.tasks[&no].crashes >= 2 { Next::Crashed } else { Next::Suspected };
            self.settle(no, next, "rescued", Some(ErrorKind::Crashed));
        }
        self.settled(held)
    }

    /// Releases the host's tasks, uncounted. Its late workers may still answer.
    pub(crate) fn release(&mut self, host: usize) -> Vec<SettledTask> {
        let Some(incarnation) = self.memories[host].incarnation.clone() else { return Vec::new() };
        let held = self.held(|task| task.host.as_ref() == Some(&incarnation));
        for &no in &held {
            self.settle(no, Next::Refund, "released", None);
        }
        self.settled(held)
    }

    pub(crate) fn stop(&mut self, host: usize) -> Vec<SettledTask> {
        let released = self.release(host);
        let memory = &mut self.memories[host];
        memory.attempts.clear();
        if let Some(incarnation) = memory.incarnation.take() {
            self.rows.hosts.insert(incarnation, "stopped".to_owned());
        }
        released
    }

    pub(crate) fn renew(&mut self, host: usize) -> u64 {
        let until = self.now + LEASE;
        let mut renewed = 0;
        for attempt in self.memories[host].attempts.clone() {
            let task = self.rows.tasks.get_mut(&attempt.task);
            if let Some(lease) = task.and_then(|task| task.lease.as_mut()).filter(|(claim, _)| *claim == attempt.claim)
            {
                lease.1 = until;
                renewed += 1;
            }
        }
        renewed
    }

    /// One attempt, with what is stored at this moment.
    pub(crate) fn work(&mut self, host: usize, nth: usize, mood: Mood) {
        let attempt = self.memories[host].attempts[nth].clone();
        let made = match (attempt.seen, self.rows.articles.get(&attempt.article)) {
            (SeenArticle::Gone, _) => AttemptOutcome::Discard("article deleted"),
            (SeenArticle::Skipped, _) => AttemptOutcome::Discard("embedding skipped"),
            (SeenArticle::Unchanged(revision), _) => AttemptOutcome::Nothing { revision },
            (SeenArticle::Changed, None) => AttemptOutcome::Discard("article deleted"),
            (SeenArticle::Changed, Some(article)) if article.skip => AttemptOutcome::Discard("embedding skipped"),
            (SeenArticle::Changed, Some(article)) if mood == Mood::Works => {
                AttemptOutcome::Vectors { revision: article.revision, content: article.content }
            }
            (SeenArticle::Changed, Some(_)) => AttemptOutcome::Failed(mood),
        };
        self.memories[host].attempts[nth].made = Some(made);
    }

    /// The transaction of a QueueActor: finished attempts are settled, then up to `claims` tasks are claimed.
    pub(crate) fn flush(&mut self, host: usize, claims: usize, fate: Fate) -> (Vec<SettledTask>, Vec<Attempt>) {
        let (before, promised, tasks) = (self.rows.clone(), self.promised.clone(), self.tasks);
        let worked: Vec<_> =
            self.memories[host].attempts.iter().filter(|attempt| attempt.made.is_some()).cloned().collect();
        let settled = self.end_all(&worked);
        let claimed = if claims > 0 { self.claim(host, claims) } else { Vec::new() };
        match fate {
            Fate::Committed => {
                let attempts = &mut self.memories[host].attempts;
                attempts.retain(|attempt| attempt.made.is_none());
                attempts.extend(claimed.iter().cloned());
                attempts.sort_by_key(|attempt| (attempt.task, attempt.claim));
                (settled, claimed)
            }
            // The answer is lost: the host will repeat the verdicts, and knows of no claim.
            Fate::AnswerLost | Fate::RolledBack => {
                if fate == Fate::RolledBack {
                    (self.rows, self.promised, self.tasks) = (before, promised, tasks);
                }
                let worked = self.memories[host].attempts.iter_mut().filter(|attempt| attempt.made.is_some());
                worked.for_each(|attempt| attempt.in_doubt = true);
                (Vec::new(), Vec::new())
            }
        }
    }

    /// Settles tasks under a valid lease; undecided ones are answered as they are. Then the sets that need their
    /// articles next get tasks.
    fn end_all(&mut self, worked: &[Attempt]) -> Vec<SettledTask> {
        let (held, lost): (Vec<_>, Vec<_>) = worked.iter().partition(|attempt| self.is_held(attempt));
        held.iter().for_each(|attempt| self.finish(attempt));
        let in_doubt = lost.iter().filter(|attempt| attempt.in_doubt && self.rows.tasks.contains_key(&attempt.task));
        let settled = self.settled(held.iter().chain(in_doubt).map(|attempt| attempt.task).collect());
        let has_ended = |no: No| settled.iter().any(|(other, status, _)| *other == no && status.is_final());
        for set in [self.active(), self.building()].into_iter().flatten() {
            let needed =
                worked.iter().filter(|attempt| has_ended(attempt.task) && self.after(attempt.model) == Some(set));
            self.queue_next(&needed.map(|attempt| attempt.article).collect(), set);
        }
        settled
    }

    fn is_held(&self, attempt: &Attempt) -> bool {
        let lease = self.rows.tasks.get(&attempt.task).and_then(|task| task.lease);
        lease.is_some_and(|(claim, _)| claim == attempt.claim)
    }

    /// Settles an attempt whose lease is valid.
    fn finish(&mut self, attempt: &Attempt) {
        let (no, model) = (attempt.task, attempt.model);
        let article = self.rows.articles.get(&attempt.article).cloned();
        let key = (attempt.article, model);
        let stored = self.rows.vectors.get(&key).map_or(0, |vectors| vectors.revision);
        let cancelled = Next::End(TaskStatus::Cancelled);
        match (attempt.made.expect("a worked attempt"), article) {
            (AttemptOutcome::Vectors { .. } | AttemptOutcome::Nothing { .. }, None) => {
                self.settle(no, cancelled, "article deleted", None)
            }
            (AttemptOutcome::Vectors { .. } | AttemptOutcome::Nothing { .. }, Some(article)) if article.skip => {
                self.settle(no, cancelled, "embedding skipped", None);
            }
            (AttemptOutcome::Vectors { revision, content }, Some(_)) => {
                // An older revision never replaces a newer one.
                if revision >= stored {
                    self.rows.vectors.insert(key, Vectors { revision, content });
                }
                self.settle(no, Next::End(TaskStatus::Completed), "completed", None);
            }
            (AttemptOutcome::Nothing { revision }, Some(_)) => {
                if let Some(vectors) = self.rows.vectors.get_mut(&key) {
                    vectors.revision = vectors.revision.max(revision);
                }
                self.settle(no, Next::End(TaskStatus::Completed), "completed", None);
            }
            (AttemptOutcome::Discard(cause), _) => self.settle(no, cancelled, cause, None),
            (AttemptOutcome::Failed(mood), _) => {
                let (next, cause, kind) = match mood {
                    Mood::Poisoned => (Next::End(TaskStatus::Failed), "failed", ErrorKind::Data),
                    Mood::Flaky => (LATER, "retry scheduled", ErrorKind::Transient),
                    Mood::Down | Mood::Works => (Next::Refund, "provider failed", ErrorKind::Transient),
                };
                self.settle(no, next, cause, Some(kind));
            }
        }
    }

    fn claim(&mut self, host: usize, most: usize) -> Vec<Attempt> {
        let now = self.now;
        let Memory { incarnation, model: own, .. } = self.memories[host].clone();
        let makes = self.makes(own);
        let Some(incarnation) = incarnation else { return Vec::new() };
        self.claims += 1;
        if self.rows.paused {
            return Vec::new();
        }
        let mut due: Vec<(i64, No)> = self
            .rows
            .tasks
            .iter()
            .filter(|(_, task)| task.status == TaskStatus::Pending && task.scheduled <= now)
            .filter(|(_, task)| makes.take(task, now))
            .filter(|(_, task)| self.task_of(task.article, TaskStatus::Processing).is_none())
            .map(|(&no, task)| (task.key, no))
            .collect();
        due.sort_unstable();
        due.truncate(most);
        let mut in_work = self.held(|task| task.host.as_ref() == Some(&incarnation));
        let mut taken: Vec<No> = Vec::new();
        for (_, no) in due {
            in_work.push(no);
            // The tasks after it wait for it.
            if in_work.len() > in_work.iter().map(|no| together(self.rows.tasks[no].crashes)).min().unwrap_or_default()
            {
                break;
            }
            taken.push(no);
        }
        taken.sort_unstable();
        let claim = self.claims;
        for &no in &taken {
            let model = makes.claimed_for(&self.rows.tasks[&no]);
            self.change(no, "claimed", |task| {
                task.model = model;
                task.status = TaskStatus::Processing;
                task.attempts += 1;
                task.lease = Some((claim, now + LEASE));
                task.host = Some(incarnation.clone());
                task.started = Some(now);
            });
        }
        taken.into_iter().map(|no| self.attempt(no, claim)).collect()
    }

    fn attempt(&self, no: No, claim: u64) -> Attempt {
        let task = &self.rows.tasks[&no];
        let model = task.model.expect("a claimed task's model");
        let seen = match self.rows.articles.get(&task.article) {
            None => SeenArticle::Gone,
            Some(article) if article.skip => SeenArticle::Skipped,
            Some(article) if !self.needs(task.article, model) => SeenArticle::Unchanged(article.revision),
            Some(_) => SeenArticle::Changed,
        };
        let (article, number, operation) = (task.article, task.attempts, task.operation);
        Attempt { task: no, article, claim, number, operation, model, seen, made: None, in_doubt: false }
    }

    fn held(&self, which: impl Fn(&super::Task) -> bool) -> Vec<No> {
        let in_work = self.rows.tasks.iter().filter(|(_, task)| task.status == TaskStatus::Processing);
        in_work.filter(|(_, task)| which(task)).map(|(&no, _)| no).collect()
    }

    fn settled(&self, tasks: Vec<No>) -> Vec<SettledTask> {
        let mut settled: Vec<_> =
            tasks.into_iter().map(|no| (no, self.rows.tasks[&no].status, self.rows.tasks[&no].attempts)).collect();
        settled.sort_unstable();
        settled
    }
}

/// How many tasks a host may process at once, if one of them was processed at this many deaths.
fn together(crashes: u32) -> usize {
    match crashes {
        0 => usize::MAX,
        1 => 8,
        _ => 1,
    }
}

/// The name of a host's nth start.
pub(crate) fn incarnation(host: usize, start: usize) -> String {
    format!("{}{start}", ["A", "B"][host])
}
