//! Refusals as a newcomer reads them.

use afterword_actors::store::Connection;
use serde_json::Value;

use super::CliFixture;
use crate::support;

#[test]
fn a_setting_that_cannot_be_so_is_told_with_value_source_and_example() {
    let cli = CliFixture::new();
    for (flag, parts) in [
        ("queue.lease=30", &["queue.lease = \"30\"", "command line", "time with its unit", "\"30s\""][..]),
        ("queue.slots=four", &["queue.slots = \"four\"", "e.g. 1"]),
        ("queue.slots=0", &["queue.slots = \"0\"", "from 1 to 1024"]),
        ("queue.enabled=yes", &["queue.enabled = \"yes\"", "true or false"]),
        ("articles.max_size=big", &["articles.max_size = \"big\"", "\"64MiB\""]),
        ("search.rrf_k=high", &["search.rrf_k = \"high\"", "a number", "60"]),
        ("embedding.provider=cohere", &["embedding.provider = \"cohere\"", "local, openai, scripted"]),
        ("log.level=loud", &["log.level = \"loud\"", "warn,afterword=debug"]),
        ("log.level=warn,hyper", &["\"hyper\" is no level"]),
        ("log.format=xml", &["pretty, json"]),
        ("slots=4", &["did you mean queue.slots?"]),
        ("queue.worker_slots=4", &["unknown setting"]),
        ("database.url=notes.db", &["database.url = \"notes.db\"", "sqlite:///home/me/notes.db"]),
    ] {
        let (code, said) = cli.failure(&["article", "list", "--set", flag]);
        assert_eq!(code, 2, "{flag}: {said}");
        for part in parts {
            assert!(said.contains(part), "{flag}: {said:?} does not say {part:?}");
        }
        assert!(!said.contains('`') || said.contains("afterword config"), "{said}");
        says_no_name_twice(&said);
    }
    let mut command = cli.command(&["article", "list"]);
    let output = command.env("AFTERWORD_EMBEDDING_PROVIDER", "openai").output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("did you mean AFTERWORD_EMBEDDING__PROVIDER?"), "{said}");
    let mut command = cli.command(&["article", "list"]);
    let output = command.env("AFTERWORD_TOKEN", "aw_of_a_client").output().expect("an end");
    assert!(output.status.success(), "the token of a client is no setting");
}

#[test]
fn a_file_in_the_place_of_a_folder_is_told_with_the_command_for_it() {
    let cli = CliFixture::new();
    std::fs::write(cli.path("new.md"), "text").expect("a file");
    for (command, other) in [("import", "article create TITLE --file new.md"), ("export", "article show SLUG --body")] {
        let (code, said) = cli.failure(&[command, "new.md"]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("new.md is a file") && said.contains(other), "{said}");
    }
}

#[test]
fn what_waits_for_a_host_is_told_after_an_edit_too() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Tides", "--body", "text"]);
    let edited = cli.run(&["article", "edit", "tides", "--append", "more"]);
    let said = String::from_utf8_lossy(&edited.stderr);
    assert!(edited.status.success() && said.contains("no host is running"), "{said}");
    let linked = cli.text(&["links", "tides"]);
    assert!(linked.contains("tides has no links, and no article links to it"), "{linked}");
}

#[test]
fn a_settings_file_that_is_not_toml_is_told_by_its_line() {
    let cli = CliFixture::new();
    std::fs::write(cli.path("s.toml"), "[queue]\nslots = 2\nlease = soon\n").expect("a file");
    let (code, said) = cli.failure(&["article", "list", "--config", "s.toml"]);
    assert!(code == 2 && said.contains("s.toml") && said.contains("line 3"), "{said}");
}

#[test]
fn failures_have_a_name_for_programs_and_the_documented_exit_code() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "First", "--body", "text"]);
    for (arguments, exit, code) in [
        (&["article", "show", "nope"][..], 1, "not_found"),
        (&["article", "create", "First"], 1, "exists"),
        (&["article", "create", " "], 2, "invalid"),
        (&["article", "update", "first", "--body", "x", "--expected-revision", "9"], 1, "conflict"),
        (&["article", "update", "first", "--property", "title=x"], 2, "invalid"),
        (&["search", " "], 2, "invalid"),
        (&["search", "x", "--limit", "0"], 2, "invalid"),
        (&["search", "x", "--passages", "11"], 2, "invalid"),
        (&["search", "x", "--limit", "many"], 2, "usage"),
        (&["article", "lst"], 2, "usage"),
        (&["queue", "show", "99"], 1, "not_found"),
        (&["token", "revoke", "nope"], 1, "not_found"),
        (&["token", "create", "born-dead", "--expires-in", "0s"], 2, "invalid"),
        (&["token", "create", "born-dead", "--expires-in", "999ms"], 2, "invalid"),
        (&["article", "list", "--set", "queue.slots=0"], 2, "invalid_settings"),
    ] {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
        let (found, said) = cli.failure(&arguments);
        let told: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?} says {said}"));
        assert_eq!((found, told["code"].as_str()), (exit, Some(code)), "{arguments:?}: {said}");
        let error = told["error"].as_str().unwrap_or_default();
        assert!(!error.is_empty(), "{said}");
        says_no_name_twice(error);
    }
}

