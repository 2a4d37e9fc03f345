//! The answer to a step, in numbers of the machine, so that both sides can be compared.

use std::fmt;

use afterword_actors::{
    store::{bulk::Page, tasks::Change},
    task::TaskStatus,
};

use crate::{
    machine::{Attempt, Machine, No, Saved},
    step::{HOSTS, SLUGS, Step},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StepAnswer {
    Nothing,
    /// A name is taken, or there is no such article.
    Refused,
    Saved(Saved),
    Whether(bool),
    Count(u64),
    Change(Change),
    Run(No),
    Page(Page),
    Settled(Vec<(No, TaskStatus, i32)>),
    Flushed(Vec<(No, TaskStatus, i32)>, Vec<Attempt>),
}

impl fmt::Display for StepAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settled = |f: &mut fmt::Formatter<'_>, tasks: &[(No, TaskStatus, i32)]| {
            tasks.iter().try_for_each(|(no, status, attempts)| write!(f, " task {no} {status} ({attempts} attempts);"))
        };
        match self {
            Self::Nothing => write!(f, "done"),
            Self::Refused => write!(f, "refused"),
            Self::Saved(Saved { changed: false, .. }) => write!(f, "nothing to change"),
            Self::Saved(Saved { revision, task: Some(task), .. }) => {
                write!(f, "revision {revision}, task {task} pending")
            }
            Self::Saved(Saved { revision, task: None, .. }) => write!(f, "revision {revision}, no task"),
            Self::Whether(yes) => write!(f, "{}", if *yes { "yes" } else { "no" }),
            Self::Count(count) => write!(f, "{count}"),
            Self::Change(change) => write!(f, "{change:?}"),
            Self::Page(page) => write!(f, "{page:?}"),
            Self::Run(no) => write!(f, "bulk run {no}"),
            Self::Settled(tasks) => settled(f, tasks),
            Self::Flushed(tasks, claimed) => {
                settled(f, tasks)?;
                claimed.iter().try_for_each(|attempt| {
                    let Attempt { task, article, number, claim, .. } = attempt;
                    write!(f, " task {task} of article {article} processing (attempt {number}, claim {claim});")
                })
            }
        }
    }
}

impl Machine {
    /// Takes a step that is [`Step::in_place`].
    pub(crate) fn take(&mut self, step: &Step) -> StepAnswer {
        let saved = |saved: Option<Saved>| saved.map_or(StepAnswer::Refused, StepAnswer::Saved);
        match *step {
            Step::Pass(millis) => {
                self.now += millis;
                StepAnswer::Nothing
            }
            Step::Save { slug, content, priority, skip } => saved(self.save(SLUGS[slug], content, priority, skip)),
            Step::Edit { article, content, priority } => {
                let skip = self.rows.articles[&article].skip;
                saved(Some(self.edit(article, content, skip, priority)))
            }
            Step::Skip { article, skip } => {
                let content = self.rows.articles[&article].content;
                saved(Some(self.edit(article, content, skip, afterword_actors::task::Priority::Normal)))
            }
            Step::Rename { article, slug } => saved(self.rename(article, SLUGS[slug])),
            Step::Delete { article } => {
                self.delete(article);
                StepAnswer::Nothing
            }
            Step::Restore { slug } => saved(self.restore(SLUGS[slug])),
            Step::Start { host, model } => {
                self.start(host, model);
                StepAnswer::Nothing
            }
            Step::Stop { host } => StepAnswer::Settled(self.stop(host)),
            Step::Crash { host } => {
                self.crash(host);
                StepAnswer::Nothing
            }
            Step::Bury => StepAnswer::Count(self.bury() as u64),
            Step::Revive { host } => StepAnswer::Settled(self.release(host)),
            Step::Work { host, attempt, mood } => {
                self.work(host, attempt, mood);
                StepAnswer::Nothing
            }
            Step::Flush { host, claims, fate } => {
                let (settled, claimed) = self.flush(host, claims, fate);
                StepAnswer::Flushed(settled, claimed)
            }
            Step::Renew { host } => StepAnswer::Count(self.renew(host)),
            Step::Rescue => StepAnswer::Settled(self.rescue_expired()),
            Step::Cancel { task } => StepAnswer::Change(self.cancel(task)),
            Step::Retry { task } => StepAnswer::Change(self.retry(task)),
            Step::RetryFailed => StepAnswer::Count(self.retry_failed()),
            Step::OpenRun { scope } => StepAnswer::Run(self.open_run(scope)),
            Step::AdvanceRun { run } => StepAnswer::Page(self.advance_run(run)),
            Step::CloseRun { run } => StepAnswer::Whether(self.close_run(run)),
            Step::CancelRun { run } => StepAnswer::Whether(self.cancel_run(run)),
            Step::Pause => StepAnswer::Whether(self.pause()),
            Step::Resume => StepAnswer::Whether(self.resume()),
            Step::Sweep { host } => StepAnswer::Count(self.sweep(self.memories[host].model) as u64),
            Step::Switch { host } => StepAnswer::Whether(self.activate(self.memories[host].model)),
            Step::SwitchTo { model } => {
                self.switch_to(model);
                StepAnswer::Nothing
            }
            Step::CancelSwitch => StepAnswer::Whether(self.cancel_switch()),
            Step::Clean => {
                self.clean();
                StepAnswer::Nothing
            }
        }
    }

    /// A machine before its first step.
    pub(crate) fn at(now: i64) -> Self {
        Self::new(now, HOSTS)
    }
}
