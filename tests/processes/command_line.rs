//! The real program, as people and scripts use it.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

#[cfg(target_os = "linux")]
mod bombs;
#[cfg(target_os = "linux")]
mod disk;
mod editing;
mod models;
mod refusals;
mod reranking;
mod secrets;
mod shown;
mod strange_folder;
#[cfg(unix)]
mod told_to_stop;

/// A folder of its own, with a database in it.
struct CliFixture(tempfile::TempDir);

impl CliFixture {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
        // The settings and models of this machine's user are not read.
        for (variable, folder) in
            [("HOME", "home"), ("XDG_CONFIG_HOME", "settings"), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")]
        {
            command.env(variable, self.0.path().join(folder));
        }
        command
            .current_dir(self.0.path())
            .env("AFTERWORD_DATABASE__URL", format!("sqlite://{}", self.0.path().join("desk.db").display()))
            .env("AFTERWORD_EMBEDDING__PROVIDER", "scripted")
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("a program that runs")
    }

    /// The output of a command that must succeed.
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.text(&arguments)).expect("JSON and nothing else")
    }

    /// Exit code and message of a command that must fail.
    fn failure(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        assert!(output.stdout.is_empty(), "{arguments:?} prints an answer and fails");
        (output.status.code().expect("a code"), String::from_utf8(output.stderr).expect("text"))
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

#[test]
fn errors_say_what_and_what_to_do_and_have_the_right_code() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "First steps", "--body", "text"]);
    for (arguments, code, parts) in [
        (&["article", "create", "First steps"][..], 1, &["first-steps", "exists", "update it"][..]),
        (&["article", "show", "frist-steps"], 1, &["frist-steps", "did you mean \"first-steps\""]),
        (&["article", "update", "first-steps", "--body", "x", "--expected-revision", "7"], 1, &["revision 1", "7"]),
        (&["search", ""], 2, &["empty"]),
        (&["queue", "show", "99"], 1, &["no task 99"]),
        (&["bulk", "start", "--folder", "nosuch"], 1, &["no article in folder \"nosuch\""]),
        (&["--set", "queue.slotss=3", "article", "list"], 2, &["queue.slotss", "did you mean queue.slots"]),
        (&["--set", "queue.lease=soon", "article", "list"], 2, &["queue.lease"]),
        (&["--set", "=4", "article", "list"], 2, &["KEY=VALUE", "no key before the ="]),
        (&["--set", "search.language=klingon", "article", "list"], 2, &["search.language", "one of:", "german"]),
        (&["--database", "mysql://x", "article", "list"], 2, &["database.url", "sqlite://"]),
        (&["import", "nowhere"], 1, &["nowhere"]),
        (&["article", "delet", "x"], 2, &["delete"]),
        (&["article", "list", "--limit", "0"], 2, &["--limit"]),
    ] {
        let (found, message) = cli.failure(arguments);
        assert_eq!(found, code, "{arguments:?}: {message}");
        for part in parts {
            assert!(message.contains(part), "{arguments:?}: {message:?} does not say {part:?}");
        }
    }
}

#[test]
fn an_article_lives_its_life() {
    let cli = CliFixture::new();
    let created = cli.json(&["article", "create", "Bees", "--body", "They dance.", "--folder", "animals/insects"]);
    assert_eq!((created["slug"].as_str(), created["revision"].as_i64()), (Some("bees"), Some(1)));
    cli.json(&["article", "update", "bees", "--body", "They dance in the dark.", "--expected-revision", "1"]);
    cli.json(&["article", "rename", "bees", "honey-bees"]);
    let read = cli.json(&["article", "show", "bees"]);
    assert_eq!(read["slug"], "honey-bees", "the former slug works");
    assert_eq!(cli.json(&["article", "history", "honey-bees"])["total"], 3);
    assert_eq!(cli.json(&["search", "dark"])["hits"][0]["slug"], "honey-bees", "found by words at once");
    assert_eq!(cli.json(&["bulk", "start"])["succeeded"], 1, "what waited is part of the run");
    assert_eq!(cli.json(&["article", "show", "honey-bees"])["embedding"]["status"], "completed");
    cli.json(&["article", "delete", "honey-bees"]);
    assert_eq!(cli.failure(&["article", "show", "honey-bees"]).0, 1);
    cli.json(&["article", "restore", "honey-bees"]);
    let restored = cli.json(&["article", "show", "honey-bees"]);
    assert_eq!(restored["body"], "They dance in the dark.");
    assert_eq!(restored["folder"], "animals/insects");
}

