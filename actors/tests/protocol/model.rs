//! Every step that hosts, people and bad luck may take, from every state.

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
    /// A person cancels what waits of an article.
    Cancel(usize),
    /// A bulk run queues an article.
    Run(usize),
    /// A person cancels the bulk run.
    CancelRun,
    Claim {
        host: usize,
        article: usize,
    },
    /// The claim is committed, but the host does not hear of it.
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
    /// It is sent, and the host does not hear what came of it: it may arrive, and the host repeats it.
    FinishUnheard {
        host: usize,
        nth: usize,
    },
    /// What was sent arrives.
    Arrive {
        nth: usize,
    },
    /// The text fails.
    Fail {
        host: usize,
        nth: usize,
    },
    /// The process is killed; what it had sent may still arrive.
    Crash(usize),
    /// It starts again.
    Start(usize),
    /// The lease of a task in work runs out.
    Expire(usize),
    /// A task whose lease has run out is put back.
    Rescue(usize),
    /// A host takes a start of a host for dead, and puts back what it held.
    RescueFrom {
        by: usize,
        host: usize,
    },
    /// A host's queue begins a new life and gives back what its start holds, uncounted.
    Release(usize),
    /// An operator has the set of the other model built.
    Begin,
    /// The sweep queues an article for the set that is being built.
    Sweep(usize),
    /// A host counts the new set and switches if it is whole.
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
            // The model must be able to do what it is about, or all of the above would be empty words.
            Property::sometimes("everything is embedded", |_, state: &State| {
                state
                    .articles
                    .iter()
                    .all(|article| article.revision > 0 && article.stored[state.active] == article.revision)
            }),
        ]
    }
}
