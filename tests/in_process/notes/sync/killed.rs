//! A process that dies while it works is gone on with by the next one.

use std::{
    future::Future,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{TestHost, both, change, run, texts};
use crate::{
    notes::vault::Vault,
    support::{TestDatabase, article},
};

/// Files and articles of the test that kills processes.
const EACH: i64 = 150;
/// A test that has waited this long for something is stuck.
const STUCK: Duration = Duration::from_secs(120);

async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < STUCK, "never: {what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_is_gone_on_with_by_the_next() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[]);
    for number in 0..EACH {
        vault.put(&format!("sub/file-{number}.md"), format!("# File {number}\n\ntext of file {number}\n"));
        articles
            .create(article(&format!("article-{number}"), &format!("text of article {number}\n")))
            .await
            .expect("an article");
    }
    let process = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
        command.args(["--database", &world.place.url(), "--set", "embedding.provider=scripted", "sync", "--yes"]);
        command.arg(vault.root()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let count = || async { world.number("SELECT count(*) AS n FROM articles").await };
    let files = || i64::try_from(texts(&vault).len()).expect("few");
    // While files come in, at the first article that goes out, and in the middle of those.
    for (articles, on_disk) in [(EACH + 40, 0), (0, EACH + 1), (0, EACH + 60), (0, EACH + 110)] {
        let mut running = process().spawn().expect("a process");
        until("so much is done", || async { count().await >= articles && files() >= on_disk }).await;
        running.kill().expect("it dies");
        running.wait().expect("it is dead");
    }
    // A file that one of them left half done was changed since.
    change(&articles, "file-1", "# File 1\n\ntext of file 1\n\nand more\n").await;
    run(&articles, &vault).await;
    assert!(process().status().expect("a process").success());
    let both = both(&world, &vault).await;
    assert_eq!(both.files, both.articles);
    assert_eq!((count().await, files()), (2 * EACH, 2 * EACH), "nothing is there twice");
    assert!(process().status().expect("a process").success());
    assert_eq!(world.number("SELECT count(*) AS n FROM article_versions").await, 1, "and nothing was saved twice");
}
