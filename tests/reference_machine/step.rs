//! The random steps, and how a story prints them.

use std::fmt;

use afterword_actors::{store::backlog::Backlog, task::Priority};
use proptest::{prelude::*, sample::select};

use crate::machine::{Machine, No};

/// Names of articles; few, so that steps often concern the same article.
pub(crate) const SLUGS: [&str; 5] = ["ash", "birch", "cedar", "elm", "fir"];
/// Contents of articles; few, so that old ones come back.
pub(crate) const CONTENTS: usize = 3;
/// Hosts that come and go.
pub(crate) const HOSTS: usize = 2;

const SECOND: i64 = 1_000;
const DAY: i64 = 24 * 3_600 * SECOND;

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Works,
    /// This text fails for good.
    Poisoned,
    /// This text fails for now.
    Flaky,
    /// The provider fails.
    Down,
}

/// How a commit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Committed,
    /// Committed, and the answer is lost.
    AnswerLost,
    RolledBack,
}

/// One step. Numbers are drawn at random and brought within what there is by [`Step::in_place`].
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Pass(i64),
    Save {
        slug: usize,
        content: usize,
        priority: Priority,
        skip: bool,
    },
    Edit {
        article: No,
        content: usize,
        priority: Priority,
    },
    Skip {
        article: No,
        skip: bool,
    },
    Rename {
        article: No,
        slug: usize,
    },
    Delete {
        article: No,
    },
    Restore {
        slug: usize,
    },
    Start {
        host: usize,
        model: No,
    },
    Stop {
        host: usize,
    },
    Crash {
        host: usize,
    },
    Bury,
    /// The host's QueueActor restarts; results of its former workers may still arrive.
    Revive {
        host: usize,
    },
    Work {
        host: usize,
        attempt: usize,
        mood: Mood,
    },
    Flush {
        host: usize,
        claims: usize,
        fate: Fate,
    },
    Renew {
        host: usize,
    },
    Rescue,
    Cancel {
        task: No,
    },
    Retry {
        task: No,
    },
    RetryFailed,
    OpenRun {
        scope: Backlog,
    },
    AdvanceRun {
        run: No,
    },
    CloseRun {
        run: No,
    },
    CancelRun {
        run: No,
    },
    Pause,
    Resume,
    Sweep {
        host: usize,
    },
    Switch {
        host: usize,
    },
    SwitchTo {
        model: No,
    },
    CancelSwitch,
    Clean,
}

/// `models` is how many there are to choose from.
pub(crate) fn any_step(models: usize) -> impl Strategy<Value = Step> {
    let (host, number) = (0..HOSTS, 0usize..64);
    let slug = 0..SLUGS.len();
    let content = 0..CONTENTS;
    let priority = select(vec![Priority::High, Priority::Normal, Priority::Normal, Priority::Low]);
    let passes = vec![1, SECOND, 8 * SECOND, 31 * SECOND, 61 * SECOND, 700 * SECOND];
    let moods = vec![Mood::Works, Mood::Works, Mood::Works, Mood::Poisoned, Mood::Flaky, Mood::Flaky, Mood::Down];
    let fates = vec![Fate::Committed, Fate::Committed, Fate::Committed, Fate::AnswerLost, Fate::RolledBack];
    prop_oneof![
        7 => select(passes).prop_map(Step::Pass),
        1 => select(vec![8 * DAY, 31 * DAY]).prop_map(Step::Pass),
        8 => (slug.clone(), content.clone(), priority.clone(), prop::bool::weighted(0.1))
            .prop_map(|(slug, content, priority, skip)| Step::Save { slug, content, priority, skip }),
        10 => (number.clone(), content, priority)
            .prop_map(|(article, content, priority)| Step::Edit { article, content, priority }),
        2 => (number.clone(), any::<bool>()).prop_map(|(article, skip)| Step::Skip { article, skip }),
        2 => (number.clone(), slug.clone()).prop_map(|(article, slug)| Step::Rename { article, slug }),
        3 => number.clone().prop_map(|article| Step::Delete { article }),
        3 => slug.prop_map(|slug| Step::Restore { slug }),
        6 => (host.clone(), 1..=models).prop_map(|(host, model)| Step::Start { host, model }),
        1 => host.clone().prop_map(|host| Step::Stop { host }),
        2 => host.clone().prop_map(|host| Step::Crash { host }),
        2 => Just(Step::Bury),
        1 => host.clone().prop_map(|host| Step::Revive { host }),
        24 => (host.clone(), number.clone(), select(moods))
            .prop_map(|(host, attempt, mood)| Step::Work { host, attempt, mood }),
        20 => (host.clone(), 0usize..4, select(fates))
            .prop_map(|(host, claims, fate)| Step::Flush { host, claims, fate }),
        3 => host.clone().prop_map(|host| Step::Renew { host }),
        4 => Just(Step::Rescue),
        3 => number.clone().prop_map(|task| Step::Cancel { task }),
        3 => number.clone().prop_map(|task| Step::Retry { task }),
        2 => Just(Step::RetryFailed),
        3 => select(Backlog::ALL.to_vec()).prop_map(|scope| Step::OpenRun { scope }),
        5 => number.clone().prop_map(|run| Step::AdvanceRun { run }),
        3 => number.clone().prop_map(|run| Step::CloseRun { run }),
        3 => number.prop_map(|run| Step::CancelRun { run }),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        3 => host.clone().prop_map(|host| Step::Sweep { host }),
        4 => host.prop_map(|host| Step::Switch { host }),
        1 => (1..=models).prop_map(|model| Step::SwitchTo { model }),
        1 => Just(Step::CancelSwitch),
        1 => Just(Step::Clean),
    ]
}

