//! Stories: random steps of machine and store together, compared after each, and an end at which every promise must be
//! kept.

use std::{fmt::Debug, panic::AssertUnwindSafe};

use afterword_actors::{store::Database, task::TaskStatus};
use futures_util::FutureExt;
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};

use crate::{
    clock, invariants,
    machine::{Machine, Rows},
    step::{Fate, HOSTS, Mood, Step, any_step},
    test_database::TOKIO,
    world::TestHost,
};

/// Rounds of sweep, claim and processing after which a story must have come to rest.
const ROUNDS: usize = 40;

/// Steps drawn for each that is taken: for many there is nothing to do them to.
const DRAWN: usize = 2;

/// What stories are drawn from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf {
    /// Stories.
    pub(crate) stories: u32,
    /// Steps of each.
    pub(crate) steps: usize,
    /// Models that hosts may start with.
    pub(crate) models: usize,
}

/// Runs stories until one fails; that one is shortened as far as possible, and printed in full.
pub(crate) fn tell_many(database: &Database, shelf: Shelf) {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    for _ in 0..shelf.stories {
        let drawn = vec(any_step(shelf.models), DRAWN * shelf.steps).new_tree(&mut runner).expect("steps");
        let steps = drawn.current();
        if let Err(story) = TOKIO.block_on(told(database, &steps, shelf.steps)) {
            let (steps, story) = shortened(database, shelf.steps, steps, story);
            panic!("{story}\n\nas steps: {steps:?}");
        }
    }
}

/// Removes steps, many at once and then one by one, as long as the rest still fails.
fn shortened(database: &Database, most: usize, mut steps: Vec<Step>, mut story: String) -> (Vec<Step>, String) {
    let mut size = steps.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            match TOKIO.block_on(told(database, &fewer, most)) {
                Err(shorter) => (steps, story) = (fewer, shorter),
                Ok(()) => at += size,
            }
        }
        size /= 2;
    }
    (steps, story)
}

/// Takes up to `most` of the steps, without those that have nothing to act on; prints the whole story if it fails.
pub(crate) async fn told(database: &Database, steps: &[Step], most: usize) -> Result<(), String> {
    let mut story = Story {
        machine: Machine::at(clock::BEGINNING),
        world: TestHost::new(database.clone()).await,
        lines: Vec::new(),
    };
    let work = AssertUnwindSafe(story.whole(steps, most)).catch_unwind().await;
    let fault = match work {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(fault)) => fault,
        Err(panic) => match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
            (Some(text), _) => text.clone(),
            (None, text) => text.copied().unwrap_or("a panic").to_owned(),
        },
    };
    Err(format!("on {:?}:\n{}\nBUT {fault}", database.engine(), story.lines.join("\n")))
}

struct Story {
    machine: Machine,
    world: TestHost,
    lines: Vec<String>,
}

impl Story {
    async fn whole(&mut self, steps: &[Step], most: usize) -> Result<(), String> {
        for host in 0..HOSTS {
            self.step(Step::Start { host, model: 1 }).await?;
        }
        for step in steps {
            if self.lines.len() < most + HOSTS {
                self.step(step.clone()).await?;
            }
        }
        self.come_to_rest().await?;
        self.kept_promises()
    }

    async fn step(&mut self, step: Step) -> Result<(), String> {
        let Some(step) = step.in_place(&self.machine) else { return Ok(()) };
        let slugs = self.machine.rows.articles.clone();
        self.lines.push(format!("{:>3}. {step}", self.lines.len() + 1));
        let in_use = self.machine.active();
        let expected = self.machine.take(&step);
        let (found, rows) = self.world.take(&step, &|article| slugs[&article].slug.clone()).await;
        if let Some(line) = self.lines.last_mut() {
            line.push_str(&format!(" → {expected}"));
        }
        if found != expected {
            return Err(format!("the store answered: {found}\n  as values: {found:?}\n  expected:  {expected:?}"));
        }
        let differences = differences(&self.machine.rows(), &rows);
        if !differences.is_empty() {
            return Err(format!("the store holds something else:\n{}", differences.join("\n")));
        }
        if let Some(article) = self.dark_since(in_use) {
            return Err(format!("searches by meaning have found article {article}, and do not any more"));
        }
        let broken = invariants::broken(self.world.database()).await;
        if broken.is_empty() { Ok(()) } else { Err(format!("this does not hold any more: {}", broken.join("; "))) }
    }

