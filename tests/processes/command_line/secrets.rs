//! No secret in any output, wherever it was written and whatever goes wrong.

use std::fs;

use super::CliFixture;

/// A part of every secret of these tests, and of nothing else.
const MARK: &str = "S3CR3TMARK";
/// A key of digits alone.
const DIGITS: &str = "90071992547409931";

/// Commands whose answer, error or log might contain one.
const COMMANDS: &[&[&str]] = &[
    &["config", "show"],
    &["config", "show", "--json"],
    &["config", "check"],
    &["config", "check", "--json"],
    &["config", "path"],
    &["-vv", "doctor"],
    &["doctor", "--json"],
    &["article", "list"],
    &["article", "list", "--json"],
    &["status"],
];

/// A few of them, for settings with which each waits for a server that does not answer.
const TWO: &[&[&str]] = &[&["config", "show"], &["-vv", "doctor"]];

/// Runs every command with these settings and searches its whole output.
fn tell_nothing(cli: &CliFixture, variables: &[(&str, &str)], flags: &[&str]) {
    none_tells(COMMANDS, cli, variables, flags);
}

fn none_tells(commands: &[&[&str]], cli: &CliFixture, variables: &[(&str, &str)], flags: &[&str]) {
    for arguments in commands {
        let mut command = cli.command(arguments);
        command.args(flags).envs(variables.iter().copied()).env("AFTERWORD_LOG__LEVEL", "trace");
        let output = command.output().expect("an end");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        for secret in [MARK, DIGITS] {
            assert!(!said.contains(secret), "{arguments:?} {variables:?} {flags:?} says\n{said}");
        }
    }
}

#[test]
fn of_variables() {
    let cli = CliFixture::new();
    let key = format!("sk-{MARK}");
    for (name, value) in [
        ("OPENAI_API_KEY", key.clone()),
        ("OPENAI_API_KEY", DIGITS.to_owned()),
        ("AFTERWORD_EMBEDDING__OPENAI__API_KEY", key),
        ("AFTERWORD_EMBEDDING__OPENAI__API_KEY", DIGITS.to_owned()),
        ("AFTERWORD_EMBEDDING__OPENAI__FORMER_API_KEY", format!("sk-{MARK}")),
        ("AFTERWORD_EMBEDDING__OPENAI__FORMER_API_KEY", DIGITS.to_owned()),
        ("AFTERWORD_EMBEDDING__OPENAI__BASE_URL", format!("http://me:{MARK}@127.0.0.1:9/v1")),
        ("AFTERWORD_EMBEDDING__OPENAI__BASE_URL", format!("ftp://me:{MARK}@127.0.0.1:9/v1?key={MARK}")),
        ("AFTERWORD_SEARCH__RERANK__API_KEY", format!("rk-{MARK}\nx")),
        ("AFTERWORD_SEARCH__RERANK__BASE_URL", format!("http://me:{MARK}@127.0.0.1:9/v1")),
        ("AFTERWORD_DATABASE__URL", format!("mysql://me:{MARK}@127.0.0.1/x")),
        ("AFTERWORD_DATABASE__URL", format!("host=x password={MARK}")),
        ("AFTERWORD_TELEMETRY__OTLP_ENDPOINT", format!("http://{MARK}@127.0.0.1:9")),
        ("AFTERWORD_SERVER__PUBLIC_URL", format!("gopher://me:{MARK}@127.0.0.1:9")),
        ("AFTERWORD_TOKEN", format!("aw_{MARK}")),
    ] {
        tell_nothing(&cli, &[("AFTERWORD_EMBEDDING__PROVIDER", "openai"), (name, &value)], &[]);
    }
}

#[test]
fn of_addresses_in_any_form() {
    let cli = CliFixture::new();
    for url in [
        format!("postgres://user:{MARK}@127.0.0.1:1/db"),
        format!("postgres://user:a@{MARK}@127.0.0.1:1/db"),
        format!("postgres://user:{MARK}/x?y#z@127.0.0.1:1/db"),
        format!("postgres://127.0.0.1:1/db?user=me&password={MARK}"),
        format!("postgres://127.0.0.1:1/db?sslpassword={MARK}"),
        format!("postgres://user:{MARK}@127.0.0.1:none/db"),
    ] {
        none_tells(TWO, &cli, &[], &["--database", &url]);
        let copied = cli.failure(&["db", "copy", "--from", &format!("mysql://me:{MARK}@host"), "--to", &url]);
        assert!(!copied.1.contains(MARK), "{}", copied.1);
    }
}

#[test]
fn of_files_and_flags_also_when_they_are_not_valid() {
    let cli = CliFixture::new();
    for text in [
        format!("[embedding.openai]\napi_key = \"{MARK}\"\n"),
        format!("[embedding.openai]\napi_key = \"{MARK}\n"),
        format!("[embedding.openai]\napi_key = {MARK}\n"),
        format!("[embedding.openai]\napi_key = {DIGITS}\n"),
        format!("[embedding.openai]\napi_key = {DIGITS}{DIGITS}\n"),
        format!("[embedding.openai]\napi_key = {DIGITS}.5\n"),
        format!("[embedding.openai]\napi_key = [\"{MARK}\"]\n"),
        format!("[embedding.openai]\nformer_api_key = [\"{MARK}\"]\n"),
        format!("[database]\nurl = [\"postgres://me:{MARK}@host/db\"]\n"),
        format!("[embedding.openai]\napi_key = \"{MARK}\"\napi_key = \"{MARK}\"\n"),
    ] {
        let file = cli.path("settings.toml");
        fs::write(&file, text).expect("a file");
        tell_nothing(&cli, &[], &["--config", file.to_str().expect("a path")]);
    }
    for flag in [
        format!("embedding.openai.api_key={MARK}"),
        format!("embedding.openai.api_key={DIGITS}"),
        format!("embedding.openai.api_key:{MARK}"),
        format!("embedding.openai.base_url=//me:{MARK}@host"),
    ] {
        tell_nothing(&cli, &[("AFTERWORD_EMBEDDING__PROVIDER", "openai")], &["--set", &flag]);
    }
}

#[test]
fn a_key_of_digits_alone_is_a_key() {
    let cli = CliFixture::new();
    let file = cli.path("settings.toml");
    fs::write(&file, format!("[embedding.openai]\napi_key = {DIGITS}\n")).expect("a file");
    let file = file.display().to_string();
    for arguments in [
        &["config", "show", "--set", &format!("embedding.openai.api_key={DIGITS}")][..],
        &["config", "show", "--config", &file],
    ] {
        let rows = cli.json(arguments);
        let row =
            rows["settings"].as_array().expect("rows").iter().find(|row| row["key"] == "embedding.openai.api_key");
        assert_eq!(row.expect("a row")["value"], "(hidden)");
    }
}
