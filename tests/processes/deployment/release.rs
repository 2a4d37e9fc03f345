//! How archives for users are built.

use std::process::Command;

use serde_json::Value;

use crate::{
    deployment::file,
    support::tool::{approved, root, tool},
};

const WORKFLOW: &str = ".github/workflows/release.yml";
const ZIZMOR: &str = "zizmor==1.16.0";

fn workflow() -> Value {
    serde_norway::from_str(&file(WORKFLOW)).expect("YAML")
}

#[test]
fn the_workflow_is_understood_and_gives_nothing_away() {
    approved(tool(ZIZMOR, "zizmor").args(["--offline", "--no-progress", WORKFLOW]));
}

#[test]
fn archives_are_built_for_linux_macos_and_windows_with_a_profile_that_there_is() {
    let targets = &workflow()["jobs"]["build"]["strategy"]["matrix"]["include"];
    let targets: Vec<_> = targets.as_array().expect("targets").iter().map(|one| one["target"].to_string()).collect();
    for system in ["linux", "darwin", "windows"] {
        assert!(targets.iter().any(|target| target.contains(system)), "{system}: {targets:?}");
    }
    let built = file(WORKFLOW).contains("cargo build --profile dist --locked --bin afterword");
    assert!(built && file("Cargo.toml").contains("[profile.dist]"));
}

#[cfg(target_os = "linux")]
#[test]
fn an_archive_holds_a_stripped_program_its_manual_and_its_completions() {
    let target = "x86_64-unknown-linux-gnu";
    // The script is tried on a copy of what it needs, with the program as it is built for tests.
    let copy = tempfile::tempdir().expect("a folder");
    let built = copy.path().join("target").join(target).join("dist");
    std::fs::create_dir_all(&built).expect("a folder");
    std::fs::create_dir(copy.path().join("scripts")).expect("a folder");
    std::fs::copy(env!("CARGO_BIN_EXE_afterword"), built.join("afterword")).expect("a copy");
    for name in ["scripts/archive", "README.md", "CHANGELOG.md", "LICENSE"] {
        std::fs::copy(root(name), copy.path().join(name)).expect("a copy");
    }
    approved(Command::new(copy.path().join("scripts/archive")).arg(target));
    let archives = copy.path().join("target/archives");
    let name = format!("afterword-{}-{target}", env!("CARGO_PKG_VERSION"));
    let held = approved(Command::new("tar").arg("-tzf").arg(archives.join(format!("{name}.tar.gz"))));
    for part in ["afterword", "README.md", "LICENSE", "man/afterword-article-edit.1", "completions/afterword.zsh"] {
        assert!(held.lines().any(|line| line == format!("{name}/{part}")), "{part}: {held}");
    }
    approved(Command::new("sha256sum").arg("--check").arg(format!("{name}.tar.gz.sha256")).current_dir(&archives));
    let size = |name: &str| std::fs::metadata(archives.join(name)).expect("an archive").len();
    let debug = size(&format!("{name}-debug.tar.gz"));
    assert!(debug > size(&format!("{name}.tar.gz")), "the debug information lies apart");
}