    /// All hosts are killed; one comes back, with a provider that works, and is given time.
    async fn come_to_rest(&mut self) -> Result<(), String> {
        self.lines.push("     (from here on nothing goes wrong)".to_owned());
        for host in 0..HOSTS {
            self.step(Step::Crash { host }).await?;
        }
        self.step(Step::Resume).await?;
        self.step(Step::Bury).await?;
        let (active, building) = (self.machine.active(), self.machine.building());
        self.step(Step::Start { host: 0, model: active.unwrap_or(1) }).await?;
        if let Some(model) = building {
            self.step(Step::Start { host: 1, model }).await?;
        }
        for _ in 0..ROUNDS {
            self.step(Step::Pass(700_000)).await?;
            self.step(Step::Rescue).await?;
            for host in 0..HOSTS {
                self.step(Step::Sweep { host }).await?;
                self.step(Step::Flush { host, claims: 8, fate: Fate::Committed }).await?;
                while self.machine.memories[host].attempts.iter().any(|attempt| attempt.made.is_none()) {
                    self.step(Step::Work { host, attempt: 0, mood: Mood::Works }).await?;
                }
                self.step(Step::Flush { host, claims: 0, fate: Fate::Committed }).await?;
                self.step(Step::Switch { host }).await?;
            }
            if !self.is_anything_open() {
                return Ok(());
            }
        }
        Err("tasks are open for ever".to_owned())
    }

    /// An article that the former set has, and the present one has not.
    fn dark_since(&self, former: Option<usize>) -> Option<usize> {
        let (former, present) = (former?, self.machine.active()?);
        let rows = &self.machine.rows;
        let mut of_former =
            rows.vectors.keys().filter(|(article, model)| *model == former && rows.articles.contains_key(article));
        of_former.find(|(article, _)| !rows.vectors.contains_key(&(*article, present))).map(|(article, _)| *article)
    }

    fn is_anything_open(&self) -> bool {
        let open = |status| matches!(status, TaskStatus::Pending | TaskStatus::Processing);
        self.machine.rows.tasks.values().any(|task| open(task.status))
    }

    /// Checks that articles that a person saved and no person cancelled are searchable as they are now.
    fn kept_promises(&self) -> Result<(), String> {
        let rows = &self.machine.rows;
        let active = self.machine.active();
        let lost = self.machine.promised.iter().find(|&&article| {
            let stored = active.and_then(|model| rows.vectors.get(&(article, model)));
            stored.map(|vectors| vectors.content) != Some(rows.articles[&article].content)
        });
        match lost {
            Some(article) => Err(format!("article {article} is lost: it was saved, and nothing will ever embed it")),
            None => Ok(()),
        }
    }
}

/// The difference, line by line.
fn differences(expected: &Rows, found: &Rows) -> Vec<String> {
    fn of<K: Ord + Debug, V: PartialEq + Debug>(
        what: &str,
        expected: &std::collections::BTreeMap<K, V>,
        found: &std::collections::BTreeMap<K, V>,
        to: &mut Vec<String>,
    ) {
        let keys: std::collections::BTreeSet<&K> = expected.keys().chain(found.keys()).collect();
        for key in keys.into_iter().filter(|key| expected.get(key) != found.get(key)) {
            to.push(format!(
                "  {what} {key:?}\n    expected {:?}\n    found    {:?}",
                expected.get(key),
                found.get(key)
            ));
        }
    }
    let mut differences = Vec::new();
    of("article", &expected.articles, &found.articles, &mut differences);
    of("revision", &expected.past, &found.past, &mut differences);
    of("former name", &expected.aliases, &found.aliases, &mut differences);
    of("model", &expected.models, &found.models, &mut differences);
    of("vectors", &expected.vectors, &found.vectors, &mut differences);
    of("task", &expected.tasks, &found.tasks, &mut differences);
    of("audit of", &expected.audit, &found.audit, &mut differences);
    of("bulk run", &expected.runs, &found.runs, &mut differences);
    of("host", &expected.hosts, &found.hosts, &mut differences);
    of("count of", &expected.counts, &found.counts, &mut differences);
    if expected.paused != found.paused {
        differences.push(format!("  paused: expected {}, found {}", expected.paused, found.paused));
    }
    differences
}
