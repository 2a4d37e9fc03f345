//! Models: one is active, one may be built; and the articles that a sweep must queue.

use afterword_actors::task::{Priority, TaskStatus};

use super::{Machine, No};

/// The sets that a host makes.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostSets {
    pub(super) active: Option<No>,
    pub(super) makes_active: bool,
    pub(super) building: Option<No>,
    pub(super) makes_building: bool,
}

impl HostSets {
    /// Whether a host that makes these sets claims this task. A task for a set that no host makes any more is claimed
    /// for the set that is being built, after half a minute.
    pub(super) fn take(&self, task: &super::Task, now: i64) -> bool {
        if task.model.is_some() && task.model == self.building {
            self.makes_building
        } else {
            self.makes_active || (self.makes_building && task.scheduled <= now - 30_000)
        }
    }

    pub(super) fn claimed_for(&self, task: &super::Task) -> Option<No> {
        let for_the_next = (task.model.is_some() && task.model == self.building) || !self.makes_active;
        if for_the_next { self.building } else { self.active }
    }
}

impl Machine {
    pub(crate) fn active(&self) -> Option<No> {
        self.set("active")
    }

    pub(crate) fn building(&self) -> Option<No> {
        self.set("building")
    }

    fn set(&self, state: &str) -> Option<No> {
        self.rows.models.iter().find(|(_, other)| *other == state).map(|(&no, _)| no)
    }

    /// A host makes the set of its own model, if it is wanted.
    pub(super) fn makes(&self, own: No) -> HostSets {
        let (active, building) = (self.active(), self.building());
        HostSets { active, makes_active: active == Some(own), building, makes_building: building == Some(own) }
    }

    /// A host with `model` starts: a set for a model that was never used is built, unless another one is being built.
    pub(super) fn offer(&mut self, model: No) {
        self.enter(model);
        let was_ever_wanted = self.used.contains(&model) || self.retired.contains_key(&model);
        if self.rows.models[&model] == "retired" && !was_ever_wanted && self.building().is_none() {
            self.begin(model);
        }
    }

    fn enter(&mut self, model: No) {
        let is_any_active = self.active().is_some();
        let state = self.rows.models.entry(model).or_insert_with(|| "retired".to_owned());
        if !is_any_active {
            *state = "active".to_owned();
            self.used.insert(model);
        }
    }

    fn begin(&mut self, model: No) {
        self.rows.models.insert(model, "building".to_owned());
        self.retired.remove(&model);
        self.begun.insert(model, self.now);
        self.note(None, "model switch begun");
    }

    /// An operator wants this model's set.
    pub(crate) fn switch_to(&mut self, model: No) {
        self.enter(model);
        match self.rows.models[&model].as_str() {
            "active" => drop(self.cancel_switch()),
            "retired" => {
                self.stop_building();
                self.begin(model);
            }
            _ => {}
        }
    }

    /// An operator wants the set that is in use.
    pub(crate) fn cancel_switch(&mut self) -> bool {
        let stopped = self.stop_building();
        if stopped {
            self.note(None, "model switch cancelled");
        }
        stopped
    }

    fn stop_building(&mut self) -> bool {
        let Some(model) = self.building() else { return false };
        self.rows.models.insert(model, "retired".to_owned());
        self.retired.insert(model, self.now);
        let waiting = self.rows.tasks.iter().filter(|(_, task)| task.status == TaskStatus::Pending);
        let of_it: Vec<No> = waiting.filter(|(_, task)| task.model == Some(model)).map(|(&no, _)| no).collect();
        of_it.into_iter().for_each(|no| self.end(no, TaskStatus::Cancelled, "model switch cancelled"));
        true
    }

    /// Searches use the new model's set when it is complete.
    pub(crate) fn activate(&mut self, model: No) -> bool {
        if self.building() != Some(model) || self.is_behind(model) || self.would_empty_searches(model) {
            return false;
        }
        if let Some(former) = self.active() {
            self.rows.models.insert(former, "retired".to_owned());
            self.retired.insert(former, self.now);
        }
        self.rows.models.insert(model, "active".to_owned());
        self.used.insert(model);
        self.note(None, "model activated");
        true
    }

