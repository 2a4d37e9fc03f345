//! Backups, restores and repairs.

use std::process::{Command, Output};

use afterword_actors::store::sql::Sql;

use super::{TestHost, afterword, contents, said};
use crate::support;

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
