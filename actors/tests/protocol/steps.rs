//! What each step does. One step is one transaction.

use crate::{
    model::{Action, MAX_ATTEMPTS, Protocol},
    state::{Article, Attempt, InWork, State, Waiting},
};

impl Protocol {
    pub(crate) fn take(&self, state: &mut State, action: Action) {
        match action {
            Action::Save(at) => self.save(state, at),
            Action::Cancel(at) => {
                state.left.cancellations -= 1;
                let article = &mut state.articles[at];
                article.waiting.pop();
                article.promised = false;
            }
            Action::Run(at) => {
                state.left.runs -= 1;
                let model = state.active;
                state.articles[at].waiting.push(Waiting { model, attempts: 0, suspect: false, of_run: true });
            }
            Action::CancelRun => {
                state.left.cancellations -= 1;
                state.articles.iter_mut().for_each(|article| article.waiting.retain(|task| !task.of_run));
            }
            Action::Claim { host, article } => {
                let attempt = self.claim(state, host, article);
                state.hosts[host].attempts.push(attempt);
            }
            Action::ClaimUnheard { host, article } => {
                state.left.losses -= 1;
                let attempt = self.claim(state, host, article);
                // The lease expires, and the attempt is spent for the lost answer if the task was to be alone.
                let article = &mut state.articles[article];
                article.credit += i8::from(article.held(attempt.token).is_some_and(|task| task.suspect));
            }
            Action::Work { host, nth } => {
                let article = state.hosts[host].attempts[nth].article;
                state.hosts[host].attempts[nth].made = Some(state.articles[article].revision);
            }
            Action::Finish { host, nth } => {
                let attempt = state.hosts[host].attempts.remove(nth);
                self.finish(state, attempt);
            }
            Action::FinishUnheard { host, nth } => {
                state.left.losses -= 1;
                let attempt = state.hosts[host].attempts[nth];
                state.under_way.push(attempt);
            }
            Action::Arrive { nth } => {
                let attempt = state.under_way.remove(nth);
                self.finish(state, attempt);
            }
            action => self.take_ill(state, action),
        }
    }

    /// Failures, deaths, rescues, and the change of models.
    fn take_ill(&self, state: &mut State, action: Action) {
        match action {
            Action::Fail { host, nth } => {
                state.left.failures -= 1;
                let attempt = state.hosts[host].attempts.remove(nth);
                let article = &mut state.articles[attempt.article];
                article.credit += 1;
                if let Some(task) = article.held(attempt.token) {
                    self.spend(&mut state.articles[attempt.article], task);
                }
            }
            Action::Crash(at) => {
                state.left.crashes -= 1;
                let host = &mut state.hosts[at];
                host.lives = false;
                host.counted_whole = false;
                host.attempts.clear();
                self.pay_if_alone(state, at);
            }
            Action::Start(at) => {
                state.hosts[at].lives = true;
                let in_work = state.articles.iter_mut().flat_map(|article| &mut article.in_work);
                in_work.filter(|task| task.host == at).for_each(|task| task.of_this_start = false);
            }
            Action::Expire(at) => {
                let may = |task: &InWork| !task.expired && (state.left.pauses > 0 || !state.holds(task));
                let Some(task) = state.articles[at].in_work.iter().copied().find(may) else { return };
                if state.holds(&task) {
                    // A worker that was paused, or cut off from the database.
                    state.left.pauses -= 1;
                    self.pay_if_alone(state, task.host);
                }
                let expired = state.articles[at].in_work.iter_mut().find(|other| other.token == task.token);
                expired.expect("the task").expired = true;
            }
            Action::Rescue(at) => {
                let expired: Vec<_> = state.articles[at].in_work.iter().copied().filter(|task| task.expired).collect();
                expired.into_iter().for_each(|task| self.rescue(&mut state.articles[at], task));
            }
            Action::RescueFrom { by, host } => {
                let guarded = if by == host { self.guards.own_incarnation } else { self.guards.liveness };
                let lives = state.hosts[host].lives;
                for article in &mut state.articles {
                    let of_host = |task: &InWork| task.host == host && (!guarded || !lives || !task.of_this_start);
                    let held: Vec<_> = article.in_work.iter().copied().filter(of_host).collect();
                    held.into_iter().for_each(|task| self.rescue(article, task));
                }
            }
            Action::Release(at) => {
                state.left.crashes -= 1;
                for article in &mut state.articles {
                    let of_this_start = |task: &InWork| task.host == at && task.of_this_start;
                    let held: Vec<_> = article.in_work.iter().copied().filter(of_this_start).collect();
                    held.into_iter().for_each(|task| self.put_back(article, task, 1));
                }
            }
            action => self.change_model(state, action),
        }
    }

    fn change_model(&self, state: &mut State, action: Action) {
        match action {
            Action::Begin => {
                state.left.switches -= 1;
                state.building = Some(1 - state.active);
            }
            Action::Sweep(at) => {
                let model = state.building.expect("a set that is being built");
                state.articles[at].waiting.push(Waiting { model, attempts: 0, suspect: false, of_run: false });
            }
            Action::Switch(_) => self.switch_if(state, self.looks_whole(state)),
            Action::Count(host) => state.hosts[host].counted_whole = self.looks_whole(state),
            Action::SwitchAsCounted(host) => {
                state.hosts[host].counted_whole = false;
                self.switch_if(state, true);
            }
            other => unreachable!("{other:?} is taken elsewhere"),
        }
    }

