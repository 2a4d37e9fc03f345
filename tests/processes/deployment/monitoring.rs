//! The dashboard and the alerts, against the metrics of a real server.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    process::Stdio,
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    deployment::{file, json},
    support::process::Server,
    support::tool::{root, told, tool},
};

const PARSER: &str = "promql-parser==0.11.0";
/// Labels that a scraper adds by itself.
const OF_THE_SCRAPER: &str = "instance";

/// A name that an expression asks for, and the labels that it must have.
#[derive(Debug, Deserialize)]
struct Selector {
    name: String,
    labels: Vec<Label>,
}

#[derive(Debug, Deserialize)]
struct Label {
    name: String,
    /// The one value that is asked for; `None` if it is a pattern.
    value: Option<String>,
}

/// Names, each with its labels and their values.
type Measured = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The text format, as far as our own names and labels go: no value of theirs has a comma or a quote.
fn measured(text: &str) -> Measured {
    let mut all = Measured::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (series, _) = line.rsplit_once(' ').expect("a sample");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let found = all.entry(name.to_owned()).or_default();
        for (label, value) in labels.trim_end_matches('}').split(',').filter_map(|label| label.split_once('=')) {
            found.entry(label.to_owned()).or_default().insert(value.trim_matches('"').to_owned());
        }
    }
    all
}

/// The metrics that these expressions read, parsed by Prometheus's own grammar.
fn selectors(expressions: &[String]) -> Vec<Selector> {
    let mut parser = tool(PARSER, "python")
        .arg(root("tests/processes/deployment/selectors.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a parser");
    let given = serde_json::to_string(expressions).expect("JSON");
    parser.stdin.take().expect("a pipe").write_all(given.as_bytes()).expect("sent");
    let output = parser.wait_with_output().expect("an answer");
    assert!(output.status.success(), "{}", told(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

async fn all_are_measured(expressions: &[String]) {
    let server = Server::start(&[]);
    server.create("Measured", "text").await;
    server.until_embedding("measured", "completed").await;
    let measured = measured(&server.get("/metrics").await.text().await.expect("text"));
    let selectors = selectors(expressions);
    assert!(selectors.len() >= expressions.len(), "every expression asks for something");
    for Selector { name, labels } in selectors {
        let found = measured.get(&name).unwrap_or_else(|| panic!("{name} is not measured"));
        for Label { name: label, value } in labels.iter().filter(|label| label.name != OF_THE_SCRAPER) {
            let values = found.get(label).unwrap_or_else(|| panic!("{name} has no label {label}"));
            assert!(value.iter().all(|value| values.contains(value)), "{name} never has {label}={value:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_of_the_dashboard_shows_what_is_measured() {
    let dashboard = json("deploy/grafana-dashboard.json");
    let panels: Vec<&Value> = dashboard["panels"].as_array().expect("panels").iter().collect();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), panels.len(), "ids are used once");
    let shown = panels.iter().filter(|panel| panel["type"] != "row");
    let targets: Vec<_> = shown.flat_map(|panel| panel["targets"].as_array().expect("targets")).collect();
    let expressions: Vec<_> = targets
        .iter()
        .map(|target| target["expr"].as_str().expect("an expression"))
        .map(|expression| expression.replace("$__rate_interval", "5m").replace("$instance", ".*"))
        .collect();
    assert!(expressions.iter().all(|expression| !expression.contains('$')), "{expressions:#?}");
    all_are_measured(&expressions).await;
}

/// The file of alerts, as Prometheus reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alerts {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(rename = "name")]
    _name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    r#for: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alert_watches_what_is_measured_and_says_what_to_do() {
    let alerts: Alerts = serde_norway::from_str(&file("deploy/prometheus-alerts.yml")).expect("a file of alerts");
    let rules: Vec<_> = alerts.groups.into_iter().flat_map(|group| group.rules).collect();
    for rule in &rules {
        assert!(rule.annotations.contains_key("summary") && rule.annotations.contains_key("description"), "{rule:?}");
        assert!(["critical", "warning"].contains(&rule.labels["severity"].as_str()), "{}", rule.alert);
        assert!(rule.r#for.iter().all(|span| humantime::parse_duration(span).is_ok()), "{}", rule.alert);
    }
    let names: BTreeSet<_> = rules.iter().map(|rule| &rule.alert).collect();
    assert_eq!(names.len(), rules.len(), "names are used once");
    all_are_measured(&rules.iter().map(|rule| rule.expr.clone()).collect::<Vec<_>>()).await;
}
