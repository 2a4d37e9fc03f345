//! Files of an open database that are replaced or removed: nothing more is acknowledged, and no file of another is touched.
#![cfg(unix)]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use afterword_actors::store::{Database, StoreError, sql::Sql};

use crate::support::{self, OnSqlite, Place, article};

type TestHost = support::TestHost<OnSqlite>;

/// A host whose database has an article, most of it in the log.
async fn host() -> (TestHost, PathBuf) {
    let world = TestHost::new().await;
    world.articles(None).create(article("before", "saved in time")).await.expect("a save");
    let file = world.database.file().expect("a file").to_path_buf();
    (world, file)
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    file.with_file_name(format!("{}{suffix}", file.file_name().expect("a name").display()))
}

/// Whether a save is refused, and the reason.
async fn refusal(world: &TestHost) -> String {
    let refused = world.articles(None).create(article("after", "saved too late")).await.expect_err("a refusal");
    let checked = world.database.check_in_place().expect_err("the same");
    assert!(matches!(checked, StoreError::NotInPlace(_)), "{checked}");
    refused.to_string()
}

/// Waits for what a process does when it has noticed.
async fn until(what: &str, happened: impl Fn() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "{what}");
}

async fn articles(database: &Database) -> i64 {
    database.reader().row::<i64>("SELECT count(*) FROM articles", []).await.expect("a query").expect("a row")
}

fn logs_put_aside(file: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(file.parent().expect("a folder")).expect("a folder").flatten();
    all.map(|entry| entry.path()).filter(|path| path.display().to_string().contains("-wal.left-")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_replaced_gets_no_more_saves_and_the_new_one_is_left_alone() {
    let (world, file) = host().await;
    let other = OnSqlite::fresh().await;
    let other = PathBuf::from(other.url().trim_start_matches("sqlite://"));
    let new = fs::read(&other).expect("a file");
    let (arriving, former) = (beside(&file, ".arriving"), beside(&file, ".former"));
    fs::write(&arriving, &new).expect("a file");
    fs::hard_link(&file, &former).expect("a second name");
    fs::rename(&arriving, &file).expect("a replacement");
    let told = refusal(&world).await;
    assert!(told.contains("was replaced by another file") && told.contains("start it again"), "{told}");

    until("its log is put aside", || !logs_put_aside(&file).is_empty()).await;
    assert_eq!(fs::read(&file).expect("a file"), new, "nothing is written to the file of another");
    let next = support::open(world.place.url()).await;
    assert_eq!(articles(&next).await, 0, "it is the new one");
    next.close().await;
    world.database.clone().close().await;
    assert_eq!(fs::read(&file).expect("a file").len(), new.len());

    // The old one and its log are whole, wherever they are now.
    let aside = logs_put_aside(&file).remove(0);
    fs::rename(aside, beside(&former, "-wal")).expect("a file");
    let old = support::open(format!("sqlite://{}", former.display())).await;
    assert_eq!(articles(&old).await, 1, "what was acknowledged is there");
    old.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_removed_takes_nothing_along_that_was_acknowledged() {
    let (world, file) = host().await;
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(beside(&file, suffix)).expect("a file");
    }
    let told = refusal(&world).await;
    assert!(told.contains("-wal was moved or removed"), "{told}");
    // The log is copied into the database, which is seen in its number of pages.
    let (path, length) = (file.clone(), fs::metadata(&file).expect("a file").modified().expect("a time"));
    until("the log is copied", move || fs::metadata(&path).expect("a file").modified().expect("a time") > length).await;
    world.database.clone().close().await;
    let next = support::open(world.place.url()).await;
    assert_eq!(articles(&next).await, 1);
    next.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_another_process_is_not_removed_with_ones_own() {
    let (world, file) = host().await;
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(beside(&file, suffix)).expect("a file");
        fs::write(beside(&file, suffix), "of another process").expect("a file");
    }
    let told = refusal(&world).await;
    assert!(told.contains("-wal was replaced by another file"), "{told}");
    world.database.clone().close().await;
    drop(world);
    for suffix in ["-wal", "-shm"] {
        assert_eq!(fs::read(beside(&file, suffix)).expect("a file"), b"of another process");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_removed_does_not_come_back() {
    let (world, file) = host().await;
    let folder = file.parent().expect("a folder");
    let removed = folder.with_file_name(format!("{}-removed", folder.file_name().expect("a name").display()));
    fs::rename(folder, &removed).expect("a folder");
    let told = refusal(&world).await;
    assert!(told.contains("moved or removed"), "{told}");
    world.database.clone().close().await;
    assert!(!folder.exists());
    fs::rename(&removed, folder).expect("a folder");
    assert!(refusal(&world).await.contains("moved or removed"), "nobody knows who used it meanwhile");
}
