//! Which steps may be taken from a state.

use crate::{
    model::{Action, Protocol},
    state::{HOSTS, State, Waiting},
};

impl Protocol {
    pub(crate) fn actions_on(&self, state: &State, at: usize, actions: &mut Vec<Action>) {
        let (article, left) = (&state.articles[at], &state.left);
        if left.saves > 0 {
            actions.push(Action::Save(at));
        }
        if left.cancellations > 0 && !article.waiting.is_empty() {
            actions.push(Action::Cancel(at));
        }
        if left.runs > 0 && article.revision > 0 && article.waiting.is_empty() {
            actions.push(Action::Run(at));
        }
        if article.in_work.iter().any(|task| !task.expired && (left.pauses > 0 || !state.holds(task))) {
            actions.push(Action::Expire(at));
        }
        if article.in_work.iter().any(|task| task.expired) {
            actions.push(Action::Rescue(at));
        }
        let needs =
            |model: usize| article.stored[model] != article.revision && article.given_up[model] != article.revision;
        let is_open = article.waiting.len() + article.in_work.len() > 0;
        if state.building.is_some_and(needs) && article.revision > 0 && !is_open {
            actions.push(Action::Sweep(at));
        }
    }

    pub(crate) fn actions_of(&self, state: &State, at: usize, actions: &mut Vec<Action>) {
        let (host, left) = (&state.hosts[at], &state.left);
        if !host.lives {
            actions.push(Action::Start(at));
            return;
        }
        for (number, article) in state.articles.iter().enumerate() {
            let takes = |task: &Waiting| {
                (!self.guards.task_model || task.model == host.model) && self.has_room(state, at, task)
            };
            let is_free = article.in_work.is_empty() || !self.guards.one_in_work;
            if is_free && article.waiting.iter().any(takes) {
                actions.push(Action::Claim { host: at, article: number });
                if left.losses > 0 {
                    actions.push(Action::ClaimUnheard { host: at, article: number });
                }
            }
        }
        for (nth, attempt) in host.attempts.iter().enumerate() {
            if attempt.made.is_none() {
                actions.push(Action::Work { host: at, nth });
                if left.failures > 0 {
                    actions.push(Action::Fail { host: at, nth });
                }
            } else {
                actions.push(Action::Finish { host: at, nth });
                if left.losses > 0 {
                    actions.push(Action::FinishUnheard { host: at, nth });
                }
            }
        }
        if left.crashes > 0 {
            actions.push(Action::Crash(at));
            actions.push(Action::Release(at));
        }
        actions.extend(
            (0..HOSTS)
                .filter(|&other| self.may_rescue(state, at, other))
                .map(|host| Action::RescueFrom { by: at, host }),
        );
        if state.building == Some(host.model) {
            if self.guards.counted_at_once {
                actions.push(Action::Switch(at));
            } else {
                actions.push(if host.counted_whole { Action::SwitchAsCounted(at) } else { Action::Count(at) });
            }
        }
    }

    /// A suspect is processed alone.
    pub(crate) fn has_room(&self, state: &State, host: usize, task: &Waiting) -> bool {
        let mut in_work = state.in_work_of(host);
        !self.guards.isolation || in_work.all(|other| !other.suspect && !task.suspect)
    }

    /// A host puts back the tasks of a start whose process has ended; it knows of other hosts' ends by a free lock.
    fn may_rescue(&self, state: &State, by: usize, host: usize) -> bool {
        let holds_anything = |dead_only: bool| {
            let mut tasks = state.articles.iter().flat_map(|article| &article.in_work).filter(|task| task.host == host);
            tasks.any(|task| !dead_only || !state.hosts[host].lives || !task.of_this_start)
        };
        let guarded = if by == host { self.guards.own_incarnation } else { self.guards.liveness };
        holds_anything(guarded)
    }
}
