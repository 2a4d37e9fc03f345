//! The options of the database, and how writes share it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use afterword_actors::{
    schema,
    store::{Connection, Database, OpenError, OpenOptions, StoreError, sql::Sql},
};
use futures_util::FutureExt;
use tokio::sync::Semaphore;

use crate::support;

type TestHost = support::TestHost<support::OnSqlite>;

async fn number(connection: &impl Sql, sql: &str) -> i64 {
    connection.row::<i64>(sql, []).await.expect("a pragma").expect("a row")
}

async fn journal_mode(connection: &impl Sql) -> String {
    let mode = connection.row("SELECT journal_mode FROM pragma_journal_mode", []).await;
    mode.expect("a pragma").expect("a row")
}

async fn is_durable(connection: &impl Sql) {
    const FULL: i64 = 2;
    assert_eq!(journal_mode(connection).await, "wal");
    assert_eq!(number(connection, "SELECT synchronous AS n FROM pragma_synchronous").await, FULL);
    assert_eq!(number(connection, "SELECT foreign_keys AS n FROM pragma_foreign_keys").await, 1);
    assert!(number(connection, "SELECT timeout AS n FROM pragma_busy_timeout").await >= 1000, "it waits for a lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_live_connection_is_durable_and_keeps_its_references() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    is_durable(world.database.write_connection()).await;
    // Open at the same time, so that each is another of the two.
    let readers = world.database.reader();
    let (one, other) = (readers.begin().await.expect("a reader"), readers.begin().await.expect("another"));
    is_durable(&one).await;
    is_durable(&other).await;
    (one.rollback().await).and(other.rollback().await).expect("the end");
    runtime.stop(support::DRAIN).await;
}

/// The names of writes, in the order in which they ran.
type Order = Arc<Mutex<Vec<&'static str>>>;

async fn note_behind(database: Database, name: &'static str, order: Order) -> Result<(), StoreError> {
    let noted = move || {
        order.lock().expect("an order").push(name);
        Ok(())
    };
    database.write_behind(async move |_| noted()).await
}

async fn note(database: Database, name: &'static str, order: Order) -> Result<(), StoreError> {
    let noted = move || {
        order.lock().expect("an order").push(name);
        Ok(())
    };
    database.write(async move |_| noted()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_goes_before_whatever_waits_in_the_background() {
    let world = TestHost::new().await;
    let (gate, entered) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let holding = tokio::spawn({
        let (database, gate, entered) = (world.database.clone(), Arc::clone(&gate), Arc::clone(&entered));
        async move {
            database
                .write_behind::<_, StoreError, _>(async move |_| {
                    entered.add_permits(1);
                    drop(gate.acquire().await);
                    Ok(())
                })
                .await
        }
    });
    drop(entered.acquire().await.expect("the writer is busy"));
    let order = Arc::new(Mutex::new(Vec::new()));
    let waiting = async {
        tokio::join!(
            note_behind(world.database.clone(), "sweep", Arc::clone(&order)),
            note_behind(world.database.clone(), "metrics", Arc::clone(&order)),
            note(world.database.clone(), "save", Arc::clone(&order)),
        )
    };
    let mut waiting = Box::pin(waiting);
    // Once polled, all three are in their lanes.
    assert!((&mut waiting).now_or_never().is_none());
    gate.add_permits(1);
    let (sweep, metrics, save) = waiting.await;
    sweep.and(metrics).and(save).expect("commits");
    holding.await.expect("an end").expect("a commit");
    assert_eq!(*order.lock().expect("an order"), ["save", "sweep", "metrics"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_or_panics_takes_no_neighbour_along() {
    let world = TestHost::new().await;
    world.run("CREATE TABLE kept (name TEXT)").await;
    let write = |name: &'static str| {
        let database = world.database.clone();
        async move {
            database
                .write::<_, StoreError, _>(async move |transaction| {
                    transaction.run("INSERT INTO kept VALUES ($1)", [name.into()]).await?;
                    match name {
                        "refused" => Err(StoreError::Unexpected("refused".to_owned())),
                        "panics" => panic!("asked to panic"),
                        _ => Ok(()),
                    }
                })
                .await
        }
    };
    let results = tokio::join!(write("a"), write("refused"), write("b"), write("panics"), write("c"));
    assert!(results.0.is_ok() && results.2.is_ok() && results.4.is_ok());
    assert!(results.1.is_err() && results.3.is_err());
    assert_eq!(world.number("SELECT count(*) AS n FROM kept").await, 3);
    write("later").await.expect("the writer lives");
}

/// The longest that the write-ahead log may be, with what one batch adds. *Units:* bytes.
const LONG_LOG: u64 = 48 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_short_under_readers_that_never_pause() {
    let world = TestHost::new().await;
    world.run("CREATE TABLE kept (body BLOB NOT NULL)").await;
    let readers = world.database.reader().clone();
    // One snapshot is taken before the other is given up: there is always one.
    let reading = tokio::spawn(async move {
        let mut last = readers.begin().await.expect("a reader");
        loop {
            let next = readers.begin().await.expect("another");
            number(&next, "SELECT count(*) AS n FROM kept").await;
            std::mem::replace(&mut last, next).rollback().await.expect("the end");
        }
    });
    let log = PathBuf::from(format!("{}-wal", world.database.file().expect("a file").display()));
    let mut longest = 0;
    for _ in 0..320 {
        world.run("INSERT INTO kept VALUES (zeroblob(500000))").await;
        longest = longest.max(std::fs::metadata(&log).expect("a log").len());
    }
    reading.abort();
    assert!(longest < LONG_LOG, "of 160 MB that were written, {longest} bytes lay in the log at a time");
}

fn afterword(folder: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
    command.current_dir(folder).env("HOME", folder).env("AFTERWORD_EMBEDDING__PROVIDER", "scripted");
    command.args(["--database", url]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Commands that start together on one database: all succeed, all saves are there.
fn start_together(folder: &Path, url: &str) {
    let create =
        |n: usize| afterword(folder, url, &["article", "create", &format!("Article {n}"), "--body", "Text."]).spawn();
    let started: Vec<_> = (0..4).map(|n| create(n).expect("a process")).collect();
    for process in started {
        let ended = process.wait_with_output().expect("an end");
        assert!(ended.status.success(), "{}", said(&ended));
    }
    let listed = afterword(folder, url, &["article", "list", "--json"]).output().expect("a process");
    assert_eq!(said(&listed).matches("\"slug\"").count(), 4, "{}", said(&listed));
}

#[test]
fn commands_that_start_together_on_a_new_database_all_succeed() {
    for _ in 0..3 {
        let folder = tempfile::tempdir().expect("a folder");
        start_together(folder.path(), &format!("sqlite://{}", folder.path().join("new/site.db").display()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_start_together_at_an_upgrade_all_succeed() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("site.db").display());
    let database = support::open(url.clone()).await;
    let later = schema::steps().len() - 5;
    schema::take_back(&database, u32::try_from(later).expect("few")).await.expect("an earlier schema");
    database.close().await;
    start_together(folder.path(), &url);
}

#[test]
fn commands_that_start_together_on_a_new_postgresql_database_all_succeed() {
    let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL");
    support::TOKIO.block_on(async {
        let administrator = Connection::open(&format!("{server}/postgres")).await.expect("a server");
        for round in 0..2 {
            let name = format!("together_{}_{round}", std::process::id());
            administrator.script(&format!("CREATE DATABASE {name}")).await.expect("a database");
            let folder = tempfile::tempdir().expect("a folder");
            start_together(folder.path(), &format!("{server}/{name}"));
        }
    });
}

/// Everything in a folder: names and contents of files.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (!entry.path().is_dir()).then(|| (name, std::fs::read(entry.path()).expect("a file")))
    };
    entries.filter_map(file).collect()
}

async fn raw(path: &Path, sql: &str) {
    let connection = Connection::open(&format!("sqlite://{}?mode=rwc", path.display())).await.expect("a file");
    connection.script(sql).await.expect("a statement");
    connection.close().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_file_is_refused_and_left_as_it_is() {
    let foreign = [
        "CREATE TABLE bookmarks (url TEXT)",
        "CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT)",
        "PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT)",
        "PRAGMA application_id = 252006675; CREATE TABLE t (x)",
        "CREATE TABLE seaql_migrations (version TEXT, applied_at BIGINT);
         INSERT INTO seaql_migrations VALUES ('m20220101_000001_users', 1); CREATE TABLE users (name TEXT)",
    ];
    for sql in foreign {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("other.db");
        raw(&path, sql).await;
        let before = contents(folder.path());
        let url = format!("sqlite://{}", path.display());
        let refused = Database::open(&OpenOptions::new(url.clone())).await;
        assert!(matches!(refused, Err(OpenError::NotOurs { .. })), "{sql}");
        let refused = afterword(folder.path(), &url, &["article", "list"]).output().expect("a process");
        assert!(!refused.status.success() && said(&refused).contains("another program's"), "{}", said(&refused));
        assert!(contents(folder.path()) == before, "{sql}: {:?}", contents(folder.path()).keys());
        assert!(!folder.path().join("other.db.hosts").exists(), "{sql}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "Dear reader, this is no database, and it is long enough to be read as one. ".repeat(20))
        .expect("a file");
    let before = contents(folder.path());
    let refused = Database::open(&OpenOptions::new(format!("sqlite://{}", path.display()))).await;
    assert!(matches!(refused, Err(OpenError::NotSqlite(_))));
    assert!(contents(folder.path()) == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_earlier_versions_are_known_by_their_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.db");
    let url = format!("sqlite://{}", path.display());
    let database = support::open(url.clone()).await;
    afterword::database::migrate(&database).await.expect("a schema");
    let id = number(database.reader(), "SELECT application_id AS n FROM pragma_application_id").await;
    assert_eq!(id, afterword_actors::store::APPLICATION_ID, "what the migration writes is what is looked for");
    database.close().await;
    raw(&path, "PRAGMA application_id = 0").await;
    support::open(url.clone()).await.close().await;
    // The state after a first start that an earlier version did not complete.
    std::fs::remove_file(&path).expect("a file");
    raw(&path, "CREATE TABLE seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)")
        .await;
    let first = include_str!("../../migration/src/m20261124_000001_articles/up.sqlite.sql");
    let half = &first[..first.find("CREATE TABLE slug_aliases").expect("a statement")];
    raw(&path, half).await;
    let created =
        afterword(folder.path(), &url, &["article", "create", "One", "--body", "Text."]).output().expect("a process");
    assert!(created.status.success(), "{}", said(&created));
}

#[test]
fn a_tilde_is_the_home_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = "sqlite://~/notes/x.db";
    let created =
        afterword(folder.path(), url, &["article", "create", "One", "--body", "Text."]).output().expect("a process");
    assert!(created.status.success(), "{}", said(&created));
    assert!(folder.path().join("notes/x.db").is_file() && !folder.path().join("~").exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_seen_by_whatever_name_the_database_is_opened() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let path = world.database.file().expect("a file").to_path_buf();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (link, folder) = (elsewhere.path().join("alias.db"), elsewhere.path().join("folder"));
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    std::os::unix::fs::symlink(path.parent().expect("a folder"), &folder).expect("a link");
    for alias in [link, folder.join(path.file_name().expect("a name"))] {
        let seen = support::open(format!("sqlite://{}", alias.display())).await;
        assert_eq!(seen.living(10).await.expect("hosts").len(), 1, "{}", alias.display());
        seen.close().await;
    }
    // Two names of one file would have two logs.
    let hard = path.with_file_name("hard.db");
    std::fs::hard_link(&path, &hard).expect("a link");
    for name in [&hard, &path] {
        let refused = Database::open(&OpenOptions::new(format!("sqlite://{}", name.display()))).await;
        assert!(matches!(refused, Err(OpenError::SeveralNames { names: 2, .. })));
    }
    std::fs::remove_file(&hard).expect("a file");
    support::open(format!("sqlite://{}", path.display())).await.close().await;
    runtime.stop(support::DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_waits_for_no_one_and_leaves_nothing_when_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, url) = (folder.path().join("site.db"), format!("sqlite://{}", folder.path().join("site.db").display()));
    let run = |arguments: &[&str]| afterword(folder.path(), &url, arguments).output().expect("a process");
    assert!(!run(&["db", "backup", "copy.db"]).status.success(), "nothing is not backed up");
    assert!(run(&["article", "create", "One", "--body", "Text."]).status.success());
    assert!(run(&["db", "backup", "copy.db"]).status.success());
    std::fs::write(folder.path().join("torn.db"), [1; 9000]).expect("a file");
    // A process without a host.
    let open = support::open(url.clone()).await;
    let refused = run(&["db", "restore", "copy.db"]);
    assert!(!refused.status.success() && said(&refused).contains("open in another process"), "{}", said(&refused));
    // Nor by another name.
    let alias = folder.path().join("alias.db");
    std::os::unix::fs::symlink(&path, &alias).expect("a link");
    let by_alias = format!("sqlite://{}", alias.display());
    let refused = afterword(folder.path(), &by_alias, &["db", "restore", "copy.db"]).output().expect("a process");
    assert!(!refused.status.success() && said(&refused).contains("open in another process"), "{}", said(&refused));
    open.close().await;
    std::fs::remove_file(&alias).expect("a link");
    assert!(!run(&["db", "restore", "torn.db"]).status.success());
    let left: Vec<_> = contents(folder.path()).into_keys().filter(|name| name.contains("restor")).collect();
    assert!(left.is_empty(), "{left:?}");
    // A damaged database is replaced, its log goes with it.
    std::fs::write(&path, [7; 5000]).expect("a file");
    std::fs::write(folder.path().join("site.db-wal"), [7; 5000]).expect("a file");
    let restored = run(&["db", "restore", "copy.db"]);
    assert!(restored.status.success(), "{}", said(&restored));
    assert!(said(&run(&["article", "list", "--json"])).contains("\"one\""));
}

/// A folder with a database of one article, and commands on it.
struct Site {
    folder: tempfile::TempDir,
    url: String,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("site.db").display());
        let site = Self { folder, url };
        site.works(&["article", "create", "One", "--body", "Text."]);
        site
    }

    fn run(&self, arguments: &[&str]) -> Output {
        afterword(self.folder.path(), &self.url, arguments).output().expect("a process")
    }

    fn works(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    }

    fn refuses(&self, arguments: &[&str], why: &str) {
        let output = self.run(arguments);
        let said = said(&output);
        assert!(output.status.code() == Some(1) && said.contains(why), "{arguments:?}: {said}");
    }

    /// The names of all files in the folder that have this part.
    fn names(&self, part: &str) -> Vec<String> {
        contents(self.folder.path()).into_keys().filter(|name| name.contains(part)).collect()
    }
}

#[test]
fn restores_that_follow_each_other_at_once_each_keep_what_they_replace() {
    let site = Site::new();
    site.works(&["db", "backup", "one.db"]);
    site.works(&["article", "create", "Two", "--body", "Text."]);
    site.works(&["db", "backup", "two.db"]);
    site.works(&["article", "create", "Three", "--body", "Text."]);
    site.works(&["db", "restore", "one.db"]);
    site.works(&["db", "restore", "two.db"]);
    site.works(&["db", "restore", "one.db"]);
    // A process may leave its log behind; the log is moved with its database.
    let is_log = |name: &String| name.ends_with("-wal") || name.ends_with("-shm");
    let kept: Vec<_> = site.names(".before-restore-").into_iter().filter(|name| !is_log(name)).collect();
    let articles = |name: &String| {
        let url = format!("sqlite://{}", site.folder.path().join(name).display());
        said(&afterword(site.folder.path(), &url, &["article", "list", "--json"]).output().expect("a process"))
            .matches("\"slug\"")
            .count()
    };
    let mut numbers: Vec<_> = kept.iter().map(articles).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3], "{kept:?}");
}

#[test]
fn backups_that_are_made_together_are_whole_and_take_nothing_along() {
    let site = Site::new();
    std::fs::write(site.folder.path().join("mine.part"), "of somebody else").expect("a file");
    let made: Vec<_> = ["mine", "mine", "other", "file:u.db"]
        .map(|name| {
            let backup = afterword(site.folder.path(), &site.url, &["db", "backup", name]).spawn();
            (name, backup.expect("a process"))
        })
        .into_iter()
        .map(|(name, backup)| (name, backup.wait_with_output().expect("an end")))
        .collect();
    let succeeded =
        |wanted: &str| made.iter().filter(|(name, ended)| *name == wanted && ended.status.success()).count();
    assert_eq!([succeeded("mine"), succeeded("other"), succeeded("file:u.db")], [1, 1, 1], "{made:?}");
    for name in ["mine", "other", "file:u.db"] {
        site.works(&["db", "restore", name]);
        assert!(site.works(&["article", "list", "--json"]).contains("\"one\""), "{name}");
    }
    let foreign = std::fs::read_to_string(site.folder.path().join("mine.part"));
    assert_eq!(foreign.expect("a file"), "of somebody else");
    assert_eq!(site.names(".part"), ["mine.part"]);
}

#[cfg(unix)]
#[test]
fn a_backup_never_overwrites_and_has_a_name_that_sqlite_can_write_to() {
    use std::os::unix::ffi::OsStrExt;
    let site = Site::new();
    std::os::unix::fs::symlink("nowhere", site.folder.path().join("link.db")).expect("a link");
    site.refuses(&["db", "backup", "link.db"], "exists already");
    std::fs::remove_file(site.folder.path().join("link.db")).expect("a link");
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.db");
    let mut command = afterword(site.folder.path(), &site.url, &["db", "backup"]);
    let refused = command.arg(name).output().expect("a process");
    assert!(refused.status.code() == Some(1) && said(&refused).contains("not UTF-8"), "{}", said(&refused));
    site.refuses(&["db", "backup", "no/such/folder/copy.db"], "No such file");
    assert!(site.names(".part").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_takes_no_half_written_source() {
    let (site, source) = (Site::new(), Site::new());
    let file = source.folder.path().join("site.db");
    let name = file.display().to_string();
    // A process that has it open.
    let open = support::open(source.url.clone()).await;
    let saved = "UPDATE articles SET title = 'Only in the log'";
    open.write_connection().run(saved, []).await.expect("a save");
    site.refuses(&["db", "restore", &name], "is open in another process");
    assert!(site.names("restor").is_empty(), "nothing is left behind");
    // One that died: what it saved last is in the log beside the file, also if a link leads there.
    let copy = site.folder.path().join("copy");
    std::fs::create_dir(&copy).expect("a folder");
    for suffix in ["", "-wal"] {
        let part = format!("{name}{suffix}");
        std::fs::copy(&part, copy.join(format!("dead.db{suffix}"))).expect("a copy");
    }
    open.close().await;
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(copy.join("dead.db"), site.folder.path().join("link.db")).expect("a link");
        site.works(&["db", "restore", "link.db"]);
        assert!(site.works(&["article", "show", "one", "--json"]).contains("Only in the log"));
    }
    site.refuses(&["db", "restore", "site.db"], "is the database itself");
}

/// A path may have any character in it.
#[test]
fn a_folder_with_a_question_mark_is_a_folder_as_any_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("why? a=b#c%20d");
    std::fs::create_dir(&home).expect("a folder");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
        command
            .current_dir(&home)
            .env("HOME", &home)
            .env("TMPDIR", &home)
            .env("AFTERWORD_EMBEDDING__PROVIDER", "scripted");
        for variable in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env_remove(variable);
        }
        let output = command.args(arguments).output().expect("a process");
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    };
    for database in [&[][..], &["--database", "sqlite://here.db"]] {
        let run = |arguments: &[&str]| run(&[database, arguments].concat());
        run(&["article", "create", "One", "--body", "Text."]);
        run(&["db", "backup", "copy.db"]);
        run(&["db", "restore", "copy.db"]);
        assert!(run(&["article", "list", "--json"]).contains("\"one\""));
        std::fs::remove_file(home.join("copy.db")).expect("a file");
    }
    run(&["demo"]);
    let beside: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(beside.len(), 1, "nothing is made beside it: {beside:?}");
}

/// What root does for a service leaves it able to open its own database.
#[cfg(unix)]
#[test]
fn what_root_makes_belongs_to_the_owner_of_the_database() {
    use std::os::unix::fs::{MetadataExt, chown};
    const SERVICE: u32 = 65_534;
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("service");
    std::fs::create_dir(&place).expect("a folder");
    if place.metadata().expect("a folder").uid() != 0 || chown(&place, Some(SERVICE), Some(SERVICE)).is_err() {
        eprintln!("not shown: only root can give files away");
        return;
    }
    let url = format!("sqlite://{}", place.join("deep/site.db").display());
    let run = |arguments: &[&str]| {
        let output = afterword(folder.path(), &url, arguments).output().expect("a process");
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    };
    let all_are_its_own = |when: &str| {
        for entry in walkdir::WalkDir::new(&place).into_iter().map(|entry| entry.expect("an entry")) {
            let metadata = entry.metadata().expect("metadata");
            assert_eq!((metadata.uid(), metadata.gid()), (SERVICE, SERVICE), "{when}: {}", entry.path().display());
        }
    };
    run(&["article", "create", "One", "--body", "Text."]);
    all_are_its_own("new");
    let open = support::TOKIO.block_on(support::open(url.clone()));
    all_are_its_own("open");
    support::TOKIO.block_on(open.close());
    run(&["bulk", "start"]);
    all_are_its_own("after a host");
    run(&["db", "backup", "copy.db"]);
    run(&["db", "restore", "copy.db"]);
    all_are_its_own("restored");
    // In a folder of root's, the database itself tells whose it is.
    chown(place.join("deep"), Some(0), Some(0)).expect("a change");
    run(&["db", "restore", "copy.db"]);
    assert_eq!(place.join("deep/site.db").metadata().expect("a file").uid(), SERVICE);
}

#[cfg(unix)]
#[test]
fn what_is_written_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("made/site.db").display());
    let run = |arguments: &[&str]| {
        let output = afterword(folder.path(), &url, arguments).output().expect("a process");
        assert!(output.status.success(), "{}", said(&output));
    };
    run(&["article", "create", "One", "--body", "Text."]);
    run(&["db", "backup", "copy.db"]);
    run(&["export", "out"]);
    run(&["db", "restore", "copy.db"]);
    let open = support::TOKIO.block_on(support::open(url.clone()));
    let made = walkdir::WalkDir::new(folder.path()).min_depth(1).into_iter().map(|entry| entry.expect("an entry"));
    let (mut files, mut others) = (0, Vec::new());
    for entry in made {
        files += 1;
        if entry.metadata().expect("metadata").permissions().mode() & 0o077 != 0 {
            others.push(entry.path().to_path_buf());
        }
    }
    assert!(files > 8 && others.is_empty(), "{others:?}");
    support::TOKIO.block_on(open.close());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_verification_advises_repairs_what_it_found() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    for name in ["torn", "fewer", "unread", "sound"] {
        world.articles(Some(&runtime)).create(support::article(name, "Text of it.")).await.expect("a save");
    }
    world.settled(&runtime).await;
    let of = |slug: &str| format!("(SELECT id FROM articles WHERE slug = '{slug}')");
    for sql in [
        format!("UPDATE article_chunks SET vector = x'0000' WHERE article_id = {}", of("torn")),
        format!("DELETE FROM article_chunks WHERE article_id = {}", of("fewer")),
        format!("DELETE FROM article_terms WHERE rowid = {}", of("unread")),
    ] {
        world.database.write_connection().run(&sql, []).await.expect("damage");
    }
    let found = afterword::database::verify(&world.database).await.expect("a look");
    assert_eq!(
        found.findings.iter().filter(|finding| finding.message.contains("index rebuild")).count(),
        3,
        "{found:?}"
    );
    let rebuilt = afterword::database::rebuild(&world.database, "english", &|_| {}).await.expect("a rebuild");
    assert_eq!(rebuilt.removed, 2);
    // The next sweep queues what has no vectors.
    while world.number("SELECT count(*) AS n FROM article_embeddings").await < 4 {
        tokio::task::yield_now().await;
    }
    world.settled(&runtime).await;
    let found = afterword::database::verify(&world.database).await.expect("a look");
    assert!(found.findings.is_empty(), "{found:?}");
    runtime.stop(support::DRAIN).await;
}
