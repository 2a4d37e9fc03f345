//! Reading and changing texts: `article show --body`, `article edit`, `article diff`, `--file`, `--since`.

use std::{fs, process::Output};

use super::CliFixture;

/// An editor that is a shell command; the file is its `$1`.
#[cfg(unix)]
fn edited(cli: &CliFixture, script: &str) -> Output {
    let editor = cli.path("editor.sh");
    fs::write(&editor, script).expect("a file");
    let mut command = cli.command(&["article", "edit", "tides", "--json"]);
    command.env_remove("VISUAL").env("EDITOR", format!("sh '{}'", editor.display())).output().expect("an end")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Texts that are kept because they could not be saved.
fn kept(cli: &CliFixture) -> Vec<std::path::PathBuf> {
    let found = fs::read_dir(cli.path("data/afterword/edits")).into_iter().flatten();
    found.filter_map(Result::ok).map(|entry| entry.path()).collect()
}

#[test]
fn a_text_comes_out_byte_for_byte() {
    let cli = CliFixture::new();
    let text = "  spaces, \u{1b}[31mcolour\u{1b}[0m\r\n\ttab, no newline at the end";
    fs::write(cli.path("text"), text).expect("a file");
    cli.text(&["article", "create", "Tides", "--file", "text"]);
    assert_eq!(cli.text(&["article", "show", "tides", "--body"]), text);
    assert_eq!(cli.json(&["article", "show", "tides", "--body"]), text);
    cli.text(&["article", "update", "tides", "--body", "new"]);
    assert_eq!(cli.text(&["article", "show", "tides", "--body", "--revision", "1"]), text);
}

#[cfg(unix)]
#[test]
fn an_article_is_edited_in_the_users_own_editor() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Tides", "--body", "The moon pulls.\n"]);
    let output = edited(&cli, "case $1 in *.md) echo more >> \"$1\" ;; esac");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(cli.json(&["article", "show", "tides"])["body"], "The moon pulls.\nmore\n");
    let output = edited(&cli, "true");
    assert!(output.status.success() && cli.json(&["article", "show", "tides"])["revision"] == 2, "nothing changed");
    assert_eq!(kept(&cli), Vec::<std::path::PathBuf>::new(), "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn what_was_written_in_an_editor_is_never_lost() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Tides", "--body", "first"]);
    let program = env!("CARGO_BIN_EXE_afterword");
    for (script, code, reason) in [
        (format!("echo mine > \"$1\"; '{program}' article update tides --body theirs$$ >&2"), 1, "revision"),
        ("echo mine > \"$1\"; exit 3".to_owned(), 1, "ended with exit status: 3"),
        ("echo mine > \"$1\"; printf '\\377' >> \"$1\"".to_owned(), 1, "not UTF-8"),
    ] {
        let output = edited(&cli, &script);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(reason), "{said:?} does not say {reason:?}");
        let files = kept(&cli);
        assert!(files.len() == 1 && said.contains(&files[0].display().to_string()), "{said} {files:?}");
        assert!(fs::read(&files[0]).expect("the text").starts_with(b"mine\n"));
        fs::remove_file(&files[0]).expect("gone");
    }
    assert!(cli.json(&["article", "show", "tides"])["body"].as_str().is_some_and(|body| body.starts_with("theirs")));
    let mut command = cli.command(&["article", "edit", "tides"]);
    let none = command.env_remove("VISUAL").env_remove("EDITOR").output().expect("an end");
    assert!(none.status.code() == Some(2) && said(&none).contains("export EDITOR="), "{}", said(&none));
    assert!(kept(&cli).is_empty());
}

