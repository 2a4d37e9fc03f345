//! A reranker at the command line: explained, checked and measured.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::CliFixture;
use crate::support::reranker::{Judge, asked, reranker};

#[tokio::test(flavor = "multi_thread")]
async fn a_search_explains_it_and_says_when_it_is_without() {
    let (judge, cli) = (reranker(Judge::OfDocuments).await, CliFixture::new());
    for worth in 1..=3 {
        let body = format!("A kite is worth {worth}.");
        cli.text(&["article", "create", &format!("Kite {worth}"), "--body", &body]);
    }
    cli.text(&["bulk", "start"]);
    let address = format!("search.rerank.base_url={}/v1", judge.uri());
    let with = ["--set", &address, "--set", "search.rerank.deadline=30s", "--set", "search.rerank.weight=1"];
    let told = cli.text(&[&with[..], &["search", "kite", "--explain"]].concat());
    assert!(told.starts_with("words count"), "{told}");
    let third = told.lines().position(|line| line.contains("1. Kite 3")).expect("the best first");
    assert!(told.lines().skip(third).any(|line| line.contains("reranked")), "{told}");
    cli.text(&[&with[..], &["search", "kite", "--mode", "keyword"]].concat());
    assert_eq!(asked(&judge).await.len(), 1, "not in mode keyword");
    judge.reset().await;
    let output = cli.run(&[&with[..], &["search", "kite"]].concat());
    let note = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && note.contains("not reranked: ") && !note.contains("words only"), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_asks_it_only_if_there_is_one() {
    let (judge, cli) = (reranker(Judge::OfTexts).await, CliFixture::new());
    cli.text(&["article", "create", "Kite", "--body", "text"]);
    let checked = |arguments: &[&str]| {
        let told = cli.json(&[arguments, &["doctor"]].concat());
        told["checks"].as_array().expect("checks").iter().find(|check| check["name"] == "reranker").cloned()
    };
    assert_eq!(checked(&[]), None);
    let address = format!("search.rerank.base_url={}/v1", judge.uri());
    let with = ["--set", &address, "--set", "search.rerank.deadline=30s"];
    assert_eq!(checked(&with).expect("a check")["level"], "ok");
    let refusing = reranker(ResponseTemplate::new(401)).await;
    let address = format!("search.rerank.base_url={}", refusing.uri());
    let check = checked(&["--set", &address, "--set", "search.rerank.deadline=30s"]).expect("a check");
    assert_eq!(check["level"], "warning");
    assert!(check["message"].as_str().is_some_and(|said| said.contains("search.rerank.api_key")), "{check}");
}

#[tokio::test(flavor = "multi_thread")]
async fn eval_measures_with_and_without() {
    let (judge, cli) = (reranker(Judge::OfDocuments).await, CliFixture::new());
    std::fs::create_dir(cli.path("kites")).expect("a folder");
    for worth in 1..=4 {
        let text = format!("# Kite {worth}\n\nA kite{} is worth {worth}.", " and a kite".repeat(4 - worth));
        std::fs::write(cli.path(&format!("kites/kite-{worth}.md")), text).expect("a file");
    }
    let questions = json!([{ "question": "a kite", "slugs": ["kite-4"] }]);
    std::fs::write(cli.path("kites/questions.json"), questions.to_string()).expect("a file");
    let rows = |told: Value| -> Vec<(String, bool)> {
        let modes = told["modes"].as_array().expect("modes").clone();
        let row = |mode: &Value| (mode["mode"].as_str().expect("a mode").to_owned(), mode["reranked"] == true);
        modes.iter().map(row).collect()
    };
    let plain = [("keyword".to_owned(), false), ("semantic".to_owned(), false), ("hybrid".to_owned(), false)];
    assert_eq!(rows(cli.json(&["eval", "kites"])), plain);
    let address = format!("search.rerank.base_url={}/v1", judge.uri());
    let with = ["--set", &address, "--set", "search.rerank.deadline=30s", "--set", "search.rerank.weight=1"];
    let told = cli.json(&[&with[..], &["eval", "kites"]].concat());
    let reranked = told["modes"][3].clone();
    assert_eq!((&reranked["first"], &reranked["degraded"]), (&json!(1.0), &json!(0)), "{told}");
    assert_eq!(rows(told), [&plain[..], &[("hybrid".to_owned(), true)]].concat());
    assert_eq!(asked(&judge).await.len(), 1, "no other mode asks it");
}
