//! Two writers, one on each side, do anything in any order, and lose nothing.

use std::{collections::BTreeSet, fs, future::Future, pin::pin, task::Poll};

use afterword::{
    articles::{ArticleError, ArticlePatch, Articles},
    files::{SyncReport, SyncRequest, sync},
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{TestHost, asked, bodies, both, put_in, slug, texts};
use crate::{notes::vault::Vault, support::TOKIO};

/// What one of two writers does, or what happens to the sync.
#[derive(Debug, Clone)]
enum Step {
    /// Adds a line to a file, at its end or below its heading.
    Write {
        note: usize,
        at_end: bool,
    },
    /// Adds a line to an article.
    Save {
        note: usize,
        at_end: bool,
    },
    Remove {
        note: usize,
    },
    Delete {
        note: usize,
    },
    /// Moves a file.
    Move {
        note: usize,
    },
    /// Moves an article.
    Put {
        note: usize,
    },
    Rename {
        note: usize,
    },
    Sync,
    /// A run that ends in the middle.
    Cut {
        after: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step =
        (0_usize..16, 0_usize..4, any::<bool>(), 1_usize..60).prop_map(|(kind, note, at_end, after)| match kind {
            0..=3 => Step::Write { note, at_end },
            4..=6 => Step::Save { note, at_end },
            7 => Step::Remove { note },
            8 => Step::Delete { note },
            9 => Step::Move { note },
            10 => Step::Put { note },
            11 => Step::Rename { note },
            12 | 13 => Step::Cut { after },
            _ => Step::Sync,
        });
    proptest::collection::vec(step, 1..40)
}

/// The lines written on either side, and those that must be there.
#[derive(Default)]
struct Reference {
    /// Lines that both sides may have.
    known: BTreeSet<String>,
    /// Every line that must not be lost, at least not from the history.
    ever: BTreeSet<String>,
    /// Something was deleted since both sides were the same.
    deleted: bool,
    /// A run was cut off since.
    is_cut: bool,
}

fn lines(texts: &[String]) -> BTreeSet<String> {
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.filter(|line| line.starts_with("line ")).map(str::to_owned).collect()
}

fn with_line(text: &str, line: &str, at_end: bool) -> String {
    match text.split_once("first\n").filter(|_| !at_end) {
        Some((heading, rest)) => format!("{heading}{line}\n\nfirst\n{rest}"),
        None => format!("{text}\n{line}\n"),
    }
}

/// Adds a line to an article, if it is there: to the text that it has when it is saved, for a run that was cut off may be
/// saving another.
async fn save(articles: &Articles, slug: &str, line: &str, at_end: bool) -> bool {
    loop {
        let Ok(article) = articles.read(slug).await else { return false };
        let body = Some(with_line(&article.body, line, at_end));
        let changes = ArticlePatch { body, expected_revision: Some(article.revision), ..ArticlePatch::default() };
        match articles.update(slug, changes).await {
            Err(ArticleError::Conflict { .. } | ArticleError::NotFound { .. }) => {}
            saved => return saved.map(|_| true).expect("a save"),
        }
    }
}

/// The file of a note, wherever it is now.
fn file_of(vault: &Vault, note: usize) -> Option<(String, String)> {
    let (name, renamed) = (format!("note-{note}.md"), format!("other-{note}.md"));
    texts(vault)
        .into_iter()
        .find(|(file, _)| file.rsplit('/').next().is_some_and(|last| last == name || last == renamed))
}

/// Polls a run `polls` times, then drops it, as if the process had died there.
async fn cut(running: impl Future, polls: usize) {
    let (mut running, mut left) = (pin!(running), polls);
    std::future::poll_fn(|context| {
        left = left.saturating_sub(1);
        match running.as_mut().poll(context) {
            Poll::Pending if left > 0 => Poll::Pending,
            Poll::Pending | Poll::Ready(_) => Poll::Ready(()),
        }
    })
    .await;
}

impl Reference {
    async fn checked_sync(&mut self, world: &TestHost, vault: &Vault) -> Result<(), TestCaseError> {
        let articles = world.articles(None);
        let before = both(world, vault).await;
        let (in_files, in_articles) = (lines(&before.files), lines(&before.articles));
        let mut wanted: BTreeSet<String> = in_files.union(&in_articles).cloned().collect();
        self.ever.extend(wanted.iter().cloned());
        wanted.retain(|line| !self.deleted || !self.known.contains(line));
        let promised = sync(&articles, &SyncRequest { dry_run: true, ..asked(vault) }).await.expect("a dry run");
        let report = sync(&articles, &asked(vault)).await.expect("a run");
        prop_assert!(report.failed.is_empty(), "{:?}", report.failed);
        let done_as_promised = SyncReport { dry_run: true, ..report.clone() };
        // What was cut off may be going on still.
        prop_assert!(self.is_cut || promised == done_as_promised, "{:?} but {:?}", promised, done_as_promised);
        let again = sync(&articles, &asked(vault)).await.expect("a run");
        prop_assert!(!again.did_something(), "not the same yet: {:?} and then {:?}", report, again);
        let after = both(world, vault).await;
        prop_assert_eq!(
            &after.files,
            &after.articles,
            "each file is an article, and each article a file: {:?}",
            report
        );
        let there = lines(&after.files);
        let lost: Vec<_> = wanted.difference(&there).collect();
        prop_assert!(lost.is_empty(), "lost: {:?} by {:?}", lost, report);
        let past = lines(&bodies(world, "SELECT body FROM article_versions").await);
        let lost: Vec<_> = self.ever.iter().filter(|line| !there.contains(*line) && !past.contains(*line)).collect();
        prop_assert!(lost.is_empty(), "lost also for the past: {:?} by {:?}", lost, report);
        (self.known, self.deleted, self.is_cut) = (there, false, false);
        Ok(())
    }
}

async fn two_writers(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    fs::create_dir_all(vault.root()).expect("a folder");
    let mut reference = Reference::default();
    for (number, step) in steps.into_iter().chain([Step::Sync]).enumerate() {
        let line = format!("line {number}");
        match step {
            Step::Write { note, at_end } => {
                let new = || (format!("note-{note}.md"), format!("# Note {note}\n\nfirst\n"));
                let (file, text) = file_of(&vault, note).unwrap_or_else(new);
                vault.put(&file, with_line(&text, &line, at_end));
            }
            Step::Save { note, at_end } => {
                if save(&articles, &format!("note-{note}"), &line, at_end).await {
                    reference.ever.insert(line);
                }
            }
            Step::Remove { note } => {
                let Some((file, _)) = file_of(&vault, note) else { continue };
                fs::remove_file(vault.path(&file)).expect("a removal");
                reference.deleted = true;
            }
            Step::Delete { note } => {
                reference.deleted |= articles.delete(&format!("note-{note}"), None).await.is_ok();
            }
            Step::Move { note } => {
                let Some((file, _)) = file_of(&vault, note) else { continue };
                let to = if file.contains('/') { format!("note-{note}.md") } else { format!("sub/note-{note}.md") };
                fs::create_dir_all(vault.path("sub")).expect("a folder");
                if !vault.path(&to).exists() {
                    fs::rename(vault.path(&file), vault.path(&to)).expect("a rename");
                    // Moved and changed at once, it counts as a new one, and the old one as deleted.
                    reference.deleted = true;
                }
            }
            Step::Put { note } => {
                let Ok(article) = articles.read(&format!("note-{note}")).await else { continue };
                put_in(&articles, &article.slug, if article.folder.is_empty() { "sub" } else { "" }).await;
            }
            Step::Rename { note } => {
                let _ = articles.rename(&format!("note-{note}"), slug(&format!("other-{note}")), None).await;
            }
            Step::Cut { after } => {
                let before = both(&world, &vault).await;
                let seen: BTreeSet<String> = lines(&before.files).union(&lines(&before.articles)).cloned().collect();
                reference.known.extend(seen);
                cut(sync(&articles, &asked(&vault)), after).await;
                reference.is_cut = true;
                // A text that did not get that far may be removed for good by its owner.
                reference.ever.extend(lines(&bodies(&world, "SELECT body FROM articles").await));
            }
            Step::Sync => reference.checked_sync(&world, &vault).await?,
        }
    }
    Ok(())
}

#[test]
fn two_writers_lose_nothing() {
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    runner.run(&steps(), |steps| TOKIO.block_on(two_writers(steps))).expect("nothing is lost");
}
