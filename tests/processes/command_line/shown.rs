//! What people see: colours, widths, completions.

use super::CliFixture;

const ESCAPE: char = '\u{1b}';

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Tides", "--body", "The moon pulls the water."]);
    let search = ["search", "water", "--mode", "keyword"];
    for arguments in [&["article", "list"][..], &search, &["--help"], &["search", "--help"]] {
        assert!(!cli.text(arguments).contains(ESCAPE), "{arguments:?} is piped");
        let coloured = cli.text(&[arguments, &["--color", "always"]].concat());
        assert!(coloured.contains(ESCAPE), "{arguments:?} has no colours: {coloured:?}");
    }
    let marked = cli.text(&[&search[..], &["--color=always"]].concat());
    assert!(marked.contains(&format!("{ESCAPE}[1m{ESCAPE}[33mwater{ESCAPE}[0m")), "{marked:?}");
    let json = cli.text(&[&search[..], &["--json", "--color=always"]].concat());
    assert!(!json.contains(ESCAPE), "programs read it");
    let failed = cli.run(&["article", "show", "none", "--color=always"]);
    assert!(String::from_utf8_lossy(&failed.stderr).contains(ESCAPE));
    let failed = cli.run(&["article", "show", "none"]);
    assert!(!String::from_utf8_lossy(&failed.stderr).contains(ESCAPE));
}

#[test]
fn a_question_may_begin_with_a_hyphen_and_what_it_leaves_out_is_told() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Freezer", "--body", "It is kept at -18 degrees."]);
    cli.text(&["article", "create", "Locks", "--body", "Rust has a mutex; --force-with-lease is an option of git."]);
    let asked = |arguments: &[&str]| cli.text(&[&["search", "--mode", "keyword"], arguments].concat());
    assert!(asked(&["-18 degrees"]).contains("Freezer"));
    assert!(asked(&["--", "--force-with-lease"]).contains("Locks"));
    let (code, message) = cli.failure(&["search", "--limt=3"]);
    assert!(code == 2 && message.contains("--limt") && message.contains("write it behind"), "{message}");
    assert!(asked(&["degrees", "--query", "--force-with-lease"]).contains("Locks"));
    let told = asked(&["-mutex rust", "--limit", "3"]);
    assert!(!told.contains("Locks") && told.contains("mutex") && told.contains("quotation marks"), "{told}");
    assert!(asked(&["--json", "-mutex rust"]).contains("\"without\""));
}

/// On a terminal of 60 columns, as `script` makes one.
#[cfg(target_os = "linux")]
fn on_a_terminal(cli: &CliFixture, command: &str, no_color: bool) -> String {
    let program = env!("CARGO_BIN_EXE_afterword");
    let mut shell = cli.command(&[]);
    let line = format!("stty rows 24 cols 60; {program} {command}");
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).current_dir(cli.path("")).env_remove("COLUMNS").env("TERM", "xterm");
    for (name, value) in shell.env("COLUMNS", "").get_envs() {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            script.env(name, value);
        }
    }
    if no_color {
        script.env("NO_COLOR", "1");
    } else {
        script.env_remove("NO_COLOR");
    }
    String::from_utf8(script.output().expect("a terminal").stdout).expect("text")
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_has_colours_its_width_and_times_ago() {
    let cli = CliFixture::new();
    let slug = "a-slug-of-some-length-that-is-not-broken";
    cli.text(&["article", "create", "A title of many words that cannot stand in one line", "--slug", slug]);
    let shown = on_a_terminal(&cli, "article list", false);
    assert!(shown.contains(ESCAPE) && shown.contains(slug), "{shown}");
    assert!(shown.contains(" ago") || shown.contains("now"), "{shown}");
    let shown = on_a_terminal(&cli, "article list", true);
    assert!(!shown.contains(ESCAPE) && shown.contains(slug), "{shown}");
    let body = "word ".repeat(60);
    cli.text(&["article", "create", "Long", "--body", &body]);
    let shown = on_a_terminal(&cli, "search word --mode keyword", true);
    assert!(shown.lines().all(|line| line.trim_end().chars().count() <= 60), "{shown}");
    assert!(!shown.split_whitespace().any(|part| part == "wor" || part == "ord"), "no word is broken: {shown}");
}

