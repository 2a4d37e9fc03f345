//! Every step that hosts, people and faults may take, from every state.

use stateright::{Model, Property};

use crate::{
    guards::Guards,
    state::{ARTICLES, Article, Budget, HOSTS, Host, MODELS, State},
};

/// Attempts of a task.
pub(crate) const MAX_ATTEMPTS: u8 = 2;

/// The protocol with some of its guards.
#[derive(Debug, Clone)]
pub(crate) struct Protocol {
    pub(crate) guards: Guards,
    pub(crate) budget: Budget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// A person saves an article: a new revision, and its task.
    Save(usize),
    /// A person cancels the waiting task of an article.
    Cancel(usize),
    /// A bulk run queues an article.
    Run(usize),
    /// A person cancels the bulk run.
    CancelRun,
    Claim {
        host: usize,
        article: usize,
    },
    /// The claim is committed, but its answer is lost.
    ClaimUnheard {
        host: usize,
        article: usize,
    },
    /// A worker embeds the article as it is now.
    Work {
        host: usize,
        nth: usize,
    },
    /// The end of an attempt is committed.
    Finish {
        host: usize,
        nth: usize,
    },
    /// It is sent, but its answer is lost: it may arrive, and the host repeats it.
    FinishUnheard {
        host: usize,
        nth: usize,
    },
    /// A sent commit arrives.
    Arrive {
        nth: usize,
    },
    /// The text fails.
    Fail {
        host: usize,
        nth: usize,
    },
    /// The process is killed; commits that it has sent may still arrive.
    Crash(usize),
    /// It starts again.
    Start(usize),
    /// The lease of a task expires.
    Expire(usize),
    /// A task whose lease has expired is put back.
    Rescue(usize),
    /// A host takes a start of a host for dead, and puts back its tasks.
    RescueFrom {
        by: usize,
        host: usize,
    },
    /// A host's queue actor restarts and releases the tasks of this start, uncounted.
    Release(usize),
    /// An operator switches to the other model, whose set is then built.
    Begin,
    /// The sweep queues an article for the set that is being built.
    Sweep(usize),
    /// A host counts the new set and switches if it is complete.
    Switch(usize),
    /// Without the guard: it counts,
    Count(usize),
    /// and switches later.
    SwitchAsCounted(usize),
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let host = |model| Host { lives: true, model, attempts: Vec::new(), counted_whole: false };
        vec![State {
            articles: vec![Article::default(); ARTICLES],
            hosts: (0..HOSTS).map(|at| host(if self.budget.switches > 0 { at % MODELS } else { 0 })).collect(),
            under_way: Vec::new(),
            active: 0,
            building: None,
            next_token: 1,
            left: self.budget,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for article in 0..ARTICLES {
            self.actions_on(state, article, actions);
        }
        for host in 0..HOSTS {
            self.actions_of(state, host, actions);
        }
        actions.extend((0..state.under_way.len()).map(|nth| Action::Arrive { nth }));
        if state.left.cancellations > 0 && state.articles.iter().any(|article| article.waiting.iter().any(|t| t.of_run))
        {
            actions.push(Action::CancelRun);
        }
        if state.left.switches > 0 && state.building.is_none() {
            actions.push(Action::Begin);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.take(&mut state, action);
        Some(state.representative())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("what was saved is stored, waits, is in work, or was given up", |_, state: &State| {
                state.articles.iter().all(|article| {
                    let open = article.waiting.len() + article.in_work.len() > 0;
                    let stored = article.stored[state.active] == article.revision;
                    !article.promised || stored || open || article.given_up[state.active] == article.revision
                })
            }),
            Property::always("no model's vectors go back to an older revision", |_, state: &State| {
                state.articles.iter().all(|article| article.stored == article.newest)
            }),
            Property::always("one task of an article waits at most, one is in work at most", |_, state: &State| {
                state.articles.iter().all(|article| article.waiting.len() <= 1 && article.in_work.len() <= 1)
            }),
            Property::always("what searches have found they find", |_, state: &State| {
                state.articles.iter().all(|article| {
                    !article.shown || article.stored[state.active] > 0 || article.given_up[state.active] > 0
                })
            }),
            Property::always("no attempt is spent without a cause", |_, state: &State| {
                state.articles.iter().all(|article| article.credit >= 0)
            }),
            Property::always("what is stored was saved", |_, state: &State| {
                state.articles.iter().all(|article| article.stored.iter().all(|&stored| stored <= article.revision))
            }),
            // The model must reach these states, or the properties above would prove nothing.
            Property::sometimes("everything is embedded", |_, state: &State| {
                state
                    .articles
                    .iter()
                    .all(|article| article.revision > 0 && article.stored[state.active] == article.revision)
            }),
        ]
    }
}