#[test]
fn what_changed_is_shown() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Tides", "--body", "one\ntwo\nthree\n"]);
    cli.text(&["article", "update", "tides", "--body", "one\n2\nthree\n", "--title", "The tides"]);
    let shown = cli.text(&["article", "diff", "tides"]);
    for line in ["-title: Tides", "+title: The tides", "-two", "+2", " one"] {
        assert!(shown.lines().any(|shown| shown == line), "{line:?}: {shown}");
    }
    cli.text(&["article", "update", "tides", "--body", "one\n2\nthree\nfour\n"]);
    let all = cli.json(&["article", "diff", "tides", "--from", "1", "--to", "3"]);
    assert_eq!((all["lines_added"].as_i64(), all["lines_removed"].as_i64()), (Some(2), Some(1)));
    assert_eq!(cli.json(&["article", "diff", "tides"])["lines_removed"], 0, "the last change alone");
    fs::write(cli.path("mine"), "one\n2\nthree\n").expect("a file");
    assert_eq!(cli.json(&["article", "diff", "tides", "--file", "mine"])["lines_removed"], 1);
    assert!(cli.text(&["article", "diff", "tides", "--from", "3", "--to", "3"]).contains("are the same"));
    cli.text(&["article", "delete", "tides"]);
    assert_eq!(cli.json(&["article", "diff", "tides"])["lines_added"], 1, "of a deleted one too");
    cli.text(&["article", "create", "Once", "--body", "x"]);
    let (code, said) = cli.failure(&["article", "diff", "once"]);
    assert!(code == 2 && said.contains("one revision only"), "{said}");
    assert_eq!(cli.failure(&["article", "diff", "once", "--from", "9"]).0, 1);
}

#[test]
fn a_file_is_looked_at_before_it_is_read() {
    let cli = CliFixture::new();
    let huge = fs::File::create(cli.path("huge.md")).expect("a file");
    huge.set_len(1 << 40).expect("a sparse file");
    fs::create_dir(cli.path("folder")).expect("a folder");
    for (file, code, reason) in [("huge.md", 1, "articles.max_size"), ("folder", 2, "afterword import folder")] {
        let (found, said) = cli.failure(&["article", "create", "X", "--file", file]);
        assert!(found == code && said.contains(reason), "{said}");
    }
    #[cfg(unix)]
    {
        let made = std::process::Command::new("mkfifo").arg(cli.path("pipe")).status().expect("mkfifo");
        assert!(made.success());
        let (code, said) = cli.failure(&["article", "create", "X", "--file", "pipe"]);
        assert!(code == 2 && said.contains("--file -"), "{said}");
    }
}

#[test]
fn lists_can_begin_at_a_time() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Old", "--body", "x"]);
    cli.text(&["article", "create", "Gone", "--body", "x"]);
    cli.text(&["article", "delete", "gone"]);
    let total = |arguments: &[&str]| cli.json(arguments)["total"].as_i64();
    for (since, found) in [("7d", 1), ("2020-01-01", 1), ("2999-01-01", 0), ("2999-01-01T00:00:00Z", 0)] {
        assert_eq!(total(&["article", "list", "--since", since]), Some(found), "{since}");
        assert_eq!(total(&["article", "list", "--deleted", "--since", since]), Some(found), "{since}");
    }
    let (code, said) = cli.failure(&["article", "list", "--since", "yesterday"]);
    assert!(code == 2 && said.contains("--since") && said.contains("7d"), "{said}");
}

#[test]
fn front_matter_in_a_file_counts_and_changes_of_properties_are_shown() {
    let cli = CliFixture::new();
    let put = |tags: &str| fs::write(cli.path("fm.md"), format!("---\ntags: [{tags}]\n---\nText\n")).expect("a file");
    put("a, b");
    cli.text(&["article", "create", "Hi", "--file", "fm.md"]);
    cli.text(&["article", "update", "hi", "--property", "status=done"]);
    let shown = cli.text(&["article", "diff", "hi"]);
    assert!(shown.lines().any(|line| line == "+status: done"), "{shown}");
    put("q");
    cli.text(&["article", "update", "hi", "--file", "fm.md"]);
    let read = cli.json(&["article", "show", "hi"]);
    assert_eq!((&read["tags"], &read["properties"]["status"]), (&serde_json::json!(["q"]), &"done".into()));
    assert_eq!(read["body"], "---\ntags: [q]\n---\nText\n");
    assert_eq!(cli.json(&["article", "list", "--tag", "q"])["total"], 1);
    cli.text(&["article", "update", "hi", "--property", "status=open"]);
    let all = cli.json(&["article", "diff", "hi"]);
    assert!(all["front_matter"].as_str().is_some_and(|head| head.contains("-status: done\n+status: open\n")), "{all}");
    cli.text(&["article", "update", "hi", "--folder", "sea"]);
    assert!(cli.text(&["article", "diff", "hi"]).contains("+folder: sea"));
}
