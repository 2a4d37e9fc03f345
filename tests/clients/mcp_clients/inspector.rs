//! The inspector of the protocol: it finds nothing to warn of, and its calls are answered.

use serde_json::Value;

use crate::mcp_clients::site::{clients, command, over_http, over_stdio};

/// Runs the inspector; returns its output and its standard error.
fn inspect(era: &str, request: &[&str], server: &[String]) -> (Value, String) {
    let output = command(&clients().join("node_modules/.bin/mcp-inspector"))
        .args(["--cli", "--protocol-era", era])
        .args(request)
        .args(server)
        .output()
        .expect("the inspector runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{era} {request:?}: {said}");
    (serde_json::from_slice(&output.stdout).expect("JSON"), said)
}

fn inspect_all(server: &[String]) {
    for era in ["legacy", "modern"] {
        let (tools, said) = inspect(era, &["--strict", "--method", "tools/list"], server);
        assert_eq!(tools["tools"].as_array().map(Vec::len), Some(19));
        assert_eq!(said, "", "{era}: it warns");
        let title = format!("title=By the {era} inspector");
        let create = ["--method", "tools/call", "--tool-name", "create_article", "--tool-arg", &title, "body=text"];
        let (saved, _) = inspect(era, &create, server);
        let slug = saved["structuredContent"]["slug"].as_str().expect("a slug");
        let (read, _) = inspect(era, &["--method", "resources/read", "--uri", &format!("article://{slug}")], server);
        assert_eq!(read["contents"][0]["text"], "text");
    }
}

#[test]
fn the_inspector_finds_nothing_wrong_over_stdio() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = vec!["--".to_owned()];
    server.extend(over_stdio(folder.path()));
    inspect_all(&server);
}

#[test]
fn the_inspector_finds_nothing_wrong_over_http() {
    let server = over_http();
    inspect_all(&["--server-url".to_owned(), server.url("/mcp"), "--transport".to_owned(), "http".to_owned()]);
}
