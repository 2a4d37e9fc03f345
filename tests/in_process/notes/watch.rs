//! A watched folder: changes of either side appear on the other by themselves.

use std::{
    fs,
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use afterword::articles::{ArticlePatch, Articles, folder::Folder};
use afterword::files::{FolderSync, SyncError, SyncRequest, WatchEvent, forget, sync, watch};
use tokio_util::sync::CancellationToken;

use super::TestHost;
use crate::{notes::vault::Vault, support::article};

/// A test that has waited this long for something is stuck.
const STUCK: Duration = Duration::from_secs(60);

struct Watching {
    stop: CancellationToken,
    told: Arc<Mutex<Vec<WatchEvent>>>,
    ended: Arc<Mutex<Option<SyncError>>>,
}

impl Watching {
    fn begin(articles: &Articles, vault: &Vault) -> Self {
        let asked =
            SyncRequest { directory: vault.root(), folder: Folder::default(), many_deletions: false, dry_run: false };
        let told = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(Mutex::new(None));
        let (articles, telling, ending) = (articles.clone(), Arc::clone(&told), Arc::clone(&ended));
        let (stop, runtime) = (CancellationToken::new(), tokio::runtime::Handle::current());
        let stopped = stop.clone();
        tokio::task::spawn_blocking(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = stopped.cancelled() => {}
                    ended = watch(&articles, asked, |now| telling.lock().expect("the lock").push(now)) => {
                        *ending.lock().expect("the lock") = Some(ended);
                    }
                }
            });
        });
        Self { stop, told, ended }
    }

    fn heard(&self, what: impl Fn(&WatchEvent) -> bool) -> usize {
        self.told.lock().expect("the lock").iter().filter(|told| what(told)).count()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < STUCK, "never: {what}");
        tokio::task::yield_now().await;
    }
}

async fn says(articles: &Articles, slug: &str, body: &str) -> bool {
    articles.read(slug).await.is_ok_and(|article| article.body == body)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_follows_the_other_by_itself() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n")]);
    let watching = Watching::begin(&articles, &vault);
    until("the first look", || says(&articles, "a", "# A\n")).await;
    vault.put("a.md", "# A\n\nmore\n");
    until("the article follows", || says(&articles, "a", "# A\n\nmore\n")).await;
    let changes = ArticlePatch { body: Some("# A\n\nedited here\n".to_owned()), ..ArticlePatch::default() };
    articles.update("a", changes).await.expect("a save");
    let file = || async { fs::read_to_string(vault.path("a.md")).is_ok_and(|text| text == "# A\n\nedited here\n") };
    until("the file follows", file).await;
    articles.create(article("new", "text\n")).await.expect("an article");
    until("the new file", || async { vault.path("new.md").exists() }).await;

    // As editors save: the file is gone for a moment.
    fs::rename(vault.path("a.md"), vault.path("a.md~")).expect("a rename");
    vault.put("a.md", "# A\n\nsaved by rename\n");
    until("the article follows", || says(&articles, "a", "# A\n\nsaved by rename\n")).await;
    fs::remove_file(vault.path("a.md")).expect("a removal");
    until("the article goes", || async { articles.read("a").await.is_err() }).await;
    articles.delete("new", None).await.expect("a deletion");
    until("the file goes", || async { !vault.path("new.md").exists() }).await;
    assert_eq!(watching.heard(|told| matches!(told, WatchEvent::Failed(_))), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_is_few_looks_and_a_missing_disk_deletes_nothing() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    fs::create_dir_all(vault.root()).expect("a folder");
    let watching = Watching::begin(&articles, &vault);
    until("it is watched", || async { watching.heard(|told| matches!(told, WatchEvent::Started { .. })) == 1 }).await;
    for number in 0..400 {
        vault.put(&format!("sub-{}/note-{number}.md", number % 20), format!("# Note {number}\n"));
    }
    let count = || world.number("SELECT count(*) AS n FROM articles");
    until("all came in", || async { count().await == 400 }).await;
    let looks = watching.heard(|told| matches!(told, WatchEvent::Synced(_)));
    assert!(looks < 40, "{looks} looks");

    let aside = vault.root().parent().expect("a folder").join("aside");
    fs::rename(vault.root(), &aside).expect("a rename");
    let is_missing = |told: &WatchEvent| matches!(told, WatchEvent::Failed(SyncError::Folder { .. }));
    until("it is told", || async {
        // A change, so that the folder is checked.
        let _ = articles.create(article("poke", "text\n")).await;
        watching.heard(is_missing) > 0
    })
    .await;
    assert_eq!(count().await, 401);
    fs::rename(&aside, vault.root()).expect("a rename");
    until("all goes on", || async { vault.path("poke.md").exists() }).await;
    assert_eq!(count().await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_forgotten_is_not_taken_up_again() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "# A\n")]);
    let watching = Watching::begin(&articles, &vault);
    until("the first look", || says(&articles, "a", "# A\n")).await;
    let asked =
        SyncRequest { directory: vault.root(), folder: Folder::default(), many_deletions: false, dry_run: false };
    forget(&articles, &asked).await.expect("it was kept in step");
    vault.put("a.md", "# A\n\nmore\n");
    let has_ended = || async { matches!(*watching.ended.lock().expect("the lock"), Some(SyncError::Forgotten(_))) };
    until("the watch ends", has_ended).await;
    assert!(says(&articles, "a", "# A\n").await, "the article stays as it was");
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, 1);
    assert_eq!(Vault::contents(&vault.root()).len(), 1, "and so do the files");
    assert_eq!(world.number("SELECT count(*) AS n FROM sources WHERE kept").await, 0);
}