/// "limit: limit must be …"
#[track_caller]
fn says_no_name_twice(said: &str) {
    for (place, _) in said.match_indices(": ") {
        let name = said[..place].rsplit([' ', '\n', '"']).next().unwrap_or_default();
        let after = &said[place + 2..];
        let twice = !name.is_empty() && after.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', ':']));
        assert!(!twice, "it says {name:?} twice: {said}");
    }
}

#[test]
fn a_database_of_a_newer_program_has_a_name_for_programs_too() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "First", "--body", "text"]);
    let url = format!("sqlite://{}", cli.path("desk.db").display());
    support::TOKIO.block_on(async {
        let database = Connection::open(&url).await.expect("a database");
        database.script("INSERT INTO seaql_migrations VALUES ('m29990101_000001_later', 1)").await.expect("a step");
        database.close().await.expect("an end");
    });
    for arguments in [&["article", "list", "--json"][..], &["db", "migrate", "--json"]] {
        let (code, said) = cli.failure(arguments);
        let told: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!((code, &told["code"]), (1, &Value::from("schema_refused")), "{arguments:?}: {said}");
    }
}

#[test]
fn a_text_may_begin_with_a_hyphen() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Shopping", "--body", "- milk"]);
    assert_eq!(cli.json(&["article", "show", "shopping"])["body"], "- milk");
    cli.text(&["article", "update", "shopping", "--title", "-5 degrees", "--body", "--- a"]);
    assert_eq!(cli.json(&["article", "show", "shopping"])["title"], "-5 degrees");
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_a_failure_and_a_reader_that_left_is_none() {
    use std::process::Stdio;
    let cli = CliFixture::new();
    for arguments in [&["config", "show"][..], &["--help"], &["completions", "bash"], &["man"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
        let output = cli.command(arguments).stdout(full).stderr(Stdio::piped()).output().expect("an end");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"), "{arguments:?}");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = cli.command(arguments).stdout(writer).stderr(Stdio::piped()).output().expect("an end");
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{arguments:?}");
    }
}

/// An argument that is no text is refused as what it is, by every family of commands.
#[cfg(unix)]
#[test]
fn an_argument_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let cli = CliFixture::new();
    let broken = std::ffi::OsStr::from_bytes(b"caf\xe9");
    for before in [
        &[][..],
        &["--config"],
        &["--database"],
        &["--set"],
        &["--color"],
        &["article", "show"],
        &["article", "create"],
        &["search"],
        &["queue", "show"],
        &["bulk", "status"],
        &["token", "revoke"],
        &["model", "fetch"],
        &["links"],
        &["import"],
        &["sync"],
        &["eval"],
        &["completions"],
        &["db", "backup"],
        &["db", "restore"],
        &["db", "copy", "--from"],
    ] {
        for after in [&[][..], &["--json"]] {
            let output = cli.command(before).arg(broken).args(after).output().expect("an end");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(1 | 2)), "{before:?}: {:?} {said}", output.status);
            assert!(!said.contains("panicked") && !said.is_empty(), "{before:?}: {said}");
        }
    }
    assert!(!cli.path("desk.db").exists() || cli.json(&["token", "list"])["total"] == 0);
}

