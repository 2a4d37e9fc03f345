//! `deploy/afterword.service`, checked by systemd itself.

use std::{path::PathBuf, process::Command, time::Duration};

use serde_json::Value;

use crate::{
    deployment::file,
    support::process::program,
    support::tool::{approved, told},
};

/// From 0 (nothing is exposed) to 100; a unit without any protection has 96.
const MOST_EXPOSED: &str = "--threshold=15";

/// The unit with a program that is there, in a folder of its own.
fn installed() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let unit = file("deploy/afterword.service").replace("/usr/local/bin/afterword", env!("CARGO_BIN_EXE_afterword"));
    let path = folder.path().join("afterword.service");
    std::fs::write(&path, unit).expect("a file");
    (folder, path)
}

fn value(key: &str) -> String {
    let unit = file("deploy/afterword.service");
    let found = unit.lines().find_map(|line| line.strip_prefix(&format!("{key}=")).map(str::to_owned));
    found.unwrap_or_else(|| panic!("{key} is not set"))
}

#[test]
fn systemd_understands_every_line() {
    let (_folder, unit) = installed();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(unit).output();
    let output = output.expect("systemd-analyze, which scripts/test installs");
    // It warns of options that it does not understand.
    assert!(output.status.success() && output.stderr.is_empty(), "{}", told(&output));
}

#[test]
fn little_is_exposed_if_the_program_is_taken_over() {
    let (_folder, unit) = installed();
    approved(Command::new("systemd-analyze").args(["security", "--offline=yes", "--no-pager", MOST_EXPOSED]).arg(unit));
}

#[test]
fn systemd_waits_longer_than_the_server_takes_to_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = approved(program(folder.path()).args(["config", "show", "--json"]));
    let settings: Value = serde_json::from_str(&settings).expect("JSON");
    let settings = settings["settings"].as_array().expect("settings");
    let span = |key: &str| {
        let setting = settings.iter().find(|setting| setting["key"] == key).expect("a setting");
        humantime::parse_duration(setting["value"].as_str().expect("text")).expect("a duration")
    };
    let stopping: Duration = span("server.shutdown_timeout") + span("queue.drain_timeout");
    assert!(humantime::parse_duration(&value("TimeoutStopSec")).expect("a duration") > stopping);
}

#[test]
fn there_is_a_descriptor_for_every_connection() {
    let most = afterword::config::Server::default().max_connections;
    assert!(value("LimitNOFILE").parse::<usize>().expect("a number") > 2 * most);
}