#[test]
fn every_listing_is_json_when_asked() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "One", "--body", "text"]);
    for arguments in [
        &["article", "list"][..],
        &["queue", "stats"],
        &["queue", "list"],
        &["queue", "show", "1"],
        &["queue", "events"],
        &["bulk", "list"],
        &["bulk", "start", "--dry-run"],
        &["status"],
        &["db", "status"],
        &["db", "verify"],
        &["config", "show"],
        &["config", "check"],
        &["model", "list"],
        &["doctor"],
        &["token", "list"],
        &["article", "history", "one"],
        &["article", "list", "--deleted"],
    ] {
        let answer = cli.json(arguments);
        assert!(answer.is_object(), "{arguments:?}: a list has a name and room beside it: {answer}");
    }
}

/// Names and contents of files, byte for byte.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).expect("below").display().to_string();
            (name, std::fs::read(entry.path()).expect("a file"))
        })
        .collect();
    found.sort();
    found
}

#[test]
fn export_and_import_lose_nothing() {
    let (cli, other) = (CliFixture::new(), CliFixture::new());
    let notes = cli.path("notes");
    std::fs::create_dir_all(notes.join("deep/er")).expect("folders");
    std::fs::write(notes.join("plain.md"), "# Plain\n\nNo front matter.\n").expect("a file");
    let front =
        "---\ntitle: \"Über: alles\"\nslug: ueber-alles\ntags: [a, b]\nskip_embedding: true\n---\n\nBody\u{202e}\n";
    std::fs::write(notes.join("deep/er/other-name.md"), front).expect("a file");
    std::fs::write(notes.join("deep/日本語.md"), "これはテストです\n").expect("a file");
    cli.text(&["import", "notes"]);
    assert!(cli.text(&["import", "notes"]).starts_with("0 created, 0 updated, 3 unchanged"), "again, and no error");
    cli.text(&["export", "first"]);
    assert_eq!(files(&cli.path("first")), files(&notes));
    other.text(&["import", cli.path("first").to_str().expect("a path")]);
    other.text(&["export", "second"]);
    assert_eq!(files(&other.path("second")), files(&notes), "out, in and out again is the same");
}

#[test]
fn what_was_left_out_is_counted_and_named_when_asked() {
    let cli = CliFixture::new();
    let notes = cli.path("notes");
    std::fs::create_dir_all(notes.join(".trash")).expect("folders");
    std::fs::write(notes.join("note.md"), "text").expect("a file");
    std::fs::write(notes.join("image.png"), "no text").expect("a file");
    let said = cli.text(&["import", "notes", "--dry-run"]);
    assert_eq!(
        said,
        "would be: 1 created, 0 updated, 0 unchanged, 0 skipped, 0 failed\nleft out: 1 hidden, 1 not markdown (-v names them)\n  create note (note.md)\n"
    );
    let named = String::from_utf8(cli.run(&["import", "notes", "-v"]).stderr).expect("text");
    assert!(named.contains("left out: .trash/ (hidden)") && named.contains("image.png (not markdown)"), "{named}");
    std::fs::remove_file(notes.join("note.md")).expect("gone");
    let (code, message) = cli.failure(&["import", "notes"]);
    assert!(code == 1 && message.contains("no markdown files") && message.contains("1 hidden"), "{message}");
}

#[test]
fn a_deleted_article_is_listed_and_restored_beside_its_successor() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Tides", "--body", "first"]);
    cli.text(&["article", "delete", "tides"]);
    cli.text(&["article", "create", "Tides", "--body", "second"]);
    let deleted = cli.json(&["article", "list", "--deleted"]);
    assert_eq!((&deleted["articles"][0]["slug"], &deleted["total"]), (&Value::from("tides"), &Value::from(1)));
    let name = deleted["articles"][0]["name"].as_str().expect("a name").to_owned();
    assert!(cli.failure(&["article", "restore", "tides"]).1.contains(&name));
    let restored = cli.json(&["article", "restore", &name]);
    assert_eq!(restored["body"], "first");
    assert_eq!(cli.json(&["article", "show", "tides"])["body"], "second");
}

