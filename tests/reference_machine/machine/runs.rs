//! Bulk runs: a page of articles at a time, and an end when all their tasks have ended.

use std::collections::BTreeMap;

use afterword_actors::{
    store::{backlog::Backlog, bulk::Page},
    task::{Priority, TaskStatus},
};

use super::{AHEAD, Machine, No, Run, Task};

impl Run {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "queuing" | "running")
    }
}

impl Machine {
    pub(crate) fn open_run(&mut self, scope: Backlog) -> No {
        let no = self.rows.runs.len() + 1;
        let run = Run {
            scope: scope.as_str().to_owned(),
            state: "queuing".to_owned(),
            cursor: 0,
            items: BTreeMap::new(),
            summary: None,
        };
        self.rows.runs.insert(no, run);
        self.note(None, "bulk started");
        no
    }

    /// Queues the next page for the set in use, as long as few tasks of low priority wait.
    pub(crate) fn advance_run(&mut self, no: No) -> Page {
        let run = self.rows.runs[&no].clone();
        if run.state != "queuing" {
            return Page::NoMore;
        }
        // Before the first set there is nothing, which is what number 0 says.
        let model = self.active().unwrap_or(0);
        let is_low = |task: &&Task| task.status == TaskStatus::Pending && task.priority == Priority::Low;
        let low = self.rows.tasks.values().filter(is_low);
        let ahead = low.filter(|task| task.model.is_none_or(|other| other == model)).count();
        let room = AHEAD.saturating_sub(ahead);
        if room == 0 {
            return Page::Later;
        }
        let beyond = self.rows.articles.range(run.cursor + 1..).filter(|(_, article)| !article.skip);
        let in_scope = beyond.map(|(&no, _)| no).filter(|&article| self.is_in(&run.scope, article, model));
        let page: Vec<No> = in_scope.take(room).collect();
        let Some(&last) = page.last() else {
            self.rows.runs.get_mut(&no).expect("the run").state = "running".to_owned();
            return Page::NoMore;
        };
        for article in page {
            if let Some(item) = self.enqueue_found(article, model, Priority::Low, "bulk") {
                self.rows.runs.get_mut(&no).expect("the run").items.entry(article).or_insert(item);
            }
        }
        self.rows.runs.get_mut(&no).expect("the run").cursor = last;
        Page::Queued
    }

    pub(crate) fn close_run(&mut self, no: No) -> bool {
        let [open, ..] = self.progress(no);
        if self.rows.runs[&no].state != "running" || open > 0 {
            return false;
        }
        self.finish_run(no, "completed");
        true
    }

    /// Cancels the run's tasks that no worker has claimed; tasks that already waited for a save stay.
    pub(crate) fn cancel_run(&mut self, no: No) -> bool {
        if !self.rows.runs[&no].is_open() {
            return false;
        }
        for (task, adopted) in self.rows.runs[&no].items.clone().into_values() {
            let waits = self.rows.tasks.get(&task).is_some_and(|task| task.status == TaskStatus::Pending);
            let others = self.rows.runs.iter().filter(|(other, run)| **other != no && run.is_open());
            let is_shared = others.flat_map(|(_, run)| run.items.values()).any(|(other, _)| *other == task);
            if waits && !adopted && !is_shared {
                self.end(task, TaskStatus::Cancelled, "bulk cancelled");
            }
        }
        self.finish_run(no, "cancelled");
        true
    }

    fn finish_run(&mut self, no: No, state: &str) {
        let [_, succeeded, failed, cancelled] = self.progress(no);
        let skipped = self.rows.articles.values().filter(|article| article.skip).count() as i64;
        let run = self.rows.runs.get_mut(&no).expect("the run");
        run.state = state.to_owned();
        run.summary = Some([succeeded, failed, skipped, cancelled]);
        self.note(None, format!("bulk {state}"));
    }

    /// Open, succeeded, failed, cancelled; a task that has been removed counts as cancelled.
    fn progress(&self, no: No) -> [i64; 4] {
        let mut progress = [0; 4];
        for (task, _) in self.rows.runs[&no].items.values() {
            let at = match self.rows.tasks.get(task).map(|task| task.status) {
                Some(TaskStatus::Pending | TaskStatus::Processing) => 0,
                Some(TaskStatus::Completed) => 1,
                Some(TaskStatus::Failed) => 2,
                Some(TaskStatus::Cancelled) | None => 3,
            };
            progress[at] += 1;
        }
        progress
    }

    fn is_in(&self, scope: &str, article: No, model: No) -> bool {
        let stored = self.rows.vectors.contains_key(&(article, model));
        let needs = self.needs(article, model);
        match scope {
            "needed" => needs,
            "missing" => !stored,
            "stale" => stored && needs,
            "failed" => {
                let of_the_set =
                    |task: &&Task| task.article == article && task.model.is_none_or(|other| other == model);
                let newest = self.rows.tasks.values().rev().find(of_the_set);
                needs && newest.is_some_and(|task| task.status == TaskStatus::Failed)
            }
            _ => true,
        }
    }
}