    /// Whether an article keeps the set from coming into use.
    fn is_behind(&self, model: No) -> bool {
        let since = self.begun.get(&model).copied().unwrap_or(i64::MAX);
        let in_use = self.active();
        self.rows.articles.iter().filter(|(_, present)| !present.skip).any(|(&article, present)| {
            let new = self.rows.vectors.get(&(article, model));
            let old = in_use.and_then(|in_use| self.rows.vectors.get(&(article, in_use)));
            let is_given_up = self
                .newest_by(article, model)
                .is_some_and(|task| task.status == TaskStatus::Failed && task.revision >= present.revision);
            let revision = |vectors: Option<&super::Vectors>| vectors.map_or(0, |vectors| vectors.revision);
            let is_awaited_by_both = present.updated >= since
                && old.is_none_or(|vectors| vectors.content != present.content)
                && revision(new) >= revision(old)
                && self.is_attended(article);
            self.needs(article, model) && !(old.is_none() && is_given_up) && !is_awaited_by_both
        })
    }

    fn would_empty_searches(&self, model: No) -> bool {
        let has_any = |model: Option<No>| self.rows.vectors.keys().any(|(_, other)| Some(*other) == model);
        !has_any(Some(model)) && has_any(self.active()) && self.rows.articles.values().any(|article| !article.skip)
    }

    /// Queues articles without vectors in the sets that the host makes, and those without a task.
    pub(crate) fn sweep(&mut self, own: No) -> usize {
        let HostSets { active, makes_active, building, makes_building } = self.makes(own);
        let in_use = active.filter(|_| makes_active).map(|model| (model, "sweep"));
        let to_follow = building.filter(|_| makes_building).map(|model| (model, "new model"));
        [in_use, to_follow].into_iter().flatten().map(|(model, cause)| self.fill(model, cause)).sum()
    }

    fn fill(&mut self, model: No, cause: &str) -> usize {
        let all: Vec<No> = self.rows.articles.keys().copied().filter(|&no| self.is_unattended(no, model)).collect();
        all.iter().filter_map(|&no| self.enqueue_found(no, model, Priority::Low, cause)).count()
    }

    /// The set that may need an article when its task for `model` has ended: after the one in use the one that is being
    /// built, after one that was retired meanwhile the one in use.
    pub(super) fn after(&self, model: No) -> Option<No> {
        match (self.active(), self.building()) {
            (_, Some(building)) if model == building => None,
            (Some(active), _) if model != active => Some(active),
            (_, building) => building,
        }
    }

    /// What a set needs of articles whose tasks for another one have ended.
    pub(super) fn queue_next(&mut self, articles: &std::collections::BTreeSet<No>, set: No) {
        let needing: Vec<No> = articles.iter().copied().filter(|no| self.rows.articles.contains_key(no)).collect();
        let needing: Vec<No> = needing.into_iter().filter(|&no| self.is_unattended(no, set)).collect();
        for no in needing {
            self.enqueue_found(no, set, Priority::Low, "new model");
        }
    }

    fn is_unattended(&self, article: No, model: No) -> bool {
        let present = &self.rows.articles[&article];
        let is_given_up = self.newest_by(article, model).is_some_and(|task| {
            let by_hand = task.cause == "cancelled" && self.active() == Some(model);
            task.revision >= present.revision && (task.status == TaskStatus::Failed || by_hand)
        });
        let waits = self.task_of(article, TaskStatus::Pending).is_some_and(|no| {
            let other = self.rows.tasks[&no].model;
            other.is_none() || other == Some(model) || other == self.active()
        });
        let is_in_work = self.task_of(article, TaskStatus::Processing).is_some();
        !present.skip && self.needs(article, model) && !waits && !is_in_work && !is_given_up
    }

    fn is_attended(&self, article: No) -> bool {
        let open = [TaskStatus::Pending, TaskStatus::Processing];
        open.into_iter().any(|status| self.task_of(article, status).is_some())
    }

    fn newest_by(&self, article: No, model: No) -> Option<&super::Task> {
        self.rows.tasks.values().rev().find(|task| task.article == article && task.model == Some(model))
    }
}