#[test]
fn titles_that_make_one_slug_make_two_articles() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "C", "--body", "c"]);
    let other = cli.json(&["article", "create", "C++", "--body", "c plus plus"]);
    assert!(other["slug"].as_str().is_some_and(|slug| slug.starts_with("c-")), "{other}");
    let (code, message) = cli.failure(&["article", "create", "C++"]);
    assert!(code == 1 && message.contains(other["slug"].as_str().expect("a slug")), "{message}");
    let (code, message) = cli.failure(&["article", "create", "Something else", "--slug", "c"]);
    assert!(code == 1 && message.contains("another title") && !message.contains("update it"), "{message}");
}

#[test]
fn processes_that_save_into_one_file_at_the_same_time_lose_nothing() {
    const PROCESSES: usize = 8;
    const EACH: usize = 5;
    let cli = CliFixture::new();
    cli.text(&["db", "migrate"]);
    std::thread::scope(|scope| {
        for process in 0..PROCESSES {
            let cli = &cli;
            scope.spawn(move || {
                for n in 0..EACH {
                    cli.text(&["article", "create", &format!("Article {process} {n}"), "--body", "text"]);
                }
            });
        }
    });
    assert_eq!(cli.json(&["article", "list"])["articles"].as_array().map(Vec::len), Some(PROCESSES * EACH));
    assert_eq!(cli.json(&["queue", "stats"])["queue"]["pending"], (PROCESSES * EACH) as i64);
}

/// It may be moved or copied then: nothing of it is in a file of another name.
#[test]
fn a_database_that_a_command_has_closed_is_whole_without_its_log() {
    let cli = CliFixture::new();
    let kinds: [&[&str]; 5] = [
        &["db", "migrate"],
        &["article", "create", "Note", "--body", "text"],
        &["article", "show", "note"],
        &["article", "show", "missing"],
        &["bulk", "start"],
    ];
    for arguments in kinds {
        cli.run(arguments);
        assert!(cli.path("desk.db").exists() && !cli.path("desk.db-wal").exists(), "{arguments:?}");
    }
}

#[test]
fn help_completions_and_manual_know_every_command() {
    let cli = CliFixture::new();
    let help = cli.text(&["--help"]);
    for command in
        ["demo", "import", "export", "article", "search", "bulk", "queue", "status", "db", "config", "doctor"]
    {
        assert!(help.contains(command), "{command}");
    }
    assert!(cli.text(&["completions", "bash"]).contains("afterword"));
    assert!(help.contains("Global options:") && help.contains("Examples:"), "{help}");
    for (command, values) in [
        (&["search"][..], "hybrid, semantic, keyword"),
        (&["token", "create"], "read, write, admin"),
        (&["queue", "list"], "pending, processing, completed, failed, cancelled"),
        (&["article", "create"], "high, normal, low"),
    ] {
        let help = cli.text(&[command, &["--help"]].concat());
        let in_a_line = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(in_a_line.contains(values) && help.contains("Examples:\n  afterword "), "{command:?}: {help}");
    }
    cli.text(&["man", "pages"]);
    let one = std::fs::read_to_string(cli.path("pages/afterword-article-edit.1")).expect("a page");
    for page in [cli.text(&["man"]), one] {
        for section in [".TH", ".SH EXAMPLES", ".SH FILES", ".SH ENVIRONMENT", ".SH EXIT STATUS"] {
            assert!(page.contains(section), "{section}: {page}");
        }
    }
}