#[test]
fn a_token_that_is_born_expired_closes_no_door() {
    let cli = CliFixture::new();
    assert_eq!(cli.failure(&["token", "create", "born-dead", "--expires-in", "0s"]).0, 2);
    assert_eq!(cli.json(&["token", "list"])["total"], 0);
    cli.text(&["token", "create", "short", "--expires-in", "1s"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_left_hides_no_failure() {
    let cli = CliFixture::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let missing = format!("sqlite://{}", cli.path("missing.db").display());
    let output = cli.command(&["--database", &missing, "doctor"]).stdout(writer).output().expect("an end");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    std::fs::create_dir(cli.path("notes")).expect("a folder");
    std::fs::write(cli.path("notes/a.md"), "# A\n").expect("a file");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = cli.command(&["sync", "notes", "--watch"]).stdout(writer).output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("not kept in step any longer"), "{said}");
}

/// A database that is looked at must be there: a mistyped name makes no new one, which would be called sound.
#[test]
fn a_mistyped_database_is_told_and_not_made() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "One", "--body", "text"]);
    let missing = format!("sqlite://{}", cli.path("deep/typo.db").display());
    for arguments in [
        &["db", "verify"][..],
        &["db", "status"],
        &["db", "backup", "copy.db"],
        &["db", "rollback"],
        &["article", "list"],
        &["article", "show", "one"],
        &["search", "text"],
        &["queue", "stats"],
        &["bulk", "start"],
        &["status"],
        &["token", "list"],
        &["tags"],
        &["links", "--broken"],
        &["model", "status"],
        &["export", "out"],
    ] {
        let (code, said) = cli.failure(&[&["--database", missing.as_str()][..], arguments].concat());
        assert!(code == 1 && said.contains("typo.db") && said.contains("db migrate"), "{arguments:?}: {said}");
        assert!(!cli.path("deep").exists(), "{arguments:?} made something");
    }
    // Named by the settings, too, where only a look was asked for.
    for arguments in [&["db", "verify"][..], &["db", "status"], &["db", "backup", "copy.db"], &["db", "rollback"]] {
        let output = cli.command(arguments).env("AFTERWORD_DATABASE__URL", &missing).output().expect("an end");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(!cli.path("deep").exists(), "{arguments:?} made something");
    }
    cli.text(&["--database", &missing, "article", "create", "First", "--body", "what saves makes it"]);
}

#[test]
fn what_would_be_deleted_is_named_before_it_is() {
    let cli = CliFixture::new();
    let path = |number: usize| cli.path(&format!("notes/n{number:02}.md"));
    std::fs::create_dir(cli.path("notes")).expect("a folder");
    (0..30).for_each(|number| std::fs::write(path(number), format!("text {number}\n")).expect("a file"));
    let planned = cli.text(&["import", "notes", "--dry-run"]);
    assert!(planned.contains("\n  create n09 (n09.md)\n  create 20 more (-v names them all)"), "{planned}");
    assert!(cli.text(&["import", "notes", "--dry-run", "-v"]).contains("\n  create n29 (n29.md)"));
    cli.text(&["sync", "notes"]);
    let planned = cli.text(&["export", "out", "--dry-run"]);
    assert!(planned.contains("\n  create n00.md\n") && !planned.contains("n29.md"), "{planned}");
    (0..2).for_each(|number| std::fs::remove_file(path(number)).expect("a removal"));
    let planned = cli.text(&["sync", "notes", "--dry-run"]);
    assert!(planned.contains("\n  delete the article n00\n  delete the article n01"), "{planned}");
    (2..12).for_each(|number| std::fs::remove_file(path(number)).expect("a removal"));
    let (code, said) = cli.failure(&["sync", "notes"]);
    assert!(code == 1 && said.contains("n09.md and 2 more (-v names them all)"), "{said}");
    assert!(cli.failure(&["sync", "notes", "-v"]).1.contains("n11.md\n"));
    let said: Value = serde_json::from_str(&cli.failure(&["sync", "notes", "--json"]).1).expect("JSON");
    assert_eq!((&said["code"], said["files"]["gone"].as_array().map(Vec::len)), (&"many_deletions".into(), Some(12)));
    // A server would wait for the same answer; looking does nothing.
    let settings = cli.path("config.toml");
    std::fs::write(&settings, "[[sync]]\npath = \"notes\"\n").expect("settings");
    let settings = settings.display().to_string();
    let doctor = ["doctor", "--config", settings.as_str()];
    let told = cli.text(&doctor);
    assert!(told.contains("warning  folder") && told.contains("12 are gone"), "{told}");
    assert_eq!(cli.failure(&["sync", "notes"]).0, 1, "it is still asked");
    cli.text(&["sync", "notes", "--yes"]);
    assert!(!cli.text(&doctor).contains("warning  folder"));
}

#[test]
fn keys_of_a_text_that_are_not_used_are_told() {
    let cli = CliFixture::new();
    std::fs::write(cli.path("a.md"), "---\nslug: other\nskip_embedding: true\ntags: [a]\n---\ntext\n").expect("a file");
    let output = cli.run(&["article", "create", "Note", "--file", "a.md"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("slug, skip_embedding in the front matter"), "{said}");
}
