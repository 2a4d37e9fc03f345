//! Tasks: queued, coalesced, settled, cancelled and retried by hand. Every change goes through [`Machine::change`],
//! which writes the audit trail.

use afterword_actors::{
    embedder::ErrorKind,
    store::tasks::Change,
    task::{Operation, Priority, TaskStatus},
};

use super::{DELAY, Entry, MAX_ATTEMPTS, Machine, No, Task};

/// Where a task goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    End(TaskStatus),
    /// After a delay; the attempt is spent.
    Retry(i64),
    /// At once; the attempt is not counted.
    Refund,
    /// At once; its host has died while it processed other tasks too: the attempt is not counted.
    Suspected,
    /// At once; its host has died while it processed no other task: the attempt is spent.
    Crashed,
}

pub(super) const LATER: Next = Next::Retry(DELAY);

/// How much later than a task of high priority it is due.
pub(crate) fn handicap(priority: Priority) -> i64 {
    priority.handicap().as_millis() as i64
}

impl Machine {
    /// Changes a task; the audit trail records it if its status, revision or priority changed.
    pub(super) fn change(&mut self, no: No, cause: &str, edit: impl FnOnce(&mut Task)) {
        let now = self.now;
        let task = self.rows.tasks.get_mut(&no).expect("the task");
        let before = task.clone();
        edit(task);
        task.updated = now;
        task.cause = cause.to_owned();
        if (before.status, before.revision, before.priority) != (task.status, task.revision, task.priority) {
            let entry = Entry {
                at: now,
                article: Some(task.article),
                event: cause.to_owned(),
                from: Some(before.status),
                to: Some(task.status),
                attempt: Some(task.attempts),
                error: task.error,
            };
            self.rows.audit.entry(Some(no)).or_default().push(entry);
        }
    }

    /// Ends a task that is pending or processing.
    pub(super) fn end(&mut self, no: No, status: TaskStatus, cause: &str) {
        let now = self.now;
        self.change(no, cause, |task| {
            task.status = status;
            task.completed = Some(now);
            task.lease = None;
        });
    }

    /// Queues the article's present revision, in its pending task if there is one.
    pub(super) fn enqueue(&mut self, article: No, operation: Operation, priority: Priority) -> No {
        let now = self.now;
        let (revision, slug) = {
            let article = &self.rows.articles[&article];
            (article.revision, article.slug.clone())
        };
        let model = self.active();
        let Some(no) = self.task_of(article, TaskStatus::Pending) else {
            return self.create(article, operation, priority, "saved", model);
        };
        self.change(no, "coalesced", |task| {
            let newer = revision > task.revision;
            task.slug = slug;
            if task.operation != Operation::Create {
                task.operation = operation;
            }
            if newer || task.model != model {
                task.attempts = 0;
            }
            if newer {
                task.error = None;
            }
            task.model = model;
            task.join(revision, priority, now, newer || priority == Priority::High);
        });
        self.adopt(no);
        no
    }

    /// A task for an article that a sweep or a bulk run found, or the one that exists already.
    pub(super) fn enqueue_found(
        &mut self,
        article: No,
        model: No,
        priority: Priority,
        cause: &str,
    ) -> Option<(No, bool)> {
        let (now, revision) = (self.now, self.rows.articles[&article].revision);
        let in_work = self.task_of(article, TaskStatus::Processing);
        let makes_it = |task: &Task| task.revision >= revision && task.model.is_none_or(|other| other == model);
        if let Some(no) = in_work.filter(|no| makes_it(&self.rows.tasks[no])) {
            return Some((no, true));
        }
        // A set that is being built waits for the article's other task to end.
        if self.rows.articles[&article].skip || (in_work.is_some() && self.building() == Some(model)) {
            return None;
        }
        let Some(no) = self.task_of(article, TaskStatus::Pending) else {
            return Some((self.create(article, Operation::Update, priority, cause, Some(model)), false));
        };
        let is_in_use = self.active() == Some(model);
        self.change(no, "coalesced", |task| {
            if is_in_use {
                task.model = Some(model);
            }
            task.join(revision, priority, now, priority == Priority::High);
        });
        Some((no, true))
    }

    /// No bulk run owns this task any more.
    fn adopt(&mut self, no: No) {
        let open = self.rows.runs.values_mut().filter(|run| run.is_open());
        open.flat_map(|run| run.items.values_mut())
            .filter(|(task, _)| *task == no)
            .for_each(|(_, adopted)| *adopted = true);
    }

    fn create(&mut self, article: No, operation: Operation, priority: Priority, cause: &str, model: Option<No>) -> No {
        self.tasks += 1;
        let (no, now) = (self.tasks, self.now);
        let present = &self.rows.articles[&article];
        let task = Task {
            article,
            slug: present.slug.clone(),
            operation,
            status: TaskStatus::Pending,
            priority,
            revision: present.revision,
            attempts: 0,
            scheduled: now,
            key: now + handicap(priority),
            updated: now,
            started: None,
            completed: None,
            lease: None,
            host: None,
            error: None,
            cause: cause.to_owned(),
            model,
            crashes: 0,
        };
        self.rows.tasks.insert(no, task);
        let entry = Entry {
            at: now,
            article: Some(article),
            event: "created".to_owned(),
            from: None,
            to: Some(TaskStatus::Pending),
            attempt: Some(0),
            error: None,
        };
        self.rows.audit.entry(Some(no)).or_default().push(entry);
        no
    }