#[test]
fn a_check_makes_nothing_and_names_what_is_missing() {
    let cli = CliFixture::new();
    let missing = cli.path("deep/typo.db");
    let url = format!("sqlite://{}", missing.display());
    let output = cli.run(&["--database", &url, "doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("typo.db"), "{said}");
    assert!(!cli.path("deep").exists(), "nothing is made");
    cli.text(&["db", "migrate"]);
    let output = cli.run(&["doctor", "--set", "embedding.provider=local", "--set", "embedding.model_dir=/nowhere"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("embedding.model_dir"), "{said}");
}

#[test]
fn the_demonstration_leaves_the_users_database_alone_and_counts_what_it_did() {
    let cli = CliFixture::new();
    let first = cli.json(&["demo"]);
    assert_eq!((first["saved"].as_i64(), first["embedded"].as_i64()), (Some(8), Some(8)));
    assert!(!cli.path("desk.db").exists(), "a database of its own");
    let url = format!("sqlite://{}", cli.path("named.db").display());
    cli.json(&["--database", &url, "demo"]);
    let again = cli.json(&["--database", &url, "demo"]);
    assert_eq!((again["saved"].as_i64(), again["unchanged"].as_i64()), (Some(0), Some(8)));
    assert_eq!(again["embedded"], 0);
    let shown = cli.text(&["demo"]);
    assert!(shown.contains("afterword import"), "it ends with what to do next: {shown}");
    assert!(!cli.path("desk.db").exists());
    let kept = cli.json(&["demo", "--keep"]);
    let url = kept["database"].as_str().expect("where it is kept");
    assert_eq!(cli.json(&["--database", url, "article", "list"])["total"], 8);
    let file = std::path::Path::new(url.strip_prefix("sqlite://").expect("a file"));
    std::fs::remove_dir_all(file.parent().expect("a folder")).expect("what was kept");
}

#[test]
fn without_the_queue_every_command_that_saves_embeds() {
    let cli = CliFixture::new();
    let without = ["--set", "queue.enabled=false"];
    let embedded = |arguments: &[&str]| {
        let saved = cli.json(&[&without[..], arguments].concat());
        assert_eq!(saved["embedding"]["status"], "completed", "{arguments:?}: {saved}");
    };
    embedded(&["article", "create", "One", "--body", "text"]);
    embedded(&["article", "update", "one", "--body", "another"]);
    embedded(&["article", "restore", "one", "--revision", "1"]);
    std::fs::create_dir(cli.path("notes")).expect("a folder");
    std::fs::write(cli.path("notes/two.md"), "text").expect("a file");
    cli.text(&[&without[..], &["import", "notes"]].concat());
    assert_eq!(cli.json(&["article", "show", "two"])["embedding"]["status"], "completed");
    std::fs::create_dir(cli.path("kept")).expect("a folder");
    std::fs::write(cli.path("kept/three.md"), "text").expect("a file");
    cli.text(&[&without[..], &["sync", "kept"]].concat());
    assert_eq!(cli.json(&["article", "show", "three"])["embedding"]["status"], "completed");
    let stats = cli.json(&["queue", "stats"]);
    assert_eq!((&stats["queue"]["pending"], &stats["queue"]["processing"]), (&Value::from(0), &Value::from(0)));
}

#[test]
fn a_search_uses_the_model_that_made_the_vectors_whatever_the_settings_name() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Tides", "--body", "The moon pulls the water."]);
    cli.text(&["bulk", "start"]);
    let found = cli.json(&["search", "moon", "--mode", "semantic", "--set", "embedding.model=another"]);
    assert_eq!((&found["mode"], &found["degraded"]), (&Value::from("semantic"), &Value::Null), "{found}");
    assert_eq!(found["hits"][0]["slug"], "tides");
}

#[test]
fn a_folder_in_step_is_told_and_can_be_forgotten() {
    let cli = CliFixture::new();
    for (file, text) in
        [("notes/a.md", "# A\n"), ("notes/in/b.md", "# B\n"), ("notes/a (conflict 1a2b3c4d).md", "# C\n")]
    {
        std::fs::create_dir_all(cli.path(file).parent().expect("a folder")).expect("folders");
        std::fs::write(cli.path(file), text).expect("a file");
    }
    cli.json(&["sync", "notes"]);
    let checks = cli.json(&["doctor"]);
    let told =
        checks["checks"].as_array().expect("checks").iter().find(|check| check["name"] == "folders").expect("one");
    assert!(told["message"].as_str().is_some_and(|message| message.contains("a (conflict 1a2b3c4d).md")), "{told}");
    let (code, message) = cli.failure(&["sync", "notes/in"]);
    let forget = format!("afterword sync {} --forget", cli.path("notes").canonicalize().expect("a path").display());
    assert!(code == 1 && message.contains("notes/in lies within") && message.contains(&forget), "{message}");
    std::fs::rename(cli.path("notes"), cli.path("aside")).expect("a rename");
    assert!(cli.text(&["sync", "notes", "--forget"]).contains("not kept in step any more"));
    assert_eq!(cli.failure(&["sync", "notes", "--forget"]).0, 1);
    cli.json(&["sync", "aside/in"]);
}
