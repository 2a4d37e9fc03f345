//! Files of an open database that are replaced or removed: nothing more is acknowledged, and no file of another is
//! touched.
#![cfg(unix)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use afterword_actors::store::{Database, OpenOptions, StoreError, sql::Sql};

use support::{OnSqlite, TestDatabase};

type Fixture = support::Fixture<OnSqlite>;

/// A database with an article, which is only in the log.
async fn opened() -> (Fixture, PathBuf) {
    let bench = Fixture::new().await;
    bench.save("before", "saved in time").await;
    let file = bench.database.file().expect("a file").to_path_buf();
    (bench, file)
}

async fn open(file: &Path) -> Database {
    Database::open(&OpenOptions::new(format!("sqlite://{}", file.display()))).await.expect("a database")
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    file.with_file_name(format!("{}{suffix}", file.file_name().expect("a name").display()))
}

/// Whether a save is refused, and the reason.
async fn refusal(bench: &Fixture) -> String {
    let refused = bench.try_save(&bench.database, "after", "saved too late", 3).await.expect_err("a refusal");
    assert!(matches!(refused, StoreError::NotInPlace(_)), "{refused}");
    assert_eq!(bench.database.check_in_place(), Err(refused.clone()));
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

fn copies(file: &Path) -> Vec<PathBuf> {
    let name = format!("{}.left-", file.display());
    let all = fs::read_dir(file.parent().expect("a folder")).expect("a folder").flatten();
    all.map(|entry| entry.path()).filter(|path| path.display().to_string().starts_with(&name)).collect()
}

/// How many articles are in the copy that was made.
async fn articles_kept(file: &Path) -> i64 {
    let copies = copies(file);
    assert_eq!(copies.len(), 1, "{copies:?}");
    let copy = open(&copies[0]).await;
    let found = articles(&copy).await;
    copy.close().await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_replaced_gets_no_more_saves_and_the_new_one_is_left_alone() {
    let (bench, file) = opened().await;
    let other = OnSqlite::fresh().await;
    let other = PathBuf::from(other.url().trim_start_matches("sqlite://"));
    let new = fs::read(&other).expect("a file");
    let (arriving, former) = (beside(&file, ".arriving"), beside(&file, ".former"));
    fs::write(&arriving, &new).expect("a file");
    fs::hard_link(&file, &former).expect("a second name");
    fs::rename(&arriving, &file).expect("a replacement");
    let told = refusal(&bench).await;
    assert!(told.contains("was replaced by another file") && told.contains("start it again"), "{told}");

    until("its log is put aside", || !logs_put_aside(&file).is_empty()).await;
    assert_eq!(fs::read(&file).expect("a file"), new, "nothing is written to the file of another");
    let next = open(&file).await;
    assert_eq!(articles(&next).await, 0, "it is the new one");
    next.close().await;
    bench.database.clone().close().await;
    assert_eq!(fs::read(&file).expect("a file").len(), new.len());
    assert_eq!(articles_kept(&file).await, 1, "what was acknowledged is in a copy, wherever the old one is now");

    // So it is in the old one with its log.
    let aside = logs_put_aside(&file).remove(0);
    fs::rename(aside, beside(&former, "-wal")).expect("a file");
    let old = open(&former).await;
    assert_eq!(articles(&old).await, 1, "what was acknowledged is there");
    old.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_removed_takes_nothing_along_that_was_acknowledged() {
    let (bench, file) = opened().await;
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(beside(&file, suffix)).expect("a file");
    }
    let told = refusal(&bench).await;
    assert!(told.contains("-wal was moved or removed"), "{told}");
    // Not before the log is copied into the database: it goes with the process.
    bench.database.clone().close().await;
    let next = open(&file).await;
    assert_eq!(articles(&next).await, 1);
    next.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_another_process_is_not_removed_with_ones_own() {
    let (bench, file) = opened().await;
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(beside(&file, suffix)).expect("a file");
        fs::write(beside(&file, suffix), "of another process").expect("a file");
    }
    let told = refusal(&bench).await;
    assert!(told.contains("-wal was replaced by another file"), "{told}");
    bench.database.clone().close().await;
    for suffix in ["-wal", "-shm"] {
        assert_eq!(fs::read(beside(&file, suffix)).expect("a file"), b"of another process");
    }
    assert_eq!(articles_kept(&file).await, 1, "what was acknowledged is in a copy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_replaced_with_its_log_is_copied_first() {
    let (bench, file) = opened().await;
    for suffix in ["", "-wal", "-shm"] {
        let arriving = beside(&file, ".arriving");
        fs::write(&arriving, "of another").expect("a file");
        fs::rename(&arriving, beside(&file, suffix)).expect("a replacement");
    }
    assert!(refusal(&bench).await.contains("was replaced by another file"));
    bench.database.clone().close().await;
    assert_eq!(articles_kept(&file).await, 1, "what was acknowledged is in a copy");
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(fs::read(beside(&file, suffix)).expect("a file"), b"of another");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_removed_does_not_come_back() {
    let (bench, file) = opened().await;
    let folder = file.parent().expect("a folder");
    let removed = folder.with_file_name(format!("{}-removed", folder.file_name().expect("a name").display()));
    fs::rename(folder, &removed).expect("a folder");
    let told = refusal(&bench).await;
    assert!(told.contains("moved or removed"), "{told}");
    fs::rename(&removed, folder).expect("a folder");
    assert!(refusal(&bench).await.contains("moved or removed"), "nobody knows who used it meanwhile");
    fs::rename(folder, &removed).expect("a folder");
    bench.database.clone().close().await;
    assert!(!folder.exists());
}
