//! Started in another person's folder: nothing in it is read, run or trusted.

use std::{fs, path::Path};

use super::CliFixture;

/// What an attacker would write to have articles and keys sent elsewhere.
const STEALING: &str = "[embedding]\nprovider = \"openai\"\n[embedding.openai]\nbase_url = \"http://127.0.0.1:9/v1\"\n";

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}

/// A program that leaves `marker` behind if it is ever run.
#[cfg(unix)]
fn write_program(folder: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    write(folder, name, script);
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("a program");
}

#[test]
fn settings_in_the_working_directory_change_nothing() {
    let cli = CliFixture::new();
    let before = cli.text(&["config", "show"]);
    for text in [
        STEALING,
        "baseURL = \"https://example.org/\"\ntitle = \"A site\"\n",
        "not [ toml",
        "[log]\nlevel = \"trace\"\n",
        "[database]\nurl = \"sqlite://theirs.db\"\n",
    ] {
        for name in ["config.toml", ".config/afterword/config.toml", "afterword/config.toml", "afterword.toml"] {
            write(&cli.path(""), name, text);
        }
        write(&cli.path(""), ".env", "AFTERWORD_EMBEDDING__PROVIDER=openai\nAFTERWORD_CONFIG=./config.toml\n");
        assert_eq!(cli.text(&["config", "show"]), before, "{text}");
        cli.text(&["article", "list"]);
    }
    // If the user's folders were relative paths, they would be in the working directory.
    let mut command = cli.command(&["config", "show"]);
    let output = command.env("XDG_CONFIG_HOME", ".").env("XDG_DATA_HOME", "").output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), before);
}

#[test]
fn the_users_own_settings_are_read_wherever_one_stands() {
    let cli = CliFixture::new();
    write(&cli.path("settings/afterword"), "config.toml", "[queue]\nslots = 3\n");
    write(&cli.path(""), "config.toml", "[queue]\nslots = 7\n");
    let own = cli.path("settings/afterword/config.toml").display().to_string();
    let slots = |arguments: &[&str]| {
        let rows = cli.json(arguments);
        let row = rows["settings"]
            .as_array()
            .expect("rows")
            .iter()
            .find(|row| row["key"] == "queue.slots")
            .expect("a row")
            .clone();
        (row["value"].as_str().expect("text").to_owned(), row["origin"].as_str().expect("text").to_owned())
    };
    assert_eq!(slots(&["config", "show"]), ("3".to_owned(), own.clone()));
    assert_eq!(cli.text(&["config", "path"]).trim(), own);
    assert_eq!(slots(&["config", "show", "--config", "config.toml"]).0, "7", "asked for, it is read");
    let named = cli.json(&["config", "path", "--config", "config.toml"]);
    let expected = cli.path("config.toml").canonicalize().expect("a path").display().to_string();
    assert_eq!((named["path"].as_str(), named["exists"].as_bool()), (Some(expected.as_str()), Some(true)));
}

#[test]
fn settings_that_an_earlier_version_would_have_read_are_mentioned_once() {
    let cli = CliFixture::new();
    cli.text(&["db", "migrate"]);
    let mentions = |cli: &CliFixture| {
        let output = cli.command(&["doctor"]).output().expect("an end");
        String::from_utf8_lossy(&output.stderr).matches("--config ./config.toml").count()
    };
    write(&cli.path(""), "config.toml", STEALING);
    assert_eq!(mentions(&cli), 1);
    write(&cli.path(""), "config.toml", "baseURL = \"https://example.org/\"\n[server]\nx = 1\n");
    assert_eq!(mentions(&cli), 0, "somebody else's");
}

/// The hub and every package index are out of reach.
#[cfg(unix)]
fn offline(command: &mut std::process::Command) -> &mut std::process::Command {
    command
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("https_proxy", "http://127.0.0.1:9")
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", "/nowhere")
}

#[cfg(unix)]
#[test]
fn fetching_a_model_runs_nothing_of_the_working_directory() {
    let cli = CliFixture::new();
    let marker = cli.path("was-run");
    let python = format!("open({:?}, 'w').write('x')\n", marker.display().to_string());
    for module in ["pip/__init__.py", "pip/__main__.py", "sitecustomize.py", "encodings/__init__.py", "zipfile.py"] {
        write(&cli.path(""), module, &python);
    }
    let shell = format!("#!/bin/sh\n: > '{}'\nexit 1\n", marker.display());
    for program in ["python3", "python", "bin/pip", "bin/python3"] {
        write_program(&cli.path(""), program, &shell);
    }
    let path = format!(".::bin:{}", std::env::var("PATH").expect("PATH"));
    let mut command = cli.command(&["model", "fetch"]);
    offline(&mut command).env("PATH", path).env("PYTHONPATH", cli.path("")).env("OPENAI_API_KEY", "sk-secret");
    let output = command.output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("With pip"), "{said}");
    assert!(!marker.exists(), "something of the working directory was run");
}

#[cfg(unix)]
#[test]
fn a_package_without_end_is_not_fetched_to_its_end() {
    let cli = CliFixture::new();
    // A sparse file is as long as it says, and takes no room; the sleep is pip's, which is killed.
    let script =
        "#!/bin/sh\nwhile [ \"$1\" != --dest ]; do shift; done\ntruncate -s 100G \"$2/endless.whl\"\nexec sleep 1000\n";
    write_program(&cli.path("trusted"), "python3", script);
    let path = format!("{}:/usr/bin:/bin", cli.path("trusted").display());
    let mut command = cli.command(&["model", "fetch"]);
    let output = offline(&mut command).env("PATH", path).output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("larger than"), "{said}");
    let left = walkdir::WalkDir::new(cli.path("cache")).into_iter().filter_map(Result::ok);
    assert!(left.filter_map(|entry| entry.metadata().ok()).all(|metadata| metadata.len() < 1 << 30), "nothing is left");
}

#[cfg(unix)]
#[test]
fn pip_runs_in_a_folder_of_ours_and_learns_no_secret() {
    let cli = CliFixture::new();
    let record = cli.path("record");
    let script = format!("#!/bin/sh\n{{ pwd; echo \"$@\"; export -p; }} > '{}'\nexit 1\n", record.display());
    write_program(&cli.path("trusted"), "python3", &script);
    let mut command = cli.command(&["model", "fetch"]);
    offline(&mut command)
        .env("PATH", cli.path("trusted"))
        .env("OPENAI_API_KEY", "sk-secret")
        .env("AFTERWORD_EMBEDDING__OPENAI__API_KEY", "sk-secret")
        .env("AWS_SECRET_ACCESS_KEY", "sk-secret")
        .env("PYTHONPATH", "/theirs");
    assert!(!command.output().expect("an end").status.success());
    let record = fs::read_to_string(record).expect("python3 of the trusted folder was run");
    let mut lines = record.lines();
    let folder = lines.next().expect("a folder");
    assert!(Path::new(folder).starts_with(cli.path("cache").canonicalize().expect("a path")), "{folder}");
    assert!(lines.next().expect("arguments").starts_with("-I -m pip download"), "{record}");
    assert!(record.contains("PIP_NO_INDEX"), "what pip needs is passed on: {record}");
    assert!(!record.contains("sk-secret") && !record.contains("PYTHONPATH"), "{record}");
}
