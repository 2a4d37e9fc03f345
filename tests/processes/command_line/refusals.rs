//! Refusals as a newcomer reads them.

use serde_json::Value;

use super::Desk;

#[test]
fn a_setting_that_cannot_be_so_is_told_with_value_source_and_example() {
    let desk = Desk::new();
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
        let (code, said) = desk.failure(&["article", "list", "--set", flag]);
        assert_eq!(code, 2, "{flag}: {said}");
        for part in parts {
            assert!(said.contains(part), "{flag}: {said:?} does not say {part:?}");
        }
        assert!(!said.contains('`') || said.contains("afterword config"), "{said}");
    }
    let mut command = desk.command(&["article", "list"]);
    let output = command.env("AFTERWORD_EMBEDDING_PROVIDER", "openai").output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("did you mean AFTERWORD_EMBEDDING__PROVIDER?"), "{said}");
    let mut command = desk.command(&["article", "list"]);
    let output = command.env("AFTERWORD_TOKEN", "aw_of_a_client").output().expect("an end");
    assert!(output.status.success(), "the token of a client is no setting");
}

#[test]
fn a_settings_file_that_is_not_toml_is_told_by_its_line() {
    let desk = Desk::new();
    std::fs::write(desk.path("s.toml"), "[queue]\nslots = 2\nlease = soon\n").expect("a file");
    let (code, said) = desk.failure(&["article", "list", "--config", "s.toml"]);
    assert!(code == 2 && said.contains("s.toml") && said.contains("line 3"), "{said}");
}

#[test]
fn failures_have_a_name_for_programs_and_the_documented_exit_code() {
    let desk = Desk::new();
    desk.text(&["article", "create", "First", "--body", "text"]);
    for (arguments, exit, code) in [
        (&["article", "show", "nope"][..], 1, "not_found"),
        (&["article", "create", "First"], 1, "exists"),
        (&["article", "create", " "], 2, "invalid"),
        (&["article", "update", "first", "--body", "x", "--expected-revision", "9"], 1, "conflict"),
        (&["search", " "], 2, "invalid"),
        (&["search", "x", "--limit", "0"], 2, "invalid"),
        (&["search", "x", "--passages", "11"], 2, "invalid"),
        (&["search", "x", "--limit", "many"], 2, "usage"),
        (&["article", "lst"], 2, "usage"),
        (&["queue", "show", "99"], 1, "not_found"),
        (&["article", "list", "--set", "queue.slots=0"], 2, "invalid_settings"),
    ] {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
        let (found, said) = desk.failure(&arguments);
        let told: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?} says {said}"));
        assert_eq!((found, told["code"].as_str()), (exit, Some(code)), "{arguments:?}: {said}");
        assert!(told["error"].as_str().is_some_and(|error| !error.is_empty()), "{said}");
    }
}

#[test]
fn a_text_may_begin_with_a_hyphen() {
    let desk = Desk::new();
    desk.text(&["article", "create", "Shopping", "--body", "- milk"]);
    assert_eq!(desk.json(&["article", "show", "shopping"])["body"], "- milk");
    desk.text(&["article", "update", "shopping", "--title", "-5 degrees", "--body", "--- a"]);
    assert_eq!(desk.json(&["article", "show", "shopping"])["title"], "-5 degrees");
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_a_failure_and_a_reader_that_left_is_none() {
    use std::process::Stdio;
    let desk = Desk::new();
    for arguments in [&["config", "show"][..], &["--help"], &["completions", "bash"], &["man"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
        let output = desk.command(arguments).stdout(full).stderr(Stdio::piped()).output().expect("an end");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"), "{arguments:?}");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = desk.command(arguments).stdout(writer).stderr(Stdio::piped()).output().expect("an end");
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{arguments:?}");
    }
}
