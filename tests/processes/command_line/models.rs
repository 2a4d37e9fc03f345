//! Models and their sets of vectors: which may make them, and how a change of the model ends.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use super::CliFixture;
use crate::support::lengthened::lengthen;

/// A copy of the tiny model of the references, which says how it pools.
fn tiny(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tiny");
    std::fs::create_dir_all(to.join("1_Pooling")).expect("a folder");
    for file in ["model.safetensors", "tokenizer.json", "config.json"] {
        std::fs::copy(from.join(file), to.join(file)).expect("a copy");
    }
    std::fs::write(to.join("1_Pooling/config.json"), r#"{"pooling_mode_mean_tokens": true}"#).expect("a file");
    lengthen(to);
}

/// What `doctor` says with the local model of the folder `model`, under this name, and whether it finds it good.
fn examined(cli: &CliFixture, name: &str) -> (bool, String) {
    let directory = format!("embedding.model_dir={}", cli.path("model").display());
    let name = format!("embedding.model={name}");
    let output =
        cli.run(&["doctor", "--json", "--set", "embedding.provider=local", "--set", &directory, "--set", &name]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let checks = said["checks"].as_array().or_else(|| said.as_array()).expect("checks").clone();
    let model = checks.iter().find(|check| check["name"] == "model").expect("a check of the model");
    (model["level"] == "ok", model["message"].as_str().expect("words").to_owned())
}

#[test]
fn other_weights_under_the_name_of_a_set_are_refused() {
    let cli = CliFixture::new();
    tiny(&cli.path("model"));
    let directory = format!("embedding.model_dir={}", cli.path("model").display());
    let settings = [
        "--set",
        "embedding.provider=local",
        "--set",
        "embedding.model=tiny",
        "--set",
        &directory,
        "--set",
        "log.level=error",
    ];
    cli.text(&[&["model", "switch"], &settings[..]].concat());
    assert!(examined(&cli, "tiny").0);
    let weights = cli.path("model/model.safetensors");
    let original = std::fs::read(&weights).expect("weights");
    let mut others = original.clone();
    *others.last_mut().expect("a byte") ^= 1;
    std::fs::write(&weights, &others).expect("weights");
    let (good, said) = examined(&cli, "tiny");
    assert!(!good && said.contains("embedding.model"), "{said}");
    assert!(examined(&cli, "tiny-2").0, "under a name of its own");
    std::fs::write(&weights, &original).expect("weights");
    // Other pooling makes other vectors as well.
    let pooling = cli.path("model/1_Pooling/config.json");
    std::fs::write(&pooling, r#"{"pooling_mode_cls_token": true}"#).expect("a file");
    let (good, said) = examined(&cli, "tiny");
    assert!(!good && said.contains("embedding.model"), "{said}");
    std::fs::write(&pooling, r#"{"pooling_mode_mean_tokens": true}"#).expect("a file");
    assert!(examined(&cli, "tiny").0, "the files of before");
}

/// Files that are no model are not told as those of another one: a new name would only hide it.
#[test]
fn damaged_weights_and_a_model_without_room_are_told_for_what_they_are() {
    let cli = CliFixture::new();
    tiny(&cli.path("model"));
    let directory = format!("embedding.model_dir={}", cli.path("model").display());
    let local = ["--set", "embedding.provider=local", "--set", "embedding.model=tiny", "--set", &directory];
    cli.text(&[&["model", "switch"], &local[..]].concat());
    let weights = cli.path("model/model.safetensors");
    let original = std::fs::read(&weights).expect("weights");
    std::fs::write(&weights, [b'x'; 100]).expect("weights");
    let (good, said) = examined(&cli, "tiny");
    assert!(!good && said.contains("are not usable") && !said.contains("a name of its own"), "{said}");
    std::fs::write(&weights, &original).expect("weights");
    let room = cli.path("model/sentence_bert_config.json");
    for longest in [0, 1, 2, 24] {
        std::fs::write(&room, format!(r#"{{"max_seq_length": {longest}}}"#)).expect("a file");
        let (good, said) = examined(&cli, "tiny");
        assert!(!good && said.contains("too few are left for text"), "{longest}: {said}");
    }
    std::fs::write(&room, r#"{"max_seq_length": 40}"#).expect("a file");
    assert!(examined(&cli, "tiny").0);
}

#[test]
fn a_directory_of_another_model_cannot_have_the_name_of_a_known_one() {
    let cli = CliFixture::new();
    cli.text(&["db", "migrate"]);
    tiny(&cli.path("model"));
    for name in ["all-MiniLM-L6-v2", "sentence-transformers/all-minilm-l6-v2"] {
        let (good, said) = examined(&cli, name);
        assert!(!good && said.contains("a name of its own"), "{name}: {said}");
    }
}

#[test]
fn a_change_that_somebody_else_cancels_is_not_done_and_its_trouble_is_told_meanwhile() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Bees", "--body", "They dance."]);
    cli.text(&["bulk", "start"]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let url = format!("embedding.openai.base_url=http://{nobody}/v1");
    let mut command = cli.command(&["model", "switch", "--set", "embedding.provider=openai", "--set", &url]);
    command.args(["--set", "embedding.model=another", "--set", "queue.heartbeat_interval=100ms"]);
    let mut change = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
    let mut said = BufReader::new(change.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(said.any(|line| line.contains("waiting: ")), "what it waits for");
    assert_eq!(cli.json(&["model", "cancel"])["cancelled"], true);
    let rest: Vec<_> = said.collect();
    assert_eq!(change.wait().expect("an end").code(), Some(1));
    assert!(rest.iter().any(|line| line.contains("the change to another was cancelled")), "{rest:?}");
}

#[test]
fn a_bulk_run_that_waits_says_what_for() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Bees", "--body", "They dance."]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let url = format!("embedding.openai.base_url=http://{nobody}/v1");
    let provider = ["--set", "embedding.provider=openai", "--set", "embedding.model=away", "--set", &url];
    let mut command = cli.command(&[&["bulk", "start"], &provider[..]].concat());
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
    let mut said = BufReader::new(run.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(said.any(|line| line.contains("waiting: the embedding provider fails")), "the provider");
    let told = cli.json(&["bulk", "status"]);
    assert!(told["waits_because"].as_str().is_some_and(|why| why.contains("provider fails")), "{told}");
    cli.text(&["queue", "pause"]);
    assert!(said.any(|line| line.contains("the queue is paused")), "the pause");
    assert!(cli.text(&["bulk", "status"]).contains("the queue is paused"));
    let id = told["id"].to_string();
    cli.text(&["bulk", "cancel", &id]);
    run.wait().expect("an end");
}

#[test]
fn settings_that_are_not_in_effect_are_told() {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "Bees", "--body", "They dance."]);
    cli.text(&["bulk", "start"]);
    assert_eq!(cli.json(&["model", "status"])["not_in_effect"], serde_json::json!([]));
    let other = ["--set", "embedding.max_tokens=100"];
    let told = cli.json(&[&["model", "status"], &other[..]].concat());
    assert_eq!(told["not_in_effect"], serde_json::json!(["embedding.max_tokens"]));
    let told = cli.text(&[&["model", "status"], &other[..]].concat());
    assert!(told.contains("embedding.max_tokens") && told.contains("model switch"), "{told}");
}

#[test]
fn how_much_a_change_of_model_sends_is_told_before_it_begins() {
    let cli = CliFixture::new();
    let other = ["--set", "embedding.model=another"];
    let status = [&["model", "status"], &other[..]].concat();
    assert!(cli.json(&status)["estimate"].is_null(), "nothing was embedded yet");
    for title in ["Bees", "Bread"] {
        cli.text(&["article", "create", title, "--body", "One of two texts of eight tokens or so."]);
    }
    cli.text(&["bulk", "start"]);
    assert!(cli.json(&["model", "status"])["estimate"].is_null(), "nothing would change");
    let estimate = cli.json(&status)["estimate"].clone();
    assert_eq!(estimate["texts"], 2);
    assert!(estimate["tokens"].as_i64().is_some_and(|tokens| (10..60).contains(&tokens)), "{estimate}");
    let told = cli.text(&status);
    assert!(told.contains("about 2 texts of "), "{told}");
    cli.text(&[&["model", "switch"], &other[..]].concat());
    let back = cli.json(&["model", "status"])["estimate"].clone();
    assert_eq!((&back["texts"], &back["tokens"]), (&0.into(), &0.into()), "the former vectors are kept");
    cli.text(&["article", "create", "Butter", "--body", "One of three texts of eight tokens or so."]);
    cli.text(&[&["bulk", "start"], &other[..]].concat());
    let back = cli.json(&["model", "status"])["estimate"].clone();
    assert_eq!(back["texts"], 1, "only what was written since: {back}");
}
