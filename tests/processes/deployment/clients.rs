//! The settings that the README gives for MCP clients, against what those clients read.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::registry::lint;
use crate::deployment::file;

const ADDRESS: &str = "http://127.0.0.1:8080/mcp";

/// The fenced blocks of the part of the README under this heading, each with its language.
fn blocks(heading: &str) -> Vec<(String, String)> {
    let readme = file("README.md");
    let (_, part) = readme.split_once(&format!("\n### {heading}\n")).unwrap_or_else(|| panic!("{heading} is missing"));
    let part = part.split("\n##").next().expect("a part");
    let pieces: Vec<_> = part.split("```").collect();
    let blocks = pieces.iter().skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    blocks.map(|(language, text)| (language.to_owned(), text.to_owned())).collect()
}

/// The one file under this heading, judged by a linter that knows this client.
fn settings(heading: &str, place: &str) -> Value {
    let blocks = blocks(heading);
    let [(language, text)] = blocks.as_slice() else { panic!("one file under {heading}") };
    assert!(language.starts_with("json"), "{language}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(place);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
    lint(folder.path(), "mcp-valid-json");
    serde_json::from_str(text).expect("JSON")
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// A server over stdio has a command; one over HTTP has an address, and a token that is not written in the file.
fn are_both_ways(servers: &Value, token: &str, with_type: bool) {
    let (local, remote) = (&servers["afterword"], &servers["afterword-http"]);
    assert_eq!(keys(servers), BTreeSet::from(["afterword", "afterword-http"]));
    let types = with_type.then_some("type");
    assert_eq!(keys(local), BTreeSet::from_iter(["command", "args"].into_iter().chain(types)));
    assert_eq!((&local["command"], &local["args"]), (&"afterword".into(), &serde_json::json!(["mcp"])));
    assert_eq!(keys(remote), BTreeSet::from_iter(["url", "headers"].into_iter().chain(types)));
    assert_eq!((&remote["url"], &remote["headers"]["Authorization"]), (&ADDRESS.into(), &token.into()));
    assert!(!with_type || (local["type"] == "stdio" && remote["type"] == "http"));
}

#[test]
fn claude_code_is_told_of_both_ways() {
    let blocks = blocks("Claude Code");
    let commands: Vec<_> = blocks.iter().flat_map(|(_, text)| text.lines()).collect();
    // Its own flags stand before the two dashes, and the server's command behind them.
    let local = "claude mcp add --transport stdio afterword -- afterword mcp";
    let remote = format!(
        "claude mcp add --transport http afterword {ADDRESS} --header \"Authorization: Bearer $AFTERWORD_TOKEN\""
    );
    assert!(commands.contains(&local), "{commands:#?}");
    assert!(commands.contains(&remote.as_str()), "{commands:#?}");
}

#[test]
fn cursor_is_told_of_both_ways() {
    let settings = settings("Cursor", ".cursor/mcp.json");
    assert_eq!(keys(&settings), BTreeSet::from(["mcpServers"]));
    are_both_ways(&settings["mcpServers"], "Bearer ${env:AFTERWORD_TOKEN}", false);
}

#[test]
fn vs_code_is_told_of_both_ways_and_asks_for_the_token() {
    let settings = settings("VS Code", ".vscode/mcp.json");
    assert_eq!(keys(&settings), BTreeSet::from(["inputs", "servers"]));
    are_both_ways(&settings["servers"], "Bearer ${input:afterword-token}", true);
    let [input] = settings["inputs"].as_array().expect("inputs").as_slice() else { panic!("one input") };
    assert_eq!(keys(input), BTreeSet::from(["description", "id", "password", "type"]));
    assert_eq!((&input["type"], &input["id"]), (&"promptString".into(), &"afterword-token".into()));
    assert_eq!(input["password"], true);
}