    /// Ends an attempt. A task that would wait again makes room for a newer one, and fails when its attempts are spent.
    pub(super) fn settle(&mut self, no: No, next: Next, cause: &str, error: Option<ErrorKind>) {
        let now = self.now;
        let task = &self.rows.tasks[&no];
        let article = task.article;
        let refund = i32::from(matches!(next, Next::Refund | Next::Suspected));
        let crashes = task.crashes + u32::from(matches!(next, Next::Suspected | Next::Crashed));
        let (status, cause) = match next {
            Next::End(TaskStatus::Failed) => (TaskStatus::Failed, "failed"),
            Next::End(status) => (status, cause),
            _ if self.task_of(article, TaskStatus::Pending).is_some() => (TaskStatus::Cancelled, "superseded"),
            _ if task.attempts - refund >= MAX_ATTEMPTS => (TaskStatus::Failed, "failed"),
            _ => (TaskStatus::Pending, cause),
        };
        let delay = if let Next::Retry(delay) = next { delay } else { 0 };
        if status == TaskStatus::Failed && task.model == self.active() {
            self.promised.remove(&article);
        }
        self.change(no, cause, |task| {
            task.status = status;
            task.attempts -= refund;
            task.crashes = crashes;
            task.lease = None;
            task.error = error;
            if status == TaskStatus::Pending {
                (task.scheduled, task.key) = (now + delay, now + delay + handicap(task.priority));
                task.completed = None;
            } else {
                task.completed = Some(now);
            }
        });
        if cause == "superseded"
            && let Some(other) = self.task_of(article, TaskStatus::Pending)
        {
            self.adopt(other);
            let waiting = self.rows.tasks.get_mut(&other).expect("the task");
            waiting.crashes = waiting.crashes.max(crashes);
        }
    }

    /// A person cancels a waiting task.
    pub(crate) fn cancel(&mut self, no: No) -> Change {
        let Some(task) = self.rows.tasks.get(&no) else { return Change::NotFound };
        if task.status != TaskStatus::Pending {
            return Change::NotAllowed(task.status);
        }
        self.promised.remove(&task.article.clone());
        self.end(no, TaskStatus::Cancelled, "cancelled");
        Change::Done
    }

    /// A person retries a task.
    pub(crate) fn retry(&mut self, no: No) -> Change {
        let Some(task) = self.rows.tasks.get(&no) else { return Change::NotFound };
        let (article, status) = (task.article, task.status);
        if !matches!(status, TaskStatus::Processing | TaskStatus::Completed) {
            self.make_way(no);
        }
        match self.task_of(article, TaskStatus::Pending) {
            Some(other) if other != no => return Change::AlreadyWaiting(other as i64),
            _ if matches!(status, TaskStatus::Processing | TaskStatus::Completed) => return Change::NotAllowed(status),
            _ => self.put_back(no, Priority::High),
        }
        Change::Done
    }

    /// The newest failed task of each article without another task.
    pub(crate) fn retry_failed(&mut self) -> u64 {
        let wanted =
            |model: Option<No>| model.is_none_or(|no| self.rows.models.get(&no).is_some_and(|s| s != "retired"));
        let counts = |other: &Task, task: &Task| {
            other.article == task.article && other.status != TaskStatus::Cancelled && other.model == task.model
        };
        let mut given_up: std::collections::BTreeMap<No, No> = std::collections::BTreeMap::new();
        for (&no, task) in self.rows.tasks.iter().filter(|(_, task)| task.status == TaskStatus::Failed) {
            let is_asked_for = self.rows.articles.get(&task.article).is_some_and(|article| !article.skip);
            let is_overtaken = self.rows.tasks.range(no + 1..).any(|(_, other)| counts(other, task));
            let waits = self.task_of(task.article, TaskStatus::Pending).is_some_and(|waiting| {
                let other = self.rows.tasks[&waiting].model;
                other.is_none() || other == task.model || other != self.building()
            });
            if is_asked_for && wanted(task.model) && !is_overtaken && !waits {
                given_up.entry(task.article).or_insert(no);
            }
        }
        given_up.values().for_each(|&no| self.make_way(no));
        given_up.values().for_each(|&no| self.put_back(no, Priority::Low));
        given_up.len() as u64
    }

    /// A pending task for the set that is being built gives way to a task of another set.
    fn make_way(&mut self, no: No) {
        let (article, model) = (self.rows.tasks[&no].article, self.rows.tasks[&no].model);
        let Some(waiting) = self.task_of(article, TaskStatus::Pending) else { return };
        let other = self.rows.tasks[&waiting].model;
        if other.is_some() && other == self.building() && other != model {
            self.end(waiting, TaskStatus::Cancelled, "superseded");
        }
    }

    fn put_back(&mut self, no: No, priority: Priority) {
        let (now, article) = (self.now, self.rows.tasks[&no].article);
        self.change(no, "retried", |task| {
            (task.status, task.priority) = (TaskStatus::Pending, priority);
            (task.attempts, task.error, task.completed) = (0, None, None);
            (task.scheduled, task.key) = (now, now + handicap(priority));
        });
        if self.rows.articles.get(&article).is_some_and(|article| !article.skip)
            && self.rows.tasks[&no].model == self.active()
        {
            self.promised.insert(article);
        }
    }
}

impl Task {
    /// Takes over what is asked for now: the higher priority, the newer revision, and if it is `urgent`, the nearer
    /// place.
    fn join(&mut self, revision: i64, priority: Priority, now: i64, urgent: bool) {
        if handicap(priority) < self.key - self.scheduled {
            self.priority = priority;
        }
        if urgent {
            self.scheduled = self.scheduled.min(now);
            self.key = self.key.min(now + handicap(priority));
        }
        self.revision = self.revision.max(revision);
    }
}
