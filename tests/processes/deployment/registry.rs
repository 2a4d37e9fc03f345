//! `server.json`, the entry for the registry of MCP servers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::image::instructions;
use crate::{
    deployment::json,
    support::process::program,
    support::tool::{approved, root, tool},
};

/// A linter that knows the registry's schema and rules, and the files of MCP clients.
pub(super) const SKILLSAW: &str = "skillsaw==0.22.0";
/// The registry finds the owner of an image by this.
const NAME_LABEL: &str = "io.modelcontextprotocol.server.name";

/// Lints a folder: nothing may be found, and `rule` must have been checked.
pub(super) fn lint(folder: &std::path::Path, rule: &str) {
    let mut linter = tool(SKILLSAW, "skillsaw");
    linter.args(["lint", "--strict", "--no-plugins", "--no-custom-rules", "--no-baseline", "--rule", rule]).arg(folder);
    let said = approved(&mut linter);
    assert!(said.contains("Warnings: 0"), "{said}");
}

fn packages() -> Vec<Value> {
    json("server.json")["packages"].as_array().expect("packages").clone()
}

#[test]
fn the_registry_accepts_the_entry() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(root("server.json"), folder.path().join("server.json")).expect("a copy");
    lint(folder.path(), "mcp-registry-server-json-valid");
    lint(folder.path(), "mcp-registry-version-semver");
}

#[test]
fn the_entry_and_the_image_are_of_this_program_and_name_each_other() {
    let entry = json("server.json");
    assert_eq!(entry["version"], env!("CARGO_PKG_VERSION"));
    let name = entry["name"].as_str().expect("a name");
    let label = format!("{NAME_LABEL}=\"{name}\"");
    assert!(instructions().iter().any(|(kind, labels)| kind == "LABEL" && labels.contains(&label)), "{label}");
    for package in packages() {
        let image = package["identifier"].as_str().expect("an image");
        assert!(image.ends_with(concat!(":", env!("CARGO_PKG_VERSION"))), "{image}");
    }
}

#[test]
fn what_a_user_is_asked_for_are_settings_the_program_understands() {
    let folder = tempfile::tempdir().expect("a folder");
    let packages = packages();
    let asked = packages.iter().filter_map(|package| package["environmentVariables"].as_array()).flatten();
    let mut check = program(folder.path());
    let mut names = BTreeSet::new();
    for variable in asked {
        let name = variable["name"].as_str().expect("a name");
        assert!(names.insert(name), "{name} is asked for twice");
        check.env(name, variable["default"].as_str().unwrap_or("a-secret"));
    }
    assert!(!names.is_empty());
    approved(check.args(["config", "check"]));
}