    fn looks_whole(&self, state: &State) -> bool {
        let building = state.building.expect("a set that is being built");
        if self.guards.whole {
            state.is_whole(building)
        } else {
            state.articles.iter().all(|article| article.waiting.is_empty() && article.in_work.is_empty())
        }
    }

    fn switch_if(&self, state: &mut State, whole: bool) {
        if whole {
            state.active = state.building.take().expect("a set that is being built");
            state.note_shown();
        }
    }

    fn save(&self, state: &mut State, at: usize) {
        state.left.saves -= 1;
        let model = state.active;
        let article = &mut state.articles[at];
        article.revision += 1;
        article.promised = true;
        match article.waiting.first_mut() {
            Some(task) if self.guards.one_waiting => {
                // The waiting task embeds the new revision too, for the set that searches use.
                (task.model, task.attempts) = (model, 0);
                task.of_run &= !self.guards.adoption;
            }
            _ => article.waiting.push(Waiting { model, attempts: 0, suspect: false, of_run: false }),
        }
    }

    fn claim(&self, state: &mut State, host: usize, at: usize) -> Attempt {
        let token = state.next_token;
        state.next_token += 1;
        let model = state.hosts[host].model;
        let takes =
            |task: &Waiting| (!self.guards.task_model || task.model == model) && self.has_room(state, host, task);
        let place = state.articles[at].waiting.iter().position(takes).expect("a task that waits");
        let article = &mut state.articles[at];
        let task = article.waiting.remove(place);
        let (attempts, suspect, of_run) = (task.attempts + 1, task.suspect, task.of_run);
        article.in_work.push(InWork {
            model: task.model,
            attempts,
            suspect,
            of_run,
            token,
            host,
            of_this_start: true,
            expired: false,
        });
        Attempt { article: at, token, model, made: None }
    }

    /// A commit arrives at the database.
    fn finish(&self, state: &mut State, attempt: Attempt) {
        let building = state.building;
        let article = &mut state.articles[attempt.article];
        let held = article.held(attempt.token);
        if held.is_none() && self.guards.fence {
            return;
        }
        // Without the fence, a commit settles any task of its article that is processed.
        let ended = held.or_else(|| article.in_work.first().copied());
        let made = attempt.made.expect("an attempt that was worked on");
        if made >= article.stored[attempt.model] || !self.guards.never_older {
            article.stored[attempt.model] = made;
            article.newest[attempt.model] = article.newest[attempt.model].max(made);
        }
        if let Some(ended) = ended {
            article.in_work.retain(|task| task.token != ended.token);
        }
        // The set that is being built gets the same as the set in use, in the same transaction.
        let is_closed = article.waiting.is_empty() && article.in_work.is_empty();
        if let Some(model) = building.filter(|&model| is_closed && article.stored[model] != article.revision) {
            article.waiting.push(Waiting { model, attempts: 0, suspect: false, of_run: false });
        }
        state.note_shown();
    }

    /// Its host has died, or seems to have.
    fn rescue(&self, article: &mut Article, task: InWork) {
        if task.suspect || !self.guards.suspicion {
            return self.spend(article, task);
        }
        self.put_back(article, InWork { suspect: true, ..task }, 1);
    }

    /// The host dies: an attempt may be spent for it only if no other task was processed.
    fn pay_if_alone(&self, state: &mut State, host: usize) {
        if state.in_work_of(host).count() == 1 {
            let is_its = |task: &InWork| task.host == host && task.of_this_start;
            let article = state.articles.iter_mut().find(|article| article.in_work.iter().any(is_its));
            article.expect("the article in work").credit += 1;
        }
    }

    /// An attempt counts; the task waits again, if it has attempts left.
    fn spend(&self, article: &mut Article, task: InWork) {
        article.credit -= 1;
        self.put_back(article, task, 0);
    }

    fn put_back(&self, article: &mut Article, task: InWork, refund: u8) {
        article.in_work.retain(|other| other.token != task.token);
        let attempts = task.attempts - refund;
        if !article.waiting.is_empty() && self.guards.one_waiting {
            article.waiting.iter_mut().for_each(|waiting| waiting.suspect |= task.suspect);
            // The waiting task is newer and replaces it; a bulk run that queued it does not own it any more.
            if self.guards.adoption {
                article.waiting.iter_mut().for_each(|waiting| waiting.of_run &= task.of_run);
            }
            return;
        }
        if attempts >= MAX_ATTEMPTS {
            article.given_up[task.model] = article.revision;
        } else if self.guards.put_back {
            article.waiting.push(Waiting { model: task.model, attempts, suspect: task.suspect, of_run: task.of_run });
        }
    }
}

impl Article {
    /// The task that is processed under this token.
    fn held(&self, token: u8) -> Option<InWork> {
        self.in_work.iter().copied().find(|task| task.token == token)
    }
}

impl State {
    /// Whether the host that claimed it is alive and knows of it.
    pub(crate) fn holds(&self, task: &InWork) -> bool {
        let host = &self.hosts[task.host];
        host.lives && task.of_this_start && host.attempts.iter().any(|attempt| attempt.token == task.token)
    }

    fn note_shown(&mut self) {
        let active = self.active;
        self.articles.iter_mut().for_each(|article| article.shown |= article.stored[active] > 0);
    }
}
