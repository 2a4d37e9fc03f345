//! The conformance suite of the protocol, in both eras: all of it against a fixture on the product's stack, and against
//! the product itself what needs no fixture.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    mcp_clients::fixture::Fixture,
    mcp_clients::site::{clients, command, over_http, serve},
    support::TOKIO,
};

const ERAS: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// Scenarios that find what they need on any server.
const FIXTURE_FREE: [&[&str]; 2] = [
    &[
        "completion-complete",
        "dns-rebinding-protection",
        "ping",
        "resources-list",
        "server-initialize",
        "server-session-lifecycle",
        "server-sse-multiple-streams",
        "tools-list",
    ],
    &[
        "caching",
        "completion-complete",
        "dns-rebinding-protection",
        "http-header-validation",
        "input-required-result-unsupported-methods",
        // Takes an error for an answer, and gets one from servers without its tool.
        "input-required-result-validate-input",
        "resources-list",
        "sep-2164-resource-not-found",
        "server-sse-multiple-streams",
        "server-stateless",
        "tools-list",
    ],
];

/// Checks within those that the product cannot pass, and why that is not its fault.
const NOT_FOR_US: [(&str, &str); 6] = [
    ("sep-2549-prompts-list-caching-hints", "there are no prompts, and the suite takes that for a failure"),
    ("sep-2575-server-rejects-undeclared-capability", "wants the suite's own tool test_missing_capability"),
    ("sep-2575-missing-capability-http-400", "wants the suite's own tool test_missing_capability"),
    ("sep-2575-http-server-no-independent-requests-on-stream", "wants the suite's own tool test_streaming_elicitation"),
    ("sep-2575-server-no-log-without-loglevel", "wants the suite's own tool test_logging_tool"),
    ("sep-2575-server-sends-", "skipped by the suite: our lists of tools and prompts never change"),
];

/// Scenarios of each era at least; fewer would mean that the suite did not run.
const MOST_OF_THE_SUITE: usize = 30;

/// Runs the suite for one era; returns the failed checks of each scenario.
fn run(url: &str, era: &str) -> BTreeMap<String, Vec<Value>> {
    let results = tempfile::tempdir().expect("a folder");
    let output = command(&clients().join("node_modules/.bin/conformance"))
        .args(["server", "--url", url, "--spec-version", era, "--suite", "all", "--output-dir"])
        .arg(results.path())
        .output()
        .expect("the suite runs");
    let mut scenarios = BTreeMap::new();
    for entry in walkdir::WalkDir::new(results.path()).into_iter().filter_map(Result::ok) {
        if entry.file_name() == "checks.json" {
            let folder = entry.path().parent().and_then(|folder| folder.file_name()).expect("a folder");
            let text = std::fs::read_to_string(entry.path()).expect("a file");
            let checks: Vec<Value> = serde_json::from_str(&text).expect("checks");
            assert!(!checks.is_empty(), "{folder:?}");
            let bad = checks.into_iter().filter(|check| check["status"] != "SUCCESS" && check["status"] != "INFO");
            scenarios.insert(scenario(&folder.to_string_lossy()), bad.collect());
        }
    }
    assert!(scenarios.len() >= MOST_OF_THE_SUITE, "{era}: {}", String::from_utf8_lossy(&output.stderr));
    scenarios
}

/// The scenario in a folder's name, which is `server-SCENARIO-2026-01-02T…`.
fn scenario(folder: &str) -> String {
    let name = folder.strip_prefix("server-").unwrap_or(folder);
    let time = name.rfind('T').unwrap_or(name.len());
    name[..time.saturating_sub("-2026-01-02".len())].to_owned()
}

/// Which line of [`NOT_FOR_US`] explains it.
fn explained(check: &Value) -> Option<&'static str> {
    let id = check["id"].as_str().unwrap_or_default();
    NOT_FOR_US.iter().map(|(prefix, _)| *prefix).find(|prefix| id.starts_with(prefix))
}

#[test]
fn every_scenario_passes_on_our_stack() {
    let fixture = Fixture::new();
    let (url, _world) = TOKIO.block_on(serve(move || fixture.clone()));
    for era in ERAS {
        let bad: Vec<_> = run(&url, era).into_iter().filter(|(_, bad)| !bad.is_empty()).collect();
        assert!(bad.is_empty(), "{era}: {bad:#?}");
    }
}

#[test]
fn every_scenario_that_needs_no_fixture_passes_on_the_product() {
    let server = over_http();
    let url = server.url("/mcp");
    TOKIO.block_on(server.create("There", "# There"));
    let mut excused = BTreeSet::new();
    for (era, free) in ERAS.into_iter().zip(FIXTURE_FREE) {
        let scenarios = run(&url, era);
        for name in free {
            let bad: Vec<_> = scenarios[*name].iter().filter(|check| explained(check).is_none()).collect();
            assert!(bad.is_empty(), "{era} {name}: {bad:#?}");
            excused.extend(scenarios[*name].iter().filter_map(explained));
        }
        let passed = scenarios.iter().filter(|(_, bad)| bad.is_empty()).map(|(name, _)| name.as_str());
        let unlisted: Vec<_> = passed.filter(|name| !free.contains(name)).collect();
        assert!(unlisted.is_empty(), "{era}: these pass too, and are not listed: {unlisted:?}");
    }
    assert_eq!(excused.len(), NOT_FOR_US.len(), "an excuse that nobody needs: {excused:?}");
}