/// A link that leads elsewhere for a while: nobody has forgotten the folder.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_elsewhere_for_a_while_is_not_forgotten() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let (one, two) = (Vault::of(&[("a.md", "# A\n")]), Vault::of(&[("b.md", "# B\n")]));
    let place = tempfile::tempdir().expect("a folder");
    let link = place.path().join("notes");
    let lead = |vault: &Vault| {
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(vault.root(), &link).expect("a link");
    };
    let asked =
        SyncRequest { directory: link.clone(), folder: Folder::default(), many_deletions: false, dry_run: false };
    let mut folders = FolderSync::new(asked);
    lead(&one);
    folders.sync(&articles).await.expect("a run");
    lead(&two);
    let error = folders.sync(&articles).await.expect_err("another folder");
    assert!(matches!(error, SyncError::Folder { .. }), "a watch goes on after it: {error}");
    for vault in [&one, &two] {
        let place = vault.root().canonicalize().expect("a folder");
        assert!(error.to_string().contains(&place.display().to_string()), "it says where it is and was: {error}");
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM articles").await, 1);
    lead(&one);
    one.put("a.md", "# A\n\nmore\n");
    folders.sync(&articles).await.expect("it goes on");
    assert!(says(&articles, "a", "# A\n\nmore\n").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_is_told_although_there_is_nothing_to_do() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("a.md", "---\nlastmod: soon\n---\n# A\n"), ("b.md", "# B\n")]);
    let asked =
        SyncRequest { directory: vault.root(), folder: Folder::default(), many_deletions: false, dry_run: false };
    while sync(&articles, &asked).await.expect("a run").did_something() {}
    let watching = Watching::begin(&articles, &vault);
    let is_warned = |told: &WatchEvent| matches!(told, WatchEvent::Synced(report) if report.warnings.len() == 1);
    until("the warning", || async { watching.heard(is_warned) == 1 }).await;
    vault.put("b.md", "# B\n\nmore\n");
    until("the article follows", || says(&articles, "b", "# B\n\nmore\n")).await;
    let is_idle = |told: &WatchEvent| matches!(told, WatchEvent::Synced(report) if !report.did_something());
    assert_eq!(watching.heard(is_idle), 1, "and not at each look");
}