impl Step {
    /// The step with numbers that exist; `None` if there is nothing to do it to.
    pub(crate) fn in_place(self, machine: &Machine) -> Option<Self> {
        let rows = &machine.rows;
        let pick = |numbers: &mut dyn Iterator<Item = No>, at: No| {
            let numbers: Vec<_> = numbers.collect();
            (!numbers.is_empty()).then(|| numbers[at % numbers.len()])
        };
        let article = |at| pick(&mut rows.articles.keys().copied(), at);
        // The newest first: most of the old ones have ended.
        let task = |at| pick(&mut rows.tasks.keys().rev().copied(), at);
        let run = |at| pick(&mut rows.runs.keys().rev().copied(), at);
        let runs = |host: usize| machine.memories[host].incarnation.is_some();
        Some(match self {
            Self::Edit { article: at, content, priority } => Self::Edit { article: article(at)?, content, priority },
            Self::Skip { article: at, skip } => Self::Skip { article: article(at)?, skip },
            Self::Rename { article: at, slug } => Self::Rename { article: article(at)?, slug },
            Self::Delete { article: at } => Self::Delete { article: article(at)? },
            Self::Start { host, .. } if runs(host) => return None,
            Self::Stop { host }
            | Self::Crash { host }
            | Self::Revive { host }
            | Self::Renew { host }
            | Self::Sweep { host }
            | Self::Switch { host }
            | Self::Flush { host, .. }
                if !runs(host) =>
            {
                return None;
            }
            Self::Work { host, attempt, mood } => {
                let attempts = machine.memories[host].attempts.iter().enumerate();
                let mut open = attempts.filter(|(_, attempt)| attempt.made.is_none()).map(|(at, _)| at);
                Self::Work { host, attempt: pick(&mut open, attempt)?, mood }
            }
            Self::Cancel { task: at } => Self::Cancel { task: task(at)? },
            Self::Retry { task: at } => Self::Retry { task: task(at)? },
            Self::AdvanceRun { run: at } => Self::AdvanceRun { run: run(at)? },
            Self::CloseRun { run: at } => Self::CloseRun { run: run(at)? },
            Self::CancelRun { run: at } => Self::CancelRun { run: run(at)? },
            step => step,
        })
    }
}

fn host_name(host: usize) -> &'static str {
    ["A", "B"][host]
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass(millis) => write!(f, "{millis} ms pass"),
            Self::Save { slug, content, priority, skip } => {
                let skipped = if *skip { ", not to be embedded" } else { "" };
                write!(f, "a person saves \"{}\" with content {content} ({priority}{skipped})", SLUGS[*slug])
            }
            Self::Edit { article, content, priority } => {
                write!(f, "a person gives article {article} content {content} ({priority})")
            }
            Self::Skip { article, skip: true } => {
                write!(f, "a person says that article {article} is not to be embedded")
            }
            Self::Skip { article, skip: false } => write!(f, "a person says that article {article} is to be embedded"),
            Self::Rename { article, slug } => write!(f, "a person renames article {article} \"{}\"", SLUGS[*slug]),
            Self::Delete { article } => write!(f, "a person deletes article {article}"),
            Self::Restore { slug } => write!(f, "a person restores \"{}\"", SLUGS[*slug]),
            Self::Start { host, model } => write!(f, "host {} starts with model {model}", host_name(*host)),
            Self::Stop { host } => write!(f, "host {} stops", host_name(*host)),
            Self::Crash { host } => write!(f, "host {} is killed", host_name(*host)),
            Self::Bury => write!(f, "another host puts back what killed hosts held"),
            Self::Revive { host } => write!(f, "the queue of host {} begins a new life", host_name(*host)),
            Self::Work { host, attempt, mood } => {
                let how = match mood {
                    Mood::Works => "has embedded",
                    Mood::Poisoned => "finds that it can never embed",
                    Mood::Flaky => "cannot embed for now",
                    Mood::Down => "has no provider for",
                };
                write!(f, "host {} {how} what it holds at place {}", host_name(*host), attempt + 1)
            }
            Self::Flush { host, claims, fate } => {
                let how = match fate {
                    Fate::Committed => "",
                    Fate::AnswerLost => "; the answer is lost",
                    Fate::RolledBack => "; it is rolled back",
                };
                write!(f, "host {} ends what it has worked on and claims up to {claims}{how}", host_name(*host))
            }
            Self::Renew { host } => write!(f, "host {} renews its leases", host_name(*host)),
            Self::Rescue => write!(f, "leases that have run out are put back"),
            Self::Cancel { task } => write!(f, "a person cancels task {task}"),
            Self::Retry { task } => write!(f, "a person has task {task} tried again"),
            Self::RetryFailed => write!(f, "a person has all failed tasks tried again"),
            Self::OpenRun { scope } => write!(f, "a person starts a bulk run over {} articles", scope.as_str()),
            Self::AdvanceRun { run } => write!(f, "bulk run {run} is carried on"),
            Self::CloseRun { run } => write!(f, "bulk run {run} is closed if it is done"),
            Self::CancelRun { run } => write!(f, "a person cancels bulk run {run}"),
            Self::Pause => write!(f, "a person pauses the queue"),
            Self::Resume => write!(f, "a person resumes the queue"),
            Self::Sweep { host } => write!(f, "host {} sweeps", host_name(*host)),
            Self::SwitchTo { model } => write!(f, "an operator wants model {model}"),
            Self::CancelSwitch => write!(f, "an operator cancels the change of model"),
            Self::Switch { host } => write!(f, "host {} activates its model if it is whole", host_name(*host)),
            Self::Clean => write!(f, "what has been kept long enough is removed"),
        }
    }
}