#[test]
fn a_shell_is_offered_values_and_slugs() {
    let cli = CliFixture::new();
    let offered = |words: &[&str]| {
        let mut command = cli.command(&["--", "afterword"]);
        let output = command.args(words).env("COMPLETE", "fish").output().expect("an end");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let words = text.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned());
        words.filter(|word| !word.starts_with('-')).collect::<Vec<_>>()
    };
    assert_eq!(offered(&["article", "show", ""]), Vec::<String>::new(), "no database");
    assert!(!cli.path("desk.db").exists(), "and none is made");
    for title in ["Tides", "Tidy", "Bees"] {
        cli.text(&["article", "create", title, "--body", "x"]);
    }
    assert_eq!(offered(&["article", "show", "tid"]), ["tides", "tidy"]);
    assert_eq!(offered(&["article", "edit", "b"]), ["bees"]);
    assert_eq!(offered(&["search", "x", "--mode", ""]), ["hybrid", "semantic", "keyword"]);
    assert_eq!(offered(&["queue", "list", "--status", "p"]), ["pending", "processing"]);
    assert_eq!(offered(&["artic"]), ["article"]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(cli.text(&["completions", shell]).contains("COMPLETE"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_followed_ends_well_with_ctrl_c() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
        sync::mpsc,
    };
    let cli = CliFixture::new();
    cli.text(&["db", "migrate"]);
    let mut watching = cli.command(&["queue", "watch", "--json"]).stdout(Stdio::piped()).spawn().expect("a process");
    let (tell, told) = mpsc::channel();
    let lines = BufReader::new(watching.stdout.take().expect("its answer")).lines();
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(tell.send(line))));
    let mut number = 0;
    // It has begun once it prints an entry; earlier entries are not printed.
    let line = loop {
        number += 1;
        cli.text(&["article", "create", &format!("Number {number}"), "--body", "x"]);
        if let Ok(line) = told.try_recv() {
            break line;
        }
    };
    let event: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert!(event["slug"].as_str().is_some_and(|slug| slug.starts_with("number-")), "{event}");
    assert!(Command::new("kill").args(["-INT", &watching.id().to_string()]).status().expect("kill").success());
    assert_eq!(watching.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_folder_that_holds_nothing_is_told() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Tides", "--folder", "sea", "--body", "The moon."]);
    for command in [
        &["article", "list", "--folder"][..],
        &["export", "out", "--folder"],
        &["search", "moon", "--mode", "keyword", "--folder"],
    ] {
        let run = |folder| cli.run(&[command, &[folder]].concat());
        let notes = |folder| String::from_utf8(run(folder).stderr).expect("text");
        assert!(notes("see").contains("no article is in \"see\"; there are \"sea\""), "{command:?}: {}", notes("see"));
        assert_eq!(run("see").status.code(), Some(2), "{command:?}");
        assert!(!notes("sea").contains("no article is in"), "{command:?}");
    }
}

/// A title that would rename a terminal's window and clear it.
#[cfg(target_os = "linux")]
#[test]
fn what_a_text_says_to_a_terminal_is_shown_and_not_done() {
    let cli = CliFixture::new();
    let title = "A\u{1b}]0;taken\u{7}\u{1b}[2Jtitle";
    cli.text(&["article", "create", title, "--slug", "taken", "--body", "text \u{1b}[2J\u{9b}31m of it"]);
    cli.text(&["bulk", "start"]);
    for command in
        ["article list", "article show taken", "search text", "queue events", "status", "tags", "links --broken"]
    {
        let shown = on_a_terminal(&cli, command, true);
        for forbidden in ["\u{1b}]", "\u{1b}[2J", "\u{9b}", "\u{7}"] {
            assert!(!shown.contains(forbidden), "{command} passes {forbidden:?} on: {shown:?}");
        }
    }
}

/// Tables that `src/cli/snapshots.rs` does not have: those of commands that make them where they ask.
#[test]
fn lists_of_what_is_in_articles_are_shown_as_before() {
    let cli = CliFixture::new();
    std::fs::create_dir(cli.path("notes")).expect("a folder");
    let long = "a-key-of-so-many-letters-that-it-is-cut-off-somewhere: and its value, which is as long as that";
    for (file, text) in [
        (
            "tides.md",
            format!("---\ntags: [sea, moon/full]\nstatus: draft\n{long}\n---\nSee [[Waves]] and [[Nowhere at all]]."),
        ),
        ("waves.md", "---\ntags: [sea]\nstatus: done\ncount: 3\n---\nBack to [the tides](tides.md).".to_owned()),
    ] {
        std::fs::write(cli.path("notes").join(file), text).expect("a file");
    }
    cli.text(&["import", "notes"]);
    let mut shown = String::new();
    for width in ["80", "120"] {
        let commands = [
            &["tags"][..],
            &["properties"],
            &["properties", "status"],
            &["links", "waves"],
            &["links", "tides"],
            &["links", "--broken"],
            &["related", "tides"],
        ];
        for command in commands {
            let output = cli.command(command).env("COLUMNS", width).output().expect("a program that runs");
            assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
            let text = String::from_utf8(output.stdout).expect("text");
            shown.push_str(&format!("{width} columns: {}\n{text}\n", command.join(" ")));
        }
    }
    insta::assert_snapshot!(shown);
}
